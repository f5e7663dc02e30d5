//! The words that an expectation may use beside a number, and what is said of any other.

use super::{Expected, flaw};
use crate::profile::{Field, Flaw, Kind};
use rules::{Doubt, Fault};

/// What an instrument's answer can come to without a value. The faults of a link are none of its bytes; only `NeverRead` stands for
/// registers that the vector does not give.
const FAULTS: [Fault; 7] = [
    Fault::Sensor,
    Fault::WarmUp,
    Fault::Inhibited,
    Fault::NotANumber,
    Fault::Frozen,
    Fault::Configuration,
    Fault::NeverRead,
];
const DOUBTS: [Doubt; 4] = [Doubt::OverRange, Doubt::UnderRange, Doubt::Maintenance, Doubt::Simulated];

/// All words, as they are written: faults, doubts.
pub(super) fn allowed() -> (Vec<String>, Vec<String>) {
    let faults = FAULTS.iter().map(|fault| format!("bad {fault:?}")).collect();
    (faults, DOUBTS.iter().map(|doubt| format!("{doubt:?}")).collect())
}

impl Expected {
    /// Text that no reading is ever said by: mistyped, it would look like an instrument that differs.
    pub(super) fn unusable(&self, field: &Field, path: &str) -> Option<Flaw> {
        let Self::Text(text) = self else { return None };
        let (faults, doubts) = allowed();
        let doubtful = |text: &str| {
            let parts = text.split_once(' ');
            parts.is_some_and(|(value, word)| value.parse::<f64>().is_ok() && doubts.iter().any(|doubt| doubt == word))
        };
        if field.kind == Kind::Text || faults.contains(text) || doubtful(text) {
            return None;
        }
        let (faults, doubts) = (faults.join("\", \""), doubts.join(", "));
        Some(flaw(
            path.to_owned(),
            (format!("“{text}”不是向量可用的写法"), format!("`{text}` is nothing a vector can expect")),
            (
                format!("可用：数值；\"{faults}\"；或 \"数值 词\"，词为 {doubts}"),
                format!("allowed: a number; \"{faults}\"; or \"<number> <word>\" with one of {doubts}"),
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Vectors;
    use super::*;
    use crate::profile::Profile;

    fn said(expected: &str) -> Vec<Flaw> {
        let profile = "title_zh = '试'\ntitle_en = 'try'\n[field.x]\naddress = 0\ntype = 'u16'\nstatus = ['s']\n\
            heartbeat = 'b'\n[status.s]\naddress = 1\nvalues = { 0 = 'warm_up' }\n[heartbeat.b]\naddress = 1\nwithin_s = 5.0\n";
        let profile = Profile::from_toml("try", profile).unwrap();
        let text = format!("[[vector]]\nblocks = {{ '3:0' = '0001 0000' }}\nexpect = {{ x = '{expected}' }}\n");
        Vectors::from_toml(&text).unwrap().run(&profile).flaws
    }

    #[test]
    fn an_unknown_word_is_told_as_such_with_all_that_are_allowed() {
        assert_eq!(said("bad WarmUp"), []);
        for word in ["bad warm_up", "bad Warmup", "50 Overrange", "OverRange", "many OverRange", "1"] {
            let said = said(word);
            assert_eq!(said[0].message_en, format!("`{word}` is nothing a vector can expect"));
            assert!(
                said[0].remedy_zh.contains("\"bad WarmUp\"") && said[0].remedy_en.contains("OverRange"),
                "{said:?}"
            );
        }
    }

    #[test]
    fn a_register_that_is_read_for_two_reasons_is_shown_once_and_the_vector_by_its_path() {
        let said = &said("bad Sensor")[0];
        let differs =
            "vector[#0] differs: x should be \"bad Sensor\", got bad WarmUp; raw registers 3:0 = 0001, 3:1 = 0000";
        assert_eq!((said.path.as_str(), said.message_en.as_str()), ("vector[#0].expect.x", differs));
    }

    #[test]
    fn the_guide_lists_every_word() {
        let guide = include_str!("../../../docs/profiles.md");
        let (faults, doubts) = allowed();
        for word in
            faults.iter().map(|fault| format!("`\"{fault}\"`")).chain(doubts.iter().map(|d| format!("`\"50 {d}\"`")))
        {
            assert!(guide.contains(&word), "{word}");
        }
    }
}
