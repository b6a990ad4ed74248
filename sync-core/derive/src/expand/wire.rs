//! The wire struct and its `WireRow`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use super::wire_value;
use crate::{
    attr::Merge,
    table::{How, Table, Travelling},
};

/// `pub struct Wire`.
pub(super) fn row(table: &Table<'_>) -> TokenStream {
    let vis = &table.input.vis;
    let doc = format!(
        "A row of `{}` as it travels; made by `#[derive(Syncable)]`.",
        table.input.table.value()
    );
    let fields = table.travelling().map(|travelling| field(&travelling));
    quote! {
        #[doc = #doc]
        #[derive(
            ::core::clone::Clone,
            ::core::fmt::Debug,
            ::core::default::Default,
            ::core::cmp::PartialEq,
            ::sync_core::__private::serde::Serialize,
            ::sync_core::__private::serde::Deserialize,
        )]
        #[serde(crate = "::sync_core::__private::serde")]
        #vis struct Wire {
            #(#fields)*
        }
    }
}

fn field(travelling: &Travelling<'_>) -> TokenStream {
    let Travelling { column, .. } = travelling;
    let (name, field, ty) = (&column.name, &column.field, on_the_wire(travelling));
    let present_or_not = quote_spanned!(column.ty.span()=> ::sync_core::__private::Field<#ty>);
    let doc = format!("Column `{name}`.");
    quote! {
        #[doc = #doc]
        #[serde(rename = #name, default, skip_serializing_if = "::sync_core::__private::Field::is_absent")]
        pub #field: #present_or_not,
    }
}

fn on_the_wire(travelling: &Travelling<'_>) -> TokenStream {
    match travelling.how {
        How::Value => wire_value(&travelling.column.ty, "Wire"),
        How::Reference(_) => quote!(::core::option::Option<::std::string::String>),
        How::Lookup(..) => quote!(::core::option::Option<::sync_core::__private::LookupRow>),
        How::DeletedAt => quote!(::core::option::Option<::sync_core::__private::Millis>),
    }
}

/// `impl WireRow for Wire`.
pub(super) fn implementation(table: &Table<'_>) -> TokenStream {
    let by_register = by_register(table);
    let combine = combine(table);
    let by_column = by_column(table);
    let by_link = by_link(table);
    quote! {
        #[automatically_derived]
        impl ::sync_core::__private::WireRow for Wire {
            #by_register
            #combine
            #by_column
            #by_link
        }
    }
}

fn by_register(table: &Table<'_>) -> TokenStream {
    let json = quote!(::sync_core::__private::serde_json);
    let has = arms(
        table,
        |fields| quote!(true #(&& !self.#fields.is_absent())*),
    );
    let same = arms(
        table,
        |fields| quote!(true #(&& self.#fields == other.#fields)*),
    );
    let take = arms(
        table,
        |fields| quote!({ #(if !other.#fields.is_absent() { self.#fields = other.#fields.clone(); })* }),
    );
    let canonical = arms(table, |fields| {
        quote!(::std::vec![#(#json::to_value(&self.#fields).unwrap_or_default()),*])
    });
    quote! {
        fn has(&self, register: usize) -> bool {
            match register { #(#has,)* _ => false }
        }
        fn same(&self, register: usize, other: &Self) -> bool {
            match register { #(#same,)* _ => true }
        }
        fn take(&mut self, register: usize, other: &Self) {
            match register { #(#take,)* _ => {} }
        }
        fn canonical(&self, register: usize) -> ::std::string::String {
            let columns = match register { #(#canonical,)* _ => ::std::vec::Vec::new() };
            #json::Value::Array(columns).to_string()
        }
    }
}

/// One arm for each register, made of the fields it has.
fn arms<'a>(
    table: &'a Table<'_>,
    arm: impl Fn(&[&Ident]) -> TokenStream + 'a,
) -> impl Iterator<Item = TokenStream> + 'a {
    table
        .registers
        .iter()
        .enumerate()
        .map(move |(number, register)| {
            let fields: Vec<_> = register
                .columns
                .iter()
                .map(|travelling| &travelling.column.field)
                .collect();
            let arm = arm(&fields);
            quote!(#number => #arm)
        })
}

/// Local names are hygienic here: a function of the user's may have the same name as a parameter.
fn combine(table: &Table<'_>) -> TokenStream {
    let here = Span::mixed_site();
    let private = quote_spanned!(here=> ::sync_core::__private);
    let arms = table.registers.iter().enumerate().filter_map(|(number, register)| {
        let column = register.columns.first()?.column;
        let (field, ty) = (&column.field, &column.ty);
        let call = match register.merge() {
            Merge::Latest => return None,
            Merge::Min(at) => {
                let least = quote_spanned!(at.span()=> ::sync_core::__private::least);
                quote_spanned!(here=> #least(&mut self.#field, &other.#field))
            }
            Merge::Max(at) => {
                let greatest = quote_spanned!(at.span()=> ::sync_core::__private::greatest);
                quote_spanned!(here=> #greatest(&mut self.#field, &other.#field))
            }
            Merge::Function(path) => {
                quote_spanned!(here=> #private::by_function::<#ty>(&mut self.#field, &other.#field, #path))
            }
        };
        Some(quote_spanned!(here=> #number => #call,))
    });
    quote_spanned! {here=>
        fn combine(&mut self, register: usize, other: &Self) {
            let _ = other;
            match register { #(#arms)* _ => {} }
        }
    }
}

fn by_column(table: &Table<'_>) -> TokenStream {
    let json = quote!(::sync_core::__private::serde_json);
    let present = quote!(::sync_core::__private::Field::Present);
    let fields: Vec<_> = table
        .travelling()
        .map(|travelling| &travelling.column.field)
        .collect();
    let names: Vec<_> = table
        .travelling()
        .map(|travelling| &travelling.column.name)
        .collect();
    quote! {
        fn column(&self, column: &str) -> ::core::option::Option<#json::Value> {
            match column {
                #(#names => self.#fields.as_ref().and_then(|value| #json::to_value(value).ok()),)*
                _ => ::core::option::Option::None,
            }
        }
        fn set_column(&mut self, column: &str, value: #json::Value) -> bool {
            match column {
                #(#names => #json::from_value(value).map(|value| self.#fields = #present(value)).is_ok(),)*
                _ => false,
            }
        }
    }
}

fn by_link(table: &Table<'_>) -> TokenStream {
    let private = quote!(::sync_core::__private);
    let text = quote!(#private::Field<::core::option::Option<::std::string::String>>);
    let looked_up = quote!(#private::Field<::core::option::Option<#private::LookupRow>>);
    let references: Vec<_> = table
        .references
        .iter()
        .map(|column| &column.field)
        .collect();
    let lookups: Vec<_> = table
        .lookups
        .iter()
        .map(|lookup| &lookup.column.field)
        .collect();
    let (reference, lookup): (Vec<_>, Vec<_>) = (
        (0..references.len()).collect(),
        (0..lookups.len()).collect(),
    );
    let deleted_at = &table.deleted_at.field;
    quote! {
        fn reference(&self, reference: usize) -> &#text {
            match reference { #(#reference => &self.#references,)* _ => &#private::Field::Absent }
        }
        fn reference_mut(&mut self, reference: usize) -> &mut #text {
            match reference { #(#reference => &mut self.#references,)* _ => ::core::panic!("no such reference") }
        }
        fn lookup(&self, lookup: usize) -> &#looked_up {
            match lookup { #(#lookup => &self.#lookups,)* _ => &#private::Field::Absent }
        }
        fn deleted_at(&self) -> ::core::option::Option<#private::Millis> {
            self.#deleted_at.as_ref().copied().flatten()
        }
        fn set_deleted_at(&mut self, at: ::core::option::Option<#private::Millis>) {
            self.#deleted_at = #private::Field::Present(at);
        }
    }
}
