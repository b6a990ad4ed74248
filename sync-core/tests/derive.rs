//! What `#[derive(Syncable)]` makes of an entity. Mistakes are in `ui.rs`.

#![expect(unreachable_pub, reason = "entities are written as in an application")]

#[path = "derive/compact_model.rs"]
mod compact_model;
#[path = "derive/from_wire.rs"]
mod from_wire;
#[path = "derive/hooks.rs"]
mod hooks;
#[path = "derive/library.rs"]
mod library;
#[path = "derive/meta.rs"]
mod meta;
#[path = "derive/own_hooks.rs"]
mod own_hooks;
#[path = "derive/registers.rs"]
mod registers;
#[path = "derive/shadowed_names.rs"]
mod shadowed_names;
#[path = "derive/shape.rs"]
mod shape;
#[path = "derive/to_wire.rs"]
mod to_wire;

use library::{book, shelf};
use sea_orm::prelude::DateTimeUtc;
use sync_core::Millis;

fn at(millis: i64) -> DateTimeUtc {
    Millis(millis).to_utc()
}

fn a_book() -> book::Model {
    book::Model {
        id: 7,
        shelf_id: 3,
        sequel_id: Some(8),
        publisher_id: Some(5),
        r#type: "novel".to_owned(),
        isbn: None,
        page: Some(12),
        times_read: 2,
        finished_at: None,
        bought_at: Some(at(1_000)),
        notes: Some("good".to_owned()),
        weight: Some(0.5),
        file: Some("/home/me/book.epub".to_owned()),
        open: true,
        remote_id: Some("b-7".to_owned()),
        dirty: true,
        updated_at: at(2_000),
        deleted_at: None,
    }
}

fn a_shelf() -> shelf::Model {
    shelf::Model {
        id: 3,
        account: 42,
        name: "Kitchen".to_owned(),
        is_default: Some(true),
        remote_id: "s-3".to_owned(),
        dirty: None,
        updated_at: None,
        deleted_at: Some(at(9_000)),
    }
}
