use super::*;
use crate::config::{Site, site_from_text};
use rules::engine::{Input, Restored};
use rules::{Mono, Now, Raw, Reading, Wall};
use std::time::Duration;

/// Two currents of one card; `first` and `second` are what is written of them, `more` what follows.
fn site(first: &str, second: &str, more: &str) -> Site {
    let point = |n: u8, text: &str| {
        format!(
            "[[point]]\nkey = \"PT-{n}\"\nname = \"压力\"\nname_en = \"Pressure\"\ndevice = \"CARD\"\nfield = \"channel_{n}\"\n\
             kind = \"pressure\"\nunit = \"kPa\"\nrange = [0, 100]\nsignal_span = [0, 100]\n{text}\n"
        )
    };
    let text = format!(
        "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n[[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"Area\"\n\
         [[link]]\nkey = \"l\"\ntcp = \"192.0.2.1:502\"\n\
         [[device]]\nkey = \"CARD\"\nlink = \"l\"\nunit = 1\nprofile = \"adam-4117\"\narea = \"A1\"\n{}{}{more}",
        point(0, first),
        point(1, second)
    );
    let checked = site_from_text("site.toml", &text, |_| ());
    checked.value.unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
}

/// The engine and the wishes, second by second.
struct Bench {
    site: Site,
    engine: Engine,
    nearness: Nearness,
    second: u64,
}

impl Bench {
    fn of(site: Site) -> Self {
        let engine = Engine::new(site.book.clone(), Restored::default(), at(0));
        let nearness = Nearness::of(&site.book, &site.buses, &site.derived);
        Self { site, engine, nearness, second: 0 }
    }

    /// Readings of points a second later, no value where it is not a number; which of the two that are read are wanted fast then.
    fn reads(&mut self, values: &[(&str, f64)]) -> [bool; 2] {
        self.second += 1;
        let now = at(self.second);
        let sample = |(key, value): &(&str, f64)| Sample {
            point: self.site.book.point_id(key).unwrap(),
            reading: rules::Finite::new(*value).map_or(Reading::Bad(rules::Fault::Sensor), Reading::Good),
            raw: Raw::NONE,
            at: now,
        };
        let samples: Vec<Sample> = values.iter().map(sample).collect();
        let device = self.site.book.device_id("CARD").unwrap();
        self.engine.handle(Input::Scan { device, answered: true, samples: &samples }, now, &mut Vec::new());
        self.nearness.look(&samples, &self.engine);
        let fast =
            |n: usize| self.site.buses[0].devices[0].points[n].fast.as_ref().is_some_and(|fast| fast.wanted.get());
        [fast(0), fast(1)]
    }

    fn out_of_service(&mut self, point: &str) {
        let command = rules::Command::OutOfService {
            point: point.into(),
            seen_seq: self.engine.next_seq() - 1,
            work_order: "WO-1".into(),
            reason: "更换变送器".into(),
        };
        let by = rules::Actor { user: "li".into(), role: "shift".into(), terminal: String::new() };
        self.engine.command(&command, &by, at(self.second), &mut Vec::new()).unwrap();
    }
}

fn at(second: u64) -> Now {
    let mono = Mono(Duration::from_secs(second + 1).as_nanos().try_into().unwrap());
    Now { mono, wall: Wall::default() }
}

#[test]
fn a_value_near_a_limit_is_wanted_fast_until_it_is_far_again() {
    let limits =
        "fast_period_ms = 500\nlimits.H = { limit = 25, priority = 3 }\nlimits.L = { limit = 2, priority = 3 }";
    let mut bench = Bench::of(site(limits, "", ""));
    for (value, fast) in [(15.0, false), (19.9, false), (20.0, true), (16.0, true), (14.9, false), (30.0, true)] {
        assert_eq!(bench.reads(&[("PT-0", value)]), [fast, false], "{value}");
    }
    bench.reads(&[("PT-0", 13.0)]);
    assert!(bench.reads(&[("PT-0", 6.0)])[0], "the lower one");
}

#[test]
fn the_limits_of_a_mode_are_neared_as_well() {
    let limits = "fast_period_ms = 500\n\
         limits.H = { limit = 80, priority = 3, modes = { stopped = 20, maintenance = \"suppressed\" } }";
    let unit = "[[unit]]\nkey = \"U\"\nname = \"装置\"\nname_en = \"Unit\"\npoints = [\"PT-0\"]\n";
    let mut bench = Bench::of(site(limits, "", unit));
    for (value, fast) in [(5.0, false), (16.0, true), (5.0, false), (90.0, true)] {
        assert_eq!(bench.reads(&[("PT-0", value)]), [fast, false], "{value}");
    }
}

#[test]
fn a_value_that_moves_at_half_the_speed_that_raises_is_wanted_fast_in_that_direction_alone() {
    for (rule, sign) in [("rising", 1.0), ("falling", -1.0)] {
        let rate = format!("fast_period_ms = 500\n{rule} = {{ limit_per_min = 30, window_s = 20, priority = 3 }}");
        let mut bench = Bench::of(site(&rate, "", ""));
        let mut value = 50.0;
        let mut run = |per_min: f64, seconds: usize| {
            let mut fast = false;
            for _ in 0..seconds {
                value += sign * per_min / 60.0;
                fast = bench.reads(&[("PT-0", value)])[0];
            }
            fast
        };
        assert!(!run(13.0, 30), "{rule} at 13 of 30");
        assert!(run(16.0, 30), "{rule} at 16: before the alarm");
        assert!(run(13.0, 30), "{rule} at 13 again");
        assert!(!run(11.0, 30), "{rule} at 11");
        assert!(!run(-40.0, 15), "the other way");
    }
}

#[test]
fn a_value_that_is_off_by_four_fifths_of_its_deviation_is_wanted_fast() {
    let twin = "fast_period_ms = 500\ndeviation = { from_point = \"PT-1\", limit = 10, priority = 3 }";
    for (rule, other) in [(twin, 50.0), (&twin.replace("from_point = \"PT-1\"", "setpoint = 50"), 0.0)] {
        let mut bench = Bench::of(site(rule, "", ""));
        for (value, fast) in [(52.0, false), (57.9, false), (58.0, true), (56.5, true), (55.9, false), (41.0, true)] {
            assert_eq!(bench.reads(&[("PT-1", other), ("PT-0", value)]), [fast, false], "{rule}: {value}");
        }
    }
}

#[test]
fn what_a_computed_point_nears_all_its_inputs_are_read_fast_for_until_none_of_them_wants_it() {
    let read = "fast_period_ms = 500";
    let own = "fast_period_ms = 500\nlimits.H = { limit = 80, priority = 3 }";
    let mean = "[[point]]\nkey = \"MEAN\"\nname = \"均值\"\nname_en = \"Mean\"\nexpression = \"avg({PT-0}, {PT-1})\"\n\
         kind = \"pressure\"\nunit = \"kPa\"\nrange = [0, 100]\nlimits.H = { limit = 60, priority = 3 }\n\
         [[point]]\nkey = \"TWICE\"\nname = \"倍\"\nname_en = \"Twice\"\nexpression = \"{MEAN} * 2\"\n\
         kind = \"other\"\nrange = [0, 200]\nlimits.L = { limit = 20, priority = 3 }\n";
    let mut bench = Bench::of(site(own, read, mean));
    assert_eq!(bench.reads(&[("PT-0", 40.0), ("PT-1", 40.0), ("MEAN", 40.0), ("TWICE", 80.0)]), [false, false]);
    assert_eq!(bench.reads(&[("MEAN", 55.0)]), [true, true]);
    assert_eq!(bench.reads(&[("PT-0", 76.0)]), [true, true]);
    assert_eq!(bench.reads(&[("MEAN", 49.0)]), [true, false], "its own limit is still near");
    assert_eq!(bench.reads(&[("PT-0", 40.0)]), [false, false]);
    assert_eq!(bench.reads(&[("TWICE", 30.0)]), [true, true], "through another computed one");
    bench.nearness.follow(&site(own, read, &mean.replace("limits.L", "stuck = { epsilon = 0, priority = 3 }\n#")).book);
    assert_eq!(bench.reads(&[("PT-1", 40.0)]), [false, false], "a rule that is gone wants nothing");
}

#[test]
fn a_difference_that_cannot_be_judged_keeps_its_own_wish_and_not_that_of_a_limit() {
    let both = "fast_period_ms = 500\nlimits.H = { limit = 80, priority = 3 }\n\
         deviation = { from_point = \"PT-1\", limit = 10, priority = 3 }";
    let mut bench = Bench::of(site(both, "", ""));
    assert!(!bench.reads(&[("PT-1", 77.0), ("PT-0", 70.0)])[0]);
    assert!(bench.reads(&[("PT-1", 77.0), ("PT-0", 76.0)])[0], "near H");
    assert!(!bench.reads(&[("PT-1", f64::NAN), ("PT-0", 60.0)])[0], "far from H, and the twin is dead");
    assert!(bench.reads(&[("PT-1", 50.0), ("PT-0", 60.0)])[0], "off by what raises");
    assert!(bench.reads(&[("PT-1", f64::NAN), ("PT-0", 50.0)])[0], "nobody knows whether it is still off");
    assert!(!bench.reads(&[("PT-1", 50.0), ("PT-0", 50.0)])[0]);
}

#[test]
fn what_is_out_of_service_wants_nothing() {
    let rate = "fast_period_ms = 500\nrising = { limit_per_min = 30, window_s = 20, priority = 3 }";
    let mut bench = Bench::of(site(rate, "", ""));
    let rise = |n: u32| 20.0 + f64::from(n) * 0.4;
    assert!((0..30).map(|n| bench.reads(&[("PT-0", rise(n))])[0]).last().unwrap(), "24 of 30 per minute");
    bench.out_of_service("PT-0");
    assert!(!bench.reads(&[("PT-0", 32.0)])[0], "the slope of before");
}

#[test]
fn a_value_that_fails_near_a_limit_is_wanted_fast_until_its_point_is_out_of_service() {
    let mut bench = Bench::of(site("fast_period_ms = 500\nlimits.H = { limit = 25, priority = 3 }", "", ""));
    assert!(bench.reads(&[("PT-0", 22.0)])[0] && bench.reads(&[("PT-0", f64::NAN)])[0]);
    bench.out_of_service("PT-0");
    assert!(!bench.reads(&[("PT-0", f64::NAN)])[0]);
}
