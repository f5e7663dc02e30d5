//! What a point says about its field in place of the profile: byte order, and the span of a current.
//!
//! Owns the checks of a point against its field. Leaves reading it to `devices`.

use super::diagnostic::Finding;
use super::doubtful;
use super::file::PointTable;
use devices::profile::{Field, Kind, Own, Profile, Signal, Unfit, WordOrder, factor_between};
use std::sync::Arc;

/// The point's own way to read its field; `None` for a word that is no byte order.
fn own(p: &PointTable) -> Option<Own> {
    let order = match &p.word_order {
        Some(word) => Some(WordOrder::named(word)?),
        None => None,
    };
    Some(Own { order, signal_span: p.signal_span })
}

/// The name of the point's field in `profile`, where it is added in the point's own way if it has one.
pub(super) fn bind(p: &PointTable, profile: &mut Arc<Profile>) -> String {
    let adapted = own(p).filter(|own| *own != Own::default());
    let name = adapted.and_then(|own| Arc::make_mut(profile).adapt(&p.field, own).ok());
    name.unwrap_or_else(|| p.field.clone())
}

/// Nothing converts between a profile and a point: limits that were meant in the point's unit would judge numbers of the profile's.
fn other_unit(p: &PointTable, profile: &Profile, unit: &str) -> Finding {
    let (key, written, name) = (&p.key, &p.unit, &profile.name);
    let (size_zh, size_en) = match factor_between(written, unit) {
        Some(factor) => (format!("（1 {written} = {factor} {unit}）"), format!(" (1 {written} = {factor} {unit})")),
        None => (String::new(), String::new()),
    };
    let finding = Finding::fatal(
        format!("point[{key}].unit"),
        (
            format!("写的单位是 {written}，而型号 {name} 以 {unit} 给出 {}，不会换算：数值会标错单位", p.field),
            format!(
                "the unit here is {written}, but profile `{name}` gives {} in {unit} and nothing converts it: the number would be told in \
                 the wrong unit",
                p.field
            ),
        ),
        (
            format!(
                "写 unit = \"{unit}\"，range 与各限值也按 {unit} 写{size_zh}；要用 {written}，把型号复制到 profiles/ 改 scale 和 unit，\
                 或另设计算测点（expression）"
            ),
            format!(
                "write unit = \"{unit}\" and give range and limits in {unit} as well{size_en}; for {written} copy the profile to profiles/ \
                 and change its scale and unit, or add a computed point (expression)"
            ),
        ),
    );
    finding.warning()
}

/// The unit of a current that nobody has told what it means.
const CURRENT_UNIT: &str = "mA";

/// True where the value is the bare current and the point calls it something else, or nothing: limits would judge milliamperes.
fn is_unspanned(p: &PointTable, field: &Field) -> bool {
    let bare = p.signal_span.is_none() && field.signal.as_ref().is_some_and(Signal::is_its_own_current);
    bare && p.unit != CURRENT_UNIT
}

/// 12 mA would be told, and judged, as 12 of the point's unit.
fn unspanned(p: &PointTable) -> Finding {
    let (key, field, unit) = (&p.key, &p.field, &p.unit);
    let message = if unit.is_empty() {
        (
            format!("{field} 给出的是电流，没有单位也没有 signal_span：12 mA 会被当作 12"),
            format!("{field} is a current, with no unit and no signal_span: 12 mA would be told as 12"),
        )
    } else {
        (
            format!("{field} 给出的是电流，没有 signal_span：12 mA 会被当作 12 {unit}"),
            format!("{field} is a current and there is no signal_span: 12 mA would be told as 12 {unit}"),
        )
    };
    Finding::fatal(format!("point[{key}].unit"), message, span_remedy(p))
}

fn span_remedy(p: &PointTable) -> (String, String) {
    let span = p.range.map(|(low, high)| format!("signal_span = [{low}, {high}]"));
    match span {
        Some(span) => (
            format!(
                "写 {span}（4 mA 与 20 mA 时的值，此处按 range，以变送器铭牌为准）；只看电流则写 unit = \"{CURRENT_UNIT}\""
            ),
            format!(
                "write {span} (the values at 4 and 20 mA, here after `range`: go by the transmitter's plate), or unit = \
                 \"{CURRENT_UNIT}\" where the current itself is meant"
            ),
        ),
        None => (
            format!("写 signal_span = [4 mA 时的值, 20 mA 时的值]；只看电流则写 unit = \"{CURRENT_UNIT}\""),
            format!(
                "write signal_span = [value at 4 mA, value at 20 mA], or unit = \"{CURRENT_UNIT}\" where the current itself is meant"
            ),
        ),
    }
}

/// What the point calls the value is not what the profile gives; a span of the point's own is in the point's unit.
fn units(p: &PointTable, profile: &Profile, field: &Field, findings: &mut Vec<Finding>) {
    if is_unspanned(p, field) {
        return findings.push(unspanned(p));
    }
    // `mg/m3` is `mg/m³`
    let same = field.unit == p.unit || factor_between(&p.unit, &field.unit) == Some(1.0);
    let spanned = p.signal_span.is_some() && field.signal.is_some();
    if !field.unit.is_empty() && !p.unit.is_empty() && !same && !spanned {
        findings.push(other_unit(p, profile, &field.unit));
    }
}

/// Checks a point against its field, which exists.
pub(super) fn check(p: &PointTable, profile: &Profile, field: &Field, findings: &mut Vec<Finding>) {
    let at = |key: &str| format!("point[{}].{key}", p.key);
    if field.kind == Kind::Text {
        findings.push(Finding::fatal(
            at("field"),
            (format!("{} 是文字，不是测量值", p.field), format!("{} is a text, no measurement", p.field)),
            ("绑定到数值的量".into(), "bind the point to a field that is a number".into()),
        ));
    }
    units(p, profile, field, findings);
    let unfit = own(p).map(|own| profile.clone().adapt(&p.field, own));
    let (key, message, remedy) = match unfit {
        None | Some(Err(Unfit::Order)) => (
            "word_order",
            ("此字节序不能用于这个量".to_owned(), "this byte order does not fit the field".to_owned()),
            ("写 ABCD、CDAB、BADC 或 DCBA", "write ABCD, CDAB, BADC or DCBA"),
        ),
        Some(Err(Unfit::NoSignal)) => (
            "signal_span",
            (format!("{} 不是电流信号", p.field), format!("{} is no current", p.field)),
            ("去掉 signal_span，或用带 signal 的型号", "leave signal_span out, or use a profile with a signal"),
        ),
        Some(Err(Unfit::Span)) => (
            "signal_span",
            ("4 mA 与 20 mA 的值相同".to_owned(), "the values at 4 and 20 mA are the same".to_owned()),
            ("写 signal_span = [4 mA 时的值, 20 mA 时的值]", "write signal_span = [value at 4 mA, value at 20 mA]"),
        ),
        Some(Ok(_) | Err(Unfit::NoField)) => return doubtful::of_point(p, field, findings),
    };
    findings.push(Finding::fatal(at(key), message, (remedy.0.into(), remedy.1.into())));
}

/// A site with one current card and no point.
#[cfg(test)]
pub(super) const CARD: &str = "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n[[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"Area\"\n\
     [[link]]\nkey = \"l\"\ntcp = \"192.0.2.1:502\"\n\
     [[device]]\nkey = \"CARD\"\nlink = \"l\"\nunit = 1\nprofile = \"adam-4117\"\narea = \"A1\"\n";

#[cfg(test)]
mod tests {
    use super::CARD;
    use crate::config::{Diagnostic, site_from_text};

    /// What is said of a level behind a current card.
    fn said(of_the_point: &str) -> Vec<Diagnostic> {
        let text = format!(
            "{CARD}[[point]]\nkey = \"LT-1\"\nname = \"液位\"\nname_en = \"Level\"\ndevice = \"CARD\"\nfield = \"channel_0\"\n\
             kind = \"level\"\nrange = [0, 12.5]\n{of_the_point}\n"
        );
        site_from_text("site.toml", &text, |_| ()).diagnostics
    }

    #[test]
    fn a_current_without_a_span_is_no_level_and_the_range_is_proposed() {
        let found = said("unit = \"m\"");
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert!(one.fatal);
        assert_eq!((one.path.as_str(), one.line, one.column), ("point[LT-1].unit", 26, 8));
        assert!(one.message_zh.contains("12 mA 会被当作 12 m") && one.message_en.contains("told as 12 m"));
        assert!(one.remedy_zh.contains("signal_span = [0, 12.5]") && one.remedy_en.contains("signal_span = [0, 12.5]"));
    }

    #[test]
    fn a_current_without_any_unit_is_no_level_either() {
        for silent in ["", "unit = \"\""] {
            let found = said(silent);
            let [one] = found.as_slice() else { panic!("{silent}: {found:?}") };
            assert!(one.fatal && one.line >= 17, "{one:?}");
            assert!(one.message_zh.contains("没有单位") && one.message_en.contains("no unit"), "{one:?}");
            assert!(one.remedy_zh.contains("signal_span = [0, 12.5]") && one.remedy_en.contains("unit = \"mA\""));
        }
    }

    #[test]
    fn a_current_with_a_span_or_called_a_current_passes() {
        for right in ["unit = \"m\"\nsignal_span = [0, 12.5]", "signal_span = [0, 12.5]", "unit = \"mA\""] {
            assert_eq!(said(right), [], "{right}");
        }
    }
}
