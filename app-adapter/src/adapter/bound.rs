//! A way to a server that goes no further than the account it was made for.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use sync_core::{Device, Transport, TransportError};

/// Sends only if the database still belongs to the account: another program may connect it to another one between
/// the opening of the login and the sync. It looks once, when a sync holds the database's lease already: from then
/// on the account cannot change without ending that sync.
pub(super) struct Bound {
    pub(super) inner: Box<dyn Transport>,
    pub(super) device: Device,
    pub(super) url: String,
    pub(super) user_id: String,
    pub(super) is_checked: AtomicBool,
}

impl Bound {
    async fn check(&self) -> Result<(), TransportError> {
        let state = self.device.state().await;
        let state = state.map_err(|error| TransportError::lost(error.to_string()))?;
        let is_same = state.remote_url.as_ref() == Some(&self.url)
            && state.remote_user_id.as_ref() == Some(&self.user_id);
        if !is_same {
            let message = "the database was connected to another account meanwhile";
            return Err(TransportError::lost(message));
        }
        self.is_checked.store(true, Ordering::SeqCst);
        Ok(())
    }
}

#[async_trait]
impl Transport for Bound {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if !self.is_checked.load(Ordering::SeqCst) {
            self.check().await?;
        }
        self.inner.send(request).await
    }
}
