//! The vocabulary of the gateway and every decision it takes.
//!
//! Owns: points, readings with their quality, alarm rules, risks, measures, hidden dangers, and the engine that turns
//! samples and commands into events. Leaves to others: the wire (`devices`), time (it comes in as [`Now`]), storage,
//! sending and showing (`gateway`). There is no tokio, clock, file, socket or log in here, and nothing fails on a sample.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod annunciator;
pub mod book;
pub mod command;
pub mod engine;
pub mod event;
pub mod hazard;
pub mod hide;
pub mod people;
pub mod reading;
pub mod risk;
pub mod text;
pub mod time;

pub use book::{BookParts, Defect, DeviceId, MeasureId, PointId, RiskId, RuleBook, RuleId, SourceId};
pub use command::{Actor, Command, Refusal, Rejected, ShelfKind};
pub use engine::{
    AlarmState, BootSince, ConditionState, ConfigChange, Engine, Input, Restored, Shown, SystemCondition, UnitMode,
};
pub use event::{AlarmFact, Cause, Event, EventKind, FirstOut, StateChange};
pub use reading::{Doubt, Fault, Finite, Raw, Reading, Sample};
pub use text::{Sharing, Text};
pub use time::{Clock, Mono, Now, TimeQuality, Wall};
