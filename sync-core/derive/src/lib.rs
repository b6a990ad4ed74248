//! `#[derive(Syncable)]`, to be used through `sync_core::Syncable`.
//!
//! An entity passes through the files in this order: `attr` reads the attributes, `ast` gives every
//! column its role, `valid` finds what cannot be synced and returns what is left as a `table`, from
//! which `expand` quotes the code. Mistakes are collected in `ctxt`, so that all are shown at once.

mod ast;
mod attr;
mod case;
mod ctxt;
mod expand;
mod table;
mod valid;

use proc_macro::TokenStream;

/// Makes a SeaORM entity syncable: implements `sync_core::Syncable` for its `Entity`, the row `Wire`
/// that travels, and SeaORM's hooks.
///
/// Goes below `#[sea_orm::model]` and beside `DeriveEntityModel`, in the dense as in the compact
/// format:
///
/// ```ignore
/// #[sea_orm::model]
/// #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
/// #[sea_orm(table_name = "bookmarks")]
/// #[sync(natural_key(folder_id, url))]
/// pub struct Model {
///     #[sea_orm(primary_key)]
///     pub id: i64,
///     #[sync(parent)]
///     pub folder_id: i64,
///     pub url: String,
///     #[sync(merge = "max")]
///     pub visits: i64,
///     pub remote_id: Option<String>,
///     pub dirty: bool,
///     pub updated_at: DateTimeUtc,
///     pub deleted_at: Option<DateTimeUtc>,
/// }
/// ```
///
/// The last four columns are kept by sync, and every entity has them. Each other column is a
/// register of its own: the later edit wins, column by column. Attributes say what differs.
///
/// On the struct:
///
/// - `natural_key(a, b)`: live rows equal in these columns are one thing, whichever device made
///   them. May be repeated.
/// - `alike(a, b)`: rows equal in these columns may be two things; but when a database with rows of its own is
///   merged into an account, each is taken for the account's only row like it.
/// - `exclusive(flag = "is_default", per = "user_id")`: at most one live row of those with equal
///   `per` has the flag set. May be repeated.
/// - `no_hooks`: the entity has its own `impl ActiveModelBehavior`.
///
/// On a field:
///
/// - `owner`: names the account; never travels.
/// - `parent`: foreign key to a synced table; the row belongs to that row's account and is deleted
///   with it. An entity needs an `owner` or a `parent`.
/// - `reference`: any other foreign key to a synced table.
/// - `lookup(entity = "super::addons::Entity", key = "manifest_url")`: foreign key to a table that
///   is not synced; the referred row travels with it, named by its unique column `key`.
/// - `group = "progress"`: all fields of the group merge as one.
/// - `merge = "max"`, `"min"`, `"latest"` (the default), or the path of a `fn(&T, &T) -> T` on the
///   field's type. For replicas to agree the function has to be commutative, associative and
///   idempotent.
/// - `local`: never leaves the device.
#[proc_macro_derive(Syncable, attributes(sync, sea_orm))]
pub fn syncable(input: TokenStream) -> TokenStream {
    expand::derive(&syn::parse_macro_input!(input)).into()
}
