//! Thousands of exchanges over a wire with seeded faults, from a device whose every word says unit, function and address.
//!
//! What is asked of the bus: a value is the register's own, or it is bad.

use super::*;
use sim::{FaultCounts, Faults, FaultyStream, Framing};

/// Values of the same and of other shapes, at the same address under two functions, too far apart for one request.
fn many() -> String {
    let fields =
        FIELDS.map(|(name, function, address)| (name, function, address, if name == "c" { "u32" } else { "u16" }));
    profile_of("max_registers = 16", &fields)
}

/// As [`many`], of a device that gives one register at a time: no length tells its requests apart.
fn narrow() -> String {
    let words = FIELDS.into_iter().filter(|(name, ..)| *name != "c");
    let fields: Vec<_> = words.map(|(name, function, address)| (name, function, address, "u16")).collect();
    profile_of("max_registers = 1", &fields)
}

/// Where each field of [`many`] lies.
const FIELDS: [(&str, u8, u16); 5] = [("a", 3, 0), ("b", 3, 100), ("c", 3, 200), ("d", 4, 0), ("e", 4, 100)];
const UNITS: [u8; 4] = [1, 2, 3, 9];

/// Four bits of unit, one of function, eleven of address.
fn word(unit: u8, function: u8, address: u16) -> u16 {
    u16::from(unit) << 12 | u16::from(function & 1) << 11 | address
}

fn expected(unit: u8, field: (&str, u8, u16)) -> f64 {
    let at = |address| word(unit, field.1, address);
    if field.0 == "c" {
        return f64::from(u32::from(at(field.2)) << 16 | u32::from(at(field.2 + 1)));
    }
    f64::from(at(field.2))
}

/// Hands out connections with faults on them.
struct FaultyPipe(Pipe, Framing, Faults);

impl Connect for FaultyPipe {
    fn connect(&mut self) -> Connecting<'_> {
        let Self(pipe, framing, faults) = self;
        Box::pin(async move {
            let stream = pipe.connect().await?;
            Ok(Box::new(FaultyStream::new(stream, *framing, faults.clone())) as Box<dyn LinkStream>)
        })
    }
}

/// Answers every request rightly, 5 ms later, on every connection there will be.
fn serve_all(mut connections: mpsc::Receiver<DuplexStream>, framing: Framing) {
    tokio::spawn(async move {
        while let Some(wire) = connections.recv().await {
            tokio::spawn(serve(wire, framing));
        }
    });
}

async fn serve(mut wire: DuplexStream, framing: Framing) {
    loop {
        let asked = match framing {
            Framing::Tcp => asked_tcp(&mut wire).await,
            Framing::Rtu => asked_rtu(&mut wire).await,
        };
        let Some(asked) = asked else { return };
        let words = (asked.address..asked.address + asked.count).map(|a| word(asked.unit, asked.function, a));
        let mut pdu = vec![asked.function, u8::try_from(asked.count * 2).unwrap()];
        pdu.extend(words.flat_map(u16::to_be_bytes));
        let frame = match framing {
            Framing::Tcp => frame_tcp(&asked, &pdu),
            Framing::Rtu => frame_rtu(asked.unit, &pdu),
        };
        tokio::time::sleep(Duration::from_millis(5)).await;
        if wire.write_all(&frame).await.is_err() {
            return;
        }
    }
}

#[derive(Debug, Default)]
struct Told {
    good: u64,
    bad: u64,
    wrong: Vec<String>,
}

/// Runs a bus over a faulty wire for `exchanges` answers; looks at every value it publishes.
async fn run(transport: Transport, seed: u64, rules: &[&str], exchanges: u64) -> (Told, FaultCounts) {
    run_with(&many(), transport, seed, rules, exchanges).await
}

async fn run_with(
    profile: &str,
    transport: Transport,
    seed: u64,
    rules: &[&str],
    exchanges: u64,
) -> (Told, FaultCounts) {
    let fields: Vec<_> = FIELDS.into_iter().filter(|f| profile.contains(&format!("field.{}]", f.0))).collect();
    let framing = if transport == tcp() { Framing::Tcp } else { Framing::Rtu };
    let faults = Faults::new(seed, rules.iter().map(|r| r.parse().unwrap()).collect());
    let shared = faults.clone();
    let mut rig = Rig::start_over(|offer| FaultyPipe(Pipe(offer), framing, shared), transport, &UNITS, profile);
    serve_all(std::mem::replace(&mut rig.connections, mpsc::channel(1).1), framing);
    let mut told = Told::default();
    while faults.counts().exchanges < exchanges {
        let scan = rig.scan().await;
        let unit = UNITS[scan.device.index()];
        for (sample, field) in scan.samples.iter().zip(fields.iter().copied()) {
            match sample.reading.value() {
                None => told.bad += 1,
                Some(value) if value.to_bits() == expected(unit, field).to_bits() => told.good += 1,
                Some(value) => told.wrong.push(format!("seed {seed}: {value} at unit {unit} {field:?}, {:?}", scan.at)),
            }
        }
    }
    (told, faults.counts())
}

/// Each kind of fault must have happened, and the bus must still be of use.
fn judge(seed: u64, told: &Told, counts: &FaultCounts) {
    assert_eq!(told.wrong, Vec::<String>::new(), "seed {seed}");
    assert!(told.good > 2_500, "seed {seed}: {} good, {} bad, {counts:?}", told.good, told.bad);
    for (kind, n) in [
        ("late", counts.late),
        ("corrupted", counts.corrupted),
        ("truncated", counts.truncated),
        ("foreign", counts.foreign),
        ("duplicated", counts.duplicated),
        ("dropped", counts.dropped),
    ] {
        assert!(n > 5, "seed {seed}: only {n} {kind}");
    }
}

/// The transaction id tells every late answer. A damaged header costs the connection, so there are fewer of those.
#[tokio::test(start_paused = true)]
async fn late_answer_never_reaches_another_register_over_tcp() {
    let rules =
        ["late=20%:401-3000ms", "corrupt=0.5%", "truncate=0.5%", "foreign=3%", "duplicate=5%:0-600ms", "drop=1%"];
    for seed in [1, 2, 3] {
        let (told, counts) = run(tcp(), seed, &rules, 5_000).await;
        judge(seed, &told, &counts);
    }
}

/// No two requests of a unit have the same function and length, so that even an answer that comes a dozen time-outs late, or twice,
/// fits no other.
#[tokio::test(start_paused = true)]
async fn late_answer_never_reaches_another_register_over_rtu() {
    let rules = ["late=20%:401-5000ms", "corrupt=2%", "truncate=2%", "foreign=5%", "duplicate=5%:0-600ms", "drop=2%"];
    for seed in [1, 2, 3, 4, 5, 6] {
        let (told, counts) = run(rtu(), seed, &rules, 5_000).await;
        judge(seed, &told, &counts);
    }
}

/// Where lengths cannot differ, nothing in a frame tells one answer from another: what the bus promises then holds for answers up to two
/// time-outs late, and for a frame that the line repeats within 60 ms.
#[tokio::test(start_paused = true)]
async fn a_device_of_one_register_at_a_time_is_safe_from_two_time_outs_and_from_repeated_frames() {
    let rules = ["late=20%:401-800ms", "corrupt=2%", "truncate=2%", "foreign=5%", "duplicate=5%:0-60ms", "drop=2%"];
    for seed in [1, 2, 3, 4, 5, 6] {
        let (told, counts) = run_with(&narrow(), rtu(), seed, &rules, 5_000).await;
        judge(seed, &told, &counts);
    }
}

/// The 99th percentile of the intervals between answered scans of eight units, unit 4 left out; `dead` keeps it silent.
async fn interval_p99(seed: u64, dead: bool) -> Duration {
    let faults = Faults::new(
        seed,
        ["delay=30%:5-40ms", "foreign=5%", "duplicate=5%"].iter().map(|r| r.parse().unwrap()).collect(),
    );
    let over = |offer| FaultyPipe(Pipe(offer), Framing::Rtu, faults);
    let mut rig = Rig::start_over(over, rtu(), &[1, 2, 3, 4, 5, 6, 7, 8], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        while let Some(asked) = asked_rtu(&mut wire).await {
            if !(dead && asked.unit == 4) {
                tokio::time::sleep(Duration::from_millis(20)).await;
                wire.write_all(&frame_rtu(asked.unit, &data(&asked))).await.unwrap();
            }
        }
    });
    let (mut last, mut intervals) = ([None; 8], Vec::new());
    while intervals.len() < 7 * 600 {
        let scan = rig.scan().await;
        let index = scan.device.index();
        if index != 3 && scan.answered {
            let before = last[index].replace(scan.at.mono);
            intervals.extend(before.map(|before| scan.at.mono.since(before)));
        }
    }
    intervals.sort();
    intervals[intervals.len() * 99 / 100]
}

#[tokio::test(start_paused = true)]
async fn one_dead_unit_of_eight_costs_the_others_little_on_a_restless_line() {
    for seed in [1, 2] {
        let (healthy, one_dead) = (interval_p99(seed, false).await, interval_p99(seed, true).await);
        assert!(one_dead <= healthy.mul_f64(1.15), "seed {seed}: {one_dead:?} against {healthy:?}");
    }
}
