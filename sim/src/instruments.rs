//! The instruments of the demo site as Modbus units: link → unit → registers and coils, made from the plant at each request.
//!
//! Owns the register maps. They follow the profiles shipped with `devices`, written out again here on purpose: the gateway
//! is tested against a second reading of the same manuals. Transport is in `serve`.

use crate::plant::Plant;
use crate::scenario::Scenario;
use std::fmt;
use std::future::{Ready, ready};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_modbus::server::Service;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// The links of the demo site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    TcpA1,
    TcpA2,
    RtuA3,
}

/// A name that no link has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("没有此链路 no such link: {0}")]
pub struct UnknownLink(pub String);

impl Link {
    pub const ALL: [Self; 3] = [Self::TcpA1, Self::TcpA2, Self::RtuA3];

    /// The name of the demo site's configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TcpA1 => "tcp-a1",
            Self::TcpA2 => "tcp-a2",
            Self::RtuA3 => "rtu-a3",
        }
    }
}

impl FromStr for Link {
    type Err = UnknownLink;

    fn from_str(name: &str) -> Result<Self, UnknownLink> {
        Self::ALL.into_iter().find(|link| link.name() == name).ok_or_else(|| UnknownLink(name.to_owned()))
    }
}

/// One answer as it leaves an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub link: Link,
    pub unit: u8,
    /// 1 coils, 3 holding registers.
    pub function: u8,
    pub address: u16,
    /// Registers, or coils as 0 and 1.
    pub words: Vec<u16>,
}

/// Called with every answer just before it is sent: what a test compares the other end with.
#[derive(Clone)]
pub struct Tap(Arc<dyn Fn(Served) + Send + Sync>);

impl Tap {
    pub fn new(hear: impl Fn(Served) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

/// The units on one link, answering from the plant.
#[derive(Clone, Debug)]
pub struct Instruments {
    link: Link,
    plant: Arc<Mutex<Plant>>,
    tap: Option<Tap>,
}

/// The units of `link` as a Modbus service, for any of tokio-modbus' servers.
#[must_use]
pub const fn service(link: Link, plant: Arc<Mutex<Plant>>) -> Instruments {
    Instruments { link, plant, tap: None }
}

impl Instruments {
    /// Tells `tap` every answer.
    #[must_use]
    pub fn tapped(self, tap: Option<Tap>) -> Self {
        Self { tap, ..self }
    }

    fn tell(&self, unit: u8, request: &Request<'_>, answer: Option<&Response>) {
        let Some(tap) = &self.tap else { return };
        let (function, address, words) = match (request, answer) {
            (Request::ReadCoils(address, _), Some(Response::ReadCoils(bits))) => {
                (1, *address, bits.iter().map(|bit| u16::from(*bit)).collect())
            }
            (Request::ReadHoldingRegisters(address, _), Some(Response::ReadHoldingRegisters(words))) => {
                (3, *address, words.clone())
            }
            _ => return,
        };
        (tap.0)(Served { link: self.link, unit, function, address, words });
    }
}

impl Service for Instruments {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Self::Response, Self::Exception>>;

    fn call(&self, SlaveRequest { slave, request }: Self::Request) -> Self::Future {
        let plant = self.plant.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answer(self.link, slave, &request, &plant);
        if let Ok(answer) = &answer {
            self.tell(slave, &request, answer.as_ref());
        }
        ready(answer)
    }
}

/// What one unit holds.
#[derive(Default)]
struct Unit {
    /// First address and contents of the block of holding registers.
    start: u16,
    registers: Vec<u16>,
    coils: Vec<bool>,
}

fn answer(link: Link, slave: u8, request: &Request<'_>, plant: &Plant) -> Result<Option<Response>, ExceptionCode> {
    let Some(unit) = unit(link, slave, plant) else { return Ok(None) };
    match request {
        Request::ReadCoils(address, count) => {
            slice(&unit.coils, 0, *address, *count, 2000).map(|bits| Some(Response::ReadCoils(bits)))
        }
        Request::ReadHoldingRegisters(address, count) => slice(&unit.registers, unit.start, *address, *count, 125)
            .map(|words| Some(Response::ReadHoldingRegisters(words))),
        _ => Err(ExceptionCode::IllegalFunction),
    }
}

fn slice<T: Clone>(all: &[T], start: u16, address: u16, count: u16, most: u16) -> Result<Vec<T>, ExceptionCode> {
    if count == 0 || count > most {
        return Err(ExceptionCode::IllegalDataValue);
    }
    let from = usize::from(address.checked_sub(start).ok_or(ExceptionCode::IllegalDataAddress)?);
    let found = all.get(from..from + usize::from(count)).ok_or(ExceptionCode::IllegalDataAddress)?;
    Ok(found.to_vec())
}

/// The unit at an address; `None` stays silent.
fn unit(link: Link, slave: u8, plant: &Plant) -> Option<Unit> {
    if link == Link::TcpA2 && plant.is_running(Scenario::BusDead) {
        return None;
    }
    let holding = |start, registers| Unit { start, registers, coils: Vec::new() };
    Some(match (link, slave) {
        (Link::TcpA1, 1) => holding(0, ammonia_tanks(plant)),
        (Link::TcpA1, 2) => utilities(plant),
        (Link::TcpA1, 11) => holding(0x6000, gas_module(plant, "GT-101", 10.0, 100.0)),
        (Link::TcpA1, 12) => holding(0x6000, gas_module(plant, "GT-102", 10.0, 100.0)),
        (Link::TcpA1, 13) => holding(0x6000, gas_module(plant, "GT-103", 10.0, 100.0)),
        (Link::TcpA1, 14) => holding(0x6000, gas_module(plant, "GT-104", 10.0, 100.0)),
        (Link::TcpA1, 15) => holding(0, gas_head(plant, "GD-101", [20.0, 40.0])),
        (Link::TcpA2, 21) => holding(0, methanol_tanks(plant)),
        (Link::TcpA2, 31) => holding(0, gas_head(plant, "GD-201", [25.0, 50.0])),
        (Link::TcpA2, 32) => holding(0, gas_head(plant, "GD-202", [25.0, 50.0])),
        (Link::TcpA2, 33) => holding(0, gas_head(plant, "GD-203", [25.0, 50.0])),
        (Link::TcpA2, 34) => holding(0, gas_head(plant, "GD-204", [25.0, 50.0])),
        (Link::RtuA3, 41) => holding(0x6000, gas_module(plant, "GT-301", 100.0, 3.0)),
        (Link::RtuA3, 42) => holding(0x6000, gas_module(plant, "GT-302", 100.0, 3.0)),
        (Link::RtuA3, 43) => holding(0x6000, gas_module(plant, "GT-303", 100.0, 3.0)),
        _ => return None,
    })
}

/// Six floats, high word first.
fn ammonia_tanks(plant: &Plant) -> Vec<u16> {
    ["PT-101A", "PT-101B", "TT-101A", "TT-101B", "LT-101A", "LT-101B"]
        .into_iter()
        .flat_map(|key| float_words(plant, key))
        .collect()
}

/// Two floats with the low word first, then scaled integers.
fn methanol_tanks(plant: &Plant) -> Vec<u16> {
    let mut words = Vec::with_capacity(8);
    for key in ["LT-201A", "LT-201B"] {
        let [high, low] = float_words(plant, key);
        words.extend([low, high]);
    }
    words.extend([scaled(plant, "TT-201A", 10.0), scaled(plant, "TT-201B", 10.0)]);
    words.extend([scaled(plant, "PT-201A", 100.0), scaled(plant, "PT-201B", 100.0)]);
    words
}

fn utilities(plant: &Plant) -> Unit {
    let registers = vec![
        scaled(plant, "WS-001", 10.0),
        scaled(plant, "WD-001", 1.0),
        scaled(plant, "UPS-001B", 1.0),
        scaled(plant, "PS-601", 1000.0),
    ];
    Unit { start: 0, registers, coils: vec![plant.scrubber_fan(), false] }
}

/// Status bits, concentration, four reserved words, run state.
fn gas_module(plant: &Plant, key: &str, scale: f64, range: f64) -> Vec<u16> {
    if key == "GT-303" && plant.is_running(Scenario::DetectorFault) {
        return vec![1 << 5, 0, 0, 0, 0, 0, 2];
    }
    let over = plant.value(key).is_some_and(|value| value > range);
    vec![u16::from(over) << 4, scaled(plant, key, scale), 0, 0, 0, 0, 1]
}

/// Concentration, state (0 normal, 1 alarm), alarm level (0 none, 1 low, 2 high).
fn gas_head(plant: &Plant, key: &str, levels: [f64; 2]) -> Vec<u16> {
    let value = plant.value(key).unwrap_or(0.0);
    let level = levels.into_iter().map(|limit| u16::from(value >= limit)).sum();
    vec![scaled(plant, key, 10.0), u16::from(level > 0), level]
}

#[allow(clippy::cast_possible_truncation, reason = "instruments send single precision")]
fn float_words(plant: &Plant, key: &str) -> [u16; 2] {
    let [a, b, c, d] = (plant.value(key).unwrap_or(0.0) as f32).to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

/// Value × scale as a signed or unsigned word; all values of the demo plant fit.
#[allow(clippy::cast_possible_truncation, reason = "clamped to the word just before")]
fn scaled(plant: &Plant, key: &str, scale: f64) -> u16 {
    let whole = (plant.value(key).unwrap_or(0.0) * scale).round().clamp(-32_767.0, 32_766.0) as i16;
    u16::from_be_bytes(whole.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(link: Link, slave: u8, address: u16, count: u16, plant: &Plant) -> Option<Response> {
        answer(link, slave, &Request::ReadHoldingRegisters(address, count), plant).unwrap()
    }

    #[test]
    fn a_gas_module_shows_its_concentration_and_its_run_state() {
        let plant = Plant::demo(1);
        assert_eq!(
            read(Link::TcpA1, 12, 0x6000, 7, &plant),
            Some(Response::ReadHoldingRegisters(vec![0, 20, 0, 0, 0, 0, 1]))
        );
    }

    #[test]
    fn a_lost_sensor_shows_in_the_bits_and_in_the_run_state() {
        let mut plant = Plant::demo(1);
        plant.start(Scenario::DetectorFault);
        assert_eq!(
            read(Link::RtuA3, 43, 0x6000, 7, &plant),
            Some(Response::ReadHoldingRegisters(vec![0x20, 0, 0, 0, 0, 0, 2]))
        );
    }

    #[test]
    fn strangers_and_dead_links_are_silent_and_unknown_addresses_are_refused() {
        let mut plant = Plant::demo(1);
        assert_eq!(read(Link::TcpA1, 99, 0, 1, &plant), None);
        let beyond = Request::ReadHoldingRegisters(0, 9);
        assert_eq!(answer(Link::TcpA2, 21, &beyond, &plant), Err(ExceptionCode::IllegalDataAddress));
        plant.start(Scenario::BusDead);
        assert_eq!(read(Link::TcpA2, 21, 0, 8, &plant), None);
    }

    #[test]
    fn methanol_levels_come_with_the_low_word_first() {
        let [high, low] = [0x411C, 0xCCCD]; // 9.8
        let Some(Response::ReadHoldingRegisters(words)) = read(Link::TcpA2, 21, 0, 2, &Plant::demo(1)) else {
            unreachable!("unit 21 answers")
        };
        assert_eq!(words, [low, high]);
    }
}
