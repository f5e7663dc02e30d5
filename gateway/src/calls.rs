//! Whom to call when nobody acknowledges: the site's own list, with telephone numbers and names of people.
//!
//! Both are personal data (domain.md, 12): [`Personal`] says nothing of itself, not to a log and not to a serialiser, so that they reach
//! nobody but who asks for them by [`Personal::shown`]. Events, MQTT and the journal know posts alone, from the rule book. The gateway dials
//! nobody: that needs a modem or a service outside of it.

use rules::book::Call;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;

/// A text about a person.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// The text, for people who are signed in or have the file itself.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Personal {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A post and how it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// For which alarms, and the post.
    pub call: Call,
    /// As it was written; its form is checked.
    pub telephone: Personal,
    /// Who holds the post, where the site wants to say so.
    pub name: Option<Personal>,
}

/// All posts in the order of calling.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallList(pub Vec<Contact>);

impl CallList {
    /// The English word of a post; the post itself where the list has it no more.
    #[must_use]
    pub fn post_en<'a>(&'a self, post: &'a str) -> &'a str {
        self.0.iter().find(|c| c.call.post == post).map_or(post, |c| c.call.post_en.as_str())
    }
}

/// What a number may have before its extension.
const LETTERS: [char; 2] = ['-', ' '];
/// How an extension is written: `0555-0000-101 转 12`, `… ext. 12`.
const EXTENSIONS: [&str; 3] = ["转", "ext.", "ext"];
/// From a short number of a switchboard to the longest international one.
const DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotANumber {
    /// Neither a digit nor a sign that a number may have.
    Letter(char),
    /// `+` stands first or nowhere.
    Plus,
    /// So many digits are no number.
    Digits(usize),
    /// An extension of digits alone is missing behind its word.
    Extension,
}

/// The address of a number for a link (RFC 3966): `tel:05550000101;ext=12`.
/// # Errors
/// What is wrong with it, without the number.
pub fn tel_uri(written: &str) -> Result<String, NotANumber> {
    let written = written.trim();
    let split = EXTENSIONS.iter().find_map(|word| written.split_once(word));
    let (number, extension) = split.map_or((written, None), |(number, extension)| (number, Some(extension.trim())));
    let (plus, number) = number.strip_prefix('+').map_or(("", number), |rest| ("+", rest));
    if number.contains('+') {
        return Err(NotANumber::Plus);
    }
    if let Some(letter) = number.chars().find(|c| !c.is_ascii_digit() && !LETTERS.contains(c)) {
        return Err(NotANumber::Letter(letter));
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if !DIGITS.contains(&digits.len()) {
        return Err(NotANumber::Digits(digits.len()));
    }
    match extension {
        None => Ok(format!("tel:{plus}{digits}")),
        Some(ext) if !ext.is_empty() && ext.len() <= 8 && ext.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(format!("tel:{plus}{digits};ext={ext}"))
        }
        Some(_) => Err(NotANumber::Extension),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_a_link_and_what_is_none_is_refused_for_its_reason() {
        for (written, uri) in [
            ("0555-0000-101", "tel:05550000101"),
            ("+86 555 0000 101", "tel:+865550000101"),
            (" 110 ", "tel:110"),
            ("0555-0000-101 转 12", "tel:05550000101;ext=12"),
            ("0555-0000-101 ext. 12", "tel:05550000101;ext=12"),
            ("0555-0000-101ext12", "tel:05550000101;ext=12"),
        ] {
            assert_eq!(tel_uri(written).as_deref(), Ok(uri), "{written}");
        }
        for (written, why) in [
            ("0555-0000-1O1", NotANumber::Letter('O')),
            ("0555.0000.101", NotANumber::Letter('.')),
            ("０５５５", NotANumber::Letter('０')),
            ("0555+101", NotANumber::Plus),
            ("", NotANumber::Digits(0)),
            ("12", NotANumber::Digits(2)),
            ("0555-0000-101-0555-0000", NotANumber::Digits(19)),
            ("0555-0000-101 转", NotANumber::Extension),
            ("0555-0000-101 转 一二", NotANumber::Extension),
        ] {
            assert_eq!(tel_uri(written), Err(why), "{written}");
        }
    }

    #[test]
    fn what_is_personal_says_nothing_of_itself() {
        let contact = Contact {
            call: Call { level: 1, post: "值班长".into(), post_en: "Shift leader".into(), ..Call::default() },
            telephone: Personal("0555-0000-101".into()),
            name: Some(Personal("张三".into())),
        };
        let said = format!("{:?}", CallList(vec![contact]));
        assert!(said.contains("值班长") && !said.contains("0555") && !said.contains("张三"), "{said}");
    }
}
