//! The engine: scans, conditions of the gateway itself, commands and time go in; numbered events come out.
//!
//! CONTRACT (signatures are relied on by `gateway`; bodies are the rules room's).

use crate::book::{DeviceId, RuleBook};
use crate::command::{Actor, Command, Rejected};
use crate::event::{AlarmFact, Event, EventKind};
use crate::hazard::Hazard;
use crate::reading::{Reading, Sample};
use crate::time::{Mono, Now};
use serde::{Deserialize, Serialize};

/// A condition of the gateway itself that is an alarm: key `system:<code>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemCondition {
    /// A commit failed or took longer than 500 ms. Priority 2.
    StorageSlow,
    /// Disk below its reserve. Priority 2.
    StorageFull,
    /// Wall clock unsynchronised or stepped. Priority 3.
    ClockUntrusted,
    /// No broker connection, or the oldest unsent event is older than 60 s. Priority 3.
    UplinkDown,
    /// An event has no receipt of the office after 5 min. Priority 2.
    OfficeSilent,
    /// InfluxDB refuses our credentials, bucket or organisation. Priority 3.
    InfluxRefused,
    /// Damaged records were set aside at start. Priority 2.
    RecordsSalvaged,
    /// A task of the daemon ended by a panic and was restarted. Priority 2.
    TaskRestarted,
}

/// What goes in.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// One device was asked once. `answered` is false when nothing valid came back; `samples` may be non-empty all the same
    /// (bad readings of its points).
    Scan { device: DeviceId, answered: bool, samples: &'a [Sample] },
    /// A condition of the gateway itself came or went; repeating the same value does nothing.
    System { condition: SystemCondition, active: bool },
    /// Time passed; due timers fire.
    Tick,
}

/// The condition part of an alarm's state (alarms.md 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "since")]
pub enum ConditionState {
    Unknown,
    Normal,
    PendingOn(Mono),
    Active,
    PendingOff(Mono),
}

/// Live state of one alarm; also the row that is persisted with every event that changed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmState {
    /// `GT-102:HH`, `<device>:COMMS_LOSS`, `system:<code>`.
    pub key: String,
    pub condition: ConditionState,
    pub acked: bool,
    /// Not evaluable now.
    pub held: bool,
    /// Suppressed by design: COMMS_LOSS of its device stands.
    pub suppressed: bool,
    /// Raised without a fresh good sample.
    pub assumed: bool,
    /// Current or last raising; 0 before the first.
    pub occurrence: u64,
    /// Number of the event that annunciated it last: what an acknowledgement must have seen.
    pub annunciated_seq: u64,
    pub raised: Option<Now>,
    pub returned: Option<Now>,
    pub acked_by: Option<String>,
    /// Facts of the last transition, for the list.
    pub fact: Option<AlarmFact>,
    /// The gateway runs and the boot id changed since it was persisted (set by `Engine::new`).
    #[serde(default)]
    pub last_evaluable: Option<Mono>,
}

impl AlarmState {
    /// Active (pending-off counts) or waiting for acknowledgement: stands in the list.
    #[must_use]
    pub fn stands(&self) -> bool {
        matches!(self.condition, ConditionState::Active | ConditionState::PendingOff(_)) || !self.acked
    }
}

/// What the store kept from before.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Number of the next event; 1 on a fresh store.
    pub next_seq: u64,
    /// Number of the next hidden-danger record; 1 on a fresh store.
    pub next_hazard: u64,
    pub alarms: Vec<AlarmState>,
    /// All records that are not rejected.
    pub hazards: Vec<Hazard>,
    /// True when the machine has not rebooted since: monotonic times are then comparable.
    pub same_boot: bool,
}

/// The alarm engine of one site.
#[derive(Debug)]
pub struct Engine {
    _todo: (),
}

#[allow(unused_variables, missing_docs, reason = "contract; replaced by the rules room")]
impl Engine {
    /// Alarms whose key the book no longer has are closed with `alarm.cleared` by the first `handle`.
    #[must_use]
    pub fn new(book: RuleBook, restored: Restored, now: Now) -> Self {
        todo!()
    }
    pub fn book(&self) -> &RuleBook {
        todo!()
    }
    /// Total: never fails, never blocks. Events are numbered without gaps from `next_seq` and appended to `out`.
    pub fn handle(&mut self, input: Input<'_>, now: Now, out: &mut Vec<Event>) {
        todo!()
    }
    /// A person's request.
    /// # Errors
    /// [`Rejected`] says what the caller does next; nothing changed.
    pub fn command(
        &mut self,
        command: &Command,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        todo!()
    }
    /// Numbers a fact of the gateway itself (start, receipt, operator action, notice). Alarm kinds are refused (debug assertion).
    pub fn note(&mut self, kind: EventKind, now: Now, out: &mut Vec<Event>) {
        todo!()
    }
    /// Replays one event: afterwards the state is what it was when `handle` emitted it.
    pub fn apply(&mut self, event: &Event) {
        todo!()
    }
    /// When it wants to be called with [`Input::Tick`], and why.
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        todo!()
    }
    /// All alarm states in the book's order (then system alarms); one per rule, device and system condition.
    pub fn alarms(&self) -> &[AlarmState] {
        todo!()
    }
    /// Open records (candidate or registered).
    pub fn hazards(&self) -> &[Hazard] {
        todo!()
    }
    /// Latest reading of every point, by `PointId::index()`; `Bad(NeverRead)` before the first. Stale ones are `Bad(Stale)` with
    /// the original time.
    pub fn readings(&self) -> &[(Reading, Now)] {
        todo!()
    }
    pub fn next_seq(&self) -> u64 {
        todo!()
    }
}

#[allow(dead_code, reason = "contract")]
fn _unused(_: Sample) {}
