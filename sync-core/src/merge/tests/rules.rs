//! What each rule makes of two edits, one line a case.

use super::row::{BITS, DELETED, FIRST, LAST, NAME, PROGRESS, Replica, Row, SHAPE};
use crate::{
    clocks::Stamp,
    merge::merge,
    wire::{Field, WireRow},
};

/// Register, mine, theirs, what stays; a value with the time of its edit.
type Case = (
    usize,
    (Option<i64>, i64),
    (Option<i64>, i64),
    (Option<i64>, i64),
);

const CASES: [Case; 20] = [
    // The later edit.
    (NAME, (Some(1), 5), (Some(2), 6), (Some(2), 6)),
    (NAME, (Some(1), 6), (Some(2), 5), (Some(1), 6)),
    // Emptied later is an edit like any other; NULL is a value.
    (NAME, (Some(1), 5), (None, 6), (None, 6)),
    (NAME, (None, 6), (Some(1), 5), (None, 6)),
    // At one time the greater value, whoever has it.
    (NAME, (Some(1), 5), (Some(2), 5), (Some(2), 5)),
    (NAME, (Some(2), 5), (Some(1), 5), (Some(2), 5)),
    // An equal value with a later time moves the time, and nothing else.
    (NAME, (Some(1), 5), (Some(1), 9), (Some(1), 9)),
    (NAME, (Some(1), 9), (Some(1), 5), (Some(1), 9)),
    // A group is one value.
    (PROGRESS, (Some(1), 5), (Some(2), 6), (Some(2), 6)),
    (PROGRESS, (Some(9), 6), (Some(2), 5), (Some(9), 6)),
    // The least and the greatest, whenever they were written; NULL is neither.
    (FIRST, (Some(3), 9), (Some(2), 5), (Some(2), 9)),
    (FIRST, (None, 9), (Some(2), 5), (Some(2), 9)),
    (FIRST, (Some(2), 5), (None, 9), (Some(2), 9)),
    (LAST, (Some(3), 5), (Some(2), 9), (Some(3), 9)),
    // An entity's own function.
    (BITS, (Some(5), 1), (Some(2), 2), (Some(7), 2)),
    (BITS, (Some(5), 2), (None, 1), (Some(5), 2)),
    // Deleted, undeleted, deleted twice: the last word counts.
    (DELETED, (None, 1), (Some(100), 2), (Some(100), 2)),
    (DELETED, (Some(100), 2), (None, 3), (None, 3)),
    (DELETED, (None, 3), (Some(100), 2), (None, 3)),
    (DELETED, (Some(100), 2), (Some(90), 3), (Some(90), 3)),
];

#[test]
fn each_rule_does_what_it_says() {
    for (number, mine, theirs, expected) in CASES {
        let mine = Replica::edited(number, mine.0, mine.1, 1);
        let theirs = Replica::edited(number, theirs.0, theirs.1, 2);
        let expected = Replica::edited(number, expected.0, expected.1, 0);
        assert_eq!(
            mine.meets(&theirs).holds(),
            expected.holds(),
            "{mine:?} {theirs:?}"
        );
    }
}

/// A text is JSON with its quotation marks, so that the order of ties is that of the bytes on every replica.
#[test]
fn a_tie_is_decided_by_the_canonical_text() {
    let (nine, ten) = (
        Replica::edited(NAME, Some(9), 5, 1),
        Replica::edited(NAME, Some(10), 5, 2),
    );
    assert_eq!(
        nine.meets(&ten).holds(),
        nine.holds(),
        "as text, 9 is beyond 10"
    );
    assert_eq!(ten.meets(&nine).holds(), nine.holds());
}

#[test]
fn a_delete_and_an_edit_are_both_there() {
    let mut edited = Replica::edited(NAME, Some(7), 5, 1);
    let deleted = Replica::edited(DELETED, Some(100), 6, 2);
    let expected = vec![
        ("7".to_owned(), 5),
        ("\"1970-01-01T00:00:00.100Z\"".to_owned(), 6),
    ];
    for met in [edited.meets(&deleted), deleted.meets(&edited)] {
        let holds = met.holds();
        assert_eq!(
            [holds[NAME].clone(), holds[DELETED].clone()].to_vec(),
            expected
        );
    }
    // Deleted and brought back before: the edit never was in doubt.
    edited.row.set(DELETED, None);
    edited.clocks.set("deleted_at", Stamp::new(9, 1, 9));
    assert_eq!(deleted.meets(&edited).row.deleted_at(), None);
}

/// A peer that leaves a column out says nothing about it, whatever it claims to have edited.
#[test]
fn a_register_that_is_not_there_whole_is_left_alone() {
    let mine = Replica::edited(PROGRESS, Some(3), 1, 1);
    let mut half = Row {
        position: Field::Present(Some(9)),
        ..Row::default()
    };
    for _ in 0..2 {
        let mut met = mine.clone();
        let edits = [
            (NAME, Stamp::new(9, 2, 9)),
            (PROGRESS, Stamp::new(9, 2, 9)),
            (77, Stamp::new(9, 2, 9)),
        ];
        let merged = merge(&SHAPE, &mut met.row, &mut met.clocks, &half, &edits);
        assert_eq!((met, merged), (mine.clone(), Default::default()));
        half = Row::default();
    }
}

/// Registers that are not said to have been edited are not looked at.
#[test]
fn what_was_not_edited_does_not_merge() {
    let mine = Replica::edited(NAME, Some(1), 1, 1);
    let mut theirs = Replica::edited(NAME, Some(2), 9, 2);
    theirs.row.set(LAST, Some(9));
    let mut met = mine.clone();
    let edits = [(LAST, Stamp::new(3, 2, 3))];
    merge(&SHAPE, &mut met.row, &mut met.clocks, &theirs.row, &edits);
    assert_eq!(met.row.name, Field::Present(Some(1)));
    assert_eq!(met.row.last, Field::Present(Some(9)));
}
