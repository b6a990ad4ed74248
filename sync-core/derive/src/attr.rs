//! Reads `#[sync(..)]`, and of `#[sea_orm(..)]` the few words that sync needs.

mod meta;
mod value;

use proc_macro2::TokenStream;
use syn::{Attribute, Error, LitStr, Path, Result, meta::ParseNestedMeta};

use self::meta::{duplicate, once, skip, string, unknown, word};
use crate::ctxt::Ctxt;

/// What stands on the struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) table_name: Option<LitStr>,
    pub(crate) rename_all: Option<String>,
    pub(crate) natural_keys: Vec<NaturalKey>,
    pub(crate) alike: Option<NaturalKey>,
    pub(crate) exclusive: Vec<Exclusive>,
    pub(crate) no_hooks: Option<Path>,
}

/// `natural_key(a, b, ..)`, or `alike(a, b, ..)`
pub(crate) struct NaturalKey {
    pub(crate) at: Path,
    pub(crate) columns: Vec<Name>,
}

/// `exclusive(flag = "..", per = "..")`
pub(crate) struct Exclusive {
    pub(crate) flag: Name,
    pub(crate) per: Name,
}

/// A column as an attribute names it.
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: TokenStream,
}

/// What stands on a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) primary_key: bool,
    pub(crate) ignore: bool,
    pub(crate) nullable: bool,
    pub(crate) column_name: Option<String>,
    /// Every sync attribute there is, for messages about where it cannot be.
    pub(crate) sync: Vec<Path>,
    pub(crate) links: Vec<(Path, Link)>,
    pub(crate) group: Option<LitStr>,
    pub(crate) merge: Option<(LitStr, Merge)>,
}

/// What a column is besides plain data; at most one of these.
pub(crate) enum Link {
    Owner,
    Parent,
    Reference,
    Lookup { entity: Path, key: LitStr },
    Local,
}

/// `merge = ".."`
#[derive(Clone)]
pub(crate) enum Merge {
    Latest,
    Min(LitStr),
    Max(LitStr),
    Function(Path),
}

const ON_STRUCTS: [&str; 4] = ["natural_key", "alike", "exclusive", "no_hooks"];
const ON_FIELDS: [&str; 7] = [
    "owner",
    "parent",
    "reference",
    "lookup",
    "group",
    "merge",
    "local",
];

impl StructAttrs {
    pub(crate) fn parse(cx: &mut Ctxt, attrs: &[Attribute]) -> Self {
        let mut found = Self::default();
        each(attrs, "sea_orm", |meta| found.sea_orm(meta)).for_each(drop);
        each(attrs, "sync", |meta| found.sync(meta)).for_each(|error| cx.push(error));
        found
    }

    fn sea_orm(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match word(meta).as_str() {
            "table_name" => self.table_name = Some(string(meta)?),
            "rename_all" => self.rename_all = Some(string(meta)?.value()),
            _ => skip(meta)?,
        }
        Ok(())
    }

    fn sync(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match word(meta).as_str() {
            "natural_key" => self.natural_keys.push(value::columns(meta, "natural_key")?),
            "alike" => {
                let columns = value::columns(meta, "alike")?;
                once(&mut self.alike, meta, columns)?;
            }
            "exclusive" => self.exclusive.push(value::exclusive(meta)?),
            "no_hooks" => once(&mut self.no_hooks, meta, meta.path.clone())?,
            other => {
                return Err(unknown(
                    meta,
                    other,
                    "a struct",
                    &ON_STRUCTS,
                    "a field",
                    &ON_FIELDS,
                ));
            }
        }
        Ok(())
    }
}

impl FieldAttrs {
    pub(crate) fn parse(cx: &mut Ctxt, attrs: &[Attribute]) -> Self {
        let mut found = Self::default();
        each(attrs, "sea_orm", |meta| found.sea_orm(meta)).for_each(drop);
        each(attrs, "sync", |meta| found.sync(meta)).for_each(|error| cx.push(error));
        found
    }

    fn sea_orm(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match word(meta).as_str() {
            "primary_key" => self.primary_key = true,
            "ignore" => self.ignore = true,
            "nullable" => self.nullable = true,
            "column_name" => self.column_name = Some(string(meta)?.value()),
            _ => skip(meta)?,
        }
        Ok(())
    }

    fn sync(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = word(meta);
        if ON_FIELDS.contains(&name.as_str()) {
            let repeated = self.sync.iter().any(|path| path.is_ident(&name));
            self.sync.push(meta.path.clone());
            if repeated {
                return Err(duplicate(meta));
            }
        }
        match name.as_str() {
            "owner" => self.link(meta, Link::Owner),
            "parent" => self.link(meta, Link::Parent),
            "reference" => self.link(meta, Link::Reference),
            "local" => self.link(meta, Link::Local),
            "lookup" => {
                let lookup = value::lookup(meta)?;
                self.link(meta, lookup);
            }
            "group" => self.group = Some(string(meta)?),
            "merge" => self.merge = Some(value::merge(meta)?),
            other => {
                return Err(unknown(
                    meta,
                    other,
                    "a field",
                    &ON_FIELDS,
                    "the struct",
                    &ON_STRUCTS,
                ));
            }
        }
        Ok(())
    }

    fn link(&mut self, meta: &ParseNestedMeta<'_>, link: Link) {
        self.links.push((meta.path.clone(), link));
    }
}

/// Runs `read` on every item of `#[name(..)]`; after a mistake goes on with the next item.
fn each(
    attrs: &[Attribute],
    name: &str,
    mut read: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>,
) -> std::vec::IntoIter<Error> {
    let mut errors = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let parsed = attr.parse_nested_meta(|meta| {
            if let Err(error) = read(&meta) {
                errors.push(error);
                skip(&meta)?;
            }
            Ok(())
        });
        errors.extend(parsed.err());
    }
    errors.into_iter()
}
