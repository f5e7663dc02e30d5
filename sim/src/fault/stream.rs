//! The stream with faults: requests pass as they are written, answers come out when and how the schedule says.
//!
//! Owns the answers on their way. A late answer does not hold up those behind it, as with an instrument that answers two
//! requests in its own time.

use super::{Faults, Framing, Piece, frame};
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Answers on their way at once; beyond it nothing is taken from the instrument.
const ON_THE_WAY_MAX: usize = 64;

/// A wire with faults, seen from the client: what is read are the instruments' answers.
#[derive(Debug)]
pub struct FaultyStream<S> {
    inner: S,
    framing: Framing,
    faults: Faults,
    /// Beginning of an answer.
    partial: Vec<u8>,
    /// By time, then by order of arrival.
    on_the_way: BTreeMap<(Instant, u64), Piece>,
    arrivals: u64,
    timer: Option<Pin<Box<Sleep>>>,
    /// The instrument's side has ended.
    inner_ended: bool,
    /// The client's side has ended.
    cut: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> FaultyStream<S> {
    /// Puts `faults` on `inner`. A new connection of the same link takes a clone of the same `faults`.
    pub const fn new(inner: S, framing: Framing, faults: Faults) -> Self {
        Self {
            inner,
            framing,
            faults,
            partial: Vec::new(),
            on_the_way: BTreeMap::new(),
            arrivals: 0,
            timer: None,
            inner_ended: false,
            cut: false,
        }
    }

    /// Takes what the instrument has sent and lays it on the way.
    fn pull(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while !self.inner_ended && self.on_the_way.len() < ON_THE_WAY_MAX {
            let mut space = [0; 512];
            let mut read = ReadBuf::new(&mut space);
            match Pin::new(&mut self.inner).poll_read(cx, &mut read) {
                Poll::Pending => return Ok(()),
                Poll::Ready(result) => result?,
            }
            self.inner_ended = read.filled().is_empty();
            self.partial.extend_from_slice(read.filled());
            while let Some(answer) = frame::next_answer(self.framing, &mut self.partial) {
                self.send(answer);
            }
        }
        Ok(())
    }

    fn send(&mut self, answer: Vec<u8>) {
        let now = Instant::now();
        for (wait, piece) in self.faults.treat(self.framing, answer) {
            self.on_the_way.insert((now + wait, self.arrivals), piece);
            self.arrivals += 1;
        }
    }

    /// Fills `out` from what is due; `None` when nothing is, with the timer set.
    fn hand_over(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Option<()> {
        let first = self.on_the_way.first_entry()?;
        let (at, _) = *first.key();
        if at > Instant::now() {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
            timer.as_mut().reset(at);
            if timer.as_mut().poll(cx).is_pending() {
                return None;
            }
        }
        let key = *first.key();
        match first.remove() {
            Piece::End => self.cut = true,
            Piece::Bytes(mut bytes) => {
                let rest = bytes.split_off(bytes.len().min(out.remaining()));
                out.put_slice(&bytes);
                if !rest.is_empty() {
                    self.on_the_way.insert(key, Piece::Bytes(rest));
                }
            }
        }
        Some(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for FaultyStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.cut {
            return Poll::Ready(Ok(()));
        }
        this.pull(cx)?;
        match this.hand_over(cx, out) {
            Some(()) => Poll::Ready(Ok(())),
            None if this.inner_ended && this.on_the_way.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for FaultyStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.cut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut this.inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
