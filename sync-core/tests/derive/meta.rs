//! The kept columns, whichever of their types the entity has.

use sea_orm::ActiveValue::{NotSet, Set};
use sync_core::{Meta, Millis, Syncable};

use crate::{
    a_book, a_shelf, at,
    library::{book, shelf},
};

#[test]
fn kept_columns_are_read_from_either_type() {
    let (book, shelf) = (a_book(), a_shelf());
    let expected = Meta {
        id: 7,
        remote_id: Some("b-7"),
        dirty: true,
        updated_at: Some(Millis(2_000)),
        deleted_at: None,
    };
    assert_eq!(book::Entity::meta(&book), expected);
    let expected = Meta {
        id: 3,
        remote_id: Some("s-3"),
        dirty: false,
        updated_at: None,
        deleted_at: Some(Millis(9_000)),
    };
    assert_eq!(shelf::Entity::meta(&shelf), expected);
}

#[test]
fn kept_columns_are_written_to_either_type() {
    let mut book = book::ActiveModel::default();
    book::Entity::set_meta(&mut book, None, "b-1", Millis(5));
    assert_eq!(
        (book.id, book.remote_id),
        (NotSet, Set(Some("b-1".to_owned())))
    );
    assert_eq!((book.dirty, book.updated_at), (Set(false), Set(at(5))));

    let mut shelf = shelf::ActiveModel::default();
    shelf::Entity::set_meta(&mut shelf, Some(9), "s-1", Millis(5));
    assert_eq!((shelf.id, shelf.remote_id), (Set(9), Set("s-1".to_owned())));
    assert_eq!(
        (shelf.dirty, shelf.updated_at),
        (Set(Some(false)), Set(Some(at(5))))
    );
}

#[test]
fn of_an_edit_at_no_known_time_nothing_is_said_where_null_may_stand() {
    let mut book = book::ActiveModel::default();
    book::Entity::set_meta(&mut book, None, "b-1", Millis(0));
    assert_eq!(book.updated_at, Set(at(0)));
    let mut shelf = shelf::ActiveModel::default();
    shelf::Entity::set_meta(&mut shelf, None, "s-1", Millis(0));
    assert_eq!(shelf.updated_at, Set(None));
}

#[test]
fn the_owner_is_text_outside_and_the_columns_type_inside() {
    assert_eq!(shelf::Entity::owner(&a_shelf()).as_deref(), Some("42"));
    let mut shelf = shelf::ActiveModel::default();
    assert!(shelf::Entity::set_owner(&mut shelf, "43"));
    assert_eq!(shelf.account, Set(43));
    assert!(
        !shelf::Entity::set_owner(&mut shelf, "somebody"),
        "no number"
    );
    assert_eq!(shelf.account, Set(43));
}

#[test]
fn a_child_has_no_owner_of_its_own() {
    assert_eq!(book::Entity::owner(&a_book()), None);
    assert!(!book::Entity::set_owner(
        &mut book::ActiveModel::default(),
        "43"
    ));
}

#[test]
fn foreign_keys_are_found_by_their_number() {
    let book = a_book();
    assert_eq!(
        [0, 1, 2].map(|number| book::Entity::reference_id(&book, number)),
        [Some(3), Some(8), None]
    );
    assert_eq!(
        [0, 1].map(|number| book::Entity::lookup_id(&book, number)),
        [Some(5), None]
    );
}
