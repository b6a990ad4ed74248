//! Commutative, associative, idempotent: all pairs and triples of a few values and times, and random rows.

use proptest::prelude::*;

use super::row::{BITS, DELETED, FIRST, LAST, NAME, PROGRESS, Replica};

const REGISTERS: [usize; 6] = [NAME, PROGRESS, FIRST, LAST, BITS, DELETED];

/// Three values, of which one is none, at three times: for `deleted_at` live and deleted at two times.
fn small(number: usize) -> Vec<Replica> {
    let mut all = Vec::new();
    for value in [None, Some(1), Some(2)] {
        for at in [1, 2, 3] {
            all.push(Replica::edited(number, value, at, at % 2));
        }
    }
    all
}

fn check_two(a: &Replica, b: &Replica) {
    assert_eq!(a.meets(a).holds(), a.holds(), "idempotent: {a:?}");
    assert_eq!(
        a.meets(b).holds(),
        b.meets(a).holds(),
        "commutative: {a:?} {b:?}"
    );
    assert_eq!(
        a.meets(b).meets(b).holds(),
        a.meets(b).holds(),
        "a repetition shows: {a:?} {b:?}"
    );
    assert_eq!(
        a.meets(b).meets(a).holds(),
        a.meets(b).holds(),
        "what was merged in comes again: {a:?} {b:?}"
    );
}

fn check_three(a: &Replica, b: &Replica, c: &Replica) {
    assert_eq!(
        a.meets(b).meets(c).holds(),
        a.meets(&b.meets(c)).holds(),
        "associative: {a:?} {b:?} {c:?}"
    );
}

#[test]
fn all_pairs_and_triples_of_small_registers_obey_the_laws() {
    for number in REGISTERS {
        let all = small(number);
        for a in &all {
            for b in &all {
                check_two(a, b);
                all.iter().for_each(|c| check_three(a, b, c));
            }
        }
    }
}

/// Whatever a merge says it left alone, it has left alone; and the other way round.
#[test]
fn what_a_merge_says_of_itself_is_true() {
    for number in REGISTERS {
        let all = small(number);
        for (a, b) in all.iter().flat_map(|a| all.iter().map(move |b| (a, b))) {
            let (met, merged) = a.hears(b);
            let (before, after, theirs) = (a.holds(), met.holds(), b.holds());
            let is_other = before[number].0 != after[number].0;
            assert_eq!(merged.changed.contains(&number), is_other, "{a:?} {b:?}");
            let is_theirs = after[number].0 == theirs[number].0;
            assert_eq!(merged.beaten.contains(&number), !is_theirs, "{a:?} {b:?}");
            let moved = before.iter().zip(&after).any(|(a, b)| a.1 != b.1);
            assert!(merged.restamped || !moved, "{a:?} {b:?}");
        }
    }
}

/// Any values at any of a few times, so that ties are common.
fn replica() -> impl Strategy<Value = Replica> {
    let edit = (proptest::option::of(-2i64..8), 0i64..4, 0i64..3);
    proptest::array::uniform6(edit).prop_map(|edits| {
        let mut replica = Replica::edited(NAME, None, 0, 0);
        for (number, (value, at, device)) in REGISTERS.into_iter().zip(edits) {
            let one = Replica::edited(number, value, at, device);
            replica.row.set(number, value);
            let name = super::row::SHAPE.registers[number].name;
            replica.clocks.set(name, one.clocks.get(name));
        }
        replica
    })
}

proptest! {
    #[test]
    fn whole_rows_obey_the_laws(a in replica(), b in replica(), c in replica()) {
        check_two(&a, &b);
        check_three(&a, &b, &c);
    }

    /// Edits of one register after another, in any order, some of them twice.
    #[test]
    fn any_order_and_any_repetition_end_alike(
        replicas in proptest::collection::vec(replica(), 1..6),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let forwards = replicas.iter().skip(1).fold(replicas[0].clone(), |met, one| met.meets(one));
        let start = replicas[order.first().map_or(0, |index| index.index(replicas.len()))].clone();
        let jumbled = order.iter().fold(start, |met, index| met.meets(index.get(&replicas)));
        let jumbled = replicas.iter().rev().fold(jumbled, |met, one| met.meets(one));
        prop_assert_eq!(jumbled.holds(), forwards.holds());
    }

    /// A replica that has only heard knows no more than those it heard of: nothing is made up.
    #[test]
    fn a_merged_latest_value_is_one_of_both(a in replica(), b in replica()) {
        let met = a.meets(&b).holds();
        for number in [NAME, PROGRESS, DELETED] {
            let pair = &met[number];
            prop_assert!(*pair == a.holds()[number] || *pair == b.holds()[number]);
        }
    }
}
