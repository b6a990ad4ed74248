//! `Syncable` for the entity, and SeaORM's hooks for its active model.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Type, spanned::Spanned};

use super::{shape, wire_value};
use crate::{
    ast::{Column, Input, within_option},
    table::{How, Table, Travelling},
};

/// `impl Syncable for Entity`.
pub(super) fn implementation(table: &Table<'_>) -> TokenStream {
    let shape = shape::constant(table);
    let lookups = lookups(table);
    let meta = meta(table);
    let owner = owner(table.owner);
    let links = links(table);
    let to_wire = to_wire(table);
    let from_wire = from_wire(table);
    quote! {
        #[automatically_derived]
        impl ::sync_core::__private::Syncable for Entity {
            type Wire = Wire;
            #shape
            #lookups
            #meta
            #owner
            #links
            #to_wire
            #from_wire
        }
    }
}

/// `impl ActiveModelBehavior for ActiveModel`, unless the user has his own.
pub(super) fn hooks(input: &Input) -> TokenStream {
    if input.attrs.no_hooks.is_some() {
        return TokenStream::new();
    }
    let private = quote!(::sync_core::__private);
    quote! {
        #[automatically_derived]
        #[#private::async_trait::async_trait]
        impl #private::sea_orm::ActiveModelBehavior for ActiveModel {
            async fn after_save<C>(
                model: Model,
                db: &C,
                _insert: bool,
            ) -> ::core::result::Result<Model, #private::sea_orm::DbErr>
            where
                C: #private::sea_orm::ConnectionTrait,
            {
                #private::as_stored::<Entity, C>(model, db).await
            }
        }
    }
}

fn lookups(table: &Table<'_>) -> TokenStream {
    let lookup = table.lookups.iter().map(|lookup| {
        let (entity, key) = (lookup.entity, lookup.key);
        quote!(::std::boxed::Box::new(::sync_core::__private::LookupBy::<#entity>::new(#key)))
    });
    quote! {
        fn lookups() -> ::std::vec::Vec<::std::boxed::Box<dyn ::sync_core::__private::LookupTable>> {
            ::std::vec![#(#lookup),*]
        }
    }
}

/// The four kept columns may each be an `Option` or not: `Option::from` and `into` take both.
fn meta(table: &Table<'_>) -> TokenStream {
    let private = quote!(::sync_core::__private);
    let option = quote!(::core::option::Option);
    let time = quote!(#private::sea_orm::entity::prelude::DateTimeUtc);
    let (to_local, from_local) = (
        local_id(&table.id.ty, "to_local"),
        local_id(&table.id.ty, "from_local"),
    );
    let remote_id_from = option_from(table.remote_id, &quote!(&::std::string::String));
    let dirty_from = option_from(table.dirty, &quote!(bool));
    let updated_at_from = option_from(table.updated_at, &time);
    let deleted_at_from = option_from(table.deleted_at, &time);
    let [id, remote_id, dirty, updated_at, deleted_at] = [
        table.id,
        table.remote_id,
        table.dirty,
        table.updated_at,
        table.deleted_at,
    ]
    .map(|column| &column.field);
    quote! {
        fn meta(model: &Model) -> #private::Meta<'_> {
            #private::Meta {
                id: #to_local(model.#id),
                remote_id: #remote_id_from(&model.#remote_id).map(|name| name.as_str()),
                dirty: #dirty_from(model.#dirty).unwrap_or_default(),
                updated_at: #updated_at_from(model.#updated_at).map(#private::Millis::from),
                deleted_at: #deleted_at_from(model.#deleted_at).map(#private::Millis::from),
            }
        }
        fn set_meta(
            active: &mut ActiveModel,
            id: #option<i64>,
            remote_id: &str,
            updated_at: #private::Millis,
        ) {
            if let #option::Some(id) = id.and_then(#from_local) {
                active.#id = #private::sea_orm::ActiveValue::Set(id);
            }
            active.#remote_id = #private::sea_orm::ActiveValue::Set(::std::string::String::from(remote_id).into());
            active.#dirty = #private::sea_orm::ActiveValue::Set(false.into());
            active.#updated_at = #private::sea_orm::ActiveValue::Set(#private::Stamped::stamped(updated_at));
        }
    }
}

fn option_from(column: &Column, ty: &TokenStream) -> TokenStream {
    quote_spanned!(column.ty.span()=> ::core::option::Option::<#ty>::from)
}

fn local_id(ty: &Type, item: &str) -> TokenStream {
    let item = Ident::new(item, ty.span());
    quote_spanned!(ty.span()=> <#ty as ::sync_core::__private::LocalId>::#item)
}

fn foreign_key(ty: &Type, item: &str) -> TokenStream {
    let item = Ident::new(item, ty.span());
    quote_spanned!(ty.span()=> <#ty as ::sync_core::__private::ForeignKey>::#item)
}

/// Accounts are named by text; an owner column of another type is written and read as text.
fn owner(owner: Option<&Column>) -> TokenStream {
    let text = quote!(::core::option::Option<::std::string::String>);
    let Some(Column { field, ty, .. }) = owner else {
        return quote! {
            fn owner(_model: &Model) -> #text { ::core::option::Option::None }
            fn set_owner(_active: &mut ActiveModel, _owner: &str) -> bool { false }
        };
    };
    let inner = within_option(ty).unwrap_or(ty);
    let read = quote_spanned!(ty.span()=> <#inner as ::std::string::ToString>::to_string);
    let parse = quote_spanned!(ty.span()=> <#inner as ::core::str::FromStr>::from_str);
    quote! {
        fn owner(model: &Model) -> #text {
            ::core::option::Option::<&#inner>::from(&model.#field).map(#read)
        }
        fn set_owner(active: &mut ActiveModel, owner: &str) -> bool {
            #parse(owner)
                .map(|owner| active.#field = ::sync_core::__private::sea_orm::ActiveValue::Set(owner.into()))
                .is_ok()
        }
    }
}

fn links(table: &Table<'_>) -> TokenStream {
    let arm = |(number, column): (usize, &&Column)| {
        let (to_local, field) = (foreign_key(&column.ty, "to_local"), &column.field);
        quote!(#number => #to_local(&model.#field))
    };
    let references = table.references.iter().enumerate().map(arm);
    let lookups: Vec<_> = table.lookups.iter().map(|lookup| lookup.column).collect();
    let lookups = lookups.iter().enumerate().map(arm);
    let id = quote!(::core::option::Option<i64>);
    quote! {
        fn reference_id(model: &Model, reference: usize) -> #id {
            let _ = model;
            match reference { #(#references,)* _ => ::core::option::Option::None }
        }
        fn lookup_id(model: &Model, lookup: usize) -> #id {
            let _ = model;
            match lookup { #(#lookups,)* _ => ::core::option::Option::None }
        }
    }
}

/// A foreign key whose row has no name is left out: NULL would cut the link on every replica.
fn to_wire(table: &Table<'_>) -> TokenStream {
    let private = quote!(::sync_core::__private);
    let named = |column: &Column, name: TokenStream| {
        let (to_local, field) = (foreign_key(&column.ty, "to_local"), &column.field);
        quote! {{
            let id = #to_local(&model.#field);
            match #name {
                ::core::option::Option::None if id.is_some() => #private::Field::Absent,
                name => #private::Field::Present(name),
            }
        }}
    };
    let fields = table.travelling().map(|Travelling { column, how }| {
        let (field, into_wire) = (&column.field, wire_value(&column.ty, "into_wire"));
        let value = match how {
            How::Value | How::DeletedAt => {
                quote!(#private::Field::Present(#into_wire(model.#field)))
            }
            How::Reference(number) => named(column, quote!(names.reference(#number, id))),
            How::Lookup(number, _) => named(column, quote!(names.lookup(#number, id))),
        };
        quote!(#field: #value)
    });
    quote! {
        fn to_wire(model: Model, names: &#private::RemoteNames) -> Wire {
            let _ = names;
            Wire { #(#fields,)* }
        }
    }
}

fn from_wire(table: &Table<'_>) -> TokenStream {
    let private = quote!(::sync_core::__private);
    let fields = table
        .travelling()
        .map(|Travelling { column, how }| match how {
            How::Value | How::DeletedAt => value_from_wire(column),
            How::Reference(number) => key_from_wire(
                table.id,
                column,
                &quote!(ids.reference(#number, name.as_deref())),
            ),
            How::Lookup(number, key) => key_from_wire(
                table.id,
                column,
                &quote!(ids.lookup(#number, #key, name.as_ref())),
            ),
        });
    quote! {
        fn from_wire(
            wire: Wire,
            ids: &#private::LocalIds,
            active: &mut ActiveModel,
        ) -> ::core::result::Result<(), #private::FieldError> {
            let _ = ids;
            #(#fields)*
            ::core::result::Result::Ok(())
        }
    }
}

fn value_from_wire(column: &Column) -> TokenStream {
    let private = quote!(::sync_core::__private);
    let (field, from_wire) = (&column.field, wire_value(&column.ty, "from_wire"));
    let out_of_range = error(column, &quote!(#private::FieldErrorCode::OutOfRange));
    quote! {
        if let #private::Field::Present(value) = wire.#field {
            let value = #from_wire(value).ok_or(#out_of_range)?;
            active.#field = #private::sea_orm::ActiveValue::Set(value);
        }
    }
}

/// A new row needs its required foreign keys; in a row that has one, an absent key changes nothing.
fn key_from_wire(id: &Column, column: &Column, local: &TokenStream) -> TokenStream {
    let private = quote!(::sync_core::__private);
    let (id, field, from_local) = (
        &id.field,
        &column.field,
        foreign_key(&column.ty, "from_local"),
    );
    let code = quote!(#private::FieldErrorCode);
    let unknown = error(column, &quote!(#code::UnknownReference));
    let does_not_fit = error(
        column,
        &quote!(if local.is_none() { #code::Required } else { #code::OutOfRange }),
    );
    let missing = (!column.nullable).then(|| {
        let required = error(column, &quote!(#code::Required));
        quote! {
            #private::Field::Absent if active.#id.is_not_set() && active.#field.is_not_set() => {
                return ::core::result::Result::Err(#required);
            }
        }
    });
    quote! {
        match wire.#field {
            #private::Field::Present(name) => {
                let local = #local.ok_or(#unknown)?;
                active.#field = #private::sea_orm::ActiveValue::Set(#from_local(local).ok_or(#does_not_fit)?);
            }
            #missing
            #private::Field::Absent => {}
        }
    }
}

fn error(column: &Column, code: &TokenStream) -> TokenStream {
    let name = &column.name;
    quote!(::sync_core::__private::FieldError { column: #name, code: #code })
}
