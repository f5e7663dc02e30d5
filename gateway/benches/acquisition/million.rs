//! A million exchanges over a wire that delays, damages, repeats and foists answers: no value may be another register's. In virtual time,
//! with the live bus; every word of the instruments says unit, function and address.

use crate::running::Folder;
use crate::table;
use devices::status::BusStatus;
use devices::{BusMessage, BusSpec, Connect, Connecting, LinkStream, Parity, SerialDriver, Transport, run_bus_with};
use gateway::clock::SystemClock;
use sim::{FaultCounts, Faults, FaultyStream, Framing};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const EXCHANGES: u64 = 500_000;
/// `SEED` in the environment takes another course.
const SEED: u64 = 20;
const UNITS: [u8; 4] = [1, 2, 3, 9];
/// Values of the same and of other shapes, at the same address under two functions, too far apart for one request.
const FIELDS: [(&str, u8, u16, &str); 5] =
    [("a", 3, 0, "u16"), ("b", 3, 100, "u16"), ("c", 3, 200, "u32"), ("d", 4, 0, "u16"), ("e", 4, 100, "u16")];
/// The time-out is 400 ms at most and adapts downwards. A damaged header costs a socket, so that there are fewer of those.
const ON_SOCKETS: [&str; 6] =
    ["late=20%:150-3000ms", "corrupt=0.5%", "truncate=0.5%", "foreign=3%", "duplicate=5%:0-600ms", "drop=1%"];
const ON_LINES: [&str; 6] =
    ["late=20%:150-3000ms", "corrupt=2%", "truncate=2%", "foreign=5%", "duplicate=5%:0-600ms", "drop=2%"];
/// A bus that holds every value for bad would never be wrong.
const GOOD_LEAST: f64 = 0.4;

/// Four bits of unit, one of function, eleven of address.
fn word(unit: u8, function: u8, address: u16) -> u16 {
    u16::from(unit) << 12 | u16::from(function & 1) << 11 | address
}

fn expected(unit: u8, (_, function, address, kind): (&str, u8, u16, &str)) -> f64 {
    let at = |address| word(unit, function, address);
    if kind == "u32" {
        f64::from(u32::from(at(address)) << 16 | u32::from(at(address + 1)))
    } else {
        at(address).into()
    }
}

/// Opens a wire with faults on it, and serves its other end.
struct Faulty(Framing, Faults);

impl Connect for Faulty {
    fn connect(&mut self) -> Connecting<'_> {
        let (near, far) = tokio::io::duplex(4096);
        tokio::spawn(serve(far, self.0));
        let stream = FaultyStream::new(near, self.0, self.1.clone());
        Box::pin(async move { Ok(Box::new(stream) as Box<dyn LinkStream>) })
    }
}

/// Answers every request rightly, 5 ms later.
async fn serve(mut wire: DuplexStream, framing: Framing) -> std::io::Result<()> {
    let head = if framing == Framing::Tcp { 6 } else { 0 };
    let mut request = vec![0; if framing == Framing::Tcp { 12 } else { 8 }];
    loop {
        wire.read_exact(&mut request).await?;
        let [unit, function, a0, a1, c0, c1] = request[head..head + 6].try_into().expect("six bytes");
        let (address, count) = (u16::from_be_bytes([a0, a1]), u16::from_be_bytes([c0, c1]));
        let mut frame = vec![unit, function, u8::try_from(count * 2).expect("at most 125")];
        frame.extend((address..address + count).flat_map(|a| word(unit, function, a).to_be_bytes()));
        if framing == Framing::Tcp {
            let length = u16::try_from(frame.len()).expect("at most 253").to_be_bytes();
            frame.splice(0..0, [request[0], request[1], 0, 0, length[0], length[1]]);
        } else {
            let sum = crate::peers::crc(&frame);
            frame.extend(sum.to_le_bytes());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        wire.write_all(&frame).await?;
    }
}

fn bus(folder: &Path, transport: Transport) -> BusSpec {
    let mut profile = "title_zh = '多'\ntitle_en = 'many'\n[limits]\nmax_registers = 16\n".to_owned();
    let mut site = format!(
        "[site]\nkey = 'bench'\nname = '基准'\nname_en = 'Bench'\ndata_dir = '{}'\n[web]\nlisten = '127.0.0.1:0'\n[[area]]\nkey = 'A'\n\
         name = '区'\nname_en = 'Area'\n[[link]]\nkey = 'l'\ntcp = '127.0.0.1:1'\ntimeout_ms = 400\n",
        folder.join("data").display()
    );
    for (name, function, address, kind) in FIELDS {
        let _ = write!(profile, "[field.{name}]\nfunction = {function}\naddress = {address}\ntype = '{kind}'\n");
    }
    for unit in UNITS {
        let _ = write!(site, "[[device]]\nkey = 'd{unit}'\nlink = 'l'\nunit = {unit}\nprofile = 'many'\narea = 'A'\n");
        for (name, ..) in FIELDS {
            let _ = write!(
                site,
                "[[point]]\nkey = '{unit}-{name}'\nname = '测点'\nname_en = 'Point'\ndevice = 'd{unit}'\nfield = '{name}'\nkind = 'other'\n\
                 unit = '1'\nrange = [0, 4294967295]\nperiod_ms = 1000\n"
            );
        }
    }
    std::fs::create_dir_all(folder.join("profiles")).expect("the folder is ours");
    std::fs::write(folder.join("profiles/many.toml"), profile).expect("the folder is ours");
    std::fs::write(folder.join("site.toml"), site).expect("the folder is ours");
    let checked = gateway::config::check_site(&folder.join("site.toml"));
    let mut spec = checked.value.expect("the site is right").buses.remove(0);
    spec.transport = transport;
    spec
}

#[derive(Debug, Default)]
struct Told {
    good: u64,
    bad: u64,
    wrong: u64,
}

async fn run(spec: BusSpec, framing: Framing, rules: [&str; 6]) -> (Told, FaultCounts) {
    let seed = std::env::var("SEED").map_or(SEED, |seed| seed.parse().expect("SEED is a number"));
    let faults = Faults::new(seed, rules.iter().map(|r| r.parse().expect("a rule")).collect());
    let fields: Vec<(rules::PointId, f64)> = spec
        .devices
        .iter()
        .flat_map(|d| d.points.iter().map(|p| (d.unit, p)))
        .map(|(unit, point)| {
            let field = FIELDS.into_iter().find(|f| f.0 == &*point.field).expect("ours");
            (point.point, expected(unit, field))
        })
        .collect();
    let (status, (out, mut scans)) = (Arc::new(BusStatus::new(&spec)), mpsc::channel(1024));
    let (stop, clock) = (CancellationToken::new(), Arc::new(SystemClock::default()));
    tokio::spawn(run_bus_with(Faulty(framing, faults.clone()), spec, clock, out, status, stop.clone()));
    let mut told = Told::default();
    while faults.counts().exchanges < EXCHANGES {
        let BusMessage::Scan(scan) = scans.recv().await.expect("it runs") else { continue };
        for sample in &scan.samples {
            let own = fields.iter().find(|f| f.0 == sample.point).expect("ours").1;
            match sample.reading.value() {
                None => told.bad += 1,
                Some(value) if value.to_bits() == own.to_bits() => told.good += 1,
                Some(_) => told.wrong += 1,
            }
        }
    }
    stop.cancel();
    (told, faults.counts())
}

/// Half a million on a socket and as many on a serial line.
pub(crate) fn exchanges() {
    let folder = Folder::new("million");
    let tcp = Transport::Tcp { address: "in memory".to_owned() };
    let (path, driver) = ("in memory".to_owned(), SerialDriver::default());
    let rtu = Transport::Rtu { path, baud: 9_600, data_bits: 8, parity: Parity::None, stop_bits: 1, driver };
    for (name, transport, framing, rules) in
        [("TCP", tcp, Framing::Tcp, ON_SOCKETS), ("RTU", rtu, Framing::Rtu, ON_LINES)]
    {
        let spec = bus(folder.path(), transport);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let (told, counts) = runtime.expect("a runtime").block_on(run(spec, framing, rules));
        let name = format!("{} exchanges, {name}", counts.exchanges);
        let note = format!(
            "{} late, {} foreign, {} short, {} damaged, {} repeated, {} lost",
            counts.late, counts.foreign, counts.truncated, counts.corrupted, counts.duplicated, counts.dropped
        );
        #[allow(clippy::cast_precision_loss, reason = "below a million")]
        let (wrong, good) = (told.wrong as f64, told.good as f64 / (told.good + told.bad) as f64);
        table::row(&name, "values on a wrong register", wrong, Some(0.0), &note);
        table::at_least(&name, "values that are good ÷ all", good, GOOD_LEAST, "all others are bad");
    }
}
