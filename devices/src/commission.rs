//! Single questions on a link, for the person who commissions it: `scan`, `read` and `probe`.
//!
//! Owns a link opened for one command and what came back. The same line guard lies under it as under a bus, so that a late or
//! foreign answer is never shown as a value. Leaves guessing types to [`crate::guess`].

use crate::connect::{Connect as _, Wire, pace};
use crate::decode::{Image, Memory, decode, text};
use crate::guard::{Framing, Guard};
use crate::line::{AskError, Line};
use crate::plan::{Cost, Span};
use crate::profile::{Field, Kind};
use crate::status::BusStatus;
use crate::{BusSpec, Transport};
use rules::{Fault, Now, Reading};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Why a question got no registers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// It is there, and refuses.
    #[error("exception {0}")]
    Exception(u8),
    #[error("no answer")]
    Timeout,
    #[error("a damaged or wrong answer")]
    Damaged,
    /// The link itself failed.
    #[error("link lost: {0}")]
    Link(String),
}

impl Silence {
    /// As a bus would tell it of a point.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Exception(1..=3) => Fault::Configuration,
            Self::Exception(code) => Fault::Exception(*code),
            Self::Timeout => Fault::Timeout,
            Self::Damaged => Fault::Protocol,
            Self::Link(_) => Fault::Disconnected,
        }
    }
}

/// Why one question got nothing.
enum Refused {
    For(Silence),
    /// Old answers were in the way, nothing is known of the unit.
    Spoiled,
}

/// A link opened for one command.
pub struct Session {
    transport: Transport,
    line: Line,
    status: Arc<BusStatus>,
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
        Ok(Self { transport: transport.clone(), line, status })
    }

    /// Asks once and waits at most `wait` beyond the time the bytes take; gives the words and how long it took. What old answers
    /// have spoiled is asked once more, as a bus does.
    /// # Errors
    /// Why there are none. A link that was lost is opened again for the next question.
    pub async fn ask(&mut self, unit: u8, span: Span, wait: Duration) -> Result<(Vec<u16>, Duration), Silence> {
        match self.once(unit, span, wait).await {
            Err(Refused::Spoiled) => {}
            Err(Refused::For(silence)) => return Err(silence),
            Ok(answer) => return Ok(answer),
        }
        self.once(unit, span, wait).await.map_err(|refused| match refused {
            Refused::For(silence) => silence,
            Refused::Spoiled => Silence::Timeout,
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
    }

    async fn once(&mut self, unit: u8, span: Span, wait: Duration) -> Result<(Vec<u16>, Duration), Refused> {
        let cost = Cost::on(&self.transport, Duration::ZERO, None);
        let begun = Instant::now();
        let outcome = self.line.ask(unit, span, Duration::ZERO, cost.wire(span) + wait).await;
        let over = matches!(outcome, Err(AskError::Renew | AskError::Gone));
        let refused = match outcome {
            Ok(words) => return Ok((words, begun.elapsed())),
            Err(AskError::Exception(code)) => return Err(Refused::For(Silence::Exception(code))),
            Err(AskError::Timeout) => Refused::For(Silence::Timeout),
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

async fn line(transport: &Transport, status: &Arc<BusStatus>) -> io::Result<Line> {
    let stream = Wire(transport.clone()).connect().await?;
    let framing = match transport {
        Transport::Tcp { .. } | Transport::TcpTls { .. } => Framing::Tcp,
        Transport::RtuOverTcp { .. } | Transport::Rtu { .. } => Framing::Rtu,
    };
    let guard = Guard::new(stream, framing, status.clone());
    Ok(Line::new(guard, framing, pace(transport)))
}

/// What a device said to the requests of one command.
#[derive(Debug, Default)]
pub struct Answers(Image);

impl Answers {
    /// Adds the outcome of one request.
    pub fn put(&mut self, span: Span, outcome: Result<Vec<u16>, Fault>, at: Now) {
        self.0.put(span, outcome, at);
    }
    /// The registers of a span, as they came.
    #[must_use]
    pub fn words(&self, span: Span) -> Option<&[u16]> {
        self.0.words(span).ok()
    }
    /// The reading of a field, as a bus would deliver it the first time.
    #[must_use]
    pub fn reading(&self, field: &Field) -> Reading {
        decode(field, &self.0, &mut Memory::default())
    }
    /// The current behind a field that arrives as one, also where it is outside of what means a value.
    #[must_use]
    pub fn milliamp(&self, field: &Field) -> Option<f64> {
        let signal = field.signal.as_ref()?;
        // of a card that is set to volts the number would be called milliamperes
        if self.reading(field) == Reading::Bad(Fault::Configuration) {
            return None;
        }
        let register = Field {
            signal: None,
            sentinels: Vec::new(),
            statuses: Vec::new(),
            valid: None,
            range: None,
            clamp: None,
            heartbeat: None,
            ..field.clone()
        };
        decode(&register, &self.0, &mut Memory::default()).value().map(|register| signal.milliamp(register))
    }
    /// The characters of a text field.
    #[must_use]
    pub fn text(&self, field: &Field) -> Option<String> {
        (field.kind == Kind::Text).then(|| self.words(field.span).map(|words| text(field, words)))?
    }
}
