//! What happened in a run: lines for people, and a hash that tells two runs apart.

/// The lines of a run so far.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    lines: Vec<String>,
    hash: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Trace {
    /// Adds a line.
    pub(crate) fn line(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.mix(line.as_bytes());
        self.lines.push(line);
    }

    /// Adds to the hash what is too long to be read.
    pub(crate) fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0]) {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }
}
