//! The items that are more than a word: `natural_key`, `alike`, `exclusive`, `lookup` and `merge`.

use syn::{
    Error, Ident, LitStr, Path, Result, Token, ext::IdentExt, meta::ParseNestedMeta,
    parse::ParseStream, punctuated::Punctuated,
};

use super::{
    Exclusive, Link, Merge, Name, NaturalKey,
    meta::{once, skip, string},
};

pub(super) fn columns(meta: &ParseNestedMeta<'_>, what: &str) -> Result<NaturalKey> {
    if !meta.input.peek(syn::token::Paren) {
        return Err(Error::new_spanned(
            &meta.path,
            format_args!("write the columns: `{what}(a, b)`"),
        ));
    }
    let list;
    syn::parenthesized!(list in meta.input);
    let columns = Punctuated::<Name, Token![,]>::parse_terminated_with(&list, Name::parse)?;
    if columns.is_empty() {
        return Err(Error::new_spanned(
            &meta.path,
            format_args!("`{what}` needs at least one column"),
        ));
    }
    Ok(NaturalKey {
        at: meta.path.clone(),
        columns: columns.into_iter().collect(),
    })
}

impl Name {
    /// An identifier, also a raw one or a keyword, or a string.
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            return Ok(text.into());
        }
        let ident = input.call(Ident::parse_any)?;
        Ok(Self {
            text: ident.unraw().to_string(),
            at: quote::quote!(#ident),
        })
    }
}

impl From<LitStr> for Name {
    fn from(text: LitStr) -> Self {
        Self {
            text: text.value(),
            at: quote::quote!(#text),
        }
    }
}

pub(super) fn exclusive(meta: &ParseNestedMeta<'_>) -> Result<Exclusive> {
    let [flag, per] = strings(
        meta,
        ["flag", "per"],
        "exclusive(flag = \"is_default\", per = \"user_id\")",
    )?;
    Ok(Exclusive {
        flag: flag.into(),
        per: per.into(),
    })
}

pub(super) fn lookup(meta: &ParseNestedMeta<'_>) -> Result<Link> {
    let [entity, key] = strings(
        meta,
        ["entity", "key"],
        "lookup(entity = \"super::other::Entity\", key = \"name\")",
    )?;
    Ok(Link::Lookup {
        entity: path(&entity)?,
        key,
    })
}

/// The values of `name(a = "..", b = "..")`, each of them required.
fn strings(meta: &ParseNestedMeta<'_>, names: [&str; 2], usage: &str) -> Result<[LitStr; 2]> {
    let wrong = |at: &Path| Error::new_spanned(at, format_args!("write `{usage}`"));
    if !meta.input.peek(syn::token::Paren) {
        return Err(wrong(&meta.path));
    }
    let (mut values, mut unknown) = ([None, None], None);
    meta.parse_nested_meta(
        |part| match names.iter().position(|name| part.path.is_ident(name)) {
            Some(place) => once(&mut values[place], &part, string(&part)?),
            None => {
                unknown = Some(part.path.clone());
                skip(&part)
            }
        },
    )?;
    match (values, unknown) {
        (_, Some(unknown)) => Err(wrong(&unknown)),
        ([Some(first), Some(second)], None) => Ok([first, second]),
        _ => Err(wrong(&meta.path)),
    }
}

pub(super) fn merge(meta: &ParseNestedMeta<'_>) -> Result<(LitStr, Merge)> {
    let text = string(meta)?;
    let merge = match text.value().as_str() {
        "latest" => Merge::Latest,
        "min" => Merge::Min(text.clone()),
        "max" => Merge::Max(text.clone()),
        _ => Merge::Function(path(&text)?),
    };
    Ok((text, merge))
}

fn path(text: &LitStr) -> Result<Path> {
    text.parse_with(Path::parse_mod_style)
        .map_err(|_| Error::new_spanned(text, "not a path, such as `super::rules::longer`"))
}
