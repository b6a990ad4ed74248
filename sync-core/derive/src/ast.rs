//! The entity as the macro sees it: its columns, each with what it is to sync.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Data, DeriveInput, Field, Fields, GenericArgument, Ident, LitStr, PathArguments, Type,
    Visibility, ext::IdentExt,
};

use crate::{
    attr::{FieldAttrs, Link, Merge, StructAttrs},
    case,
    ctxt::Ctxt,
};

/// A SeaORM model.
pub(crate) struct Input {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) table: LitStr,
    pub(crate) columns: Vec<Column>,
    pub(crate) attrs: StructAttrs,
}

/// A field that is a column.
pub(crate) struct Column {
    pub(crate) field: Ident,
    /// Its name in the database.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) nullable: bool,
    pub(crate) kind: Kind,
    pub(crate) attrs: FieldAttrs,
}

/// What a column is to sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A primary key column.
    Key,
    /// One of the four columns that sync keeps, by its number in [`KEPT`].
    Kept(usize),
    /// Anything else.
    Data,
}

/// The columns that every synced table has, and their usual types.
pub(crate) const KEPT: [(&str, &str); 4] = [
    ("remote_id", "Option<String>"),
    ("dirty", "bool"),
    ("updated_at", "DateTimeUtc"),
    ("deleted_at", "Option<DateTimeUtc>"),
];

impl Input {
    /// `None` if it is no SeaORM model at all, which has then been reported.
    pub(crate) fn parse(cx: &mut Ctxt, input: &DeriveInput) -> Option<Self> {
        let Data::Struct(syn::DataStruct {
            fields: Fields::Named(fields),
            ..
        }) = &input.data
        else {
            cx.error(
                &input.ident,
                "only a SeaORM model can be synced: a struct with named fields",
            );
            return None;
        };
        let attrs = StructAttrs::parse(cx, &input.attrs);
        let Some(table) = attrs.table_name.clone() else {
            let message = "not a SeaORM model: `#[sea_orm(table_name = \"..\")]` is missing";
            cx.error(&input.ident, message);
            return None;
        };
        let rename_all = attrs.rename_all.as_deref();
        let columns = fields
            .named
            .iter()
            .filter_map(|field| Column::parse(cx, field, rename_all))
            .collect();
        Some(Self {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            table,
            columns,
            attrs,
        })
    }

    /// The column that an attribute means: a field's name, or a column's.
    pub(crate) fn named(&self, name: &str) -> Option<&Column> {
        let by_field = self
            .columns
            .iter()
            .find(|column| column.field.unraw() == name);
        by_field.or_else(|| self.columns.iter().find(|column| column.name == name))
    }
}

impl Column {
    fn parse(cx: &mut Ctxt, field: &Field, rename_all: Option<&str>) -> Option<Self> {
        let attrs = FieldAttrs::parse(cx, &field.attrs);
        if attrs.ignore {
            if let Some(at) = attrs.sync.first() {
                cx.error(
                    at,
                    "SeaORM ignores this field: it is no column, and takes no sync attribute",
                );
            }
            return None;
        }
        let ident = field.ident.clone()?;
        let name = attrs.column_name.clone();
        let name =
            name.unwrap_or_else(|| case::column_name(&ident.unraw().to_string(), rename_all));
        let kind = match KEPT.iter().position(|(kept, _)| *kept == name) {
            _ if attrs.primary_key => Kind::Key,
            Some(number) => Kind::Kept(number),
            None => Kind::Data,
        };
        let nullable = attrs.nullable || within_option(&field.ty).is_some();
        Some(Self {
            field: ident,
            name,
            ty: field.ty.clone(),
            nullable,
            kind,
            attrs,
        })
    }

    /// What its attributes make of it besides plain data.
    pub(crate) fn link(&self) -> Option<&Link> {
        self.attrs.links.first().map(|(_, link)| link)
    }

    pub(crate) fn is_owner(&self) -> bool {
        matches!(self.link(), Some(Link::Owner))
    }

    pub(crate) fn is_local(&self) -> bool {
        matches!(self.link(), Some(Link::Local))
    }

    pub(crate) fn is_parent(&self) -> bool {
        matches!(self.link(), Some(Link::Parent))
    }

    /// Whether it travels, as part of a register.
    pub(crate) fn is_register(&self) -> bool {
        self.kind == Kind::Data && !self.is_owner() && !self.is_local()
    }

    pub(crate) fn merge(&self) -> &Merge {
        self.attrs
            .merge
            .as_ref()
            .map_or(&Merge::Latest, |(_, merge)| merge)
    }

    /// Where a message about the whole field points.
    pub(crate) fn place(&self) -> TokenStream {
        let field = &self.field;
        quote!(#field)
    }
}

/// The `T` of a type written `Option<T>`.
pub(crate) fn within_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}
