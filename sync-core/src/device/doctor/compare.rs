//! The two ends compared: first the sums of ranges of rows, then the rows of those ranges that differ.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Finding, FindingKind, Findings, TableCompared,
    mend::{OnlyHere, Suspects},
};
use crate::{
    checksum::{Bucket, Buckets, Sum},
    device::{Device, pull, remote, state, sync::Session},
    error::SyncError,
    protocol::{CompareAnswer, CompareRequest, CompareTable, PROTOCOL_VERSION, TableSums},
    registry::Registered,
};

/// Rows of differing ranges that are looked at together, beyond the first range.
const BATCH: u64 = 5_000;

impl Device {
    /// Compares every table, parents first.
    pub(super) async fn compare_all(
        &self,
        session: Session<'_>,
        mend: bool,
        findings: &mut Findings,
    ) -> Result<Vec<TableCompared>, SyncError> {
        findings.begin_pass();
        let tables = self.registry.tables().iter();
        let asked = tables.map(|registered| asked(registered, None)).collect();
        let answer = self.ask(session, asked, false).await?;
        if tell_unseen(&answer, findings) && mend {
            // They enter the feed, and the next sync brings them here.
            self.ask(session, Vec::new(), true).await?;
        }
        let mut compared = Vec::new();
        for sums in answer.tables {
            let Some(registered) = self.registry.get(&sums.table) else {
                continue;
            };
            compared.push(match &sums.code {
                Some(code) => TableCompared {
                    table: sums.table.clone(),
                    code: Some(code.clone()),
                    ..TableCompared::default()
                },
                None => {
                    self.compare_table(session, registered, sums, mend, findings)
                        .await?
                }
            });
        }
        Ok(compared)
    }

    async fn ask(
        &self,
        session: Session<'_>,
        tables: Vec<CompareTable>,
        mend: bool,
    ) -> Result<CompareAnswer, SyncError> {
        let state = state::load(&self.db).await?;
        let request = CompareRequest {
            protocol: PROTOCOL_VERSION,
            cursor: state.cursor,
            mend,
            tables,
        };
        let answer = remote::compare(session.transport, &request)
            .await
            .map_err(older_server)?;
        if state.epoch.is_some_and(|epoch| epoch != answer.epoch) {
            return Err(pull::new_life());
        }
        let fits = request.tables.len() == answer.tables.len()
            && request
                .tables
                .iter()
                .zip(&answer.tables)
                .all(|(asked, told)| asked.table == told.table);
        if !fits {
            let message = "the checksums are not those that were asked for".to_owned();
            return Err(SyncError::NotASyncServer(message));
        }
        Ok(answer)
    }

    async fn compare_table(
        &self,
        session: Session<'_>,
        registered: &Registered,
        sums: TableSums,
        mend: bool,
        findings: &mut Findings,
    ) -> Result<TableCompared, SyncError> {
        let (here, n_rows) = self.buckets_here(registered, &sums.columns).await?;
        let mut compared = TableCompared {
            table: sums.table.clone(),
            n_rows,
            ..TableCompared::default()
        };
        for batch in batches(differing(&here, &sums)) {
            let suspects = self
                .suspects(session, registered, &sums.columns, batch, findings)
                .await?;
            compared.n_differing += self
                .look_into(session, registered, suspects, mend, findings)
                .await?;
        }
        Ok(compared)
    }

    async fn buckets_here(
        &self,
        registered: &Registered,
        columns: &[String],
    ) -> Result<(Buckets, u64), SyncError> {
        let (mut buckets, mut n_rows, mut next) = (Buckets::new(), 0, Some(i64::MIN));
        while let Some(after) = next {
            let page = self.page_here(registered, after, None).await?;
            for row in &page.rows {
                let name = row.remote_id.as_deref().unwrap_or_default();
                buckets.add(name, Sum::of(registered.shape, columns, name, &row.columns));
            }
            for (_, name, _) in &page.unreadable {
                buckets.add(name, Sum::default());
            }
            n_rows += (page.rows.len() + page.unreadable.len()) as u64;
            next = page.next;
        }
        Ok((buckets, n_rows))
    }

    /// The rows of these ranges that are not the same on both ends, or on one end only.
    async fn suspects(
        &self,
        session: Session<'_>,
        registered: &Registered,
        columns: &[String],
        buckets: Vec<u8>,
        findings: &mut Findings,
    ) -> Result<Suspects, SyncError> {
        let table = registered.shape.table;
        let wanted: HashSet<u8> = buckets.iter().copied().collect();
        let answer = self
            .ask(session, vec![asked(registered, Some(buckets))], false)
            .await?;
        let told = answer.tables.into_iter().next().unwrap_or_default();
        let unreadable: HashSet<String> = told.unreadable.into_iter().collect();
        for name in &unreadable {
            findings.add(Finding::of_row(
                FindingKind::UnreadableThere,
                table,
                None,
                Some(name),
            ));
        }
        let rows = told.rows.into_iter();
        let mut there: HashMap<String, String> = rows.map(|row| (row.remote_id, row.sum)).collect();
        let mut suspects = Suspects::default();
        let mut next = Some(i64::MIN);
        while let Some(after) = next {
            let page = self.page_here(registered, after, Some(&wanted)).await?;
            for row in page.rows {
                let name = row.remote_id.unwrap_or_default();
                let sum = Sum::of(registered.shape, columns, &name, &row.columns).to_string();
                match there.remove(&name) {
                    Some(other) if other == sum => {}
                    Some(_) => suspects.there.push(name),
                    None if unreadable.contains(&name) => {}
                    None => suspects.only_here.push(OnlyHere {
                        row_id: row.row_id,
                        name,
                    }),
                }
            }
            for (row_id, name, fault) in page.unreadable {
                there.remove(&name);
                let finding =
                    Finding::of_row(FindingKind::Unreadable, table, Some(row_id), Some(&name));
                findings.add(Finding {
                    registers: fault.columns.iter().map(|&c| c.to_owned()).collect(),
                    message: Some(fault.reason),
                    ..finding
                });
            }
            next = page.next;
        }
        suspects.there.extend(there.into_keys());
        suspects.there.sort_unstable();
        Ok(suspects)
    }
}

/// A server of an older program has no such address.
fn older_server(error: SyncError) -> SyncError {
    match error {
        SyncError::Refused {
            status: 404 | 405,
            retry_after,
            ..
        } => SyncError::Refused {
            status: 404,
            code: "no_comparison".to_owned(),
            message: "this server cannot compare: update it".to_owned(),
            retry_after,
        },
        error => error,
    }
}

fn asked(registered: &Registered, buckets: Option<Vec<u8>>) -> CompareTable {
    CompareTable {
        table: registered.shape.table.to_owned(),
        columns: registered.shape.columns().map(str::to_owned).collect(),
        buckets,
    }
}

fn tell_unseen(answer: &CompareAnswer, findings: &mut Findings) -> bool {
    let unseen = answer.tables.iter().filter(|sums| sums.n_unseen > 0);
    let mut any = false;
    for sums in unseen {
        any = true;
        let message = format!("{} rows in the server's table", sums.n_unseen);
        findings.add(Finding {
            message: Some(message),
            ..Finding::new(FindingKind::UnseenThere, &sums.table)
        });
    }
    any
}

/// The ranges in which both ends are not the same, with the rows they hold on the end that has more.
fn differing(here: &Buckets, there: &TableSums) -> Vec<(u8, u64)> {
    let there: BTreeMap<u8, (u64, &str)> = there
        .buckets
        .iter()
        .map(|bucket| (bucket.bucket, (bucket.n_rows, bucket.sum.as_str())))
        .collect();
    let differs = |(number, bucket): (u8, Bucket)| {
        let sum = bucket.sum.to_string();
        let (n_rows, other) = there.get(&number).copied().unwrap_or((0, ""));
        let same = n_rows == bucket.n_rows && (n_rows == 0 || other == sum);
        (!same).then_some((number, n_rows.max(bucket.n_rows)))
    };
    here.iter().filter_map(differs).collect()
}

fn batches(ranges: Vec<(u8, u64)>) -> Vec<Vec<u8>> {
    let mut batches: Vec<(Vec<u8>, u64)> = Vec::new();
    for (range, n_rows) in ranges {
        match batches.last_mut() {
            Some((batch, n)) if *n + n_rows <= BATCH => {
                batch.push(range);
                *n += n_rows;
            }
            _ => batches.push((vec![range], n_rows)),
        }
    }
    batches.into_iter().map(|(batch, _)| batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::BucketSum;

    #[test]
    fn ranges_are_taken_together_up_to_a_size() {
        let ranges = vec![(1, 3_000), (2, 2_000), (3, 1), (4, 9_000), (5, 0)];
        assert_eq!(batches(ranges), [vec![1, 2], vec![3], vec![4], vec![5]]);
        assert!(batches(Vec::new()).is_empty());
    }

    #[test]
    fn only_ranges_that_are_not_the_same_are_looked_into() {
        let mut here = Buckets::new();
        here.add("a", Sum::default());
        let number = crate::checksum::bucket_of("a");
        let mut there = TableSums::default();
        assert_eq!(differing(&here, &there), [(number, 1)]);
        there.buckets.push(BucketSum {
            bucket: number,
            n_rows: 1,
            sum: Sum::default().to_string(),
        });
        assert_eq!(differing(&here, &there), []);
        assert_eq!(differing(&Buckets::new(), &there), [(number, 1)]);
    }
}
