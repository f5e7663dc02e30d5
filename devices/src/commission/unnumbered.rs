//! Which answers are believed on a line whose frames carry no number: RTU, also through a converter.
//!
//! A late answer of the same unit, function and length looks like the one that is waited for. Three things keep them apart:
//! ```text
//!   asked in this program       each request has a length of its own (the bus's Shapes); two that look alike, and refusals, wait after
//!                               a lost answer until it cannot come any more: twice the wait
//!   asked by a program before   its questions are not known here. So the first value of a unit is asked for again in two other lengths,
//!                               drawn anew by each program: an answer from before fits one of them by chance at most
//!   no other length answered    listened to for twice the wait, then asked again
//! ```
//! Leaves what is asked to its callers, and the bytes to [`crate::guard`].

use super::Silence;
use super::session::{Answer, Instrument, Refused, Session};
use crate::Transport;
use crate::bus::shapes::{Belief, MISSES, Refused as Refusal, Shapes};
use crate::plan::{Bounds, Span};
use std::time::Duration;
use tokio::time::Instant;

/// A line repeats a frame at once or within this time.
const REPEATED_WITHIN: Duration = Duration::from_millis(60);
/// After a lost answer, requests that look alike are watched so long.
const WATCHED: Duration = Duration::from_secs(30);
/// Questions made of one, for all reasons together.
const QUESTIONS_MOST: usize = 6;
/// Other lengths in which the first value of a unit is asked for.
const PROOFS: usize = 2;
/// By how many registers, or times eight bits, they are longer.
const MORE_MOST: u64 = 8;
/// Other lengths that may stay silent before no more are tried.
const SILENT_MOST: u32 = 2;

/// What is known of one unit.
pub(super) struct Known {
    shapes: Shapes,
    /// Nothing that was asked before this program began can still come.
    proven: bool,
    /// It answered at least once, whatever.
    heard: bool,
    /// The last answer lost in this program may come until then.
    owed_until: Option<Instant>,
    /// Its pause between two questions.
    pub(super) not_before: Instant,
}

impl Known {
    pub(super) fn new(transport: &Transport, bounds: Bounds) -> Self {
        let (shapes, not_before) = (Shapes::new(transport, bounds), Instant::now());
        Self { shapes, proven: false, heard: false, owed_until: None, not_before }
    }

    pub(super) fn owed_until(&self) -> Option<Instant> {
        self.owed_until
    }

    fn is_owed(&self, now: Instant) -> bool {
        self.owed_until.is_some_and(|until| now < until)
    }

    fn lost(&mut self, wait: Duration) {
        self.shapes.forget_first();
        self.owed_until = Some(Instant::now() + wait * 2);
    }
}

/// One question with all that belongs to it.
#[derive(Clone, Copy)]
struct Question<'a> {
    of: &'a Instrument,
    need: Span,
    wait: Duration,
}

/// What another length of a question led to.
struct Other {
    /// The words of the question in it, and what was asked; `None` where no other length is allowed or answered.
    words: Option<(Vec<u16>, Span)>,
    /// Some of them got no answer at all.
    silent: bool,
}

impl Session {
    pub(super) async fn ask_unnumbered(
        &mut self,
        of: &Instrument,
        need: Span,
        wait: Duration,
    ) -> Result<Answer, Silence> {
        let question = Question { of, need, wait };
        let asked_at = Instant::now();
        let first = self.plain(question).await?;
        if self.known(of).proven {
            return self.believed(question, first).await;
        }
        let answer = self.proved(question, first, asked_at).await?;
        let known = self.known(of);
        known.proven = true;
        known.shapes.believe(need, &answer.0, false);
        Ok(answer)
    }

    fn known(&mut self, of: &Instrument) -> &mut Known {
        self.known.entry(of.unit).or_insert_with(|| Known::new(&self.transport, of.bounds))
    }

    /// Asks until the outcome is about what is needed: not about the length, nor perhaps a late refusal of something else.
    async fn plain(&mut self, question: Question<'_>) -> Result<Answer, Silence> {
        let Question { of, need, wait } = question;
        let (mut refused, mut other_length, mut shorter) = (None, false, false);
        for _ in 0..QUESTIONS_MOST {
            let asked = self.known(of).shapes.ask(need, Instant::now());
            let outcome = self.apart(of, asked, wait).await;
            let known = self.known(of);
            match outcome {
                Ok((mut words, took)) => {
                    words.truncate(usize::from(need.count));
                    return Ok((words, took));
                }
                // a converter's, or of a unit that is busy: no word on what was asked
                Err(Refused::For(Silence::Exception(code @ (5 | 6 | 0x0A | 0x0B)))) => {
                    return Err(Silence::Exception(code));
                }
                Err(Refused::For(Silence::Exception(code))) => {
                    let now = Instant::now();
                    let may_be_old = !known.proven || known.is_owed(now);
                    let of_need = known.shapes.refused(need, code, now) == Refusal::Needed;
                    if of_need && (!may_be_old || refused == Some(code)) {
                        return Err(Silence::Exception(code));
                    }
                    refused = of_need.then_some(code);
                    let quiet = self.known(of).owed_until.max(Some(now + REPEATED_WITHIN));
                    self.listen_until(quiet).await;
                }
                // an older question's, unless it is so again
                Err(Refused::OtherLength) if !other_length => other_length = true,
                Err(Refused::OtherLength) => return Err(Silence::Damaged),
                Err(Refused::For(lost @ (Silence::Timeout | Silence::Damaged))) => {
                    // some are silent where others refuse a length
                    if shorter || asked == need || !known.heard {
                        return Err(lost);
                    }
                    shorter = true;
                    known.shapes.silent(need, MISSES, Instant::now());
                }
                Err(Refused::For(silence)) => return Err(silence),
                Err(Refused::Spoiled) => return Err(Silence::Timeout),
            }
        }
        Err(Silence::Ambiguous)
    }

    /// Asks once, after what could be taken for the answer has had its time.
    async fn apart(&mut self, of: &Instrument, asked: Span, wait: Duration) -> Result<Answer, Refused> {
        let known = self.known(of);
        if known.shapes.has_twins() {
            let owed = known.owed_until;
            self.listen_until(owed).await;
        }
        let outcome = self.once(of, asked, wait).await;
        let known = self.known(of);
        match &outcome {
            Ok(_) | Err(Refused::For(Silence::Exception(_))) => known.heard = true,
            Err(_) => known.lost(wait),
        }
        outcome
    }

    /// Of two requests that look alike a changed answer is asked for again, as the bus does.
    async fn believed(&mut self, question: Question<'_>, first: Answer) -> Result<Answer, Silence> {
        let mut answer = first;
        loop {
            let known = self.known(question.of);
            let lately = known.owed_until.is_some_and(|until| Instant::now() < until + WATCHED);
            match known.shapes.believe(question.need, &answer.0, lately) {
                Belief::Yes => return Ok(answer),
                Belief::Doubtful => return Err(Silence::Ambiguous),
                Belief::Again => {
                    self.listen(REPEATED_WITHIN).await;
                    answer = self.plain(question).await?;
                }
            }
        }
    }

    /// The first answer of a unit may be to a question of another program: the same is asked for in other lengths.
    async fn proved(&mut self, question: Question<'_>, first: Answer, asked_at: Instant) -> Result<Answer, Silence> {
        let mut taken = vec![self.known(question.of).shapes.ask(question.need, Instant::now()).shape()];
        for _ in 0..PROOFS {
            let Other { words, silent } = self.in_another_length(question, &taken).await?;
            match words {
                Some((words, asked)) if words == first.0 => taken.push(asked.shape()),
                Some((words, asked)) => return self.moved(question, &words, asked).await,
                None if taken.len() > 1 => break,
                None => return self.by_time(question, first, asked_at, silent).await,
            }
            // each silence costs three waits
            if silent {
                break;
            }
        }
        Ok(first)
    }

    async fn in_another_length(&mut self, question: Question<'_>, taken: &[(u8, u16)]) -> Result<Other, Silence> {
        let Question { of, need, wait } = question;
        let mut silent = 0;
        let own = self.known(of).shapes.ask(need, Instant::now());
        let drawn = self.draw();
        for longer in [drawn, 1].into_iter().flat_map(|more| longer(own, more, of.bounds)).flatten() {
            let asked = self.known(of).shapes.ask(longer, Instant::now());
            if taken.contains(&asked.shape()) || silent == SILENT_MOST {
                continue;
            }
            let late = self.late_answers();
            match self.apart(of, asked, wait).await {
                Ok((words, _)) => {
                    return Ok(Other { words: Some((part(&words, asked, need), asked)), silent: silent > 0 });
                }
                Err(Refused::For(Silence::Exception(_))) => {}
                Err(Refused::For(lost @ Silence::Link(_))) => return Err(lost),
                Err(_) => {
                    silent += 1;
                    self.hear_out().await;
                    if self.late_answers() > late {
                        return Err(Silence::Timeout);
                    }
                }
            }
        }
        Ok(Other { words: None, silent: silent > 0 })
    }

    /// By how much longer the same is asked for next: 1 to 8.
    fn draw(&mut self) -> u16 {
        let drawn = self.lengths % MORE_MOST;
        self.lengths /= MORE_MOST;
        1 + u16::try_from(drawn).unwrap_or_default()
    }

    /// The two differ: the first was old, or the value moves. What was answered in another length has emptied the line, so the next is
    /// the unit's own; a line that still has something old is not believed.
    async fn moved(&mut self, question: Question<'_>, before: &[u16], asked: Span) -> Result<Answer, Silence> {
        let late = self.late_answers();
        let answer = self.plain(question).await?;
        if answer.0 == before {
            return Ok(answer);
        }
        let again = self.apart(question.of, asked, question.wait).await;
        let again = again.map_err(|_| Silence::Ambiguous)?;
        let agrees = part(&again.0, asked, question.need) == answer.0;
        if agrees || self.late_answers() == late { Ok(answer) } else { Err(Silence::Ambiguous) }
    }

    /// Nothing but time tells: what was asked before this program began has come after twice the wait, or is not reckoned with. Where
    /// even another length is silent, so may the unit be, and the two must agree.
    async fn by_time(
        &mut self,
        question: Question<'_>,
        first: Answer,
        asked_at: Instant,
        silent: bool,
    ) -> Result<Answer, Silence> {
        let clear = self.opened + question.wait * 2;
        if asked_at >= clear && !silent {
            return Ok(first);
        }
        self.listen_until(Some(clear)).await;
        let again = self.plain(question).await?;
        if silent && again.0 != first.0 { Err(Silence::Ambiguous) } else { Ok(again) }
    }
}

/// What holds `own` and is longer: by so much behind it, or by one before it and the rest behind; as far as the device may be asked for that.
fn longer(own: Span, more: u16, bounds: Bounds) -> [Option<Span>; 2] {
    let more = if own.is_bits() { more * 8 } else { more };
    let count = own.count.saturating_add(more);
    let behind = Span { count, ..own };
    let before = own.address.checked_sub(1).map(|address| Span { address, count, ..own });
    let before = before.filter(|_| !(bounds.coils_from_zero && own.function == 1));
    let allowed = |span: &Span| count <= bounds.most(own.function) && span.end() <= 0x1_0000;
    [Some(behind).filter(allowed), before.filter(allowed)]
}

/// The words of `need` in those of `asked`.
fn part(words: &[u16], asked: Span, need: Span) -> Vec<u16> {
    let from = usize::from(need.address - asked.address);
    words.iter().skip(from).take(usize::from(need.count)).copied().collect()
}
