//! Whom an alarm that nobody acknowledges is to be told by telephone (升级通知): posts by level of escalation, in the order of calling.
//!
//! Owns which post is called for which alarm. A post is a place in the organisation; numbers and names of people are the gateway's alone,
//! so that no event can carry one. Leaves when a level is reached to the engine.

use super::policy::slot;
use super::{BookParts, Policy, RuleBook};
use serde::{Deserialize, Serialize};

/// Steps that an alarm can go (alarms.md 2.4: L1, L2, L3).
pub(crate) const LEVELS: std::ops::RangeInclusive<u8> = 1..=3;

/// One post to be called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// 1, 2, 3.
    pub level: u8,
    /// For alarms of these priorities; empty: of all that escalate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priorities: Vec<u8>,
    /// For alarms of these areas; empty: of all, and those of no area such as the gateway's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<String>,
    /// 岗位, such as 值班长.
    pub post: String,
    pub post_en: String,
}

impl Call {
    /// Whether it is called for an alarm of this priority and area at this level.
    #[must_use]
    pub fn is_for(&self, level: u8, priority: u8, area: &str) -> bool {
        self.level == level
            && (self.priorities.is_empty() || self.priorities.contains(&priority))
            && (self.areas.is_empty() || self.areas.iter().any(|a| a == area))
    }

    /// Some alarm would have both called.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.level == other.level && share(&self.priorities, &other.priorities) && share(&self.areas, &other.areas)
    }
}

/// Nothing said is all.
fn share<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    a.is_empty() || b.is_empty() || a.iter().any(|x| b.contains(x))
}

impl Policy {
    /// The levels that an alarm of this priority goes through.
    pub(super) fn levels_of(&self, priority: u8) -> impl Iterator<Item = u8> {
        LEVELS.take(self.escalation[slot(priority)].len())
    }
}

impl RuleBook {
    /// All posts, as they were written: the order of calling.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.parts().calls
    }
    /// Who is to be called for an alarm of this priority and area at this level, the first one first.
    pub fn called(&self, level: u8, priority: u8, area: &str) -> impl Iterator<Item = &Call> {
        self.parts().called(level, priority, area)
    }
}

impl BookParts {
    pub(super) fn called(&self, level: u8, priority: u8, area: &str) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |c| c.is_for(level, priority, area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(level: u8, priorities: &[u8], areas: &[&str]) -> Call {
        let areas = areas.iter().map(|a| (*a).to_owned()).collect();
        Call { level, priorities: priorities.to_vec(), areas, ..Call::default() }
    }

    #[test]
    fn a_post_is_called_at_its_level_for_its_priorities_and_areas_and_nothing_said_is_all() {
        let all = call(2, &[], &[]);
        assert!(all.is_for(2, 1, "A1") && all.is_for(2, 4, "") && !all.is_for(1, 1, "A1"));
        let some = call(1, &[1, 2], &["A1", "A2"]);
        assert!(some.is_for(1, 2, "A2") && !some.is_for(1, 3, "A2") && !some.is_for(1, 2, "A3"));
        assert!(!some.is_for(1, 1, ""), "the gateway's own alarms are of no area");
    }

    #[test]
    fn two_entries_meet_where_one_alarm_would_have_both_called() {
        let first = call(1, &[1], &["A1"]);
        assert!(first.meets(&call(1, &[], &[])) && first.meets(&call(1, &[1, 2], &["A2", "A1"])));
        assert!(!first.meets(&call(2, &[], &[])) && !first.meets(&call(1, &[2], &[])));
        assert!(!first.meets(&call(1, &[], &["A2"])));
    }
}
