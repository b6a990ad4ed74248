//! Mistakes that a test plants to see that it is able to find them, and points at which it looks in.
//!
//! Without the feature `planted-bugs` no mistake is there: every question is answered with a constant
//! `false`. Without the feature `testing` no point is more than its name.

use std::{pin::Pin, sync::Arc};

/// A mistake that sync engines make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    /// What was pushed counts as taken, even if it was edited again on the way.
    ClearedWithoutCount,
    /// A page's cursor is stored before its rows are.
    CursorBeforeRows,
    /// Positions in the feed come from a sequence, so that they may become visible in another order.
    SequenceForCounter,
    /// Rows of this table stay when what they belong to is deleted.
    CascadeSkips(&'static str),
    /// Of two edits at one time that of the device with the lower number wins, whatever they are.
    TieByDevice,
    /// Edits of this table on the server enter the feed of whoever asks.
    NoAccountFilter(&'static str),
    /// A name that turned out to be another row's leads nowhere.
    AliasNotFollowed,
    /// Tombstones are forgotten without taking note of it.
    ForgottenUnnoticed,
    /// A column that was not sent is taken for NULL.
    MissingIsNull,
    /// A deleted row keeps its natural key.
    PlainUniqueIndex,
    /// Two devices chose a default each, and both stay.
    FlagsNotSettled,
    /// An error of the server counts as its verdict on the rows that were sent.
    ErrorIsVerdict,
}

/// A place in the engine where a program may end, or something may come in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// On a device: verdicts are noted down, not committed.
    Settling,
    /// On a device: verdicts are committed.
    Settled,
    /// On a device: a page has come, nothing of it is written.
    PageCame,
    /// On a device: a page and its cursor are written, not committed.
    PageWritten,
    /// On a device: a page is committed.
    PageApplied,
    /// On the server: a push has come, its transaction has not begun.
    PushCame,
    /// On the server: the account is locked.
    PushLocked,
    /// On the server: a push is merged, not committed.
    PushMerged,
    /// On the server: a push is committed, not answered.
    PushCommitted,
}

/// Is told of every point that is reached, which waits until it is done.
pub type Look = Arc<dyn Fn(Point) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

#[cfg(feature = "planted-bugs")]
pub(crate) use bugs::planted;
#[cfg(feature = "planted-bugs")]
pub use bugs::{plant, planted_bug};
#[cfg(feature = "testing")]
pub(crate) use looks::{reach, watched};

#[cfg(feature = "planted-bugs")]
mod bugs {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants a mistake on this thread, or takes it away.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }

    /// The mistake that is planted on this thread.
    pub fn planted_bug() -> Option<Bug> {
        PLANTED.get()
    }

    /// Whether this mistake is to be made here.
    pub(crate) fn planted(bug: Bug) -> bool {
        planted_bug() == Some(bug)
    }
}

#[cfg(feature = "testing")]
mod looks {
    use std::sync::Arc;

    use super::{Look, Point};

    tokio::task_local! {
        static LOOK: Look;
    }

    /// Runs what may reach points that are looked at.
    pub(crate) async fn watched<T>(look: Look, work: impl Future<Output = T>) -> T {
        LOOK.scope(look, work).await
    }

    pub(crate) async fn reach(point: Point) {
        if let Ok(look) = LOOK.try_with(Arc::clone) {
            look(point).await;
        }
    }
}

/// Whether this mistake is to be made here.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}

#[cfg(not(feature = "testing"))]
pub(crate) async fn reach(_: Point) {}

/// All points, those of devices first.
pub const POINTS: [Point; 9] = [
    Point::Settling,
    Point::Settled,
    Point::PageCame,
    Point::PageWritten,
    Point::PageApplied,
    Point::PushCame,
    Point::PushLocked,
    Point::PushMerged,
    Point::PushCommitted,
];

impl Point {
    /// Whether the program that is there is the server.
    pub const fn on_server(self) -> bool {
        matches!(
            self,
            Self::PushCame | Self::PushLocked | Self::PushMerged | Self::PushCommitted
        )
    }
}
