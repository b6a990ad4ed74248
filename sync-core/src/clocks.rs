//! When each register of a row was last edited, and by whom. Kept by the server only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::YEAR_1_MS;

/// One edit of one register: when, by which device, and when by that device's own clock.
///
/// Serialised as an array, because there is one for every row on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp(
    /// Server time in milliseconds: the device's time, shifted and clamped. Decides between devices.
    pub i64,
    /// The server's number of the device; 0 for an edit made in the server's own database; below 0 for
    /// what merely followed from an edit of the device, as children go with their parent.
    pub i64,
    /// The device's own time in milliseconds. Decides between edits of one device.
    pub i64,
    /// The position in the feed that brought it; 0 until it has one. Tells who has seen it.
    #[serde(default)]
    pub i64,
);

impl Stamp {
    /// An edit at this server time, by this device, at this time of its own clock.
    pub fn new(at: i64, device: i64, device_ms: i64) -> Self {
        Self(at, device, device_ms, 0)
    }

    /// The same edit, where it changes nothing that is at `position` already.
    pub(crate) fn at_position(self, position: i64) -> Self {
        Self(self.0, self.1, self.2, position)
    }

    /// The position in the feed that brought it.
    pub(crate) fn position(self) -> i64 {
        self.3
    }

    /// For what follows from this edit on a register that was last edited at `current`.
    pub(crate) fn followed_by(self, current: Self) -> Self {
        let at = self.0.max(current.0.saturating_add(1));
        Self::new(at, -self.1.abs(), self.2)
    }

    /// Whether no device has made this edit itself.
    pub(crate) fn is_followed(self) -> bool {
        self.1 <= 0
    }

    /// When, in server time.
    pub fn at(self) -> i64 {
        self.0
    }
}

/// The stamps of a row: one for all registers, and those of registers edited since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks(Stamp, BTreeMap<String, Stamp>);

impl Clocks {
    /// A row whose registers were all set by one edit.
    pub fn all(stamp: Stamp) -> Self {
        Self(stamp, BTreeMap::new())
    }

    /// The register's stamp.
    pub fn get(&self, register: &str) -> Stamp {
        self.1.get(register).copied().unwrap_or(self.0)
    }

    /// Sets a register's stamp to one of the server's own, later than any edit so far, which are beaten
    /// also when they come again.
    pub(crate) fn overrule(&mut self, register: &str, now_ms: i64) {
        let at = now_ms.max(self.get(register).at().saturating_add(1));
        self.set(register, Stamp::new(at, 0, at));
    }

    /// Sets the register's stamp.
    pub fn set(&mut self, register: &str, stamp: Stamp) {
        if self.get(register) != stamp {
            self.1.insert(register.to_owned(), stamp);
        }
    }

    /// The same, where what has no position in the feed yet is given this one.
    pub(crate) fn placed(&self, position: i64) -> Self {
        let place = |stamp: &Stamp| match stamp.position() {
            0 => stamp.at_position(position),
            _ => *stamp,
        };
        let registers = self.1.iter();
        Self(
            place(&self.0),
            registers
                .map(|(name, stamp)| (name.clone(), place(stamp)))
                .collect(),
        )
    }

    /// The latest edit of any register, in server time.
    pub fn latest(&self) -> i64 {
        self.1
            .values()
            .fold(self.0.at(), |latest, stamp| latest.max(stamp.at()))
    }
}

/// How far a device's clock may be off before its edits are shifted, in milliseconds.
///
/// Above what a request takes on its way, so that a slow network does not make edits younger.
pub const CLOCK_TOLERANCE_MS: i64 = 5_000;

/// What turns a device's times into server times during one push.
#[derive(Clone, Copy, Debug)]
pub struct Timekeeper {
    device: i64,
    shift_ms: i64,
    server_now_ms: i64,
}

impl Timekeeper {
    /// For a push of `device` whose clock said `device_now_ms` when the server's said `server_now_ms`.
    pub fn new(device: i64, device_now_ms: i64, server_now_ms: i64) -> Self {
        let off = server_now_ms.saturating_sub(device_now_ms);
        let shift_ms = if off.unsigned_abs() > CLOCK_TOLERANCE_MS.unsigned_abs() {
            off
        } else {
            0
        };
        Self {
            device,
            shift_ms,
            server_now_ms,
        }
    }

    /// The server's number of the device.
    pub(crate) fn device(&self) -> i64 {
        self.device
    }

    /// A new edit's stamp.
    pub fn stamp(&self, edited_at_ms: i64) -> Stamp {
        Stamp::new(self.server_time(edited_at_ms), self.device, edited_at_ms)
    }

    /// The stamp of an edit by somebody who had seen what is stamped `current`: it is later, whatever the
    /// clocks say. That they were set back, here or there, does not make the edit older.
    pub fn stamp_over(&self, current: Stamp, edited_at_ms: i64) -> Stamp {
        let stamp = self.stamp(edited_at_ms);
        Stamp::new(stamp.0.max(current.0.saturating_add(1)), stamp.1, stamp.2)
    }

    /// The stamp of an edit on top of `current`, seen or not: what a device edits later is later, however slow the
    /// way of its earlier edit was. `None` for what the device itself has edited since.
    pub fn restamp(&self, current: Stamp, edited_at_ms: i64) -> Option<Stamp> {
        let stamp = self.stamp(edited_at_ms);
        let own = current.1.abs() == self.device && self.device != 0;
        match edited_at_ms.cmp(&current.2) {
            _ if !own => Some(stamp),
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(current),
            std::cmp::Ordering::Greater => Some(self.stamp_over(current, edited_at_ms)),
        }
    }

    /// A time of the device's clock in server time, never later than now.
    fn server_time(&self, device_ms: i64) -> i64 {
        self.shifted(device_ms).min(self.server_now_ms)
    }

    /// Never before year 1, which not every database can write.
    fn shifted(&self, device_ms: i64) -> i64 {
        device_ms.saturating_add(self.shift_ms).max(YEAR_1_MS)
    }

    /// When a row was deleted, in server time. A little beyond now is let through, so that rows
    /// deleted at once keep one time even when they come in several pushes.
    pub fn deletion_time(&self, device_ms: i64) -> i64 {
        self.shifted(device_ms)
            .min(self.server_now_ms.saturating_add(CLOCK_TOLERANCE_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const YEAR: i64 = 31_557_600_000;

    #[test]
    fn ck01_a_fast_clock_is_shifted_back() {
        let fast = Timekeeper::new(1, NOW + 10 * YEAR, NOW);
        assert_eq!(fast.stamp(NOW + 10 * YEAR - 60_000).at(), NOW - 60_000);
    }

    #[test]
    fn ck02_a_slow_clock_is_shifted_forward() {
        assert_eq!(
            Timekeeper::new(1, 5_000, NOW).stamp(4_000).at(),
            NOW - 1_000
        );
    }

    #[test]
    fn within_the_tolerance_times_stand_but_never_in_the_future() {
        let near = Timekeeper::new(1, NOW + 3_000, NOW);
        assert_eq!(near.stamp(NOW - 10).at(), NOW - 10);
        assert_eq!(near.stamp(NOW + 2_000).at(), NOW);
    }

    #[test]
    fn a_device_never_loses_to_its_own_slower_push() {
        let slow = Timekeeper::new(1, NOW, NOW + 60_000);
        let first = slow.stamp(NOW);
        let quick = Timekeeper::new(1, NOW + 30_000, NOW + 30_000);
        let second = quick.restamp(first, NOW + 20_000).expect("a later edit");
        assert!(second.at() > first.at());
        assert_eq!(quick.restamp(second, NOW), None);
        assert_eq!(quick.restamp(second, NOW + 20_000), Some(second));
    }

    #[test]
    fn a_register_without_its_own_stamp_has_the_rows() {
        let mut clocks = Clocks::all(Stamp::new(5, 1, 5));
        clocks.set("name", Stamp::new(9, 2, 9).at_position(3));
        assert_eq!(
            (
                clocks.get("name").at(),
                clocks.get("avatar").at(),
                clocks.latest()
            ),
            (9, 5, 9)
        );
        let json = serde_json::to_string(&clocks.placed(7)).expect("serialises");
        assert_eq!(json, r#"[[5,1,5,7],{"name":[9,2,9,3]}]"#);
    }
}
