//! Wirings that can be meant and hardly ever are: a span that is the current itself, a switch called a measurement, a limit no current reaches.
//!
//! Owns these warnings. Leaves what cannot be meant at all to [`super::own`].

use super::diagnostic::Finding;
use super::file::{KindWord, PointTable, SiteFile};
use devices::profile::{Field, Kind};
use std::collections::BTreeSet;

const CURRENT_UNIT: &str = "mA";
/// 4–20 mA: somebody wrote the current where its meaning belongs.
const CURRENT_SPAN: (f64, f64) = (4.0, 20.0);
/// What an input card can tell, with room for one that goes beyond 20 mA.
const CURRENT_POSSIBLE_MA: (f64, f64) = (0.0, 25.0);
/// Below this a living transmitter is not (NAMUR NE 43).
const CURRENT_LEAST_MA: f64 = 3.8;
/// A range is often a part of the span; so small or large a part is a slip of the decimal point.
const WIDTH_FACTOR: f64 = 5.0;

type Words = ((String, String), (String, String));

/// What is doubtful in the binding of a point to its field.
pub(super) fn of_point(p: &PointTable, field: &Field, findings: &mut Vec<Finding>) {
    let mut warn = |key: &str, (message, remedy): Words| {
        findings.push(Finding::fatal(format!("point[{}].{key}", p.key), message, remedy).warning());
    };
    if let Some(words) = p.signal_span.filter(|_| field.signal.is_some()).and_then(|span| span_words(p, span)) {
        warn("signal_span", words);
    }
    if let Some(words) = kind_words(p, field) {
        warn("kind", words);
    }
    if p.unit == CURRENT_UNIT && p.signal_span.is_none() && field.signal.is_some() {
        if let Some((low, high)) = p.range.filter(|r| r.0 < CURRENT_POSSIBLE_MA.0 || r.1 > CURRENT_POSSIBLE_MA.1) {
            warn("range", no_current(p, low, high));
        }
        for (word, table) in p.limits.iter().filter(|(_, table)| table.limit < CURRENT_LEAST_MA) {
            warn(&format!("limits.{word:?}.limit"), below_living_zero(table.limit));
        }
    }
}

fn span_words(p: &PointTable, (at_4, at_20): (f64, f64)) -> Option<Words> {
    let remedy = (
        "signal_span = [4 mA 时的值, 20 mA 时的值]，按变送器铭牌和测点单位写".to_owned(),
        "signal_span = [value at 4 mA, value at 20 mA], in the point's unit, as on the transmitter's plate".to_owned(),
    );
    if (at_4, at_20) == CURRENT_SPAN && p.unit != CURRENT_UNIT {
        let unit = &p.unit;
        let message = (
            format!("signal_span = [4, 20] 是电流本身：12 mA 会被当作 12 {unit}"),
            format!("signal_span = [4, 20] is the current itself: 12 mA would be told as 12 {unit}"),
        );
        return Some((message, remedy));
    }
    if at_4 > at_20 {
        let message = (
            format!("signal_span 是反的：4 mA 为 {at_4}，20 mA 为 {at_20}；只有反作用变送器才如此"),
            format!(
                "signal_span runs downwards: {at_4} at 4 mA, {at_20} at 20 mA; only an inverted transmitter does so"
            ),
        );
        return Some((message, remedy));
    }
    let (low, high) = p.range?;
    let factor = (at_20 - at_4) / (high - low);
    (factor.is_finite() && factor > 0.0 && !(1.0 / WIDTH_FACTOR..=WIDTH_FACTOR).contains(&factor)).then(|| {
        let message = (
            format!("signal_span {at_4}…{at_20} 与 range {low}…{high} 的宽度相差 {WIDTH_FACTOR} 倍以上"),
            format!(
                "signal_span {at_4}…{at_20} and range {low}…{high} differ in width by more than {WIDTH_FACTOR} times"
            ),
        );
        (message, remedy)
    })
}

fn kind_words(p: &PointTable, field: &Field) -> Option<Words> {
    let (name, is_state) = (&p.field, p.kind == KindWord::State);
    let is_bit = matches!(field.kind, Kind::Bit | Kind::RegisterBit);
    if is_bit && !is_state {
        let message = (
            format!("{name} 只有一位，只会是 0 或 1，不是测量值"),
            format!("{name} is one bit, 0 or 1 and never a measurement"),
        );
        let remedy = (
            "写 kind = \"state\"，报警写 state_alarm；或绑定到数值的量".to_owned(),
            "write kind = \"state\" with a state_alarm, or bind the point to a field that is a number".to_owned(),
        );
        return Some((message, remedy));
    }
    let counts = matches!(field.kind, Kind::F32 | Kind::F64)
        || field.scale != 1.0
        || !field.unit.is_empty()
        || field.signal.is_some();
    (is_state && !is_bit && counts).then(|| {
        let message = (
            format!("{name} 是测量值，不是状态：0.5 以上都会被当作“是”"),
            format!("{name} is a measurement and no state: everything from 0.5 up would be taken for true"),
        );
        let remedy = (
            "用测量的类别（kind）并写 range 和 limits；或绑定到一位的量".to_owned(),
            "give it a kind of measurement with range and limits, or bind the point to a field of one bit".to_owned(),
        );
        (message, remedy)
    })
}

fn no_current(p: &PointTable, low: f64, high: f64) -> Words {
    let name = &p.field;
    (
        (
            format!("单位是 mA，量程 {low}…{high} 却不是电流能有的：{name} 给出 4–20 mA"),
            format!("the unit is mA, yet the range {low}…{high} is none of a current: {name} is 4–20 mA"),
        ),
        (
            format!("写 range = [4, 20]；若指测量值，改写其单位并写 signal_span = [{low}, {high}]"),
            format!(
                "write range = [4, 20]; where the measurement is meant, its own unit and signal_span = [{low}, {high}]"
            ),
        ),
    )
}

fn below_living_zero(limit: f64) -> Words {
    (
        (
            format!("限值 {limit} mA 低于 3.8 mA：好的变送器到不了，断线由传感器故障报警"),
            format!(
                "a limit of {limit} mA lies below 3.8 mA: no sound transmitter reaches it, and a broken wire is a sensor fault"
            ),
        ),
        (
            "按 4–20 mA 写限值；若指测量值，写 signal_span 和其单位".to_owned(),
            "write the limit within 4–20 mA; where the measurement is meant, write signal_span and its unit".to_owned(),
        ),
    )
}

/// Instruments that no point reads: they are never asked, and nobody learns that they fell silent.
pub(super) fn unasked(file: &SiteFile, broken: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    let is_known = |p: &PointTable| p.expression.is_some() || file.device.iter().any(|d| d.key == p.device);
    // a point that could not be read, or that names no device there is, may be any device's
    if !broken.is_empty() || !file.point.iter().all(is_known) {
        return;
    }
    for device in file.device.iter().filter(|d| file.point.iter().all(|p| p.device != d.key)) {
        let key = &device.key;
        let message = (
            format!("仪表 {key} 没有任何测点：不会被询问，失联也无人知道"),
            format!("device {key} has no point: it is never asked, and its silence cannot be told"),
        );
        let remedy = (
            format!("加一个 device = \"{key}\" 的 [[point]]，或删去这台仪表"),
            format!("add a [[point]] with device = \"{key}\", or remove the device"),
        );
        findings.push(Finding::fatal(format!("device[{key}]"), message, remedy).warning());
    }
}

#[cfg(test)]
mod tests {
    use crate::config::own::CARD;
    use crate::config::{Diagnostic, site_from_text};

    /// What is said of a site with one card, one relay module, and this point.
    fn said(of_the_point: &str) -> Vec<Diagnostic> {
        let text = format!(
            "{CARD}[[point]]\nkey = \"PT-1\"\nname = \"压力\"\nname_en = \"Pressure\"\ndevice = \"CARD\"\nfield = \"channel_0\"\n{of_the_point}\n"
        );
        site_from_text("site.toml", &text, |_| ()).diagnostics
    }

    fn one(of_the_point: &str, path: &str, words: &str) {
        let found = said(of_the_point);
        let [one] = found.as_slice() else { panic!("{of_the_point}: {found:?}") };
        assert!(!one.fatal && one.path == path && one.message_en.contains(words), "{one:?}");
    }

    #[test]
    fn a_span_that_is_the_current_or_reversed_or_far_from_the_range_is_doubtful() {
        let point = |span: &str| format!("kind = \"pressure\"\nunit = \"MPa\"\nrange = [0, 1.6]\nsignal_span = {span}");
        let at = "point[PT-1].signal_span";
        one(&point("[4, 20]"), at, "told as 12 MPa");
        one(&point("[1.6, 0]"), at, "runs downwards: 1.6 at 4 mA");
        one(&point("[0, 16]"), at, "differ in width by more than 5 times");
        for right in ["[0, 1.6]", "[0, 2.5]", "[-0.1, 1.6]"] {
            assert_eq!(said(&point(right)), [], "{right}");
        }
    }

    #[test]
    fn a_current_that_no_current_can_be_is_doubtful() {
        let point = |range: &str, limit: f64| {
            format!("kind = \"other\"\nunit = \"mA\"\nrange = {range}\nlimits.H = {{ limit = {limit}, priority = 3 }}")
        };
        one(&point("[0, 100]", 12.0), "point[PT-1].range", "none of a current");
        one(&point("[0, 20]", 3.0), "point[PT-1].limits.H.limit", "below 3.8 mA");
        assert_eq!(said(&point("[4, 20]", 12.0)), []);
    }

    #[test]
    fn a_measurement_is_no_state() {
        one("kind = \"state\"\nsignal_span = [0, 10]", "point[PT-1].kind", "a measurement and no state");
    }

    #[test]
    fn a_device_without_a_point_is_told_with_its_remedy() {
        let found = site_from_text("site.toml", CARD, |_| ()).diagnostics;
        let one = found.iter().find(|d| d.path == "device[CARD]").unwrap();
        assert!(!one.fatal && one.message_en.contains("never asked") && one.remedy_zh.contains("device = \"CARD\""));
    }
}
