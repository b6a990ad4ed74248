//! Collects mistakes, so that all are reported at once.

use quote::ToTokens;
use syn::Error;

/// The mistakes found so far.
#[derive(Default)]
#[must_use]
pub(crate) struct Ctxt {
    errors: Vec<Error>,
}

impl Ctxt {
    /// Reports a mistake at `place`.
    pub(crate) fn error(&mut self, place: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(place, message));
    }

    /// Reports a mistake that already knows its place.
    pub(crate) fn push(&mut self, error: Error) {
        self.errors.push(error);
    }

    /// Everything reported, as one error.
    pub(crate) fn finish(self) -> Option<Error> {
        self.errors.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        })
    }
}
