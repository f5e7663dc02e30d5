//! The line guard's matchers for fuzz targets and for the comparison with another implementation: a request, a stream in pieces,
//! and what goes up.

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
    /// Most bytes held at a time.
    pub held: usize,
    /// The guard asked for a new connection.
    pub lost: bool,
}

/// Feeds what `stream` makes of the request sent, in pieces of `piece` bytes; `None` when the request may not leave.
pub fn trial(rtu: bool, request: &[u8], piece: usize, stream: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Trial> {
    let mut matcher = if rtu { Matcher::Rtu(RtuMatcher::default()) } else { Matcher::Tcp(TcpMatcher::default()) };
    let counters = LinkCounters::default();
    let mut trial = Trial { sent: matcher.begin(request)?, ..Trial::default() };
    for piece in stream(&trial.sent).chunks(piece.max(1)) {
        match matcher.feed(piece, &counters) {
            Verdict::Answer(frame) => trial.answers.push(frame),
            Verdict::Malformed | Verdict::Wait => {}
            Verdict::Lost | Verdict::Renew => trial.lost = true,
        }
        trial.held = trial.held.max(matcher.held());
        if trial.lost {
            break;
        }
    }
    matcher.abandon(&counters);
    Some(trial)
}
