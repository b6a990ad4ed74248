//! Edits through SeaORM: models, active models, bulk queries.

use anyhow::Result;
use chrono::{DateTime, Utc};
use entity::{list, list_item, profile, watch_history};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseConnection, EntityTrait,
    IntoActiveModel, QueryFilter, sea_query::Expr,
};
use sync_core::SyncModel;

use super::Editor;

/// One edit through SeaORM.
#[derive(Clone, Debug)]
pub(crate) enum ModelEdit {
    RenameList {
        id: i64,
        name: String,
    },
    Watch {
        id: i64,
        title: String,
        position: i64,
    },
    NewItem {
        list_id: i64,
        meta_id: String,
        title: String,
        created_at: DateTime<Utc>,
    },
    Avatars {
        ids: Vec<i64>,
        avatar: String,
    },
    DeleteList {
        id: i64,
    },
    DeleteWatch {
        id: i64,
    },
    UndeleteProfile {
        id: i64,
    },
    RemoveItem {
        id: i64,
    },
}

impl Editor<'_> {
    pub(super) fn model(&mut self) -> Option<ModelEdit> {
        Some(match self.rng.below(8) {
            0 => ModelEdit::RenameList {
                id: self.live("lists")?.id,
                name: self.token(),
            },
            1 | 2 => ModelEdit::Watch {
                id: self.live("watch_history")?.id,
                title: self.token(),
                position: self.rng.between(1, 9_000),
            },
            3 => ModelEdit::NewItem {
                list_id: self.live("lists")?.id,
                meta_id: format!("tt{}", self.rng.below(3)),
                title: self.token(),
                created_at: DateTime::from_timestamp_millis(self.now_ms)?,
            },
            4 => ModelEdit::Avatars {
                ids: self
                    .dump
                    .of("profiles")
                    .filter(|row| row.live())
                    .map(|row| row.id)
                    .collect(),
                avatar: self.token(),
            },
            5 if self.rng.percent(50) => ModelEdit::DeleteList {
                id: self.live("lists")?.id,
            },
            5 => ModelEdit::DeleteWatch {
                id: self.live("watch_history")?.id,
            },
            6 if self.options.undeletes => ModelEdit::UndeleteProfile {
                id: self.deleted("profiles")?.id,
            },
            _ if self.options.hard_deletes => ModelEdit::RemoveItem {
                id: self.live("list_items")?.id,
            },
            _ => return None,
        })
    }
}

impl ModelEdit {
    pub(super) async fn make(&self, db: &DatabaseConnection) -> Result<()> {
        match self.clone() {
            Self::RenameList { id, name } => {
                if let Some(list) = list::Entity::find_by_id(id).one(db).await? {
                    let mut list = list.into_active_model();
                    list.name = Set(name);
                    list.update(db).await?;
                }
            }
            Self::Watch {
                id,
                title,
                position,
            } => {
                if let Some(watched) = watch_history::Entity::find_by_id(id).one(db).await? {
                    let mut watched = watched.into_active_model();
                    watched.title = Set(Some(title));
                    watched.position = Set(Some(position));
                    watched.update(db).await?;
                }
            }
            Self::NewItem {
                list_id,
                meta_id,
                title,
                created_at,
            } => {
                let item = list_item::ActiveModel {
                    list_id: Set(list_id),
                    meta_id: Set(meta_id),
                    r#type: Set("movie".to_owned()),
                    title: Set(Some(title)),
                    created_at: Set(Some(created_at)),
                    ..Default::default()
                };
                item.insert(db).await?;
            }
            Self::Avatars { ids, avatar } => {
                let update = profile::Entity::update_many()
                    .col_expr(profile::Column::Avatar, Expr::val(avatar));
                update
                    .filter(profile::Column::Id.is_in(ids))
                    .exec(db)
                    .await?;
            }
            Self::DeleteList { id } => {
                if let Some(list) = list::Entity::find_by_id(id).one(db).await? {
                    list.soft_delete(db).await?;
                }
            }
            Self::DeleteWatch { id } => {
                if let Some(watched) = watch_history::Entity::find_by_id(id).one(db).await? {
                    watched.soft_delete(db).await?;
                }
            }
            Self::UndeleteProfile { id } => {
                if let Some(profile) = profile::Entity::find_by_id(id).one(db).await? {
                    profile.undelete(db).await?;
                }
            }
            Self::RemoveItem { id } => {
                list_item::Entity::delete_by_id(id).exec(db).await?;
            }
        }
        Ok(())
    }
}
