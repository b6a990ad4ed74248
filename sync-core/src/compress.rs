//! Bodies that are worth less of a mobile line.

use bytes::Bytes;
use http::{HeaderMap, header};

/// The name that HTTP has for it.
pub(crate) const ZSTD: &str = "zstd";
/// What is shorter fits in a packet anyway.
const SHORTEST: usize = 1 << 10;
/// The quickest level: a device's rows are mostly repeated names.
const LEVEL: i32 = 1;

/// The body compressed, where that makes it shorter.
pub(crate) fn squeezed(body: &Bytes) -> Option<Bytes> {
    if body.len() < SHORTEST {
        return None;
    }
    let squeezed = zstd::bulk::compress(body, LEVEL).ok()?;
    (squeezed.len() < body.len()).then(|| squeezed.into())
}

/// Whether an answer says that compressed requests are taken (RFC 7694).
pub(crate) fn is_taken(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|each| each.split(';').next())
        .any(|name| name.trim().eq_ignore_ascii_case(ZSTD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_gets_shorter_is_compressed() {
        let words = Bytes::from("many words, ".repeat(1_000));
        let squeezed_words = squeezed(&words).expect("shorter");
        assert!(squeezed_words.len() * 10 < words.len());
        let back = zstd::bulk::decompress(&squeezed_words, words.len());
        assert_eq!(back.expect("zstd"), words);
        assert_eq!(squeezed(&Bytes::from("short")), None);
        let mut seed = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed.to_be_bytes()[0]
        })
        .take(5_000)
        .collect();
        assert_eq!(squeezed(&Bytes::from(noise)), None);
    }

    #[test]
    fn a_server_says_that_it_takes_them() {
        let said = |values: &[&'static str]| {
            let header = |value: &&'static str| {
                (
                    header::ACCEPT_ENCODING,
                    http::HeaderValue::from_static(value),
                )
            };
            is_taken(&values.iter().map(header).collect())
        };
        assert!(said(&["zstd, gzip"]));
        assert!(said(&["gzip", "ZSTD;q=0.5"]));
        assert!(!said(&["gzip"]));
        assert!(!said(&["zstandard"]));
        assert!(!said(&[]));
    }
}
