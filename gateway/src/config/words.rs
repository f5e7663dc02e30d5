//! serde's sentences in the words of the person who wrote the file.

use super::address::{self, Form};
use super::diagnostic::Finding;
use super::{full_width, twice};
use toml::Value;

/// What serde objects to.
pub(super) enum Trouble {
    UnknownKey {
        name: String,
        allowed: Vec<String>,
    },
    UnknownWord {
        name: String,
        allowed: Vec<String>,
    },
    Missing {
        name: String,
    },
    /// Anything else: a value of another kind or outside its bounds.
    Kind,
}

/// Sorts a message by its beginning; the words in backticks are its substance.
pub(super) fn trouble(message: &str) -> Trouble {
    let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
    let starts = |with: &str| message.starts_with(with);
    match quoted.next() {
        Some(name) if starts("unknown field") => Trouble::UnknownKey { name, allowed: quoted.collect() },
        Some(name) if starts("unknown variant") => Trouble::UnknownWord { name, allowed: quoted.collect() },
        Some(name) if starts("missing field") => Trouble::Missing { name },
        _ => Trouble::Kind,
    }
}

/// The path toml prints after the message: ``in `limits.H.limit` ``.
pub(super) fn inner_path(printed: &str) -> String {
    let inner = printed.lines().rev().find_map(|line| line.trim().strip_prefix("in `")?.strip_suffix('`'));
    inner.unwrap_or_default().to_owned()
}

pub(super) fn unknown_key(path: String, name: &str, allowed: &[String]) -> Finding {
    Finding::fatal(
        path,
        (format!("没有名为 {name} 的键"), format!("there is no key `{name}` here")),
        did_you_mean(name, allowed),
    )
    .at_key()
}

pub(super) fn unknown_word(path: String, name: &str, allowed: &[String]) -> Finding {
    if let Some(c) = full_width::first(name).filter(|_| allowed.contains(&full_width::halved(name))) {
        return Finding::fatal(path, full_width::said_of(c), did_you_mean(name, allowed));
    }
    Finding::fatal(
        path,
        (format!("“{name}”不是允许的取值"), format!("`{name}` is not one of the allowed words")),
        did_you_mean(name, allowed),
    )
}

pub(super) fn missing(path: String, name: &str) -> Finding {
    Finding::fatal(
        path,
        (format!("缺少键 {name}"), format!("the key `{name}` is missing")),
        (format!("在此表中加上 {name} = …"), format!("add `{name} = …` to this table")),
    )
}

/// A value that cannot stand for `key`; `written` is what stands there.
pub(super) fn wrong_kind(path: String, key: &str, message: &str, written: Option<&Value>) -> Finding {
    if let Some(finding) = written.and_then(|written| look_alike(&path, key, message, written)) {
        return finding;
    }
    let remedy = in_units_of(key, written).unwrap_or_else(|| {
        let numbers = "数字不加引号，文字要加引号；可用取值见 hazard-gateway schema";
        (
            numbers.into(),
            "numbers without quotes, text with quotes; `hazard-gateway schema` lists what is allowed".into(),
        )
    });
    let expected = message.rsplit_once(", expected ").map_or(message, |(_, expected)| expected);
    // what `[[call]]` says of people is repeated to no log
    let is_of_calls = path == "call" || path.starts_with("call[");
    let is_personal = is_of_calls && !["level", "priorities", "areas"].contains(&key);
    let shown = written.map_or_else(String::new, |value| if is_personal { "…".into() } else { shown(value) });
    let (zh, en) = match bounds(expected) {
        Some((low, high)) if message.starts_with("invalid value") => {
            (format!("{shown} 不在 {low} 到 {high} 之间"), format!("{shown} is not within {low} to {high}"))
        }
        _ => match kind(expected) {
            Some((zh, en)) => (format!("{key} 应为{zh}，写成了 {shown}"), format!("`{key}` is {en}, not {shown}")),
            None => (format!("{key} 的取值 {shown} 不可用"), format!("{shown} cannot be used for `{key}`: {message}")),
        },
    };
    Finding::fatal(path, (zh, en), remedy)
}

/// What looks right to the person who wrote it: an address that is none, a number in full-width digits.
fn look_alike(path: &str, key: &str, message: &str, written: &Value) -> Option<Finding> {
    if message.contains("socket address") {
        return address::judge(path, written.as_str()?, Form::Listen);
    }
    let expected = message.rsplit_once(", expected ").map_or(message, |(_, expected)| expected);
    let is_number_or_truth = ["u8", "u16", "u32", "u64", "i64", "usize", "f64", "f32", "a boolean"].contains(&expected);
    if is_number_or_truth { full_width::of_value(path, key, written) } else { None }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Table(_) => "{ … }".into(),
        other => other.to_string(),
    }
}

fn bounds(expected: &str) -> Option<(i64, i64)> {
    match expected {
        "u8" => Some((0, 255)),
        "u16" => Some((0, 65_535)),
        "u32" => Some((0, 4_294_967_295)),
        _ => None,
    }
}

fn kind(expected: &str) -> Option<(String, String)> {
    let (zh, en) = match expected {
        "u8" | "u16" | "u32" | "u64" | "i64" | "usize" => ("整数（不加引号）", "a whole number without quotes"),
        "f64" | "f32" => ("数字（不加引号）", "a number without quotes"),
        "a string" | "path string" => ("文字（加引号）", "a text in quotes"),
        "a boolean" => ("true 或 false", "true or false"),
        "a sequence" => ("列表 [ … ]", "a list [ … ]"),
        "a map" => ("表 { … }", "a table { … }"),
        "socket address" => ("“地址:端口”，例如 \"127.0.0.1:8080\"", "an address and port such as \"127.0.0.1:8080\""),
        other if other.starts_with("struct ") => ("表 { … }", "a table { … }"),
        other => {
            let size = size(other)?;
            return Some((format!("列表，共 {size} 项"), format!("a list of {size}")));
        }
    };
    Some((zh.into(), en.into()))
}

/// How many entries a list of fixed length has.
pub(super) fn size(expected: &str) -> Option<usize> {
    let (_, n) = expected.rsplit_once("of size ").or_else(|| expected.rsplit_once("of length "))?;
    n.parse().ok()
}

/// `"1s"` where milliseconds stand in the name of the key: what to write instead.
fn in_units_of(key: &str, written: Option<&Value>) -> Option<(String, String)> {
    let text = full_width::halved(written?.as_str()?);
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let seconds = match text[digits..].trim() {
        "ms" | "毫秒" => number / 1000.0,
        "s" | "sec" | "秒" => number,
        "m" | "min" | "分" | "分钟" => number * 60.0,
        "h" | "小时" => number * 3600.0,
        _ => return None,
    };
    let (value, zh, en) =
        if key.ends_with("_ms") { (seconds * 1000.0, "毫秒", "milliseconds") } else { (seconds, "秒", "seconds") };
    (key.ends_with("_ms") || key.ends_with("_s")).then(|| {
        (format!("单位是{zh}，只写数字：{key} = {value}"), format!("it is in {en}, the number only: {key} = {value}"))
    })
}

/// The nearest allowed word first, then all of them.
pub(super) fn did_you_mean<T: AsRef<str>>(word: &str, allowed: &[T]) -> (String, String) {
    let allowed: Vec<&str> = allowed.iter().map(AsRef::as_ref).filter(|a| twice::written(a).is_none()).collect();
    let list = allowed.join(", ");
    match nearest(word, &allowed) {
        Some(near) => (format!("是不是 {near}？可用：{list}"), format!("did you mean `{near}`? allowed: {list}")),
        None if allowed.is_empty() => ("还没有配置任何一个，先添加它".into(), "none is configured yet: add it".into()),
        None => (format!("可用：{list}"), format!("allowed: {list}")),
    }
}

/// Words of the field that stand for a key: how others call it, the key, and a neighbour that tells its table where other tables have
/// the same key with another meaning.
const SYNONYMS: [(&[&str], &str, &str); 7] = [
    (&["hysteresis", "hyst", "dead_zone", "band"], "deadband", ""),
    (&["on_delay", "ondelay", "delay_on", "time_delay"], "delay_s", ""),
    (&["off_delay", "offdelay", "delay_off"], "off_delay_s", ""),
    (&["slave", "slave_id", "slave_address", "station", "station_id", "unit_id"], "unit", "link"),
    (&["register", "reg", "offset_address"], "address", ""),
    (&["phone", "phone_number", "mobile", "number"], "telephone", ""),
    (&["endian", "endianness", "byte_order", "order", "swap"], "word_order", ""),
];

/// What was probably meant: a slip of one letter, another name of the same thing, an allowed word with something before or behind it,
/// at last whatever is near.
pub(crate) fn nearest<'a, T: AsRef<str>>(word: &str, allowed: &'a [T]) -> Option<&'a str> {
    let word = full_width::halved(word);
    let word = word.as_str();
    let limit = (word.chars().count() / 3).max(2);
    let far = |allowed: &str| {
        // `timeout` for `timeout_ms`, `prio` for `priority`
        let cut_short = word.len() >= 3 && allowed.starts_with(word);
        if cut_short { 1 } else { distance(word, allowed) }
    };
    let near = allowed.iter().map(|a| (far(a.as_ref()), a.as_ref())).min();
    let near = near.filter(|(d, near)| *d <= limit && *d < near.chars().count());
    let slip = near.filter(|(d, _)| *d <= 1).map(|(_, near)| near);
    synonym(word, allowed).or(slip).or_else(|| contained(word, allowed)).or(near.map(|(_, near)| near))
}

/// The allowed words that `word` was probably meant to be, the nearest first: by distance, and where a part of one between dots is it.
pub(crate) fn nearest_few<'a>(word: &str, allowed: &[&'a str], most: usize) -> Vec<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    let of_part = |part: &str| match word.len() >= 3 && part.starts_with(word) {
        true => 1,
        false => distance(word, part) + 1,
    };
    let far = |of: &str| of.split('.').map(of_part).fold(distance(word, of), usize::min);
    let mut near: Vec<(usize, &str)> = allowed.iter().map(|of| (far(of), *of)).filter(|(d, _)| *d <= limit).collect();
    near.sort_unstable();
    near.into_iter().take(most).map(|(_, of)| of).collect()
}

fn synonym<'a, T: AsRef<str>>(word: &str, allowed: &'a [T]) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let is_there = |key: &str| allowed.iter().map(AsRef::as_ref).find(|a| *a == key);
    let of_table = |beside: &str| beside.is_empty() || is_there(beside).is_some();
    let meant = SYNONYMS.iter().filter(|(others, _, beside)| others.contains(&word.as_str()) && of_table(beside));
    meant.filter_map(|(_, key, _)| is_there(key)).next()
}

/// The longest allowed word of which `word` is made with others: `delay_s` for `on_delay_s`.
fn contained<'a, T: AsRef<str>>(word: &str, allowed: &'a [T]) -> Option<&'a str> {
    let framed = format!("_{word}_");
    let inside = |a: &&str| a.len() >= 3 && framed.contains(&format!("_{a}_"));
    allowed.iter().map(AsRef::as_ref).filter(inside).max_by_key(|a| a.len())
}

/// Edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered() {
        assert_eq!(nearest("limt", &["limit", "delay_s"]), Some("limit"));
        assert_eq!(nearest("timeout", &["tcp", "timeout_ms"]), Some("timeout_ms"));
        assert_eq!(nearest("zzzzzz", &["limit", "delay_s"]), None);
        assert_eq!(nearest("x", &["H", "HH"]), None, "a word of one letter is not meant by every other letter");
    }

    #[test]
    fn what_the_field_calls_a_key_is_known_and_a_key_with_something_before_it() {
        let limit = ["limit", "deadband", "delay_s", "off_delay_s", "priority"];
        for (written, meant) in [
            ("hysteresis", "deadband"),
            ("hyst", "deadband"),
            ("on_delay_s", "delay_s"),
            ("on_delay", "delay_s"),
            ("off_delay", "off_delay_s"),
            ("of_delay_s", "off_delay_s"),
            ("limit_high", "limit"),
        ] {
            assert_eq!(nearest(written, &limit), Some(meant), "{written}");
        }
        let device = ["key", "link", "unit", "profile"];
        assert_eq!((nearest("unit_id", &device), nearest("slave_id", &device)), (Some("unit"), Some("unit")));
        assert_eq!(nearest("slave_id", &["key", "unit", "range"]), None, "the unit of a point is that of its value");
        let field = ["address", "type", "word_order", "scale"];
        assert_eq!((nearest("register", &field), nearest("byte_order", &field)), (Some("address"), Some("word_order")));
    }

    #[test]
    fn a_number_or_word_in_full_width_quoted_is_named_with_what_to_write() {
        let said = |key: &str, value: &str, message: &str| {
            let found = wrong_kind(key.into(), key, message, Some(&Value::String(value.into())));
            (found.message_zh, found.remedy_zh)
        };
        let of_a_number = |value: &str| said("limit", value, "invalid type: string, expected f64");
        assert_eq!(of_a_number("２5").0, "全角字符 ２：改为半角 2");
        assert_eq!(of_a_number("2５．０").1, "用半角，不加引号：limit = 25.0");
        assert_eq!(of_a_number("25").0, "limit 应为数字（不加引号），写成了 \"25\"");
        assert_eq!(
            said("delay_s", "１０s", "invalid type: string, expected f64").1,
            "单位是秒，只写数字：delay_s = 10"
        );
        assert!(said("listen", "127.0.0.1：22081", "invalid socket address syntax").0.starts_with("全角字符 ："));
        let word = unknown_word("word_order".into(), "ＡＢＣＤ", &["ABCD".into(), "DCBA".into()]);
        assert_eq!(word.message_zh, "全角字符 Ａ：改为半角 A");
        assert_eq!(nearest("ＧＴ－１０１", &["GT-101", "PT-7"]), Some("GT-101"));
    }

    #[test]
    fn the_name_of_a_second_entry_is_never_offered() {
        let (zh, en) = did_you_mean("press-13", &["press-12", "press-12~2"]);
        assert_eq!(
            (zh.as_str(), en.as_str()),
            ("是不是 press-12？可用：press-12", "did you mean `press-12`? allowed: press-12")
        );
    }

    #[test]
    fn a_duration_with_its_unit_is_said_as_the_number_to_write() {
        let remedy = |key: &str, text: &str| in_units_of(key, Some(&Value::String(text.into()))).map(|r| r.0);
        assert_eq!(remedy("period_ms", "1s").unwrap(), "单位是毫秒，只写数字：period_ms = 1000");
        assert_eq!(remedy("delay_s", "500ms").unwrap(), "单位是秒，只写数字：delay_s = 0.5");
        assert_eq!(remedy("delay_s", "soon"), None);
        assert_eq!(remedy("name", "5s"), None);
    }
}
