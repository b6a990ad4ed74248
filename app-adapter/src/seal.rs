//! The login at rest: sealed with a key that is not in the database, so that a copy of the file, or a
//! backup, logs nobody in.
//!
//! XChaCha20-Poly1305 with a random nonce. The account and the server's address are authenticated with
//! the token: whoever changes the address in the database does not get the token sent there.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use crate::error::AdapterError;

/// What a sealed token begins with, which says where its key is; a plain one, as older apps kept it, does not.
const MARKS: [(&str, Kept); 2] = [("zs1.", Kept::InFile), ("zs2.", Kept::InKeyring)];
const NONCE_BYTES: usize = 24;
/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;

/// A key that seals tokens. Shows nothing of itself.
#[derive(Clone)]
pub(crate) struct Key(XChaCha20Poly1305);

/// Where a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// In the file beside the database.
    InFile,
    /// In the operating system's keyring.
    InKeyring,
}

/// What a token is good for; it cannot be opened for anything else.
#[derive(Clone, Copy)]
pub(crate) struct Purpose<'a> {
    pub(crate) url: &'a str,
    pub(crate) user_id: &'a str,
}

impl Key {
    pub(crate) fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(&bytes.into()))
    }

    pub(crate) fn seal(
        &self,
        token: &str,
        purpose: Purpose<'_>,
        kept: Kept,
    ) -> Result<String, AdapterError> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let aad = purpose.bytes();
        let payload = Payload {
            msg: token.as_bytes(),
            aad: &aad,
        };
        let sealed = self
            .0
            .encrypt(&nonce.into(), payload)
            .map_err(|_| AdapterError::Seal)?;
        Ok(format!(
            "{}{}",
            kept.mark(),
            BASE64.encode([nonce.as_slice(), &sealed].concat())
        ))
    }

    /// The token, if it was sealed with this key for this purpose and nobody has touched it.
    pub(crate) fn open(&self, sealed: &str, purpose: Purpose<'_>) -> Option<String> {
        let (_, sealed) = parts(sealed)?;
        let bytes = BASE64.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let aad = purpose.bytes();
        let opened = self
            .0
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: sealed,
                    aad: &aad,
                },
            )
            .ok()?;
        String::from_utf8(opened).ok()
    }
}

impl Purpose<'_> {
    /// Unambiguous, because neither a URL nor an account's id holds a line break.
    fn bytes(self) -> Vec<u8> {
        format!("zentrio sync token\n{}\n{}", self.url, self.user_id).into_bytes()
    }
}

impl Kept {
    fn mark(self) -> &'static str {
        match self {
            Self::InFile => MARKS[0].0,
            Self::InKeyring => MARKS[1].0,
        }
    }
}

/// Where the key is of a token that was sealed here; none for a token that was not.
pub(crate) fn kept(text: &str) -> Option<Kept> {
    parts(text).map(|(kept, _)| kept)
}

fn parts(text: &str) -> Option<(Kept, &str)> {
    MARKS
        .iter()
        .find_map(|(mark, kept)| Some((*kept, text.strip_prefix(mark)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: Purpose<'_> = Purpose {
        url: "https://zentrio.eu",
        user_id: "u1",
    };

    #[test]
    fn what_is_sealed_opens_again() {
        let key = Key::new([7; KEY_BYTES]);
        let sealed = key.seal("token", PURPOSE, Kept::InFile).expect("sealed");
        assert!(
            kept(&sealed) == Some(Kept::InFile) && !sealed.contains("token"),
            "{sealed}"
        );
        assert_eq!(key.open(&sealed, PURPOSE).as_deref(), Some("token"));
        assert_ne!(
            key.seal("token", PURPOSE, Kept::InFile).expect("sealed"),
            sealed,
            "each time with another nonce"
        );
    }

    #[test]
    fn another_key_server_or_account_opens_nothing() {
        let key = Key::new([7; KEY_BYTES]);
        let sealed = key.seal("token", PURPOSE, Kept::InFile).expect("sealed");
        assert_eq!(Key::new([8; KEY_BYTES]).open(&sealed, PURPOSE), None);
        assert_eq!(
            key.open(
                &sealed,
                Purpose {
                    url: "https://evil.example",
                    ..PURPOSE
                }
            ),
            None
        );
        assert_eq!(
            key.open(
                &sealed,
                Purpose {
                    user_id: "u2",
                    ..PURPOSE
                }
            ),
            None
        );
    }

    #[test]
    fn no_changed_or_shortened_text_opens() {
        let key = Key::new([7; KEY_BYTES]);
        let sealed = key.seal("token", PURPOSE, Kept::InFile).expect("sealed");
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(key.open(&changed, PURPOSE), None, "{at}");
            assert_eq!(key.open(&sealed[..at], PURPOSE), None, "{at}");
        }
        for text in ["", "token", "zs1.", "zs1.äöü"] {
            assert_eq!(key.open(text, PURPOSE), None, "{text}");
        }
    }
}
