//! What is wrong with a profile, or doubtful, in the words of the person who wrote it: zh-CN and en, with the key it is about.
//!
//! Owns how flaws are gathered, so that one does not hide the others. Leaves finding them to [`super::check`], [`super::quantity`] and
//! [`super::doubts`].

/// One thing wrong with a profile, or doubtful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In the keys of the file, such as `field.temperature.scale`.
    pub path: String,
    pub message_zh: String,
    pub message_en: String,
    pub remedy_zh: String,
    pub remedy_en: String,
    /// The profile cannot be used.
    pub fatal: bool,
    /// The table whose absence this is about, such as `status.state`.
    pub misses: Option<String>,
}

/// Why a profile was refused: correct it and load it again.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProfileError {
    /// Not TOML, an unknown name or a wrong type; the text carries line and column.
    #[error("profile {profile}: {message}")]
    Syntax { profile: String, message: String },
    /// A value that cannot be right.
    #[error("profile {profile}: {place}: {problem}; {remedy}")]
    Value { profile: String, place: String, problem: String, remedy: String },
}

/// A flaw before it knows its table: the key in it, and the words.
#[derive(Debug)]
pub(super) struct Wrong {
    key: &'static str,
    /// Boxed: most results are no flaw.
    words: Box<Words>,
}

/// In zh-CN and en.
#[derive(Debug)]
struct Words {
    message: (String, String),
    remedy: (String, String),
    misses: Option<String>,
}

impl Wrong {
    pub(super) fn new(
        key: &'static str,
        message: (impl Into<String>, impl Into<String>),
        remedy: (impl Into<String>, impl Into<String>),
    ) -> Self {
        let (message, remedy) = ((message.0.into(), message.1.into()), (remedy.0.into(), remedy.1.into()));
        Self { key, words: Box::new(Words { message, remedy, misses: None }) }
    }

    /// Because that table is not there.
    pub(super) fn for_want_of(mut self, table: String) -> Self {
        self.words.misses = Some(table);
        self
    }
}

pub(super) fn wrong<T>(
    key: &'static str,
    message: (impl Into<String>, impl Into<String>),
    remedy: (impl Into<String>, impl Into<String>),
) -> Result<T, Wrong> {
    Err(Wrong::new(key, message, remedy))
}

/// What is written, by itself, cannot be.
pub(super) fn unusable<T>(
    key: &'static str,
    written: &str,
    remedy: (impl Into<String>, impl Into<String>),
) -> Result<T, Wrong> {
    wrong(key, (format!("{written} 不可用"), format!("{written} cannot be used")), remedy)
}

/// Everything that was found so far.
#[derive(Default)]
pub(super) struct Flaws(pub(super) Vec<Flaw>);

impl Flaws {
    /// What was made, or nothing and a fatal flaw of `table`.
    pub(super) fn keep<T>(&mut self, table: &str, made: Result<T, Wrong>) -> Option<T> {
        made.map_err(|wrong| self.say(table, wrong, true)).ok()
    }

    pub(super) fn doubt(&mut self, table: &str, wrong: Wrong) {
        self.say(table, wrong, false);
    }

    fn say(&mut self, table: &str, wrong: Wrong, fatal: bool) {
        let path = match (table, wrong.key) {
            (table, "") => table.to_owned(),
            ("", key) => key.to_owned(),
            (table, key) => format!("{table}.{key}"),
        };
        let Words { message: (message_zh, message_en), remedy: (remedy_zh, remedy_en), misses } = *wrong.words;
        self.0.push(Flaw { path, message_zh, message_en, remedy_zh, remedy_en, fatal, misses });
    }

    pub(super) fn is_fatal(&self) -> bool {
        self.0.iter().any(|flaw| flaw.fatal)
    }
}
