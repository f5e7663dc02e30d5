//! One request of a group, and what is known of it: refused, silent, too busy, or read.
//!
//! ```text
//!   asked ──refused twice──► muted (configuration) 10 s, 20 s … 10 min ──► asked
//!     └─silent while others answer──► muted (its fault) 10 s … 10 min ──► on probation: asked once; silent again, it alone is
//! ```
//! Pure state. Leaves when it is asked and what its answer completes to [`super::group`].

use super::unit::MISSES_TO_DIE;
use crate::plan::Span;
use rules::Fault;
use std::time::Duration;
use tokio::time::Instant;

/// A device that is too busy for a request is asked for it so often again in a cycle.
const BUSY_REPEATS: u8 = 2;
pub(super) const FIRST_MUTE: Duration = Duration::from_secs(10);
const LAST_MUTE: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) span: Span,
    /// Holds a value that an alarm rule judges.
    pub(super) critical: bool,
    /// In a row.
    refusals: u32,
    /// Misses in a row.
    pub(super) misses: u32,
    /// Times in a row that it was too busy for this request, in this cycle.
    pub(super) busy: u8,
    muted_until: Option<Instant>,
    /// Why it is muted.
    pub(super) why: Fault,
    /// Read at least once as it is.
    proven: bool,
    /// So many of the points, in their order, are complete with it.
    pub(super) complete: u32,
}

impl Block {
    pub(super) fn new(span: Span, critical: bool) -> Self {
        Self {
            span,
            critical,
            refusals: 0,
            misses: 0,
            busy: 0,
            muted_until: None,
            why: Fault::Configuration,
            proven: false,
            complete: 0,
        }
    }

    /// The same request in another group: what is known of it stays known.
    pub(super) fn follow(&mut self, same: &Self) {
        *self = Self { critical: self.critical, complete: self.complete, ..*same };
    }

    /// A part of one that is silent is silent too, until that one's turn.
    pub(super) fn follow_silence(&mut self, whole: &Self) {
        (self.misses, self.muted_until, self.why) = (whole.misses, whole.muted_until, whole.why);
    }

    /// It alone is silent: the unit answers other requests.
    pub(super) fn is_silent(&self) -> bool {
        self.muted_until.is_some() && self.why != Fault::Configuration
    }

    pub(super) fn is_muted(&self, now: Instant) -> bool {
        self.muted_until.is_some_and(|until| until > now)
    }

    /// After the third miss 10 s, twice as long with each further one.
    pub(super) fn mute(&mut self, fault: Fault, now: Instant) {
        let pause = FIRST_MUTE * (1 << self.misses.saturating_sub(MISSES_TO_DIE).min(6));
        (self.muted_until, self.why) = (Some(now + pause.min(LAST_MUTE)), fault);
    }

    /// To be asked once from `at` on; if it stays silent, it alone does.
    pub(super) fn put_on_probation(&mut self, fault: Fault, at: Instant) {
        (self.misses, self.muted_until, self.why) = (MISSES_TO_DIE - 1, Some(at), fault);
    }

    /// Read. True for the first time as it is.
    pub(super) fn read(&mut self) -> bool {
        (self.refusals, self.muted_until) = (0, None);
        !std::mem::replace(&mut self.proven, true)
    }

    /// Never read as it is.
    pub(super) fn is_unproven(&self) -> bool {
        !self.proven
    }

    /// Answered, with whatever: it is not silent.
    pub(super) fn heard(&mut self) {
        self.misses = 0;
        self.muted_until = self.muted_until.filter(|_| self.why == Fault::Configuration);
    }

    /// Refused for what it asks: once more in the next cycle, and then ever more rarely.
    pub(super) fn refused(&mut self, now: Instant) {
        self.refusals += 1;
        if self.refusals > 1 {
            let pause = FIRST_MUTE * (1 << (self.refusals - 2).min(6));
            (self.muted_until, self.why) = (Some(now + pause.min(LAST_MUTE)), Fault::Configuration);
        }
    }

    /// Not answered. What was read as it is has no hole: only one that is silent for longer may be cut.
    pub(super) fn missed(&mut self, fault: Fault) -> bool {
        self.misses = self.misses.saturating_add(1);
        fault == Fault::Timeout && (!self.proven || self.misses > MISSES_TO_DIE)
    }

    /// The device is too busy for it. True while it may be asked for it again in this cycle.
    pub(super) fn is_repeated(&mut self) -> bool {
        self.busy = self.busy.saturating_add(1);
        self.busy <= BUSY_REPEATS
    }
}
