//! A gas head that fails while its value runs up to a limit is taken to have reached it (2.3, fault after high).
//!
//! ```text
//!   the line through the last ten polls reaches H within stale_after
//!        ├─► the instrument fails ─────────────────► H raised at once, assumed
//!        └─► nobody answers for stale_after ───────► H raised then, assumed
//! ```
//! What floods a head may also blind it, and then no sample at H ever comes. Of gas only: elsewhere a slope belongs to the process and
//! has rules of its own. Against false alarms the rise must carry a slope (five samples, no gap) and be larger than the deadband, which
//! stands above the noise; one lost frame waits for the next; a function check (calibration gas!) assumes nothing.
//!
//! Owns the trend of each such point. Leaves what is active already to [`Engine::hold`].

use super::quality::is_function_check;
use super::transitions::Onset;
use super::{ConditionState, Engine, Timer};
use crate::book::{Condition, Index, PointKind, RuleBook};
use crate::reading::{Fault, Reading};
use crate::time::{Mono, Now};
use std::time::Duration;

/// Polls that make up the trend: twice what a slope needs, so that one lost frame does not take it away.
const POLLS: u32 = 10;

/// Gas with an upper limit.
pub(super) fn watches(book: &RuleBook, x: &Index, p: usize) -> bool {
    let upper = |i: usize| matches!(book.rules()[i].condition, Condition::HighHigh { .. } | Condition::High { .. });
    book.points()[p].kind == PointKind::Gas && x.rules_of_point[p].iter().any(|r| upper(r.index()))
}

impl Engine {
    /// One sample of such a point with a value.
    pub(super) fn note_trend(&mut self, p: usize, reading: Reading, at: Mono) {
        let window = self.book.points()[p].period * POLLS;
        self.trends[p].get_or_insert_with(Box::default).push(at, reading, window);
    }

    /// The newest sample has no value.
    pub(super) fn lost_while_rising(
        &mut self,
        p: usize,
        reading: Reading,
        at: Now,
        out: &mut Vec<crate::event::Event>,
    ) {
        match reading {
            Reading::Bad(f) if f.is_communication() => {}
            // A converter's word that the head is silent: for as long as a reading counts as fresh one more may come.
            Reading::Bad(Fault::Exception(0x0A | 0x0B)) if at.mono <= self.trend_due(p) => {}
            _ if is_function_check(reading) => self.trends[p] = None,
            _ => self.assume_risen(p, reading, at, out),
        }
    }

    /// Nobody answers: after as long as a reading counts as fresh.
    pub(super) fn silent_while_rising(&mut self, p: usize, now: Now, out: &mut Vec<crate::event::Event>) {
        if self.trends[p].is_none() {
            return;
        }
        let due = self.trend_due(p);
        if due > now.mono {
            return self.deadlines.set_lazily(Timer::Stale(p), due);
        }
        self.cause = crate::event::Cause::Timer;
        self.assume_risen(p, self.readings[p].0, now, out);
    }

    /// Until when a value may still come that continues the trend.
    fn trend_due(&self, p: usize) -> Mono {
        let newest = self.trends[p].as_ref().and_then(|t| t.newest()).unwrap_or_default();
        newest.plus(self.book.points()[p].max_age).plus(Duration::from_nanos(1))
    }

    /// Once: what comes after begins a new trend.
    pub(super) fn assume_risen(&mut self, p: usize, reading: Reading, at: Now, out: &mut Vec<crate::event::Event>) {
        let Some(trend) = self.trends[p].take() else { return };
        let point = &self.book.points()[p];
        let (window, ahead) = (point.period * POLLS, point.max_age);
        let Some((slope, value)) = trend.line(window) else { return };
        let over = |d: Duration| slope * d.as_secs_f64() / 60.0;
        let (reached, risen) = (value + over(ahead), over(window));
        for i in self.ways[p].rules() {
            let steep = match self.condition_of(i) {
                Condition::HighHigh { limit, deadband } | Condition::High { limit, deadband } => {
                    reached >= *limit && risen > *deadband
                }
                _ => false,
            };
            let a = &self.alarms[i];
            let calm = matches!(a.condition, ConditionState::Normal | ConditionState::Unknown);
            if steep && calm && a.hidden.service.is_none() {
                self.raise(i, Onset { reading: Some(reading), assumed: true, late: Duration::ZERO }, at, out);
            }
        }
    }
}
