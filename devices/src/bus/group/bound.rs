//! A point of a group: where it lies, and the sample that what was read makes of it.

use crate::decode::{Image, Memory, decode};
use crate::profile::Field;
use rules::{Doubt, Fault, Now, PointId, Raw, Reading, Sample};
use std::sync::Arc;

/// A point and where it lies; no field when its profile has none of that name.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) point: PointId,
    pub(super) field: Option<Arc<Field>>,
    pub(super) critical: bool,
    pub(super) memory: Memory,
}

impl Bound {
    pub(super) fn sample(&mut self, image: &Image, unconfirmed: bool, label: Now) -> Sample {
        let Some(field) = self.field.as_deref() else {
            return Sample {
                point: self.point,
                reading: Reading::Bad(Fault::Configuration),
                raw: Raw::NONE,
                at: label,
            };
        };
        let at = image.arrived(field.span).unwrap_or(label);
        let reading = match decode(field, image, &mut self.memory) {
            Reading::Good(v) if unconfirmed => Reading::Uncertain(v, Doubt::Unconfirmed),
            other => other,
        };
        let raw = image.words(field.span).map_or(Raw::NONE, Raw::of);
        Sample { point: self.point, reading, raw, at }
    }
}
