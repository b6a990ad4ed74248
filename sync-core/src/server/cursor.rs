//! A position in the change feed, opaque to devices.

use crate::protocol::ErrorCode;

use super::{ServerError, account::Account};

/// Where a pull goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The last position seen.
    pub(super) seq: i64,
    /// Of a pull that began at the beginning and is not at the end yet: the feed's end when it began.
    pub(super) began_at: Option<i64>,
}

impl Cursor {
    /// Whether deletions may be forgotten that a device standing here has not heard of.
    ///
    /// A pull from the beginning meets only rows that were there when it began. A deletion of one of
    /// them stands behind `began_at`, so it is missed only if the server forgot beyond that.
    pub(super) fn is_too_old(self, account: &Account) -> bool {
        let heard_of = self.began_at.unwrap_or(self.seq).max(self.seq);
        self.seq != 0 && heard_of < account.horizon
    }

    /// Whether it lies behind the feed's end: the server has lost what it once gave out.
    pub(super) fn is_ahead(self, head: i64) -> bool {
        self.seq.max(self.began_at.unwrap_or_default()) > head
    }

    /// Where the next page of the same pull begins. Where nothing was ever forgotten, it does not
    /// matter how the pull began.
    pub(super) fn at(self, seq: i64, account: &Account) -> Self {
        let beginning = (self.seq == 0 && account.horizon > 0).then_some(account.head);
        Self {
            seq,
            began_at: self.began_at.or(beginning),
        }
    }
}

/// The text of a position: the life of the data it belongs to, and the number of the last entry seen.
/// The beginning is the same in every life.
pub(super) fn write(epoch: &str, seq: i64) -> String {
    write_cursor(
        epoch,
        Cursor {
            seq,
            began_at: None,
        },
    )
}

/// The text of a position inside a pull.
pub(super) fn write_cursor(epoch: &str, cursor: Cursor) -> String {
    match cursor {
        Cursor { seq: 0, .. } => "0".to_owned(),
        Cursor {
            seq,
            began_at: Some(head),
        } => format!("{epoch}~{head}.{seq}"),
        Cursor { seq, .. } => format!("{epoch}.{seq}"),
    }
}

/// Reads a position back. None, empty and `0` stand for the feed's beginning.
pub(super) fn read(cursor: Option<&str>, epoch: &str) -> Result<Cursor, ServerError> {
    let cursor = cursor.unwrap_or_default();
    if cursor.is_empty() || cursor == "0" {
        return Ok(Cursor::default());
    }
    let bad = || {
        ServerError::refused(
            ErrorCode::BadCursor,
            "this is no cursor of this server; pull from the beginning",
        )
    };
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
    let (life, seq) = cursor.rsplit_once('.').ok_or_else(bad)?;
    let seq = number(seq).ok_or_else(bad)?;
    let (life, began_at) = match life.split_once('~') {
        Some((life, head)) => (life, Some(number(head).ok_or_else(bad)?)),
        None => (life, None),
    };
    if !crate::ids::is_canonical(life) {
        return Err(bad());
    }
    if life != epoch {
        let message =
            "the server's data began a new life, perhaps from a backup; pull from the beginning";
        return Err(ServerError::refused(ErrorCode::EpochChanged, message));
    }
    Ok(Cursor { seq, began_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: &str = "0190a6e0-0000-7000-8000-000000000001";

    #[test]
    fn pg08_no_cursor_and_zero_are_the_beginning() {
        for start in [None, Some(""), Some("0")] {
            assert_eq!(read(start, EPOCH).expect("reads"), Cursor::default());
        }
        let read_back = |text: String| read(Some(&text), EPOCH).expect("reads");
        assert_eq!(read_back(write(EPOCH, 17)).seq, 17);
        let inside = Cursor {
            seq: 17,
            began_at: Some(40),
        };
        assert_eq!(read_back(write_cursor(EPOCH, inside)), inside);
    }

    #[test]
    fn what_is_no_cursor_of_this_life_is_told_apart() {
        for bad in [
            "x",
            "17",
            ".17",
            &format!("{EPOCH}."),
            &format!("{EPOCH}.-1"),
            &format!("{EPOCH}.1.2"),
            &format!("{EPOCH}~.2"),
            &format!("{EPOCH}~x.2"),
            &format!("{EPOCH}~1~2.3"),
        ] {
            assert_eq!(
                read(Some(bad), EPOCH).expect_err(bad).code(),
                ErrorCode::BadCursor
            );
        }
        let other = EPOCH.replace("0190a6e0", "0190a6e1");
        assert_eq!(
            read(Some(&write(&other, 1)), EPOCH)
                .expect_err("other life")
                .code(),
            ErrorCode::EpochChanged
        );
    }

    #[test]
    fn gc_a_pull_from_the_beginning_stands_until_more_is_forgotten_than_was_there_when_it_began() {
        let account = |head, horizon| Account {
            id: 1,
            head,
            horizon,
        };
        let first = Cursor::default();
        assert!(!first.is_too_old(&account(10, 10)));
        let next = first.at(2, &account(10, 10));
        assert!(!next.is_too_old(&account(10, 10)));
        assert!(!next.at(4, &account(12, 10)).is_too_old(&account(12, 10)));
        assert!(
            next.is_too_old(&account(12, 11)),
            "11 may be a deletion of row 1"
        );
        assert!(!next.at(11, &account(12, 11)).is_too_old(&account(12, 11)));
        assert!(next.is_ahead(9), "restored from a backup meanwhile");

        let elsewhere = Cursor {
            seq: 2,
            began_at: None,
        };
        assert!(elsewhere.is_too_old(&account(10, 10)));
        assert_eq!(
            first.at(2, &account(10, 0)),
            elsewhere,
            "nothing was forgotten"
        );
    }
}
