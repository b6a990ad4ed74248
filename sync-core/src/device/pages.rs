//! How many pages one pass takes: a server that always has more must not keep a device busy for ever.

use crate::{error::SyncError, protocol::PullPage};

/// Most pages of one pass. What was applied stays, so even a larger account gets to its end, in several syncs.
const MOST: u32 = 10_000;
/// Most pages in a row that hold nothing and say that there is more.
const MOST_EMPTY: u32 = 500;

/// Counts the pages of a pass.
#[derive(Default)]
pub(super) struct Pages {
    n: u32,
    n_empty: u32,
}

impl Pages {
    /// # Errors
    /// If it is too much.
    pub(super) fn count(&mut self, page: &PullPage) -> Result<(), SyncError> {
        if !page.has_more {
            return Ok(());
        }
        self.n += 1;
        self.n_empty = if page.tables.is_empty() {
            self.n_empty + 1
        } else {
            0
        };
        if self.n > MOST || self.n_empty > MOST_EMPTY {
            return Err(SyncError::NotASyncServer(
                "it always has one page more".to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::protocol::TablePage;

    fn page(has_rows: bool, has_more: bool) -> PullPage {
        let table = || TablePage {
            table: "notes".to_owned(),
            rows: RawValue::from_string("[{}]".to_owned()).expect("JSON"),
        };
        PullPage {
            epoch: "e".to_owned(),
            cursor: "1".to_owned(),
            head: "2".to_owned(),
            has_more,
            tables: has_rows.then(table).into_iter().collect(),
            schema: None,
        }
    }

    /// How many pages are taken, of at most 20,000.
    fn n_taken(page: impl Fn(u32) -> PullPage) -> u32 {
        let mut pages = Pages::default();
        let taken = (0..20_000).take_while(|n| pages.count(&page(*n)).is_ok());
        u32::try_from(taken.count()).expect("few")
    }

    #[test]
    fn l15_pages_without_end_are_given_up() {
        assert_eq!(n_taken(|_| page(true, true)), MOST);
        assert_eq!(n_taken(|_| page(false, true)), MOST_EMPTY);
        assert_eq!(n_taken(|n| page(n % 100 == 0, true)), MOST);
        assert_eq!(n_taken(|_| page(true, false)), 20_000);
    }
}
