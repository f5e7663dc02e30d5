//! One question, one checked answer, one deadline.
//!
//! Owns the client context of tokio-modbus and throws it away after anything but an answer. Leaves to the guard which bytes
//! are an answer, and to the bus what to ask next.

use crate::annunciator::CoilWrite;
use crate::guard::{Framing, Guard};
use crate::plan::Span;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_modbus::client::{Client as _, Context, rtu, tcp};
use tokio_modbus::slave::SlaveContext as _;
use tokio_modbus::{Error, Request, Response, Slave};

/// Why a question got no value; each asks for something else of the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskError {
    /// The device refused.
    Exception(u8),
    /// Nothing came, or nothing that fits.
    Timeout,
    /// Something came, but damaged or wrong.
    Protocol,
    /// An answer came whose end may be another frame's: ask once more. Not a miss of the unit.
    Doubtful,
    /// Old answers are in the way: ask again over a fresh connection. Not a miss of the unit.
    Renew,
    /// Open the link again.
    Gone,
}

/// An open link.
pub(crate) struct Line {
    guard: Guard,
    framing: Framing,
    context: Option<Context>,
    /// The last exchange ended without its answer: bytes may still be on their way.
    contaminated: bool,
    pace: Pace,
    /// When the present request may have left: after the silence before it.
    asked_at: Instant,
}

/// What the line itself asks for around a frame; nothing on a socket that carries numbered frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Between two frames.
    pub(crate) silence: Duration,
    /// What the longest frame takes: nobody's frame keeps the line busy for longer, noise does.
    pub(crate) longest_frame: Duration,
}

impl Line {
    pub(crate) fn new(guard: Guard, framing: Framing, pace: Pace) -> Self {
        Self { guard, framing, context: None, contaminated: false, pace, asked_at: Instant::now() }
    }

    /// How long the last question took from the moment its request could leave: what a unit is to be judged by.
    pub(crate) fn took(&self) -> Duration {
        self.asked_at.elapsed()
    }

    /// Asks once. `turnaround` is the silence this unit wants before a request.
    pub(crate) async fn ask(
        &mut self,
        unit: u8,
        block: Span,
        turnaround: Duration,
        limit: Duration,
    ) -> Result<Vec<u16>, AskError> {
        self.exchange(unit, request(block), turnaround, limit, |response| words(response, block)).await
    }

    /// Writes one coil of the annunciator; a line without its permit refuses.
    pub(crate) async fn write(&mut self, write: CoilWrite, limit: Duration) -> Result<(), AskError> {
        let (coil, on) = (write.address(), write.on());
        let confirmed = |response| (response == Response::WriteSingleCoil(coil, on)).then_some(());
        self.exchange(write.unit(), Request::WriteSingleCoil(coil, on), Duration::ZERO, limit, confirmed).await
    }

    async fn exchange<T>(
        &mut self,
        unit: u8,
        request: Request<'static>,
        turnaround: Duration,
        limit: Duration,
        read: impl FnOnce(Response) -> Option<T>,
    ) -> Result<T, AskError> {
        if self.framing == Framing::Rtu {
            self.settle(turnaround, limit).await?;
        }
        self.asked_at = Instant::now();
        let outcome = match timeout(limit, self.call(unit, request)).await {
            Ok(Ok(Ok(response))) => read(response).ok_or(AskError::Protocol),
            Ok(Ok(Err(code))) => return Err(AskError::Exception(u8::from(code))),
            Ok(Err(_)) => Err(AskError::Protocol),
            Err(_) => Err(AskError::Timeout),
        };
        if let Err(error) = &outcome {
            self.context = None;
            self.contaminated = true;
            let damaged = self.guard.abandon();
            return Err(match *error {
                _ if self.guard.gone() => AskError::Gone,
                _ if self.guard.wants_renewal() => AskError::Renew,
                _ if self.guard.was_doubtful() => AskError::Doubtful,
                AskError::Timeout if damaged => AskError::Protocol,
                other => other,
            });
        }
        outcome
    }

    /// Listens while nothing is asked: ends when bytes came in (they are discarded); an error says why the link is of no more use.
    pub(crate) async fn listen(&mut self) -> Result<(), AskError> {
        let heard = self.guard.discard().await;
        heard.map_err(|_| if self.guard.wants_renewal() { AskError::Renew } else { AskError::Gone })
    }

    /// What came in while nobody asked is whole by now, and is counted.
    pub(crate) fn quiet(&self) {
        self.guard.quiet();
    }

    async fn call(
        &mut self,
        unit: u8,
        request: Request<'static>,
    ) -> Result<Result<Response, tokio_modbus::ExceptionCode>, Error> {
        let (guard, slave) = (&self.guard, Slave(unit));
        let context = self.context.get_or_insert_with(|| match self.framing {
            Framing::Tcp => tcp::attach_slave(guard.clone(), slave),
            Framing::Rtu => rtu::attach_slave(guard.clone(), slave),
        });
        context.set_slave(slave);
        context.call(request).await
    }

    /// Waits for the silence that must precede a request, discarding what still comes in. After a lost answer the line must
    /// be quiet for longer. A line that does not fall quiet although any frame would be over is noisy: it is used all the same.
    async fn settle(&mut self, turnaround: Duration, limit: Duration) -> Result<(), AskError> {
        let mut quiet = self.pace.silence.max(turnaround);
        if std::mem::take(&mut self.contaminated) {
            quiet = (quiet * 2).max(Duration::from_millis(20));
        }
        let until = Instant::now() + (quiet + self.pace.longest_frame).min(limit);
        while Instant::now() < until {
            match timeout(quiet, self.guard.discard()).await {
                Err(_) => {
                    self.guard.quiet();
                    return Ok(());
                }
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(AskError::Gone),
            }
        }
        self.guard.quiet();
        Ok(())
    }
}

fn request(block: Span) -> Request<'static> {
    match block.function {
        1 => Request::ReadCoils(block.address, block.count),
        2 => Request::ReadDiscreteInputs(block.address, block.count),
        4 => Request::ReadInputRegisters(block.address, block.count),
        _ => Request::ReadHoldingRegisters(block.address, block.count),
    }
}

/// The values of a response, if they are exactly what was asked for.
fn words(response: Response, block: Span) -> Option<Vec<u16>> {
    let count = usize::from(block.count);
    match (response, block.function) {
        (Response::ReadCoils(bits), 1) | (Response::ReadDiscreteInputs(bits), 2) => {
            let bits = bits.get(..count)?;
            Some(bits.iter().map(|b| u16::from(*b)).collect())
        }
        (Response::ReadHoldingRegisters(words), 3) | (Response::ReadInputRegisters(words), 4) => {
            (words.len() == count).then_some(words)
        }
        _ => None,
    }
}
