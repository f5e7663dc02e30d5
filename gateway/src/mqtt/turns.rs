//! The outbox's questions to the store, one at a time. Gathers what came in meanwhile, so that a turn is one transaction
//! however many acknowledgements and receipts there are. Asks only when there is something to write down or something may be due.

use super::inbox::{RECEIPTS_MAX, WISHES_MAX};
use super::settings::Settings;
use crate::delivery::OfficeReceipt;
use crate::store::outbox::{self as table, Outcome, Reopened, Turn};
use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::time::Instant;

/// Re-sends for want of a receipt, per second: a thousand events in half a minute, and a silent office does not wear the disk
/// or the line down. What was never sent and what the office asks for is not held back by it.
const AGAIN_PER_SECOND: usize = 32;
/// A look without a cause: for rows that came late because the disk stalled.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) struct Turns<'a> {
    shared: &'a Settings,
    asked: Option<BoxFuture<'static, (Turn, Option<Outcome>)>>,
    pub(super) reopened: Option<Reopened>,
    acknowledged: Vec<u64>,
    receipts: Vec<OfficeReceipt>,
    resend: Vec<(u64, u64)>,
    /// A new record, or more than the last turn had room for.
    more: bool,
    next_due_ms: Option<u64>,
    again_left: usize,
    looked: Instant,
    /// The store did not answer: nothing is asked before the next second.
    failed: bool,
}

impl<'a> Turns<'a> {
    pub(super) fn new(shared: &'a Settings, reopened: Reopened) -> Self {
        Self {
            shared,
            asked: None,
            reopened: Some(reopened),
            acknowledged: Vec::new(),
            receipts: Vec::new(),
            resend: Vec::new(),
            more: true,
            next_due_ms: None,
            again_left: AGAIN_PER_SECOND,
            looked: Instant::now(),
            failed: false,
        }
    }

    pub(super) fn something_new(&mut self) {
        self.more = true;
    }

    pub(super) fn acknowledged(&mut self, seq: u64) {
        self.acknowledged.push(seq);
    }

    /// False when too many wait for the store; the event is sent again and so is its receipt.
    pub(super) fn received(&mut self, receipt: OfficeReceipt) -> bool {
        let room = self.receipts.len() < RECEIPTS_MAX;
        if room {
            self.receipts.push(receipt);
        }
        room
    }

    /// False when too many wait for the store; the office asks again.
    pub(super) fn resend(&mut self, from: u64, to: u64) -> bool {
        let room = self.resend.len() < WISHES_MAX;
        if room {
            self.resend.push((from, to));
        }
        room
    }

    pub(super) fn on_second(&mut self) {
        self.again_left = AGAIN_PER_SECOND;
        self.failed = false;
        self.more |= self.looked.elapsed() >= LOOK_EVERY;
    }

    /// Asks when there is a reason to; true when it did.
    pub(super) fn ask(&mut self, room: usize) -> bool {
        let asks = self.asked.is_none() && !self.failed && self.has_a_reason(room);
        if asks {
            self.asked = Some(self.question(room));
        }
        asks
    }

    fn has_a_reason(&self, room: usize) -> bool {
        let now_ms = self.shared.clock.now().mono.0 / 1_000_000;
        let due = self.again_left > 0 && self.next_due_ms.is_some_and(|due| due <= now_ms);
        let news = !self.acknowledged.is_empty() || !self.receipts.is_empty() || !self.resend.is_empty();
        news || (room > 0 && (self.more || due))
    }

    fn question(&mut self, room: usize) -> BoxFuture<'static, (Turn, Option<Outcome>)> {
        self.looked = Instant::now();
        self.more &= room == 0;
        let turn = Turn {
            now: self.shared.clock.now(),
            reopened: self.reopened.take(),
            acknowledged: std::mem::take(&mut self.acknowledged),
            receipts: std::mem::take(&mut self.receipts),
            resend: std::mem::take(&mut self.resend),
            room,
            again_max: self.again_left,
            first_period: self.shared.pace.resend_first,
            longest_period: self.shared.pace.resend_longest,
        };
        let (store, asked) = (self.shared.store.clone(), turn.clone());
        Box::pin(async move {
            let outcome = store.write(move |tx| table::turn(tx, &asked)).await;
            (turn, outcome.inspect_err(|error| tracing::warn!(%error, "outbox: the store does not answer")).ok())
        })
    }

    /// The outcome of the turn under way; waits for ever when there is none. `None`: nothing of it has happened.
    pub(super) async fn outcome(&mut self) -> Option<Outcome> {
        let Some(asked) = self.asked.as_mut() else { return std::future::pending().await };
        let (turn, outcome) = asked.await;
        self.asked = None;
        match &outcome {
            Some(outcome) => {
                self.more |= outcome.more;
                self.next_due_ms = outcome.next_due_ms;
                self.again_left -= self.again_left.min(outcome.rationed);
            }
            None => self.put_back(turn),
        }
        outcome
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.asked.is_some()
    }

    fn put_back(&mut self, turn: Turn) {
        self.failed = true;
        self.more = true;
        self.reopened = turn.reopened;
        self.acknowledged.extend(turn.acknowledged);
        self.receipts.extend(turn.receipts);
        self.resend.extend(turn.resend);
    }
}
