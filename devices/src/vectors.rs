//! Byte vectors of a profile: what an instrument answers, and what must come of it. `check` runs those beside a person's own profile,
//! the tests those of every shipped one.
//!
//! ```text
//! [[vector]]
//! blocks = { "3:0" = "0000 001F 0002" }      function:address = the data bytes of the answer
//! expect = { concentration = 0.31 }          or "bad <Fault>", or "<value> <Doubt>", or the characters of a text field;
//!                                            at_s = seconds since the first
//! ```
//!
//! Owns the format and the comparison. Leaves decoding to [`crate::decode`], and where a flaw stands to who read the file.

use crate::decode::{Image, Memory, decode, text};
use crate::plan::Span;
use crate::profile::{Field, Flaw, Kind, Profile};
use rules::{Mono, Now, Reading, Wall};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

mod words;

#[cfg(test)]
mod tests;

/// Of the expected value, however small: a float of 32 bits differs by a sixteenth of this, a wrong scale by far more.
const TOLERANCE: f64 = 1e-6;
/// Where 0 is expected, nothing can be a share of it.
const TOLERANCE_AT_ZERO: f64 = 1e-9;
const NANOSECONDS: u64 = 1_000_000_000;

/// A file of vectors, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vectors {
    vector: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(default)]
    at_s: u64,
    blocks: BTreeMap<String, String>,
    expect: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a number, or a text such as \"bad WarmUp\", \"50 OverRange\" or the characters of a text field"
)]
enum Expected {
    Value(f64),
    Text(String),
}

/// What running them came to.
#[derive(Debug, Default)]
pub struct Tried {
    pub vectors: usize,
    /// Fields that a vector looks at.
    pub fields: BTreeSet<String>,
    /// Paths are those of the file of vectors, such as `vector[#0].expect.concentration`.
    pub flaws: Vec<Flaw>,
}

impl Vectors {
    /// # Errors
    /// What TOML or the shape has to say, with its place.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Decodes every vector with the profile, in order: a field remembers what it has seen.
    #[must_use]
    pub fn run(&self, profile: &Profile) -> Tried {
        let mut tried = Tried { vectors: self.vector.len(), ..Tried::default() };
        let mut memories: BTreeMap<&str, Memory> = BTreeMap::new();
        if self.vector.is_empty() {
            tried.flaws.push(nothing_expected("vector".into()));
        }
        for (n, vector) in self.vector.iter().enumerate() {
            if vector.expect.is_empty() {
                tried.flaws.push(nothing_expected(format!("vector[#{n}].expect")));
            }
            let Some(image) = vector.image(n, &mut tried.flaws) else { continue };
            for (name, expected) in &vector.expect {
                let path = format!("vector[#{n}].expect.{name}");
                let Some(field) = profile.field(name) else {
                    tried.flaws.push(no_field(path, name, profile));
                    continue;
                };
                tried.fields.insert(name.clone());
                let found =
                    Found::of(field, &image, memories.entry(name.as_str()).or_insert_with(Memory::in_operation));
                if let Some(flaw) = expected.unusable(field, &path) {
                    tried.flaws.push(flaw);
                } else if !expected.fits(&found) {
                    tried.flaws.push(differs(path, (n, name), expected, &found, &raw(field, &image)));
                }
            }
        }
        tried
    }
}

impl Vector {
    /// What the instrument answered; nothing where bytes cannot be read.
    fn image(&self, n: usize, flaws: &mut Vec<Flaw>) -> Option<Image> {
        let mut image = Image::default();
        let now = Now { mono: Mono(self.at_s.saturating_mul(NANOSECONDS)), wall: Wall::default() };
        for (place, data) in &self.blocks {
            let Some((span, words)) = block(place, data) else {
                flaws.push(no_block(format!("vector[#{n}].blocks.{place}"), place, data));
                return None;
            };
            image.put(span, Ok(words), now);
        }
        Some(image)
    }
}

/// What a field came to: a reading, or the characters of a text field, which no reading holds.
enum Found {
    Reading(Reading),
    Text(String),
}

impl Found {
    fn of(field: &Field, image: &Image, memory: &mut Memory) -> Self {
        if field.kind != Kind::Text {
            return Self::Reading(decode(field, image, memory));
        }
        image.words(field.span).map_or_else(|fault| Self::Reading(Reading::Bad(fault)), |w| Self::Text(text(field, w)))
    }

    /// As an expectation would be written.
    fn said(&self) -> String {
        match self {
            Self::Reading(Reading::Good(v)) => rounded(v.get()).to_string(),
            Self::Reading(Reading::Uncertain(v, doubt)) => format!("{} {doubt:?}", rounded(v.get())),
            Self::Reading(Reading::Bad(fault)) => format!("bad {fault:?}"),
            Self::Text(text) => format!("\"{text}\""),
        }
    }
}

/// To seven digits: as many as a float of 32 bits has, and close enough to be taken over as expected.
fn rounded(v: f64) -> f64 {
    format!("{v:.6e}").parse().unwrap_or(v)
}

fn near(expected: f64, found: f64) -> bool {
    expected.is_finite() && (expected - found).abs() <= (TOLERANCE * expected.abs()).max(TOLERANCE_AT_ZERO)
}

impl Expected {
    fn fits(&self, found: &Found) -> bool {
        match (self, found) {
            (Self::Value(value), Found::Reading(Reading::Good(v))) => near(*value, v.get()),
            (Self::Text(text), Found::Text(found)) => text == found,
            (Self::Text(text), Found::Reading(Reading::Bad(_))) => *text == found.said(),
            (Self::Text(text), Found::Reading(Reading::Uncertain(v, doubt))) => {
                text.split_once(' ').is_some_and(|(value, word)| {
                    word == format!("{doubt:?}") && value.parse::<f64>().is_ok_and(|value| near(value, v.get()))
                })
            }
            _ => false,
        }
    }

    fn said(&self) -> String {
        match self {
            Self::Value(value) => value.to_string(),
            Self::Text(text) => format!("\"{text}\""),
        }
    }
}

/// `3:16` and the bytes: where they lie, and the registers or bits.
fn block(place: &str, data: &str) -> Option<(Span, Vec<u16>)> {
    let (function, address) = place.split_once(':')?;
    let address = match address.strip_prefix("0x").or_else(|| address.strip_prefix("0X")) {
        Some(digits) => u16::from_str_radix(digits, 16).ok()?,
        None => address.parse().ok()?,
    };
    let function = function.parse().ok()?;
    let words = unpack(function, &bytes(data)?)?;
    let count = u16::try_from(words.len()).ok().filter(|count| *count > 0)?;
    let fits = u32::from(address) + u32::from(count) <= 0x1_0000;
    fits.then_some((Span { function, address, count }, words))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    digits?.chunks(2).map(|pair| Some(*pair.first()? << 4 | *pair.get(1)?)).collect()
}

/// As tokio-modbus unpacks an answer: registers from byte pairs, bits from the lowest up.
fn unpack(function: u8, bytes: &[u8]) -> Option<Vec<u16>> {
    match function {
        1 | 2 => Some(bytes.iter().flat_map(|b| (0..8).map(move |bit| u16::from(b >> bit & 1))).collect()),
        3 | 4 => bytes.chunks(2).map(|pair| Some(u16::from_be_bytes([*pair.first()?, *pair.get(1)?]))).collect(),
        _ => None,
    }
}

/// The registers that a field is read from, as they stand in the vector.
fn raw(field: &Field, image: &Image) -> String {
    let one = |span: Span| {
        let words = match image.words(span) {
            Ok(words) => words.iter().map(|w| format!("{w:04X}")).collect::<Vec<_>>().join(" "),
            Err(_) => "–".to_owned(),
        };
        format!("{}:{} = {words}", span.function, span.address)
    };
    // one register may be status and heartbeat at once
    let mut spans: Vec<Span> = Vec::new();
    for span in field.spans() {
        if !spans.contains(&span) {
            spans.push(span);
        }
    }
    spans.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

fn differs(path: String, (number, name): (usize, &str), expected: &Expected, got: &Found, raw: &str) -> Flaw {
    let (expected, got) = (expected.said(), got.said());
    flaw(
        path,
        (
            format!("向量 vector[#{number}] 不符：{name} 应为 {expected}，实得 {got}；原始寄存器 {raw}"),
            format!("vector[#{number}] differs: {name} should be {expected}, got {got}; raw registers {raw}"),
        ),
        (
            "对照手册改正型号文件的 address、type、word_order、scale 等，或改正此向量".into(),
            "mend address, type, word_order, scale … of the profile by the manual, or mend the vector".into(),
        ),
    )
}

fn no_field(path: String, name: &str, profile: &Profile) -> Flaw {
    let names = profile.field_names().join(", ");
    flaw(
        path,
        (
            format!("型号 {} 没有名为 {name} 的量", profile.name),
            format!("profile `{}` has no field `{name}`", profile.name),
        ),
        (format!("可用：{names}"), format!("allowed: {names}")),
    )
}

/// What expects nothing agrees with everything.
fn nothing_expected(path: String) -> Flaw {
    flaw(
        path,
        ("没有写任何期望值，什么也没有验证".into(), "nothing is expected here, so nothing is proved".into()),
        (
            "写 expect = { 量 = 值 }，或删去".into(),
            "write [[vector]] with expect = { field = value }, or take it out".into(),
        ),
    )
}

fn no_block(path: String, place: &str, data: &str) -> Flaw {
    flaw(
        path,
        (format!("{place} = \"{data}\" 读不懂"), format!("{place} = \"{data}\" cannot be read")),
        (
            "写 \"功能码:地址\" = \"十六进制字节\"，例如 \"3:0\" = \"0000 001F\"（功能码 1–4，寄存器每个两字节）".into(),
            "write \"function:address\" = \"bytes in hexadecimal\", such as \"3:0\" = \"0000 001F\" (functions 1 to 4, two bytes a register)".into(),
        ),
    )
}

fn flaw(path: String, message: (String, String), remedy: (String, String)) -> Flaw {
    let ((message_zh, message_en), (remedy_zh, remedy_en)) = (message, remedy);
    Flaw { path, message_zh, message_en, remedy_zh, remedy_en, fatal: true, misses: None }
}
