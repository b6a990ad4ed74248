//! One row explained: what it holds here and at the server, who set it and when, what is pending, and by
//! which rule the two come together.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Device, QuarantinedRow, RejectedRow, RowId, remote, row_id::Located};
use crate::{
    error::SyncError,
    protocol::{DeviceAnswer, ErrorCode, RegisterAnswer, RowAnswer, SetBy},
    row_now::{RowNow, agree, value_of},
    shape::{EVERY_REGISTER, Register, Rule, Shape},
    transport::Transport,
    tx,
};

/// All that is known of one row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Its table.
    pub table: String,
    /// Its primary key here.
    pub row_id: Option<i64>,
    /// The name it has here, or was asked for by.
    pub remote_id: Option<String>,
    /// How it stands in this database.
    pub here: RowState,
    /// When it was deleted here, in milliseconds.
    pub deleted_ms: Option<i64>,
    /// Why the server did not take it.
    pub rejected: Option<RejectedRow>,
    /// Why a newer form of it cannot be written here.
    pub quarantined: Option<QuarantinedRow>,
    /// Its registers.
    pub registers: Vec<RegisterNow>,
    /// Edits made here that gave way to others', the latest first.
    pub gave_way: Vec<GaveWay>,
    /// What the server says of the row as a whole; none if it was not asked or does not have it.
    pub server: Option<ServerSide>,
    /// Why the server says nothing: a stable word, `unknown_row` if it does not have the row.
    pub server_error: Option<String>,
    /// The same in words.
    pub server_message: Option<String>,
}

/// How a row stands in this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// It is there.
    Live,
    /// It is deleted and can come back.
    Deleted,
    /// It was deleted for good, and the server does not know yet.
    Gone,
    /// It is not here.
    Absent,
    /// It is there, and holds what its columns cannot.
    Unreadable,
}

/// What the server says of a row as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerSide {
    /// The name it has there.
    pub remote_id: String,
    /// Whether the name here is another that merely leads to it.
    pub is_alias: bool,
    /// Other names that lead to it.
    pub aliases: Vec<String>,
    /// When it was last edited, in server time in milliseconds.
    pub at_ms: i64,
    /// When it was deleted, in milliseconds.
    pub deleted_ms: Option<i64>,
    /// Whether only its tombstone is left.
    pub gone: bool,
    /// Whether the server cannot read its own copy.
    pub unreadable: bool,
}

/// One register of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegisterNow {
    /// Its name.
    pub register: String,
    /// The rule of its merge: `latest`, `min`, `max`, or a function's path.
    pub rule: String,
    /// Whether its columns merge as one.
    pub is_group: bool,
    /// Its value here, by column.
    pub here: Option<Map<String, Value>>,
    /// Its value at the server, by column.
    pub server: Option<Map<String, Value>>,
    /// Whether both are the same; none if one is not known.
    pub same: Option<bool>,
    /// How it came to the server's value.
    pub set: Option<SetAt>,
    /// What is pending of it here.
    pub pending: Option<PendingEdit>,
    /// What the server will make of that, as far as this device can tell.
    pub outlook: Option<Outlook>,
}

/// How a register came to the server's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAt {
    /// How.
    pub by: SetBy,
    /// The server's number of the device.
    pub device: Option<i64>,
    /// What the device calls itself.
    pub device_name: Option<String>,
    /// Whether that is this device.
    pub this_device: bool,
    /// When, in server time in milliseconds.
    pub at_ms: i64,
    /// The row because of which it has this value.
    pub because_of: Option<String>,
}

/// An edit that the server has not taken yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingEdit {
    /// When it was last edited, by this device's clock in milliseconds.
    pub edited_ms: i64,
    /// How often it was edited since the server last took it.
    pub n_edits: i64,
    /// How many of these edits were sent, answered or not.
    pub n_sent: i64,
    /// The value before the first edit, as SQL text; none of a row that is new or pending as a whole.
    pub before: Option<String>,
    /// Whether the row is pending as a whole.
    pub whole: bool,
}

/// What the server will make of a pending edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// The server has the same value already.
    Same,
    /// It is the later edit, or the row is new: it will stand.
    Wins,
    /// The server has a later edit: it will give way.
    GivesWay,
    /// Both edits are of one time: the greater value stands.
    Tie,
    /// The rule makes one value of both.
    ByRule,
}

/// An edit made here that gave way to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GaveWay {
    /// The register.
    pub register: String,
    /// What it was here, as JSON text.
    pub local: Option<String>,
    /// What it gave way to, as JSON text.
    pub remote: Option<String>,
    /// When, by this device's clock in milliseconds.
    pub at_ms: i64,
}

/// What is pending of a row, by register.
type Pending = Vec<(String, PendingEdit)>;

impl Device {
    /// Explains one row. Without a transport, or where the server is not reached, what this device knows.
    ///
    /// # Errors
    /// If there is no such row or table, here or at the server, or the database fails.
    pub async fn explain(
        &self,
        transport: Option<&dyn Transport>,
        table: &str,
        id: &RowId,
    ) -> Result<Explanation, SyncError> {
        let row = self.locate(&self.db, table, id).await?;
        let asked = match (transport, &row.remote_id) {
            (None, _) => Err((
                "not_asked".to_owned(),
                "the server was not asked".to_owned(),
            )),
            (Some(_), None) => {
                let message = "the row has never been sent, so the server has nothing of it";
                Err(("never_sent".to_owned(), message.to_owned()))
            }
            (Some(transport), Some(name)) => remote::row(transport, table, name)
                .await
                .map_err(|error| (error.word().to_owned(), error.to_string())),
        };
        let nowhere = row.row_id.is_none() && row.gone_ms.is_none();
        if let Err((word, _)) = &asked
            && nowhere
            && (word == ErrorCode::UnknownRow.as_str() || transport.is_none())
        {
            return Err(super::row_id::unknown(table, id));
        }
        self.explanation(&row, asked).await
    }

    async fn explanation(
        &self,
        row: &Located<'_>,
        asked: Result<RowAnswer, (String, String)>,
    ) -> Result<Explanation, SyncError> {
        let table = row.registered.shape.table;
        let tx = tx::begin_read(&self.db).await?;
        let ids: Vec<i64> = row.row_id.into_iter().collect();
        let mut now = row.registered.table.now(&tx, &ids).await?;
        let here = now.rows.pop();
        let pending = match row.row_id {
            Some(row_id) => pending(&tx, table, row_id).await?,
            None => Pending::new(),
        };
        let gave_way = gave_way(&tx, row).await?;
        tx.commit().await?;
        let is_it = |t: &str, id: Option<i64>, name: Option<&str>| {
            let same_name = name.is_some() && name == row.remote_id.as_deref();
            t == table && (same_name || (id.is_some() && id == row.row_id))
        };
        let mut rejected = self.rejected().await?.into_iter();
        let mut quarantined = self.quarantined().await?.into_iter();
        let there = asked.as_ref().ok();
        let registers = row.registered.shape.registers.iter();
        Ok(Explanation {
            table: table.to_owned(),
            row_id: row.row_id,
            remote_id: row.remote_id.clone(),
            here: state_of(row, here.as_ref(), !now.unreadable.is_empty()),
            deleted_ms: here
                .as_ref()
                .and_then(|here| here.deleted_at)
                .or(row.gone_ms),
            rejected: rejected.find(|r| is_it(&r.table, Some(r.row_id), r.remote_id.as_deref())),
            quarantined: quarantined.find(|q| is_it(&q.table, q.row_id, Some(&q.remote_id))),
            registers: registers
                .map(|register| {
                    register_now(
                        row.registered.shape,
                        register,
                        here.as_ref(),
                        &pending,
                        there,
                    )
                })
                .collect(),
            gave_way,
            server: there.map(|there| server_side(row, there)),
            server_error: asked.as_ref().err().map(|(word, _)| word.clone()),
            server_message: asked.err().map(|(_, message)| message),
        })
    }
}

fn state_of(row: &Located<'_>, here: Option<&RowNow>, unreadable: bool) -> RowState {
    match here {
        Some(here) if here.deleted_at.is_some() => RowState::Deleted,
        Some(_) => RowState::Live,
        None if unreadable => RowState::Unreadable,
        None if row.gone_ms.is_some() => RowState::Gone,
        None => RowState::Absent,
    }
}

fn server_side(row: &Located<'_>, there: &RowAnswer) -> ServerSide {
    ServerSide {
        remote_id: there.remote_id.clone(),
        is_alias: row
            .remote_id
            .as_ref()
            .is_some_and(|name| *name != there.remote_id),
        aliases: there.aliases.clone(),
        at_ms: there.at,
        deleted_ms: there.deleted_at,
        gone: there.gone,
        unreadable: there.unreadable,
    }
}

fn register_now(
    shape: &Shape,
    register: &Register,
    here: Option<&RowNow>,
    pending: &Pending,
    there: Option<&RowAnswer>,
) -> RegisterNow {
    let answer = there.and_then(|there| {
        let mut answers = there.registers.iter();
        answers.find(|answer| answer.register == register.name)
    });
    let server = answer.and_then(|answer| answer.value.clone());
    let value = here.map(|here| value_of(register, &here.columns));
    let same = match (&value, &server) {
        (Some(value), Some(server)) => Some(agree(shape, register, value, server)),
        _ => None,
    };
    let pending = edit_of(pending, register.name);
    RegisterNow {
        register: register.name.to_owned(),
        rule: register.merge.to_owned(),
        is_group: register.columns.len() > 1,
        outlook: pending
            .as_ref()
            .and_then(|edit| outlook(register, edit, same, answer, there.is_some())),
        set: answer.map(|answer| set_at(answer, there.map_or(&[], |there| &there.devices))),
        here: value,
        server,
        same,
        pending,
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
    asked: bool,
) -> Option<Outlook> {
    if !asked {
        return None;
    }
    Some(match (same, answer, register.rule) {
        (Some(true), ..) => Outlook::Same,
        (_, _, Rule::ByValue) => Outlook::ByRule,
        (_, None, _) => Outlook::Wins,
        (_, Some(answer), Rule::Latest) => match edit.edited_ms.cmp(&answer.at) {
            std::cmp::Ordering::Greater => Outlook::Wins,
            std::cmp::Ordering::Equal => Outlook::Tie,
            std::cmp::Ordering::Less => Outlook::GivesWay,
        },
    })
}

async fn pending(tx: &DatabaseTransaction, table: &str, row_id: i64) -> Result<Pending, DbErr> {
    let sql = "SELECT register, base, edited_at, edits, sent FROM sync_pending
               WHERE tbl = $1 AND row_id = $2 ORDER BY register";
    let values = [table.into(), row_id.into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let read = |row: &QueryResult| {
        let register: String = row.try_get("", "register")?;
        let edit = PendingEdit {
            edited_ms: row.try_get("", "edited_at")?,
            n_edits: row.try_get("", "edits")?,
            n_sent: row.try_get("", "sent")?,
            before: row.try_get("", "base")?,
            whole: register == EVERY_REGISTER,
        };
        Ok((register, edit))
    };
    tx.query_all_raw(statement)
        .await?
        .iter()
        .map(read)
        .collect()
}

async fn gave_way(tx: &DatabaseTransaction, row: &Located<'_>) -> Result<Vec<GaveWay>, DbErr> {
    let sql = "SELECT register, local, remote, at FROM sync_conflict
               WHERE tbl = $1 AND remote_id = $2 ORDER BY id DESC LIMIT 20";
    let values = [
        row.registered.shape.table.into(),
        row.remote_id.clone().into(),
    ];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let read = |row: &QueryResult| {
        Ok(GaveWay {
            register: row.try_get("", "register")?,
            local: row.try_get("", "local")?,
            remote: row.try_get("", "remote")?,
            at_ms: row.try_get("", "at")?,
        })
    };
    tx.query_all_raw(statement)
        .await?
        .iter()
        .map(read)
        .collect()
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
        let told = |edited_ms| {
            outlook(
                &LATEST,
                &edited(edited_ms),
                Some(false),
                Some(&set(5)),
                true,
            )
        };
        assert_eq!(
            [4, 5, 6].map(told),
            [
                Some(Outlook::GivesWay),
                Some(Outlook::Tie),
                Some(Outlook::Wins)
            ]
        );
    }

    #[test]
    fn where_nothing_is_known_nothing_is_foretold() {
        assert_eq!(outlook(&LATEST, &edited(1), None, None, false), None);
        assert_eq!(
            outlook(&LATEST, &edited(1), None, None, true),
            Some(Outlook::Wins)
        );
        let same = outlook(&LATEST, &edited(1), Some(true), Some(&set(5)), true);
        assert_eq!(same, Some(Outlook::Same));
        let least = Register {
            rule: Rule::ByValue,
            merge: "min",
            ..LATEST
        };
        let by_rule = outlook(&least, &edited(1), Some(false), Some(&set(5)), true);
        assert_eq!(by_rule, Some(Outlook::ByRule));
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
