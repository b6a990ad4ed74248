//! Bodies that came compressed.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, HeaderValue, header};

use crate::Error;

/// What the server reads, as it tells in `Accept-Encoding` (RFC 7694).
pub(crate) const ACCEPTED: HeaderValue = HeaderValue::from_static("zstd, gzip");

/// A zstd frame may ask its reader for this much memory and no more: 8 MiB, the least that every reader
/// has to have by RFC 8878.
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// What the headers say; one encoding at most.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self::Identity),
            (Some(value), None) => Self::named(value).ok_or(Error::UnsupportedMediaType),
            _ => Err(Error::UnsupportedMediaType),
        }
    }

    fn named(value: &HeaderValue) -> Option<Self> {
        match value.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "identity" => Some(Self::Identity),
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The body as it was before it was encoded, if it has at most `most` bytes. No more are ever held.
    pub(crate) fn decode(self, body: Bytes, most: usize) -> Result<Bytes, Error> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => read(MultiGzDecoder::new(&body[..]), most),
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(&body[..]);
                let decoder = decoder.and_then(|mut decoder| {
                    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                    Ok(decoder)
                });
                read(decoder.map_err(|e| damaged(&e))?, most)
            }
        }
    }
}

fn read(decoder: impl Read, most: usize) -> Result<Bytes, Error> {
    let mut whole = Vec::new();
    let mut limited = decoder.take(most as u64 + 1);
    limited.read_to_end(&mut whole).map_err(|e| damaged(&e))?;
    if whole.len() > most {
        return Err(Error::BodyTooLarge);
    }
    Ok(whole.into())
}

fn damaged(error: &io::Error) -> Error {
    Error::BadRequest(format!("The body cannot be decompressed: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("write");
        encoder.finish().expect("finish")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).expect("encode")
    }

    fn headers(values: &[&'static str]) -> HeaderMap {
        let value =
            |text: &&'static str| (header::CONTENT_ENCODING, HeaderValue::from_static(text));
        values.iter().map(value).collect()
    }

    #[test]
    fn one_encoding_is_understood() {
        for (values, wanted) in [
            ([].as_slice(), Encoding::Identity),
            (&["identity"], Encoding::Identity),
            (&["gzip"], Encoding::Gzip),
            (&[" GZip "], Encoding::Gzip),
            (&["zstd"], Encoding::Zstd),
        ] {
            assert_eq!(Encoding::of(&headers(values)).expect("known"), wanted);
        }
    }

    #[test]
    fn h04_any_other_is_refused() {
        for values in [
            ["br"].as_slice(),
            &["gzip, gzip"],
            &["gzip", "gzip"],
            &["x-gzip"],
            &[""],
        ] {
            let refused = Encoding::of(&headers(values));
            assert!(
                matches!(refused, Err(Error::UnsupportedMediaType)),
                "{values:?}"
            );
        }
    }

    #[test]
    fn what_was_encoded_reads_back() {
        let text = Bytes::from("many words, ".repeat(1_000));
        for (encoding, body) in [
            (Encoding::Identity, text.to_vec()),
            (Encoding::Gzip, gzip(&text)),
            (Encoding::Zstd, zstd(&text)),
        ] {
            let read = encoding.decode(body.into(), text.len()).expect("decode");
            assert_eq!(read, text, "{encoding:?}");
        }
    }

    #[test]
    fn h04_what_is_too_large_is_not_unpacked() {
        let zeros = vec![0; 64 << 20];
        for (encoding, bomb) in [
            (Encoding::Gzip, gzip(&zeros)),
            (Encoding::Zstd, zstd(&zeros)),
        ] {
            let refused = encoding.decode(bomb.into(), 1 << 20);
            assert!(matches!(refused, Err(Error::BodyTooLarge)), "{encoding:?}");
        }
    }

    #[test]
    fn damage_is_told_and_never_panics() {
        let text = b"some words that are long enough to be cut anywhere";
        for (encoding, body) in [(Encoding::Gzip, gzip(text)), (Encoding::Zstd, zstd(text))] {
            for end in 0..body.len() {
                let cut = Bytes::copy_from_slice(&body[..end]);
                let read = encoding.decode(cut, 1_000);
                let empty = read.as_ref().is_ok_and(Bytes::is_empty);
                assert!(
                    empty || matches!(read, Err(Error::BadRequest(_))),
                    "{encoding:?} cut at {end}"
                );
            }
        }
    }

    /// Its window would be 128 MiB.
    #[test]
    fn a_frame_that_asks_for_much_memory_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 19).expect("encoder");
        encoder.window_log(27).expect("window");
        encoder.write_all(&[1, 2, 3]).expect("write");
        let body = encoder.finish().expect("finish");
        let refused = Encoding::Zstd.decode(body.into(), 1_000);
        assert!(matches!(refused, Err(Error::BadRequest(_))));
    }
}
