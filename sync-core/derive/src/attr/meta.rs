//! One item of an attribute: its name, its text, and what can be wrong with either.

use syn::{Error, Ident, LitStr, Result, Token, meta::ParseNestedMeta};

/// Passes over whatever follows the item's name.
pub(super) fn skip(meta: &ParseNestedMeta<'_>) -> Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

pub(super) fn word(meta: &ParseNestedMeta<'_>) -> String {
    meta.path
        .get_ident()
        .map(Ident::to_string)
        .unwrap_or_default()
}

pub(super) fn string(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let value = meta.value().and_then(|value| value.parse());
    value.map_err(|_| {
        Error::new_spanned(&meta.path, format_args!("write `{} = \"..\"`", word(meta)))
    })
}

pub(super) fn once<T>(slot: &mut Option<T>, meta: &ParseNestedMeta<'_>, value: T) -> Result<()> {
    match slot.replace(value) {
        Some(_) => Err(duplicate(meta)),
        None => Ok(()),
    }
}

pub(super) fn duplicate(meta: &ParseNestedMeta<'_>) -> Error {
    Error::new_spanned(
        &meta.path,
        format_args!("duplicate sync attribute `{}`", word(meta)),
    )
}

pub(super) fn unknown(
    meta: &ParseNestedMeta<'_>,
    name: &str,
    here: &str,
    known: &[&str],
    elsewhere: &str,
    others: &[&str],
) -> Error {
    let message = if others.contains(&name) {
        format!("`{name}` stands on {elsewhere}, not on {here}")
    } else {
        format!(
            "unknown sync attribute `{name}`; on {here} there are `{}`",
            known.join("`, `")
        )
    };
    Error::new_spanned(&meta.path, message)
}
