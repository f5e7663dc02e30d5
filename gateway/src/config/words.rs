//! serde's sentences in the words of the person who wrote the file.

use super::diagnostic::Finding;
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
    let remedy = in_units_of(key, written).unwrap_or_else(|| {
        let numbers = "数字不加引号，文字要加引号；可用取值见 hazard-gateway schema";
        (
            numbers.into(),
            "numbers without quotes, text with quotes; `hazard-gateway schema` lists what is allowed".into(),
        )
    });
    let expected = message.rsplit_once(", expected ").map_or(message, |(_, expected)| expected);
    let shown = written.map_or_else(String::new, shown);
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
    let text = written?.as_str()?.trim();
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
    let list = allowed.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    match nearest(word, allowed) {
        Some(near) => (format!("是不是 {near}？可用：{list}"), format!("did you mean `{near}`? allowed: {list}")),
        None if allowed.is_empty() => ("还没有配置任何一个，先添加它".into(), "none is configured yet: add it".into()),
        None => (format!("可用：{list}"), format!("allowed: {list}")),
    }
}

/// What was probably meant.
pub(crate) fn nearest<'a, T: AsRef<str>>(word: &str, allowed: &'a [T]) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    let far = |allowed: &str| {
        // `timeout` for `timeout_ms`, `prio` for `priority`
        let cut_short = word.len() >= 3 && allowed.starts_with(word);
        if cut_short { 1 } else { distance(word, allowed) }
    };
    let near = allowed.iter().map(|a| (far(a.as_ref()), a.as_ref())).min();
    near.filter(|(d, near)| *d <= limit && *d < near.chars().count()).map(|(_, near)| near)
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
    fn a_duration_with_its_unit_is_said_as_the_number_to_write() {
        let remedy = |key: &str, text: &str| in_units_of(key, Some(&Value::String(text.into()))).map(|r| r.0);
        assert_eq!(remedy("period_ms", "1s").unwrap(), "单位是毫秒，只写数字：period_ms = 1000");
        assert_eq!(remedy("delay_s", "500ms").unwrap(), "单位是秒，只写数字：delay_s = 0.5");
        assert_eq!(remedy("delay_s", "soon"), None);
        assert_eq!(remedy("name", "5s"), None);
    }
}
