//! A way to a server that goes no further than the account it was made for.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use sync_core::{Device, Transport, TransportError};

/// Sends only while the database still belongs to the account: another program may connect it to another one at any
/// time, and what is collected from then on is not for this server.
pub(super) struct Bound {
    pub(super) inner: Box<dyn Transport>,
    pub(super) device: Device,
    pub(super) url: String,
    pub(super) user_id: String,
}

#[async_trait]
impl Transport for Bound {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let state = self.device.state().await;
        let state = state.map_err(|error| TransportError::lost(error.to_string()))?;
        let is_same = state.remote_url.as_ref() == Some(&self.url)
            && state.remote_user_id.as_ref() == Some(&self.user_id);
        if !is_same {
            let message = "the database was connected to another account meanwhile";
            return Err(TransportError::lost(message));
        }
        self.inner.send(request).await
    }
}
