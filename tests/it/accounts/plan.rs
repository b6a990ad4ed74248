//! What a first connect would do, told before anything is done; and then just that is done.

use anyhow::{Context, Result, ensure};
use app_adapter::LocalData;
use sync_core::device::{Plan, PlannedTable};
use sync_tests::{TestDb, on_both_backends};

use super::{ANNA, Device, server_with_both};

on_both_backends!(
    a_plan_tells_what_is_new_the_same_different_and_received,
    what_was_planned_is_what_happens_and_nothing_is_doubled,
    set_aside_at_the_first_connect_the_guests_data_stays_here,
    without_data_there_is_nothing_to_choose,
    rows_that_are_alike_more_than_once_stay_apart,
    a_plain_connect_takes_nothing_for_the_same_that_need_not_be,
);

const THERE: &str = "
    INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Anna', 'x' FROM user;
    INSERT INTO lists (profile_id, name) SELECT id, 'Films' FROM profiles;
    INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt1', 'movie', 'One' FROM lists;
    INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt2', 'movie', 'Two' FROM lists;";

const HERE: &str = "
    INSERT INTO profiles (user_id, name, avatar) VALUES ('guest', 'Anna', 'y'), ('guest', 'Kids', 'k');
    INSERT INTO lists (profile_id, name) SELECT id, 'Films' FROM profiles WHERE name = 'Anna';
    INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt1', 'movie', 'Uno' FROM lists;
    INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt3', 'movie', 'Three' FROM lists;";

fn of<'a>(plan: &'a Plan, table: &str) -> Result<&'a PlannedTable> {
    let mut tables = plan.tables.iter();
    let found = tables.find(|planned| planned.table == table);
    found.with_context(|| format!("nothing about {table}: {plan:?}"))
}

async fn a_plan_tells_what_is_new_the_same_different_and_received(db: TestDb) -> Result<()> {
    let (server, anna, _) = server_with_both(db).await?;
    let there = Device::of(&server, ANNA).await?;
    there.sql(THERE).await?;
    there.sync().await?;
    let before = super::account(&server, &anna).await?;
    let here = Device::of_a_guest(HERE).await?;

    let preview = here.preview(&server, ANNA).await?.context("a question")?;

    ensure!(preview.other_account.is_none());
    ensure!(preview.n_local_rows == 5, "{preview:?}");
    let merge = &preview.merge;
    let profiles = of(merge, "profiles")?;
    ensure!(
        (profiles.n_new, profiles.n_clashing) == (1, 1),
        "{profiles:?}"
    );
    let lists = of(merge, "lists")?;
    ensure!(
        (lists.n_new, lists.n_same, lists.n_clashing) == (0, 1, 0),
        "{lists:?}"
    );
    let items = of(merge, "list_items")?;
    ensure!(
        (items.n_new, items.n_clashing, items.n_received) == (1, 1, 1),
        "{items:?}"
    );
    let clash = merge
        .clashes
        .iter()
        .find(|clash| clash.table == "list_items");
    let registers = &clash.context("a clash")?.registers;
    ensure!(
        registers.len() == 1 && registers[0].register == "title",
        "{registers:?}"
    );
    ensure!(registers[0].here["title"] == "Uno" && registers[0].there["title"] == "One");

    let aside = preview.set_aside.total();
    ensure!(
        (aside.n_new, aside.n_received, aside.n_removed) == (0, 4, 0),
        "{aside:?}"
    );
    ensure!(
        super::account(&server, &anna).await? == before,
        "the server has changed"
    );
    Ok(())
}

async fn what_was_planned_is_what_happens_and_nothing_is_doubled(db: TestDb) -> Result<()> {
    let (server, anna, _) = server_with_both(db).await?;
    let there = Device::of(&server, ANNA).await?;
    there.sql(THERE).await?;
    there.sync().await?;
    let here = Device::of_a_guest(HERE).await?;
    let connected = here.connect(&server, ANNA, LocalData::Merge).await?;
    ensure!(connected.local_user_id == "guest", "{connected:?}");
    here.agrees_with(&server, &anna, "guest").await?;
    there.agrees_with(&server, &anna, &anna).await?;
    for device in [&here, &there] {
        let names = device
            .rows("SELECT name FROM profiles WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        ensure!(names == ["Anna", "Kids"], "{names:?}");
        let items = device
            .rows("SELECT meta_id, title FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        // The later edit, as ever.
        ensure!(items == ["tt1|Uno", "tt2|Two", "tt3|Three"], "{items:?}");
        ensure!(
            device
                .one("SELECT avatar FROM profiles WHERE name = 'Anna'")
                .await?
                == "y"
        );
    }
    // From now on two of one name are two.
    here.sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('guest', 'Kids', 'z')")
        .await?;
    here.agrees_with(&server, &anna, "guest").await?;
    there.agrees_with(&server, &anna, &anna).await?;
    ensure!(
        there
            .one("SELECT count(*) FROM profiles WHERE name = 'Kids'")
            .await?
            == "2"
    );
    Ok(())
}

async fn set_aside_at_the_first_connect_the_guests_data_stays_here(db: TestDb) -> Result<()> {
    let (server, anna, _) = server_with_both(db).await?;
    let there = Device::of(&server, ANNA).await?;
    there.sql(THERE).await?;
    there.sync().await?;
    let here = Device::of_a_guest(HERE).await?;
    let before = here.live("guest").await?;
    let connected = here.connect(&server, ANNA, LocalData::SetAside).await?;
    ensure!(
        connected.local_user_id == anna && connected.n_pending == 0,
        "{connected:?}"
    );
    here.agrees_with(&server, &anna, &anna).await?;
    ensure!(
        here.live("guest").await? == before,
        "the guest's rows have changed"
    );
    ensure!(here.live(&anna).await?.len() == 4);
    Ok(())
}

async fn without_data_there_is_nothing_to_choose(db: TestDb) -> Result<()> {
    let (server, ..) = server_with_both(db).await?;
    let fresh = Device::new().await?;
    ensure!(fresh.preview(&server, ANNA).await?.is_none());
    fresh.connect(&server, ANNA, LocalData::Ask).await?;
    fresh
        .sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'P', 'x' FROM user")
        .await?;
    // The same account again: it goes on, however much waits.
    fresh.adapter.disconnect().await?;
    ensure!(fresh.preview(&server, ANNA).await?.is_none());
    Ok(())
}

async fn rows_that_are_alike_more_than_once_stay_apart(db: TestDb) -> Result<()> {
    let (server, anna, _) = server_with_both(db).await?;
    let there = Device::of(&server, ANNA).await?;
    let twins = "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Twin', 'a' FROM user;";
    let unlike = "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Solo', 'b' FROM user;";
    there.sql(&format!("{twins}{unlike}{unlike}")).await?;
    there.sync().await?;
    let here = Device::of_a_guest(&format!("{twins}{twins}{unlike}")).await?;
    here.connect(&server, ANNA, LocalData::Merge).await?;
    here.agrees_with(&server, &anna, "guest").await?;
    let names = here
        .rows("SELECT name, count(*) FROM profiles WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 1")
        .await?;
    // Which of two it is nobody can tell; of one and two, one is it.
    ensure!(names == ["Solo|2", "Twin|3"], "{names:?}");
    Ok(())
}

async fn a_plain_connect_takes_nothing_for_the_same_that_need_not_be(db: TestDb) -> Result<()> {
    let (server, anna, _) = server_with_both(db).await?;
    let there = Device::of(&server, ANNA).await?;
    there.sql(THERE).await?;
    there.sync().await?;
    let here = Device::of_a_guest(HERE).await?;
    here.connect(&server, ANNA, LocalData::Ask).await?;
    here.agrees_with(&server, &anna, "guest").await?;
    ensure!(
        here.one("SELECT count(*) FROM profiles WHERE name = 'Anna'")
            .await?
            == "2"
    );
    Ok(())
}
