//! One task per link: opens it, asks its units in turn, opens it again.
//!
//! Owns the life of the link. Leaves who is next to [`choice`], [`probes`] and [`freshness`], what an outcome means for a unit to [`unit`], [`group`] and [`block`], how long to wait to [`patience`], and the bytes to
//! [`crate::line`]. Knows no limit and no alarm.

mod block;
mod choice;
mod desk;
pub(crate) mod forecast;
mod freshness;
mod group;
mod patience;
mod probes;
pub(crate) mod shapes;
#[cfg(test)]
pub(crate) mod tests;
mod unit;

use crate::connect::{Connect, LinkStream, Wire, pace};
use crate::guard::{Framing, Guard};
use crate::line::{AskError, Line};
use crate::status::BusStatus;
use crate::{BusMessage, BusSpec, Transport};
use choice::Turn;
use desk::Desk;
use rules::Clock;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

const FIRST_BACK_OFF: Duration = Duration::from_millis(500);
/// A task that waits looks up at least this often, so that a wish for a fast period is soon followed …
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// … or, where no value has one, only so that its progress shows: a quarter of the watchdog's patience. A look is a timer of its own.
const LONGEST_WAIT_WITHOUT_WISHES: Duration = Duration::from_millis(2_500);
/// A connection that is full of old answers twice within this is no connection to work with.
const RENEWALS_APART: Duration = Duration::from_secs(10);
/// Time-outs in a row, whatever the unit, after which a socket is taken for half-open.
const SILENT_IN_A_ROW: u32 = 3;

/// Runs one bus until cancelled; reconnects by itself; never ends for a reason on the wire.
/// `out` is bounded: a full channel makes the bus wait (the core never blocks on a bus). A closed one ends it.
pub async fn run_bus(
    spec: BusSpec,
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<BusMessage>,
    status: Arc<BusStatus>,
    stop: CancellationToken,
) {
    let wire = Wire(spec.transport.clone());
    run_bus_with(wire, spec, clock, out, status, stop).await;
}

/// As [`run_bus`], over whatever `connector` opens; `spec.transport` still decides framing and pacing.
pub async fn run_bus_with(
    connector: impl Connect,
    spec: BusSpec,
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<BusMessage>,
    status: Arc<BusStatus>,
    stop: CancellationToken,
) {
    let transport = spec.transport.clone();
    let desk = Desk::new(spec, clock, out.clone(), status);
    let mut bus =
        Bus { connector, transport, desk, back_off: FIRST_BACK_OFF, attempts: 0, renewed_at: None, renewed_by: None };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = out.closed() => {}
        () = Box::pin(bus.run()) => {}
    }
    bus.desk.status.set_up(false);
}

struct Bus<C> {
    connector: C,
    transport: Transport,
    desk: Desk,
    back_off: Duration,
    attempts: u64,
    /// When the connection was renewed last because of old answers.
    renewed_at: Option<Instant>,
    /// The unit whose last question ended so.
    renewed_by: Option<usize>,
}

/// Why a session ended.
enum End {
    /// The other end closed, or the stream cannot be followed.
    Gone,
    /// Nobody answers on it: it may be half-open.
    Silent,
    /// Old answers are in the way; a fresh connection has none.
    Stale,
    /// The same, by a unit that is dead: its probes are paced, and the others are not to suffer for it.
    StaleProbe,
}

impl<C: Connect> Bus<C> {
    async fn run(&mut self) {
        loop {
            let stream = self.open().await;
            self.desk.link_is_up().await;
            let framing = match self.transport {
                Transport::Tcp { .. } | Transport::TcpTls { .. } => Framing::Tcp,
                Transport::RtuOverTcp { .. } | Transport::Rtu { .. } => Framing::Rtu,
            };
            let guard = Guard::new(stream, framing, self.desk.status.clone());
            let end = self.session(Line::new(guard, framing, pace(&self.transport))).await;
            self.desk.status.link().reconnects.one();
            match end {
                End::Gone => self.lost("closed by the other end or unplugged").await,
                End::Silent => {}
                End::Stale if self.was_renewed_lately() => self.lost("answers to old requests again and again").await,
                End::Stale | End::StaleProbe => self.renewed(),
            }
        }
    }

    async fn lost(&mut self, why: &str) {
        self.desk.link_is_down(why).await;
        self.rest().await;
    }

    /// A second time so soon is a lost link: it rests, and is told.
    fn was_renewed_lately(&self) -> bool {
        self.renewed_at.is_some_and(|at| at.elapsed() < RENEWALS_APART)
    }

    /// Nothing is lost as long as it opens at once.
    fn renewed(&mut self) {
        self.renewed_at = Some(Instant::now());
        self.desk.status.link().renewals.one();
        tracing::info!(bus = self.desk.key(), code = "link_renewed", "old answers are in the way: a fresh connection");
    }

    /// Opens the link, however long it takes; meanwhile every point reads as disconnected in its period.
    async fn open(&mut self) -> Box<dyn LinkStream> {
        loop {
            match attempt(&mut self.connector, &mut self.desk).await {
                Ok(stream) => return stream,
                Err(error) => {
                    self.desk.status.link().connect_failures.one();
                    self.lost(&error.to_string()).await;
                }
            }
        }
    }

    /// The pause before the next attempt: doubling, with jitter that differs from bus to bus.
    async fn rest(&mut self) {
        self.attempts += 1;
        let longest = Duration::from_secs(if matches!(self.transport, Transport::Rtu { .. }) { 2 } else { 8 });
        let jitter = self.desk.jitter(self.attempts);
        let until = Instant::now() + self.back_off.min(longest).mul_f64(jitter);
        self.back_off = (self.back_off * 2).min(longest);
        while Instant::now() < until {
            let wake = self.desk.next_due().min(until).min(Instant::now() + LONGEST_WAIT);
            sleep_until(wake).await;
            self.desk.publish_disconnected().await;
        }
    }

    async fn session(&mut self, mut line: Line) -> End {
        let mut silent = 0;
        let longest_wait = if self.desk.may_wish() { LONGEST_WAIT } else { LONGEST_WAIT_WITHOUT_WISHES };
        let rtu_over_tcp = matches!(self.transport, Transport::RtuOverTcp { .. });
        loop {
            self.desk.status.turn();
            self.desk.publish_dead().await;
            let wait = match self.desk.turn() {
                Turn::Wait(until) => until.min(Instant::now() + longest_wait),
                Turn::Ask(index, longest) => {
                    let ask = self.desk.question(index, longest);
                    let outcome = line.ask(ask.unit, ask.block, ask.turnaround, ask.limit).await;
                    let took = line.took();
                    match outcome {
                        Err(AskError::Gone) => return End::Gone,
                        Err(AskError::Renew) => {
                            self.desk.rest(index);
                            // Once it is the link's affair; a unit that does it again is not to take the others' turns.
                            if self.renewed_by.replace(index) == Some(index) {
                                self.desk.note(index, Err(AskError::Timeout), took).await;
                            }
                            return if self.desk.is_dead(index) { End::StaleProbe } else { End::Stale };
                        }
                        Err(AskError::Doubtful) => {
                            self.desk.rest(index);
                            continue;
                        }
                        Err(AskError::Timeout) => silent += 1,
                        Err(AskError::Protocol) if rtu_over_tcp => silent += 1,
                        _ => {
                            (silent, self.back_off) = (0, FIRST_BACK_OFF);
                            self.renewed_by = self.renewed_by.filter(|by| *by != index);
                        }
                    }
                    self.desk.note(index, outcome, took).await;
                    if self.must_renew(silent) {
                        return End::Silent;
                    }
                    continue;
                }
            };
            tokio::select! {
                biased;
                heard = line.listen() => match heard {
                    Ok(()) => {}
                    Err(AskError::Renew) => return End::Stale,
                    Err(_) => return End::Gone,
                },
                () = sleep_until(wait) => {}
            }
        }
    }

    /// Sockets: a converter's buffer holds stale bytes after any lost answer, a half-open connection never says so.
    fn must_renew(&self, silent: u32) -> bool {
        match self.transport {
            Transport::Tcp { .. } | Transport::TcpTls { .. } => silent >= SILENT_IN_A_ROW,
            Transport::RtuOverTcp { .. } => silent > 0,
            Transport::Rtu { .. } => false,
        }
    }
}

async fn attempt<C: Connect>(connector: &mut C, desk: &mut Desk) -> io::Result<Box<dyn LinkStream>> {
    let patience = if desk.reported_down() { Duration::ZERO } else { Duration::from_secs(1) };
    let patient_until = Instant::now() + patience;
    let mut connecting = connector.connect();
    loop {
        desk.status.turn();
        let wake = desk.next_due().max(patient_until).min(Instant::now() + LONGEST_WAIT);
        tokio::select! {
            biased;
            opened = &mut connecting => return opened,
            () = sleep_until(wake) => if Instant::now() >= patient_until {
                desk.publish_disconnected().await;
            }
        }
    }
}
