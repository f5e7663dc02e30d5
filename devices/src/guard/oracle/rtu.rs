//! RTU: nothing numbers a frame. Requests were given up, and what belongs to them comes while the line drains, or instead of the answer.
//!
//! What the guard promises by itself is asserted here to the byte: what goes up was heard after the request left, as one whole frame of the
//! unit and function asked with the byte count asked for (or an exception of them); of frames that are damaged, cut or drowned in noise only
//! what a check sum of 16 bits lets through. An answer to another request of the same unit, function and byte count is such a frame: that no
//! two requests of a unit have one is the promise of `bus::shapes`, asserted with the whole bus in `bus::tests::course`.
//!
//! ```text
//!   address high: bits 0–1 of the address, 2–3 how many requests were given up, 4–7 which and how
//!   kinds 252–255 a late answer · 248–251 the same with a wrong bit · 244–247 a late echo · 240–243 the line was drained until here
//!   others as over TCP: noise, the answer, a damaged one, one cut short, our echo, bytes in a wrong order
//! ```

use super::{Before, Question, accepted, trial};

/// A request that was given up.
struct Late {
    request: Vec<u8>,
    answer: Vec<u8>,
    /// What came while it was waited for.
    instead: Vec<u8>,
}

pub(super) fn compare(unit: u8, function: u8, [high, low]: [u8; 2], count: u16, piece: usize, segments: &[u8]) {
    let address = u16::from_be_bytes([high & 3, low]);
    let Some(question) = Question::of(true, unit, function, address, count) else { return };
    let late: Vec<Late> =
        (0..high >> 2 & 3).filter_map(|nth| late((high >> 4) + nth, unit, function, address, count)).collect();
    let right = question.right(&question.request);
    let heard = Heard::of(segments, &question.request, &right, &late);
    let given_up: Vec<_> = late.iter().map(|l| (l.request.clone(), l.instead.clone())).collect();
    let before = Before { given_up: &given_up, drained: &heard.drained };
    let outcome = trial(true, before, &question.request, piece, |_| heard.bytes.clone());
    let outcome = outcome.unwrap_or_else(|| panic!("refused: {:02X?}", question.request));
    let told = || format!("for {:02X?} of {:02X?} after {:02X?}", question.request, heard.bytes, heard.drained);
    assert!(outcome.answers.len() <= 1, "more than one answer to one request");
    assert!(outcome.held <= 2 * 256, "{} bytes held", outcome.held);
    for answer in &outcome.answers {
        accepted(&question, answer);
        assert!(fits(&question.request, answer), "not what was asked: {answer:02X?} {}", told());
        heard.explains(answer).unwrap_or_else(|why| panic!("{why}: {answer:02X?} {}", told()));
    }
    assert!(!heard.whole || outcome.answers.len() == 1, "a right answer was lost {}", told());
}

/// One that differs from the request under trial in nothing, or in one thing; what came instead of its answer, by the higher bits.
fn late(which: u8, unit: u8, function: u8, address: u16, count: u16) -> Option<Late> {
    let question = match which % 6 {
        0 => Question::of(true, unit, function, address, count),
        1 => Question::of(true, unit, function, (address + 64) % 1_024, count),
        2 => Question::of(true, if unit == 255 { 1 } else { unit + 1 }, function, address, count),
        3 => Question::of(true, unit, function, address, count % 125 + 1),
        4 => Question::of(true, unit, function % 4 + 1, address, count),
        // bits whose request looks like an answer of three bytes
        _ => Question::of(true, unit, function % 2 + 1, 0x300 | address & 0xFF, 7),
    }?;
    let answer = question.right(&question.request);
    let instead = match which / 6 {
        0 => Vec::new(),
        1 => question.request.clone(),
        _ => answer[..answer.len().saturating_sub(1)].to_vec(),
    };
    Some(Late { request: question.request, answer, instead })
}

/// `frame` is of the unit and function that `request` asks, and of as many bytes as it asks for or an exception.
fn fits(request: &[u8], frame: &[u8]) -> bool {
    let count = u16::from_be_bytes([request[4], request[5]]);
    let bytes = if request[1] <= 2 { count.div_ceil(8) } else { count * 2 };
    let good = frame[1] == request[1] && u16::from(frame[2]) == bytes && frame.len() == 5 + usize::from(bytes);
    frame[0] == request[0] && (good || frame[1] == request[1] | 0x80 && frame.len() == 5)
}

/// What the line carried.
#[derive(Default)]
struct Heard {
    /// Before the request left.
    drained: Vec<u8>,
    /// After it.
    bytes: Vec<u8>,
    /// The frames of somebody in those, whole and undamaged.
    frames: Vec<Vec<u8>>,
    /// Nothing but such frames.
    only_frames: bool,
    /// The right answer is one of them, and nothing before it could hide it.
    whole: bool,
    request: Vec<u8>,
    /// Those that were given up, as their echoes come late.
    echoes: Vec<Vec<u8>>,
}

impl Heard {
    fn of(mut segments: &[u8], request: &[u8], right: &[u8], late: &[Late]) -> Self {
        let mut heard = Self { only_frames: true, request: request.to_vec(), ..Self::default() };
        heard.echoes = late.iter().map(|l| l.request.clone()).filter(|echo| echo != request).collect();
        while let [kind, place, rest @ ..] = segments {
            segments = rest;
            let place = usize::from(*place);
            let of_late = || late.get(place % late.len().max(1));
            match (kind, of_late()) {
                (252.., Some(late)) => heard.frame(&late.answer),
                (248..252, Some(late)) => heard.damaged(&late.answer, place, kind % 8),
                (244..248, Some(late)) => heard.frame(&late.request),
                (240..244, _) => heard.drain(),
                _ => match kind % 6 {
                    0 => {
                        let n = (place % 64).min(segments.len());
                        heard.other(&segments[..n]);
                        segments = &segments[n..];
                    }
                    1 => {
                        // of one that the request begins with nobody knows yet that it is not the echo
                        heard.whole |= heard.only_frames && !right.is_empty() && !request.starts_with(right);
                        heard.frame(right);
                    }
                    2 => heard.damaged(right, place, kind / 6 % 8),
                    3 => heard.other(&right[..place.min(right.len())]),
                    4 => heard.frame(request),
                    _ => heard.other(&right.iter().rev().copied().collect::<Vec<u8>>()),
                },
            }
        }
        heard
    }

    fn frame(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.frames.push(frame.to_vec());
    }

    fn other(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.only_frames &= bytes.is_empty();
    }

    fn damaged(&mut self, frame: &[u8], place: usize, bit: u8) {
        let mut frame = frame.to_vec();
        if let Some(byte) = frame.get_mut(place) {
            *byte ^= 1 << bit;
        }
        self.other(&frame);
    }

    /// What came until now came before the request.
    fn drain(&mut self) {
        self.drained.append(&mut self.bytes);
        self.frames.clear();
        (self.only_frames, self.whole) = (true, false);
    }

    /// Why `answer` may have gone up; else what is wrong with it.
    fn explains(&self, answer: &[u8]) -> Result<(), &'static str> {
        if self.frames.iter().any(|frame| frame == answer) {
            return Ok(());
        }
        // the check sum of some requests lets their first bytes pass for an answer: `bus::shapes` does not tell these apart
        if self.echoes.iter().any(|echo| echo.starts_with(answer) && self.frames.contains(echo)) {
            return Ok(());
        }
        if self.only_frames {
            return Err("nobody said that");
        }
        if self.frames.iter().any(|frame| holds(frame, answer)) {
            return Err("a part of another frame");
        }
        let without_echo = self.without_echo();
        let was_heard = [&self.bytes, &without_echo].into_iter().any(|bytes| holds(bytes, answer));
        if was_heard { Ok(()) } else { Err("not heard since the request left") }
    }

    /// What was heard, our own request taken out wherever it stands.
    fn without_echo(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        while let Some(at) = bytes.windows(self.request.len()).position(|w| w == self.request) {
            bytes.drain(at..at + self.request.len());
        }
        bytes
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}
