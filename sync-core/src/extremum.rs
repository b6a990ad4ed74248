//! Registers that merge by their values alone: the least, the greatest, or an entity's own function.
//!
//! Replicas agree whatever the order and however often values meet, because each of these is
//! commutative, associative and idempotent. A column that is absent on one side takes the other's.

use std::cmp::Ordering;

use chrono::NaiveDate;

use crate::wire::{Field, Millis, WireValue};

/// Leaves the lesser of both values in `field`; NULL gives way to any value.
pub fn least<T: Extremum>(field: &mut Field<T>, other: &Field<T>) {
    extreme(field, other, Ordering::Less);
}

/// Leaves the greater of both values in `field`; NULL gives way to any value.
pub fn greatest<T: Extremum>(field: &mut Field<T>, other: &Field<T>) {
    extreme(field, other, Ordering::Greater);
}

/// Leaves in `field` what `function` makes of both values; if one of them is none of the column's
/// type, `field` stays as it is.
pub fn by_function<T: WireValue>(
    field: &mut Field<T::Wire>,
    other: &Field<T::Wire>,
    function: fn(&T, &T) -> T,
) {
    let Some(theirs) = other.as_ref() else { return };
    let merged = match field.as_ref() {
        None => theirs.clone(),
        Some(ours) => match (T::from_wire(ours.clone()), T::from_wire(theirs.clone())) {
            (Some(ours), Some(theirs)) => function(&ours, &theirs).into_wire(),
            _ => return,
        },
    };
    *field = Field::Present(merged);
}

fn extreme<T: Extremum>(field: &mut Field<T>, other: &Field<T>, wanted: Ordering) {
    let Some(theirs) = other.as_ref() else { return };
    let replace = match field.as_ref() {
        None => true,
        Some(ours) => theirs.is_beyond(ours, wanted),
    };
    if replace {
        *field = Field::Present(theirs.clone());
    }
}

/// Wire values that have a least and a greatest.
#[diagnostic::on_unimplemented(
    message = "columns that travel as `{Self}` have no least and no greatest value",
    label = "`merge = \"min\"` and `merge = \"max\"` need numbers, text, booleans or times"
)]
pub trait Extremum: Clone {
    /// Whether `self` lies from `other` in the direction `wanted`.
    fn is_beyond(&self, other: &Self, wanted: Ordering) -> bool;
}

macro_rules! ordered {
    ($($type:ty),*) => {$(
        impl Extremum for $type {
            fn is_beyond(&self, other: &Self, wanted: Ordering) -> bool { self.cmp(other) == wanted }
        }
    )*};
}
ordered!(
    bool, i8, i16, i32, i64, u8, u16, u32, String, Millis, NaiveDate
);

macro_rules! ordered_floats {
    ($($type:ty),*) => {$(
        impl Extremum for $type {
            fn is_beyond(&self, other: &Self, wanted: Ordering) -> bool { self.total_cmp(other) == wanted }
        }
    )*};
}
ordered_floats!(f32, f64);

impl<T: Extremum> Extremum for Option<T> {
    fn is_beyond(&self, other: &Self, wanted: Ordering) -> bool {
        match (self, other) {
            (Some(ours), Some(theirs)) => ours.is_beyond(theirs, wanted),
            (ours, theirs) => ours.is_some() && theirs.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What stands in the column after both values have met.
    fn met<T: Clone>(
        one: &Field<T>,
        other: &Field<T>,
        merge: impl Fn(&mut Field<T>, &Field<T>),
    ) -> Field<T> {
        let mut field = one.clone();
        merge(&mut field, other);
        field
    }

    fn check_laws<T>(merge: impl Fn(&mut Field<T>, &Field<T>), [a, b, c]: [Field<T>; 3])
    where
        T: Clone + std::fmt::Debug + PartialEq,
    {
        let meet = |one: &Field<T>, other: &Field<T>| met(one, other, &merge);
        assert_eq!(meet(&a, &b), meet(&b, &a), "commutative");
        assert_eq!(
            meet(&meet(&a, &b), &c),
            meet(&a, &meet(&b, &c)),
            "associative"
        );
        assert_eq!(meet(&a, &a), a, "idempotent");
        assert_eq!(
            meet(&meet(&a, &b), &b),
            meet(&a, &b),
            "a repeated value changes nothing"
        );
    }

    fn field<T: Clone + std::fmt::Debug>(
        value: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = Field<T>> {
        prop_oneof![1 => Just(Field::Absent), 5 => value.prop_map(Field::Present)]
    }

    fn three<T: Clone + std::fmt::Debug>(
        value: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = [Field<T>; 3]> {
        proptest::array::uniform3(field(value))
    }

    fn longer(one: &Option<String>, other: &Option<String>) -> Option<String> {
        let key = |text: &Option<String>| (text.as_ref().map(String::len), text.clone());
        if key(one) >= key(other) {
            one.clone()
        } else {
            other.clone()
        }
    }

    proptest! {
        #[test]
        fn integers_obey_the_laws(values in three(proptest::option::of(-3i64..3))) {
            check_laws(least, values.clone());
            check_laws(greatest, values);
        }

        #[test]
        fn floats_obey_the_laws(values in three(prop_oneof![Just(0.0), Just(-0.0), any::<f64>()])) {
            // Compared by bits: two zeros are equal, and must settle on one all the same.
            let values = values.map(|field| match field {
                Field::Present(value) if value.is_nan() => Field::Present(Bits(1.0)),
                Field::Present(value) => Field::Present(Bits(value)),
                Field::Absent => Field::Absent,
            });
            check_laws(least, values.clone());
            check_laws(greatest, values);
        }

        #[test]
        fn text_obeys_the_laws(values in three(proptest::option::of("[aäb]{0,2}"))) {
            check_laws(least, values.clone());
            check_laws(greatest, values);
        }

        #[test]
        fn a_lawful_function_stays_lawful(values in three(proptest::option::of("[ab]{0,3}"))) {
            check_laws(|field, other| by_function::<Option<String>>(field, other, longer), values);
        }
    }

    #[derive(Clone, Debug)]
    struct Bits(f64);

    impl PartialEq for Bits {
        fn eq(&self, other: &Self) -> bool {
            self.0.to_bits() == other.0.to_bits()
        }
    }

    impl Extremum for Bits {
        fn is_beyond(&self, other: &Self, wanted: Ordering) -> bool {
            self.0.is_beyond(&other.0, wanted)
        }
    }

    #[test]
    fn null_gives_way_in_both_directions() {
        let (null, one) = (Field::Present(None), Field::Present(Some(1)));
        assert_eq!(met(&null, &one, least), one);
        assert_eq!(met(&one, &null, least), one);
        assert_eq!(met(&null, &one, greatest), one);
        assert_eq!(met(&one, &null, greatest), one);
        assert_eq!(met(&null, &Field::Absent, greatest), null);
    }

    #[test]
    fn each_finds_its_end() {
        let (early, late) = (Field::Present(Millis(1)), Field::Present(Millis(2)));
        assert_eq!(met(&late, &early, least), early);
        assert_eq!(met(&early, &late, greatest), late);
        assert_eq!(
            met(&Field::Present(false), &Field::Present(true), greatest),
            Field::Present(true)
        );
    }

    #[test]
    fn a_value_that_is_none_of_the_column_is_no_argument() {
        let (ours, theirs) = (
            Field::Present("AAEC".to_owned()),
            Field::Present("not base64!".to_owned()),
        );
        let merged = met(&ours, &theirs, |field, other| {
            by_function::<Vec<u8>>(field, other, |_, other| other.clone())
        });
        assert_eq!(merged, ours);
    }
}
