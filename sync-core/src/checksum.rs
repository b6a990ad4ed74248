//! Checksums by which two databases find the rows in which they differ, equal wherever values are equal.

use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{row_now::agreed, shape::Shape};

/// Ranges of names that a table is divided into.
pub(crate) const BUCKETS: usize = 256;

/// A row's checksum, or that of many rows added up: the order does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum(u128);

/// How many rows a range holds, and their checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) n_rows: u64,
    pub(crate) sum: Sum,
}

/// All ranges of a table.
#[derive(Clone, Debug)]
pub(crate) struct Buckets(Vec<Bucket>);

impl Sum {
    /// The checksum of a row in these columns.
    pub(crate) fn of(
        shape: &Shape,
        columns: &[String],
        remote_id: &str,
        row: &Map<String, Value>,
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update(remote_id);
        for column in columns {
            // Text in JSON holds no such bytes: nothing can look like another column.
            hash.update([0]);
            hash.update(column);
            hash.update([1]);
            hash.update(agreed(shape, column, row).to_string());
        }
        Self(first_bytes(&hash.finalize()))
    }

    fn add(&mut self, other: Self) {
        self.0 ^= other.0;
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Buckets {
    pub(crate) fn new() -> Self {
        Self(vec![Bucket::default(); BUCKETS])
    }

    pub(crate) fn add(&mut self, remote_id: &str, sum: Sum) {
        let bucket = &mut self.0[usize::from(bucket_of(remote_id))];
        bucket.n_rows += 1;
        bucket.sum.add(sum);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, Bucket)> {
        (0..=u8::MAX).zip(self.0.iter().copied())
    }
}

/// The range a name is in: names that are made one after the other are far apart here.
pub(crate) fn bucket_of(remote_id: &str) -> u8 {
    Sha256::digest(remote_id)[0]
}

fn first_bytes(hash: &[u8]) -> u128 {
    hash.iter()
        .take(16)
        .fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHAPE: Shape = Shape {
        table: "t",
        id: "id",
        owner: None,
        registers: &[],
        natural_keys: &[],
        alike: &[],
        references: &[],
        lookups: &[crate::shape::Lookup {
            column: "c",
            key: "url",
        }],
        exclusive: &[],
        local: &[],
    };

    fn sum(name: &str, row: Value) -> Sum {
        let columns = ["a", "b", "c"].map(str::to_owned);
        let Value::Object(row) = row else {
            panic!("no row")
        };
        Sum::of(&SHAPE, &columns, name, &row)
    }

    #[test]
    fn equal_rows_have_equal_sums_and_others_have_not() {
        let row = || json!({"a": "x", "b": 1, "more": 1});
        assert_eq!(sum("n", row()), sum("n", json!({"b": 1, "a": "x"})));
        for other in [
            json!({"a": "x", "b": 2}),
            json!({"a": "x", "b": "1"}),
            json!({"a": "x"}),
            json!({"b": "x", "a": 1}),
        ] {
            assert_ne!(sum("n", row()), sum("n", other));
        }
        assert_ne!(sum("n", row()), sum("m", row()));
    }

    #[test]
    fn of_a_looked_up_row_only_its_key_counts() {
        let one = json!({"c": {"url": "u", "name": "One"}});
        let other = json!({"c": {"url": "u", "name": "Other"}});
        assert_eq!(sum("n", one.clone()), sum("n", other));
        assert_ne!(sum("n", one), sum("n", json!({"c": {"url": "v"}})));
    }

    #[test]
    fn two_rows_that_traded_values_do_not_look_the_same() {
        let both = |one: i64, other: i64| {
            let mut buckets = Buckets::new();
            // Names of one range.
            let names: Vec<String> = (0..2_000)
                .map(|n| n.to_string())
                .filter(|name| bucket_of(name) == 7)
                .take(2)
                .collect();
            buckets.add(&names[0], sum(&names[0], json!({"a": one})));
            buckets.add(&names[1], sum(&names[1], json!({"a": other})));
            let found = buckets.iter().find(|(number, _)| *number == 7);
            found.expect("256 ranges").1
        };
        assert_ne!(both(1, 2), both(2, 1));
        assert_eq!(both(1, 2), both(1, 2));
        assert_eq!(both(1, 2).n_rows, 2);
    }
}
