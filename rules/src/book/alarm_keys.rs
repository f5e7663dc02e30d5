//! Keys of alarms and their positions: `GT-102:HH`, `<device>:COMMS_LOSS`, `system:<code>`, `<vote>:VOTE`. Computed, not kept.

use super::{BookParts, Index, RuleBook, Subject};
use crate::engine::SystemCondition;

/// Keys of all alarms in their order.
pub(super) fn alarm_keys(parts: &BookParts) -> impl Iterator<Item = String> + '_ {
    let rules = parts.rules.iter().map(|r| format!("{}:{}", r.point, r.condition.word()));
    let devices = parts.devices.iter().map(|d| format!("{}:COMMS_LOSS", d.key));
    let system = SystemCondition::ALL.iter().map(|c| format!("system:{}", c.code()));
    let votes = parts.votes.iter().flat_map(|v| [format!("{}:VOTE", v.key), format!("{}:VOTE_INVALID", v.key)]);
    rules.chain(devices).chain(system).chain(votes)
}

/// Position of the alarm of that key.
pub(super) fn position(parts: &BookParts, x: &Index, key: &str) -> Option<usize> {
    let (subject, word) = key.rsplit_once(':')?;
    let of_vote = || parts.votes.iter().position(|v| v.key == subject);
    match word {
        "COMMS_LOSS" => x.devices.get(subject).map(|d| x.comms_alarm(d.index())),
        "VOTE" => of_vote().map(|k| x.vote_base() + 2 * k),
        "VOTE_INVALID" => of_vote().map(|k| x.vote_base() + 2 * k + 1),
        _ => of_rule(parts, x, subject, word).or_else(|| of_gateway(x, subject, word)),
    }
}

fn of_rule(parts: &BookParts, x: &Index, point: &str, word: &str) -> Option<usize> {
    let rules = &x.rules_of_point[x.point(point, parts)?.index()];
    rules.iter().map(|r| r.index()).find(|i| parts.rules[*i].condition.word() == word)
}

fn of_gateway(x: &Index, subject: &str, code: &str) -> Option<usize> {
    let place = SystemCondition::ALL.iter().position(|c| subject == "system" && c.code() == code)?;
    Some(x.system_base() + place)
}

impl RuleBook {
    /// How many alarms the site has.
    #[must_use]
    pub fn alarms(&self) -> usize {
        self.index().alarms()
    }

    /// Key of the alarm at a position.
    #[must_use]
    pub fn alarm_key(&self, alarm: usize) -> String {
        let (subject, word) = match self.index().subject(alarm) {
            Subject::Rule(r) => (&*self.rules()[r.index()].point, self.rules()[r.index()].condition.word()),
            Subject::Device(d) => (&*self.devices()[d.index()].key, "COMMS_LOSS"),
            Subject::System(k) => ("system", SystemCondition::ALL[k].code()),
            Subject::Vote(k) => (&*self.votes()[k].key, "VOTE"),
            Subject::VoteInvalid(k) => (&*self.votes()[k].key, "VOTE_INVALID"),
        };
        format!("{subject}:{word}")
    }

    /// Position of an alarm in every list of alarms.
    #[must_use]
    pub fn alarm_index(&self, key: &str) -> Option<usize> {
        position(self.parts(), self.index(), key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_position_of_every_alarm_are_one_another() {
        let book = crate::book::check_tests::plain_book();
        let keys: Vec<String> = alarm_keys(book.parts()).collect();
        assert_eq!(keys.len(), book.alarms());
        for (i, key) in keys.iter().enumerate() {
            assert_eq!((&book.alarm_key(i), book.alarm_index(key)), (key, Some(i)));
        }
        assert_eq!(book.alarm_index("nobody:HH"), None);
        assert_eq!(book.alarm_index("system:nothing"), None);
    }
}
