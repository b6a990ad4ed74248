//! Where new names come from.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// Makes remote ids, device ids and epochs.
pub trait Ids: Send + Sync {
    /// A name nobody else makes: a UUID in its canonical lower-case form.
    fn next(&self) -> String;
}

/// UUID version 7: unique, and near each other in an index when made near each other in time.
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidV7;

impl Ids for UuidV7 {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    fn next(&self) -> String {
        Uuid::now_v7().to_string()
    }
}

/// Ids that are the same in every run: for simulations. Two counters with different `space` never meet.
#[derive(Debug)]
pub struct CountedIds {
    space: u32,
    next: AtomicU64,
}

impl CountedIds {
    /// Ids of one space, from the first.
    pub fn new(space: u32) -> Self {
        Self {
            space,
            next: AtomicU64::new(1),
        }
    }
}

impl Ids for CountedIds {
    fn next(&self) -> String {
        let n = self.next.fetch_add(1, Ordering::SeqCst);
        Uuid::from_u64_pair(
            u64::from(self.space) << 32 | 0x7000,
            0x8000_0000_0000_0000 | n,
        )
        .to_string()
    }
}

/// Whether `text` is a remote id in its one canonical form: a lower-case hyphenated UUID.
pub fn is_canonical(text: &str) -> bool {
    text.len() == 36
        && Uuid::try_parse(text).is_ok()
        && !text.bytes().any(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_of_an_id_is_canonical() {
        let id = UuidV7.next();
        assert!(is_canonical(&id));
        assert!(is_canonical(&CountedIds::new(7).next()));
        for bad in [
            "",
            "17",
            &id.to_uppercase(),
            &format!("{{{id}}}"),
            &id.replace('-', ""),
            "../x",
        ] {
            assert!(!is_canonical(bad), "{bad}");
        }
    }
}
