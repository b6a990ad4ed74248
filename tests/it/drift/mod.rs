//! Devices and servers of different versions around one account: nothing is lost, and what one end did not
//! know comes by itself when it does.

#![expect(unreachable_pub, reason = "entities are written as in an application")]

mod gained;
mod newer_device;
mod older_device;
mod outdated;
mod protocol;
mod server_back;
mod tables;
mod world;
