//! Which addresses a server may have: a login goes over TLS unless it stays in the house.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

use crate::error::AdapterError;

/// The server of whoever hosts none himself.
pub const DEFAULT_SERVER: &str = "https://zentrio.eu";

/// Names that only a private network resolves.
const PRIVATE_NAMES: [&str; 5] = [".local", ".lan", ".internal", ".home.arpa", ".localdomain"];

/// A server's address in its one normal form, such as `https://zentrio.eu`: no path, no slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(String);

/// How far away a host is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    ThisMachine,
    PrivateNetwork,
    Internet,
    /// No server is there, but perhaps something that answers whoever asks, as where clouds keep secrets.
    Nowhere,
}

impl ServerUrl {
    /// Reads an address as a person types it. Without a scheme it is `https`, or `http` on this machine.
    ///
    /// `http` is for this machine, and with `insecure_http` for a private network too: passwords and
    /// tokens would cross the internet in the clear.
    ///
    /// # Errors
    /// If it is not an address, holds more than a server's address does, or is `http` where it must not be.
    pub fn parse(text: &str, insecure_http: bool) -> Result<Self, AdapterError> {
        let bad = |reason| AdapterError::Url {
            url: without_login(text),
            reason,
        };
        let url =
            with_scheme(text.trim()).ok_or_else(|| bad("write it like https://zentrio.example"))?;
        let Some(host) = url.host() else {
            return Err(bad("it names no server"));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("leave the login out of it"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(bad("only the server's name and port belong in it, no path"));
        }
        match (url.scheme(), distance(&host)) {
            (_, Distance::Nowhere) => return Err(bad("no sync server has such an address")),
            ("https", _) | ("http", Distance::ThisMachine) => {}
            ("http", Distance::PrivateNetwork) if insecure_http => {}
            ("http", Distance::PrivateNetwork) => {
                return Err(bad(
                    "use https, or --insecure-http if you trust everybody in this network",
                ));
            }
            ("http", Distance::Internet) => {
                return Err(bad("use https: the password would go in the clear"));
            }
            _ => return Err(bad("it must begin with https://")),
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says which addresses the host of `url` may turn out to have, whatever a name server says.
///
/// Over `https` a server proves to be the one that was named before it is told anything: then it may be
/// anywhere, also in one's own network, where a name may lead to as soon as one is at home. Over `http` it has
/// to be as near as its name says.
pub(crate) fn may_have(url: &str) -> impl Fn(IpAddr) -> bool + Send + Sync + 'static {
    let farthest = match Url::parse(url) {
        Ok(url) if url.scheme() == "https" => Distance::Internet,
        Ok(url) => url.host().map_or(Distance::ThisMachine, |host| {
            distance(&host).min(Distance::PrivateNetwork)
        }),
        Err(_) => Distance::ThisMachine,
    };
    move |ip| distance_of_ip(ip) <= farthest
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn with_scheme(text: &str) -> Option<Url> {
    if text.contains("://") {
        return Url::parse(text).ok();
    }
    let https = Url::parse(&format!("https://{text}")).ok()?;
    let here = https
        .host()
        .is_some_and(|host| distance(&host) == Distance::ThisMachine);
    // Not by changing the scheme: that would keep the port that https hides.
    if here {
        Url::parse(&format!("http://{text}")).ok()
    } else {
        Some(https)
    }
}

fn distance<S: AsRef<str>>(host: &Host<S>) -> Distance {
    match host {
        Host::Ipv4(ip) => distance_of_ip((*ip).into()),
        Host::Ipv6(ip) => distance_of_ip((*ip).into()),
        Host::Domain(name) => distance_of_name(name.as_ref().trim_end_matches('.')),
    }
}

fn distance_of_ip(ip: IpAddr) -> Distance {
    match ip.to_canonical() {
        IpAddr::V4(ip) => distance_of_v4(ip),
        IpAddr::V6(ip) => distance_of_v6(ip),
    }
}

fn distance_of_v4(ip: Ipv4Addr) -> Distance {
    let [first, second, ..] = ip.octets();
    if ip.is_loopback() {
        Distance::ThisMachine
    } else if first == 0 || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast() {
        Distance::Nowhere
    } else if ip.is_private() || (first == 100 && second & 0xc0 == 64) {
        // 100.64/10 is what overlay networks give out.
        Distance::PrivateNetwork
    } else {
        Distance::Internet
    }
}

fn distance_of_v6(ip: Ipv6Addr) -> Distance {
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = ip.segments() {
        // What networks without IPv4 put an IPv4 address into.
        return distance_of_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    }
    if ip.is_loopback() {
        Distance::ThisMachine
    } else if ip.is_unspecified() || ip.is_unicast_link_local() || ip.is_multicast() {
        Distance::Nowhere
    } else if ip.is_unique_local() {
        Distance::PrivateNetwork
    } else {
        Distance::Internet
    }
}

fn distance_of_name(name: &str) -> Distance {
    if name == "localhost" || name.ends_with(".localhost") {
        Distance::ThisMachine
    } else if !name.contains('.') || PRIVATE_NAMES.iter().any(|end| name.ends_with(end)) {
        Distance::PrivateNetwork
    } else {
        Distance::Internet
    }
}

/// What was typed, without a password it may hold: the address is shown in an error.
fn without_login(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            if scheme.is_empty() {
                format!("…@{host}")
            } else {
                format!("{scheme}://…@{host}")
            }
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        for (text, expected) in [
            (DEFAULT_SERVER, "https://zentrio.eu"),
            ("  https://Zentrio.EU/ ", "https://zentrio.eu"),
            ("https://zentrio.eu:443", "https://zentrio.eu"),
            ("https://zentrio.eu:8443/", "https://zentrio.eu:8443"),
            ("zentrio.eu", "https://zentrio.eu"),
            ("192.168.1.5:8787", "https://192.168.1.5:8787"),
            ("localhost:8787", "http://localhost:8787"),
            ("127.0.0.1:443", "http://127.0.0.1:443"),
            ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
            ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://2130706433:8787", "http://127.0.0.1:8787"),
            ("http://[::1]:8787/", "http://[::1]:8787"),
            ("http://zentrio.localhost", "http://zentrio.localhost"),
            ("https://10.0.0.1", "https://10.0.0.1"),
        ] {
            let url = ServerUrl::parse(text, false).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(url.as_str(), expected, "{text}");
        }
    }

    #[test]
    fn a_private_network_may_do_without_tls_only_when_told() {
        for text in [
            "http://192.168.1.5:8787",
            "http://10.1.2.3",
            "http://172.16.0.1",
            "http://100.100.1.1",
            "http://[fd00::1]",
            "http://[::ffff:192.168.1.5]",
            "http://nas:8787",
            "http://nas.local",
            "http://nas.home.arpa",
        ] {
            assert!(ServerUrl::parse(text, false).is_err(), "{text}");
            assert!(ServerUrl::parse(text, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_addresses_are_refused_whatever_the_flag_says() {
        for text in [
            "",
            "https://",
            "http://zentrio.eu",
            "http://8.8.8.8",
            "http://169.254.169.254",
            "https://169.254.169.254",
            "https://2852039166",
            "https://[::ffff:169.254.169.254]",
            "https://[64:ff9b::a9fe:a9fe]",
            "https://[fe80::1]",
            "https://0.0.0.0",
            "https://[::]",
            "https://224.0.0.1",
            "https://255.255.255.255",
            "http://172.32.0.1",
            "http://0.0.0.0:8787",
            "http://localhost.evil.example",
            "http://127.0.0.1.nip.io",
            "ftp://zentrio.eu",
            "file:///etc/passwd",
            "https://zentrio.eu/app",
            "https://zentrio.eu/?a=b",
            "https://zentrio.eu/#a",
            "https://anna@zentrio.eu",
            "https://zen trio.eu",
        ] {
            assert!(
                matches!(ServerUrl::parse(text, true), Err(AdapterError::Url { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn l12_a_name_leads_no_farther_than_it_says() {
        const EVERYWHERE: [&str; 6] = [
            "127.0.0.1",
            "192.168.1.5",
            "fd00::1",
            "203.0.113.1",
            "169.254.169.254",
            "fe80::1",
        ];
        for (url, reached) in [
            ("https://zentrio.eu", 4),
            ("https://nas.local", 4),
            ("http://nas.local:8787", 3),
            ("http://192.168.1.5", 3),
            ("http://localhost:8787", 1),
            // Not as `ServerUrl` has them, but as somebody may have written into the database.
            ("http://zentrio.eu", 3),
            ("no address", 1),
        ] {
            let may = may_have(url);
            for (number, ip) in EVERYWHERE.into_iter().enumerate() {
                let ip = ip.parse().expect("address");
                assert_eq!(may(ip), number < reached, "{url} {ip}");
            }
        }
    }

    #[test]
    fn an_error_shows_no_password() {
        for text in [
            "https://anna:secret@zentrio.eu",
            "anna:secret@zentrio.eu",
            "https://a:secret@b@c",
        ] {
            let error = ServerUrl::parse(text, true).expect_err(text).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
