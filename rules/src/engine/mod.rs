//! The engine: scans, conditions of the gateway itself, commands and time go in; numbered events come out.
//!
//! ```text
//!             true, on-delay 0
//!  Unknown ┐ ┌──────────────────────────────────┐
//!          ▼ │                                  ▼      past limit∓deadband
//!        Normal ──true──► PendingOn ──due──► Active ───────────────────────► PendingOff
//!          ▲ ▲              │                 ▲  ▲◄──back, or not evaluable──────┘ │
//!          │ └──false───────┘                 │  └─ not evaluable: held, not cleared │
//!          └──────────────────────────────────┼── off-delay due, newest value fresh ─┘
//!   returned unacknowledged ──true again──────┘ (a new occurrence)
//! ```
//!
//! An acknowledgement is a second, independent part: `Raised` takes it away, a person gives it, and the occurrence is
//! `Cleared` when it is both returned and acknowledged.
//!
//! Every change that is worth a record goes through one path: a transition builds an event, [`Engine::apply`] changes the
//! state, the event is appended. Replaying the events therefore gives the same state; only the difference between
//! `Unknown` and `Normal` and the readings are observations, not events.
//!
//! What hides an alarm (shelf, suppression by design, bypass, service) takes away its annunciation, never its judgement: a
//! hidden one is raised in the shadow, and annunciated when the hiding ends. The transitions and their numbers are those of
//! the specification of the alarm engine; each has a case under `rules/tests/cases`.
//!
//! Owns alarm states, hidden-danger records and deadlines. Leaves storing, sending and showing to the gateway.

mod ack;
mod alarms;
mod align;
mod annunciate;
mod apply;
mod bypass;
mod comms;
mod config;
mod deadlines;
mod escalation;
mod facts;
mod first_out;
mod flood;
mod hazard_steps;
mod hazards;
mod heap;
mod hot;
mod kept;
mod limit;
mod modes;
mod overdue;
mod quality;
mod rate;
mod rearm;
mod restore;
mod rising;
mod service;
mod shelf;
mod sound;
mod state;
mod stillness;
mod stuck;
mod suppress;
mod system;
#[cfg(test)]
mod tests;
mod transitions;
mod turn;
mod vote;

pub use alarms::Alarms;
pub use config::ConfigChange;
pub use flood::Flood;
pub use kept::Kept;
pub use state::{AlarmState, BootSince, ConditionState, Input, Restored, Shown, UnitMode};
pub use stillness::Stillness;
pub use system::SystemCondition;
pub use vote::Count;

use crate::book::{Condition, Mode, RuleBook};
use crate::command::{Actor, Command, Rejected};
use crate::event::{Cause, Event, EventKind};
use crate::hazard::Hazard;
use crate::hide::Expiry;
use crate::reading::{Raw, Reading, Sample};
use crate::time::{Mono, Now};
use deadlines::{Deadlines, Timer};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The alarm engine of one site.
#[derive(Debug)]
pub struct Engine {
    book: RuleBook,
    /// Rules, then devices, then system conditions, then votes.
    alarms: Alarms,
    /// What every sample needs of its rules, by rule; and which they are, by point.
    hot: Vec<hot::Hot>,
    ways: Vec<hot::Way>,
    /// What conditions over time remember, by rule.
    memory: Vec<stuck::Memory>,
    /// The last samples of gas points with an upper limit, by point.
    trends: Vec<Option<Box<rate::Samples>>>,
    /// Conditions that a mode changes, by rule; looked up, never iterated.
    by_mode: HashMap<usize, Condition>,
    modes: Vec<Mode>,
    /// Those that are by a running signal, not by a person.
    modes_measured: Vec<bool>,
    /// Number of the event of each, or of the newest before the start.
    modes_seq: Vec<u64>,
    suppressing: Vec<suppress::Suppressing>,
    flood: flood::FloodWatch,
    silenced: Option<(Expiry, Box<str>)>,
    readings: Vec<(Reading, Now)>,
    /// What the newest reading of each point was made of.
    raws: Vec<Raw>,
    /// Time of the newest sample of a point; anything not newer goes to history only.
    newest: Vec<Option<Mono>>,
    /// When a point said anything last, a fault or a function check of its own included.
    said: Vec<Option<Mono>>,
    /// Newest valid answer of a device.
    answered: Vec<Option<Mono>>,
    /// Since when a device has answered without a silence as long as its time-out.
    answering_since: Vec<Option<Mono>>,
    /// Since when a device is listened to: the start, or the configuration that brought it.
    watched_since: Vec<Mono>,
    hazards: Vec<Hazard>,
    /// Closed ones, the newest of each measure and cause: what a repeat is linked with.
    closed: Vec<Hazard>,
    deadlines: Deadlines,
    /// What the wall clock showed when the machine booted, where it may be believed: times before it have no monotonic value.
    boot_wall_ms: Option<i64>,
    /// What a start has to say, until the first turn.
    unsaid: restore::Unsaid,
    /// Votes that have not been judged since the start or the newest book.
    votes_waiting: Vec<usize>,
    /// Alarms whose groups must be looked at, and alarms that came free.
    touched: Vec<usize>,
    revealed: Vec<usize>,
    scratch: Vec<Sample>,
    fresh: Vec<Sample>,
    /// By pending alarm, ms of its on-delay that a start credited without proof that it was watched.
    credited_ms: BTreeMap<usize, u64>,
    /// What is being worked on.
    cause: Cause,
    next_seq: u64,
    next_hazard: u64,
}

impl Engine {
    /// Alarms whose key the book no longer has are closed with `alarm.cleared` by the first `handle`.
    #[must_use]
    pub fn new(book: RuleBook, restored: Restored, now: Now) -> Self {
        restore::engine(book, restored, now)
    }

    /// A start: what is `said` of it, from [`EventKind::Started`] on, and what follows from it at once, such as the end of what nobody can
    /// prove to be hidden any more. A store keeps all of it in one transaction: a second start on this boot that found the first event
    /// without the rest would take for proved what this one could not prove.
    pub fn begin(&mut self, said: Vec<EventKind>, now: Now, out: &mut Vec<Event>) {
        said.into_iter().for_each(|kind| self.note(kind, now, out));
        self.turn(Input::Tick, now, out);
    }

    /// The checked site it judges.
    #[must_use]
    pub fn book(&self) -> &RuleBook {
        &self.book
    }

    /// Total: never fails, never blocks. Events are numbered without gaps from `next_seq` and appended to `out`.
    pub fn handle(&mut self, input: Input<'_>, now: Now, out: &mut Vec<Event>) {
        self.turn(input, now, out);
    }

    /// A person's request.
    /// # Errors
    /// [`Rejected`] says what the caller does next; the request changed nothing. What was due before it has happened all the same, and is
    /// in `out`.
    pub fn command(
        &mut self,
        command: &Command,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        if actor.user.trim().is_empty() {
            return Err(Rejected::Incomplete(vec!["user".to_owned()]));
        }
        self.finish_start(now, out);
        // What was due before it happened before it.
        self.fire(Mono(now.mono.0.saturating_sub(1)), now, out);
        self.cause = Cause::User;
        let done = self.carry_out(command, actor, now, out);
        self.settle(now, out);
        done
    }

    fn carry_out(&mut self, command: &Command, by: &Actor, now: Now, out: &mut Vec<Event>) -> Result<(), Rejected> {
        match command {
            Command::Acknowledge { alarm, seen_seq, comment } => {
                self.acknowledge(alarm, *seen_seq, comment, by, now, out)
            }
            Command::Shelve { alarm, seen_seq, kind, duration_s, reason } => {
                let duration = Duration::from_secs(*duration_s);
                self.shelve(&shelf::Wish { alarm, seen_seq: *seen_seq, kind: *kind, duration, reason }, by, now, out)
            }
            Command::Unshelve { alarm, seen_seq, reason } => self.unshelve(alarm, *seen_seq, reason, by, now, out),
            Command::ResetLatch { alarm, seen_seq, reason } => self.reset_latch(alarm, *seen_seq, reason, by, now, out),
            Command::Bypass { .. } => self.bypass(command, by, now, out),
            Command::EndBypass { point, seen_seq, reason } => self.end_bypass(point, *seen_seq, reason, by, now, out),
            Command::OutOfService { .. } => self.out_of_service(command, by, now, out),
            Command::ReturnToService { point, seen_seq, reason } => {
                self.return_to_service(point, *seen_seq, reason, by, now, out)
            }
            Command::ResetFirstOut { group, seen_seq, reason } => {
                self.reset_first_out(group, *seen_seq, reason, by, now, out)
            }
            Command::SetMode { .. } => self.command_mode(command, by, now, out),
            Command::Silence { seen_seq } => self.silence(*seen_seq, by, now, out),
            Command::TestAnnunciator { reason } => self.test_annunciator(reason, by, now, out),
            Command::ConfirmHazard { hazard, seen_seq, reason } => {
                self.confirm(hazard, *seen_seq, reason, by, now, out)
            }
            Command::RejectHazard { hazard, seen_seq, reason } => self.reject(hazard, *seen_seq, reason, by, now, out),
            Command::RegisterHazard { .. } => self.register(command, by, now, out),
            Command::MoveHazard { hazard, seen_seq, step } => self.move_hazard(hazard, *seen_seq, step, by, now, out),
        }
    }

    /// Numbers a fact of the gateway itself (start, receipt, operator action, notice). Alarm kinds are refused (debug assertion).
    pub fn note(&mut self, kind: EventKind, now: Now, out: &mut Vec<Event>) {
        let own = kind.is_the_engines();
        debug_assert!(!own, "alarms and hazards change by samples, time and commands only");
        if !own {
            self.emit(kind, now, out);
        }
    }

    /// When it wants to be called with [`Input::Tick`], and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        self.deadlines.next().map(|(due, timer)| (due, timer.reason()))
    }

    /// All alarm states in the book's order (rules, devices, system alarms, votes).
    #[must_use]
    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Open records.
    #[must_use]
    pub fn hazards(&self) -> &[Hazard] {
        &self.hazards
    }

    /// Closed records, oldest first: the newest of each measure and cause, limited.
    #[must_use]
    pub fn closed_hazards(&self) -> &[Hazard] {
        &self.closed
    }

    /// Latest reading of every point, by `PointId::index()`; `Bad(NeverRead)` before the first. Stale ones are `Bad(Stale)` with
    /// the original time.
    #[must_use]
    pub fn readings(&self) -> &[(Reading, Now)] {
        &self.readings
    }

    /// Number of the next event.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Position of an alarm in [`Engine::alarms`].
    #[must_use]
    pub fn alarm_index(&self, key: &str) -> Option<usize> {
        self.book.alarm_index(key)
    }
}
