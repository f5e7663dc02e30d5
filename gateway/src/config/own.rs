//! What a point says about its field in place of the profile: byte order, and the span of a current.
//!
//! Owns the checks of a point against its field. Leaves reading it to `devices`.

use super::diagnostic::Finding;
use super::file::PointTable;
use devices::profile::{Field, Kind, Own, Profile, Unfit, WordOrder};
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
    if !field.unit.is_empty() && !p.unit.is_empty() && field.unit != p.unit {
        let finding = Finding::fatal(
            at("unit"),
            (
                format!("单位 {} 与型号 {} 的 {} 不同", p.unit, profile.name, field.unit),
                format!("unit {} is not the {} of profile `{}`", p.unit, field.unit, profile.name),
            ),
            (format!("写 unit = \"{}\"", field.unit), format!("write unit = \"{}\"", field.unit)),
        );
        findings.push(finding.warning());
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
