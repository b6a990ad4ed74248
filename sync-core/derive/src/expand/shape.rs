//! The `Shape` of an entity, as a constant.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    ast::{Column, Input},
    attr::{Merge, Name},
    table::{Register, Table},
};

/// `const SHAPE`.
pub(super) fn constant(table: &Table<'_>) -> TokenStream {
    let (name, id) = (&table.input.table, &table.id.name);
    let owner = optional(table.owner.map(|column| &column.name));
    let registers = table.registers.iter().map(register);
    let natural_keys = natural_keys(table.input);
    let alike = alike(table.input);
    let references = table.references.iter().map(|column| reference(column));
    let lookups = lookups(table);
    let exclusive = exclusive(table.input);
    let local = table
        .input
        .columns
        .iter()
        .filter(|column| column.is_local())
        .map(|column| &column.name);
    quote! {
        const SHAPE: ::sync_core::__private::Shape = ::sync_core::__private::Shape {
            table: #name,
            id: #id,
            owner: #owner,
            registers: &[#(#registers),*],
            natural_keys: &[#(#natural_keys),*],
            alike: &[#(#alike),*],
            references: &[#(#references),*],
            lookups: &[#(#lookups),*],
            exclusive: &[#(#exclusive),*],
            local: &[#(#local),*],
        };
    }
}

fn optional(name: Option<&String>) -> TokenStream {
    match name {
        Some(name) => quote!(::core::option::Option::Some(#name)),
        None => quote!(::core::option::Option::None),
    }
}

fn register(register: &Register<'_>) -> TokenStream {
    let name = &register.name;
    let columns = register
        .columns
        .iter()
        .map(|travelling| &travelling.column.name);
    let rule = match register.merge() {
        Merge::Latest => quote!(Latest),
        Merge::Min(_) | Merge::Max(_) | Merge::Function(_) => quote!(ByValue),
    };
    let merge = match register.merge() {
        Merge::Latest => "latest".to_owned(),
        Merge::Min(_) => "min".to_owned(),
        Merge::Max(_) => "max".to_owned(),
        Merge::Function(path) => quote!(#path).to_string().replace(' ', ""),
    };
    quote! {
        ::sync_core::__private::Register {
            name: #name,
            columns: &[#(#columns),*],
            rule: ::sync_core::__private::Rule::#rule,
            merge: #merge,
        }
    }
}

fn reference(column: &Column) -> TokenStream {
    let Column { name, nullable, .. } = column;
    let parent = column.is_parent();
    quote!(::sync_core::__private::Reference { column: #name, parent: #parent, nullable: #nullable })
}

fn lookups<'a>(table: &'a Table<'_>) -> impl Iterator<Item = TokenStream> + 'a {
    table.lookups.iter().map(|lookup| {
        let (column, key) = (&lookup.column.name, lookup.key);
        quote!(::sync_core::__private::Lookup { column: #column, key: #key })
    })
}

fn natural_keys(input: &Input) -> impl Iterator<Item = TokenStream> + '_ {
    input.attrs.natural_keys.iter().map(|key| {
        let columns = key
            .columns
            .iter()
            .filter_map(|name| column_name(input, name));
        quote!(&[#(#columns),*])
    })
}

fn alike(input: &Input) -> impl Iterator<Item = &str> + '_ {
    let names = input.attrs.alike.iter().flat_map(|alike| &alike.columns);
    names.filter_map(|name| column_name(input, name))
}

fn exclusive(input: &Input) -> impl Iterator<Item = TokenStream> + '_ {
    input.attrs.exclusive.iter().filter_map(|exclusive| {
        let (flag, per) = (
            column_name(input, &exclusive.flag)?,
            column_name(input, &exclusive.per)?,
        );
        Some(quote!(::sync_core::__private::Exclusive { flag: #flag, per: #per }))
    })
}

fn column_name<'a>(input: &'a Input, name: &Name) -> Option<&'a str> {
    input.named(&name.text).map(|column| column.name.as_str())
}
