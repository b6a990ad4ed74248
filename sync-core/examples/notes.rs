//! Notes with tags, on a server and on as many devices as one likes: the program of README.md.

#![allow(unreachable_pub, reason = "entities are written as in an application")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to its reader"
)]

use std::{env, error::Error, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use sea_orm::{ActiveValue::Set, Database, DatabaseConnection, DbErr, Schema, prelude::*};
use sync_core::{
    Device, Registry, RegistryError, SyncEntity, SystemClock, UuidV7,
    device::Connection,
    http_transport::HttpTransport,
    server::{Caller, SyncServer},
};
use tokio::net::TcpListener;

mod note {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        pub title: String,
        pub text: Option<String>,
        // What sync needs of every table:
        pub remote_id: Option<String>,
        #[sea_orm(default_value = false)]
        pub dirty: bool,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
        #[sea_orm(has_many)]
        pub tags: HasMany<super::tag::Entity>,
    }
}

mod tag {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "tags")]
    #[sync(natural_key(note_id, name))] // the same tag on the same note is one row, whoever adds it
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(parent)] // belongs to whom the note belongs to, and goes with it
        pub note_id: i64,
        pub name: String,
        pub remote_id: Option<String>,
        #[sea_orm(default_value = false)]
        pub dirty: bool,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
        #[sea_orm(belongs_to, from = "note_id", to = "id", on_delete = "Cascade")]
        pub note: BelongsTo<super::note::Entity>,
    }
}

fn registry() -> Result<Registry, RegistryError> {
    Registry::builder()
        .table::<note::Entity>()
        .table::<tag::Entity>()
        .build()
}

/// Opens a SQLite file with the tables in it; an application runs its migrations here.
async fn open(file: &str) -> Result<DatabaseConnection, DbErr> {
    let db = Database::connect(format!("sqlite://{file}?mode=rwc")).await?;
    let schema = Schema::new(db.get_database_backend());
    let mut notes = schema.create_table_from_entity(note::Entity);
    let mut tags = schema.create_table_from_entity(tag::Entity);
    db.execute(notes.if_not_exists()).await?;
    db.execute(tags.if_not_exists()).await?;
    Ok(db)
}

// The server.

/// Who may sync, as whom: a real server keeps a table of tokens, one for each device.
const TOKENS: [(&str, &str, i64); 2] = [("token-1", "ann", 1), ("token-2", "ann", 2)];

fn caller(request: &Request) -> Option<Caller> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let shown = header.strip_prefix("Bearer ")?;
    let (_, user, device) = TOKENS.into_iter().find(|(token, ..)| *token == shown)?;
    Some(Caller {
        user_id: user.to_owned(),
        device,
    })
}

async fn answer(State(server): State<SyncServer>, request: Request) -> Response {
    let Some(caller) = caller(&request) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 8 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = axum::http::Request::from_parts(parts, body);
    server.answer(caller, request).await.map(Body::from)
}

pub(crate) async fn serve(listener: TcpListener, file: &str) -> Result<(), Box<dyn Error>> {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
    let server = SyncServer::new(open(file).await?, registry()?, clock, ids);
    server.install().await?;
    let routes = Router::new().fallback(answer).with_state(server);
    Ok(axum::serve(listener, routes).await?)
}

// A device.

/// Writes a note with a tag, if there is one to write, syncs, and tells all notes.
pub(crate) async fn visit(
    url: &str,
    file: &str,
    token: &str,
    title: Option<String>,
) -> Result<Vec<String>, Box<dyn Error>> {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
    let device = Device::open(open(file).await?, registry()?, clock, ids).await?;
    device
        .connect(&Connection {
            remote_url: url.to_owned(),
            remote_user_id: "ann".to_owned(),
            email: None,
            auth_token: String::new(), // kept by whoever calls, here in a constant
            local_user_id: "ann".to_owned(),
        })
        .await?;
    if let Some(title) = title {
        let note = note::ActiveModel {
            user_id: Set("ann".to_owned()),
            title: Set(title),
            ..Default::default()
        };
        let tag = tag::ActiveModel {
            note_id: Set(note.insert(device.db()).await?.id),
            name: Set(format!("written in {file}")),
            ..Default::default()
        };
        tag.insert(device.db()).await?;
    }
    let transport = HttpTransport::new(url, Some(token.to_owned()))?;
    match device.sync(&transport, &|_| {}).await {
        Ok(report) => eprintln!("sent {}, received {}", report.n_pushed, report.n_pulled),
        Err(error) => eprintln!("not synced, but nothing is lost: {error}"),
    }
    let notes = note::Entity::find_live().all(device.db()).await?;
    Ok(notes.into_iter().map(|note| note.title).collect())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = "127.0.0.1:8900";
    let mut words = env::args().skip(1);
    match (words.next(), words.next(), words.next()) {
        (Some(word), None, None) if word == "serve" => {
            serve(TcpListener::bind(address).await?, "server.sqlite").await
        }
        (Some(file), Some(token), title) => {
            let url = format!("http://{address}");
            let notes = visit(&url, &file, &token, title).await?;
            notes.iter().for_each(|note| println!("{note}"));
            Ok(())
        }
        _ => Err("say `serve`, or FILE TOKEN [TITLE]".into()),
    }
}
