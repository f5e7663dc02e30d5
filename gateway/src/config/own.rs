//! What a point says about its field in place of the profile: byte order, and the span of a current.
//!
//! Owns the checks of a point against its field. Leaves reading it to `devices`.

use super::diagnostic::Finding;
use super::file::PointTable;
use devices::profile::{Field, Kind, Own, Profile, Unfit, WordOrder, factor_between};
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
    // `mg/m3` is `mg/m³`
    let same = field.unit == p.unit || factor_between(&p.unit, &field.unit) == Some(1.0);
    if !field.unit.is_empty() && !p.unit.is_empty() && !same {
        findings.push(other_unit(p, profile, &field.unit));
    }
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
        Some(Ok(_) | Err(Unfit::NoField)) => return,
    };
    findings.push(Finding::fatal(at(key), message, (remedy.0.into(), remedy.1.into())));
}
