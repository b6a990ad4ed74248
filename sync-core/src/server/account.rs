//! One counter row an account: its lock makes the account's feed gap-free, and accounts run in parallel.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::{ids::Ids, protocol::PushRequest};

/// The counter row, locked until the transaction's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its number in the feed's tables.
    pub(crate) id: i64,
    /// The feed's last position.
    pub(crate) head: i64,
    /// Tombstones up to this position are forgotten.
    pub(crate) horizon: i64,
    /// Tells this feed's end from that of another history with as many entries: see [`set_head`].
    pub(crate) mark: u32,
}

/// Locks the account's counter row, creating it at the account's first sync.
pub(crate) async fn lock<C: ConnectionTrait>(tx: &C, user_id: &str) -> Result<Account, DbErr> {
    let backend = tx.get_database_backend();
    let create = "INSERT INTO sync_account (user_id, head, horizon, mark) VALUES ($1, 0, 0, 0) ON CONFLICT (user_id) DO NOTHING";
    let select = match backend {
        // The write transaction has the whole database.
        DbBackend::Sqlite => "SELECT id, head, horizon, mark FROM sync_account WHERE user_id = $1",
        _ => "SELECT id, head, horizon, mark FROM sync_account WHERE user_id = $1 FOR UPDATE",
    };
    let statement = |sql| Statement::from_sql_and_values(backend, sql, [user_id.into()]);
    if let Some(row) = tx.query_one_raw(statement(select)).await? {
        return from_row(&row);
    }
    tx.execute_raw(statement(create)).await?;
    let row = tx.query_one_raw(statement(select)).await?;
    from_row(&row.ok_or_else(|| DbErr::RecordNotFound("sync_account".to_owned()))?)
}

/// Takes positions as a database sequence gives them out: at once, whatever becomes of who takes them.
/// Returns the last one taken before.
pub(super) async fn reserve(db: &DatabaseConnection, user_id: &str) -> Result<i64, DbErr> {
    let tx = crate::tx::begin_write(db).await?;
    let Account { id, head, .. } = lock(&tx, user_id).await?;
    let sql = "UPDATE sync_account SET head = head + 1000 WHERE id = $1";
    crate::tx::execute(&tx, sql, vec![id.into()]).await?;
    tx.commit().await?;
    Ok(head)
}

/// The account as it stands, if it has ever synced.
pub(crate) async fn find<C: ConnectionTrait>(
    db: &C,
    user_id: &str,
) -> Result<Option<Account>, DbErr> {
    let sql = "SELECT id, head, horizon, mark FROM sync_account WHERE user_id = $1";
    let row = db
        .query_one_raw(Statement::from_sql_and_values(
            db.get_database_backend(),
            sql,
            [user_id.into()],
        ))
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

/// Moves the feed's end, and gives it a mark of its own. A server that was put back to a backup gives out
/// the same positions once more: by their marks they are told from those it gave out before.
pub(crate) async fn set_head<C: ConnectionTrait>(
    tx: &C,
    account: &Account,
    head: i64,
    ids: &dyn Ids,
) -> Result<Account, DbErr> {
    let mark = mark(&ids.next());
    let sql = "UPDATE sync_account SET head = $1, mark = $2 WHERE id = $3";
    let values = vec![head.into(), i64::from(mark).into(), account.id.into()];
    crate::tx::execute(tx, sql, values).await?;
    let sql = "INSERT INTO sync_mark (account, seq, mark) VALUES ($1, $2, $3)";
    let values = vec![account.id.into(), head.into(), i64::from(mark).into()];
    crate::tx::execute(tx, sql, values).await?;
    Ok(Account {
        head,
        mark,
        ..*account
    })
}

/// Forgets the marks up to a position but the newest of them: it tells which positions had none.
pub(super) async fn forget_marks<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    up_to: i64,
) -> Result<(), DbErr> {
    let sql = "DELETE FROM sync_mark WHERE account = $1 AND seq <
                 (SELECT max(seq) FROM sync_mark WHERE account = $1 AND seq <= $2)";
    crate::tx::execute(tx, sql, vec![account.into(), up_to.into()]).await
}

/// Whether the feed once ended at this position with this mark. Marks of long ago are forgotten, and
/// then it is believed.
pub(super) async fn has_ended_at<C: ConnectionTrait>(
    tx: &C,
    account: &Account,
    seq: i64,
    mark: u32,
) -> Result<bool, DbErr> {
    if seq == account.head {
        return Ok(mark == account.mark);
    }
    let sql = "SELECT count(CASE WHEN seq = $2 THEN 1 END) AS here, count(CASE WHEN seq = $2 AND mark = $3 THEN 1 END) AS same,
               count(CASE WHEN seq < $2 THEN 1 END) AS before FROM
                 (SELECT seq, mark FROM sync_mark WHERE account = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 2) marks";
    let values = [account.id.into(), seq.into(), i64::from(mark).into()];
    let backend = tx.get_database_backend();
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    let Some(row) = row else { return Ok(true) };
    let count = |column| row.try_get::<i64>("", column);
    Ok(match (count("here")?, count("same")?, count("before")?) {
        (0, _, before) => before == 0,
        (_, same, _) => same > 0,
    })
}

/// The last digits of a new name.
fn mark(id: &str) -> u32 {
    let last = id.get(id.len().saturating_sub(8)..).unwrap_or_default();
    u32::from_str_radix(last, 16).unwrap_or_default()
}

/// The life of the server's data.
pub(crate) async fn epoch<C: ConnectionTrait>(db: &C) -> Result<String, DbErr> {
    let sql = "SELECT epoch FROM sync_server WHERE id = 1";
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    row.ok_or_else(|| DbErr::RecordNotFound("sync_server: the server is not installed".to_owned()))?
        .try_get("", "epoch")
}

/// Begins the first life of a database's data.
pub(super) async fn create_epoch<C: ConnectionTrait>(db: &C, epoch: &str) -> Result<(), DbErr> {
    let sql = "INSERT INTO sync_server (id, epoch) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
    db.execute_raw(Statement::from_sql_and_values(
        db.get_database_backend(),
        sql,
        [epoch.into()],
    ))
    .await
    .map(|_| ())
}

/// Begins another life of a database's data.
pub(super) async fn set_epoch<C: ConnectionTrait>(db: &C, epoch: &str) -> Result<(), DbErr> {
    let sql = "UPDATE sync_server SET epoch = $1 WHERE id = 1";
    crate::tx::execute(db, sql, vec![epoch.into()]).await
}

/// A push as the device counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PushNo {
    pub(super) number: i64,
    /// Of the whole body: another push with the same number comes from a copy of the device's database.
    pub(super) body_hash: i64,
    /// What the device's clock said when it was sent.
    pub(super) sent_at_ms: i64,
}

impl PushNo {
    fn is(self, other: Self) -> bool {
        (self.number, self.body_hash) == (other.number, other.body_hash)
    }
}

/// The last push of a device that was taken, and when.
struct Taken {
    push: PushNo,
    taken_at_ms: i64,
}

/// What a push is among those its device has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It was not here before.
    First,
    /// The last one, delivered once more; it was first taken at this time.
    Again {
        taken_at_ms: i64,
        /// What the device's clock said then.
        sent_at_ms: i64,
    },
    /// A later one was taken before.
    Overtaken { last: i64 },
}

/// Takes note of a device's push. The account is locked.
pub(super) async fn take_turn<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    device: i64,
    push: PushNo,
    now_ms: i64,
) -> Result<Turn, DbErr> {
    let turn = match last_push(tx, account, device).await? {
        Some(last) if last.push.is(push) => Turn::Again {
            taken_at_ms: last.taken_at_ms,
            sent_at_ms: last.push.sent_at_ms,
        },
        Some(last) if last.push.number >= push.number => Turn::Overtaken {
            last: last.push.number,
        },
        _ => Turn::First,
    };
    if turn == Turn::First {
        let sql = "INSERT INTO sync_peer (account, device, push_no, body_hash, sent_at, seen_at)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account, device) DO UPDATE
                   SET push_no = excluded.push_no, body_hash = excluded.body_hash, sent_at = excluded.sent_at,
                     seen_at = excluded.seen_at";
        let values = vec![
            account.into(),
            device.into(),
            push.number.into(),
            push.body_hash.into(),
            push.sent_at_ms.into(),
            now_ms.into(),
        ];
        crate::tx::execute(tx, sql, values).await?;
    }
    Ok(turn)
}

async fn last_push<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    device: i64,
) -> Result<Option<Taken>, DbErr> {
    let sql = "SELECT push_no, body_hash, sent_at, seen_at FROM sync_peer WHERE account = $1 AND device = $2";
    let values = [account.into(), device.into()];
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let push = PushNo {
        number: row.try_get("", "push_no")?,
        body_hash: row.try_get("", "body_hash")?,
        sent_at_ms: row.try_get("", "sent_at")?,
    };
    let taken_at_ms = row.try_get("", "seen_at")?;
    Ok(Some(Taken { push, taken_at_ms }))
}

/// A number for all that a push says, but for when it was sent. FNV-1a: the same in every version of the program, and nobody gains by a collision, because what is
/// taken for a repetition is merged like any other push.
pub(super) fn hash(request: &PushRequest<'_>) -> i64 {
    let parts = request.tables.iter().flat_map(|table| {
        let rows = table.rows.iter().map(|row| row.get());
        std::iter::once(&*table.table).chain(rows)
    });
    let known = [&request.epoch, &request.cursor].map(|text| text.as_deref().unwrap_or_default());
    let bytes = known.into_iter().chain(parts).flat_map(str::bytes);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.cast_signed()
}

pub(super) fn from_row(row: &sea_orm::QueryResult) -> Result<Account, DbErr> {
    Ok(Account {
        id: row.try_get("", "id")?,
        head: row.try_get("", "head")?,
        horizon: row.try_get("", "horizon")?,
        mark: u32::try_from(row.try_get::<i64>("", "mark")?).unwrap_or_default(),
    })
}
