//! A gate before a server, which stops requests at a place of a test's choice, so that something can
//! happen to either end just then.

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::Result;

use crate::programs::until;

/// Where a request is stopped; pushes and pulls are counted from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// When so many bytes of a push have gone to the server.
    InPush(u32, usize),
    /// When the server has answered a push, before anything of that reaches the device.
    AnswerOfPush(u32),
    /// When the server has answered a pull, before anything of that reaches the device.
    AnswerOfPull(u32),
}

/// A gate, closed with this value.
pub struct Gate {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    server: SocketAddr,
    stop: Option<Stop>,
    is_stopping: bool,
    is_closed: bool,
    n_pushes: u32,
    n_pulls: u32,
    /// What requests showed to be let in.
    tokens: BTreeSet<String>,
    open: Vec<TcpStream>,
}

impl Gate {
    /// A gate before a server.
    ///
    /// # Errors
    /// If there is no port.
    pub fn before(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = State {
            server,
            stop: None,
            is_stopping: false,
            is_closed: false,
            n_pushes: 0,
            n_pulls: 0,
            tokens: BTreeSet::new(),
            open: Vec::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
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

    /// Leads to another server from the next connection on.
    pub fn lead_to(&self, server: SocketAddr) {
        self.shared.state().server = server;
    }

    /// Stops the one request that comes to this place, counting from now on.
    pub fn stop_at(&self, stop: Stop) {
        let mut state = self.shared.state();
        (state.stop, state.is_stopping, state.n_pushes, state.n_pulls) = (Some(stop), false, 0, 0);
    }

    /// Whether a request is stopped now.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.shared.state().is_stopping
    }

    /// Waits until a request is stopped.
    ///
    /// # Errors
    /// If none comes.
    pub async fn stops(&self) -> Result<()> {
        until("a request is stopped", async || Ok(self.is_stopping())).await
    }

    /// Lets the request go on that is stopped, or be stopped no more.
    pub fn open(&self) {
        let mut state = self.shared.state();
        (state.stop, state.is_stopping) = (None, false);
        self.shared.changed.notify_all();
    }

    /// Cuts every connection, and lets later ones through.
    pub fn cut(&self) {
        self.shared.cut();
        self.open();
    }

    /// How many pushes came since the last [`Gate::stop_at`].
    #[must_use]
    pub fn n_pushes(&self) -> u32 {
        self.shared.state().n_pushes
    }

    /// Every token that a request showed.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.shared.state().tokens.iter().cloned().collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.state().is_closed = true;
        self.cut();
        // Wakes up the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        for stream in self.state().open.drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Holds whoever calls until the gate is opened.
    fn hold(&self, mut state: MutexGuard<'_, State>) {
        state.is_stopping = true;
        while state.is_stopping {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What a connection carries at the moment: which request, and how much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Carried {
    #[default]
    Other,
    Push(u32, usize),
    Pull(u32),
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for device in listener.incoming().flatten() {
        if shared.state().is_closed {
            return;
        }
        let server = shared.state().server;
        // Without a server it is as if nobody listened: the connection ends.
        if let Ok(server) = TcpStream::connect(server) {
            let _ = carry(&device, &server, shared);
        }
    }
}

/// Carries both ways until either end closes.
fn carry(device: &TcpStream, server: &TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    shared
        .state()
        .open
        .extend([device.try_clone()?, server.try_clone()?]);
    let carried = Arc::new(Mutex::new(Carried::Other));
    let (from, to) = (device.try_clone()?, server.try_clone()?);
    let (there, requests) = (shared.clone(), carried.clone());
    thread::spawn(move || pump(&from, &to, |bytes| there.request(bytes, &requests, &to)));
    let (from, to) = (server.try_clone()?, device.try_clone()?);
    let back = shared.clone();
    thread::spawn(move || pump(&from, &to, |bytes| back.answer(bytes, &carried, &to)));
    Ok(())
}

fn pump(mut from: &TcpStream, to: &TcpStream, mut pass: impl FnMut(&[u8]) -> io::Result<()>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n) = from.read(&mut buffer) {
        if n == 0 || pass(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

impl Shared {
    /// A device sends one request after the other on a connection, so each begins what it writes.
    fn request(
        &self,
        bytes: &[u8],
        carried: &Mutex<Carried>,
        mut to: &TcpStream,
    ) -> io::Result<()> {
        let mut state = self.state();
        let mut now = carried.lock().unwrap_or_else(PoisonError::into_inner);
        *now = match *now {
            _ if bytes.starts_with(b"POST /api/sync/push") => {
                state.n_pushes += 1;
                Carried::Push(state.n_pushes, 0)
            }
            _ if bytes.starts_with(b"GET /api/sync/pull") => {
                state.n_pulls += 1;
                Carried::Pull(state.n_pulls)
            }
            Carried::Push(number, sent) => Carried::Push(number, sent),
            _ => Carried::Other,
        };
        state.tokens.extend(token(bytes));
        if let (Carried::Push(number, sent), Some(Stop::InPush(wanted, at))) = (*now, state.stop)
            && number == wanted
            && sent + bytes.len() >= at
        {
            drop(now);
            let (before, after) = bytes.split_at(at.saturating_sub(sent));
            to.write_all(before)?;
            self.hold(state);
            return to.write_all(after);
        }
        if let Carried::Push(_, sent) = &mut *now {
            *sent += bytes.len();
        }
        drop((now, state));
        to.write_all(bytes)
    }

    fn answer(&self, bytes: &[u8], carried: &Mutex<Carried>, mut to: &TcpStream) -> io::Result<()> {
        let state = self.state();
        let now = *carried.lock().unwrap_or_else(PoisonError::into_inner);
        let stops = match (now, state.stop) {
            (Carried::Push(number, _), Some(Stop::AnswerOfPush(wanted))) => number == wanted,
            (Carried::Pull(number), Some(Stop::AnswerOfPull(wanted))) => number == wanted,
            _ => false,
        };
        if stops {
            self.hold(state);
        } else {
            drop(state);
        }
        to.write_all(bytes)
    }
}

/// The token that a request shows in its head.
fn token(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let shown = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_it = name.eq_ignore_ascii_case("authorization");
        value.strip_prefix("Bearer ").filter(|_| is_it)
    });
    shown.map(str::to_owned)
}
