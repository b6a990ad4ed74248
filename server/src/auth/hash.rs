//! Password hashes as they stand in the `account` table: Argon2id where this server is alone, and Better
//! Auth's scrypt form `salt:key` where the web app reads them, too.

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::SaltString};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;

use super::hex as to_hex;
use crate::Error;

/// Which of the two forms a stored hash has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A PHC string, `$argon2id$…`.
    Argon2,
    /// `salt:key`, both in hexadecimal.
    Scrypt,
}

impl Form {
    pub(crate) fn of(stored: &str) -> Self {
        if stored.starts_with('$') {
            Self::Argon2
        } else {
            Self::Scrypt
        }
    }
}

/// Hashes that no password fits, each as much work to find out as a real one: what the password of an
/// unknown user is held against.
pub(super) const NOBODYS_ARGON2: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
pub(super) const NOBODYS_SCRYPT: &str = concat!(
    "00000000000000000000000000000000:",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
);

/// The hash of a password under a fresh salt. Takes tens of milliseconds of one core.
pub(crate) fn hash(password: &str, form: Form) -> Result<String, Error> {
    match form {
        Form::Argon2 => hash_argon2(password),
        Form::Scrypt => hash_scrypt(password),
    }
}

fn hash_argon2(password: &str) -> Result<String, Error> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(Error::Hash)?;
    let hash = Argon2::default()
        .hash_password(normalised(password).as_bytes(), &salt)
        .map_err(Error::Hash)?;
    Ok(hash.to_string())
}

fn hash_scrypt(password: &str) -> Result<String, Error> {
    let salt = to_hex(&rand::random::<[u8; 16]>());
    // Its parameters are constants, so this cannot fail.
    let key = scrypt_key(&normalised(password), &salt)
        .ok_or(Error::Hash(argon2::password_hash::Error::Crypto))?;
    Ok(format!("{salt}:{}", to_hex(&key)))
}

/// Whether the password belongs to the stored hash. A hash that cannot be read fits no password.
pub(crate) fn verify(password: &str, stored: &str) -> bool {
    let password = normalised(password);
    match Form::of(stored) {
        Form::Argon2 => verify_argon2(&password, stored),
        Form::Scrypt => verify_scrypt(&password, stored).unwrap_or(false),
    }
}

/// The same text typed on two keyboards may arrive composed or decomposed; both must open the account.
fn normalised(password: &str) -> String {
    password.nfkc().collect()
}

fn verify_argon2(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored)
        .and_then(|hash| Argon2::default().verify_password(password.as_bytes(), &hash))
        .is_ok()
}

/// The salt goes in as the hexadecimal text it is stored as, not as the bytes it stands for.
fn verify_scrypt(password: &str, stored: &str) -> Option<bool> {
    let (salt, key) = stored.split_once(':')?;
    let expected = hex(key)?;
    Some(scrypt_key(password, salt)?.ct_eq(&expected).into())
}

fn scrypt_key(password: &str, salt: &str) -> Option<[u8; SCRYPT_KEY_BYTES]> {
    let params = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P, SCRYPT_KEY_BYTES).ok()?;
    let mut key = [0; SCRYPT_KEY_BYTES];
    scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut key).ok()?;
    Some(key)
}

const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 16;
const SCRYPT_P: u32 = 1;
const SCRYPT_KEY_BYTES: usize = 64;

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hashlib.scrypt` from the NFKC form of the password.
    const ADOPTED: &str = concat!(
        "8f1d2c3b4a5968778695a4b3c2d1e0ff:",
        "bbad67aef4f63ce1cca2d47aaed903cb555f9ebdb593d0ab95f4d75619f6195a",
        "8096a2f2a3360381806420360c010ac953c6c6397a350234c2ebb90dd4240eeb",
    );

    #[test]
    fn a_password_fits_its_own_hash_only() {
        for form in [Form::Argon2, Form::Scrypt] {
            let stored = hash("correct horse", form).expect("hash");
            assert_eq!(Form::of(&stored), form);
            assert!(verify("correct horse", &stored), "{stored}");
            assert!(!verify("correct house", &stored), "{stored}");
        }
    }

    #[test]
    fn new_hashes_have_the_form_of_old_ones() {
        let argon2 = hash("x", Form::Argon2).expect("hash");
        assert!(argon2.starts_with("$argon2id$"), "{argon2}");
        let scrypt = hash("x", Form::Scrypt).expect("hash");
        let lengths = |text: &str| text.split(':').map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(&scrypt), lengths(ADOPTED));
        assert!(
            scrypt
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b':')),
            "{scrypt}"
        );
    }

    #[test]
    fn nobodys_hashes_are_as_much_work_as_real_ones() {
        let parts = |text: &str| text.split('$').map(str::len).collect::<Vec<_>>();
        let cost = |text: &str| text.rsplitn(3, '$').last().map(str::to_owned);
        let real = hash("x", Form::Argon2).expect("hash");
        assert!(PasswordHash::new(NOBODYS_ARGON2).is_ok());
        assert_eq!(cost(NOBODYS_ARGON2), cost(&real));
        assert_eq!(parts(NOBODYS_ARGON2), parts(&real));
        assert_eq!(verify_scrypt("x", NOBODYS_SCRYPT), Some(false));
        assert_eq!(NOBODYS_SCRYPT.len(), ADOPTED.len());
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        for form in [Form::Argon2, Form::Scrypt] {
            let again = || hash("same", form).expect("hash");
            assert_ne!(again(), again());
        }
    }

    #[test]
    fn adopted_scrypt_hashes_verify_in_every_unicode_form() {
        assert_eq!(Form::of(ADOPTED), Form::Scrypt);
        assert!(
            verify("pa\u{308}sswo\u{308}rd \u{fb01}ne", ADOPTED),
            "decomposed, with a ligature"
        );
        assert!(verify("p\u{e4}ssw\u{f6}rd fine", ADOPTED), "composed");
        assert!(!verify("passwort fine", ADOPTED));
    }

    #[test]
    fn unreadable_hashes_fit_nothing() {
        for stored in [
            "",
            ":",
            "salt",
            "00:zz",
            "00:0",
            "00:00",
            "$argon2id$v=19$broken",
            "\u{e4}:\u{e4}\u{e4}",
        ] {
            assert!(!verify("", stored), "{stored}");
        }
    }
}
