//! What follows from cycles told whole, in parts and at random; held against a computation that looks at everything.

use super::*;
use crate::config::site_from_text;
use proptest::prelude::*;
use rules::{Finite, Wall};

const SITE: &str = r#"
    [site]
    key = "s"
    name = "站"
    name_en = "site"
    [[area]]
    key = "A1"
    name = "区"
    name_en = "area"
    [[link]]
    key = "bus"
    tcp = "10.0.0.1:502"
    [[device]]
    key = "D1"
    link = "bus"
    unit = 1
    profile = "tank-f32"
    area = "A1"
    [[strapping]]
    key = "tank"
    rows = [[0.0, 0.0], [50.0, 20.0], [100.0, 50.0]]
    [[point]]
    key = "LT-1"
    name = "液位"
    name_en = "level"
    device = "D1"
    field = "level_a"
    kind = "level"
    range = [0, 100]
    [[point]]
    key = "LT-2"
    name = "液位"
    name_en = "level"
    device = "D1"
    field = "level_b"
    kind = "level"
    range = [0, 100]
    [[point]]
    key = "Q-1"
    name = "实时存量比"
    name_en = "live q/Q"
    expression = "{V-1} * 0.6 / critical(ammonia)"
    kind = "other"
    range = [0, 10]
    [[point]]
    key = "V-1"
    name = "容积"
    name_en = "volume"
    expression = "table(tank, {LT-1}) + table(tank, {LT-2})"
    kind = "other"
    unit = "m3"
    range = [0, 100]
"#;

fn sample(point: PointId, value: f64, seconds: u64) -> Sample {
    let at = Now { mono: Mono(seconds * 1_000_000_000), wall: Wall::default() };
    Sample { point, reading: Reading::Good(Finite::new(value).unwrap()), raw: rules::Raw::NONE, at }
}

#[test]
fn what_follows_from_a_scan_joins_it_in_the_order_of_need() {
    let checked = site_from_text("t", SITE, |_| {});
    assert!(checked.value.is_some(), "{:?}", checked.diagnostics);
    let site = checked.value.unwrap();
    let id = |key: &str| site.book.point_id(key).unwrap();
    let mut derived = Derived::of(&site.book, site.derived.clone());
    let d1 = site.book.device_id("D1").unwrap();
    let mut first = vec![sample(id("LT-1"), 50.0, 1)];
    derived.follow(d1, &mut first, true);
    assert_eq!(first.len(), 3);
    assert!(first[1..].iter().all(|s| s.reading == Reading::Bad(Fault::NeverRead)), "{first:?}");

    let mut second = vec![sample(id("LT-2"), 75.0, 2)];
    derived.follow(d1, &mut second, true);
    let value = |key: &str| second.iter().find(|s| s.point == id(key)).unwrap().reading.value().unwrap();
    assert!((value("V-1") - 55.0).abs() < 1e-9 && (value("Q-1") - 3.3).abs() < 1e-9);
    assert_eq!(second[1].at.mono, Mono(2_000_000_000));

    // LT-1 was last read at 1 s, and may be three periods old
    let mut late = vec![sample(id("LT-2"), 75.0, 9)];
    derived.follow(d1, &mut late, true);
    assert!(late[1..].iter().all(|s| s.reading == Reading::Bad(Fault::Stale)), "{late:?}");
}

#[test]
fn a_cycle_told_in_parts_is_computed_once_at_its_end_with_nothing_of_the_cycle_before() {
    let site = site_from_text("t", SITE, |_| {}).value.unwrap();
    let (d1, id) = (site.book.device_id("D1").unwrap(), |key: &str| site.book.point_id(key).unwrap());
    let mut derived = Derived::of(&site.book, site.derived.clone());
    let mut told = Vec::new();
    for (second, level) in [(1, 0.0), (2, 50.0)] {
        // Both were read with one request at the same time; a status read later holds back the second.
        for (point, ends_cycle) in [("LT-1", false), ("LT-2", true)] {
            let mut part = vec![sample(id(point), level, second)];
            derived.follow(d1, &mut part, ends_cycle);
            told.extend(part.iter().filter(|s| s.point == id("V-1")).map(|s| s.reading.value().unwrap()));
        }
    }
    assert_eq!(told, [0.0, 40.0]);
}

/// A second device, and three levels over both: W-1 is of it alone, S-1 of two computed points, T-1 of S-1 and of what S-1 needs.
const SECOND: &str = r#"
    [[device]]
    key = "D2"
    link = "bus"
    unit = 2
    profile = "tank-f32"
    area = "A1"
    [[point]]
    key = "T-1"
    name = "三级"
    name_en = "third level"
    expression = "{S-1} - {LT-1} * 0.5 + {LT-4}"
    kind = "other"
    range = [-1000, 1000]
    [[point]]
    key = "S-1"
    name = "二级"
    name_en = "second level"
    expression = "{V-1} + {W-1}"
    kind = "other"
    range = [-1000, 1000]
    [[point]]
    key = "W-1"
    name = "一级"
    name_en = "first level"
    expression = "{LT-3} + {LT-4}"
    kind = "other"
    range = [-1000, 1000]
    [[point]]
    key = "LT-3"
    name = "液位"
    name_en = "level"
    device = "D2"
    field = "level_a"
    kind = "level"
    range = [0, 100]
    [[point]]
    key = "LT-4"
    name = "液位"
    name_en = "level"
    device = "D2"
    field = "level_b"
    kind = "level"
    range = [0, 100]
"#;

/// What must follow, by looking at every rule and every point again each time.
struct Naive<'a> {
    book: &'a RuleBook,
    rules: &'a [(PointId, Expression)],
    latest: Vec<Option<Sample>>,
    fresh: Vec<bool>,
    told: Vec<Option<Mono>>,
}

impl Naive<'_> {
    fn follow(&mut self, device: &str, samples: &mut Vec<Sample>, ends_cycle: bool) {
        for sample in samples.iter() {
            (self.latest[sample.point.index()], self.fresh[sample.point.index()]) = (Some(*sample), true);
        }
        let mut came: Vec<bool> = self.book.points().iter().map(|p| ends_cycle && &*p.device == device).collect();
        came.iter_mut().zip(&mut self.fresh).for_each(|(came, fresh)| {
            *came &= *fresh;
            *fresh &= !*came;
        });
        for (n, (point, expression)) in self.rules.iter().enumerate() {
            let inputs: Vec<usize> =
                expression.inputs().iter().map(|key| self.book.point_id(key).unwrap().index()).collect();
            let newest = inputs.iter().filter(|i| came[**i]).filter_map(|i| self.latest[*i]).map(|s| s.at);
            let Some(at) = newest.max_by_key(|at| at.mono).filter(|at| Some(at.mono) > self.told[n]) else {
                continue;
            };
            let reading = |i: &usize| match self.latest[*i] {
                None => Reading::Bad(Fault::NeverRead),
                Some(s) if at.mono.since(s.at.mono) > self.book.points()[*i].max_age => Reading::Bad(Fault::Stale),
                Some(s) => s.reading,
            };
            let reading = expression.evaluate(&inputs.iter().map(reading).collect::<Vec<_>>());
            let sample = Sample { point: *point, reading, raw: rules::Raw::NONE, at };
            (self.latest[point.index()], came[point.index()], self.told[n]) = (Some(sample), true, Some(at.mono));
            samples.push(sample);
        }
    }
}

proptest! {
    #[test]
    fn what_follows_from_any_cycles_of_two_devices_is_what_a_look_at_everything_finds(
        scans in prop::collection::vec((any::<bool>(), 0..4u8, any::<bool>(), 0..3u64, 0..100u8), 1..60),
    ) {
        let site = site_from_text("t", &format!("{SITE}{SECOND}"), |_| {}).value.unwrap();
        let points = site.book.points().len();
        let mut derived = Derived::of(&site.book, site.derived.clone());
        let mut naive = Naive {
            book: &site.book,
            rules: &site.derived,
            latest: vec![None; points],
            fresh: vec![false; points],
            told: vec![None; site.derived.len()],
        };
        let mut seconds = 0;
        for (second, which, ends_cycle, after_s, value) in scans {
            seconds += after_s;
            let (device, keys) = if second { ("D2", ["LT-3", "LT-4"]) } else { ("D1", ["LT-1", "LT-2"]) };
            let read = keys.iter().enumerate().filter(|(bit, _)| which >> bit & 1 == 1);
            let mut found: Vec<Sample> = read
                .map(|(bit, key)| sample(site.book.point_id(key).unwrap(), f64::from(value) / (bit + 1) as f64, seconds))
                .collect();
            let mut expected = found.clone();
            derived.follow(site.book.device_id(device).unwrap(), &mut found, ends_cycle);
            naive.follow(device, &mut expected, ends_cycle);
            prop_assert_eq!(&found, &expected);
        }
    }
}

#[test]
fn a_cycle_touches_what_it_brought_and_what_follows_from_it_alone() {
    let site = site_from_text("t", &format!("{SITE}{SECOND}"), |_| {}).value.unwrap();
    let id = |key: &str| site.book.point_id(key).unwrap();
    let mut derived = Derived::of(&site.book, site.derived.clone());
    let d2 = site.book.device_id("D2").unwrap();
    let mut part = vec![sample(id("LT-1"), 50.0, 1), sample(id("LT-3"), 50.0, 1)];
    derived.follow(d2, &mut part, false);
    let mut due = BTreeSet::new();
    let came = derived.fresh[d2.index()].clone();
    came.iter().for_each(|point| derived.comes(*point, &mut due));
    assert_eq!(came, [id("LT-3")]);
    let first: Vec<PointId> = due.iter().map(|position| derived.rules[*position].point).collect();
    assert_eq!(first, [id("W-1")]);
}

#[test]
fn a_scan_without_inputs_gets_nothing() {
    let site = site_from_text("t", SITE, |_| {}).value.unwrap();
    let mut derived = Derived::of(&site.book, site.derived.clone());
    let mut none = Vec::new();
    derived.follow(site.book.device_id("D1").unwrap(), &mut none, true);
    assert!(none.is_empty());
}

#[test]
fn check_names_every_defect_of_an_expression_once_and_with_its_place() {
    for (from, to, told) in [
        ("{V-1} * 0.6", "{V-9} * 0.6", "there is no point `V-9`"),
        ("{V-1} * 0.6", "{Q-1} * 0.6", "need each other: Q-1"),
        ("{V-1} * 0.6 / critical(ammonia)", "{V-1} > 3", "does not give this kind"),
        ("{V-1} * 0.6 / critical(ammonia)", "1 + 2", "uses no point"),
        ("[50.0, 20.0]", "[0.0, 20.0]", "must rise from row to row"),
        ("table(tank, {LT-1})", "table(pond, {LT-1})", "no strapping table `pond`"),
        ("field = \"level_a\"", "", "the key `field` is missing"),
        ("expression = \"{V-1}", "device = \"D1\"\nexpression = \"{V-1}", "either read or computed"),
    ] {
        let checked = site_from_text("t", &SITE.replace(from, to), |_| {});
        let found: Vec<&str> = checked.diagnostics.iter().map(|d| d.message_en.as_str()).collect();
        assert!(checked.value.is_none() && found.iter().any(|m| m.contains(told)), "{to}: {found:?}");
        let others = found.iter().filter(|m| !m.contains(told)).count();
        assert!(others == 0 || told.contains("must rise"), "{to}: {found:?}");
    }
}
