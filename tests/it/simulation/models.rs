//! Edits through SeaORM: models, active models, bulk queries.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entity::{list, list_item, profile, watch_history};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseConnection, DbErr, EntityTrait,
    IntoActiveModel, QueryFilter, sea_query::Expr,
};
use sync_core::{
    SyncModel,
    testing::{Editor, Edits, UserEdit},
};

/// One edit through SeaORM.
#[derive(Clone, Debug)]
enum ModelEdit {
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

/// Chooses one of them.
pub(super) struct ModelEdits;

impl Edits for ModelEdits {
    fn choose(&self, editor: &mut Editor<'_>) -> Option<Box<dyn UserEdit>> {
        Some(Box::new(choose(editor)?))
    }
}

fn choose(editor: &mut Editor<'_>) -> Option<ModelEdit> {
    Some(match editor.below(8) {
        0 => ModelEdit::RenameList {
            id: editor.live("lists")?,
            name: editor.text(),
        },
        1 | 2 => ModelEdit::Watch {
            id: editor.live("watch_history")?,
            title: editor.text(),
            position: i64::try_from(editor.below(9_000)).ok()?,
        },
        3 => ModelEdit::NewItem {
            list_id: editor.live("lists")?,
            meta_id: format!("meta_id {}", editor.below(3)),
            title: editor.text(),
            created_at: DateTime::from_timestamp_millis(editor.now_ms())?,
        },
        4 => ModelEdit::Avatars {
            ids: editor.all_live("profiles"),
            avatar: editor.text(),
        },
        5 if editor.percent(50) => ModelEdit::DeleteList {
            id: editor.live("lists")?,
        },
        5 => ModelEdit::DeleteWatch {
            id: editor.live("watch_history")?,
        },
        6 if editor.options().undeletes => ModelEdit::UndeleteProfile {
            id: editor.deleted("profiles")?,
        },
        _ if editor.options().hard_deletes => ModelEdit::RemoveItem {
            id: editor.live("list_items")?,
        },
        _ => return None,
    })
}

#[async_trait]
impl UserEdit for ModelEdit {
    async fn make(&self, db: &DatabaseConnection) -> Result<(), DbErr> {
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
