//! Rows of a table that refers to itself, such as folders in folders: a page may hold a child before its
//! parent.

use std::collections::HashSet;

use crate::{protocol::PullRow, syncable::Syncable, table::Table, wire::WireRow};

impl<E: Syncable> Table<E> {
    /// The rows in groups, each to be written before the next. A table that does not refer to itself has one.
    pub(super) fn generations(&self, rows: Vec<PullRow<E::Wire>>) -> Vec<Vec<PullRow<E::Wire>>> {
        let own: Vec<usize> = (0..self.targets.len())
            .filter(|&number| self.targets[number].table == E::SHAPE.table)
            .collect();
        if own.is_empty() {
            return vec![rows];
        }
        let parents = |row: &PullRow<E::Wire>| -> Vec<String> {
            let name = |&number: &usize| row.row.reference(number).as_ref()?.clone();
            own.iter().filter_map(name).collect()
        };
        generations(rows, |row| row.remote_id.clone(), parents)
    }
}

/// Parents before children. Rows in a circle, which no sane program makes, come last and together.
fn generations<R>(
    mut rows: Vec<R>,
    name: impl Fn(&R) -> String,
    parents: impl Fn(&R) -> Vec<String>,
) -> Vec<Vec<R>> {
    let mut generations = Vec::new();
    while !rows.is_empty() {
        let waiting: HashSet<String> = rows.iter().map(&name).collect();
        let ready = |row: &R| parents(row).iter().all(|parent| !waiting.contains(parent));
        let (next, rest): (Vec<R>, Vec<R>) = rows.into_iter().partition(ready);
        if next.is_empty() {
            generations.push(rest);
            break;
        }
        generations.push(next);
        rows = rest;
    }
    generations
}

#[cfg(test)]
mod tests {
    use super::generations;

    #[test]
    fn parents_come_before_children_and_circles_end() {
        let groups = |rows: &[(&str, Option<&str>)]| {
            let name = |row: &(&str, Option<&str>)| row.0.to_owned();
            let parents =
                |row: &(&str, Option<&str>)| row.1.map(str::to_owned).into_iter().collect();
            let groups = generations(rows.to_vec(), name, parents);
            let names = |group: Vec<(&str, _)>| group.iter().map(|row| row.0).collect::<String>();
            groups.into_iter().map(names).collect::<Vec<_>>()
        };
        assert_eq!(groups(&[]), Vec::<String>::new());
        assert_eq!(groups(&[("a", None), ("b", Some("elsewhere"))]), ["ab"]);
        assert_eq!(
            groups(&[("c", Some("b")), ("b", Some("a")), ("a", None)]),
            ["a", "b", "c"]
        );
        assert_eq!(
            groups(&[("x", None), ("a", Some("b")), ("b", Some("a"))]),
            ["x", "ab"]
        );
        assert_eq!(groups(&[("a", Some("a"))]), ["a"]);
    }
}
