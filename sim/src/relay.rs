//! A relay module as cheap ones are: eight coils, eight discrete inputs, a watchdog of its own; a sounder, a beacon and a watchdog relay behind it.
//!
//! ```text
//!   coil 0 ─► sounder ─► current relay ─► input 0        coil 1 ─► beacon        coil 2 ─► "the gateway lives"
//! ```
//! Owns what it answers and what it suffers ([`RelayFault`]). Nothing here knows when an alarm sounds.

use crate::serve::{Answer, Unit};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_modbus::{ExceptionCode, Request, Response};

const COILS: usize = 8;
const UNIT: u8 = 1;
const SOUNDER: usize = 0;
/// Without a request for so long the module lets all its relays go.
const WATCHDOG: Duration = Duration::from_secs(5);

/// What the module or the sounder suffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RelayFault {
    #[default]
    None,
    /// It answers nobody.
    Silent,
    /// Writes are confirmed and change nothing.
    Stuck,
    /// The relay closes and nothing sounds.
    Mute,
    /// The contact of the sounder is welded: it sounds for ever.
    Welded,
}

#[derive(Debug, Default)]
struct State {
    coils: [bool; COILS],
    fault: RelayFault,
    asked: Option<Instant>,
    /// Function and address of every request that was no read.
    written: BTreeSet<(u8, u16)>,
}

/// The module; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Relay(Arc<Mutex<State>>);

impl Relay {
    /// From now on.
    pub fn suffer(&self, fault: RelayFault) {
        self.lock().fault = fault;
    }

    /// Power off and on: all relays open.
    pub fn restart(&self) {
        self.lock().coils = Default::default();
    }

    /// How a relay stands.
    #[must_use]
    pub fn coil(&self, n: usize) -> bool {
        let mut state = self.lock();
        state.look_at_watchdog();
        state.coils.get(n).is_some_and(|on| *on)
    }

    /// What a person in the room hears.
    #[must_use]
    pub fn sounds(&self) -> bool {
        self.lock().sounds()
    }

    /// Function and address of every write so far, each once.
    #[must_use]
    pub fn written(&self) -> Vec<(u8, u16)> {
        self.lock().written.iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn look_at_watchdog(&mut self) {
        if self.asked.is_some_and(|at| at.elapsed() > WATCHDOG) {
            self.coils = Default::default();
        }
    }

    fn sounds(&mut self) -> bool {
        self.look_at_watchdog();
        match self.fault {
            RelayFault::Mute => false,
            RelayFault::Welded => true,
            RelayFault::None | RelayFault::Silent | RelayFault::Stuck => self.coils[SOUNDER],
        }
    }

    fn write(&mut self, function: u8, address: u16, bits: &[bool]) -> Result<(), ExceptionCode> {
        let from = usize::from(address);
        let coils = self.coils.get_mut(from..from + bits.len()).ok_or(ExceptionCode::IllegalDataAddress)?;
        if self.fault != RelayFault::Stuck {
            coils.copy_from_slice(bits);
        }
        self.written.insert((function, address));
        Ok(())
    }

    fn answer(&mut self, request: &Request<'_>) -> Result<Response, ExceptionCode> {
        let bits = |all: &[bool], address: &u16, count: &u16| {
            let from = usize::from(*address);
            all.get(from..from + usize::from(*count)).map(<[bool]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
        };
        match request {
            Request::ReadCoils(address, count) => bits(&self.coils, address, count).map(Response::ReadCoils),
            Request::ReadDiscreteInputs(address, count) => {
                let mut inputs = [false; COILS];
                inputs[SOUNDER] = self.sounds();
                bits(&inputs, address, count).map(Response::ReadDiscreteInputs)
            }
            Request::WriteSingleCoil(address, on) => {
                self.write(5, *address, &[*on]).map(|()| Response::WriteSingleCoil(*address, *on))
            }
            Request::WriteMultipleCoils(address, values) => {
                let count = u16::try_from(values.len()).map_err(|_| ExceptionCode::IllegalDataValue)?;
                self.write(15, *address, values).map(|()| Response::WriteMultipleCoils(*address, count))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}

impl Unit for Relay {
    fn answer(&self, unit: u8, request: &Request<'_>) -> Answer {
        let mut state = self.lock();
        if unit != UNIT || state.fault == RelayFault::Silent {
            return Ok(None);
        }
        state.look_at_watchdog();
        state.asked = Some(Instant::now());
        state.answer(request).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(relay: &Relay, request: Request<'static>) -> Result<Option<Response>, ExceptionCode> {
        relay.answer(UNIT, &request)
    }

    #[tokio::test(start_paused = true)]
    async fn the_sounder_follows_its_coil_and_its_own_watchdog_lets_it_go() {
        let relay = Relay::default();
        ask(&relay, Request::WriteSingleCoil(0, true)).unwrap();
        assert_eq!(ask(&relay, Request::ReadDiscreteInputs(0, 1)), Ok(Some(Response::ReadDiscreteInputs(vec![true]))));
        tokio::time::advance(WATCHDOG * 2).await;
        assert!(!relay.sounds() && !relay.coil(0));
    }

    #[tokio::test]
    async fn each_fault_shows_where_it_is() {
        let relay = Relay::default();
        let turn = |fault| {
            relay.restart();
            relay.suffer(fault);
            let confirmed = ask(&relay, Request::WriteSingleCoil(0, true)).unwrap().is_some();
            (confirmed, relay.coil(0), relay.sounds())
        };
        assert_eq!(turn(RelayFault::None), (true, true, true));
        assert_eq!(turn(RelayFault::Silent), (false, false, false));
        assert_eq!(turn(RelayFault::Stuck), (true, false, false));
        assert_eq!(turn(RelayFault::Mute), (true, true, false));
        relay.restart();
        relay.suffer(RelayFault::Welded);
        assert!(relay.sounds() && !relay.coil(0));
    }

    #[tokio::test]
    async fn it_has_eight_coils_no_registers_and_notes_what_was_written() {
        let relay = Relay::default();
        assert_eq!(ask(&relay, Request::WriteSingleCoil(8, true)), Err(ExceptionCode::IllegalDataAddress));
        assert_eq!(ask(&relay, Request::ReadHoldingRegisters(0, 1)), Err(ExceptionCode::IllegalFunction));
        ask(&relay, Request::WriteMultipleCoils(1, vec![true, true].into())).unwrap();
        assert_eq!(relay.written(), [(15, 1)]);
    }
}
