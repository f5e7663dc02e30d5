//! Silence: COMMS_LOSS of a device.
//!
//! While COMMS_LOSS of a device stands, the sensor faults of its points are suppressed by design: one alarm for one cause.
//! What became active meanwhile is raised when the device is back.

use super::transitions::Onset;
use super::{ConditionState, Engine, Timer};
use crate::book::Subject;
use crate::event::{Cause, Event, EventKind};
use crate::time::{Mono, Now};
use std::time::Duration;

/// After a start, and of a device that is new, no COMMS_LOSS is raised for this long.
pub(super) const START_GRACE: Duration = Duration::from_secs(10);
/// A device must answer for this long before COMMS_LOSS returns.
pub(super) const COMMS_OFF_DELAY: Duration = Duration::from_secs(5);

impl Engine {
    /// Somebody asks the device: a point of it is read. What nobody asks is not silent.
    pub(super) fn is_asked(&self, device: usize) -> bool {
        self.book.index().is_asked[device]
    }

    /// Of what is asked.
    pub(super) fn arm_silence(&mut self, device: usize) {
        let due = self.is_asked(device).then(|| self.silence_due(device));
        self.deadlines.set(Timer::Comms(device), due);
    }

    /// A silence stands of a device that another book asks no more.
    pub(super) fn has_unasked_silence(&self) -> bool {
        (0..self.book.devices().len()).any(|d| self.is_unasked_and_stands(d))
    }

    fn is_unasked_and_stands(&self, device: usize) -> bool {
        !self.is_asked(device) && self.alarms[self.book.index().comms_alarm(device)].stands()
    }

    /// 28: it is over, since nothing could end it.
    pub(super) fn close_unasked(&mut self, now: Now, out: &mut Vec<Event>) {
        for d in 0..self.book.devices().len() {
            if self.is_unasked_and_stands(d) {
                self.cause = Cause::Config;
                let fact = self.fact(self.book.index().comms_alarm(d), None);
                self.emit(EventKind::Cleared { fact }, now, out);
            }
        }
    }

    /// When the device is silent for too long.
    pub(super) fn silence_due(&self, device: usize) -> Mono {
        let since = self.answered[device].unwrap_or(self.watched_since[device]);
        since.plus(self.book.devices()[device].comms_timeout).max(self.watched_since[device].plus(START_GRACE))
    }

    /// A device was asked once.
    pub(super) fn heard(&mut self, device: usize, answered: bool, at: Now, out: &mut Vec<Event>) {
        if device >= self.answered.len() {
            return;
        }
        let i = self.book.index().comms_alarm(device);
        if answered {
            self.note_answer(device, at.mono);
            if self.is_asked(device) {
                self.deadlines.set_lazily(Timer::Comms(device), self.silence_due(device));
            }
        }
        match (self.alarms[i].condition, answered) {
            (ConditionState::Unknown, true) => self.alarms.set_normal(i),
            (ConditionState::Active, true) => {
                let fact = self.fact(i, None);
                self.emit(EventKind::PendingOff { fact }, at, out);
            }
            (ConditionState::PendingOff(_), false) => self.cancel_return(i, None, at, out),
            (ConditionState::PendingOff(since), true) if self.waits_for_an_answer(i, since, at) => {
                self.comms_delay_over(i, at, out);
            }
            _ => {}
        }
    }

    fn note_answer(&mut self, device: usize, at: Mono) {
        let timeout = self.book.devices()[device].comms_timeout;
        if self.answered[device].is_none_or(|last| at.since(last) > timeout) {
            self.answering_since[device] = Some(at);
        }
        self.answered[device] = self.answered[device].max(Some(at));
    }

    /// The device has gone on answering while this point's own request brought nothing, for the time-out of the device and the longest
    /// age of the point: its silence is not the device's, and COMMS_LOSS will never tell of it. After a start, or when the device is
    /// back, it has as long to say something. A computed point is silent by its inputs, which tell for themselves.
    pub(super) fn is_silent_alone(&self, p: usize) -> bool {
        let device = self.book.index().device_of_point[p].index();
        let (Some(answered), Some(since)) = (self.answered[device], self.answering_since[device]) else { return false };
        let point = &self.book.points()[p];
        let patience = self.book.devices()[device].comms_timeout.max(point.max_age);
        !point.computed && answered.since(self.said[p].unwrap_or(since).max(since)) >= patience
    }

    /// The time-out of a device may be over.
    pub(super) fn silent(&mut self, device: usize, now: Now, out: &mut Vec<Event>) {
        let due = self.silence_due(device);
        if due > now.mono {
            return self.deadlines.set_lazily(Timer::Comms(device), due);
        }
        let i = self.book.index().comms_alarm(device);
        match self.alarms[i].condition {
            ConditionState::PendingOff(_) => self.cancel_return(i, None, now, out),
            ConditionState::Active => {}
            _ => self.raise(i, Onset::late(None, now.mono.since(due)), now, out),
        }
    }

    /// The off-delay is over. One answer alone brings no device back: the next one does, or silence cancels the return.
    pub(super) fn comms_delay_over(&mut self, i: usize, now: Now, out: &mut Vec<Event>) {
        let ConditionState::PendingOff(since) = self.alarms[i].condition else { return };
        if self.answered_again(i, since) {
            self.give_back(i, None, now, out);
        }
    }

    /// The off-delay was over before this answer, and one alone had come.
    fn waits_for_an_answer(&self, i: usize, since: Mono, at: Now) -> bool {
        at.mono >= since.plus(self.off_delay(i)) && self.deadlines.due(Timer::Delay(i)).is_none()
    }

    /// An answer came that is not of the same round as that of `since`, whose samples may have times of their own.
    fn answered_again(&self, i: usize, since: Mono) -> bool {
        let x = self.book.index();
        let Subject::Device(d) = x.subject(i) else { return true };
        let periods = x.points_of_device[d.index()].iter().map(|p| self.book.points()[p.index()].period);
        let newest = self.answered[d.index()].unwrap_or_default();
        newest > since && newest.since(since) >= periods.min().unwrap_or_default() / 2
    }
}
