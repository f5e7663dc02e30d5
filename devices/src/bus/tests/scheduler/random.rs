//! Properties of random buses: what holds whoever is on one and whoever is silent.

use super::*;
use crate::bus::probes::{ROOM_AFTER, SHORT_SHARE};
use proptest::prelude::*;

const PERIODS_MS: [u64; 6] = [200, 500, 1_000, 1_000, 2_000, 10_000];
/// How full a bus may be that keeps what is promised of one with room.
pub(in crate::bus::tests) const ROOM: f64 = 0.5;
/// A wait is a millisecond at least; so often can one stand between a due time and its request.
const GRAIN: Duration = Duration::from_millis(20);

fn drawn(units: Range<usize>) -> impl Strategy<Value = Drawn> {
    let points = prop::collection::vec((prop::sample::select(&PERIODS_MS[..]), prop::bool::weighted(0.2)), 4);
    let units = prop::collection::vec((points, 1..20_u64), units);
    (units, 0..8_usize, 3_000..30_000_u64, 1_000..200_000_u64).prop_map(|(units, unit, from, long)| {
        let (units, turnaround_ms): (Vec<_>, Vec<_>) = units.into_iter().unzip();
        let unit = unit % units.len();
        Drawn { units, turnaround_ms, silent: (unit..unit + 1, from..from + long), timeout_ms: 400 }
    })
}

/// All but the first unit never answer.
fn mostly_dead(mut bus: Drawn) -> Drawn {
    bus.silent = (1..bus.units.len(), 0..u64::MAX);
    bus
}

fn healthy(mut bus: Drawn) -> Drawn {
    bus.silent.0 = 0..0;
    bus
}

/// Units that are read once a second or more rarely, some of them silent for ever, on a link that waits for seconds.
fn patient(mut bus: Drawn, (dead, timeout_ms): (usize, u64)) -> Drawn {
    bus.units.iter_mut().flatten().for_each(|(period_ms, _)| *period_ms = (*period_ms).max(1_000));
    (bus.silent, bus.timeout_ms) = ((0..dead, 0..u64::MAX), timeout_ms);
    bus
}

/// Longest time from one value of a point to the next.
fn longest(values: &[Value]) -> Duration {
    values.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap_or_default()
}

fn period_of(drawn: &Drawn, unit: usize, point: usize) -> Duration {
    Duration::from_millis(drawn.units[unit][point].0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the order, work that is there is done at once: no cycle ends later than the longest busy time of the bus, which is the
    /// time of one request of each kind ÷ (1 − load).
    #[test]
    fn a_healthy_bus_with_room_ends_every_cycle_within_its_busy_time(bus in drawn(1..6).prop_map(healthy)) {
        let played = play(&bus, MINUTE);
        prop_assume!(played.load <= ROOM);
        let busy = played.round.div_f64(1.0 - played.load) + GRAIN;
        for (n, values) in played.values.values().enumerate() {
            let period = period_of(&bus, n / 4, n % 4);
            prop_assert!(values.iter().all(|v| v.good), "nothing was silent");
            prop_assert!(longest(values) <= period + busy, "{:?} between values of {n}, {period:?} + {busy:?}", longest(values));
            let cycles = usize::try_from(MINUTE.as_millis() / period.as_millis()).unwrap();
            prop_assert!(values.len() >= cycles - 1 && values.len() <= cycles + 1, "{} values of {n}, {cycles} cycles", values.len());
        }
    }

    /// A late cycle is skipped, not queued: however full the bus and whoever held it up, no request is sent twice within one of its periods.
    #[test]
    fn no_request_is_sent_twice_in_a_period(mut bus in drawn(2..12)) {
        bus.turnaround_ms.iter_mut().for_each(|t| *t *= 3);
        let played = play(&bus, MINUTE);
        let mut last: BTreeMap<(usize, u8, u16), u128> = BTreeMap::new();
        for sent in played.sent.iter().filter(|s| !bus.silent.0.contains(&s.unit)) {
            let point = match (sent.span.function, sent.span.address) { (3, 0) => 0, (3, _) => 1, (_, 200) => 2, _ => 3 };
            let nth = sent.at.as_millis() / period_of(&bus, sent.unit, point).as_millis();
            let before = last.insert((sent.unit, sent.span.function, sent.span.address), nth);
            prop_assert!(before.is_none_or(|before| before < nth), "{sent:?} again in period {nth}");
        }
    }

    /// A unit that falls silent is bad within three of its cycles and a second, on a bus with room; within 65 s of its return its values
    /// are good again, wherever its probes stand.
    #[test]
    fn silence_is_soon_bad_and_its_end_soon_seen(bus in drawn(1..8)) {
        let (silent, when) = bus.silent.clone();
        let (from, to) = (Duration::from_millis(when.start), Duration::from_millis(when.end));
        let played = play(&bus, to + Duration::from_secs(80));
        prop_assume!(played.load <= ROOM && played.round <= Duration::from_millis(250));
        for (n, values) in played.values.values().enumerate() {
            if !silent.contains(&(n / 4)) {
                prop_assert!(values.iter().all(|v| v.good), "the others are good");
                continue;
            }
            let period = period_of(&bus, n / 4, n % 4);
            let bad = from + period * 3 + Duration::from_secs(1);
            if to >= bad {
                let told = values.iter().find(|v| !v.good);
                prop_assert!(told.is_some_and(|v| v.at > from && v.at <= bad), "{n}: silent at {from:?}, {told:?}");
            }
            let back = to + Duration::from_secs(65).max(period + Duration::from_secs(1));
            let good = values.iter().find(|v| v.good && v.at >= to);
            prop_assert!(good.is_some_and(|v| v.at <= back), "{n}: answers from {to:?} on, {good:?}");
        }
    }

    /// However many are dead, their probes take a twentieth of the bus and one probe more.
    #[test]
    fn probes_take_a_twentieth_of_a_bus_on_which_others_live(bus in drawn(8..32).prop_map(mostly_dead)) {
        let played = play(&bus, 2 * MINUTE);
        let probes = || played.sent.iter().filter(|s| s.probe);
        prop_assert!(probes().count() > 4, "they are probed");
        prop_assert!(probes().all(|s| s.unit > 0), "the first one lives");
        let (first, took) = (probes().map(|s| s.at).min(), probes().map(|s| s.took));
        let taken: Duration = took.clone().sum();
        let most = (2 * MINUTE - first.unwrap_or_default()) / 20 + took.max().unwrap_or_default();
        prop_assert!(taken <= most, "{taken:?} for probes, at most {most:?}");
    }

    /// However many are dead, one that lives waits for one probe at most, once they are known to be.
    #[test]
    fn the_living_wait_for_one_probe_at_most(bus in drawn(2..12).prop_map(mostly_dead)) {
        let played = play(&bus, 3 * MINUTE);
        prop_assume!(played.load <= ROOM);
        let busy = played.round.div_f64(1.0 - played.load) + GRAIN;
        let probe = played.sent.iter().filter(|s| s.probe).map(|s| s.took).max().unwrap_or_default();
        for (n, values) in played.values.values().enumerate().take(4) {
            let settled: Vec<Value> = values.iter().copied().filter(|v| v.at > MINUTE).collect();
            let (period, most) = (period_of(&bus, 0, n), busy + probe);
            prop_assert!(longest(&settled) <= period + most, "{:?} between values of {n}, {period:?} + {most:?}", longest(&settled));
        }
    }

    /// However many are dead, each is probed in its turn: within its longest pause, or as soon as a twentieth of the bus has room for all.
    #[test]
    fn every_dead_unit_is_probed_in_its_turn(bus in drawn(8..40).prop_map(mostly_dead)) {
        let played = play(&bus, 8 * MINUTE);
        let longest = played.sent.iter().filter(|s| s.probe).map(|s| s.took).max().unwrap_or_default();
        let dead = u32::try_from(bus.units.len() - 1).unwrap();
        let turn = longest * SHORT_SHARE; // another one's may come just before, or two
        let most = MINUTE.max(turn * dead) + ROOM_AFTER + turn * (dead - 1).min(2) + played.round + GRAIN;
        for unit in 1..bus.units.len() {
            let probes = played.sent.iter().filter(|s| s.unit == unit).map(|s| s.at);
            let times: Vec<Duration> = probes.chain([8 * MINUTE]).collect();
            let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
            prop_assert!(gap <= most, "unit {unit} of {dead} dead: {gap:?} without a probe, at most {most:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// However long the link's time-out: what lives waits for a dead unit in less than one of a hundred intervals, but for short probes.
    #[test]
    fn the_living_keep_their_intervals_whatever_the_time_out(
        bus in drawn(9..24).prop_flat_map(|bus| (Just(bus), (1..9_usize, 500..4_000_u64))).prop_map(|(bus, dead)| patient(bus, dead)),
    ) {
        let played = play(&bus, 10 * MINUTE);
        prop_assume!(played.load <= ROOM);
        let busy = played.round.div_f64(1.0 - played.load) + GRAIN;
        let living = played.values.values().enumerate().filter(|(n, _)| !bus.silent.0.contains(&(n / 4)));
        for (n, values) in living {
            let settled: Vec<Value> = values.iter().copied().filter(|v| v.at > 2 * MINUTE).collect();
            let mut intervals: Vec<Duration> = settled.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
            intervals.sort();
            let (p99, period) = (intervals[intervals.len() * 99 / 100], period_of(&bus, n / 4, n % 4));
            prop_assert!(p99 <= period.mul_f64(1.15) + busy.min(Duration::from_millis(350)), "{n}: {p99:?} between values, {period:?}");
        }
    }
}
