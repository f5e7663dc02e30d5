//! Texts for English readers that are written in Chinese.
//!
//! Owns one warning for all of them: a site that left its English for later has hundreds.

use super::diagnostic::Finding;
use toml::{Table, Value};

/// Looks at every key that ends in `_en`.
pub(super) fn check(table: &Table, findings: &mut Vec<Finding>) {
    let mut places = Vec::new();
    for (name, value) in table {
        match value {
            Value::Array(entries) => {
                for (i, entry) in entries.iter().enumerate() {
                    let key = entry.get("key").and_then(Value::as_str);
                    let step = key.map_or_else(|| format!("#{i}"), str::to_owned);
                    look(&format!("{name}[{step}]"), entry, key.unwrap_or_default(), &mut places);
                }
            }
            other => look(name, other, "", &mut places),
        }
    }
    let more = places.len().saturating_sub(1);
    if let Some((path, text)) = places.into_iter().next() {
        findings.push(finding(path, &text, more));
    }
}

/// `key` is that of the entry: a tag stands for a name where there is none, in whatever letters it is written.
fn look(path: &str, value: &Value, key: &str, places: &mut Vec<(String, String)>) {
    let Some(table) = value.as_table() else { return };
    for (name, value) in table {
        let path = format!("{path}.{name}");
        if !name.ends_with("_en") {
            look(&path, value, key, places);
            continue;
        }
        let texts = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        let chinese = texts.iter().filter_map(Value::as_str).find(|text| without(text, key).contains(is_chinese));
        places.extend(chinese.map(|text| (path, text.to_owned())));
    }
}

/// The text but for the tag in it.
fn without(text: &str, key: &str) -> String {
    if key.is_empty() { text.to_owned() } else { text.replace(key, "") }
}

fn is_chinese(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
}

fn finding(path: String, text: &str, more: usize) -> Finding {
    let (more_zh, more_en) = match more {
        0 => (String::new(), String::new()),
        n => (format!("；另有 {n} 处"), format!("; {n} more are like it")),
    };
    let message = (
        format!("“{text}”给英文页面看，却写的是中文{more_zh}"),
        format!("`{text}` is for English readers and written in Chinese{more_en}"),
    );
    let remedy = ("用英文写此项".into(), "write it in English".into());
    Finding::fatal(path, message, remedy).warning()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_in_english_texts_is_told_once_with_its_count_and_a_tag_is_no_text() {
        let table: Table = "[site]\nname_en = \"Plant\"\n\
            [[point]]\nkey = \"液位1\"\nname_en = \"液位1\"\n\
            [[point]]\nkey = \"B\"\nname_en = \"氨气 B\"\n[point.limits.H]\naction = \"撤离\"\naction_en = \"撤离\"\n"
            .parse()
            .unwrap();
        let mut findings = Vec::new();
        check(&table, &mut findings);
        let [one] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((one.path.as_str(), one.fatal), ("point[B].limits.H.action_en", false));
        assert!(one.message_zh.contains("撤离") && one.message_en.ends_with("1 more are like it"));
    }
}
