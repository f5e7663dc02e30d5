//! Single questions on a link, for the person who commissions it: `scan`, `read` and `probe`.
//!
//! Owns what came back, and why nothing did. A link opened for one command is a [`Session`]: no answer that is late, foreign, or to a
//! question of a command before this one is shown as a value. Leaves guessing types to [`crate::guess`].

mod session;
#[cfg(test)]
mod tests;
mod unnumbered;

pub use session::{Instrument, Session};

use crate::decode::{Image, Memory, decode, text};
use crate::plan::Span;
use crate::profile::{Field, Kind};
use rules::{Fault, Now, Reading};

/// Why a question got no registers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// It is there, and refuses.
    #[error("exception {0}")]
    Exception(u8),
    #[error("no answer")]
    Timeout,
    #[error("a damaged or wrong answer")]
    Damaged,
    /// Answers came that may be those to other questions.
    #[error("late answers that cannot be told apart")]
    Ambiguous,
    /// The link itself failed.
    #[error("link lost: {0}")]
    Link(String),
}

impl Silence {
    /// As a bus would tell it of a point.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Exception(1..=3) => Fault::Configuration,
            Self::Exception(code) => Fault::Exception(*code),
            Self::Timeout | Self::Ambiguous => Fault::Timeout,
            Self::Damaged => Fault::Protocol,
            Self::Link(_) => Fault::Disconnected,
        }
    }
}

/// What a device said to the requests of one command.
#[derive(Debug, Default)]
pub struct Answers(Image);

impl Answers {
    /// Adds the outcome of one request.
    pub fn put(&mut self, span: Span, outcome: Result<Vec<u16>, Fault>, at: Now) {
        self.0.put(span, outcome, at);
    }
    /// The registers of a span, as they came.
    #[must_use]
    pub fn words(&self, span: Span) -> Option<&[u16]> {
        self.0.words(span).ok()
    }
    /// The reading of a field, as a bus would deliver it the first time.
    #[must_use]
    pub fn reading(&self, field: &Field) -> Reading {
        decode(field, &self.0, &mut Memory::default())
    }
    /// The current behind a field that arrives as one, also where it is outside of what means a value.
    #[must_use]
    pub fn milliamp(&self, field: &Field) -> Option<f64> {
        let signal = field.signal.as_ref()?;
        // of a card that is set to volts the number would be called milliamperes
        if self.reading(field) == Reading::Bad(Fault::Configuration) {
            return None;
        }
        let register = Field {
            signal: None,
            sentinels: Vec::new(),
            statuses: Vec::new(),
            valid: None,
            range: None,
            clamp: None,
            heartbeat: None,
            ..field.clone()
        };
        decode(&register, &self.0, &mut Memory::default()).value().map(|register| signal.milliamp(register))
    }
    /// The characters of a text field.
    #[must_use]
    pub fn text(&self, field: &Field) -> Option<String> {
        (field.kind == Kind::Text).then(|| self.words(field.span).map(|words| text(field, words)))?
    }
}
