//! The line guard: lies between a port and tokio-modbus' client, knows what was asked, and lets nothing else up.
//!
//! Owns the match of request and answer for both framings, and what happens to bytes that match nothing. It also refuses to
//! send anything but reads (functions 1–4): the gateway cannot write to an instrument. On the link of the annunciator alone a [`Permit`] adds the
//! coils named there (function 5). Leaves deadlines to [`crate::line`].

#[cfg(test)]
mod oracle;
mod rtu;
mod tcp;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "fuzzing"))]
mod trial;

use crate::annunciator::Permit;
use crate::connect::LinkStream;
use crate::recorder::{Dropped, Verdict as Outcome};
use crate::status::{BusStatus, LinkCounters};
use rtu::RtuMatcher;
#[cfg(test)]
pub(crate) use rtu::crc;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use tcp::TcpMatcher;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
#[cfg(any(test, feature = "fuzzing"))]
pub use trial::{Before, Trial, trial};

/// Which frames the line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Tcp,
    Rtu,
}

/// What the answer to a request must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expect {
    unit: u8,
    function: u8,
    /// Data bytes of a good answer to a read.
    bytes: u8,
    /// Of a write, all that a good answer says again: address and value.
    again: Option<[u8; 4]>,
}

impl Expect {
    /// From a request's unit and PDU; `None` when it is neither a read nor a write this line may send.
    fn from_request(unit: u8, pdu: &[u8], permit: &Permit) -> Option<Self> {
        if let &[5, high, low, value @ (0 | 0xFF), 0] = pdu {
            let again = Some([high, low, value, 0]);
            let allowed = permit.allows(unit, u16::from_be_bytes([high, low]));
            return allowed.then_some(Self { unit, function: 5, bytes: 0, again });
        }
        let &[function @ 1..=4, _, _, hi, lo] = pdu else { return None };
        let count = u16::from_be_bytes([hi, lo]);
        let bytes = if function <= 2 { count.div_ceil(8) } else { count.checked_mul(2)? };
        let bytes = u8::try_from(bytes).ok().filter(|b| (1..=250).contains(b))?;
        Some(Self { unit, function, bytes, again: None })
    }

    /// How a good RTU answer begins.
    fn head(&self) -> [u8; 3] {
        [self.unit, self.function, self.again.map_or(self.bytes, |again| again[0])]
    }
}

/// What came of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing yet.
    Wait,
    /// The answer, as the client above expects it.
    Answer(Vec<u8>),
    /// An answer to our request that is wrong in itself.
    Malformed,
    /// An answer whose end may be a late one: to be asked for once more.
    Doubtful,
    /// The stream cannot be followed any more: reconnect.
    Lost,
    /// It can, but answers to old requests are in the way: a fresh connection has none.
    Renew,
}

#[derive(Debug)]
enum Matcher {
    Tcp(TcpMatcher),
    Rtu(RtuMatcher),
}

impl Matcher {
    fn begin(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Tcp(m) => m.begin(request),
            Self::Rtu(m) => m.begin(request),
        }
    }
    fn feed(&mut self, bytes: &[u8], counters: &LinkCounters) -> Verdict {
        match self {
            Self::Tcp(m) => m.feed(bytes, counters),
            Self::Rtu(m) => m.feed(bytes, counters),
        }
    }
    fn abandon(&mut self, counters: &LinkCounters) -> bool {
        match self {
            Self::Tcp(m) => m.abandon(),
            Self::Rtu(m) => m.abandon(counters),
        }
    }
    fn quiet(&mut self, counters: &LinkCounters) {
        match self {
            Self::Tcp(_) => {}
            Self::Rtu(m) => m.quiet(counters),
        }
    }
    /// Bytes kept.
    #[cfg(any(test, feature = "fuzzing"))]
    fn held(&self) -> usize {
        match self {
            Self::Tcp(m) => m.held(),
            Self::Rtu(m) => m.held(),
        }
    }
    fn request_len(&self) -> usize {
        match self {
            Self::Tcp(_) => 12,
            Self::Rtu(_) => 8,
        }
    }
}

struct Inner {
    io: Box<dyn LinkStream>,
    matcher: Matcher,
    status: Arc<BusStatus>,
    /// Bytes the client has written and we have not yet looked at.
    outgoing: Vec<u8>,
    /// Bytes on their way to the port.
    sending: Vec<u8>,
    /// The matched answer on its way up.
    answer: Vec<u8>,
    gone: bool,
    /// A fresh connection is wanted, though nothing is wrong with this one's other end.
    renew: bool,
    /// The last answer is to be asked for once more.
    doubtful: bool,
    /// The exchange under way: unit, when it began, and what had been dropped before it.
    exchange: Option<(u8, Instant, Dropped)>,
}

/// One end goes into a client context, the other stays with the bus: the guard outlives the context.
#[derive(Clone)]
pub(crate) struct Guard(Arc<Mutex<Inner>>);

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

impl Guard {
    /// Reads only: the link of instruments.
    pub(crate) fn new(io: Box<dyn LinkStream>, framing: Framing, status: Arc<BusStatus>) -> Self {
        Self::with_permit(io, framing, status, Permit::default())
    }

    /// Reads, and writes of the permitted coils: the link of the annunciator.
    pub(crate) fn with_permit(
        io: Box<dyn LinkStream>,
        framing: Framing,
        status: Arc<BusStatus>,
        permit: Permit,
    ) -> Self {
        let matcher = match framing {
            Framing::Tcp => Matcher::Tcp(TcpMatcher::with(permit)),
            Framing::Rtu => Matcher::Rtu(RtuMatcher::with(permit)),
        };
        let (outgoing, sending, answer) = (Vec::new(), Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(Inner {
            io,
            matcher,
            status,
            outgoing,
            sending,
            answer,
            gone: false,
            renew: false,
            doubtful: false,
            exchange: None,
        })))
    }
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no code panics while it holds the guard")
    }
    /// Ends the present exchange: what comes from now on is stale. True when something damaged came instead of an answer.
    pub(crate) fn abandon(&self) -> bool {
        let inner = &mut *self.lock();
        inner.outgoing.clear();
        inner.sending.clear();
        inner.answer.clear();
        let damaged = inner.matcher.abandon(inner.status.link());
        inner.end(match (inner.gone, inner.renew, damaged) {
            (true, ..) => Outcome::Gone,
            (_, true, _) => Outcome::Renewed,
            (.., true) => Outcome::Damaged,
            _ => Outcome::Timeout,
        });
        damaged
    }
    /// The line has been quiet for as long as lies between two frames.
    pub(crate) fn quiet(&self) {
        let inner = &mut *self.lock();
        inner.matcher.quiet(inner.status.link());
    }
    /// True once the port is closed or the stream cannot be followed.
    pub(crate) fn gone(&self) -> bool {
        self.lock().gone
    }
    /// True once after an answer that is to be asked for once more.
    pub(crate) fn was_doubtful(&self) -> bool {
        std::mem::take(&mut self.lock().doubtful)
    }
    /// True once old answers have made a fresh connection the better one.
    pub(crate) fn wants_renewal(&self) -> bool {
        self.lock().renew
    }
    /// Waits until bytes come in and throws them away: they answer nothing. Ends when the port is gone.
    pub(crate) async fn discard(&self) -> io::Result<()> {
        std::future::poll_fn(|cx| {
            let inner = &mut *self.lock();
            let bytes = ready!(inner.receive(cx))?;
            let verdict = inner.matcher.feed(&bytes, inner.status.link());
            Poll::Ready(inner.followed(&verdict))
        })
        .await
    }
}

impl Inner {
    /// The next bytes from the port; an error when it is gone (a 0-byte read included).
    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let mut space = [0u8; 512];
        let mut buf = ReadBuf::new(&mut space);
        let result = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf));
        let got = buf.filled().to_vec();
        if result.is_err() || got.is_empty() {
            self.gone = true;
            return Poll::Ready(Err(result.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())));
        }
        self.status.link().bytes_received.add(got.len());
        self.status.recorder().heard(&got);
        Poll::Ready(Ok(got))
    }

    /// An error when this connection is not to be used any more.
    fn followed(&mut self, verdict: &Verdict) -> io::Result<()> {
        match verdict {
            Verdict::Lost => self.gone = true,
            Verdict::Renew => self.renew = true,
            _ => return Ok(()),
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    /// Moves a complete request from the client to the port, having noted what its answer must be.
    fn take_request(&mut self) -> io::Result<()> {
        if self.outgoing.len() < self.matcher.request_len() {
            return Ok(());
        }
        let request = std::mem::take(&mut self.outgoing);
        self.sending = self.matcher.begin(&request).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::PermissionDenied,
                "only reads, and the annunciator's own coils, may leave the gateway",
            )
        })?;
        let unit = request[if self.sending.len() == 8 { 0 } else { 6 }];
        self.status.recorder().begin(unit, &self.sending);
        self.exchange = Some((unit, Instant::now(), self.dropped()));
        Ok(())
    }

    /// All that was dropped so far.
    fn dropped(&self) -> Dropped {
        let link = self.status.link();
        Dropped {
            crc: link.crc.get(),
            foreign: link.foreign.get(),
            stale: link.stale.get(),
            echo: link.echo.get(),
            noise: link.noise.get(),
        }
    }

    /// The exchange under way, if any, is over.
    fn end(&mut self, outcome: Outcome) {
        let Some((unit, begun, before)) = self.exchange.take() else { return };
        let after = self.dropped();
        let dropped = Dropped {
            crc: after.crc - before.crc,
            foreign: after.foreign - before.foreign,
            stale: after.stale - before.stale,
            echo: after.echo - before.echo,
            noise: after.noise - before.noise,
        };
        self.status.exchange_over(unit, outcome, dropped, begun.elapsed());
    }

    /// Notes what the frame that goes up means for the record.
    fn answered(&mut self, frame: Vec<u8>) {
        let pdu = if matches!(self.matcher, Matcher::Tcp(_)) { 7 } else { 1 };
        let exception = frame.get(pdu).is_some_and(|function| function & 0x80 != 0);
        self.end(if exception { Outcome::Exception(frame[pdu + 1]) } else { Outcome::Ok });
        self.answer = frame;
    }

    fn send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.sending.is_empty() {
            let sent = ready!(Pin::new(&mut self.io).poll_write(cx, &self.sending));
            match sent {
                Ok(0) => self.gone = true,
                Ok(n) => {
                    self.status.link().bytes_sent.add(n);
                    self.sending.drain(..n);
                    continue;
                }
                Err(e) => {
                    self.gone = true;
                    return Poll::Ready(Err(e));
                }
            }
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.lock();
        // Bounded, so that chatter at line rate cannot keep the deadline from being looked at.
        for _ in 0..16 {
            if !inner.answer.is_empty() {
                let n = inner.answer.len().min(buf.remaining());
                buf.put_slice(&inner.answer[..n]);
                inner.answer.drain(..n);
                return Poll::Ready(Ok(()));
            }
            let bytes = ready!(inner.receive(cx))?;
            let verdict = inner.matcher.feed(&bytes, inner.status.link());
            inner.followed(&verdict)?;
            match verdict {
                Verdict::Answer(frame) => inner.answered(frame),
                Verdict::Malformed => {
                    inner.end(Outcome::Short);
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
                Verdict::Doubtful => {
                    inner.doubtful = true;
                    inner.end(Outcome::Doubtful);
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
                Verdict::Wait | Verdict::Lost | Verdict::Renew => {}
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let inner = &mut *self.lock();
        inner.outgoing.extend_from_slice(buf);
        inner.take_request()?;
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().send(cx)
    }
    /// The bus closes a port by dropping it, never the client above.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
