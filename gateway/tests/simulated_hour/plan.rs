//! What happens in the hour, drawn from the seed before it begins: mishaps of the plant, faults on the wires, outages of broker,
//! office and database.
//!
//! ```text
//!   0      3 min                                    48 min        60 min
//!   ├ calm ┼ five slots: one mishap each, three of   ┼ calm: all   ┤
//!   │      │ them on wires with faults               │ must heal   │
//! ```

use sim::{Link, Prng, Rule, Scenario, SiteName};
use std::fmt;
use std::time::Duration;

/// How long the plant runs.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
const FIRST_SLOT_S: u64 = 180;
const SLOT_S: u64 = 540;
/// From here on nothing fails any more.
const QUIET_FROM_S: u64 = 48 * 60;

/// What can be judged by what the plant read: a card with the wrong word order sends values that it never had.
const SCENARIOS: [Scenario; 5] =
    [Scenario::Nh3Leak, Scenario::MethanolOverfill, Scenario::DetectorFault, Scenario::BusDead, Scenario::ScrubberStop];

/// From and to, since the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl Window {
    pub(crate) fn has(&self, time: Duration) -> bool {
        (self.from..self.to).contains(&time)
    }

    fn seconds(from: u64, length: u64) -> Self {
        let to = (from + length).min(QUIET_FROM_S);
        Self { from: Duration::from_secs(from), to: Duration::from_secs(to) }
    }
}

/// One mishap, and how the wires are meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) window: Window,
    pub(crate) scenario: Scenario,
    pub(crate) at: Duration,
    /// Empty on calm wires.
    pub(crate) faults: Vec<(Link, Vec<Rule>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) slots: Vec<Slot>,
    pub(crate) broker_down: Vec<Window>,
    /// Events arrive, receipts do not go out.
    pub(crate) office_silent: Vec<Window>,
    pub(crate) database_down: Vec<Window>,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut draw = Prng::new(seed);
        let scenarios = shuffled(SCENARIOS.to_vec(), &mut draw);
        let faulty = shuffled(vec![true, true, true, false, false], &mut draw);
        let slots = scenarios.into_iter().zip(faulty).zip(0..).map(|((scenario, faulty), n)| {
            let from = FIRST_SLOT_S + n * SLOT_S;
            Slot {
                window: Window::seconds(from, SLOT_S),
                scenario,
                at: Duration::from_millis(from * 1000 + 60_000 + below(&mut draw, 120_000)),
                faults: if faulty { wire_faults(&mut draw) } else { Vec::new() },
            }
        });
        let slots = slots.collect();
        let mut outages = |n: u64, longest: u64| {
            (0..n)
                .map(|i| Window::seconds(i * QUIET_FROM_S / n + below(&mut draw, 400), 20 + below(&mut draw, longest)))
                .collect::<Vec<_>>()
        };
        let (broker_down, office_silent, database_down) = (outages(3, 300), outages(2, 500), outages(3, 400));
        Self { seed, slots, broker_down, office_silent, database_down }
    }
}

/// Each link gets some of the menu: a seed without late answers finds what they would hide.
fn wire_faults(draw: &mut Prng) -> Vec<(Link, Vec<Rule>)> {
    let menu = |link| {
        let (late, twice) = match link {
            // What RTU can bear: two time-outs of 500 ms, and a repetition that comes at once.
            Link::RtuA3 => ("late=3%:501-1000ms", "duplicate=3%"),
            _ => ("late=3%:401-3000ms", "duplicate=3%:0-600ms"),
        };
        [late, twice, "drop=2%", "delay=20%:10-150ms", "truncate=0.5%", "corrupt=0.5%", "foreign=3%", "cut=0.2%"]
    };
    Link::of(SiteName::Chemical)
        .iter()
        .map(|&link| {
            let chosen = menu(link).into_iter().filter(|_| draw.unit() < 0.6);
            (link, chosen.map(|rule| rule.parse().expect("the menu is valid")).collect())
        })
        .collect()
}

fn below(draw: &mut Prng, end: u64) -> u64 {
    draw.next_u64() % end
}

fn shuffled<T>(mut all: Vec<T>, draw: &mut Prng) -> Vec<T> {
    for n in (1..all.len()).rev() {
        all.swap(n, draw.below(n + 1));
    }
    all
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "HAZARD_SEED={}", self.seed)?;
        for slot in &self.slots {
            let rules = |(link, rules): &(Link, Vec<Rule>)| {
                format!("{}: {}", link.name(), rules.iter().map(Rule::to_string).collect::<Vec<_>>().join(" "))
            };
            let faults: Vec<String> = slot.faults.iter().map(rules).collect();
            writeln!(f, "  {:>8.1?} {} [{}]", slot.at, slot.scenario, faults.join("; "))?;
        }
        for (what, windows) in [
            ("broker down", &self.broker_down),
            ("office silent", &self.office_silent),
            ("database down", &self.database_down),
        ] {
            let spans: Vec<String> = windows.iter().map(|w| format!("{:?}–{:?}", w.from, w.to)).collect();
            writeln!(f, "  {what} {}", spans.join(" "))?;
        }
        Ok(())
    }
}
