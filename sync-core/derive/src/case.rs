//! The column name that SeaORM makes of a field's name.

use heck::{
    ToKebabCase, ToLowerCamelCase, ToShoutySnakeCase, ToSnakeCase, ToTitleCase, ToUpperCamelCase,
};

/// The column of `field` under the struct's `rename_all`; SeaORM itself reports an unknown style.
pub(crate) fn column_name(field: &str, rename_all: Option<&str>) -> String {
    let variant = field.to_upper_camel_case();
    match rename_all {
        Some("camel_case" | "PascalCase") => variant,
        Some("camelCase" | "mixed_case") => variant.to_lower_camel_case(),
        Some("kebab_case" | "kebab-case") => variant.to_kebab_case(),
        Some("SCREAMING-KEBAB-CASE") => variant.to_kebab_case().to_uppercase(),
        Some("shouty_snake_case" | "shouty_snek_case" | "SCREAMING_SNAKE_CASE") => {
            variant.to_shouty_snake_case()
        }
        Some("title_case") => variant.to_title_case(),
        Some("lowercase") => variant.to_lowercase(),
        Some("UPPERCASE") => variant.to_uppercase(),
        Some(_) => variant.to_snake_case(),
        None => field.to_snake_case(),
    }
}

#[test]
fn fields_become_the_columns_that_seaorm_makes_of_them() {
    assert_eq!(column_name("emailVerified", None), "email_verified");
    assert_eq!(column_name("line_2", None), "line_2");
    assert_eq!(column_name("remote_id", Some("camelCase")), "remoteId");
    assert_eq!(
        column_name("remote_id", Some("SCREAMING-KEBAB-CASE")),
        "REMOTE-ID"
    );
}
