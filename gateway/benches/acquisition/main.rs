//! The figures of acquisition, as one Markdown table: `cargo bench -p gateway --bench acquisition`, some fifteen minutes.
//!
//! Ratios are taken within one run, so that the machine matters little. `-- million`, `-- lines`, `-- silence` (of the lines),
//! `-- faults` and `-- whole` run a part of it, `-- 1` … `-- 5` the whole gateway on one plant. The exit code is 1 when a figure misses its target or was not
//! measured.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench measures time and prints")]

mod bare;
mod faults;
mod least;
mod lines;
mod million;
mod peers;
mod plant;
mod running;
mod silence;
mod table;
mod whole;

use plant::Plant;
use std::process::ExitCode;
use whole::Targets;

/// 1,000 registers of one controller.
const DENSE: Plant =
    Plant { name: "1 × 1,000 dense", links: 1, units: 1, points: 1_000, holes: 0, period_ms: 1_000, seed: 1 };
const HOLED: Plant =
    Plant { name: "32 × 40 with holes", links: 1, units: 32, points: 40, holes: 4, period_ms: 1_000, seed: 2 };
const WIDE: Plant =
    Plant { name: "500 × 30 on 50 links", links: 50, units: 10, points: 30, holes: 6, period_ms: 1_000, seed: 3 };
const LARGE: Plant =
    Plant { name: "20,000 points on 20 links", links: 20, units: 10, points: 100, holes: 0, period_ms: 1_000, seed: 4 };
/// The most that is promised of buses, devices and points, all at once.
const MOST: Plant =
    Plant { name: "64 links × 16 × 20", links: 64, units: 16, points: 20, holes: 6, period_ms: 1_000, seed: 5 };

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [flag, script] = words.as_slice()
        && let Some(poller) = bare::Poller::of(flag)
    {
        bare::main(poller, script.as_ref());
        return ExitCode::SUCCESS;
    }
    if words.first().is_some_and(|word| word == running::CHILD) {
        running::become_child(&words[1..]);
    }
    let wants = |part: &str| words.is_empty() || words.iter().any(|w| w == part);
    table::head();
    if wants("million") {
        million::exchanges();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        if wants("lines") {
            lines::cycle(9_600, 1.05).await;
            lines::cycle(115_200, 1.15).await;
            lines::isolation().await;
        }
        if wants("lines") || wants("silence") {
            silence::bad_and_back(lines::SOCKET, lines::LINE).await;
        }
        if wants("faults") {
            faults::noise().await;
            faults::hostile().await;
        }
        // A plant by its number is the whole gateway on that plant alone.
        let near = Targets { ratio: Some(1.5), ..Targets::default() };
        let large = Targets { share: Some(0.25), resident_mb: Some(64.0), ..Targets::default() };
        let plants = [
            ("1", DENSE, near),
            ("2", HOLED, Targets { resident_mb: Some(20.0), period_error: true, ..near }),
            ("3", WIDE, Targets { resident_mb: Some(40.0), ..near }),
            ("4", LARGE, large),
            ("5", MOST, large),
        ];
        for (number, plant, targets) in plants {
            if wants("whole") || wants(number) {
                whole::measure(plant, targets).await;
            }
        }
    });
    table::end()
}
