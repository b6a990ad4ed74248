//! Who may come in: decided from a request's headers alone, before anything else is looked at.
//!
//! A page on loopback can be asked by every site its user visits. So the `Host` has to be ours (a name that
//! somebody had point to this machine is not), a foreign `Origin` ends the request, and what has an effect
//! takes proof that our own page, an origin that was allowed, or a program with the secret asks for it.

/// Which addresses are ours, and which other origins are let in.
#[derive(Debug)]
pub(super) struct Door {
    hosts: [String; 3],
    allowed: Vec<String>,
}

/// Where a request comes from, as far as its browser says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// Our own page.
    Own,
    /// An origin that was allowed.
    Allowed(String),
    /// Nobody says: no browser, or a person who typed the address.
    Unsaid,
    /// A link on another site was followed to here.
    Link,
    /// Another site.
    Foreign,
}

/// What a browser says of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said<'a> {
    /// `Origin`.
    pub(super) origin: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub(super) site: Option<&'a str>,
    /// `Sec-Fetch-Mode`.
    pub(super) mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`.
    pub(super) dest: Option<&'a str>,
}

impl Door {
    /// The door of a page on this port. Allowed origins are compared as they are.
    pub(super) fn new(port: u16, allowed: Vec<String>) -> Self {
        Self {
            hosts: ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}")),
            allowed,
        }
    }

    /// Whether a `Host` header names this page.
    pub(super) fn is_ours(&self, host: &str) -> bool {
        self.hosts
            .iter()
            .any(|ours| ours.eq_ignore_ascii_case(host))
    }

    /// Where a request comes from.
    pub(super) fn from(&self, said: Said<'_>) -> From {
        match said.origin {
            Some(origin) if self.is_own_origin(origin) => match said.site {
                // No browser says both.
                Some("cross-site") => From::Foreign,
                _ => From::Own,
            },
            Some(origin) if self.allowed.iter().any(|allowed| allowed == origin) => {
                From::Allowed(origin.to_owned())
            }
            // What browsers send of an origin that they keep to themselves; ours, if they say so otherwise.
            Some("null") if said.site == Some("same-origin") => From::Own,
            Some(_) => From::Foreign,
            None => match said.site {
                Some("same-origin") => From::Own,
                Some("none") | None => From::Unsaid,
                Some(_) if said.mode == Some("navigate") && said.dest == Some("document") => {
                    From::Link
                }
                Some(_) => From::Foreign,
            },
        }
    }

    fn is_own_origin(&self, origin: &str) -> bool {
        origin
            .strip_prefix("http://")
            .is_some_and(|host| self.is_ours(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        Door::new(8788, vec!["tauri://localhost".to_owned()])
    }

    #[test]
    fn l02_only_this_machines_names_with_the_right_port_are_ours() {
        let door = door();
        for host in [
            "127.0.0.1:8788",
            "localhost:8788",
            "LOCALHOST:8788",
            "[::1]:8788",
        ] {
            assert!(door.is_ours(host), "{host}");
        }
        for host in [
            "",
            "evil.com",
            "evil.com:8788",
            "localhost.evil.com:8788",
            "127.0.0.1.nip.io:8788",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.1:87880",
            "127.0.0.2:8788",
            "0.0.0.0:8788",
            "[::]:8788",
            "localhost.:8788",
            "user@localhost:8788",
            "localhost:8788 ",
            "2130706433:8788",
        ] {
            assert!(!door.is_ours(host), "{host}");
        }
    }

    #[test]
    fn l10_a_foreign_origin_is_told_whatever_else_is_said() {
        let door = door();
        for origin in [
            "null",
            "https://evil.example",
            "http://evil.example:8788",
            "http://localhost:3000",
            "http://localhost",
            "https://localhost:8788",
            "http://127.0.0.1:8788.evil.example",
            "tauri://localhost.evil",
            "TAURI://localhost",
            "",
        ] {
            for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
                let said = Said {
                    origin: Some(origin),
                    site,
                    ..Said::default()
                };
                assert_eq!(door.from(said), From::Foreign, "{origin} {site:?}");
            }
        }
    }

    #[test]
    fn what_browsers_say_of_each_kind_of_request() {
        let door = door();
        let own = Some("http://127.0.0.1:8788");
        let app = Some("tauri://localhost");
        let navigation = (Some("navigate"), Some("document"));
        let image = (Some("no-cors"), Some("image"));
        let frame = (Some("navigate"), Some("iframe"));
        for (origin, site, (mode, dest), expected) in [
            (own, Some("same-origin"), navigation, From::Own),
            (own, None, (None, None), From::Own),
            (Some("null"), Some("same-origin"), navigation, From::Own),
            (None, Some("same-origin"), image, From::Own),
            (
                app,
                Some("cross-site"),
                (None, None),
                From::Allowed("tauri://localhost".into()),
            ),
            (None, None, (None, None), From::Unsaid),
            (None, Some("none"), navigation, From::Unsaid),
            (None, Some("cross-site"), navigation, From::Link),
            (None, Some("same-site"), navigation, From::Link),
            (None, Some("cross-site"), image, From::Foreign),
            (None, Some("cross-site"), frame, From::Foreign),
            (own, Some("cross-site"), navigation, From::Foreign),
        ] {
            let said = Said {
                origin,
                site,
                mode,
                dest,
            };
            assert_eq!(door.from(said), expected, "{said:?}");
        }
    }
}
