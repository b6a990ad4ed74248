use sync_core::Syncable;

#[derive(Syncable)]
pub struct Model {
    pub id: i64,
}

fn main() {}
