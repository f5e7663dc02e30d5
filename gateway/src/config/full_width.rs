//! Characters of a Chinese input method that look like those a program reads: `２`, `：`, `“`.
//!
//! Owns which they are, which was meant by each, and how one is named. Leaves where they do harm to [`super::retyped`] (grammar),
//! [`super::address`] and [`super::words`].

use super::diagnostic::Finding;
use toml::Value;

/// The character of ASCII that was meant; `None` for all that looks like none.
pub(super) fn half(c: char) -> Option<char> {
    const OFFSET: u32 = 0xFEE0;
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - OFFSET),
        '\u{3000}' => Some(' '),
        '。' => Some('.'),
        '、' => Some(','),
        '“' | '”' => Some('"'),
        '‘' | '’' => Some('\''),
        '【' => Some('['),
        '】' => Some(']'),
        '—' | '–' | '−' => Some('-'),
        _ => None,
    }
}

/// The first of them in a text.
pub(super) fn first(text: &str) -> Option<char> {
    text.chars().find(|c| half(*c).is_some())
}

/// The text as it was meant.
pub(super) fn halved(text: &str) -> String {
    text.chars().map(|c| half(c).unwrap_or(c)).collect()
}

/// A number or a truth in quotes that is none only by its full-width characters.
pub(super) fn of_value(path: &str, key: &str, written: &Value) -> Option<Finding> {
    let texts =
        written.as_array().map_or(std::slice::from_ref(written), Vec::as_slice).iter().filter_map(Value::as_str);
    let slip = |text: &str| Some((first(text)?, halved(text).trim().to_owned()));
    let is_value = |meant: &str| meant.parse::<f64>().is_ok() || meant.parse::<bool>().is_ok();
    let (c, meant) = texts.filter_map(slip).find(|(_, meant)| is_value(meant))?;
    let line = if written.is_array() { meant } else { format!("{key} = {meant}") };
    let remedy = (format!("用半角，不加引号：{line}"), format!("in half-width and without quotes: {line}"));
    Some(Finding::fatal(path, said_of(c), remedy))
}

/// What is wrong with `c`, where its half-width form belongs.
pub(super) fn said_of(c: char) -> (String, String) {
    words(c, &half(c).map(String::from).unwrap_or_default())
}

/// What is wrong with `c`, in both languages; `meant` is to be written in its place, which may be nothing.
pub(super) fn words(c: char, meant: &str) -> (String, String) {
    let (name_zh, name_en) = half(c).map_or(("", ""), name);
    let (zh, en) = match meant {
        "" => ("删去".to_owned(), "take it out".to_owned()),
        " " => ("改为半角空格".to_owned(), "write a plain space".to_owned()),
        meant => (format!("改为半角 {meant}"), format!("write {meant}")),
    };
    (format!("全角字符 {c}{name_zh}：{zh}"), format!("full-width character {c}{name_en}: {en}"))
}

/// Of what can hardly be told from its half-width form on a screen.
fn name(half: char) -> (&'static str, &'static str) {
    match half {
        ' ' => ("（空格）", " (space)"),
        '"' => (" 双引号", " (quotation mark)"),
        '\'' => (" 单引号", " (apostrophe)"),
        '.' => (" 句号", " (full stop)"),
        ',' => (" 逗号", " (comma)"),
        ':' => (" 冒号", " (colon)"),
        ';' => (" 分号", " (semicolon)"),
        '=' => (" 等号", " (equals sign)"),
        '[' | ']' => (" 方括号", " (square bracket)"),
        '(' | ')' => (" 圆括号", " (round bracket)"),
        '{' | '}' => (" 大括号", " (brace)"),
        '-' => (" 减号", " (minus)"),
        '+' => (" 加号", " (plus)"),
        '#' => (" 井号", " (number sign)"),
        '_' => (" 下划线", " (underscore)"),
        '/' => (" 斜线", " (slash)"),
        _ => ("", ""),
    }
}

/// How such characters are avoided.
pub(super) fn remedy() -> (String, String) {
    (
        "把输入法切换到半角和英文标点再输入；引号内的文字可以用全角".into(),
        "switch the input method to half-width and English punctuation; full-width is for texts in quotes".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_look_alike_is_known_and_chinese_is_none() {
        let (full, ascii) = ("２５．０ＧＴ：，＝“”‘’＂［］【】（）　－—＃＿。、", "25.0GT:,=\"\"''\"[][]() --#_.,");
        assert_eq!(halved(full), ascii);
        assert_eq!((first("液氨 25 ppm·℃…"), first("液氨（一）")), (None, Some('（')));
    }

    #[test]
    fn one_is_named_with_what_to_write() {
        assert_eq!(words('２', "2"), ("全角字符 ２：改为半角 2".into(), "full-width character ２: write 2".into()));
        assert_eq!(words('：', ":").0, "全角字符 ： 冒号：改为半角 :");
        assert_eq!(words('\u{3000}', " ").0, "全角字符 \u{3000}（空格）：改为半角空格");
        assert_eq!(words('；', "").1, "full-width character ； (semicolon): take it out");
    }
}
