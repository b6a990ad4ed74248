//! From where a request comes, as far as limits need to know.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Once,
};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::{HeaderMap, header::FORWARDED, request::Parts};

use super::proxies::X_FORWARDED_FOR;
use crate::AppState;

/// An IPv4 address, or the /64 of an IPv6 address, as that is the least that one person has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(String);

/// All requests whose sender cannot be told.
const UNKNOWN: &str = "unknown";

impl Place {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn of_address(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }

    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromRequestParts<AppState> for Place {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(address)| address.ip());
        let address = match &state.config.trust_proxy {
            Some(proxies) => proxies.client(&parts.headers, peer),
            None => {
                warn_of_proxy(&parts.headers, peer);
                peer
            }
        };
        Ok(address.map_or_else(|| Self(UNKNOWN.to_owned()), Self::of_address))
    }
}

/// Behind a proxy that nobody told us of, all clients are one, and each of them can use up its attempts.
fn warn_of_proxy(headers: &HeaderMap, peer: Option<IpAddr>) {
    static ONCE: Once = Once::new();
    let is_near = match peer.map(|peer| peer.to_canonical()) {
        Some(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private(),
        Some(IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unique_local(),
        None => false,
    };
    if is_near && (headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)) {
        ONCE.call_once(|| {
            tracing::warn!(
                "requests seem to come through a proxy: say --trust-proxy, or attempts to log in are \
                 counted as if all came from one address"
            );
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_counts_with_its_neighbours() {
        for (address, place) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
        ] {
            let address: IpAddr = address.parse().expect("address");
            assert_eq!(Place::of_address(address).as_str(), place);
        }
    }
}
