//! The line guard's matchers for fuzz targets and for the comparison with another implementation: a request, a stream in pieces,
//! and what goes up. Requests that were given up before it may still be answered, before it leaves (the line drops what it hears then) or after;
//! what the guard doubts is asked once more.

use super::rtu::RtuMatcher;
use super::tcp::TcpMatcher;
use super::{Matcher, Verdict};
use crate::status::LinkCounters;

/// What came of one stream.
#[derive(Debug, Default)]
pub struct Trial {
    /// The request as it went out.
    pub sent: Vec<u8>,
    /// Frames that went up; never more than one for a request.
    pub answers: Vec<Vec<u8>>,
    /// An answer was doubted, and asked for once more.
    pub doubtful: bool,
    /// Most bytes held at a time.
    pub held: usize,
    /// The guard asked for a new connection.
    pub lost: bool,
}

/// What came before the request under trial.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before<'a> {
    /// Requests that were asked and not answered, each with what came instead while it was waited for.
    pub given_up: &'a [(Vec<u8>, Vec<u8>)],
    /// What came while nothing was asked, until the line was quiet.
    pub drained: &'a [u8],
}

/// Feeds what `stream` makes of the request sent, in pieces of `piece` bytes, after what came `before`; `None` when the request may not leave.
pub fn trial(
    rtu: bool,
    before: Before,
    request: &[u8],
    piece: usize,
    mut stream: impl FnMut(&[u8]) -> Vec<u8>,
) -> Option<Trial> {
    let mut matcher = if rtu { Matcher::Rtu(RtuMatcher::default()) } else { Matcher::Tcp(TcpMatcher::default()) };
    let counters = LinkCounters::default();
    for (request, instead) in before.given_up {
        matcher.begin(request)?;
        // what the line takes for an answer is one: the oracle gives none here
        let verdict = matcher.feed(instead, &counters);
        assert_eq!(verdict, Verdict::Wait, "not given up: {request:02X?} got {instead:02X?}");
        matcher.abandon(&counters);
    }
    for piece in before.drained.chunks(piece.max(1)) {
        matcher.feed(piece, &counters);
    }
    matcher.quiet(&counters);
    let mut trial = Trial { sent: matcher.begin(request)?, ..Trial::default() };
    trial.feed(&mut matcher, &stream(&trial.sent), piece, &counters);
    if trial.doubtful && !trial.lost {
        trial.sent = matcher.begin(request)?;
        trial.feed(&mut matcher, &stream(&trial.sent), piece, &counters);
    }
    matcher.abandon(&counters);
    Some(trial)
}

impl Trial {
    fn feed(&mut self, matcher: &mut Matcher, stream: &[u8], piece: usize, counters: &LinkCounters) {
        for piece in stream.chunks(piece.max(1)) {
            match matcher.feed(piece, counters) {
                Verdict::Answer(frame) => self.answers.push(frame),
                Verdict::Doubtful => self.doubtful = true,
                Verdict::Malformed | Verdict::Wait => {}
                Verdict::Lost | Verdict::Renew => self.lost = true,
            }
            self.held = self.held.max(matcher.held());
            if self.lost {
                break;
            }
        }
    }
}
