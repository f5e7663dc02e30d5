//! The instruments of the sites as Modbus units: link → unit → registers, coils and inputs, made from the plant at each request.
//!
//! Owns the answers. The register maps of each site are in files of their own; they follow the profiles shipped with `devices`,
//! written out again here on purpose: the gateway is tested against a second reading of the same manuals. Transport is in
//! `serve`.

mod chemical;
mod cold_store;
mod mine;
#[cfg(test)]
mod tests;
mod words;

use crate::link::Link;
use crate::plant::Plant;
use crate::serve::{self, Answer};
use crate::site::SiteName;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_modbus::{ExceptionCode, Request, Response};

/// One answer as it leaves an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub link: Link,
    pub unit: u8,
    /// 1 coils, 2 discrete inputs, 3 holding registers.
    pub function: u8,
    pub address: u16,
    /// Registers, or coils and inputs as 0 and 1.
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
            (Request::ReadDiscreteInputs(address, _), Some(Response::ReadDiscreteInputs(bits))) => {
                (2, *address, bits.iter().map(|bit| u16::from(*bit)).collect())
            }
            (Request::ReadHoldingRegisters(address, _), Some(Response::ReadHoldingRegisters(words))) => {
                (3, *address, words.clone())
            }
            _ => return,
        };
        (tap.0)(Served { link: self.link, unit, function, address, words });
    }
}

impl serve::Unit for Instruments {
    fn answer(&self, slave: u8, request: &Request<'_>) -> Answer {
        let plant = self.plant.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answer(self.link, slave, request, &plant);
        if let Ok(answer) = &answer {
            self.tell(slave, request, answer.as_ref());
        }
        answer
    }
}

/// What one unit holds.
#[derive(Default)]
struct Unit {
    /// First address and contents of the block of holding registers.
    start: u16,
    registers: Vec<u16>,
    coils: Vec<bool>,
    inputs: Vec<bool>,
}

impl Unit {
    fn holding(start: u16, registers: Vec<u16>) -> Self {
        Self { start, registers, ..Self::default() }
    }
}

fn answer(link: Link, slave: u8, request: &Request<'_>, plant: &Plant) -> Answer {
    let Some(unit) = unit(link, slave, plant) else { return Ok(None) };
    match request {
        Request::ReadCoils(address, count) => {
            slice(&unit.coils, 0, *address, *count, 2000).map(|bits| Some(Response::ReadCoils(bits)))
        }
        // A card without inputs does not know the function, one with inputs only that address.
        Request::ReadDiscreteInputs(address, count) if !unit.inputs.is_empty() => {
            slice(&unit.inputs, 0, *address, *count, 2000).map(|bits| Some(Response::ReadDiscreteInputs(bits)))
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
    match plant.site() {
        SiteName::Chemical => chemical::unit(link, slave, plant),
        SiteName::ColdStore => cold_store::unit(link, slave, plant),
        SiteName::Mine => mine::unit(link, slave, plant),
    }
}
