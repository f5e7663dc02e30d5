//! What one device said to the questions of `probe`, and what it was asked.
//!
//! Owns the way from blocks to single values, as the running bus has it: a block that is refused or silent is asked in parts, so that one register
//! costs no neighbour; a unit that is silent as a whole is soon left alone. Leaves what is shown to [`super`].

use crate::cli::silence::{Asks, Question, because};
use crate::clock::SystemClock;
use devices::commission::{Answers, Instrument, Session, Silence};
use devices::plan::{Bounds, Cost, Span, distinct, plan};
use devices::profile::Field;
use devices::{BusSpec, DeviceSpec};
use rules::Clock as _;
use std::time::Duration;

/// So many requests in silence, and not one answered: the unit is silent.
const SILENT_UNIT: u32 = 4;
/// So many values of a unit that lives are asked for by themselves in vain.
const SILENT_VALUES: u32 = 8;

#[derive(Default)]
pub(super) struct Asked {
    pub(super) answers: Answers,
    pub(super) slowest: Option<Duration>,
    /// Why requests got no answer, each reason once.
    pub(super) silence: Vec<String>,
    /// What was asked for by itself, refused or not answered.
    pub(super) failed: Vec<(Span, Silence)>,
    /// It answered something, be it with a refusal.
    heard: bool,
    /// Requests in silence.
    unanswered: u32,
    clock: SystemClock,
}

/// One device with its values on an open link.
pub(super) struct Course<'a> {
    pub(super) session: &'a mut Session,
    pub(super) bus: &'a BusSpec,
    pub(super) device: &'a DeviceSpec,
    pub(super) values: Vec<Span>,
}

impl Course<'_> {
    fn plan(&self, values: &[Span]) -> Vec<Span> {
        let limits = self.device.profile.limits;
        let cost = Cost::on(&self.bus.transport, limits.turnaround, None);
        plan(values, Bounds::of(limits), &cost, |_| false)
    }

    /// The values that a request would have brought, from both ends: a hole is rarely at either.
    fn of(&self, block: Span) -> Vec<Span> {
        let mut values = distinct(&self.values);
        values.retain(|value| block.holds(*value));
        if values.len() > 2 {
            let last = values.remove(values.len() - 1);
            values.insert(1, last);
            let middle = values.remove(values.len() / 2 + 1);
            values.insert(2, middle);
        }
        values
    }
}

impl Asked {
    /// Asks for all values: in blocks first, and for what a block has not brought by itself.
    pub(super) async fn all(&mut self, course: &mut Course<'_>) {
        let mut silent = Vec::new();
        for block in course.plan(&course.values) {
            if self.unit_is_silent() {
                self.answers.put(block, Err(Silence::Timeout.fault()), self.clock.now());
                continue;
            }
            match self.once(course, block).await {
                None => {}
                Some(Silence::Exception(2 | 3)) => self.refused(course, block).await,
                Some(why @ (Silence::Timeout | Silence::Damaged | Silence::Ambiguous)) => silent.push((block, why)),
                Some(why) => self.say(because(&why, asked_of(course.device, block))),
            }
        }
        let mut left = SILENT_VALUES;
        for (block, why) in silent {
            self.silent(course, block, why, &mut left).await;
        }
    }

    fn unit_is_silent(&self) -> bool {
        !self.heard && self.unanswered >= SILENT_UNIT
    }

    fn say(&mut self, text: String) {
        if !self.silence.contains(&text) {
            self.silence.push(text);
        }
    }

    /// The device refuses a block: each value by itself.
    async fn refused(&mut self, course: &mut Course<'_>, block: Span) {
        let mut values = course.of(block);
        values.sort_unstable();
        for value in values {
            if let Some(silence) = self.value(course, value).await {
                self.failed(course.device, value, silence);
            }
        }
    }

    /// A block got no answer: each value by itself, until it is known that the unit is silent, or that too much of it is.
    async fn silent(&mut self, course: &mut Course<'_>, block: Span, why: Silence, left: &mut u32) {
        let values = course.of(block);
        let (alone, mut why) = (values.len() < 2, why);
        let mut failed = Vec::new();
        for value in values {
            if self.unit_is_silent() || *left == 0 {
                break;
            }
            let outcome = if alone { Some(why.clone()) } else { self.value(course, value).await };
            if let Some(silence) = outcome {
                *left -= u32::from(!alone);
                why = silence.clone();
                failed.push((value, silence));
            }
        }
        if !self.heard {
            return self.say(because(&why, asked_of(course.device, block)));
        }
        failed.sort_unstable_by_key(|(value, _)| *value);
        failed.into_iter().for_each(|(value, silence)| self.failed(course.device, value, silence));
        if *left == 0 {
            let (from, to) = (block.address, u32::from(block.address) + u32::from(block.count) - 1);
            self.say(format!(
                "{from}–{to}：没有应答的地址太多，未逐个再问 · too many of these addresses do not answer, not all were asked by themselves"
            ));
        }
    }

    /// One value by itself failed.
    fn failed(&mut self, device: &DeviceSpec, value: Span, silence: Silence) {
        let why = match silence {
            Silence::Timeout if self.heard => format!("{}: {}", value.address, does_not_answer()),
            // these say it themselves
            Silence::Exception(1..=3) => because(&silence, asked_of(device, value)),
            _ => format!("{}: {}", value.address, because(&silence, asked_of(device, value))),
        };
        self.say(why);
        self.answers.put(value, Err(silence.fault()), self.clock.now());
        self.failed.push((value, silence));
    }

    async fn value(&mut self, course: &mut Course<'_>, value: Span) -> Option<Silence> {
        // coils may have to be asked for from 0
        let request = course.plan(&[value]).first().copied().unwrap_or(value);
        self.once(course, request).await
    }

    async fn once(&mut self, course: &mut Course<'_>, span: Span) -> Option<Silence> {
        let of = Instrument::of(course.device);
        let silence = match course.session.ask(&of, span, course.bus.timeout).await {
            Ok((words, took)) => {
                self.heard = true;
                self.slowest = self.slowest.max(Some(took));
                self.answers.put(span, Ok(words), self.clock.now());
                return None;
            }
            Err(silence) => silence,
        };
        match silence {
            Silence::Exception(0x0A | 0x0B) | Silence::Link(_) => {}
            Silence::Exception(_) => self.heard = true,
            Silence::Timeout | Silence::Damaged | Silence::Ambiguous => self.unanswered += 1,
        }
        // a refused block is asked in parts, and the first that holds a value counts
        if !matches!(silence, Silence::Exception(2 | 3)) {
            self.answers.put(span, Err(silence.fault()), self.clock.now());
        }
        Some(silence)
    }

    /// The instrument refused one of the requests that the field needs, or did not answer it while it answers others.
    pub(super) fn reason(&self, field: &Field) -> Option<(String, String)> {
        let of_field = |span: &Span| field.spans().any(|needed| needed == *span);
        match self.failed.iter().find(|(span, _)| of_field(span))?.1 {
            Silence::Exception(code) => {
                Some((format!("仪表拒绝（异常 {code}）"), format!("refused by the instrument (exception {code})")))
            }
            Silence::Timeout if self.heard => Some(("此地址没有应答".into(), "this register does not answer".into())),
            _ => None,
        }
    }
}

fn asked_of(device: &DeviceSpec, span: Span) -> Question {
    Question { unit: device.unit, span, asks: Asks::ByProfile }
}

/// Of one address of an instrument that answers others.
fn does_not_answer() -> String {
    "此地址没有应答，而仪表的其他地址有应答：检查型号文件中的 address 和地址基数；仪表可能没有这一路，或答得慢，加大 [[link]] timeout_ms · this register does not \
     answer, while the instrument answers others: check `address` and its base in the profile; this instrument may not have the channel, or is slow there: raise \
     [[link]] timeout_ms"
        .into()
}
