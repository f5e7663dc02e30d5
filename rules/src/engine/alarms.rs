//! The states of all alarms, by position. Owns that an alarm to which nothing has happened yet takes no room of its own: of 40,000
//! alarms of a large site some dozens have a history.
//!
//! ```text
//!   Unknown ──judged──► Normal ──any change──► State (kept for good: its occurrence number, its last facts)
//! ```

use super::{AlarmState, ConditionState};
use crate::book::RuleBook;
use std::ops::{Index, IndexMut};

/// Alarm states in the book's order: rules, devices, conditions of the gateway itself, votes.
#[derive(Clone, Debug)]
pub struct Alarms {
    book: RuleBook,
    kept: Vec<Kept>,
    /// What a reader sees of alarms without a state of their own; the key is in the book.
    unknown: AlarmState,
    normal: AlarmState,
}

#[derive(Clone, Debug)]
enum Kept {
    Unknown,
    Normal,
    State(Box<AlarmState>),
}

impl Alarms {
    /// Never judged, never raised.
    pub(super) fn fresh(book: RuleBook) -> Self {
        let unknown = AlarmState::fresh(String::new());
        let normal = AlarmState { condition: ConditionState::Normal, ..unknown.clone() };
        Self { kept: vec![Kept::Unknown; book.alarms()], book, unknown, normal }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }
    /// Never: every book has the conditions of the gateway itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// `GT-102:HH`.
    #[must_use]
    pub fn key(&self, alarm: usize) -> String {
        self.book.alarm_key(alarm)
    }

    /// Those to which something has happened, with their positions. All others are neither raised nor hidden nor held.
    pub fn eventful(&self) -> impl Iterator<Item = (usize, &AlarmState)> {
        self.kept.iter().enumerate().filter_map(|(i, kept)| match kept {
            Kept::State(state) => Some((i, &**state)),
            Kept::Unknown | Kept::Normal => None,
        })
    }

    /// The state of its own that an alarm has, if anything has happened to it.
    #[must_use]
    pub fn row(&self, alarm: usize) -> Option<&AlarmState> {
        match self.kept.get(alarm) {
            Some(Kept::State(state)) => Some(state),
            Some(Kept::Unknown | Kept::Normal) | None => None,
        }
    }

    /// A copy of every state, each with its key.
    #[must_use]
    pub fn all(&self) -> Vec<AlarmState> {
        (0..self.len()).map(|i| AlarmState { key: self.key(i), ..self[i].clone() }).collect()
    }

    /// First judgement of an alarm that was never judged: an observation, no event.
    pub(super) fn set_normal(&mut self, alarm: usize) {
        match &mut self.kept[alarm] {
            Kept::State(state) => state.condition = ConditionState::Normal,
            kept => *kept = Kept::Normal,
        }
    }

    /// Takes the state of the alarm of that key out of another configuration's.
    pub(super) fn take_over(&mut self, alarm: usize, old: &mut Self, there: usize) {
        std::mem::swap(&mut self.kept[alarm], &mut old.kept[there]);
    }
}

impl Index<usize> for Alarms {
    type Output = AlarmState;

    fn index(&self, alarm: usize) -> &AlarmState {
        match &self.kept[alarm] {
            Kept::Unknown => &self.unknown,
            Kept::Normal => &self.normal,
            Kept::State(state) => state,
        }
    }
}

impl IndexMut<usize> for Alarms {
    /// Gives the alarm a state of its own: for changes only.
    fn index_mut(&mut self, alarm: usize) -> &mut AlarmState {
        let condition = match self.kept[alarm] {
            Kept::Unknown => Some(ConditionState::Unknown),
            Kept::Normal => Some(ConditionState::Normal),
            Kept::State(_) => None,
        };
        if let Some(condition) = condition {
            let state = AlarmState { condition, ..AlarmState::fresh(self.book.alarm_key(alarm)) };
            self.kept[alarm] = Kept::State(Box::new(state));
        }
        match &mut self.kept[alarm] {
            Kept::State(state) => state,
            Kept::Unknown | Kept::Normal => unreachable!("it was given a state above"),
        }
    }
}
