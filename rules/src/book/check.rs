//! Checks of the parts: everything wrong is reported at once, in the order of the parts, in the words of the person who
//! wrote the configuration. Owns what is acceptable; leaves files and places in files to the configuration.

mod calls;
mod gas;
mod groups;
mod order;
mod points;
mod register;
mod report;
mod rules;
mod spread;
mod suppressions;
mod uncalled;
mod windows;

use super::{BookParts, Defect};
use report::Report;

/// All defects of the parts.
pub(super) fn check(parts: &BookParts) -> Vec<Defect> {
    reported(parts).defects
}

/// The parts refer to one another as they must, whatever else is wrong with them.
pub(super) fn is_whole(parts: &BookParts) -> bool {
    !reported(parts).is_torn
}

fn reported(parts: &BookParts) -> Report {
    let mut r = Report::default();
    let devices = r.keys("devices", parts.devices.iter().map(|d| d.key.as_str()));
    let keys = r.keys("points", parts.points.iter().map(|p| p.key.as_str()));
    for d in &parts.devices {
        points::device(&mut r, d, &parts.areas);
    }
    for p in &parts.points {
        points::point(&mut r, p, &devices, &parts.areas);
        gas::unit_of_substance(&mut r, p);
        gas::limits_by_idlh(&mut r, p);
    }
    rules::rules(&mut r, parts, &keys);
    groups::groups(&mut r, parts, &keys);
    register::register(&mut r, parts, &keys);
    calls::calls(&mut r, parts);
    uncalled::uncalled(&mut r, parts);
    spread::spread(&mut r, parts);
    r
}
