//! A position in the change feed, opaque to devices.

use sea_orm::ConnectionTrait;

use crate::protocol::ErrorCode;

use super::{
    ServerError,
    account::{self, Account},
};

/// How far the device that pushes had pulled, by its own account.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulled {
    epoch: String,
    /// The last position it had seen when it sent the push.
    pub(super) seq: i64,
}

impl Pulled {
    pub(super) fn new(epoch: &str, cursor: Cursor) -> Self {
        Self {
            epoch: epoch.to_owned(),
            seq: cursor.seq,
        }
    }

    /// The position of an earlier cursor of the device. One of another life says nothing about this one.
    pub(super) fn at(&self, cursor: &str) -> i64 {
        read(Some(cursor), &self.epoch).map_or(0, |cursor| cursor.seq)
    }
}

/// Where a pull goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The last position seen.
    pub(super) seq: i64,
    /// Of a pull that began at the beginning and is not at the end yet: the feed's end when it began.
    pub(super) began_at: Option<i64>,
    /// Of the feed's end: the mark it had then.
    pub(super) mark: Option<u32>,
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
            mark: None,
        }
    }

    /// The feed's end.
    pub(super) fn end(account: &Account) -> Self {
        Self {
            seq: account.head,
            began_at: None,
            mark: Some(account.mark),
        }
    }

    /// The feed's end if this is its position, or else a position inside it.
    pub(super) fn inside(seq: i64, account: &Account) -> Self {
        if seq == account.head {
            return Self::end(account);
        }
        Self {
            seq,
            ..Self::default()
        }
    }

    /// Whether a device that stands here can go on.
    ///
    /// # Errors
    /// If the server has lost what it once gave out, or may have forgotten what was deleted since.
    pub(super) async fn check<C: ConnectionTrait>(
        self,
        tx: &C,
        account: Option<&Account>,
    ) -> Result<(), ServerError> {
        let Some(account) = account else {
            return if self.seq == 0 { Ok(()) } else { Err(ahead()) };
        };
        if self.is_ahead(account.head) {
            return Err(ahead());
        }
        if self.is_too_old(account) {
            return Err(too_old());
        }
        match self.mark {
            Some(mark) if !account::has_ended_at(tx, account, self.seq, mark).await? => {
                Err(ahead())
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn ahead() -> ServerError {
    let message =
        "the server lacks what it had when this device last synced, perhaps put back to a backup";
    ServerError::refused(ErrorCode::CursorAhead, message)
}

pub(super) fn too_old() -> ServerError {
    let message = "the server no longer knows what was deleted since; pull from the beginning";
    ServerError::refused(ErrorCode::CursorTooOld, message)
}

/// The text of a position: the life of the data it belongs to, where the pull began, the number of the last
/// entry seen, and the mark. The beginning is the same in every life.
pub(super) fn write(epoch: &str, cursor: Cursor) -> String {
    let Cursor {
        seq,
        began_at,
        mark,
    } = cursor;
    if seq == 0 {
        return "0".to_owned();
    }
    let began_at = began_at.map_or_else(String::new, |head| format!("~{head}"));
    let mark = mark.map_or_else(String::new, |mark| format!("-{mark:x}"));
    format!("{epoch}{began_at}.{seq}{mark}")
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
    let (seq, mark) = match seq.split_once('-') {
        Some((seq, mark)) => (seq, Some(u32::from_str_radix(mark, 16).map_err(|_| bad())?)),
        None => (seq, None),
    };
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
    Ok(Cursor {
        seq,
        began_at,
        mark,
    })
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
        for (began_at, mark) in [(None, None), (Some(40), None), (None, Some(0xab))] {
            let cursor = Cursor {
                seq: 17,
                began_at,
                mark,
            };
            assert_eq!(read_back(write(EPOCH, cursor)), cursor);
        }
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
            &format!("{EPOCH}.1-"),
            &format!("{EPOCH}.1-x"),
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
            read(Some(&format!("{other}.1")), EPOCH)
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
            mark: 7,
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
            ..Cursor::default()
        };
        assert!(elsewhere.is_too_old(&account(10, 10)));
        assert_eq!(
            first.at(2, &account(10, 0)),
            elsewhere,
            "nothing was forgotten"
        );
    }
}
