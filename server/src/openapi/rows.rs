//! The rows of each synced table, as they stand on the wire.

use std::collections::BTreeMap;

use sea_orm::ColumnType;
use sync_core::{Fact, Registry, registry::Registered};
use utoipa::openapi::{
    Ref, RefOr, Schema,
    schema::{
        AdditionalProperties, AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType,
        Type,
    },
};

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// The name under which the wire types refer to a row of whatever table.
const ANY_ROW: &str = "Row";

/// Adds a schema for each table, and one for a row of any of them.
pub(super) fn describe(registry: &Registry, schemas: &mut Schemas) {
    let mut any = AnyOfBuilder::new().description(Some(
        "The columns of a row. Those that are left out are as they were; what foreign keys lead to goes by its \
         remote id.",
    ));
    for registered in registry.tables() {
        let name = format!("Row_{}", registered.shape.table);
        any = any.item(Ref::from_schema_name(&name));
        schemas.insert(name, row(registered).into());
    }
    schemas.insert(ANY_ROW.to_owned(), Schema::AnyOf(any.build()).into());
}

fn row(registered: &Registered) -> Schema {
    let facts = registered.columns();
    let mut object = ObjectBuilder::new();
    for name in registered.shape.columns() {
        let fact = facts.iter().find(|fact| fact.name == name);
        object = object.property(name, column(registered, name, fact));
    }
    object
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .build()
        .into()
}

fn column(registered: &Registered, name: &str, fact: Option<&Fact>) -> Schema {
    let nullable = fact.is_none_or(|fact| fact.nullable);
    let lookup = registered.shape.lookups.iter().find(|l| l.column == name);
    if let Some(lookup) = lookup {
        let about = format!("What it refers to, by its `{}`.", lookup.key);
        return typed(Type::Object, None, nullable, Some(about));
    }
    let target = registered.targets.iter().find(|t| t.column == name);
    if let Some(target) = target {
        let about = format!("The remote id of a row of `{}`.", target.table);
        return typed(Type::String, None, nullable, Some(about));
    }
    let (kind, format) = fact.map_or((None, None), |fact| of(&fact.kind));
    kind.map_or_else(Schema::default, |kind| typed(kind, format, nullable, None))
}

/// How a column's type stands in JSON; nothing said where that is the entity's own affair.
fn of(kind: &ColumnType) -> (Option<Type>, Option<KnownFormat>) {
    match kind {
        ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text | ColumnType::Uuid => {
            (Some(Type::String), None)
        }
        ColumnType::TinyInteger
        | ColumnType::SmallInteger
        | ColumnType::Integer
        | ColumnType::TinyUnsigned
        | ColumnType::SmallUnsigned
        | ColumnType::Unsigned => (Some(Type::Integer), Some(KnownFormat::Int32)),
        ColumnType::BigInteger | ColumnType::BigUnsigned => {
            (Some(Type::Integer), Some(KnownFormat::Int64))
        }
        ColumnType::Float | ColumnType::Double => (Some(Type::Number), None),
        ColumnType::Boolean => (Some(Type::Boolean), None),
        ColumnType::DateTime | ColumnType::Timestamp | ColumnType::TimestampWithTimeZone => {
            (Some(Type::String), Some(KnownFormat::DateTime))
        }
        _ => (None, None),
    }
}

fn typed(kind: Type, format: Option<KnownFormat>, nullable: bool, about: Option<String>) -> Schema {
    let kind = match nullable {
        true => SchemaType::from_iter([kind, Type::Null]),
        false => SchemaType::Type(kind),
    };
    ObjectBuilder::new()
        .schema_type(kind)
        .format(format.map(SchemaFormat::KnownFormat))
        .description(about)
        .build()
        .into()
}
