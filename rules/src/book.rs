//! The rule book: everything the engine needs to know about a site, with every cross-reference checked.
//!
//! Ids are small indices minted only here; they cannot name anything that is not configured. [`BookParts`] is what a
//! configuration delivers, [`RuleBook::build`] checks all of it and reports **all** defects at once.

mod alarm_keys;
mod calls;
mod check;
#[cfg(test)]
pub(crate) mod check_tests;
mod condition;
mod group_index;
mod groups;
mod index;
mod links;
mod parts;
mod policy;
pub mod presets;
mod substance;

use crate::risk::{Measure, Risk, Source};
pub use calls::Call;
pub use condition::{Condition, Reference};
pub use groups::{FirstOutGroup, Mode, ModeRule, PlantUnit, Suppression, Suppressor, UnknownVote, Vote};
pub(crate) use index::{Index, Subject};
pub use parts::{BookParts, Device, Point, PointKind, Rule};
pub use policy::Policy;
pub(crate) use policy::slot;
use serde::Serialize;
use std::sync::Arc;
pub use substance::{LimitsBy, Substance};

macro_rules! id {
    ($(#[$m:meta])* $name:ident) => {
        $(#[$m])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(u32);
        impl $name {
            /// Position in the rule book's list, and in every array kept beside it.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
            #[allow(dead_code, reason = "minted only inside this crate")]
            pub(crate) fn mint(i: usize) -> Self {
                Self(u32::try_from(i).expect("the rule book refuses more than 4 billion entries"))
            }
        }
    };
}
id!(
    /// A point of the rule book.
    PointId
);
id!(
    /// An alarm rule.
    RuleId
);
id!(
    /// A device.
    DeviceId
);
id!(
    /// A registered risk.
    RiskId
);
id!(
    /// A control measure.
    MeasureId
);
id!(
    /// A major hazard source.
    SourceId
);

/// One thing wrong, with its place in the parts (`rules[3].limit`), what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// Path such as `points[GT-102].rules.HH.limit`: list, key, field.
    pub path: String,
    pub message_zh: String,
    pub message_en: String,
    pub remedy_zh: String,
    pub remedy_en: String,
    /// False for a warning.
    pub fatal: bool,
}

/// A checked site. Built by [`RuleBook::build`] only. A clone is the same book, not another copy of it.
#[derive(Clone, Debug)]
pub struct RuleBook(Arc<Checked>);

#[derive(Debug)]
struct Checked {
    parts: BookParts,
    index: Index,
}

impl RuleBook {
    /// Checks everything and reports all defects at once; warnings come back beside a built book. A sensor-fault rule
    /// (4 s, NE 43) is added for every point that is not a state and has none.
    /// # Errors
    /// All defects (fatal ones and warnings), in the order of the parts.
    pub fn build(mut parts: BookParts) -> Result<(Self, Vec<Defect>), Vec<Defect>> {
        let defects = check::check(&parts);
        if defects.iter().any(|d| d.fatal) {
            return Err(defects);
        }
        index::add_sensor_faults(&mut parts);
        Ok((Self::of(parts), defects))
    }

    /// A book that was in force, of its [`RuleBook::parts`]: it passed the checks of its time, and is judged by no stricter one of today.
    /// None where its parts do not refer to one another any more.
    #[must_use]
    pub fn kept(parts: BookParts) -> Option<Self> {
        check::is_whole(&parts).then(|| Self::of(parts))
    }

    fn of(mut parts: BookParts) -> Self {
        index::sort_rules(&mut parts);
        parts.share_texts();
        let index = Index::of(&parts);
        Self(Arc::new(Checked { parts, index }))
    }

    /// Points in order of [`PointId::index`].
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.0.parts.points
    }
    /// Devices in order of [`DeviceId::index`].
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.0.parts.devices
    }
    /// Rules in order of [`RuleId::index`].
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.0.parts.rules
    }
    /// The rules of the point at a position, outer limits first.
    pub fn rules_of(&self, point: usize) -> impl Iterator<Item = &Rule> {
        self.0.index.rules_of_point[point].iter().map(|r| &self.0.parts.rules[r.index()])
    }
    #[must_use]
    pub fn risks(&self) -> &[Risk] {
        &self.0.parts.risks
    }
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.0.parts.measures
    }
    #[must_use]
    pub fn votes(&self) -> &[Vote] {
        &self.0.parts.votes
    }
    #[must_use]
    pub fn suppressions(&self) -> &[Suppression] {
        &self.0.parts.suppressions
    }
    #[must_use]
    pub fn first_out_groups(&self) -> &[FirstOutGroup] {
        &self.0.parts.first_out
    }
    #[must_use]
    pub fn plant_units(&self) -> &[PlantUnit] {
        &self.0.parts.plant_units
    }
    /// Times that hold for the whole site.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.parts.policy
    }
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.0.parts.sources
    }
    #[must_use]
    pub fn point_id(&self, key: &str) -> Option<PointId> {
        self.0.index.point(key, &self.0.parts)
    }
    #[must_use]
    pub fn device_id(&self, key: &str) -> Option<DeviceId> {
        self.0.index.devices.get(key).copied()
    }
    /// All parts, as checked: what [`RuleBook::build`] makes the same book of again.
    #[must_use]
    pub fn parts(&self) -> &BookParts {
        &self.0.parts
    }
    /// What hangs on what.
    pub(crate) fn index(&self) -> &Index {
        &self.0.index
    }
}
