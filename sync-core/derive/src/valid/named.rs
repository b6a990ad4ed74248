//! Attributes on the struct, which name columns.

use crate::{
    ast::{Column, Input, Kind},
    attr::Name,
    ctxt::Ctxt,
};

pub(super) fn natural_keys(cx: &mut Ctxt, input: &Input) {
    let mut keys: Vec<Vec<&str>> = Vec::new();
    for key in &input.attrs.natural_keys {
        let mut names: Vec<&str> = Vec::new();
        for name in &key.columns {
            let Some(column) = synced(cx, input, name, "a natural key") else {
                continue;
            };
            if names.contains(&column.name.as_str()) {
                cx.error(
                    &name.at,
                    format_args!("`{}` is in this natural key already", name.text),
                );
            }
            names.push(&column.name);
        }
        names.sort_unstable();
        if !names.is_empty() && keys.contains(&names) {
            cx.error(&key.at, "the same natural key stands here twice");
        }
        keys.push(names);
    }
}

/// Rows equal in them may be two things all the same, so any synced column will do.
pub(super) fn alike(cx: &mut Ctxt, input: &Input) {
    for name in input.attrs.alike.iter().flat_map(|alike| &alike.columns) {
        synced(cx, input, name, "what makes rows alike");
    }
}

pub(super) fn exclusive(cx: &mut Ctxt, input: &Input) {
    for exclusive in &input.attrs.exclusive {
        let flag = synced(cx, input, &exclusive.flag, "an exclusive flag");
        let per = synced(cx, input, &exclusive.per, "the scope of an exclusive flag");
        let (Some(flag), Some(per)) = (flag, per) else {
            continue;
        };
        if flag.is_owner() || flag.link().is_some() {
            cx.error(&exclusive.flag.at, "the flag has to be a plain column");
        } else if flag.name == per.name {
            cx.error(&exclusive.per.at, "the flag cannot be its own scope");
        }
    }
}

/// The column that an attribute names, if all replicas have it.
fn synced<'a>(cx: &mut Ctxt, input: &'a Input, name: &Name, what: &str) -> Option<&'a Column> {
    let Some(column) = input.named(&name.text) else {
        let known: Vec<_> = input
            .columns
            .iter()
            .filter(|c| shared(c))
            .map(|c| format!("`{}`", c.name))
            .collect();
        cx.error(
            &name.at,
            format_args!("no column `{}`; there are {}", name.text, known.join(", ")),
        );
        return None;
    };
    if column.is_local() {
        cx.error(
            &name.at,
            format_args!(
                "`{}` is local: {what} has to be known to every device",
                name.text
            ),
        );
        return None;
    }
    if column.kind != Kind::Data {
        cx.error(
            &name.at,
            format_args!(
                "`{}` is kept by sync itself and cannot be {what}",
                name.text
            ),
        );
        return None;
    }
    Some(column)
}

fn shared(column: &Column) -> bool {
    column.kind == Kind::Data && !column.is_local()
}
