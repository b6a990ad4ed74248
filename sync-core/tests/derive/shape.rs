//! What the engines are told of a table.

use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Iterable};
use sync_core::{Exclusive, Lookup, Reference, Rule, Shape, Syncable};

use crate::{
    compact_model,
    library::{book, shelf},
    own_hooks, shadowed_names,
};

const BOOKS: Shape = <book::Entity as Syncable>::SHAPE;
const SHELVES: Shape = <shelf::Entity as Syncable>::SHAPE;

#[test]
fn registers_stand_in_declaration_order_a_group_at_its_first_field_and_deletion_last() {
    let registers: Vec<_> = BOOKS
        .registers
        .iter()
        .map(|r| (r.name, r.columns, r.rule))
        .collect();
    let expected: [(&str, &[&str], Rule); 11] = [
        ("shelf_id", &["shelf_id"], Rule::Latest),
        ("sequel_id", &["sequel_id"], Rule::Latest),
        ("publisher_id", &["publisher_id"], Rule::Latest),
        ("type", &["type"], Rule::Latest),
        ("isbnCode", &["isbnCode"], Rule::Latest),
        ("progress", &["page", "finished_at"], Rule::Latest),
        ("times_read", &["times_read"], Rule::ByValue),
        ("bought_at", &["bought_at"], Rule::ByValue),
        ("notes", &["notes"], Rule::ByValue),
        ("weight", &["weight"], Rule::Latest),
        ("deleted_at", &["deleted_at"], Rule::Latest),
    ];
    assert_eq!(registers, expected);
    assert_eq!(BOOKS.deleted_register(), 10);
}

#[test]
fn every_attribute_arrives() {
    assert_eq!((BOOKS.table, BOOKS.id, BOOKS.owner), ("books", "id", None));
    assert_eq!(BOOKS.natural_keys, [["shelf_id", "type", "isbnCode"]]);
    let parent = Reference {
        column: "shelf_id",
        parent: true,
        nullable: false,
    };
    let reference = Reference {
        column: "sequel_id",
        parent: false,
        nullable: true,
    };
    assert_eq!(BOOKS.references, [parent, reference]);
    assert_eq!(
        BOOKS.lookups,
        [Lookup {
            column: "publisher_id",
            key: "website"
        }]
    );
    assert_eq!(BOOKS.local, ["file"]);
    assert_eq!((SHELVES.table, SHELVES.owner), ("shelves", Some("account")));
    assert_eq!(
        SHELVES.exclusive,
        [Exclusive {
            flag: "is_default",
            per: "account"
        }]
    );
    assert!(SHELVES.columns().eq(["name", "is_default", "deleted_at"]));
}

#[test]
fn columns_are_named_as_seaorm_names_them() {
    check_columns::<book::Entity>();
    check_columns::<shelf::Entity>();
    check_columns::<compact_model::Entity>();
    check_columns::<own_hooks::Entity>();
    check_columns::<shadowed_names::Entity>();
}

fn check_columns<E: Syncable + EntityTrait>() {
    let named = |name: &str| E::Column::iter().find(|column| column.as_str() == name);
    let shape = E::SHAPE;
    let roles = shape.local.iter().chain(&shape.owner).copied();
    for column in shape.columns().chain(roles).chain([shape.id]) {
        assert!(named(column).is_some(), "{}.{column}", shape.table);
    }
    for reference in shape.references {
        assert_eq!(
            named(reference.column).map(|column| column.def().is_null()),
            Some(reference.nullable)
        );
    }
}

#[test]
fn lookups_come_in_the_order_of_the_shape() {
    assert_eq!(book::Entity::lookups().len(), BOOKS.lookups.len());
    assert!(shelf::Entity::lookups().is_empty());
}
