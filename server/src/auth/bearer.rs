//! The token in the `Authorization` header.

use http::{HeaderMap, header};

/// Longer than any token given out; what is longer is not even looked up.
const LONGEST: usize = 512;

/// The bearer token of a request that shows exactly one.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let plausible =
        (1..=LONGEST).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && plausible).then_some(token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let value = |bytes: &&[u8]| HeaderValue::from_bytes(bytes).expect("header");
        values
            .iter()
            .map(|bytes| (header::AUTHORIZATION, value(bytes)))
            .collect()
    }

    #[test]
    fn one_bearer_token_is_found() {
        assert_eq!(token(&headers(&[b"Bearer abc-_."])), Some("abc-_."));
        assert_eq!(token(&headers(&[b"bearer  abc"])), Some("abc"));
    }

    #[test]
    fn anything_else_is_none() {
        let long = [b"Bearer ".as_slice(), &[b'a'; 8192]].concat();
        assert_eq!(token(&headers(&[])), None);
        assert_eq!(token(&headers(&[b"Bearer abc", b"Bearer abc"])), None);
        for value in [
            b"".as_slice(),
            b"Bearer",
            b"Bearer ",
            b"Basic abc",
            b"Bearer a b",
            b"Bearer \xe4",
            &long,
        ] {
            assert_eq!(token(&headers(&[value])), None);
        }
    }
}
