//! The relay module of the annunciator: the one thing the gateway writes to, on a link of its own.
//!
//! ```text
//!   Outputs ─► every coil written (function 5) ─► all read back (1), compared ─► feedback read (2) ─► Confirmed, or what is wrong
//! ```
//! A turn says everything again, whatever was said before: a module that restarted, or that somebody else has switched, is right with the next
//! one. The same line guard lies under it as under a bus; here it also lets through writes of the coils named in [`Coils`].
//!
//! Owns the link and the module's figures. Leaves to `rules` what the outputs shall be and when a fault counts, and to the gateway when a turn
//! is due.

mod coils;
#[cfg(test)]
mod tests;

pub use coils::{CoilPlan, Coils};
pub(crate) use coils::{CoilWrite, Permit};

use crate::connect::{Connect, Wire, pace};
use crate::guard::{Framing, Guard};
use crate::line::{AskError, Line};
use crate::plan::Span;
use crate::status::BusStatus;
use crate::{BusSpec, Transport};
use rules::annunciator::{AnnunciatorFault, Confirmed, Outputs};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Pauses between attempts to open the link; short, since a person waits for the sound, and nobody else is on the link.
const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(2);
/// Coils read back by one request: a relay module rarely has more, and what lies between ours exists.
const SPAN_MAX: u16 = 16;

/// A relay module and how it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct RelaySpec {
    /// Key of the link.
    pub link: String,
    pub transport: Transport,
    pub coils: Coils,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayFigures {
    /// Coils written and confirmed by the module.
    pub writes: u64,
    /// Turns that ended with a fault.
    pub failures: u64,
    /// Times the link was opened.
    pub connects: u64,
}

/// The module, driven turn by turn.
pub struct RelayModule<C = Wire> {
    connector: C,
    spec: RelaySpec,
    status: Arc<BusStatus>,
    line: Option<Line>,
    next_attempt: Instant,
    back_off: Duration,
    figures: RelayFigures,
}

impl RelayModule {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(spec: RelaySpec) -> Self {
        Self::over(Wire(spec.transport.clone()), spec)
    }
}

impl<C: Connect> RelayModule<C> {
    /// Over whatever `connector` opens; `spec.transport` still decides framing and pacing.
    #[must_use]
    pub fn over(connector: C, spec: RelaySpec) -> Self {
        let bus = BusSpec {
            key: spec.link.clone(),
            transport: spec.transport.clone(),
            devices: Vec::new(),
            timeout: spec.timeout,
        };
        let status = Arc::new(BusStatus::new(&bus));
        let (next_attempt, figures) = (Instant::now(), RelayFigures::default());
        Self { connector, spec, status, line: None, next_attempt, back_off: FIRST_BACK_OFF, figures }
    }

    /// Counters so far.
    #[must_use]
    pub fn figures(&self) -> RelayFigures {
        self.figures
    }

    /// One turn: all outputs written, read back and compared.
    /// # Errors
    /// What is wrong now; the next turn tries everything again.
    pub async fn drive(&mut self, outputs: Outputs) -> Result<Confirmed, AnnunciatorFault> {
        let outcome = self.turn(outputs).await;
        self.figures.failures += u64::from(outcome.is_err());
        outcome
    }

    async fn turn(&mut self, outputs: Outputs) -> Result<Confirmed, AnnunciatorFault> {
        let fresh = self.line.is_none();
        let mut line = self.open().await?;
        let outcome = self.exchange(&mut line, outputs, fresh).await;
        // A socket is opened anew after anything but an answer: what is still on its way cannot meet the next question.
        let socket = !matches!(self.spec.transport, Transport::Rtu { .. });
        match outcome {
            Ok(_) | Err(AskError::Exception(_)) => self.line = Some(line),
            Err(AskError::Timeout | AskError::Protocol) if !socket => self.line = Some(line),
            Err(_) => {}
        }
        match outcome.map_err(fault)? {
            (true, confirmed) => Ok(confirmed),
            (false, _) => Err(AnnunciatorFault::Differs),
        }
    }

    /// The link, open. An attempt that fails is followed by a pause in which the answer is known.
    async fn open(&mut self) -> Result<Line, AnnunciatorFault> {
        if let Some(line) = self.line.take() {
            return Ok(line);
        }
        if Instant::now() < self.next_attempt {
            return Err(AnnunciatorFault::NoLink);
        }
        let Ok(stream) = self.connector.connect().await else {
            self.next_attempt = Instant::now() + self.back_off;
            self.back_off = (self.back_off * 2).min(LONGEST_BACK_OFF);
            return Err(AnnunciatorFault::NoLink);
        };
        (self.back_off, self.figures.connects) = (FIRST_BACK_OFF, self.figures.connects + 1);
        let framing = match self.spec.transport {
            Transport::Tcp { .. } | Transport::TcpTls { .. } => Framing::Tcp,
            Transport::RtuOverTcp { .. } | Transport::Rtu { .. } => Framing::Rtu,
        };
        let guard = Guard::with_permit(stream, framing, self.status.clone(), self.spec.coils.permit());
        Ok(Line::new(guard, framing, pace(&self.spec.transport)))
    }

    /// Whether every coil reads as written, and the feedback. A coil that the module refuses does not keep the others from being written.
    async fn exchange(
        &mut self,
        line: &mut Line,
        outputs: Outputs,
        fresh: bool,
    ) -> Result<(bool, Confirmed), AskError> {
        let writes = self.spec.coils.writes(outputs);
        if fresh {
            // an adapter that hears itself is known by a read: the answer to a write looks like its echo
            match self.read(line, 1, writes[0].address(), 1).await {
                Ok(_) | Err(AskError::Exception(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut refused = None;
        for write in &writes {
            match line.write(*write, self.spec.timeout).await {
                Ok(()) => self.figures.writes += 1,
                Err(AskError::Exception(code)) => refused = Some(AskError::Exception(code)),
                Err(error) => return Err(error),
            }
        }
        let as_written = self.read_back(line, &writes).await?;
        let feedback = match self.spec.coils.feedback() {
            Some(input) => self.read(line, 2, input, 1).await?.first().map(|bit| *bit != 0),
            None => None,
        };
        refused.map_or(Ok((as_written, Confirmed { feedback })), Err)
    }

    async fn read_back(&mut self, line: &mut Line, writes: &[CoilWrite]) -> Result<bool, AskError> {
        let first = writes.iter().map(|w| w.address()).min().unwrap_or(0);
        let last = writes.iter().map(|w| w.address()).max().unwrap_or(0);
        if last - first < SPAN_MAX {
            let bits = self.read(line, 1, first, last - first + 1).await?;
            let reads_as = |w: &CoilWrite| bits.get(usize::from(w.address() - first)) == Some(&u16::from(w.on()));
            return Ok(writes.iter().all(reads_as));
        }
        for write in writes {
            if self.read(line, 1, write.address(), 1).await? != [u16::from(write.on())] {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn read(&mut self, line: &mut Line, function: u8, address: u16, count: u16) -> Result<Vec<u16>, AskError> {
        line.ask(self.spec.coils.unit(), Span { function, address, count }, Duration::ZERO, self.spec.timeout).await
    }
}

fn fault(error: AskError) -> AnnunciatorFault {
    match error {
        AskError::Exception(_) => AnnunciatorFault::Refused,
        AskError::Timeout => AnnunciatorFault::NoAnswer,
        AskError::Protocol | AskError::Doubtful | AskError::Renew => AnnunciatorFault::Damaged,
        AskError::Gone => AnnunciatorFault::NoLink,
    }
}
