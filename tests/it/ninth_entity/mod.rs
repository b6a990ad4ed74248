//! Entities that are not Zentrio's: what it takes to sync one more, and which shapes one may have.

#![expect(unreachable_pub, reason = "entities are written as in an application")]

mod bookmark;
mod bookmarks;
mod column_types;
mod create_bookmarks;
mod folders;
mod narrow_integers;
mod shelves;
mod simulated;
mod world;
