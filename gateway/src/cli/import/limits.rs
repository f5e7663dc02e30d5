//! The alarm limits of a row, with what they say to people.

use super::cells::Row;
use serde::Serialize;
use std::collections::BTreeMap;

/// A limit of a point.
#[derive(Serialize)]
pub(super) struct Limit {
    limit: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadband: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_s: Option<f64>,
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    latching: Option<bool>,
    #[serde(flatten)]
    words: BTreeMap<&'static str, String>,
}

/// What a limit says to people; the Chinese ones are needed for priorities 1 and 2.
const WORDS: [(&str, &str); 4] = [("cause", "原因"), ("consequence", "后果"), ("action", "处置"), ("action_en", "")];

impl Row<'_> {
    pub(super) fn limits(&mut self, range: Option<(f64, f64)>) -> BTreeMap<&'static str, Limit> {
        let given = [("ll", "LL"), ("l", "L"), ("h", "H"), ("hh", "HH")];
        let values: Vec<(&str, &'static str, f64)> =
            given.into_iter().filter_map(|(key, word)| Some((key, word, self.real(key)?))).collect();
        for pair in values.windows(2) {
            if pair[0].2 >= pair[1].2 {
                let (low, high) = (pair[0].1, pair[1].1);
                self.wrong(pair[1].0, format!("{low} 必须小于 {high}"), format!("{low} must be below {high}"));
            }
        }
        for (key, word, value) in &values {
            if range.is_some_and(|(low, high)| *value < low || *value > high) {
                self.wrong(key, format!("{word} 在量程之外"), format!("{word} lies outside of the range"));
            }
        }
        let of_all = self.within("priority", 1, 4).unwrap_or(3);
        let priorities: Vec<u8> =
            values.iter().map(|(key, ..)| self.within(&format!("priority_{key}"), 1, 4).unwrap_or(of_all)).collect();
        let words = self.words(priorities.iter().any(|priority| *priority <= 2));
        let (deadband, delay_s) = (self.real("deadband"), self.real("delay_s"));
        let latching_hh = self.yes_or_no("latching_hh");
        let limit = |((_, word, limit), priority): ((&str, &'static str, f64), u8)| {
            let latching = latching_hh.filter(|_| word == "HH");
            (word, Limit { limit, deadband, delay_s, priority, latching, words: words.clone() })
        };
        values.into_iter().zip(priorities).map(limit).collect()
    }

    /// What the limits say to people; `urgent` ones must.
    fn words(&mut self, urgent: bool) -> BTreeMap<&'static str, String> {
        let words: BTreeMap<&'static str, String> =
            WORDS.iter().filter_map(|(key, _)| Some((*key, self.text(key)?))).collect();
        for (key, zh) in WORDS.iter().filter(|(key, zh)| urgent && !zh.is_empty() && !words.contains_key(key)) {
            self.wrong(key, format!("优先级 1、2 必须写{zh}"), format!("priorities 1 and 2 need the {key}"));
        }
        words
    }
}
