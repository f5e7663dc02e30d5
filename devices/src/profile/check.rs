//! From a profile as written to a checked [`Profile`], or to everything that is wrong with it.
//!
//! Owns the profile as a whole and the tables that fields refer to. Leaves a single field to [`super::quantity`].

use super::doubts;
use super::field::{Factor, Heartbeat, Status, UnitCode, When};
use super::flaw::{Flaw, Flaws, ProfileError, Wrong, unusable, wrong};
use super::quantity::{bits, field, span};
use super::raw::{RawFactor, RawHeartbeat, RawLimits, RawProfile, RawStatus, RawUnit, RawWhen};
use super::{Condition, Limits, Profile};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// From text; the first thing wrong is enough.
pub(super) fn parse(name: &str, text: &str) -> Result<Profile, ProfileError> {
    let raw: RawProfile = toml::from_str(text)
        .map_err(|e| ProfileError::Syntax { profile: name.into(), message: e.to_string().trim_end().into() })?;
    let (profile, flaws) = build(name, raw);
    profile.ok_or_else(|| match flaws.into_iter().find(|flaw| flaw.fatal) {
        Some(Flaw { path: place, message_en: problem, remedy_en: remedy, .. }) => {
            ProfileError::Value { profile: name.into(), place, problem, remedy }
        }
        None => ProfileError::Syntax { profile: name.into(), message: "refused without a flaw".into() },
    })
}

/// The profile, unless a flaw is fatal, and all flaws.
pub(super) fn build(name: &str, raw: RawProfile) -> (Option<Profile>, Vec<Flaw>) {
    let mut flaws = Flaws::default();
    let limits = limits(&raw.limits, &mut flaws);
    whole(&raw, &mut flaws);
    let parts = Parts::build(&raw, &mut flaws);
    let mut fields = BTreeMap::new();
    for (key, f) in &raw.field {
        if let Some(field) = field(key, f, &parts, (raw.word_order, limits), &mut flaws) {
            fields.insert(key.clone(), Arc::new(field));
        }
    }
    doubts::find(&raw, &mut flaws);
    let usable = !flaws.is_fatal();
    let RawProfile { title_zh, title_en, basis, basis_zh, checked, .. } = raw;
    let profile = Profile { name: name.into(), title_zh, title_en, basis, basis_zh, checked, limits, fields };
    (usable.then_some(profile), flaws.0)
}

/// What no single table is to blame for.
fn whole(raw: &RawProfile, flaws: &mut Flaws) {
    if raw.address_base > 1 {
        let said = format!("address_base = {}", raw.address_base);
        let _: Option<()> = flaws.keep("", unusable("address_base", &said, ("写 0 或 1", "use 0 or 1")));
    }
    if raw.field.is_empty() {
        let remedy = ("至少加一个 [field.<名称>] 表", "add at least one [field.<name>] table");
        let _: Option<()> = flaws.keep("", wrong("field", ("没有任何量", "there is none"), remedy));
    }
    if raw.checked && raw.basis.is_empty() {
        let remedy = ("在 basis 里写明与什么核对过", "say in basis with what it was compared");
        let said = ("checked = true 却没有 basis", "checked = true without basis");
        let _: Option<()> = flaws.keep("", wrong("checked", said, remedy));
    }
}

fn limits(raw: &RawLimits, flaws: &mut Flaws) -> Limits {
    let mut within = |fits: bool, key: &'static str, said: String, remedy: (&str, &str)| {
        if !fits {
            let _: Option<()> = flaws.keep("limits", unusable(key, &said, remedy));
        }
    };
    let (registers, bits) = (raw.max_registers, raw.max_bits);
    let said = format!("max_registers = {registers}");
    within((1..=125).contains(&registers), "max_registers", said, ("写 1 到 125", "use 1 to 125"));
    let said = format!("max_bits = {bits}");
    within((1..=2000).contains(&bits), "max_bits", said, ("写 1 到 2000", "use 1 to 2000"));
    let said = format!("min_gap_ms = {}", raw.min_gap_ms);
    within(raw.min_gap_ms <= 10_000, "min_gap_ms", said, ("最多 10000", "at most 10000"));
    let said = format!("turnaround_ms = {}", raw.turnaround_ms);
    within(raw.turnaround_ms <= 1_000, "turnaround_ms", said, ("最多 1000", "at most 1000"));
    let (floor, ceiling) = (raw.timeout_floor_ms, raw.timeout_ceiling_ms);
    let remedy = ("写 20 到 30000，下限不高于上限", "give 20 to 30000 with the floor not above the ceiling");
    let said = format!("timeout_floor_ms = {floor}, timeout_ceiling_ms = {ceiling}");
    within((20..=ceiling).contains(&floor) && ceiling <= 30_000, "timeout_floor_ms", said, remedy);
    Limits {
        max_registers: registers,
        max_bits: bits,
        coils_from_zero: raw.coils_from_zero,
        min_gap: Duration::from_millis(raw.min_gap_ms),
        turnaround: Duration::from_millis(raw.turnaround_ms),
        timeout_floor: Duration::from_millis(floor),
        timeout_ceiling: Duration::from_millis(ceiling),
    }
}

/// By name; `None` for one that is there but wrong, which has been said.
pub(super) type Named<T> = BTreeMap<String, Option<T>>;

/// The tables that fields refer to by name.
pub(super) struct Parts {
    pub(super) base: u16,
    pub(super) statuses: Named<Status>,
    pub(super) factors: Named<Factor>,
    pub(super) units: Named<UnitCode>,
    pub(super) heartbeats: Named<Heartbeat>,
}

impl Parts {
    fn build(raw: &RawProfile, flaws: &mut Flaws) -> Self {
        let base = raw.address_base.min(1);
        Self {
            base,
            statuses: each("status", &raw.status, flaws, |s| status(s, base)),
            factors: each("factor", &raw.factor, flaws, |f| factor(f, base)),
            units: each("unit", &raw.unit, flaws, |u| unit(u, base)),
            heartbeats: each("heartbeat", &raw.heartbeat, flaws, |h| heartbeat(h, base)),
        }
    }
}

fn each<R, T>(
    table: &str,
    raws: &BTreeMap<String, R>,
    flaws: &mut Flaws,
    build: impl Fn(&R) -> Result<T, Wrong>,
) -> Named<T> {
    raws.iter().map(|(key, raw)| (key.clone(), flaws.keep(&format!("{table}.{key}"), build(raw)))).collect()
}

/// What a field names in `table`; one that is there but wrong is passed over.
pub(super) fn named<T: Clone>(table: &'static str, names: &[String], all: &Named<T>) -> Result<Vec<T>, Wrong> {
    let mut found = Vec::new();
    for name in names {
        match all.get(name) {
            Some(one) => found.extend(one.clone()),
            None => return Err(no_table(table, name)),
        }
    }
    Ok(found)
}

fn no_table(table: &'static str, name: &str) -> Wrong {
    let key = if table == "unit" { "unit_from" } else { table };
    let message = (format!("没有名为 {name} 的 {table} 表"), format!("{table} \"{name}\" does not exist"));
    let remedy =
        (format!("加上 [{table}.{name}] 表，或改正名称"), format!("add its [{table}.{name}] table, or mend the name"));
    Wrong::new(key, message, remedy).for_want_of(format!("{table}.{name}"))
}

fn factor(raw: &RawFactor, base: u16) -> Result<Factor, Wrong> {
    if let Some((code, v)) = raw.values.iter().find(|(_, v)| !v.is_finite() || **v == 0.0) {
        let said = format!("{code} = {v}");
        return unusable("values", &said, ("写 0 以外的有限数", "give finite factors other than 0"));
    }
    Ok(Factor {
        span: span(raw.function, &raw.address, base, 1)?,
        of: bits("of_bits", raw.of_bits)?,
        values: keys("values", &raw.values, u16::MAX)?,
    })
}

fn unit(raw: &RawUnit, base: u16) -> Result<UnitCode, Wrong> {
    Ok(UnitCode {
        span: span(raw.function, &raw.address, base, 1)?,
        of: bits("of_bits", raw.of_bits)?,
        values: keys("values", &raw.values, u16::MAX)?,
    })
}

fn status(raw: &RawStatus, base: u16) -> Result<Status, Wrong> {
    if raw.values.is_empty() == raw.bits.is_empty() {
        let remedy = (
            "写 values = { 0 = \"ok\" } 或 bits = { 5 = \"fault\" } 之一",
            "give either values = { 0 = \"ok\" } or bits = { 5 = \"fault\" }",
        );
        return wrong("", ("values 与 bits 必须有且只有一个", "needs values or bits"), remedy);
    }
    let unlisted = if raw.values.is_empty() { Condition::Ok } else { Condition::Fault };
    Ok(Status {
        span: span(raw.function, &raw.address, base, 1)?,
        of: bits("of_bits", raw.of_bits)?,
        values: keys("values", &raw.values, u16::MAX)?,
        other: raw.other.unwrap_or(unlisted),
        bits: keys("bits", &raw.bits, 15u8)?,
        when: raw.when.as_ref().map(when).transpose()?,
    })
}

fn when(raw: &RawWhen) -> Result<When, Wrong> {
    let of = bits("when.bits", Some(raw.bits))?;
    if of.of(u16::MAX) < raw.is {
        let said = format!("when.is = {}", raw.is);
        return unusable("when.is", &said, ("写 when.bits 这几位能表示的数", "give a number that when.bits can hold"));
    }
    Ok(When { of, is: raw.is, otherwise: raw.otherwise })
}

fn heartbeat(raw: &RawHeartbeat, base: u16) -> Result<Heartbeat, Wrong> {
    if !(1.0..=3600.0).contains(&raw.within_s) {
        let said = format!("within_s = {}", raw.within_s);
        let remedy = ("写 1 到 3600 秒，为跳变周期的几倍", "give 1 to 3600 seconds, several times the beat");
        return unusable("within_s", &said, remedy);
    }
    Ok(Heartbeat {
        span: span(raw.function, &raw.address, base, 1)?,
        of: bits("bit", raw.bit.map(|bit| (bit, bit)))?,
        within: Duration::from_secs_f64(raw.within_s),
    })
}

fn keys<K, V: Clone>(key: &'static str, raw: &BTreeMap<String, V>, most: K) -> Result<BTreeMap<K, V>, Wrong>
where
    K: FromStr + Ord + Copy,
{
    let mut out = BTreeMap::new();
    for (written, value) in raw {
        let Some(number) = written.parse::<K>().ok().filter(|n| *n <= most) else {
            let said = (format!("“{written}”超出范围"), format!("\"{written}\" is not in range"));
            return wrong(key, said, ("取值 0 到 65535，位 0 到 15", "values 0 to 65535, bits 0 to 15"));
        };
        out.insert(number, value.clone());
    }
    Ok(out)
}
