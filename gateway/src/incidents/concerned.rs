//! Which instruments an alarm is about: all whose values it is judged from.
//!
//! ```text
//!   alarm of a point   its instrument; of a deviation, that of its reference too; of a computed point, those of all it is computed from
//!   vote               those of all members
//!   device             itself
//! ```
//! Pure. Owns that, with the inputs of computed points, which the rule book does not know. Leaves to others on which link they are.

use devices::derive::Expression;
use rules::book::{Condition, Reference};
use rules::{AlarmFact, PointId, RuleBook};
use std::collections::{BTreeMap, BTreeSet};

/// What computed points are computed from, by index of the point. The same for as long as a site runs: a change of it is a start.
#[derive(Debug, Default)]
pub(crate) struct Inputs(BTreeMap<usize, Vec<usize>>);

impl Inputs {
    pub(crate) fn of(book: &RuleBook, derived: &[(PointId, Expression)]) -> Self {
        let of_one = |(point, expression): &(PointId, Expression)| {
            let inputs = expression.inputs().iter().filter_map(|key| book.point_id(key)).map(PointId::index);
            (point.index(), inputs.collect())
        };
        Self(derived.iter().map(of_one).collect())
    }

    /// Keys of the instruments. A rule that is not in the book any more is about the one that its entry names.
    pub(crate) fn devices_of<'a>(&self, book: &'a RuleBook, fact: &'a AlarmFact) -> BTreeSet<&'a str> {
        let mut points = BTreeSet::new();
        let vote = fact.alarm.rsplit_once(':').filter(|(_, word)| ["VOTE", "VOTE_INVALID"].contains(word));
        match vote.and_then(|(key, _)| book.votes().iter().find(|vote| vote.key == key)) {
            Some(vote) => vote.members.iter().for_each(|member| self.add_alarm(book, member, &mut points)),
            None => self.add_alarm(book, &fact.alarm, &mut points),
        }
        // A computed point has the instrument of its first input.
        let devices = points.into_iter().map(|point| &*book.points()[point].device);
        devices.chain([&*fact.device]).filter(|device| !device.is_empty()).collect()
    }

    /// `<point>:<condition>`; other alarms have no point.
    fn add_alarm(&self, book: &RuleBook, alarm: &str, points: &mut BTreeSet<usize>) {
        let Some((key, word)) = alarm.rsplit_once(':') else { return };
        let Some(point) = book.point_id(key).map(PointId::index) else { return };
        self.add(point, points);
        let rule = book.rules_of(point).find(|rule| rule.condition.word() == word);
        if let Some(Condition::Deviation { reference: Reference::Point(twin), .. }) = rule.map(|rule| &rule.condition)
            && let Some(twin) = book.point_id(twin)
        {
            self.add(twin.index(), points);
        }
    }

    /// It and all it is computed from.
    fn add(&self, point: usize, points: &mut BTreeSet<usize>) {
        let mut open = vec![point];
        while let Some(next) = open.pop() {
            if points.insert(next) {
                open.extend(self.0.get(&next).into_iter().flatten());
            }
        }
    }
}

#[cfg(test)]
mod tests;
