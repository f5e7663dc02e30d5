//! Slaves made by pymodbus on all three wires, read by the product's own configuration and buses.
//!
//! `tests/run` installs pymodbus into a folder of its own and names its interpreter in `HAZARD_PYTHON`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use devices::status::BusStatus;
use devices::{BusMessage, Scan, run_bus};
use e2e::peer::{Program, free_port, wait_until};
use gateway::clock::SystemClock;
use gateway::config::load_site;
use rules::{Fault, Reading};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const PROFILE: &str = "
title_zh = '来源'
title_en = 'origin'
[field.a]
function = 3
address = 7
type = 'u16'
[field.b]
function = 4
address = 150
type = 'u16'
[field.coil]
function = 1
address = 12
type = 'bit'
[field.input]
function = 2
address = 13
type = 'bit'
[field.refused]
function = 3
address = 300
type = 'u16'
";

const FIELDS: [(&str, &str); 5] =
    [("a", "other"), ("b", "other"), ("coil", "state"), ("input", "state"), ("refused", "other")];

const UNITS: [u8; 3] = [1, 2, 9];
/// Longest wait for anything.
const SOON: Duration = Duration::from_secs(30);

/// What `serve.py` gives for a field of a unit; `None` where it refuses.
fn held(unit: u8, field: &str) -> Option<f64> {
    let unit = u16::from(unit);
    match field {
        "a" => Some(f64::from(unit * 1000 + 7)),
        "b" => Some(f64::from(unit * 1000 + 150)),
        "coil" => Some(f64::from(u8::from((unit + 12).is_multiple_of(3)))),
        "input" => Some(f64::from(u8::from((unit + 13).is_multiple_of(5)))),
        _ => None,
    }
}

/// A site with one link; every unit has all points.
fn site(link: &str) -> String {
    let mut text = format!(
        "[site]\nkey = 'east'\nname = '东厂'\nname_en = 'East'\n[[area]]\nkey = 'A1'\nname = '罐区'\nname_en = 'Tanks'\n\
         [[link]]\nkey = 'line'\n{link}\ntimeout_ms = 1000\n"
    );
    for unit in UNITS {
        text +=
            &format!("[[device]]\nkey = 'd{unit}'\nlink = 'line'\nunit = {unit}\nprofile = 'origin'\narea = 'A1'\n");
        for (field, kind) in FIELDS {
            let range = if kind == "state" { "" } else { "range = [0, 20000]\n" };
            text += &format!(
                "[[point]]\nkey = 'P{unit}-{field}'\nname = '量'\nname_en = 'value'\ndevice = 'd{unit}'\nfield = '{field}'\n\
                 kind = '{kind}'\n{range}"
            );
        }
    }
    text
}

fn python(dir: &Path, way: &str, place: &str) -> Program {
    let python = std::env::var("HAZARD_PYTHON").expect("tests/run e2e sets HAZARD_PYTHON to a python with pymodbus");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pymodbus/serve.py");
    Program::start("pymodbus", dir, Command::new(python).arg(script).args([way, place]))
}

/// Reads every unit three times; each register names its unit and address, bits differ from unit to unit, and what is refused costs no other.
async fn read(dir: &Path, link: &str) {
    std::fs::create_dir_all(dir.join("profiles")).unwrap();
    std::fs::write(dir.join("profiles/origin.toml"), PROFILE).unwrap();
    std::fs::write(dir.join("site.toml"), site(link)).unwrap();
    let (site, _) = load_site(&dir.join("site.toml")).unwrap();
    let bus = site.buses.into_iter().next().unwrap();
    let bindings = bus.devices.iter().flat_map(|d| d.points.iter().map(|p| (p.point, (d.unit, p.field.to_string()))));
    let fields: BTreeMap<_, _> = bindings.collect();
    let status = Arc::new(BusStatus::new(&bus));
    let (out, mut messages) = mpsc::channel(64);
    let stop = CancellationToken::new();
    tokio::spawn(run_bus(bus, Arc::new(SystemClock::default()), out, status.clone(), stop.clone()));
    let _ends = stop.drop_guard();
    // Each value comes when it is read.
    let mut seen: BTreeMap<_, u32> = fields.keys().map(|point| (*point, 0)).collect();
    let reading = async {
        while seen.values().any(|n| *n < 3) {
            if let BusMessage::Scan(Scan { answered: true, samples, .. }) = messages.recv().await.unwrap() {
                for sample in samples {
                    let (unit, field) = &fields[&sample.point];
                    match held(*unit, field) {
                        Some(value) => assert_eq!(sample.reading.value(), Some(value), "{link}: unit {unit} {field}"),
                        None => assert_eq!(
                            sample.reading,
                            Reading::Bad(Fault::Configuration),
                            "{link}: unit {unit} {field}"
                        ),
                    }
                    *seen.entry(sample.point).or_default() += 1;
                }
            }
        }
    };
    tokio::time::timeout(SOON, reading).await.unwrap_or_else(|_| panic!("{link}: {:?}", status.report()));
    let units = status.report().units;
    assert!(units.iter().all(|unit| unit.exceptions_by_code.contains_key(&2)), "{link}: {units:?}");
    let link_seen = status.snapshot().link;
    assert_eq!((link_seen.crc, link_seen.foreign, link_seen.short), (0, 0, 0), "{link}: {link_seen:?}");
}

#[tokio::test]
async fn slaves_by_pymodbus_are_read_over_modbus_tcp() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let _slave = python(dir.path(), "tcp", &port.to_string());
    read(dir.path(), &format!("tcp = '127.0.0.1:{port}'")).await;
}

#[tokio::test]
async fn slaves_by_pymodbus_are_read_over_rtu_through_a_converter() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let _slave = python(dir.path(), "rtu_over_tcp", &port.to_string());
    read(dir.path(), &format!("rtu_over_tcp = '127.0.0.1:{port}'")).await;
}

#[tokio::test]
async fn slaves_by_pymodbus_are_read_over_a_serial_line() {
    let dir = tempfile::tempdir().unwrap();
    let ends = ["near", "far"].map(|end| dir.path().join(end).display().to_string());
    let pair = ends.each_ref().map(|end| format!("PTY,link={end},raw,echo=0"));
    let _line = Program::start("socat", dir.path(), Command::new("socat").args(&pair));
    wait_until(SOON, || ends.iter().all(|end| Path::new(end).exists()).then_some(())).expect("socat makes both ends");
    let _slave = python(dir.path(), "serial", &ends[1]);
    read(dir.path(), &format!("serial = '{}'", ends[0])).await;
}
