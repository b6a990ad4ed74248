//! Whom to believe about where a request comes from.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use http::{HeaderMap, HeaderName, header};

/// Proxies in front of this server, whose word for the client's address is taken.
///
/// `x-forwarded-for` or `forwarded`, the header that they write; with `:N` behind it where a request
/// passes N of them. What a client puts into the header itself stands further left than what they add,
/// and is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedProxies {
    header: Header,
    /// At least 1.
    n: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    XForwardedFor,
    Forwarded,
}

const MOST_PROXIES: usize = 16;
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (header, n) = text.trim().split_once(':').unwrap_or((text.trim(), "1"));
        let header = match header.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Header::XForwardedFor,
            "forwarded" => Header::Forwarded,
            _ => return Err("say `x-forwarded-for` or `forwarded`".to_owned()),
        };
        match n.parse() {
            Ok(n @ 1..=MOST_PROXIES) => Ok(Self { header, n }),
            _ => Err(format!("say a number of proxies from 1 to {MOST_PROXIES}")),
        }
    }
}

impl TrustedProxies {
    /// The client's address: what the outermost of our proxies saw. None if that is no address.
    pub(super) fn client(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
        let named = self.named(headers);
        // The last proxy is the peer itself and is named nowhere. A list that is too short is that of
        // somebody who reached us past a proxy.
        let at = named.len().saturating_sub(self.n);
        match named.get(at) {
            Some(address) => *address,
            None => peer,
        }
    }

    /// The addresses that the header names, from the client's side to ours.
    fn named(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let name = match self.header {
            Header::XForwardedFor => X_FORWARDED_FOR,
            Header::Forwarded => header::FORWARDED,
        };
        headers
            .get_all(name)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(|hop| {
                let hop = str::from_utf8(hop).ok()?.trim();
                match self.header {
                    Header::XForwardedFor => address(hop),
                    Header::Forwarded => address(forwarded_for(hop)?),
                }
            })
            .collect()
    }
}

/// The `for` of one hop, as in `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(hop: &str) -> Option<&str> {
    let mut pairs = hop
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    Some(value.trim().trim_matches('"'))
}

/// An address with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PEER: &str = "10.0.0.1";

    fn client(proxies: &str, values: &[&'static str]) -> Option<String> {
        let proxies: TrustedProxies = proxies.parse().expect("proxies");
        let name = match proxies.header {
            Header::XForwardedFor => "x-forwarded-for",
            Header::Forwarded => "forwarded",
        };
        let headers = values
            .iter()
            .map(|value| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        let found = proxies.client(&headers, PEER.parse().ok());
        found.map(|address| address.to_string())
    }

    #[test]
    fn the_client_is_whom_our_outermost_proxy_saw() {
        for (proxies, values, expected) in [
            ("x-forwarded-for", &["192.0.2.1"][..], Some("192.0.2.1")),
            // The first is what the client says of itself.
            (
                "x-forwarded-for",
                &["9.9.9.9, 192.0.2.1"],
                Some("192.0.2.1"),
            ),
            (
                "x-forwarded-for",
                &["9.9.9.9", "192.0.2.1"],
                Some("192.0.2.1"),
            ),
            (
                "X-Forwarded-For:2",
                &["9.9.9.9, 192.0.2.1,10.0.0.2"],
                Some("192.0.2.1"),
            ),
            ("x-forwarded-for:3", &["192.0.2.1"], Some("192.0.2.1")),
            (
                "x-forwarded-for",
                &["[2001:db8::1]:443"],
                Some("2001:db8::1"),
            ),
            ("x-forwarded-for", &["192.0.2.1:443"], Some("192.0.2.1")),
            ("x-forwarded-for", &[], Some(PEER)),
            ("x-forwarded-for", &["nonsense"], None),
            ("x-forwarded-for", &[""], None),
            (
                "forwarded",
                &["for=192.0.2.1;proto=https"],
                Some("192.0.2.1"),
            ),
            (
                "forwarded",
                &["For=9.9.9.9, by=x; for=\"[2001:db8::1]:4711\""],
                Some("2001:db8::1"),
            ),
            ("forwarded", &["for=_hidden"], None),
            ("forwarded", &["proto=https"], None),
            ("forwarded", &[], Some(PEER)),
        ] {
            assert_eq!(
                client(proxies, values).as_deref(),
                expected,
                "{proxies} {values:?}"
            );
        }
    }

    #[test]
    fn the_setting_names_a_header_and_a_number() {
        for bad in [
            "",
            "1",
            "x-real-ip",
            "forwarded:0",
            "forwarded:17",
            "forwarded:x",
        ] {
            assert!(bad.parse::<TrustedProxies>().is_err(), "{bad}");
        }
        let two: TrustedProxies = " forwarded:2 ".parse().expect("proxies");
        assert_eq!((two.header, two.n), (Header::Forwarded, 2));
    }
}
