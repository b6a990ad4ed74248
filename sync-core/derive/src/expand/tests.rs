//! Mistakes that SeaORM's own derives report too, at such length that they are no use as UI tests.

use proc_macro2::TokenStream;
use quote::quote;

use super::derive;

fn expand(item: TokenStream) -> String {
    derive(&syn::parse2(item).expect("a struct")).to_string()
}

#[test]
fn a_table_without_primary_key_is_refused() {
    let code = expand(quote! {
        #[sea_orm(table_name = "notes")]
        pub struct Model {
            #[sync(owner)]
            pub account: String,
            pub remote_id: Option<String>,
            pub dirty: bool,
            pub updated_at: DateTimeUtc,
            pub deleted_at: Option<DateTimeUtc>,
        }
    });
    assert_eq!(code.matches("compile_error").count(), 1, "{code}");
    assert!(
        code.contains("a synced table needs a primary key"),
        "{code}"
    );
}

#[test]
fn seaorms_second_struct_gets_no_code() {
    let item = quote! {
        #[sea_orm(table_name = "notes")]
        pub struct ModelEx {
            #[sea_orm(primary_key)]
            pub id: i64,
        }
    };
    assert_eq!(expand(item), "");
}
