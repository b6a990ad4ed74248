//! Everything that can be wrong with an entity whose attributes are each well-formed.

mod named;

use std::collections::HashMap;

use syn::Ident;

use crate::{
    ast::{Column, Input, KEPT, Kind, within_option},
    attr::{Link, Merge},
    ctxt::Ctxt,
};

/// Reports every mistake; without one, a [`Table`](crate::table::Table) can be made.
pub(crate) fn check(cx: &mut Ctxt, input: &Input) {
    primary_key(cx, input);
    kept_columns(cx, input);
    for column in &input.columns {
        attributes_of(cx, column);
    }
    account(cx, input);
    register_names(cx, input);
    named::natural_keys(cx, input);
    named::alike(cx, input);
    named::exclusive(cx, input);
}

fn primary_key(cx: &mut Ctxt, input: &Input) {
    let mut keys = input
        .columns
        .iter()
        .filter(|column| column.kind == Kind::Key);
    if keys.next().is_none() {
        cx.error(
            &input.ident,
            "a synced table needs a primary key: mark its id `#[sea_orm(primary_key)]`",
        );
    }
    if let Some(second) = keys.next() {
        cx.error(
            second.place(),
            "a table with a composite primary key cannot be synced: it needs one integer id",
        );
    }
}

fn kept_columns(cx: &mut Ctxt, input: &Input) {
    let has = |number| {
        input
            .columns
            .iter()
            .any(|column| column.kind == Kind::Kept(number))
    };
    let missing: Vec<_> = (0..KEPT.len())
        .filter(|number| !has(*number))
        .map(|number| KEPT[number])
        .collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let fields: Vec<_> = missing
            .iter()
            .map(|(name, ty)| format!("pub {name}: {ty},"))
            .collect();
        let message = format!(
            "a synced table needs {}: add `{}`",
            names.join(", "),
            fields.join(" ")
        );
        cx.error(&input.ident, message);
    }
    let deleted_at = input
        .columns
        .iter()
        .find(|column| column.kind == Kind::Kept(KEPT.len() - 1));
    if let Some(column) = deleted_at.filter(|column| within_option(&column.ty).is_none()) {
        cx.error(
            &column.ty,
            "`deleted_at` has to be an `Option`: live rows have none",
        );
    }
}

fn attributes_of(cx: &mut Ctxt, column: &Column) {
    let attrs = &column.attrs;
    if column.kind != Kind::Data {
        if let Some(at) = attrs.sync.first() {
            cx.error(
                at,
                format_args!(
                    "`{}` is kept by sync itself and takes no sync attribute",
                    column.name
                ),
            );
        }
        return;
    }
    if let [(_, first), (at, second), ..] = attrs.links.as_slice() {
        let (first, second) = (word(first), word(second));
        cx.error(
            at,
            format_args!("a column is either `{first}` or `{second}`"),
        );
        return;
    }
    match column.link() {
        Some(Link::Owner) => never_merged(cx, column, "the owner never travels"),
        Some(Link::Local) => never_merged(cx, column, "a local column never travels"),
        Some(_) => foreign_key(cx, column),
        None => {}
    }
    group(cx, column);
}

fn never_merged(cx: &mut Ctxt, column: &Column, reason: &str) {
    let merging = column
        .attrs
        .sync
        .iter()
        .filter(|path| path.is_ident("group") || path.is_ident("merge"));
    for at in merging {
        let name = at.get_ident().map(Ident::to_string).unwrap_or_default();
        cx.error(at, format_args!("{reason}: `{name}` has no meaning here"));
    }
}

fn foreign_key(cx: &mut Ctxt, column: &Column) {
    if let Some((text, _)) = column
        .attrs
        .merge
        .as_ref()
        .filter(|(_, merge)| !matches!(merge, Merge::Latest))
    {
        cx.error(
            text,
            "a foreign key merges by `latest` only: what it refers to has no order",
        );
    }
}

fn group(cx: &mut Ctxt, column: &Column) {
    let Some(group) = &column.attrs.group else {
        return;
    };
    if group.value().is_empty() || group.value() == "*" {
        cx.error(group, "a group needs a name");
    }
    let Some((text, merge)) = &column.attrs.merge else {
        return;
    };
    if column.is_register() && column.link().is_none() && !matches!(merge, Merge::Latest) {
        cx.error(text, "a group merges as a whole, by `latest`: take the column out of the group, or drop this rule");
    }
}

fn account(cx: &mut Ctxt, input: &Input) {
    let mut owners = input.columns.iter().filter(|column| column.is_owner());
    let owner = owners.next();
    if owner.is_none() && !input.columns.iter().any(Column::is_parent) {
        let message = "an entity needs an owner column or a parent: mark the column that names the account \
                       `#[sync(owner)]`, or the foreign key to the row it belongs to `#[sync(parent)]`";
        cx.error(&input.ident, message);
    }
    if let Some(second) = owners.next() {
        cx.error(
            second.place(),
            "an entity has one owner column: this is the second",
        );
    }
}

fn register_names(cx: &mut Ctxt, input: &Input) {
    let alone = input
        .columns
        .iter()
        .filter(|column| column.kind != Kind::Data || column.attrs.group.is_none());
    let columns: HashMap<&str, &Column> =
        alone.map(|column| (column.name.as_str(), column)).collect();
    let mut reported = Vec::new();
    for group in input
        .columns
        .iter()
        .filter_map(|column| column.attrs.group.as_ref())
    {
        let name = group.value();
        if columns.contains_key(name.as_str()) && !reported.contains(&name) {
            cx.error(
                group,
                format_args!(
                    "`{name}` is a column outside this group: give the group another name"
                ),
            );
            reported.push(name);
        }
    }
}

fn word(link: &Link) -> &'static str {
    match link {
        Link::Owner => "owner",
        Link::Parent => "parent",
        Link::Reference => "reference",
        Link::Lookup { .. } => "lookup",
        Link::Local => "local",
    }
}

/// In the dense format, what stands on fields that are relations and not columns.
pub(crate) fn relations(cx: &mut Ctxt, item: &syn::DeriveInput) {
    let syn::Data::Struct(data) = &item.data else {
        return;
    };
    for field in data.fields.iter().filter(|field| is_relation(&field.ty)) {
        if let Some(attr) = field.attrs.iter().find(|attr| attr.path().is_ident("sync")) {
            cx.error(
                attr,
                "a relation is no column: put the attribute on the foreign key",
            );
        }
    }
}

fn is_relation(ty: &syn::Type) -> bool {
    let syn::Type::Path(path) = ty else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|last| {
        ["BelongsTo", "HasOne", "HasMany"]
            .iter()
            .any(|relation| last.ident == relation)
    })
}
