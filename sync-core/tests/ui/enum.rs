use sync_core::Syncable;

#[derive(Syncable)]
pub enum Model {
    Note,
}

#[derive(Syncable)]
pub struct Pair(i64, i64);

fn main() {}
