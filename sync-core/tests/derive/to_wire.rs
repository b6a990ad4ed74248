//! Rows that go out, and their JSON.

use std::collections::HashMap;

use serde_json::{Value, from_value, json, to_value};
use sync_core::{Field, LookupRow, Millis, Syncable, WireRow, refs::RemoteNames};

use crate::{a_book, library::book};

fn names() -> RemoteNames {
    let publisher = LookupRow::from([("website".to_owned(), json!("example.org"))]);
    RemoteNames {
        references: vec![
            HashMap::from([(3, "s-3".to_owned())]),
            HashMap::from([(8, "b-8".to_owned())]),
        ],
        lookups: vec![HashMap::from([(5, publisher)])],
    }
}

#[test]
fn a_row_travels_with_names_in_place_of_ids_and_without_what_is_kept_or_local() {
    let wire = book::Entity::to_wire(a_book(), &names());
    let expected = json!({
        "shelf_id": "s-3",
        "sequel_id": "b-8",
        "publisher_id": {"website": "example.org"},
        "type": "novel",
        "isbnCode": null,
        "page": 12,
        "finished_at": null,
        "times_read": 2,
        "bought_at": "1970-01-01T00:00:01.000Z",
        "notes": "good",
        "weight": 0.5,
        "deleted_at": null,
    });
    assert_eq!(to_value(&wire).unwrap(), expected);
    assert_eq!(from_value::<book::Wire>(expected).unwrap(), wire);
}

#[test]
fn a_foreign_key_is_null_only_if_it_is_null() {
    let none = book::Model {
        sequel_id: None,
        publisher_id: None,
        ..a_book()
    };
    let wire = book::Entity::to_wire(none, &names());
    assert_eq!(
        (wire.sequel_id, wire.publisher_id),
        (Field::Present(None), Field::Present(None))
    );

    let unnamed = book::Entity::to_wire(a_book(), &RemoteNames::default());
    assert_eq!(
        (unnamed.sequel_id, unnamed.publisher_id),
        (Field::Absent, Field::Absent)
    );
}

#[test]
fn absent_is_not_null() {
    let absent: book::Wire = from_value(json!({})).unwrap();
    let null: book::Wire = from_value(json!({"isbnCode": null, "sequel_id": null})).unwrap();
    assert_eq!(absent, book::Wire::default());
    assert_eq!(
        (&null.isbn, &null.sequel_id),
        (&Field::Present(None), &Field::Present(None))
    );
    assert_eq!(to_value(&absent).unwrap(), json!({}));
    assert_eq!(
        to_value(&null).unwrap(),
        json!({"isbnCode": null, "sequel_id": null})
    );
}

#[test]
fn a_newer_peers_column_is_passed_over_and_a_wrong_value_is_not() {
    let newer = json!({"type": "novel", "colour": "red"});
    assert_eq!(
        from_value::<book::Wire>(newer).unwrap().r#type,
        Field::Present("novel".to_owned())
    );
    for wrong in [
        json!({"type": 1}),
        json!({"type": null}),
        json!({"times_read": null}),
        json!({"shelf_id": 3}),
    ] {
        assert!(from_value::<book::Wire>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn columns_can_be_read_and_replaced_by_name() {
    let mut wire = book::Wire::default();
    assert_eq!(wire.column("type"), None);
    assert!(wire.set_column("type", json!("essay")));
    assert_eq!(wire.column("type"), Some(json!("essay")));
    assert!(wire.set_column("isbnCode", Value::Null));
    assert_eq!(wire.column("isbnCode"), Some(Value::Null));
    assert!(!wire.set_column("type", json!(1)), "does not fit");
    assert_eq!(
        wire.column("type"),
        Some(json!("essay")),
        "what does not fit changes nothing"
    );
    for unknown in ["isbn", "file", "remote_id", "id", "open"] {
        assert_eq!(
            (wire.column(unknown), wire.set_column(unknown, Value::Null)),
            (None, false),
            "{unknown}"
        );
    }
}

#[test]
fn links_and_deletion_can_be_reached() {
    let mut wire = book::Entity::to_wire(a_book(), &names());
    assert_eq!(wire.reference(1), &Field::Present(Some("b-8".to_owned())));
    *wire.reference_mut(1) = Field::Present(None);
    assert_eq!(wire.sequel_id, Field::Present(None));
    assert_eq!(wire.reference(2), &Field::Absent);
    assert!(wire.lookup(0).as_ref().is_some_and(Option::is_some));
    assert_eq!(wire.lookup(1), &Field::Absent);
    assert_eq!(wire.deleted_at(), None);
    wire.set_deleted_at(Some(Millis(4)));
    assert_eq!(
        (wire.deleted_at(), wire.deleted_at),
        (Some(Millis(4)), Field::Present(Some(Millis(4))))
    );
}
