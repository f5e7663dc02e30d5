//! The plant and its wires: instruments on in-memory pipes, mishaps and faults at their planned times, and a note of when each
//! mishap became true.

use crate::course::{Course, TICK};
use crate::plan::{Plan, Slot};
use devices::{Connect, Connecting, LinkStream};
use rules::RuleBook;
use sim::{Faults, FaultyStream, Framing, Link, Plant, Scenario, serve_stream, service};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Opens a new pipe to the instruments of one link, with that link's faults on it.
pub(crate) struct PlantWire {
    pub(crate) link: Link,
    pub(crate) plant: Arc<Mutex<Plant>>,
    pub(crate) faults: Faults,
}

impl Connect for PlantWire {
    fn connect(&mut self) -> Connecting<'_> {
        Box::pin(async {
            let (framing, turnaround_ms) = match self.link {
                Link::RtuA3 => (Framing::Rtu, 40),
                _ => (Framing::Tcp, 8),
            };
            let (near, far) = tokio::io::duplex(4096);
            let instruments = service(self.link, self.plant.clone());
            tokio::spawn(serve_stream(far, framing, instruments, Duration::from_millis(turnaround_ms)));
            Ok(Box::new(FaultyStream::new(near, framing, self.faults.clone())) as Box<dyn LinkStream>)
        })
    }
}

/// An alarm that must come, from when on, and how soon.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) alarm: String,
    pub(crate) scenario: Scenario,
    /// The mishap's beginning.
    pub(crate) begun: Duration,
    /// When its cause was there to stay.
    pub(crate) true_from: Option<Duration>,
    /// Poll and delay.
    pub(crate) within: Duration,
    /// The wires had faults.
    pub(crate) faulty: bool,
    held_since: Option<Duration>,
    cause: Cause,
}

#[derive(Clone, Debug)]
enum Cause {
    AtLeast(&'static str, f64),
    AtOnce,
}

/// What each mishap must lead to.
fn due(slot: &Slot, book: &RuleBook) -> Vec<Due> {
    let entry = |alarm: &str, within, cause| Due {
        alarm: alarm.to_owned(),
        scenario: slot.scenario,
        begun: slot.at,
        true_from: None,
        within,
        faulty: !slot.faults.is_empty(),
        held_since: None,
        cause,
    };
    let rule = |point: &'static str, word: &str| {
        let found = book.rules().iter().find(|r| r.point == point && r.condition.word() == word).unwrap();
        let period = book.points().iter().find(|p| p.key == point).unwrap().period;
        let cause = found.condition.limit().map_or(Cause::AtOnce, |limit| Cause::AtLeast(point, limit));
        entry(&format!("{point}:{word}"), period + found.on_delay, cause)
    };
    match slot.scenario {
        Scenario::Nh3Leak => vec![rule("GT-102", "H"), rule("GT-102", "HH")],
        Scenario::MethanolOverfill => vec![rule("LT-201A", "H"), rule("LT-201A", "HH")],
        Scenario::DetectorFault => vec![rule("GT-303", "SENSOR_FAULT")],
        Scenario::ScrubberStop => {
            // The fan's own alarm is held back until the chlorine is there.
            let own = rule("ZS-301", "DISCRETE");
            let highs = ["GT-301", "GT-302", "GT-303"].map(|point| rule(point, "H"));
            let fan = Due { cause: highs[2].cause.clone(), ..own };
            [vec![fan], highs.to_vec()].concat()
        }
        Scenario::BusDead => ["TANK-A2", "DET-201", "DET-202", "DET-203", "DET-204"]
            .into_iter()
            .map(|key| {
                let device = book.devices().iter().find(|d| d.key == key).unwrap();
                // Counted from the last answer, which was up to a poll before; its points are polled every second.
                let within = device.comms_timeout + Duration::from_secs(1);
                entry(&format!("{key}:COMMS_LOSS"), within, Cause::AtOnce)
            })
            .collect(),
        other => unreachable!("{other} is not in the plan"),
    }
}

/// Lets the hour pass on the plant's side; gives what was due, and what was true.
pub(crate) async fn run(
    plan: Plan,
    plant: Arc<Mutex<Plant>>,
    wires: Vec<(Link, Faults)>,
    book: RuleBook,
) -> (Vec<Due>, Course) {
    let begun = Instant::now();
    let mut dues: Vec<Due> = plan.slots.iter().flat_map(|slot| due(slot, &book)).collect();
    let mut course = Course::of(book.points().iter().map(|p| p.key.as_str()), &plant.lock().unwrap());
    let mut tick = tokio::time::interval(TICK);
    let mut before = Duration::ZERO;
    loop {
        tick.tick().await;
        let now = begun.elapsed();
        if now > crate::plan::HOUR {
            return (dues, course);
        }
        let passes = |time: Duration| time > before && time <= now;
        for slot in &plan.slots {
            if passes(slot.window.from) || passes(slot.window.to) {
                set_faults(slot, passes(slot.window.from), &wires);
            }
        }
        let mut plant = plant.lock().unwrap();
        plan.slots.iter().filter(|slot| passes(slot.at)).for_each(|slot| assert!(plant.start(slot.scenario)));
        plant.advance(now - before);
        course.note(&plant);
        dues.iter_mut().for_each(|due| watch(due, &plant, now));
        before = now;
    }
}

fn set_faults(slot: &Slot, on: bool, wires: &[(Link, Faults)]) {
    for (link, rules) in &slot.faults {
        let faults = &wires.iter().find(|(l, _)| l == link).unwrap().1;
        faults.set_rules(if on { rules.clone() } else { Vec::new() });
    }
}

/// A cause counts from when it held for as long as the rule asks for.
fn watch(due: &mut Due, plant: &Plant, now: Duration) {
    if now < due.begun || due.true_from.is_some() {
        return;
    }
    let holds = match due.cause {
        Cause::AtLeast(point, limit) => plant.value(point).unwrap() >= limit,
        Cause::AtOnce => plant.is_running(due.scenario),
    };
    due.held_since = holds.then(|| due.held_since.unwrap_or(now));
    due.true_from = due.held_since.filter(|since| now - *since >= due.within);
}
