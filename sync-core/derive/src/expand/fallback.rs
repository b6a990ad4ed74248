//! Code for an entity with mistakes, so that the user sees these and not a lack of impls elsewhere.
//!
//! It never runs: the same expansion holds a `compile_error!`.

use proc_macro2::TokenStream;
use quote::quote;

use super::entity;
use crate::ast::Input;

/// A wire row without columns, and impls without bodies.
pub(super) fn expand(input: &Input) -> TokenStream {
    let vis = &input.vis;
    let (wire_row, entity, hooks) = (wire_row(), entity(), entity::hooks(input));
    quote! {
        #[derive(
            ::core::clone::Clone,
            ::core::fmt::Debug,
            ::core::default::Default,
            ::core::cmp::PartialEq,
            ::sync_core::__private::serde::Serialize,
            ::sync_core::__private::serde::Deserialize,
        )]
        #[serde(crate = "::sync_core::__private::serde")]
        #[doc(hidden)]
        #vis struct Wire {}
        const _: () = {
            #wire_row
            #entity
            #hooks
        };
    }
}

fn wire_row() -> TokenStream {
    let private = quote!(::sync_core::__private);
    let option = quote!(::core::option::Option);
    let json = quote!(#private::serde_json::Value);
    quote! {
        #[automatically_derived]
        impl #private::WireRow for Wire {
            fn has(&self, _: usize) -> bool { false }
            fn same(&self, _: usize, _: &Self) -> bool { true }
            fn take(&mut self, _: usize, _: &Self) {}
            fn combine(&mut self, _: usize, _: &Self) {}
            fn canonical(&self, _: usize) -> ::std::string::String { ::std::string::String::new() }
            fn column(&self, _: &str) -> #option<#json> { #option::None }
            fn set_column(&mut self, _: &str, _: #json) -> bool { false }
            fn reference(&self, _: usize) -> &#private::Field<#option<::std::string::String>> { ::core::panic!() }
            fn reference_mut(&mut self, _: usize) -> &mut #private::Field<#option<::std::string::String>> {
                ::core::panic!()
            }
            fn lookup(&self, _: usize) -> &#private::Field<#option<#private::LookupRow>> { ::core::panic!() }
            fn deleted_at(&self) -> #option<#private::Millis> { #option::None }
            fn set_deleted_at(&mut self, _: #option<#private::Millis>) {}
        }
    }
}

fn entity() -> TokenStream {
    let private = quote!(::sync_core::__private);
    let option = quote!(::core::option::Option);
    quote! {
        #[automatically_derived]
        impl #private::Syncable for Entity {
            type Wire = Wire;
            const SHAPE: #private::Shape = #private::Shape {
                table: "",
                id: "",
                owner: #option::None,
                registers: &[],
                natural_keys: &[],
                alike: &[],
                references: &[],
                lookups: &[],
                exclusive: &[],
                local: &[],
            };
            fn lookups() -> ::std::vec::Vec<::std::boxed::Box<dyn #private::LookupTable>> { ::std::vec::Vec::new() }
            fn meta(_: &Model) -> #private::Meta<'_> { ::core::panic!() }
            fn owner(_: &Model) -> #option<::std::string::String> { #option::None }
            fn reference_id(_: &Model, _: usize) -> #option<i64> { #option::None }
            fn lookup_id(_: &Model, _: usize) -> #option<i64> { #option::None }
            fn to_wire(_: Model, _: &#private::RemoteNames) -> Wire { Wire {} }
            fn from_wire(
                _: Wire,
                _: &#private::LocalIds,
                _: &mut ActiveModel,
            ) -> ::core::result::Result<(), #private::FieldError> {
                ::core::result::Result::Ok(())
            }
            fn set_meta(_: &mut ActiveModel, _: #option<i64>, _: &str, _: #private::Millis) {}
            fn set_owner(_: &mut ActiveModel, _: &str) -> bool { false }
        }
    }
}
