//! A point's moving part as outsiders see it. Kept as the engine keeps it: a site of 20,000 points has two pictures of all values at any time.

use rules::{Doubt, Fault, Reading};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// By index of [`super::SiteView::points`]; as JSON `[value | null, quality 0|1|2, acquired UTC ms, fault or doubt word | null]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueView {
    pub reading: Reading,
    /// When the answer arrived.
    pub utc_ms: i64,
}

impl ValueView {
    /// Before the first scan.
    pub const NEVER_READ: Self = Self { reading: Reading::Bad(Fault::NeverRead), utc_ms: 0 };

    /// What is wrong with it or doubtful, in the interface's words.
    #[must_use]
    pub fn word(self) -> Option<Cow<'static, str>> {
        match self.reading {
            Reading::Good(_) => None,
            Reading::Uncertain(_, doubt) => Some(doubt_word(doubt).into()),
            Reading::Bad(Fault::Exception(code)) => Some(format!("exception_{code}").into()),
            Reading::Bad(fault) => Some(fault_word(fault).into()),
        }
    }
}

impl Serialize for ValueView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.reading.value(), self.reading.quality_code(), self.utc_ms, self.word()).serialize(serializer)
    }
}

fn doubt_word(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::OverRange => "over_range",
        Doubt::UnderRange => "under_range",
        Doubt::Maintenance => "maintenance",
        Doubt::Simulated => "simulated",
        Doubt::Unconfirmed => "unconfirmed",
    }
}

fn fault_word(fault: Fault) -> &'static str {
    match fault {
        Fault::Exception(_) => "exception",
        Fault::NeverRead => "never_read",
        Fault::Timeout => "timeout",
        Fault::Disconnected => "disconnected",
        Fault::Protocol => "protocol",
        Fault::Configuration => "configuration",
        Fault::Stale => "stale",
        Fault::Sensor => "sensor",
        Fault::WarmUp => "warm_up",
        Fault::Inhibited => "inhibited",
        Fault::NotANumber => "not_a_number",
        Fault::Frozen => "frozen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_four_things_to_a_page_and_three_words_to_the_memory() {
        let json = |reading| serde_json::to_string(&ValueView { reading, utc_ms: 7 }).unwrap();
        assert_eq!(json(Reading::Good(rules::Finite::new(1.5).unwrap())), "[1.5,0,7,null]");
        assert_eq!(json(Reading::Bad(Fault::Exception(2))), r#"[null,2,7,"exception_2"]"#);
        assert_eq!(json(Reading::Bad(Fault::WarmUp)), r#"[null,2,7,"warm_up"]"#);
        assert_eq!(size_of::<ValueView>(), 24);
    }
}
