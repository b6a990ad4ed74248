//! Nothing an entity's author has in scope can break what is generated.

use sea_orm::entity::prelude::*;
use sync_core::Syncable as Sync;

#[expect(unused_imports, reason = "these are in the way")]
use self::in_the_way::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Sync)]
#[sea_orm(table_name = "notes")]
#[sync(natural_key(account, r#match))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(owner)]
    pub account: Option<String>,
    pub r#match: String,
    #[sync(merge = "other")]
    pub register: i64,
    #[sync(merge = "column")]
    pub names: Option<i64>,
    pub ids: i64,
    pub wire: i64,
    pub active: bool,
    pub remote_id: String,
    pub dirty: Option<bool>,
    pub updated_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
}

fn other(one: &i64, two: &i64) -> i64 {
    *one.max(two)
}

fn column(one: &Option<i64>, two: &Option<i64>) -> Option<i64> {
    *one.max(two)
}

mod in_the_way {
    #![expect(dead_code, reason = "these are in the way")]

    pub struct Field;
    pub struct LookupRow;
    pub struct Meta;
    pub struct Millis;
    pub struct Reference;
    pub struct Register;
    pub struct Shape;
}
