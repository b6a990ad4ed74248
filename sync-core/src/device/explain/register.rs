//! One register explained: which value came from where, and what will come of an edit that waits.

use crate::{
    protocol::{DeviceAnswer, RegisterAnswer, RowAnswer, SetBy},
    row_now::{RowNow, agree, value_of},
    shape::{EVERY_REGISTER, Register, Rule, Shape},
};

use super::{GaveWay, Outlook, Pending, PendingEdit, RegisterNow, SetAt};

/// What is known of a row, from here and there.
pub(super) struct Known<'a> {
    pub(super) shape: &'a Shape,
    pub(super) here: Option<&'a RowNow>,
    pub(super) pending: &'a Pending,
    pub(super) gave_way: &'a [GaveWay],
    pub(super) there: Option<&'a RowAnswer>,
}

impl Known<'_> {
    pub(super) fn told(&self, register: &Register) -> RegisterNow {
        let answer = self.there.and_then(|there| {
            let mut answers = there.registers.iter();
            answers.find(|answer| answer.register == register.name)
        });
        let server = answer.and_then(|answer| answer.value.clone());
        let here = self.here.map(|here| value_of(register, &here.columns));
        let same = match (&here, &server) {
            (Some(here), Some(server)) => Some(agree(self.shape, register, here, server)),
            _ => None,
        };
        let pending = edit_of(self.pending, register.name);
        let foretold = pending.as_ref().filter(|_| self.there.is_some());
        RegisterNow {
            register: register.name.to_owned(),
            rule: register.merge.to_owned(),
            is_group: register.columns.len() > 1,
            outlook: foretold.map(|edit| outlook(register, edit, same, answer)),
            set: answer
                .map(|answer| set_at(answer, self.there.map_or(&[], |there| &there.devices))),
            decided_by: answer.map(|answer| decided_by(register, answer, self.gave_way).to_owned()),
            here,
            server,
            same,
            pending,
        }
    }
}

/// What made the server's value the row's.
fn decided_by(register: &Register, answer: &RegisterAnswer, gave_way: &[GaveWay]) -> &'static str {
    let mut beaten = gave_way
        .iter()
        .filter(|edit| edit.register == register.name);
    match answer.set_by {
        SetBy::Server => "server",
        SetBy::Followed => "followed",
        SetBy::ParentDeleted => "parent_deleted",
        SetBy::ExclusiveCleared => "exclusive_cleared",
        SetBy::Device if register.rule == Rule::Latest => {
            match beaten
                .next()
                .is_some_and(|edit| edit.edited_ms == Some(answer.at))
            {
                true => "tie",
                false => register.merge,
            }
        }
        SetBy::Device => register.merge,
    }
}

fn set_at(answer: &RegisterAnswer, devices: &[DeviceAnswer]) -> SetAt {
    let device = devices
        .iter()
        .find(|device| Some(device.number) == answer.device);
    SetAt {
        by: answer.set_by,
        device: answer.device,
        device_name: device.and_then(|device| device.name.clone()),
        this_device: device.is_some_and(|device| device.this),
        at_ms: answer.at,
        because_of: answer.because_of.clone(),
    }
}

/// The register's own entry, or that of the row as a whole.
fn edit_of(pending: &Pending, register: &str) -> Option<PendingEdit> {
    let named = |name: &str| pending.iter().find(|(register, _)| register == name);
    let found = named(register).or_else(|| named(EVERY_REGISTER));
    found.map(|(_, edit)| edit.clone())
}

/// A device's clock may be off, which the server takes into account and this does not.
fn outlook(
    register: &Register,
    edit: &PendingEdit,
    same: Option<bool>,
    answer: Option<&RegisterAnswer>,
) -> Outlook {
    match (same, answer, register.rule) {
        (Some(true), ..) => Outlook::Same,
        (_, _, Rule::ByValue) => Outlook::ByRule,
        (_, None, _) => Outlook::Wins,
        (_, Some(answer), Rule::Latest) => match edit.edited_ms.cmp(&answer.at) {
            std::cmp::Ordering::Greater => Outlook::Wins,
            std::cmp::Ordering::Equal => Outlook::Tie,
            std::cmp::Ordering::Less => Outlook::GivesWay,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATEST: Register = Register {
        name: "name",
        columns: &["name"],
        rule: Rule::Latest,
        merge: "latest",
    };

    fn edited(edited_ms: i64) -> PendingEdit {
        PendingEdit {
            edited_ms,
            n_edits: 1,
            n_sent: 0,
            before: None,
            whole: false,
        }
    }

    fn set(at: i64) -> RegisterAnswer {
        RegisterAnswer {
            register: "name".to_owned(),
            value: None,
            at,
            device_at: at,
            device: Some(1),
            set_by: SetBy::Device,
            because_of: None,
        }
    }

    #[test]
    fn the_later_edit_wins_and_of_one_time_the_greater_value() {
        let told = |edited_ms| outlook(&LATEST, &edited(edited_ms), Some(false), Some(&set(5)));
        let expected = [Outlook::GivesWay, Outlook::Tie, Outlook::Wins];
        assert_eq!([4, 5, 6].map(told), expected);
    }

    #[test]
    fn what_the_server_has_already_or_not_at_all_is_no_contest() {
        let told = |same, answer| outlook(&LATEST, &edited(1), same, answer);
        assert_eq!(told(None, None), Outlook::Wins);
        assert_eq!(told(Some(true), Some(&set(5))), Outlook::Same);
        let least = Register {
            rule: Rule::ByValue,
            merge: "min",
            ..LATEST
        };
        let by_rule = outlook(&least, &edited(1), Some(false), Some(&set(5)));
        assert_eq!(by_rule, Outlook::ByRule);
        assert_eq!(decided_by(&least, &set(5), &[]), "min");
    }

    #[test]
    fn edits_of_one_time_are_told_as_a_tie() {
        let beaten = |edited_ms| GaveWay {
            register: "name".to_owned(),
            local: None,
            remote: None,
            edited_ms,
            at_ms: 9,
        };
        for (edited_ms, expected) in [(Some(5), "tie"), (Some(4), "latest"), (None, "latest")] {
            assert_eq!(decided_by(&LATEST, &set(5), &[beaten(edited_ms)]), expected);
        }
        assert_eq!(decided_by(&LATEST, &set(5), &[]), "latest");
        let followed = RegisterAnswer {
            set_by: SetBy::Followed,
            ..set(5)
        };
        assert_eq!(decided_by(&LATEST, &followed, &[]), "followed");
    }

    #[test]
    fn a_register_without_an_edit_of_its_own_has_the_rows() {
        let pending = vec![
            (EVERY_REGISTER.to_owned(), edited(1)),
            ("name".to_owned(), edited(2)),
        ];
        assert_eq!(edit_of(&pending, "name"), Some(edited(2)));
        assert_eq!(edit_of(&pending, "avatar"), Some(edited(1)));
        assert_eq!(edit_of(&Pending::new(), "name"), None);
    }
}
