//! What a machine and a network do wrong: connections that end at any byte, many writers at once, a database
//! server that goes away, disks that are full or broken, programs that are killed while they write.

pub(crate) mod counts;
pub(crate) mod load;
mod postgres_ends;
mod raw_cuts;
mod syscalls;
