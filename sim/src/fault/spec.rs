//! A rule as text, for command lines: `KIND=WHEN[:TIME]`.
//!
//! ```text
//!   KIND  delay drop truncate corrupt late duplicate foreign cut
//!   WHEN  20%   1/10 (every tenth)   @17 (that exchange only)   @100-200
//!   TIME  700ms   500-1500ms   2s        asked for by delay and late; duplicate may have one
//! ```

use super::{Fault, Rule, Spread, When};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A text that is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: 应形如 expected, for example, late=20%:700ms drop=1/50 corrupt=@100-200")]
pub struct BadRule(pub String);

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        parse(text).ok_or_else(|| BadRule(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Rule> {
    let (kind, rest) = text.split_once('=')?;
    let (when, time) = rest.split_once(':').map_or((rest, None), |(when, time)| (when, Some(time)));
    let time = time.map(|text| spread(text).ok_or(())).transpose().ok()?;
    let fault = match (kind, time) {
        ("delay", Some(time)) => Fault::Delay(time),
        ("late", Some(time)) => Fault::Late(time),
        ("duplicate", time) => Fault::Duplicate(time.unwrap_or(Spread::exactly(Duration::ZERO))),
        ("drop", None) => Fault::Drop,
        ("truncate", None) => Fault::Truncate,
        ("corrupt", None) => Fault::Corrupt,
        ("foreign", None) => Fault::Foreign,
        ("cut", None) => Fault::Cut,
        _ => return None,
    };
    Some(Rule { fault, when: schedule(when)? })
}

fn schedule(text: &str) -> Option<When> {
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.parse().ok()?;
        return (0.0..=100.0).contains(&percent).then_some(When::Share(percent / 100.0));
    }
    if let Some(n) = text.strip_prefix("1/") {
        return n.parse().ok().filter(|n| *n > 0).map(When::Every);
    }
    let numbers = text.strip_prefix('@')?;
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(When::Numbers(first, last))
}

fn spread(text: &str) -> Option<Spread> {
    let (numbers, unit_ms) = match text.strip_suffix("ms") {
        Some(numbers) => (numbers, 1),
        None => (text.strip_suffix('s')?, 1000),
    };
    let (least, most) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let time = |n: &str| Some(Duration::from_millis(n.parse::<u64>().ok()?.checked_mul(unit_ms)?));
    let spread = Spread { least: time(least)?, most: time(most)? };
    (spread.least <= spread.most).then_some(spread)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, time) = match self.fault {
            Fault::Delay(time) => ("delay", Some(time)),
            Fault::Drop => ("drop", None),
            Fault::Truncate => ("truncate", None),
            Fault::Corrupt => ("corrupt", None),
            Fault::Late(time) => ("late", Some(time)),
            Fault::Duplicate(time) => ("duplicate", Some(time)),
            Fault::Foreign => ("foreign", None),
            Fault::Cut => ("cut", None),
        };
        match self.when {
            When::Share(share) => write!(f, "{kind}={}%", share * 100.0)?,
            When::Every(n) => write!(f, "{kind}=1/{n}")?,
            When::Numbers(first, last) => write!(f, "{kind}=@{first}-{last}")?,
        }
        time.map_or(Ok(()), |t| write!(f, ":{}-{}ms", t.least.as_millis(), t.most.as_millis()))
    }
}
