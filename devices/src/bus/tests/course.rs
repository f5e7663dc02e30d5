//! RTU under a script: each request is answered at once, late, twice, damaged, behind an echo or a foreign frame, with an exception or not at
//! all, as two bytes say. Every register says unit, function and address, and beside them which answer it was in, so that no late answer
//! looks like a present one.
//!
//! ```text
//!   lengths can differ     a value is the register's own or bad, however late an answer, an echo or a repetition comes
//!   one register a time    the same for what comes within two time-outs, and for a frame that is repeated within 60 ms
//!   both                   what was not answered is asked again before anything else of the unit, on a serial line after a silence
//! ```
//! Shapes are given up where a length was never answered, so the first answers are right, and no request is missed three times in a row.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// Of two coils the request is three bytes long, and that for the third one begins like an answer of three bytes.
const FIELDS: [(&str, u8, u16, &str); 8] = [
    ("a", 3, 0, "u16"),
    ("b", 3, 100, "u16"),
    ("c", 3, 200, "u16"),
    ("d", 4, 0, "u16"),
    ("e", 4, 100, "u16"),
    ("f", 1, 0x100, "bit"),
    ("g", 1, 0x113, "bit"),
    ("h", 1, 0x310, "bit"),
];
const UNITS: [u8; 2] = [1, 2];
/// What the bus does not ask for.
const FOREIGN: u8 = 3;
/// The link's longest time-out.
const TIMEOUT_MS: u64 = 400;
/// Beyond the time-out the bus waits as long as the longest request and its answer take at 9600 baud.
const ON_THE_WIRE_MS: u64 = 50;
/// Each request of either unit three times over, by then answered as it is asked for.
const FIRST: usize = 3 * 2 * FIELDS.len();

/// Unit, function and address; below them three bits of the answer it was in.
fn word(unit: u8, function: u8, address: u16, nth: u16) -> u16 {
    u16::from(unit) << 14 | u16::from(function == 4) << 13 | (address & 0x3FF) << 3 | (nth % 8)
}

/// No two of a unit's three are the same in both units.
fn coil(unit: u8, address: u16) -> bool {
    match address {
        0x113 => false,
        0x310 => unit == UNITS[1],
        _ => true,
    }
}

/// The value is that of this field, whichever answer it was in.
fn is_of(value: f64, unit: u8, (_, function, address, _): (&str, u8, u16, &str)) -> bool {
    let may_be = |expected: u16| (value - f64::from(expected)).abs() < f64::EPSILON;
    if function == 1 {
        return may_be(u16::from(coil(unit, address)));
    }
    (0..8).any(|nth| may_be(word(unit, function, address, nth)))
}

struct Line {
    script: std::vec::IntoIter<(u8, u8)>,
    /// One register at a time: nothing but time tells its requests apart.
    narrow: bool,
    serial: bool,
    asked: usize,
    /// What is on its way to whoever is connected then.
    due: Vec<(Instant, Vec<u8>)>,
    /// When the line said something last, and all that it said since the last request or at that very moment.
    said: (Instant, Vec<u8>),
    asked_at: Instant,
    /// The last request, while it has no answer that came in its time.
    missed: Option<Vec<u8>>,
    /// How often in a row each request was missed.
    misses: BTreeMap<Vec<u8>, u32>,
    breaches: Vec<String>,
}

impl Line {
    fn right(&self, asked: &Asked) -> Vec<u8> {
        let nth = u16::try_from(self.asked % 8).unwrap();
        let places = asked.address..asked.address + asked.count;
        let data: Vec<u8> = if asked.function == 1 {
            let bits: Vec<bool> = places.map(|place| coil(asked.unit, place)).collect();
            bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | u8::from(*bit))).collect()
        } else {
            places.flat_map(|at| word(asked.unit, asked.function, at, nth).to_be_bytes()).collect()
        };
        let pdu = [&[asked.function, u8::try_from(data.len()).unwrap()][..], &data].concat();
        frame_rtu(asked.unit, &pdu)
    }

    /// What comes of a request, and when.
    fn hear(&mut self, asked: &Asked, now: Instant) {
        self.asked += 1;
        self.follows_a_miss(asked, now);
        let (right, foreign) = (self.right(asked), self.right(&Asked { unit: FOREIGN, ..asked.clone() }));
        let misses = self.misses.get(&asked.head).copied().unwrap_or(0);
        let (what, how) = if self.asked <= FIRST { (0, 0) } else { self.script.next().unwrap_or((0, 0)) };
        let what = if misses >= 2 && !self.narrow { 0 } else { what % 14 };
        let how = u64::from(how);
        let late = TIMEOUT_MS + 1 + if self.narrow { how * (TIMEOUT_MS - 1) / 255 } else { how * 20 };
        let again = if self.narrow { how % 60 } else { how * 10 };
        let mut say = |ms: u64, bytes: Vec<u8>| self.due.push((now + Duration::from_millis(ms), bytes));
        let answered = !matches!(what, 4..=8);
        match what {
            4 => {}
            5 => say(late, right),
            6 => say(late, [asked.head.clone(), right].concat()),
            7 => {
                let mut damaged = right;
                let at = usize::try_from(how).unwrap() % damaged.len();
                damaged[at] ^= 1 << (how % 8);
                say(5, damaged);
            }
            8 => say(5, right[..usize::try_from(how).unwrap() % right.len()].to_vec()),
            9 => [5, 5 + again].into_iter().for_each(|ms| say(ms, right.clone())),
            10 => say(5, [foreign, right].concat()),
            11 => say(5, [asked.head.clone(), right].concat()),
            12 => say(5, frame_rtu(asked.unit, &[asked.function | 0x80, [4, 5, 6][usize::try_from(how).unwrap() % 3]])),
            _ => say(5, right),
        }
        if self.said.0 != now {
            self.said.1.clear();
        }
        let answered = answered || answers(&asked.head, &self.said.1);
        self.missed = (!answered).then(|| asked.head.clone());
        self.misses.insert(asked.head.clone(), if answered { 0 } else { misses + 1 });
        self.asked_at = now;
    }

    /// The same request comes first, and after a silence.
    fn follows_a_miss(&mut self, asked: &Asked, now: Instant) {
        let Some(before) = &self.missed else { return };
        // One that is dead is asked for another of its requests, and so is one of which that request alone stays silent: then later.
        let waited = now - self.asked_at >= Duration::from_millis(2 * TIMEOUT_MS);
        if before[0] == asked.unit && *before != asked.head && !(self.narrow && waited) {
            self.breaches.push(format!("{before:02X?} was not answered, then {:02X?}", asked.head));
        }
        let silence = now - self.said.0;
        if self.serial && silence < Duration::from_millis(20) {
            self.breaches.push(format!("asked {silence:?} after the line had said something"));
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.due.iter().map(|(at, _)| *at).min()
    }

    fn take_due(&mut self, now: Instant) -> Vec<u8> {
        let (ripe, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.due).into_iter().partition(|(at, _)| *at <= now);
        self.due = rest;
        let said: Vec<u8> = ripe.into_iter().flat_map(|(_, bytes)| bytes).collect();
        let in_time = now - self.asked_at <= Duration::from_millis(TIMEOUT_MS + ON_THE_WIRE_MS);
        // A frame that was cut short may be made whole by the first byte of the next one.
        self.said.0 = now;
        self.said.1.extend_from_slice(&said);
        if let Some(request) = self.missed.take_if(|request| in_time && answers(request, &self.said.1)) {
            self.misses.insert(request, 0);
        }
        said
    }
}

/// An earlier answer to the same request, or one that nothing tells from it, is among what was said.
fn answers(request: &[u8], said: &[u8]) -> bool {
    let count = be(request[4], request[5]);
    let bytes = u8::try_from(if request[1] <= 2 { count.div_ceil(8) } else { count * 2 }).unwrap();
    let whole = |from: usize, pdu: usize| said.get(from..from + 3 + pdu).map(|f| frame_rtu(f[0], &f[1..=pdu]) == f);
    let good = |from| {
        said[from..].starts_with(&[request[0], request[1], bytes]) && whole(from, 2 + usize::from(bytes)) == Some(true)
    };
    let exception = |from| said[from..].starts_with(&[request[0], request[1] | 0x80]) && whole(from, 2) == Some(true);
    (0..said.len()).any(|from| good(from) || exception(from))
}

/// The line on every connection there will be; what is on its way when one ends reaches the next, as out of a converter.
async fn serve(mut connections: mpsc::Receiver<DuplexStream>, line: Arc<Mutex<Line>>) {
    while let Some(mut wire) = connections.recv().await {
        let mut heard = Vec::new();
        loop {
            let due = line.lock().unwrap().next_due();
            let wait = async { tokio::time::sleep_until(due.unwrap_or_else(Instant::now)).await };
            let mut bytes = [0; 64];
            tokio::select! {
                biased;
                () = wait, if due.is_some() => {
                    let said = line.lock().unwrap().take_due(Instant::now());
                    if wire.write_all(&said).await.is_err() {
                        break;
                    }
                }
                read = wire.read(&mut bytes) => match read {
                    Ok(n @ 1..) => heard.extend_from_slice(&bytes[..n]),
                    _ => break,
                },
            }
            while heard.len() >= 8 {
                let head: Vec<u8> = heard.drain(..8).collect();
                let (address, count) = (be(head[2], head[3]), be(head[4], head[5]));
                let asked = Asked { unit: head[0], function: head[1], address, count, head };
                line.lock().unwrap().hear(&asked, Instant::now());
            }
        }
    }
}

/// Plays one script; panics where a value is another register's, or where the bus does not do its part.
async fn play(transport: Transport, narrow: bool, script: Vec<(u8, u8)>) {
    let serial = matches!(transport, Transport::Rtu { .. });
    let limits = if narrow { "max_registers = 1\nmax_bits = 1" } else { "" };
    let mut rig = Rig::start(transport, &UNITS, &profile_of(limits, &FIELDS));
    let (script, now) = (script.into_iter(), Instant::now());
    let (due, breaches) = (Vec::new(), Vec::new());
    let line = Line {
        script,
        narrow,
        serial,
        asked: 0,
        due,
        said: (now, Vec::new()),
        asked_at: now,
        missed: None,
        misses: BTreeMap::new(),
        breaches,
    };
    let line = Arc::new(Mutex::new(line));
    tokio::spawn(serve(std::mem::replace(&mut rig.connections, mpsc::channel(1).1), line.clone()));
    let (mut back, all) = (BTreeSet::new(), UNITS.len() * FIELDS.len());
    while back.len() < all {
        let part = rig.part().await;
        let over = line.lock().unwrap().script.len() == 0;
        assert!(now.elapsed() < Duration::from_secs(1_800), "only {} of {all} points came back", back.len());
        for sample in &part.samples {
            let (device, field) = (sample.point.index() / FIELDS.len(), sample.point.index() % FIELDS.len());
            let Some(value) = sample.reading.value() else { continue };
            assert!(is_of(value, UNITS[device], FIELDS[field]), "{value} as {:?} of {}", FIELDS[field], UNITS[device]);
            if over {
                back.insert(sample.point.index());
            }
        }
    }
    assert_eq!(line.lock().unwrap().breaches, Vec::<String>::new());
}

fn run(transport: Transport, narrow: bool, script: Vec<(u8, u8)>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(play(transport, narrow, script));
}

fn over_tcp() -> Transport {
    Transport::RtuOverTcp { address: "in memory".into() }
}

fn script() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec(any::<(u8, u8)>(), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_late_on_a_serial_line_no_register_has_the_value_of_another(script in script()) {
        run(rtu(), false, script);
    }

    #[test]
    fn whatever_comes_late_out_of_a_converter_no_register_has_the_value_of_another(script in script()) {
        run(over_tcp(), false, script);
    }

    #[test]
    fn of_a_device_of_one_register_at_a_time_what_comes_within_two_time_outs_reaches_no_other_register(
        script in script(), serial in any::<bool>(),
    ) {
        run(if serial { rtu() } else { over_tcp() }, true, script);
    }
}
