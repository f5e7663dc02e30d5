//! Devices and profiles on links become bus specifications.
//!
//! Owns the checks of units and fields. Leaves how a link is reached to [`super::links`], profiles to [`super::profile_files`].

use super::absent::of_the_known;
use super::diagnostic::Finding;
use super::file::{DeviceTable, LinkTable, PointTable, SiteFile};
use super::nearest::did_you_mean;
use super::profile_files::Profiles;
use super::{doubtful, fast, links, own};
use devices::{BusSpec, DeviceSpec, Fast, PointBinding, Wanted};
use rules::{RuleBook, Sharing};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// Checks the instrument side; `broken` are keys of entries already reported.
pub(super) fn check(
    file: &SiteFile,
    base: &Path,
    profiles: &Profiles,
    broken: &BTreeSet<String>,
    findings: &mut Vec<Finding>,
) {
    let annunciator = file.annunciator.as_ref().map(|a| a.link.as_str());
    links::check(&file.link, annunciator, base, findings);
    let mut units: BTreeMap<(&str, u16), &str> = BTreeMap::new();
    for device in &file.device {
        check_device(device, file, broken, findings);
        if let Some(other) = units.insert((&device.link, device.unit), &device.key) {
            findings.push(duplicate_unit(device, other));
        }
    }
    for point in file.point.iter().filter(|p| p.expression.is_none() && !p.field.is_empty()) {
        check_field(point, file, profiles, findings);
    }
    doubtful::unasked(file, broken, findings);
}

/// The specifications of a site without defects: every link but the annunciator's.
pub(super) fn specs(file: &SiteFile, base: &Path, book: &RuleBook, profiles: &Profiles) -> Vec<BusSpec> {
    let mut fields = Sharing::default();
    let judged = judged(file);
    let spec = |link: &LinkTable| {
        Some(BusSpec {
            key: link.key.clone(),
            transport: links::transport(link, base)?,
            devices: file
                .device
                .iter()
                .filter(|d| d.link == link.key)
                .filter_map(|d| device_spec(d, file, book, profiles, (&judged, &mut fields)))
                .collect(),
            timeout: Duration::from_millis(u64::from(link.timeout_ms)),
        })
    };
    let annunciator = file.annunciator.as_ref().map(|a| a.link.as_str());
    file.link.iter().filter(|l| Some(l.key.as_str()) != annunciator).filter_map(spec).collect()
}

/// Points that an alarm rule judges, and those from which such a point is computed: they are asked first.
fn judged(file: &SiteFile) -> BTreeSet<&str> {
    let by_rule = |p: &PointTable| {
        !p.limits.is_empty()
            || p.state_alarm.is_some()
            || p.rising.is_some()
            || p.falling.is_some()
            || p.deviation.is_some()
    };
    let mut judged: BTreeSet<&str> = file.point.iter().filter(|p| by_rule(p)).map(|p| p.key.as_str()).collect();
    judged.extend(file.point.iter().filter_map(|p| p.deviation.as_ref()?.from_point.as_deref()));
    let computed: Vec<(&str, Vec<&str>)> =
        file.point.iter().filter_map(|p| Some((p.key.as_str(), named_in(p.expression.as_deref()?)))).collect();
    // a point may be computed from a computed one
    loop {
        let known = judged.len();
        for (key, inputs) in &computed {
            if judged.contains(key) {
                judged.extend(inputs);
            }
        }
        if judged.len() == known {
            return judged;
        }
    }
}

/// The points in braces of an expression.
fn named_in(expression: &str) -> Vec<&str> {
    expression.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.trim())).collect()
}

fn device_spec(
    d: &DeviceTable,
    file: &SiteFile,
    book: &RuleBook,
    profiles: &Profiles,
    (judged, fields): (&BTreeSet<&str>, &mut Sharing),
) -> Option<DeviceSpec> {
    let mut profile = profiles.get(&d.profile)?.clone();
    let binding = |p: &PointTable| {
        let point = book.point_id(&p.key)?;
        Some(PointBinding {
            point,
            key: book.points()[point.index()].key.clone(),
            field: fields.of(&own::bind(p, &mut profile)),
            period: Duration::from_millis(u64::from(p.period_ms)),
            max_age: book.points()[point.index()].max_age,
            critical: judged.contains(p.key.as_str()),
            fast: fast::period(p).map(|period| Box::new(Fast { period, wanted: Wanted::default() })),
        })
    };
    let points =
        file.point.iter().filter(|p| p.device == d.key && p.expression.is_none()).filter_map(binding).collect();
    Some(DeviceSpec {
        device: book.device_id(&d.key)?,
        key: d.key.clone(),
        unit: u8::try_from(d.unit).ok()?,
        profile,
        points,
    })
}

fn check_device(d: &DeviceTable, file: &SiteFile, broken: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    let link = file.link.iter().find(|l| l.key == d.link);
    if link.is_none() && !broken.contains(&d.link) {
        let keys: Vec<&str> = file.link.iter().map(|l| l.key.as_str()).collect();
        findings.push(Finding::fatal(
            format!("device[{}].link", d.key),
            (format!("没有名为 {} 的链路", d.link), format!("there is no link `{}`", d.link)),
            of_the_known("link", &d.link, &keys),
        ));
    }
    let tcp = link.is_some_and(|l| l.tcp.is_some() || l.tcp_tls.is_some());
    let usable = (1..=247).contains(&d.unit) || (tcp && matches!(d.unit, 0 | 255));
    if !usable {
        findings.push(Finding::fatal(
            format!("device[{}].unit", d.key),
            (format!("站号 {} 不可用", d.unit), format!("unit {} cannot be used", d.unit)),
            ("站号为 1–247；TCP 另可用 0 和 255".into(), "a unit is 1–247; over TCP also 0 and 255".into()),
        ));
    }
}

fn duplicate_unit(d: &DeviceTable, other: &str) -> Finding {
    Finding::fatal(
        format!("device[{}].unit", d.key),
        (
            format!("链路 {} 上站号 {} 已由 {other} 使用", d.link, d.unit),
            format!("unit {} on link `{}` is {other} already", d.unit, d.link),
        ),
        (
            "同一链路上每台仪表的站号必须不同，按现场拨码改正".into(),
            "each instrument of a link has its own unit: set it as on the instrument".into(),
        ),
    )
}

fn check_field(p: &PointTable, file: &SiteFile, profiles: &Profiles, findings: &mut Vec<Finding>) {
    let profile = file.device.iter().find(|d| d.key == p.device).and_then(|d| profiles.get(&d.profile));
    let Some(profile) = profile else { return };
    if let Some(field) = profile.field(&p.field) {
        return own::check(p, profile, field, findings);
    }
    let names: Vec<&str> = profile.field_names().into_iter().collect();
    findings.push(Finding::fatal(
        format!("point[{}].field", p.key),
        (
            format!("型号 {} 没有名为 {} 的量", profile.name, p.field),
            format!("profile `{}` has no field `{}`", profile.name, p.field),
        ),
        did_you_mean(&p.field, &names),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_judges_is_critical_and_so_is_what_it_is_computed_from() {
        let point = |key: &str, more: &str| {
            format!(
                "[[point]]\nkey = \"{key}\"\nname = \"x\"\nname_en = \"x\"\ndevice = \"D\"\nkind = \"level\"\n{more}\n"
            )
        };
        let text = [
            "[site]\nkey = \"s\"\nname = \"x\"\nname_en = \"x\"\n".to_owned(),
            point("RAW-1", "field = \"a\""),
            point("RAW-2", "field = \"b\""),
            point("SHOWN", "field = \"c\""),
            point("TWIN", "field = \"d\""),
            point("MEAN", "expression = \"avg({RAW-1}, { RAW-2 })\""),
            point("WORST", "expression = \"max({MEAN}, 0)\"\nlimits.H = { limit = 3, priority = 3 }"),
            point("OWN", "field = \"e\"\ndeviation = { from_point = \"TWIN\", limit = 1, priority = 3 }"),
        ]
        .concat();
        let file: SiteFile = toml::from_str(&text).unwrap();
        let judged: Vec<&str> = judged(&file).into_iter().collect();
        assert_eq!(judged, ["MEAN", "OWN", "RAW-1", "RAW-2", "TWIN", "WORST"]);
    }
}
