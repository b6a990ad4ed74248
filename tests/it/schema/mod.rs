//! The migrated schema, the entities and what is installed around them are in step.
#![expect(unreachable_pub, reason = "entities are written as in an application")]

mod fits;
mod install;
mod install_entity;
mod note;
mod upgrade;
