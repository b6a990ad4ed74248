//! Rows that come in.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::{NotSet, Set, Unchanged},
    IntoActiveModel,
};
use serde_json::{Value, from_value, json};
use sync_core::{FieldError, FieldErrorCode, Syncable, refs::LocalIds};

use crate::{
    a_book, at,
    library::{book, shelf},
};

fn ids() -> LocalIds {
    let too_big = i64::from(i32::MAX) + 1;
    LocalIds {
        references: vec![
            HashMap::from([("s-3".to_owned(), 3), ("s-huge".to_owned(), too_big)]),
            HashMap::from([("b-8".to_owned(), 8)]),
        ],
        lookups: vec![HashMap::from([("example.org".to_owned(), 5)])],
    }
}

fn read(wire: Value, active: &mut book::ActiveModel) -> Result<(), (&'static str, FieldErrorCode)> {
    let wire = from_value(wire).unwrap();
    book::Entity::from_wire(wire, &ids(), active)
        .map_err(|FieldError { column, code }| (column, code))
}

fn error_of(wire: Value) -> Option<(&'static str, FieldErrorCode)> {
    read(wire, &mut book::ActiveModel::default()).err()
}

#[test]
fn present_columns_are_set_and_names_become_ids() {
    let mut active = book::ActiveModel::default();
    let wire = json!({
        "shelf_id": "s-3",
        "sequel_id": "b-8",
        "publisher_id": {"website": "example.org", "name": "Example"},
        "type": "novel",
        "isbnCode": null,
        "bought_at": "1970-01-01T01:00:01+01:00",
        "deleted_at": "1970-01-01T00:00:02Z",
    });
    read(wire, &mut active).unwrap();
    let links = (active.shelf_id, active.sequel_id, active.publisher_id);
    assert_eq!(links, (Set(3), Set(Some(8)), Set(Some(5))));
    assert_eq!(
        (active.r#type, active.isbn),
        (Set("novel".to_owned()), Set(None))
    );
    assert_eq!(
        (active.bought_at, active.deleted_at),
        (Set(Some(at(1_000))), Set(Some(at(2_000))))
    );
    assert_eq!(
        (active.id, active.remote_id, active.file),
        (NotSet, NotSet, NotSet)
    );
    assert_eq!(
        (active.page, active.notes),
        (NotSet, NotSet),
        "absent from the wire"
    );
}

#[test]
fn in_a_row_that_is_there_absent_columns_stay() {
    let mut active = a_book().into_active_model();
    read(json!({"type": "essay"}), &mut active).unwrap();
    assert_eq!(
        (active.r#type, active.shelf_id),
        (Set("essay".to_owned()), Unchanged(3))
    );
    assert_eq!(active.notes, Unchanged(Some("good".to_owned())));
}

#[test]
fn a_required_foreign_key_has_to_be_there() {
    let required = Some(("shelf_id", FieldErrorCode::Required));
    assert_eq!(error_of(json!({"shelf_id": null})), required);
    assert_eq!(
        error_of(json!({"type": "novel"})),
        required,
        "a new row without it"
    );
    assert_eq!(
        error_of(json!({"shelf_id": "s-3", "sequel_id": null})),
        None
    );
}

#[test]
fn a_name_that_nobody_here_has_is_an_unknown_reference() {
    let unknown = |column| Some((column, FieldErrorCode::UnknownReference));
    assert_eq!(error_of(json!({"shelf_id": "s-4"})), unknown("shelf_id"));
    assert_eq!(
        error_of(json!({"shelf_id": "s-3", "sequel_id": "s-3"})),
        unknown("sequel_id"),
        "of another table"
    );
    let nowhere = json!({"shelf_id": "s-3", "publisher_id": {"website": "nowhere.example"}});
    assert_eq!(error_of(nowhere), unknown("publisher_id"));
    assert_eq!(
        error_of(json!({"shelf_id": "s-3", "publisher_id": {"name": "keyless"}})),
        unknown("publisher_id")
    );
}

#[test]
fn what_the_columns_type_cannot_hold_is_out_of_range() {
    assert_eq!(
        error_of(json!({"shelf_id": "s-huge"})),
        Some(("shelf_id", FieldErrorCode::OutOfRange))
    );
    let infinite = shelf_or_book_with_weight(f64::INFINITY);
    assert_eq!(
        infinite,
        Err(FieldError {
            column: "weight",
            code: FieldErrorCode::OutOfRange
        })
    );
    assert_eq!(shelf_or_book_with_weight(1.5), Ok(()));
}

fn shelf_or_book_with_weight(weight: f64) -> Result<(), FieldError> {
    let wire = book::Wire {
        weight: sync_core::Field::Present(Some(weight)),
        ..book::Wire::default()
    };
    book::Entity::from_wire(wire, &ids(), &mut a_book().into_active_model())
}

#[test]
fn a_root_row_needs_no_names() {
    let mut active = shelf::ActiveModel::default();
    let wire = from_value(json!({"name": "Kitchen", "is_default": true})).unwrap();
    shelf::Entity::from_wire(wire, &LocalIds::default(), &mut active).unwrap();
    assert_eq!(
        (active.name, active.is_default),
        (Set("Kitchen".to_owned()), Set(Some(true)))
    );
    assert_eq!(active.account, NotSet, "the owner never travels");
}
