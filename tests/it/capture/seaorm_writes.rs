//! Every way in which SeaORM writes, also those that run no hook.

use anyhow::Result;
use entity::{list, list_item, watch_history};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, TransactionTrait,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    an_active_model_that_is_inserted,
    an_active_model_that_is_updated,
    an_active_model_that_is_saved,
    an_active_model_that_is_deleted,
    an_active_model_with_equal_values,
    a_statement_that_inserts_one,
    a_statement_that_inserts_many,
    a_statement_that_updates_many,
    a_statement_that_deletes_many,
    an_upsert,
    an_upsert_that_does_nothing,
    a_transaction_rolled_back,
);

async fn mine(db: &CapturedDb) -> Result<list::Model> {
    Ok(list::Entity::find_by_id(1)
        .one(db.db())
        .await?
        .expect("the list is there"))
}

fn new_list(name: &str) -> list::ActiveModel {
    list::ActiveModel {
        profile_id: Set(1),
        name: Set(name.to_owned()),
        ..Default::default()
    }
}

async fn an_active_model_that_is_inserted(db: CapturedDb) -> Result<()> {
    let returned = new_list("Later").insert(db.db()).await?;

    assert_eq!(db.pending().await?, ["lists 2 *"]);
    let stored = list::Entity::find_by_id(returned.id).one(db.db()).await?;
    assert_eq!(Some(&returned), stored.as_ref());
    assert!(
        returned.dirty == Some(true) && returned.updated_at.is_some(),
        "{returned:?}"
    );
    Ok(())
}

async fn an_active_model_that_is_updated(db: CapturedDb) -> Result<()> {
    let mut list = mine(&db).await?.into_active_model();
    list.name = Set("Ours".to_owned());
    let returned = list.update(db.db()).await?;

    assert_eq!(db.pending().await?, ["lists 1 name"]);
    assert_eq!(returned, mine(&db).await?);
    assert_eq!(returned.dirty, Some(true));
    Ok(())
}

async fn an_active_model_that_is_saved(db: CapturedDb) -> Result<()> {
    new_list("Later").save(db.db()).await?;
    let mut list = mine(&db).await?.into_active_model();
    list.is_default = Set(Some(true));
    list.save(db.db()).await?;
    let mut film = watch_history::Entity::find_by_id(1)
        .one(db.db())
        .await?
        .expect("the film")
        .into_active_model();
    film.position = Set(Some(61));
    film.update_without_returning(db.db()).await?;

    assert_eq!(
        db.pending().await?,
        [
            "lists 1 is_default",
            "lists 2 *",
            "watch_history 1 progress"
        ]
    );
    Ok(())
}

async fn an_active_model_that_is_deleted(db: CapturedDb) -> Result<()> {
    let items = list_item::Entity::find().all(db.db()).await?;
    for (number, item) in items.into_iter().enumerate() {
        if number == 0 {
            item.delete(db.db()).await?;
        } else {
            item.into_active_model().delete(db.db()).await?;
        }
    }

    assert_eq!(
        db.pending().await?,
        ["list_items 1 gone", "list_items 2 gone"]
    );
    Ok(())
}

/// The hook cannot know that nothing will change, the database does.
async fn an_active_model_with_equal_values(db: CapturedDb) -> Result<()> {
    let mut list = mine(&db).await?.into_active_model();
    list.name = Set("Mine".to_owned());
    list.is_default = Set(None);
    let returned = list.update(db.db()).await?;

    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(returned, mine(&db).await?);
    Ok(())
}

async fn a_statement_that_inserts_one(db: CapturedDb) -> Result<()> {
    list::Entity::insert(new_list("Later"))
        .exec(db.db())
        .await?;
    list::Entity::insert(new_list("Never"))
        .exec_with_returning(db.db())
        .await?;

    assert_eq!(db.pending().await?, ["lists 2 *", "lists 3 *"]);
    Ok(())
}

async fn a_statement_that_inserts_many(db: CapturedDb) -> Result<()> {
    let lists = || ["Later", "Never"].map(new_list);
    list::Entity::insert_many(lists()).exec(db.db()).await?;
    let named = ["Soon", "Often"].map(new_list);
    list::Entity::insert_many(named)
        .exec_without_returning(db.db())
        .await?;

    assert_eq!(
        db.pending().await?,
        ["lists 2 *", "lists 3 *", "lists 4 *", "lists 5 *"]
    );
    Ok(())
}

async fn a_statement_that_updates_many(db: CapturedDb) -> Result<()> {
    list_item::Entity::update_many()
        .col_expr(
            list_item::Column::Title,
            Expr::col(list_item::Column::MetaId),
        )
        .filter(list_item::Column::ListId.eq(1))
        .exec(db.db())
        .await?;
    let mut list = mine(&db).await?.into_active_model();
    list.name = Set("Ours".to_owned());
    list::Entity::update(list).exec(db.db()).await?;

    assert_eq!(
        db.pending().await?,
        ["list_items 1 title", "list_items 2 title", "lists 1 name"]
    );
    Ok(())
}

async fn a_statement_that_deletes_many(db: CapturedDb) -> Result<()> {
    list_item::Entity::delete_many()
        .filter(list_item::Column::MetaId.is_in(["tt1", "tt2"]))
        .exec(db.db())
        .await?;
    watch_history::Entity::delete_by_id(1).exec(db.db()).await?;

    assert_eq!(
        db.pending().await?,
        [
            "list_items 1 gone",
            "list_items 2 gone",
            "watch_history 1 gone"
        ]
    );
    Ok(())
}

fn on_taken_name() -> OnConflict {
    let live = Expr::col(list::Column::DeletedAt).is_null();
    OnConflict::columns([list::Column::ProfileId, list::Column::Name])
        .target_and_where(live)
        .to_owned()
}

async fn an_upsert(db: CapturedDb) -> Result<()> {
    let lists = ["Mine", "Later"].map(|name| list::ActiveModel {
        is_default: Set(Some(true)),
        ..new_list(name)
    });
    let update = on_taken_name()
        .update_column(list::Column::IsDefault)
        .to_owned();
    list::Entity::insert_many(lists)
        .on_conflict(update)
        .exec_without_returning(db.db())
        .await?;

    let new = db.one("SELECT id FROM lists WHERE name = 'Later'").await?;
    assert_eq!(
        db.pending().await?,
        ["lists 1 is_default".to_owned(), format!("lists {new} *")]
    );
    Ok(())
}

async fn an_upsert_that_does_nothing(db: CapturedDb) -> Result<()> {
    let same = on_taken_name().update_column(list::Column::Name).to_owned();
    let nothing = on_taken_name().do_nothing().to_owned();
    for conflict in [same, nothing] {
        list::Entity::insert(new_list("Mine"))
            .on_conflict(conflict)
            .exec_without_returning(db.db())
            .await?;
    }

    assert_eq!(db.pending().await?, [""; 0]);
    Ok(())
}

async fn a_transaction_rolled_back(db: CapturedDb) -> Result<()> {
    let tx = db.db().begin().await?;
    new_list("Later").insert(&tx).await?;
    list::Entity::delete_by_id(1).exec(&tx).await?;
    tx.rollback().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(db.rows("SELECT name FROM lists").await?, ["Mine"]);
    Ok(())
}
