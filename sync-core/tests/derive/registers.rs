//! Wire rows register by register: what the merge is made of.

use serde_json::{Value, from_value, json, to_value};
use sync_core::{Syncable, WireRow};

use crate::library::book;

fn row(json: Value) -> book::Wire {
    from_value(json).unwrap()
}

fn register(name: &str) -> usize {
    book::Entity::SHAPE.register(name).unwrap()
}

fn combined(name: &str, current: Value, incoming: Value) -> Value {
    let mut current = row(json!({name: current}));
    current.combine(register(name), &row(json!({name: incoming})));
    current.column(name).unwrap()
}

#[test]
fn a_group_is_there_only_as_a_whole() {
    let progress = register("progress");
    assert!(row(json!({"page": 1, "finished_at": null})).has(progress));
    assert!(!row(json!({"page": 1})).has(progress));
    assert!(!row(json!({})).has(progress));
    assert!(!row(json!({})).has(99), "no such register");
}

#[test]
fn a_group_is_the_same_only_as_a_whole() {
    let (progress, weight) = (register("progress"), register("weight"));
    let one = row(json!({"page": 1, "finished_at": null, "weight": 1.0}));
    let other = row(json!({"page": 1, "finished_at": "2026-01-02T03:04:05Z", "weight": 1.0}));
    assert!(!one.same(progress, &other));
    assert!(one.same(weight, &other));
    assert!(
        !one.same(weight, &row(json!({"weight": null}))),
        "a value is not NULL"
    );
    assert!(
        !row(json!({})).same(weight, &row(json!({"weight": null}))),
        "NULL is not absent"
    );
}

#[test]
fn a_register_is_taken_with_its_present_columns() {
    let mut current = row(json!({"page": 1, "finished_at": null, "weight": 1.0}));
    current.take(
        register("progress"),
        &row(json!({"page": 2, "weight": 2.0})),
    );
    assert_eq!(
        to_value(&current).unwrap(),
        json!({"page": 2, "finished_at": null, "weight": 1.0})
    );
}

#[test]
fn registers_merge_by_their_rules() {
    assert_eq!(combined("times_read", json!(2), json!(3)), json!(3));
    assert_eq!(combined("times_read", json!(3), json!(2)), json!(3));
    let (early, late) = (
        json!("2026-01-01T00:00:00.000Z"),
        json!("2026-01-02T00:00:00.000Z"),
    );
    assert_eq!(combined("bought_at", late.clone(), early.clone()), early);
    assert_eq!(combined("bought_at", Value::Null, late.clone()), late);
    assert_eq!(
        combined("notes", json!("good"), json!("very good")),
        json!("very good")
    );
    assert_eq!(combined("notes", json!("good"), Value::Null), json!("good"));
    assert_eq!(
        combined("type", json!("novel"), json!("essay")),
        json!("novel"),
        "latest is not by value"
    );
}

#[test]
fn the_canonical_text_lists_the_columns_of_the_register() {
    let row = row(
        json!({"page": 12, "finished_at": "2026-01-02T04:04:05.6789+01:00", "type": "a \"b\""}),
    );
    assert_eq!(
        row.canonical(register("progress")),
        r#"[12,"2026-01-02T03:04:05.678Z"]"#
    );
    assert_eq!(row.canonical(register("type")), r#"["a \"b\""]"#);
    assert_eq!(row.canonical(register("isbnCode")), "[null]");
}
