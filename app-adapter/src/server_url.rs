//! Which addresses a server may have: a login goes over TLS unless it stays in the house.

use std::{fmt, net::IpAddr};

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
#[derive(Clone, Copy, PartialEq, Eq)]
enum Distance {
    ThisMachine,
    PrivateNetwork,
    Internet,
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
    let ip = ip.to_canonical();
    let private = match ip {
        // 100.64/10 is what overlay networks give out.
        IpAddr::V4(ip) => ip.is_private() || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64),
        IpAddr::V6(ip) => ip.is_unique_local(),
    };
    if ip.is_loopback() {
        Distance::ThisMachine
    } else if private {
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
