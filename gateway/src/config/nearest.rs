//! The allowed word that was probably meant: a slip of the pen, another name of the same thing, a word with something before or behind it.
//!
//! Pure. Owns what is near, and how it is offered. Leaves what was wrong to who found it.

use super::{full_width, twice};

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
        assert_eq!(nearest("ＧＴ－１０１", &["GT-101", "PT-7"]), Some("GT-101"), "in full-width characters");
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
    fn the_name_of_a_second_entry_is_never_offered() {
        let (zh, en) = did_you_mean("press-13", &["press-12", "press-12~2"]);
        assert_eq!(
            (zh.as_str(), en.as_str()),
            ("是不是 press-12？可用：press-12", "did you mean `press-12`? allowed: press-12")
        );
    }
}
