//! The Cloud Sync page, on loopback only: for people, and with the endpoints that the app's own front end calls.
//!
//! Every request is judged by [`door`] before a route sees it. What a route does is done by [`CloudSync`].

mod asking;
mod assets;
mod door;
mod forms;
mod front_end;
mod guard;
mod labels;
mod live;
mod secret;
mod secret_file;
mod server;
mod sessions;
mod show;
mod view;

pub use server::{Page, PageOptions};

use std::sync::Arc;

use self::{asking::Asking, door::Door, secret::Secret, sessions::Sessions};
use tokio::sync::{Mutex, watch};

use crate::{CloudSync, Devices};

/// What the routes share.
#[derive(Clone)]
struct PageState {
    sync: CloudSync,
    door: Arc<Door>,
    sessions: Arc<Sessions>,
    asking: Arc<Asking>,
    /// What programs show that are no browsers.
    secret: Arc<Secret>,
    /// The account's devices, and as of which sync of which account they are known.
    devices: Arc<Mutex<Option<(AsOf, Devices)>>>,
    /// Whether the page is to stop.
    stopped: watch::Receiver<bool>,
}

/// Of syncs how many, and of which account.
type AsOf = (u64, Option<String>);
