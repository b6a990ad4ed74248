//! The account's devices, as the server lists them.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::Serialize;
use sync_core::{
    SyncError, Transport, TransportError,
    protocol::{DEVICES_PATH, Device, DevicesAnswer, ErrorBody},
};

use crate::{Adapter, AdapterError};

/// The account's devices, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Devices(pub Vec<Device>);

impl Adapter {
    /// The account's devices; none from a server so old that it does not list them.
    ///
    /// # Errors
    /// If there is no usable login, or the server is not reached.
    pub async fn devices(&self) -> Result<Devices, AdapterError> {
        let transport = self.transport().await?;
        let listed = list(&*transport).await?;
        Ok(Devices(
            listed.map(|listed| listed.devices).unwrap_or_default(),
        ))
    }

    /// Ends the login of one of the account's devices.
    ///
    /// # Errors
    /// If there is no usable login, the server is not reached, or knows no such device.
    pub async fn revoke_device(&self, id: &str) -> Result<(), AdapterError> {
        let transport = self.transport().await?;
        let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        let path = format!("{DEVICES_PATH}/{id}");
        match ask(&*transport, Method::DELETE, &path).await? {
            Some(_) => Ok(()),
            None => Err(SyncError::Refused {
                status: 404,
                code: "unknown_device".to_owned(),
                message: "the account has no such device any more".to_owned(),
                retry_after: None,
            }
            .into()),
        }
    }
}

/// Whose token it is that the transport shows.
///
/// # Errors
/// If the server does not accept it, or is not reached.
pub(crate) async fn account(transport: &dyn Transport) -> Result<String, SyncError> {
    let listed = list(transport).await?;
    let listed = listed
        .ok_or_else(|| SyncError::NotASyncServer("it does not tell whose login it is".to_owned()));
    Ok(listed?.user_id)
}

async fn list(transport: &dyn Transport) -> Result<Option<DevicesAnswer>, SyncError> {
    let Some(body) = ask(transport, Method::GET, DEVICES_PATH).await? else {
        return Ok(None);
    };
    let answer = serde_json::from_slice(&body);
    answer
        .map(Some)
        .map_err(|error| SyncError::NotASyncServer(error.to_string()))
}

/// The answer's body; none if there is no such thing.
async fn ask(
    transport: &dyn Transport,
    method: Method,
    path: &str,
) -> Result<Option<Bytes>, SyncError> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::new());
    let request = request.map_err(|error| TransportError {
        source: Some(error.into()),
        ..TransportError::lost("the request cannot be written")
    })?;
    let answer = transport.send(request).await?;
    match answer.status() {
        status if status.is_success() => Ok(Some(answer.into_body())),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
        StatusCode::UNAUTHORIZED => Err(SyncError::Unauthorized),
        status => {
            let status = status.as_u16();
            let body = serde_json::from_slice(answer.body()).unwrap_or_else(|_| {
                let words = format!("the server answered with status {status}");
                ErrorBody::new(format!("http_{status}"), words)
            });
            Err(SyncError::Refused {
                status,
                code: body.code,
                message: body.message,
                retry_after: sync_core::transport::retry_after(&answer),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{FakeServer, answer};

    #[tokio::test]
    async fn a_server_without_a_list_has_none() {
        for status in [404, 405] {
            let server = FakeServer::new(move |_| answer(status, &json!({})));
            let body = ask(&server, Method::GET, DEVICES_PATH).await;
            assert!(body.expect("an answer").is_none());
        }
        let server = FakeServer::new(|_| answer(503, &json!({})));
        let error = ask(&server, Method::GET, DEVICES_PATH).await;
        assert_eq!(error.expect_err("refused").word(), "http_503");
    }
}
