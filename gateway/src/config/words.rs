//! serde's sentences in the words of the person who wrote the file.

use super::address::{self, Form};
use super::diagnostic::Finding;
use super::full_width;
use super::nearest::did_you_mean;
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

#[cfg(test)]
mod tests {
    use super::*;

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
