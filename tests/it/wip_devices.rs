//! Temporary.
mod binaries;
mod two_devices;
