//! Words that nobody can guess.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use subtle::ConstantTimeEq;

/// A random word. Shows nothing of itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn random() -> Self {
        Self(BASE64.encode(rand::random::<[u8; 32]>()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes as long for a word that is nearly right as for any other.
    pub(super) fn is(&self, word: &str) -> bool {
        self.0.as_bytes().ct_eq(word.as_bytes()).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike_and_none_shows() {
        let secret = Secret::random();
        assert!(secret.is(secret.as_str()) && !secret.is(Secret::random().as_str()));
        assert!(!secret.is("") && !secret.is(&secret.as_str()[1..]));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
