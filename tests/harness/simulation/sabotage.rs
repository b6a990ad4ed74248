//! Mistakes planted into a run, to see that the oracles find them.

use bytes::Bytes;
use http::{Request, Response};

use super::world::World;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {}

pub(crate) fn request(_: &World, _: usize, request: Request<Bytes>) -> Request<Bytes> {
    request
}

pub(crate) async fn answer(_: &World, _: usize, answer: Response<Bytes>) -> Response<Bytes> {
    answer
}
