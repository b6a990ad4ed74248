//! Files of the first two generations with rows and formats drawn at random: another device holds the same.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use sync_tests::{
    Backend, TestDb,
    account::{GENERATION_1, GENERATION_2},
    programs::DeviceFile,
};

use super::{account, connect_to, oracle};
use crate::binaries::serve;

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u64) as usize]
    }

    /// A time in one of the forms in which it is found, or none.
    fn time(&mut self) -> String {
        let (day, second, milli) = (1 + self.below(28), self.below(60), self.below(1000));
        let at = format!("2024-0{}-{day:02}", 1 + self.below(9));
        match self.below(7) {
            0 => "NULL".to_owned(),
            1 => format!("'{at} 10:11:{second:02}'"),
            2 => format!("'{at}T10:11:{second:02}Z'"),
            3 => format!("'{at}T10:11:{second:02}.{milli:03}Z'"),
            4 => format!("'{at}T23:11:{second:02}.{milli:03}+05:30'"),
            5 => format!("'{at} 10:11:{second:02}.{milli:03}'"),
            _ => format!("'{at}T01:11:{second:02}-08:00'"),
        }
    }

    fn text(&mut self) -> String {
        self.of(&[
            "NULL",
            "''",
            "'plain'",
            "'Ünï çödé 🎬'",
            "'it''s \"quoted\"'",
            "'{\"a\":[1,2,null]}'",
            "'line\n\ttwo'",
            "' blank '",
        ])
        .to_owned()
    }

    fn number(&mut self) -> String {
        match self.below(5) {
            0 => "NULL".to_owned(),
            1 => "0".to_owned(),
            2 => "9223372036854775807".to_owned(),
            3 => format!("-{}", self.below(100)),
            _ => self.below(10_000).to_string(),
        }
    }

    fn remote_id(&mut self) -> &'static str {
        self.of(&[
            "NULL",
            "'17'",
            "'17'",
            "''",
            "'0197a0b0-1111-7000-8000-000000000001'",
            "'not a name'",
        ])
    }
}

/// What a generation's tables are filled with, over what its fixture has.
fn rows(dice: &mut Dice, has_sync: bool) -> String {
    let mut sql = String::from("PRAGMA foreign_keys = ON;");
    let mut insert =
        |dice: &mut Dice, table: &str, columns: &str, values: String, updated: bool| {
            let (mut columns, mut values) = (columns.to_owned(), values);
            if has_sync {
                columns.push_str(", remote_id, dirty");
                let _ = write!(
                    values,
                    ", {}, {}",
                    dice.remote_id(),
                    dice.of(&["0", "1", "NULL"])
                );
            }
            if has_sync || updated {
                columns.push_str(", updated_at");
                let _ = write!(values, ", {}", dice.time());
            }
            if has_sync && dice.below(8) == 0 {
                columns.push_str(", deleted_at");
                let _ = write!(values, ", '2024-05-05 05:05:05'");
            }
            let _ = write!(sql, "INSERT INTO {table} ({columns}) VALUES ({values});");
        };
    let user = if has_sync { "u1" } else { "guest" };
    for id in 100..104 {
        let values = format!("{id}, '{user}', 'S{id}', 0, {}", dice.time());
        insert(
            dice,
            "settings_profiles",
            "id, user_id, name, is_default, created_at",
            values,
            true,
        );
        let values = format!(
            "{id}, '{user}', 'P{id}', 'a', {}, 0, {}",
            dice.text(),
            dice.time()
        );
        insert(
            dice,
            "profiles",
            "id, user_id, name, avatar, avatar_type, is_default, created_at",
            values,
            true,
        );
        let values = format!("{id}, {id}, 2, {}, {}", dice.number(), dice.time());
        // Each fixture has an addon 1 or 2; both are tried by name.
        let values = values.replacen(", 2,", ", (SELECT max(id) FROM addons),", 1);
        insert(
            dice,
            "profile_addons",
            "id, profile_id, addon_id, priority, created_at",
            values,
            false,
        );
        let owner = dice.of(&["profile_id", "settings_profile_id"]);
        let values = format!(
            "{id}, {id}, {}, {}, {}",
            dice.text(),
            dice.text(),
            dice.text()
        );
        insert(
            dice,
            "stream_settings",
            &format!("id, {owner}, qualities, required_keywords, config"),
            values,
            false,
        );
        let values = format!("{id}, {id}, {}", dice.of(&["0", "1", "NULL"]));
        insert(
            dice,
            "appearance_settings",
            "id, settings_profile_id, show_imdb_ratings",
            values,
            false,
        );
        for list in 0..2 {
            let list = id * 10 + list;
            let values = format!("{list}, {id}, 'L{list}', {}", dice.time());
            insert(
                dice,
                "lists",
                "id, profile_id, name, created_at",
                values,
                false,
            );
            for item in 0..3 {
                let rating = dice.of(&["NULL", "7.25", "8", "0.1"]);
                let values = format!(
                    "{list}, 'tt{item}', 'movie', {}, {rating}, {}",
                    dice.text(),
                    dice.time()
                );
                insert(
                    dice,
                    "list_items",
                    "list_id, meta_id, type, title, imdb_rating, created_at",
                    values,
                    false,
                );
            }
        }
        for title in 0..4 {
            let values = format!(
                "{id}, 'tt{title}', 'series', {}, {}, {}",
                dice.text(),
                dice.number(),
                dice.number()
            );
            insert(
                dice,
                "watch_history",
                "profile_id, meta_id, meta_type, title, duration, position",
                values,
                true,
            );
        }
    }
    sql
}

#[tokio::test]
async fn another_device_holds_the_same() -> Result<()> {
    let db = TestDb::new(Backend::Sqlite).await?;
    let server = serve(&db)?;
    for seed in 0..6 {
        let has_sync = seed % 2 == 1;
        let generation = if has_sync { GENERATION_2 } else { GENERATION_1 };
        let email = format!("seed{seed}@example.org");
        account(&db, &email)?;
        let (a, b) = (DeviceFile::of_the_app(generation)?, DeviceFile::missing()?);
        a.sql(&rows(&mut Dice(seed), has_sync))
            .with_context(|| format!("seed {seed}"))?;
        for device in [&a, &b] {
            connect_to(device, &server.url(), &email)?;
            device.sync().with_context(|| format!("seed {seed}"))?;
        }
        oracle::same(&a.copy(), &b.path()).with_context(|| format!("seed {seed}"))?;
        ensure!(b.sql("PRAGMA foreign_key_check")?.is_empty());
        ensure!(a.status()?["state"] == "synced");
    }
    Ok(())
}
