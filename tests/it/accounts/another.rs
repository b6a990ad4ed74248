//! Another account than before: never mixed by itself, merged if somebody says so, or set aside until it is back.

use anyhow::{Context, Result, ensure};
use app_adapter::LocalData;
use sync_tests::{TestDb, on_both_backends};

use super::{ANNA, BERT, Device, account, server_with_both, word};

on_both_backends!(
    another_account_is_asked_for_and_costs_nothing,
    merged_the_rows_become_the_other_accounts,
    set_aside_nothing_of_the_one_goes_to_the_other,
    what_was_done_meanwhile_goes_out_when_the_account_is_back,
    what_others_did_meanwhile_comes_when_the_account_is_back,
    three_accounts_take_turns,
    merged_into_an_account_that_was_set_aside_both_are_there,
    the_doctor_leaves_alone_what_is_set_aside,
    a_login_that_was_opened_before_goes_nowhere_after,
);

const ROWS: &str = "
    INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'P', 'x' FROM sync_state;
    INSERT INTO lists (profile_id, name) SELECT max(id), 'Films' FROM profiles;
    INSERT INTO list_items (list_id, meta_id, type) SELECT max(id), 'tt1', 'movie' FROM lists;
    INSERT INTO list_items (list_id, meta_id, type) SELECT max(id), 'tt2', 'movie' FROM lists;
    INSERT INTO list_items (list_id, meta_id, type) SELECT max(id), 'tt3', 'movie' FROM lists;";

async fn another_account_is_asked_for_and_costs_nothing(db: TestDb) -> Result<()> {
    let (server, ..) = server_with_both(db).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    let before = device.everything().await?;
    let refused = device.connect(&server, BERT, LocalData::Ask).await;
    ensure!(word(refused)? == "other_account");
    ensure!(device.everything().await? == before);
    let preview = device.preview(&server, BERT).await?.context("a question")?;
    let other = preview.other_account.context("another account")?;
    ensure!(
        (other.name.as_str(), other.n_pending) == (ANNA, 5),
        "{other:?}"
    );
    ensure!(preview.merge.total().n_new == 5 && preview.set_aside.tables.is_empty());
    // Anna's login is as good as before.
    device.sync().await
}

async fn merged_the_rows_become_the_other_accounts(db: TestDb) -> Result<()> {
    let (server, anna, bert) = server_with_both(db).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    device
        .sql("UPDATE lists SET name = 'Later'; DELETE FROM list_items WHERE meta_id = 'tt3'")
        .await?;
    let annas = account(&server, &anna).await?;
    let berts = Device::of(&server, BERT).await?;
    berts.sql(ROWS).await?;
    berts.sync().await?;

    let plan = device
        .preview(&server, BERT)
        .await?
        .context("a question")?
        .merge;
    let connected = device.connect(&server, BERT, LocalData::Merge).await?;
    ensure!(
        connected.local_user_id == anna && connected.set_aside.is_none(),
        "{connected:?}"
    );
    device.agrees_with(&server, &bert, &anna).await?;
    berts.agrees_with(&server, &bert, &bert).await?;

    ensure!(
        account(&server, &anna).await? == annas,
        "Anna's account has changed"
    );
    let total = plan.total();
    // Profile, and two items that both have; the renamed list; the item that only Bert has.
    ensure!(
        (total.n_new, total.n_same + total.n_clashing) == (3, 1),
        "{plan:?}"
    );
    ensure!(
        berts
            .one("SELECT count(*) FROM profiles WHERE deleted_at IS NULL")
            .await?
            == "1"
    );
    let lists = berts
        .rows("SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY 1")
        .await?;
    ensure!(lists == ["Films", "Later"], "{lists:?}");
    Ok(())
}

async fn set_aside_nothing_of_the_one_goes_to_the_other(db: TestDb) -> Result<()> {
    let (server, anna, bert) = server_with_both(db).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    let annas = (
        account(&server, &anna).await?,
        device.rows("SELECT id, name FROM profiles").await?,
    );
    device.sql("UPDATE profiles SET avatar = 'unsent'").await?;
    let berts = Device::of(&server, BERT).await?;
    berts.sql(ROWS).await?;
    berts.sync().await?;

    let connected = device.connect(&server, BERT, LocalData::SetAside).await?;
    ensure!(
        connected.set_aside.as_deref() == Some(ANNA),
        "{connected:?}"
    );
    ensure!(
        (connected.local_user_id == bert, connected.n_pending) == (true, 0),
        "{connected:?}"
    );
    device.agrees_with(&server, &bert, &bert).await?;
    ensure!(device.live(&bert).await? == berts.live(&bert).await?);
    let here = format!("SELECT id, name FROM profiles WHERE user_id = '{anna}'");
    ensure!((account(&server, &anna).await?, device.rows(&here).await?) == annas);
    let named =
        format!("SELECT count(*) FROM profiles WHERE user_id = '{anna}' AND remote_id IS NOT NULL");
    ensure!(device.one(&named).await? == "0");

    // Bert's data is edited, and Anna's is what it was.
    device
        .sql(&format!(
            "UPDATE profiles SET name = 'Of Bert' WHERE user_id = '{bert}'"
        ))
        .await?;
    device.agrees_with(&server, &bert, &bert).await?;
    ensure!((account(&server, &anna).await?, device.rows(&here).await?) == annas);
    let avatar = format!("SELECT avatar FROM profiles WHERE user_id = '{anna}'");
    ensure!(device.one(&avatar).await? == "unsent");
    Ok(())
}

async fn what_was_done_meanwhile_goes_out_when_the_account_is_back(db: TestDb) -> Result<()> {
    let (server, anna, bert) = server_with_both(db).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    let names = device
        .rows("SELECT remote_id FROM list_items WHERE meta_id <> 'tt3' ORDER BY 1")
        .await?;
    device.sql("UPDATE profiles SET avatar = 'before'").await?;
    device.connect(&server, BERT, LocalData::SetAside).await?;
    device.sql(ROWS).await?;
    device.agrees_with(&server, &bert, &bert).await?;
    let annas_list = format!(
        "(SELECT l.id FROM lists l JOIN profiles p ON p.id = l.profile_id WHERE p.user_id = '{anna}')"
    );
    device
        .sql(&format!(
            "UPDATE profiles SET name = 'Meanwhile' WHERE user_id = '{anna}';
             UPDATE list_items SET title = 'Edited' WHERE meta_id = 'tt1' AND list_id = {annas_list};
             UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt2' AND list_id = {annas_list};
             DELETE FROM list_items WHERE meta_id = 'tt3' AND list_id = {annas_list};
             INSERT INTO list_items (list_id, meta_id, type) SELECT {annas_list}, 'tt4', 'movie'"
        ))
        .await?;
    device.agrees_with(&server, &bert, &bert).await?;
    let berts = (account(&server, &bert).await?, device.live(&bert).await?);

    let connected = device.connect(&server, ANNA, LocalData::SetAside).await?;
    ensure!(connected.local_user_id == anna, "{connected:?}");
    ensure!(connected.n_pending == 5, "{connected:?}");
    device.agrees_with(&server, &anna, &anna).await?;
    let fresh = Device::of(&server, ANNA).await?;
    ensure!(fresh.rows("SELECT name, avatar FROM profiles").await? == ["Meanwhile|before"]);
    let items = fresh
        .rows("SELECT meta_id, title FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
        .await?;
    ensure!(items == ["tt1|Edited", "tt4|NULL"], "{items:?}");
    // The same rows as before, not new ones.
    let now = fresh
        .rows("SELECT remote_id FROM list_items WHERE meta_id = 'tt1'")
        .await?;
    ensure!(names.contains(&now.concat()), "{names:?} {now:?}");
    ensure!(
        account(&server, &bert).await? == berts.0,
        "Bert's account has changed"
    );
    // Set aside, his rows have lost their names for now, and nothing else.
    ensure!(device.live(&bert).await?.len() == berts.1.len());
    Ok(())
}

async fn what_others_did_meanwhile_comes_when_the_account_is_back(db: TestDb) -> Result<()> {
    let (server, anna, _) = server_with_both(db).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    let other = Device::of(&server, ANNA).await?;
    device.connect(&server, BERT, LocalData::SetAside).await?;
    device.sync().await?;
    other
        .sql(
            "UPDATE lists SET name = 'Elsewhere'; DELETE FROM list_items WHERE meta_id = 'tt1';
             UPDATE list_items SET title = 'Elsewhere' WHERE meta_id = 'tt2'",
        )
        .await?;
    other.sync().await?;
    device
        .sql("UPDATE list_items SET poster = 'here' WHERE meta_id IN ('tt1', 'tt2')")
        .await?;
    device.connect(&server, ANNA, LocalData::SetAside).await?;
    device.agrees_with(&server, &anna, &anna).await?;
    other.agrees_with(&server, &anna, &anna).await?;
    let items = "SELECT meta_id, title, poster FROM list_items WHERE deleted_at IS NULL ORDER BY 1";
    for device in [&device, &other] {
        let items = device.rows(items).await?;
        ensure!(
            items == ["tt2|Elsewhere|here", "tt3|NULL|NULL"],
            "{items:?}"
        );
    }
    Ok(())
}

async fn three_accounts_take_turns(db: TestDb) -> Result<()> {
    let (server, anna, bert) = server_with_both(db).await?;
    let cora = server.add_user("cora@example.org").await?;
    let device = Device::new().await?;
    let people = [(ANNA, &anna), (BERT, &bert), ("cora@example.org", &cora)];
    for round in 0..3 {
        for (email, user) in people {
            device.connect(&server, email, LocalData::SetAside).await?;
            device
                .sql(&format!(
                    "INSERT INTO profiles (user_id, name, avatar) VALUES ('{user}', '{email} {round}', 'x')"
                ))
                .await?;
            device.agrees_with(&server, user, user).await?;
            ensure!(
                device.live(user).await?.len() == round + 1,
                "round {round} of {email}"
            );
        }
    }
    let parked = device.adapter.device().parked_accounts().await?;
    ensure!(
        parked.iter().all(|parked| parked.n_rows == 3) && parked.len() == 2,
        "{parked:?}"
    );
    Ok(())
}

async fn merged_into_an_account_that_was_set_aside_both_are_there(db: TestDb) -> Result<()> {
    let (server, anna, bert) = server_with_both(db).await?;
    let device = Device::of(&server, BERT).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    device.connect(&server, ANNA, LocalData::SetAside).await?;
    device.sync().await?;
    device
        .sql(&format!(
            "INSERT INTO profiles (user_id, name, avatar) VALUES ('{anna}', 'A', 'a')"
        ))
        .await?;
    device.sync().await?;
    device.connect(&server, BERT, LocalData::Merge).await?;
    device.agrees_with(&server, &bert, &bert).await?;
    ensure!(
        device.live(&anna).await?.is_empty(),
        "somebody owns them still"
    );
    let names = device.rows("SELECT name FROM profiles ORDER BY 1").await?;
    ensure!(names == ["A", "P"], "{names:?}");
    Ok(())
}

/// Another program begins to sync just when the account changes.
async fn a_login_that_was_opened_before_goes_nowhere_after(db: TestDb) -> Result<()> {
    let (server, anna, bert) = server_with_both(db).await?;
    let device = Device::of(&server, ANNA).await?;
    let opened = device.adapter.transport().await?;
    device.connect(&server, BERT, LocalData::SetAside).await?;
    device.sql(ROWS).await?;
    let synced = device.adapter.device().sync(&*opened, &|_| {}).await;
    ensure!(synced.is_err(), "Bert's rows went to Anna: {synced:?}");
    ensure!(account(&server, &anna).await?.is_empty());
    device.agrees_with(&server, &bert, &bert).await
}

async fn the_doctor_leaves_alone_what_is_set_aside(db: TestDb) -> Result<()> {
    let (server, anna, bert) = server_with_both(db).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    device.connect(&server, BERT, LocalData::SetAside).await?;
    device.sync().await?;
    let diagnosis = device.adapter.doctor(true, &|_| {}).await?;
    ensure!(diagnosis.findings.is_empty(), "{:?}", diagnosis.findings);
    device.agrees_with(&server, &bert, &bert).await?;
    device.connect(&server, ANNA, LocalData::SetAside).await?;
    ensure!(
        device.n_pending().await? == 0,
        "something waits that was not done"
    );
    device.agrees_with(&server, &anna, &anna).await
}
