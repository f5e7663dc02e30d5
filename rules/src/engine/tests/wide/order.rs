//! The order of what happens in one instant does not matter: of samples inside a scan never, of scans of several devices where nothing ties
//! the devices together.
//!
//! Where it does matter, and why:
//! - a scan, then a person's command, then what is due (alarms.md 2.0, principle 7): a value that returns exactly at the due time cancels,
//!   and an acknowledgement covers what was on the screen. That is the contract of the calls, each of its own type, and nothing is permuted
//!   across them here.
//! - two scans of one instant are two calls: after the first it is already judged what the second has not told yet. A vote, a suppression, a
//!   deviation, a unit's signal or a first-out group over both devices may see the state in between. [`Ties::Within`] leaves those ties
//!   inside one device. Timers due in that very instant fall between the two as well: [`BESIDE_MS`] keeps these scans off them.
//! - what the site counts as a whole goes by the order in which it was told: numbers of events and records, and which alarm made the flood.
//!   [`Story`] leaves numbers and records out and keeps all that is said of each device; [`Ties::Within`] has no floods.

use super::super::*;
use super::Ties;
use super::stage::{Given, Stage, Told, dice, told};
use proptest::prelude::*;

/// What is said of one device, in its order.
type Story = Vec<(Now, EventKind)>;

/// One second of every device: what each tells, if it answers.
type Second = [Option<Vec<Told>>; 3];

fn seconds() -> impl Strategy<Value = Vec<Second>> {
    let one = || prop::option::weighted(0.9, told());
    prop::collection::vec([one(), one(), one()], 1..50)
}

fn of_device(stage: &Stage, device: &str) -> Story {
    let about = |e: &&Event| e.kind.fact().is_some_and(|f| f.device == device);
    stage.events.iter().filter(about).map(|e| (e.at, e.kind.clone())).collect()
}

/// Delays are whole seconds after a scan or after one another; scans so far apart never meet what is due.
const BESIDE_MS: u64 = 1013;

fn told_by_devices(stage: &mut Stage, second: &Second, order: [usize; 3]) {
    for device in order {
        match &second[device] {
            Some(told) => stage.scan(device, &told.iter().map(|t| (t.0, t.1, 0)).collect::<Vec<_>>()),
            None => stage.give(Given::Scan { device, answered: false, samples: Vec::new() }),
        }
    }
    stage.pass_ms(BESIDE_MS);
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn order_inside_one_scan_does_not_matter(
        dice in [dice(), dice()],
        scans in prop::collection::vec((0..3_usize, told(), any::<prop::sample::Index>()), 1..50),
    ) {
        let (mut one, mut other) = (Stage::of(&dice, Ties::Across), Stage::of(&dice, Ties::Across));
        for (device, told, from) in &scans {
            let mut turned: Vec<Told> = told.iter().rev().copied().collect();
            turned.rotate_left(from.index(told.len()));
            one.scan(*device, told);
            other.scan(*device, &turned);
            one.pass(1);
            other.pass(1);
            prop_assert_eq!(&one.events, &other.events);
        }
        prop_assert_eq!(one.engine.alarms().all(), other.engine.alarms().all());
        prop_assert_eq!(one.engine.readings(), other.engine.readings());
    }

    #[test]
    fn order_of_devices_that_nothing_ties_does_not_matter(
        dice in [dice(), dice()],
        seconds in seconds(),
        order in Just([0, 1, 2]).prop_shuffle(),
    ) {
        let (mut one, mut other) = (Stage::of(&dice, Ties::Within), Stage::of(&dice, Ties::Within));
        for second in &seconds {
            told_by_devices(&mut one, second, [0, 1, 2]);
            told_by_devices(&mut other, second, order);
        }
        for device in ["d1", "d2", "d3"] {
            prop_assert_eq!(of_device(&one, device), of_device(&other, device));
        }
    }
}
