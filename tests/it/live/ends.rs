//! How streams are refused, and how they end.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use server::EventTiming;
use sync_core::{SyncError, Transport, protocol::TOKEN_PATH};
use sync_tests::{TestDb, account::Origin, on_both_backends, programs::ServerProgram};

use super::{EMAIL, HINTS_ALONE, NEW_PROFILE, listen, next, server, until_head};

on_both_backends!(
    a_token_that_is_given_back_ends_its_streams_at_once,
    a_token_that_is_revoked_elsewhere_ends_its_streams,
    a_server_that_stops_ends_all_streams,
    a_lost_connection_to_the_database_is_opened_again,
);

/// Most streams of an account.
const MOST: usize = 32;

async fn a_token_that_is_given_back_ends_its_streams_at_once(db: TestDb) -> Result<()> {
    let server = server(&Arc::new(db), HINTS_ALONE).await?;
    let account = server.account(EMAIL).await?;
    let (gone, stays) = (
        server.http_transport(EMAIL).await?,
        server.http_transport(EMAIL).await?,
    );
    let (mut ends, _) = listen(&gone).await?;
    let (mut goes_on, _) = listen(&stays).await?;
    give_back(&gone).await?;
    ensure!(next(&mut ends).await?.is_none());
    let error = gone.events().await.map(|_| ());
    ensure!(matches!(error, Err(SyncError::Unauthorized)), "{error:?}");
    // Another device's stream goes on.
    let device = account.device(Origin::Fresh).await?;
    device.sql(NEW_PROFILE).await?;
    device.sync().await?;
    until_head(&mut goes_on, &device).await
}

async fn give_back(transport: &dyn Transport) -> Result<()> {
    let request = http::Request::delete(TOKEN_PATH).body(bytes::Bytes::new())?;
    let answer = transport.send(request).await?;
    ensure!(answer.status().is_success(), "{answer:?}");
    Ok(())
}

async fn a_token_that_is_revoked_elsewhere_ends_its_streams(db: TestDb) -> Result<()> {
    let db = Arc::new(db);
    let timing = EventTiming {
        heartbeat: Duration::from_millis(50),
        ..HINTS_ALONE
    };
    let here = server(&db, timing).await?;
    here.account(EMAIL).await?;
    let token = here.token(EMAIL).await?;
    let transport =
        sync_core::http_transport::HttpTransport::new(&here.url(), Some(token.clone()))?;
    let (mut hints, _) = listen(&transport).await?;
    let there = ServerProgram::start(db.url())?;
    let elsewhere = sync_core::http_transport::HttpTransport::new(&there.url(), Some(token))?;
    give_back(&elsewhere).await?;
    ensure!(next(&mut hints).await?.is_none());
    Ok(())
}

async fn a_server_that_stops_ends_all_streams(db: TestDb) -> Result<()> {
    let server = server(&Arc::new(db), HINTS_ALONE).await?;
    server.account(EMAIL).await?;
    let transport = server.http_transport(EMAIL).await?;
    let mut streams = Vec::new();
    for _ in 0..MOST {
        streams.push(listen(&transport).await?.0);
    }
    let refused = transport.events().await.map(|_| ());
    let Err(SyncError::Refused {
        status,
        code,
        retry_after,
        ..
    }) = refused
    else {
        anyhow::bail!("one more than may: {refused:?}");
    };
    ensure!((status, code.as_str()) == (429, "too_many_listeners"));
    ensure!(retry_after.is_some());
    // One that hangs up makes room.
    streams.pop();
    let again = async || -> Result<bool> { Ok(transport.events().await.is_ok()) };
    sync_tests::programs::until("there is room again", again)
        .await
        .context("a stream that was dropped still counts")?;
    server.stop().await?;
    for mut hints in streams {
        while next(&mut hints).await?.is_some() {}
    }
    Ok(())
}

async fn a_lost_connection_to_the_database_is_opened_again(db: TestDb) -> Result<()> {
    let db = Arc::new(db);
    let here = server(&db, HINTS_ALONE).await?;
    here.account(EMAIL).await?;
    let (mut hints, _) = listen(&here.http_transport(EMAIL).await?).await?;
    let there = server(&db, HINTS_ALONE).await?;
    let token = here.token(EMAIL).await?;
    let device = super::device_at(&there.url(), &token).await?;
    for name in ["One", "Two"] {
        super::cut_listeners(&db).await?;
        device.sql(&NEW_PROFILE.replace("Zoë", name)).await?;
        device.sync().await?;
        until_head(&mut hints, &device).await?;
    }
    Ok(())
}
