//! A proxy before several servers, which gives each connection to the next of them that is there.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::Result;

/// A proxy, closed with this value.
pub struct Balancer {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    servers: Vec<SocketAddr>,
    next: AtomicUsize,
    is_closed: AtomicBool,
}

impl Balancer {
    /// A proxy before these servers.
    ///
    /// # Errors
    /// If there is no port.
    pub fn before(servers: Vec<SocketAddr>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            servers,
            next: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { shared, address })
    }

    /// Its address for devices.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::Relaxed);
        // Wakes up the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn accept(listener: &TcpListener, shared: &Shared) {
    for device in listener.incoming().flatten() {
        if shared.is_closed.load(Ordering::Relaxed) {
            return;
        }
        // Without any server it is as if nobody listened: the connection ends.
        if let Some(server) = shared.connect() {
            let _ = carry(device, server);
        }
    }
}

impl Shared {
    /// To the next server; to the one after it where that is gone.
    fn connect(&self) -> Option<TcpStream> {
        (0..self.servers.len()).find_map(|_| {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % self.servers.len();
            TcpStream::connect(self.servers[next]).ok()
        })
    }
}

/// Carries both ways until either end closes.
fn carry(device: TcpStream, server: TcpStream) -> io::Result<()> {
    let (to_device, to_server) = (device.try_clone()?, server.try_clone()?);
    thread::spawn(move || pump(device, to_server));
    thread::spawn(move || pump(server, to_device));
    Ok(())
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
