//! What an application does with a synced row, by SeaORM's plain models.

use anyhow::Result;
use entity::{list, list_item, profile};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, TransactionTrait};
use sync_core::{SyncEntity, SyncModel};
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    a_row_is_deleted_softly,
    a_deleted_row_stays_as_it_was_deleted,
    a_row_comes_back_with_its_children,
    a_row_that_is_not_deleted_is_not_touched_by_an_undelete,
    de20_deleted_rows_are_told_from_live_ones,
    a_row_is_found_by_its_name,
    a_row_marked_dirty_is_pushed_whole,
    what_is_pending_of_a_row,
    all_of_it_works_in_a_transaction,
    a_row_that_is_gone_is_an_error,
);

async fn mine(db: &CapturedDb) -> Result<list::Model> {
    Ok(list::Entity::find_by_id(1)
        .one(db.db())
        .await?
        .expect("the list is there"))
}

async fn a_row_is_deleted_softly(db: CapturedDb) -> Result<()> {
    let deleted = mine(&db).await?.soft_delete(db.db()).await?;

    assert!(deleted.is_deleted() && deleted.is_dirty(), "{deleted:?}");
    assert_eq!(deleted, mine(&db).await?);
    assert_eq!(
        db.pending().await?,
        [
            "list_items 1 deleted_at",
            "list_items 2 deleted_at",
            "lists 1 deleted_at"
        ]
    );
    assert_eq!(list_item::Entity::find_live().all(db.db()).await?.len(), 0);
    db.sync().await?;
    let other = db.another_device(2).await?;
    other.sync().await?;
    assert_eq!(
        other
            .rows("SELECT name FROM lists WHERE deleted_at IS NULL")
            .await?,
        [""; 0]
    );
    Ok(())
}

async fn a_deleted_row_stays_as_it_was_deleted(db: CapturedDb) -> Result<()> {
    let deleted = mine(&db).await?.soft_delete(db.db()).await?;
    let again = deleted.clone().soft_delete(db.db()).await?;

    assert_eq!(again, deleted);
    assert_eq!(
        db.rows("SELECT edits FROM sync_pending WHERE tbl = 'lists'")
            .await?,
        ["1"]
    );
    Ok(())
}

async fn a_row_comes_back_with_its_children(db: CapturedDb) -> Result<()> {
    let item = list_item::Entity::find_by_id(1)
        .one(db.db())
        .await?
        .expect("it is there");
    item.soft_delete(db.db()).await?;
    // Else both may carry the same stamp.
    db.sql("UPDATE list_items SET deleted_at = '2026-01-01 00:00:00' WHERE id = 1")
        .await?;
    let profile = profile::Entity::find_by_id(1)
        .one(db.db())
        .await?
        .expect("it is there");
    let deleted = profile.soft_delete(db.db()).await?;
    db.sync().await?;

    let back = deleted.undelete(db.db()).await?;

    assert!(!back.is_deleted() && back.is_dirty(), "{back:?}");
    assert!(!mine(&db).await?.is_deleted());
    let items = list_item::Entity::find_live().all(db.db()).await?;
    assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), [2]);
    Ok(())
}

async fn a_row_that_is_not_deleted_is_not_touched_by_an_undelete(db: CapturedDb) -> Result<()> {
    let before = mine(&db).await?;

    assert_eq!(before.clone().undelete(db.db()).await?, before);
    assert_eq!(db.pending().await?, [""; 0]);
    Ok(())
}

async fn de20_deleted_rows_are_told_from_live_ones(db: CapturedDb) -> Result<()> {
    let item = list_item::Entity::find_by_id(1)
        .one(db.db())
        .await?
        .expect("it is there");
    item.soft_delete(db.db()).await?;

    let live = list_item::Entity::find_live().all(db.db()).await?;
    let deleted = list_item::Entity::find_deleted().all(db.db()).await?;
    assert_eq!(live.iter().map(|item| item.id).collect::<Vec<_>>(), [2]);
    assert_eq!(deleted.iter().map(|item| item.id).collect::<Vec<_>>(), [1]);
    Ok(())
}

async fn a_row_is_found_by_its_name(db: CapturedDb) -> Result<()> {
    let list = mine(&db).await?;
    let name = list.remote_id().expect("it was synced").to_owned();

    let found = list::Entity::find_by_remote_id(&name).one(db.db()).await?;
    assert_eq!(found, Some(list));
    assert_eq!(
        list_item::Entity::find_by_remote_id(&name)
            .one(db.db())
            .await?,
        None
    );

    let new = list::ActiveModel {
        profile_id: Set(1),
        name: Set("Later".to_owned()),
        ..Default::default()
    };
    assert_eq!(new.insert(db.db()).await?.remote_id(), None);
    Ok(())
}

async fn a_row_marked_dirty_is_pushed_whole(db: CapturedDb) -> Result<()> {
    let marked = mine(&db).await?.mark_dirty(db.db()).await?;

    assert!(marked.is_dirty());
    assert_eq!(db.pending().await?, ["lists 1 *"]);
    marked.mark_dirty(db.db()).await?;
    assert_eq!(db.rows("SELECT edits FROM sync_pending").await?, ["2"]);
    db.sync().await?;
    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(mine(&db).await?.name, "Mine");
    Ok(())
}

async fn what_is_pending_of_a_row(db: CapturedDb) -> Result<()> {
    db.pin(4_000_000_000_000).await?;
    let mut list = mine(&db).await?.into_active_model();
    list.name = Set("Ours".to_owned());
    list.is_default = Set(Some(true));
    let list = list.update(db.db()).await?;
    let mut twice = list.clone().into_active_model();
    twice.name = Set("Theirs".to_owned());
    twice.update(db.db()).await?;

    let pending = list.pending(db.db()).await?;

    let read: Vec<_> = pending
        .iter()
        .map(|change| (change.register.as_str(), change.n_edits, change.n_sent))
        .collect();
    assert_eq!(read, [("is_default", 1, 0), ("name", 2, 0)]);
    assert_eq!(pending[1].before.as_deref(), Some("'Mine'"));
    assert!(
        pending
            .iter()
            .all(|change| change.edited_at.0 >= 4_000_000_000_000),
        "{pending:?}"
    );
    let item = list_item::Entity::find_by_id(1)
        .one(db.db())
        .await?
        .expect("it is there");
    assert_eq!(item.pending(db.db()).await?, []);
    Ok(())
}

async fn all_of_it_works_in_a_transaction(db: CapturedDb) -> Result<()> {
    let tx = db.db().begin().await?;
    let list = list::Entity::find_by_id(1)
        .one(&tx)
        .await?
        .expect("it is there");
    let list = list
        .soft_delete(&tx)
        .await?
        .undelete(&tx)
        .await?
        .mark_dirty(&tx)
        .await?;
    assert_eq!(list.pending(&tx).await?.len(), 2);
    tx.rollback().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    Ok(())
}

async fn a_row_that_is_gone_is_an_error(db: CapturedDb) -> Result<()> {
    let list = mine(&db).await?;
    db.sql("DELETE FROM lists").await?;
    let before = db.pending().await?;

    assert!(list.clone().soft_delete(db.db()).await.is_err());
    assert!(list.clone().undelete(db.db()).await.is_err());
    assert!(list.mark_dirty(db.db()).await.is_err());
    assert_eq!(db.pending().await?, before);
    Ok(())
}
