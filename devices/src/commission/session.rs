//! A link opened for one command.
//!
//! Owns the line, what is known of each instrument asked on it, and the pauses between questions. Which answers on a line without
//! numbered frames are believed is [`super::unnumbered`]'s.

use super::Silence;
use super::unnumbered::Known;
use crate::connect::{Connect as _, Wire, pace};
use crate::guard::{Framing, Guard};
use crate::line::{AskError, Line};
use crate::plan::{Bounds, Cost, Span};
use crate::status::BusStatus;
use crate::{BusSpec, DeviceSpec, Transport};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The words that were asked for, and how long they took.
pub(super) type Answer = (Vec<u16>, Duration);

/// Whom a question is for.
#[derive(Clone, Copy, Debug)]
pub struct Instrument {
    pub unit: u8,
    pub bounds: Bounds,
    /// Between its answer and the next question.
    pub pause: Duration,
}

impl Instrument {
    /// Of which nothing is known: what the standard allows.
    #[must_use]
    pub fn unknown(unit: u8) -> Self {
        let bounds = Bounds { max_registers: 125, max_bits: 2000, coils_from_zero: false };
        Self { unit, bounds, pause: Duration::ZERO }
    }

    /// Of a configuration.
    #[must_use]
    pub fn of(device: &DeviceSpec) -> Self {
        let limits = device.profile.limits;
        Self { unit: device.unit, bounds: Bounds::of(limits), pause: limits.min_gap.max(limits.turnaround) }
    }
}

/// Why one question got nothing.
pub(super) enum Refused {
    For(Silence),
    /// Old answers were in the way, nothing is known of the unit.
    Spoiled,
    /// A whole answer of another length came, on a line without numbered frames.
    OtherLength,
}

/// A link opened for one command.
pub struct Session {
    pub(super) transport: Transport,
    line: Line,
    pub(super) status: Arc<BusStatus>,
    pub(super) opened: Instant,
    pub(super) known: BTreeMap<u8, Known>,
    /// From which other lengths are drawn.
    pub(super) lengths: u64,
}

impl Session {
    /// Opens the link.
    /// # Errors
    /// As the system says.
    pub async fn open(transport: &Transport) -> io::Result<Self> {
        let spec = BusSpec {
            key: "commissioning".into(),
            transport: transport.clone(),
            devices: Vec::new(),
            timeout: Duration::from_secs(1),
        };
        let status = Arc::new(BusStatus::new(&spec));
        let line = line(transport, &status).await?;
        let lengths = RandomState::new().build_hasher().finish();
        let (transport, opened) = (transport.clone(), Instant::now());
        Ok(Self { transport, line, status, opened, known: BTreeMap::new(), lengths })
    }

    /// Asks for `need` and waits at most `wait` beyond the time the bytes take; gives the words and how long they took. What old
    /// answers have spoiled is asked for again, as a bus does, and so is what they could be taken for.
    /// # Errors
    /// Why there are none. A link that was lost is opened again for the next question.
    pub async fn ask(&mut self, of: &Instrument, need: Span, wait: Duration) -> Result<(Vec<u16>, Duration), Silence> {
        if self.framing() == Framing::Rtu {
            return self.ask_unnumbered(of, need, wait).await;
        }
        let mut outcome = self.once(of, need, wait).await;
        if let Err(Refused::Spoiled) = outcome {
            outcome = self.once(of, need, wait).await;
        }
        outcome.map_err(|refused| match refused {
            Refused::For(silence) => silence,
            Refused::Spoiled | Refused::OtherLength => Silence::Timeout,
        })
    }

    /// Answers that came when nobody waited for them any more, or from another unit than was asked: where one master asks, such
    /// a frame is late as well.
    #[must_use]
    pub fn late_answers(&self) -> u64 {
        let link = self.status.link();
        link.stale.get() + link.foreign.get()
    }

    /// Listens for so long to what still comes in, so that it is counted.
    pub async fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(Ok(())) = tokio::time::timeout_at(until, self.line.listen()).await {}
        self.line.quiet();
    }

    /// Listens until nothing that was lost on a line can still come, as far as is reckoned with: what asks next, in this program or
    /// another, finds the line empty.
    pub async fn hear_out(&mut self) {
        let owed = self.known.values().filter_map(Known::owed_until).max();
        self.listen_until(owed).await;
    }

    pub(super) async fn listen_until(&mut self, until: Option<Instant>) {
        let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        if !left.is_zero() {
            self.listen(left).await;
        }
    }

    pub(super) fn framing(&self) -> Framing {
        framing(&self.transport)
    }

    pub(super) async fn once(&mut self, of: &Instrument, span: Span, wait: Duration) -> Result<Answer, Refused> {
        let known = self.known.entry(of.unit).or_insert_with(|| Known::new(&self.transport, of.bounds));
        tokio::time::sleep_until(known.not_before).await;
        let cost = Cost::on(&self.transport, Duration::ZERO, None);
        let (begun, damaged) = (Instant::now(), self.status.link().crc.get());
        let outcome = self.line.ask(of.unit, span, Duration::ZERO, cost.wire(span) + wait).await;
        if let Some(known) = self.known.get_mut(&of.unit) {
            known.not_before = Instant::now() + of.pause;
        }
        let over = matches!(outcome, Err(AskError::Renew | AskError::Gone));
        let other_length = self.framing() == Framing::Rtu && self.status.link().crc.get() == damaged;
        let refused = match outcome {
            Ok(words) => return Ok((words, begun.elapsed())),
            Err(AskError::Exception(code)) => return Err(Refused::For(Silence::Exception(code))),
            Err(AskError::Timeout) => Refused::For(Silence::Timeout),
            Err(AskError::Protocol) if other_length => Refused::OtherLength,
            Err(AskError::Protocol) => Refused::For(Silence::Damaged),
            Err(AskError::Doubtful | AskError::Renew) => Refused::Spoiled,
            Err(AskError::Gone) => Refused::For(Silence::Link("closed by the other end or unplugged".into())),
        };
        // a converter's buffer may hold the late answer, a lost link holds nothing
        if over || matches!(self.transport, Transport::RtuOverTcp { .. }) {
            let opened = line(&self.transport, &self.status).await;
            self.line = opened.map_err(|e| Refused::For(Silence::Link(e.to_string())))?;
        }
        Err(refused)
    }
}

fn framing(transport: &Transport) -> Framing {
    match transport {
        Transport::Tcp { .. } | Transport::TcpTls { .. } => Framing::Tcp,
        Transport::RtuOverTcp { .. } | Transport::Rtu { .. } => Framing::Rtu,
    }
}

async fn line(transport: &Transport, status: &Arc<BusStatus>) -> io::Result<Line> {
    let stream = Wire(transport.clone()).connect().await?;
    let framing = framing(transport);
    let guard = Guard::new(stream, framing, status.clone());
    Ok(Line::new(guard, framing, pace(transport)))
}
