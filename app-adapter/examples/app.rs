//! An app that syncs: `cargo run -p app-adapter --example app -- FILE URL EMAIL`, the password in
//! `ZENTRIO_PASSWORD`. Ctrl-C ends it.

use app_adapter::{CloudSync, Connect, Event, Password, ServerUrl, Trigger};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, url, email] = args.as_slice() else {
        return Err("usage: app FILE URL EMAIL".into());
    };
    // From here on whatever writes the file is synced, for as long as there is a login.
    let sync = CloudSync::open(file.as_ref()).await?;
    let mut events = sync.events();
    if !sync.status().borrow().overview.status.connected {
        let password = Password::new(std::env::var("ZENTRIO_PASSWORD")?);
        let wanted = Connect::new(ServerUrl::parse(url, false)?, email, password, "example");
        sync.connect(&wanted).await?;
    }
    // An app tells what it knows better than a look at the clock.
    sync.notify(Trigger::Online);
    let mut stop = Box::pin(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            Ok(event) = events.recv() => match event {
                Event::NeedsLogin => eprintln!("please log in again"),
                event => eprintln!("{event:?}"),
            },
            _ = &mut stop => break,
        }
    }
    sync.stop().await;
    Ok(())
}
