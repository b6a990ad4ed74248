//! Which addresses a server's name leads to: asked once, and only those that may be reached.
//!
//! A name that answers with a harmless address first and with another one later leads nowhere else: all
//! requests of a transport go to what the first question brought.

use std::{error::Error, fmt, io, net::IpAddr, net::SocketAddr, pin::Pin, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

/// Says whether an address may be reached.
pub(super) type MayReach = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
type Ask = Arc<dyn Fn(String) -> Answer + Send + Sync>;

/// Resolves the name of one server.
#[derive(Clone)]
pub(super) struct Addresses {
    ask: Ask,
    may_reach: MayReach,
    kept: Arc<OnceCell<Vec<IpAddr>>>,
}

/// A name, or an address, that leads where the transport must not go.
#[derive(Debug)]
pub(super) struct Forbidden;

impl Addresses {
    pub(super) fn new(may_reach: MayReach) -> Self {
        Self::asking(may_reach, Arc::new(|name| Box::pin(ask_system(name))))
    }

    fn asking(may_reach: MayReach, ask: Ask) -> Self {
        Self {
            ask,
            may_reach,
            kept: Arc::default(),
        }
    }

    async fn of(&self, name: String) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
        let first = async || {
            let all = (self.ask)(name).await?;
            let are_any = !all.is_empty();
            let reached: Vec<_> = all.into_iter().filter(|ip| (self.may_reach)(*ip)).collect();
            if are_any && reached.is_empty() {
                return Err(Forbidden.into());
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(reached)
        };
        Ok(self.kept.get_or_try_init(first).await?.clone())
    }
}

impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let addresses = this.of(name.as_str().to_owned()).await?;
            // The port is that of the server's address.
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

async fn ask_system(name: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its address is not one that a sync server may have")
    }
}

impl Error for Forbidden {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A name server that answers each question with the next of these.
    fn answering(answers: &'static [&[&str]]) -> (Ask, Arc<AtomicUsize>) {
        let n_asked = Arc::new(AtomicUsize::new(0));
        let count = n_asked.clone();
        let ask: Ask = Arc::new(move |_| {
            let answer = answers[count.fetch_add(1, Ordering::SeqCst) % answers.len()];
            let answer = answer.iter().map(|ip| ip.parse().expect("an address"));
            let answer: Vec<IpAddr> = answer.collect();
            Box::pin(async move { Ok(answer) })
        });
        (ask, n_asked)
    }

    fn public() -> MayReach {
        Arc::new(|ip| ip.is_ipv4() && ip.to_string().starts_with("203."))
    }

    async fn found(addresses: &Addresses) -> Result<Vec<String>, String> {
        let found = addresses.of("sync.example".to_owned()).await;
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[tokio::test]
    async fn l12_a_name_is_asked_for_once_and_what_it_says_later_does_not_count() {
        let (ask, n_asked) = answering(&[&["203.0.113.1"], &["127.0.0.1"]]);
        let addresses = Addresses::asking(public(), ask);
        for _ in 0..3 {
            let again = addresses.clone();
            assert_eq!(found(&again).await, Ok(vec!["203.0.113.1".to_owned()]));
        }
        assert_eq!(n_asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn l12_of_mixed_addresses_only_those_allowed_are_reached() {
        let (ask, _) = answering(&[&["127.0.0.1", "203.0.113.1", "169.254.169.254"]]);
        let addresses = Addresses::asking(public(), ask);
        assert_eq!(found(&addresses).await, Ok(vec!["203.0.113.1".to_owned()]));
    }

    #[tokio::test]
    async fn l12_a_name_that_leads_to_none_is_refused_and_asked_again() {
        let (ask, n_asked) = answering(&[&["169.254.169.254"], &["203.0.113.1"]]);
        let addresses = Addresses::asking(public(), ask);
        assert_eq!(found(&addresses).await, Err(Forbidden.to_string()));
        assert!(found(&addresses).await.is_ok());
        assert_eq!(n_asked.load(Ordering::SeqCst), 2);
    }
}
