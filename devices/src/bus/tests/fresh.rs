//! What lives stays fresh: no wait for a unit that is dead, or is just dying, makes the reading of another older than it may be.

use super::scheduler::random::ROOM;
use super::scheduler::{Player, Value, four};
use super::*;
use proptest::prelude::*;
use rules::PointId;

const PERIODS_MS: [u64; 5] = [200, 500, 1_000, 2_000, 10_000];
const MINUTE: Duration = Duration::from_secs(60);
/// Until then the bus learns how long its units take.
const KNOWN: Duration = Duration::from_secs(11);

/// From one unit that falls silent to the next: the waits for several that do so at once add up.
const APART_S: u64 = 25;
/// The wait of a short probe.
const SHORT: Duration = Duration::from_millis(300);

/// One point: its period, how many hundredths of that a reading counts as fresh, and whether an alarm rule judges it.
type Wanted = (u64, u32, bool);

#[derive(Clone, Debug)]
struct Plant {
    units: Vec<[Wanted; 4]>,
    turnaround_ms: Vec<u64>,
    timeout_ms: u64,
    /// Units that fall silent, in seconds from the begin, and for how long.
    silent: Vec<(usize, u64, u64)>,
}

fn plants() -> impl Strategy<Value = Plant> {
    let point = || (prop::sample::select(&PERIODS_MS[..]), 150..500_u32, prop::bool::weighted(0.2));
    let unit = ([point(), point(), point(), point()], 1..25_u64);
    let silent = prop::collection::vec((0..10_usize, prop::bool::ANY, 10..120_u64), 1..6);
    (prop::collection::vec(unit, 2..10), 250..10_000_u64, silent).prop_map(|(units, timeout_ms, silent)| {
        let (units, turnaround_ms): (Vec<_>, Vec<_>) = units.into_iter().unzip();
        let all = units.len();
        let from = |nth: u64, at_once: bool| if at_once { 0 } else { 15 + nth * APART_S };
        let silent =
            (0..).zip(silent).map(|(nth, (unit, at_once, long))| (unit % all, from(nth, at_once), long)).collect();
        Plant { units, turnaround_ms, timeout_ms, silent }
    })
}

impl Plant {
    fn spec(&self) -> BusSpec {
        let numbers: Vec<u8> = (1..).take(self.units.len()).collect();
        let mut spec = spec(tcp(), &numbers, &four());
        spec.timeout = Duration::from_millis(self.timeout_ms);
        for (device, points) in spec.devices.iter_mut().zip(&self.units) {
            for (point, (period_ms, percent, critical)) in Arc::make_mut(&mut device.points).iter_mut().zip(points) {
                (point.period, point.critical) = (Duration::from_millis(*period_ms), *critical);
                point.max_age = point.period * *percent / 100;
            }
        }
        spec
    }

    fn load(&self) -> f64 {
        let of =
            |(unit, ms): (&[Wanted; 4], &u64)| unit.iter().map(|(period, ..)| *ms as f64 / *period as f64).sum::<f64>();
        self.units.iter().zip(&self.turnaround_ms).map(of).sum()
    }

    /// One request of each kind.
    fn work(&self) -> Duration {
        Duration::from_millis(self.turnaround_ms.iter().sum::<u64>() * 4)
    }

    /// The longest age of each point's readings before the next one was told, of those units that never fall silent.
    fn play(&self, long: Duration, silent: &[(usize, u64, u64)]) -> BTreeMap<PointId, (Duration, Duration)> {
        let mut player = Player::new(&self.spec());
        player.play(long, |unit, _, at| {
            let is_silent =
                |(who, from, long): &(usize, u64, u64)| *who == unit && (*from..from + long).contains(&at.as_secs());
            (!silent.iter().any(is_silent)).then(|| Duration::from_millis(self.turnaround_ms[unit]))
        });
        let spec = self.spec();
        let living =
            spec.devices.iter().enumerate().filter(|(unit, _)| self.silent.iter().all(|(who, ..)| who != unit));
        let points = living.flat_map(|(_, d)| d.points.iter());
        points.map(|p| (p.point, (oldest(&player.played.values[&p.point], long), p.max_age))).collect()
    }
}

fn oldest(values: &[Value], end: Duration) -> Duration {
    let settled = values.iter().position(|v| v.read >= KNOWN).unwrap_or(values.len());
    let values = &values[settled..];
    let told = values.iter().skip(1).map(|v| v.at).chain([end]);
    values.iter().zip(told).map(|(v, next)| next.saturating_sub(v.read)).max().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the time-out and the times for which readings are fresh, whoever is dead from the beginning or dies, one by one, and returns: as long as
    /// there is time for a short probe, a dying unit and the others' cycles beside it.
    #[test]
    fn no_reading_of_the_living_becomes_stale_for_the_dead(plant in plants()) {
        prop_assume!(plant.load() <= ROOM);
        let healthy = plant.play(MINUTE, &[]);
        let with_dead = plant.play(3 * MINUTE, &plant.silent);
        for (point, (age, max_age)) in &with_dead {
            let fresh = healthy[point].0 + SHORT * 2 + plant.work() + *max_age / 4 <= *max_age;
            prop_assert!(!fresh || age <= max_age, "{point:?} was {age:?} old and may be {max_age:?}; healthy {:?}", healthy[point].0);
        }
    }
}

/// Sixteen units at 9600 baud, one period a second, a time-out of three: measured at the far end of the bus.
#[tokio::test(start_paused = true)]
async fn one_dead_unit_of_sixteen_makes_no_other_stale_where_the_time_out_is_as_long_as_readings_are_fresh() {
    for died_s in [0, 30] {
        let units: Vec<u8> = (1..=16).collect();
        let mut spec = spec(rtu(), &units, ONE);
        spec.timeout = Duration::from_secs(3);
        let mut rig = Rig::start_spec(Pipe, spec);
        let mut wire = rig.connections.recv().await.unwrap();
        let begun = Instant::now();
        tokio::spawn(async move {
            while let Some(asked) = asked_rtu(&mut wire).await {
                tokio::time::sleep(Duration::from_millis(35)).await;
                if asked.unit != 1 || begun.elapsed() < Duration::from_secs(died_s) {
                    wire.write_all(&frame_rtu(asked.unit, &data(&asked))).await.unwrap();
                }
            }
        });
        let mut last = [None; 16];
        while begun.elapsed() < 15 * MINUTE {
            let scan = rig.part().await;
            let index = scan.device.index();
            if index == 0 {
                continue;
            }
            let before = last[index].replace(scan.at.mono).map(|before| scan.at.mono.since(before));
            let fresh = before.is_none_or(|age| age <= Duration::from_secs(3));
            assert!(scan.answered && fresh, "{index} after {before:?}, {:?} from the begin", begun.elapsed());
        }
        assert_eq!(rig.status.snapshot().units[0].state, "dead");
    }
}
