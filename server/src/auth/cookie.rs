//! The session cookie, in the form Better Auth gives it: `TOKEN.SIGNATURE`, URL-encoded.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use http::{HeaderMap, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;

use crate::Error;

/// The cookie's name; over https a browser is told more strictly by the prefix.
const NAME: &str = "better-auth.session_token";
const SECURE_NAME: &str = "__Secure-better-auth.session_token";

/// Signs and reads session cookies under the server's secret.
#[derive(Clone)]
pub(crate) struct Cookies {
    key: Hmac<Sha256>,
    secure: bool,
}

impl Cookies {
    /// `secure` where the outside world reaches the server by https.
    pub(crate) fn new(secret: &str, secure: bool) -> Result<Self, Error> {
        let key = Hmac::new_from_slice(secret.as_bytes())
            .map_err(|e| Error::Config(format!("cannot use the auth secret: {e}")))?;
        Ok(Self { key, secure })
    }

    /// The `Set-Cookie` value for a session; without `max_age_s` the cookie ends with the browser.
    pub(crate) fn set(&self, token: &str, max_age_s: Option<i64>) -> String {
        self.cookie(
            &utf8_percent_encode(&self.sign(token), KEPT_AS_IT_IS).to_string(),
            max_age_s,
        )
    }

    /// The `Set-Cookie` value that makes a browser forget the session.
    pub(crate) fn clear(&self) -> String {
        self.cookie("", Some(0))
    }

    /// The token of the first cookie that carries our signature.
    pub(crate) fn token(&self, headers: &HeaderMap) -> Option<String> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == NAME || *name == SECURE_NAME)
            .find_map(|(_, value)| self.verify(&percent_decode_str(value).decode_utf8().ok()?))
    }

    /// The token of `TOKEN.SIGNATURE`, if the signature is ours.
    pub(crate) fn verify(&self, signed: &str) -> Option<String> {
        let (token, signature) = signed.rsplit_once('.')?;
        let signature = STANDARD.decode(signature).ok()?;
        let mut mac = self.key.clone();
        mac.update(token.as_bytes());
        mac.verify_slice(&signature).ok()?;
        (!token.is_empty()).then(|| token.to_owned())
    }

    fn cookie(&self, value: &str, max_age_s: Option<i64>) -> String {
        let (name, secure) = if self.secure {
            (SECURE_NAME, "; Secure")
        } else {
            (NAME, "")
        };
        let max_age = max_age_s
            .map(|s| format!("; Max-Age={s}"))
            .unwrap_or_default();
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{max_age}{secure}")
    }

    fn sign(&self, token: &str) -> String {
        let mut mac = self.key.clone();
        mac.update(token.as_bytes());
        format!("{token}.{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// What JavaScript's `encodeURIComponent` leaves as it is.
const KEPT_AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, cookie.parse().expect("header"))])
    }

    fn sent_back(set_cookie: &str) -> String {
        set_cookie.split(';').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_cookie_that_was_set_reads_back() {
        for secure in [false, true] {
            let cookies = Cookies::new("a secret", secure).expect("key");
            let set = cookies.set("TOKEN-1_2", Some(60));
            assert!(
                set.contains("; HttpOnly; SameSite=Lax; Max-Age=60"),
                "{set}"
            );
            assert_eq!(set.ends_with("; Secure"), secure, "{set}");
            let other = format!("a=b; {}; c=d", sent_back(&set));
            assert_eq!(
                cookies.token(&headers(&other)).as_deref(),
                Some("TOKEN-1_2")
            );
        }
    }

    /// Computed with Python's `hmac` and `urllib.parse.quote`.
    #[test]
    fn the_signature_is_the_one_other_programs_make() {
        let cookies = Cookies::new("better-auth-secret-123456789012", false).expect("key");
        let known = "better-auth.session_token=nUZXJdy1IMjIVbpP0XjDDKcFW8PqTuDr.mA1cR4JQxHZ%2FmPGszEWxJ7VyUq5AoVDz%2Ft8RFAfLFyM%3D";
        assert_eq!(
            sent_back(&cookies.set("nUZXJdy1IMjIVbpP0XjDDKcFW8PqTuDr", None)),
            known
        );
    }

    #[test]
    fn another_signature_or_none_is_no_session() {
        let ours = Cookies::new("ours", false).expect("key");
        let theirs = Cookies::new("theirs", false).expect("key");
        assert_eq!(
            ours.token(&headers(&sent_back(&theirs.set("TOKEN", None)))),
            None
        );
        assert_eq!(ours.token(&headers(&sent_back(&ours.clear()))), None);
        for value in ["TOKEN", "TOKEN.", ".", "TOKEN.!!!", "%FF.%FF", ""] {
            assert_eq!(
                ours.token(&headers(&format!("better-auth.session_token={value}"))),
                None,
                "{value}"
            );
        }
    }
}
