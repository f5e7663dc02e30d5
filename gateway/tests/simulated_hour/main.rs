//! The seeded simulation: a plant, its wires and the whole gateway in one thread, an hour of virtual time in seconds.
//!
//! The same seed gives the same journal, byte for byte. `HAZARD_SEED=7 cargo test -p gateway --test simulated_hour` runs that seed
//! only; `HAZARD_SEEDS=100..200` with `--ignored` runs a range of them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod course;
mod database;
mod judge;
mod office;
mod plan;
mod plant;
mod world;

use world::Outcome;

use std::sync::LazyLock;

/// The hours that every change is judged by, side by side: seed 1 or that of the environment, the seed after it, and the first one again.
static HOURS: LazyLock<[Outcome; 3]> = LazyLock::new(|| {
    let first = std::env::var("HAZARD_SEED").map_or(1, |seed| seed.parse().expect("HAZARD_SEED is a number"));
    std::thread::scope(|hours| {
        let running = [first, first + 1, first].map(|seed| hours.spawn(move || world::run(seed)));
        running.map(|hour| hour.join().expect("an hour that panics has said why"))
    })
});

/// One line that says whether the hour was worth anything.
fn told(outcome: &Outcome) -> String {
    let faults: Vec<String> =
        outcome.wires.iter().map(|(link, c)| format!("{} {}/{}", link.name(), c.faults(), c.exchanges)).collect();
    format!(
        "seed {}: {} records, {} events at the office ({} again, {} receipts, {} connections), {} acknowledged, {} samples ({} with a value), \
         {} of {} writes failed, faults {}",
        outcome.plan.seed,
        outcome.records.len(),
        outcome.noted.events.len(),
        outcome.noted.again,
        outcome.noted.receipts,
        outcome.noted.connections,
        outcome.acknowledged,
        outcome.history.read,
        outcome.compared,
        outcome.database.failures,
        outcome.database.requests,
        faults.join(", "),
    )
}

#[test]
fn an_hour_of_mishaps_and_outages_ends_with_nothing_lost() {
    let [first, other, _] = &*HOURS;
    for outcome in [first, other] {
        eprintln!("{}", told(outcome));
        let complaints = judge::complaints(outcome);
        assert!(complaints.is_empty(), "{}\n{}", outcome.plan, complaints.join("\n"));
    }
}

#[test]
fn a_seed_gives_the_same_journal_again_and_another_seed_another() {
    let [first, other, again] = &*HOURS;
    let seed = first.plan.seed;
    if let Some(n) =
        (0..first.journal.len().max(again.journal.len())).find(|n| first.journal.get(*n) != again.journal.get(*n))
    {
        panic!("HAZARD_SEED={seed}: record {}\n{:?}\n{:?}", n + 1, first.journal.get(n), again.journal.get(n));
    }
    assert_eq!(first.database.lines, again.database.lines, "HAZARD_SEED={seed}");
    assert_ne!(first.journal, other.journal);
}

/// `HAZARD_SEEDS=1..50 cargo test --release -p gateway --test simulated_hour -- --ignored --nocapture`
#[test]
#[ignore = "minutes; see CONTRIBUTING.md"]
fn many_seeds() {
    let range = std::env::var("HAZARD_SEEDS").unwrap_or_else(|_| "1..20".into());
    let (first, end) = range.split_once("..").expect("HAZARD_SEEDS is a range such as 1..50");
    let (first, end): (u64, u64) = (first.parse().unwrap(), end.parse().unwrap());
    let failed: Vec<String> = (first..end)
        .filter_map(|seed| {
            let outcome = world::run(seed);
            eprintln!("{}", told(&outcome));
            let complaints = judge::complaints(&outcome);
            (!complaints.is_empty()).then(|| format!("{}\n{}", outcome.plan, complaints.join("\n")))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
