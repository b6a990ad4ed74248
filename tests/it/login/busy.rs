//! More logins at once than can be looked at.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::join_all;
use sync_tests::{LoginServer, TestDb, login_server::PASSWORD, on_both_backends};

use super::{ANNA, HOME};

on_both_backends!(t20_sync_goes_on_while_two_hundred_log_in);

async fn t20_sync_goes_on_while_two_hundred_log_in(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let token = server
        .sync_token(&server.session(ANNA).await?, "phone")
        .await?;
    // Each from a place of its own, so that no limit spares the server the work.
    let logins = join_all((0..200).map(|number| {
        let (server, known) = (&server, number % 2 == 0);
        async move {
            let email = if known {
                ANNA.to_owned()
            } else {
                format!("user-{number}@example.org")
            };
            let from = if known {
                HOME.to_owned()
            } else {
                format!("203.0.113.{number}")
            };
            let password = if known {
                PASSWORD
            } else {
                "wrong horse battery"
            };
            Ok::<_, anyhow::Error>(server.sign_in(&from, &email, password).await?.status)
        }
    }));
    tokio::pin!(logins);
    let (mut n_synced, mut slowest) = (0, Duration::ZERO);
    let statuses = loop {
        let begun = Instant::now();
        tokio::select! {
            statuses = &mut logins => break statuses,
            synced = server.info(&token) => {
                assert_eq!(synced?.status, 200);
                n_synced += 1;
                slowest = slowest.max(begun.elapsed());
            }
        }
    };
    let statuses: Vec<u16> = statuses.into_iter().collect::<Result<_>>()?;
    for (number, status) in statuses.iter().enumerate() {
        let allowed: &[u16] = if number % 2 == 0 {
            &[200, 429, 503]
        } else {
            &[401, 429, 503]
        };
        assert!(allowed.contains(status), "{number}: {status}");
    }
    assert!(n_synced > 0, "nothing was synced meanwhile");
    #[expect(clippy::print_stderr, reason = "a measurement to be read")]
    {
        eprintln!(
            "{n_synced} requests of a device while 200 logged in, the slowest in {slowest:?}"
        );
    }
    assert_eq!(
        server.sign_in("198.51.100.1", ANNA, PASSWORD).await?.status,
        200
    );
    Ok(())
}
