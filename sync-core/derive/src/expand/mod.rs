//! From an entity to its code. All paths are absolute, so that nothing the user imports can break them.

mod entity;
mod fallback;
mod shape;
#[cfg(test)]
mod tests;
mod wire;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Type, spanned::Spanned};

use crate::{ast::Input, ctxt::Ctxt, table::Table, valid};

/// All that the derive emits for an item.
pub(crate) fn derive(item: &DeriveInput) -> TokenStream {
    let mut cx = Ctxt::default();
    if item.ident == "ModelEx" {
        // SeaORM copies the derive to the struct with relations it makes of a dense model.
        valid::relations(&mut cx, item);
        return cx
            .finish()
            .map(syn::Error::into_compile_error)
            .unwrap_or_default();
    }
    let input = Input::parse(&mut cx, item);
    if let Some(input) = &input {
        valid::check(&mut cx, input);
    }
    match (cx.finish(), input.as_ref()) {
        (Some(errors), input) => {
            let errors = errors.into_compile_error();
            let fallback = input.map(fallback::expand);
            quote!(#errors #fallback)
        }
        (None, input) => input
            .and_then(Table::new)
            .as_ref()
            .map(table)
            .unwrap_or_default(),
    }
}

fn table(table: &Table<'_>) -> TokenStream {
    let (row, wire_row) = (wire::row(table), wire::implementation(table));
    let (entity, hooks) = (entity::implementation(table), entity::hooks(table.input));
    quote! {
        #row
        const _: () = {
            #wire_row
            #entity
            #hooks
        };
    }
}

/// `<T as WireValue>::item`, with type errors shown at the field's type.
fn wire_value(ty: &Type, item: &str) -> TokenStream {
    let item = syn::Ident::new(item, ty.span());
    quote::quote_spanned!(ty.span()=> <#ty as ::sync_core::__private::WireValue>::#item)
}
