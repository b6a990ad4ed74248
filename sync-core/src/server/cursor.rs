//! A position in the change feed, opaque to devices.

use crate::protocol::ErrorCode;

use super::ServerError;

/// The text of a position: the life of the data it belongs to, and the number of the last entry seen.
/// The beginning is the same in every life.
pub(super) fn write(epoch: &str, seq: i64) -> String {
    if seq == 0 {
        "0".to_owned()
    } else {
        format!("{epoch}.{seq}")
    }
}

/// Reads a position back. None, empty and `0` stand for the feed's beginning.
pub(super) fn read(cursor: Option<&str>, epoch: &str) -> Result<i64, ServerError> {
    let cursor = cursor.unwrap_or_default();
    if cursor.is_empty() || cursor == "0" {
        return Ok(0);
    }
    let bad = || {
        ServerError::refused(
            ErrorCode::BadCursor,
            "this is no cursor of this server; pull from the beginning",
        )
    };
    let (life, seq) = cursor.rsplit_once('.').ok_or_else(bad)?;
    let seq: i64 = seq.parse().map_err(|_| bad())?;
    if !crate::ids::is_canonical(life) || seq < 0 {
        return Err(bad());
    }
    if life != epoch {
        let message =
            "the server's data began a new life, perhaps from a backup; pull from the beginning";
        return Err(ServerError::refused(ErrorCode::EpochChanged, message));
    }
    Ok(seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: &str = "0190a6e0-0000-7000-8000-000000000001";

    #[test]
    fn pg08_no_cursor_and_zero_are_the_beginning() {
        for start in [None, Some(""), Some("0")] {
            assert_eq!(read(start, EPOCH).expect("reads"), 0);
        }
        assert_eq!(read(Some(&write(EPOCH, 17)), EPOCH).expect("reads"), 17);
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
}
