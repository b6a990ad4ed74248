//! A saved model shows what the database has, also what a trigger put there.
//!
//! SeaORM alone sees to that unless its feature `sqlite-use-returning-for-3_35` is on, which is a default:
//! `cargo test -p sync-core --test derive --features sea-orm/sqlite-use-returning-for-3_35`.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, Database, DatabaseConnection,
    IntoActiveModel, Schema,
};

use crate::library::shelf;

async fn database(folder: &tempfile::TempDir) -> DatabaseConnection {
    let file = folder.path().join("library.sqlite");
    let db = Database::connect(format!("sqlite://{}?mode=rwc", file.display()))
        .await
        .unwrap();
    let schema = Schema::new(db.get_database_backend());
    db.execute(&schema.create_table_from_entity(shelf::Entity))
        .await
        .unwrap();
    for event in ["INSERT", "UPDATE OF remote_id"] {
        let name = event.to_lowercase().replace(' ', "_");
        let update = "UPDATE shelves SET dirty = 1 WHERE id = NEW.id";
        let trigger =
            format!("CREATE TRIGGER on_{name} AFTER {event} ON shelves BEGIN {update}; END");
        db.execute_unprepared(&trigger).await.unwrap();
    }
    db
}

#[tokio::test]
async fn a_saved_model_shows_what_a_trigger_changed() {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder).await;
    let shelf = shelf::ActiveModel {
        account: Set(1),
        name: Set("Hall".to_owned()),
        remote_id: Set("s-1".to_owned()),
        dirty: Set(Some(false)),
        ..Default::default()
    };
    let mut shelf = shelf.insert(&db).await.unwrap();
    assert_eq!(shelf.dirty, Some(true), "after an insert");

    shelf.dirty = Some(false);
    let mut shelf = shelf.into_active_model();
    shelf.remote_id = Set("s-2".to_owned());
    let shelf = shelf.update(&db).await.unwrap();
    assert_eq!(
        (shelf.remote_id.as_str(), shelf.dirty),
        ("s-2", Some(true)),
        "after an update"
    );
}
