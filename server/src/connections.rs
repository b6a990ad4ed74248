//! How many connections are open, and whose: so that nobody takes all of them.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// The open connections of this process.
#[derive(Clone)]
pub(crate) struct Connections {
    most: usize,
    most_per_address: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of one connection, free again when it is dropped.
pub(crate) struct Place {
    open: Arc<Mutex<Open>>,
    address: Option<IpAddr>,
}

impl Connections {
    /// At most so many, and so many of one address.
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            most,
            most_per_address,
            open: Arc::default(),
        }
    }

    /// A place for a connection from `address`, if there is one.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Place> {
        let address = counted(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.most {
            return None;
        }
        if let Some(address) = address {
            let mine = open.by_address.entry(address).or_default();
            if *mine >= self.most_per_address {
                return None;
            }
            *mine += 1;
        }
        open.total += 1;
        Some(Place {
            open: self.open.clone(),
            address,
        })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        let Some(address) = self.address else { return };
        if let Entry::Occupied(mut mine) = open.by_address.entry(address) {
            *mine.get_mut() -= 1;
            if *mine.get() == 0 {
                mine.remove();
            }
        }
    }
}

/// Under which address a connection is counted. From this machine and from private networks come reverse
/// proxies, with everybody's connections: those are counted in the total alone. Of IPv6 a customer has a /64.
fn counted(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        IpAddr::V4(v4) if v4.is_loopback() || v4.is_private() || v4.is_link_local() => None,
        IpAddr::V4(v4) => Some(v4.into()),
        IpAddr::V6(v6)
            if v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() =>
        {
            None
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Some(IpAddr::from([a, b, c, d, 0, 0, 0, 0]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn h08_one_address_cannot_take_all_places() {
        let connections = Connections::new(5, 2);
        let one = address("203.0.113.7");
        let held = [connections.admit(one), connections.admit(one)];
        assert!(held.iter().all(Option::is_some));
        assert!(connections.admit(one).is_none());
        assert!(connections.admit(address("::ffff:203.0.113.7")).is_none());
        assert!(connections.admit(address("203.0.113.8")).is_some());
        drop(held);
        assert!(connections.admit(one).is_some());
        assert_eq!(connections.count(), 0);
        assert!(connections.open.lock().expect("lock").by_address.is_empty());
    }

    #[test]
    fn proxies_are_bound_by_the_total_alone() {
        let connections = Connections::new(3, 1);
        let held: Vec<_> = ["127.0.0.1", "127.0.0.1", "10.0.0.1", "192.168.1.1"]
            .map(|proxy| connections.admit(address(proxy)))
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(held.len(), 3);
        assert_eq!(connections.count(), 3);
    }

    #[test]
    fn the_addresses_of_one_customer_count_as_one() {
        let connections = Connections::new(10, 1);
        let first = connections.admit(address("2001:db8:1:2::1"));
        assert!(first.is_some());
        assert!(connections.admit(address("2001:db8:1:2:ffff::9")).is_none());
        assert!(connections.admit(address("2001:db8:1:3::1")).is_some());
    }
}
