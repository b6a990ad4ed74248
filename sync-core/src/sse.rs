//! Server-sent events, taken out of the bytes they come in.
//!
//! ```
//! # use sync_core::sse::Events;
//! let mut events = Events::default();
//! events.feed(b": still here\n\nevent: feed\nda")?;
//! assert_eq!(events.take(), None);
//! events.feed(b"ta: 17\n\n")?;
//! assert_eq!(events.take().map(|event| (event.name, event.data)), Some(("feed".into(), "17".into())));
//! # Ok::<(), sync_core::sse::TooLong>(())
//! ```

use std::collections::VecDeque;

/// Most bytes of one event: what a sync server sends has some hundred.
const MOST_BYTES: usize = 64 << 10;

/// One event with data. What only keeps the connection alive is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What kind it is; `message` if it does not say.
    pub name: String,
    /// Its data, lines joined by line feeds.
    pub data: String,
}

/// An event that is longer than any sync server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of more than {MOST_BYTES} bytes")]
pub struct TooLong;

/// Takes bytes in however they were cut, and gives out whole events.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    /// The last byte ended a line as a carriage return, so that a line feed after it ends nothing.
    after_return: bool,
    name: String,
    data: Option<String>,
    whole: VecDeque<Event>,
}

impl Events {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// If an event is too long. What came before it can still be taken.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => self.end_line(),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > MOST_BYTES {
                return Err(TooLong);
            }
        }
        Ok(())
    }

    /// The next whole event.
    pub fn take(&mut self) -> Option<Event> {
        self.whole.pop_front()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_start_matches('\u{feff}');
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) => *data = format!("{data}\n{value}"),
                None => self.data = Some(value.to_owned()),
            },
            // A comment has no field, and no others matter here.
            _ => {}
        }
    }

    fn end_event(&mut self) {
        let name = std::mem::take(&mut self.name);
        if let Some(data) = self.data.take() {
            let name = if name.is_empty() {
                "message".to_owned()
            } else {
                name
            };
            self.whole.push_back(Event { name, data });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: &[&[u8]]) -> Vec<(String, String)> {
        let mut events = Events::default();
        for part in parts {
            events.feed(part).expect("short");
        }
        std::iter::from_fn(|| events.take())
            .map(|event| (event.name, event.data))
            .collect()
    }

    fn event(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_found_however_they_are_written() {
        for (text, expected) in [
            ("data: a\n\n", vec![event("message", "a")]),
            ("data:a\r\n\r\n", vec![event("message", "a")]),
            ("data: a\r\r", vec![event("message", "a")]),
            ("\u{feff}data: a\n\n", vec![event("message", "a")]),
            ("event: feed\ndata: {}\n\n", vec![event("feed", "{}")]),
            ("data: a\ndata: b\n\n", vec![event("message", "a\nb")]),
            ("data\n\n", vec![event("message", "")]),
            ("data:  a\n\n", vec![event("message", " a")]),
            (": beat\n\n", vec![]),
            ("event: feed\n\ndata: a\n\n", vec![event("message", "a")]),
            (
                "retry: 5\nid: 7\nwhat: ever\ndata: a\n\n",
                vec![event("message", "a")],
            ),
            ("data: a\n", vec![]),
        ] {
            assert_eq!(all(&[text.as_bytes()]), expected, "{text:?}");
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(all(&bytes), expected, "{text:?} byte by byte");
        }
    }

    #[test]
    fn what_is_no_text_harms_nobody() {
        let found = all(&[b"data: \xff\xfe\n\n"]);
        assert_eq!(found, [event("message", "\u{fffd}\u{fffd}")]);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut events = Events::default();
        events.feed(b"data: a\n\n").expect("short");
        assert_eq!(events.feed(&vec![b'x'; MOST_BYTES + 1]), Err(TooLong));
        assert!(events.take().is_some());

        let mut events = Events::default();
        let lines = b"data: 0123456789\n".repeat(MOST_BYTES / 10);
        assert_eq!(events.feed(&lines), Err(TooLong));
    }
}
