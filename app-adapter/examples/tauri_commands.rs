//! The commands of a Tauri app, without Tauri: what it would put `#[tauri::command]` on takes its state as
//! `State<'_, CloudSync>`, which derefs to what is taken here, and answers what serde can write.

#![expect(clippy::print_stdout, reason = "it stands for what a front end shows")]

use app_adapter::{CloudSync, Connect, Password, ServerUrl, SyncStatus, Trigger};

/// What a front end is told when something did not work: a word for it, words for people.
#[derive(Debug, serde::Serialize)]
struct Failure {
    code: String,
    message: String,
}

impl From<&app_adapter::AdapterError> for Failure {
    fn from(error: &app_adapter::AdapterError) -> Self {
        let (code, message) = (error.word().to_owned(), error.to_string());
        Self { code, message }
    }
}

async fn connect(
    sync: &CloudSync,
    url: &str,
    email: String,
    password: String,
) -> Result<(), Failure> {
    let url = ServerUrl::parse(url, false).map_err(|e| Failure::from(&e))?;
    let wanted = Connect::new(url, &email, Password::new(password), "desktop");
    sync.connect(&wanted).await.map_err(|e| Failure::from(&e))?;
    Ok(())
}

async fn sync_now(sync: &CloudSync) -> Result<sync_core::SyncReport, Failure> {
    sync.sync_now().await.map_err(|e| Failure::from(&*e))
}

fn status(sync: &CloudSync) -> SyncStatus {
    sync.status().borrow().clone()
}

/// For `RunEvent::Resumed` and the front end's `online`.
fn woke_up(sync: &CloudSync) {
    sync.notify(Trigger::Resume);
}

/// `tauri::Builder::setup` manages the handle and passes the events on with `app.emit("sync", event)`; here
/// they are printed.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args()
        .nth(1)
        .ok_or("usage: tauri_commands FILE")?;
    let sync = CloudSync::open(file.as_ref()).await?;
    let mut events = sync.events();
    let emit = tokio::spawn(async move {
        while let Ok(event) = events.recv().await {
            println!("emit {}", serde_json::to_string(&event).unwrap_or_default());
        }
    });
    woke_up(&sync);
    let refused = connect(&sync, "http://zentrio.eu", String::new(), String::new()).await;
    println!("{}", serde_json::to_string(&refused.err())?);
    println!("{}", serde_json::to_string(&sync_now(&sync).await.err())?);
    println!("{}", serde_json::to_string(&status(&sync))?);
    sync.stop().await;
    emit.abort();
    Ok(())
}
