//! A name that nothing has: said at once, with what was probably meant, before a person looks at it in vain.
//!
//! Pure: the rule book of the file, or the names that the station gives, in; words out. `None` for a name that there is.

use crate::config::nearest;
use rules::RuleBook;

const ALARM_KEY: &str = "报警写作 测点:条件，如 GT-102:H · an alarm is POINT:CONDITION, such as GT-102:H";

/// An alarm: those of its point, instrument or vote, or the nearest of all.
pub(super) fn alarm(book: &RuleBook, key: &str) -> Option<String> {
    if book.alarm_index(key).is_some() {
        return None;
    }
    let all: Vec<String> = (0..book.alarms()).map(|n| book.alarm_key(n)).collect();
    let subject = key.rsplit_once(':').map_or(key, |(subject, _)| subject);
    let own: Vec<&str> =
        all.iter().filter(|k| k.rsplit_once(':').is_some_and(|(s, _)| s == subject)).map(|k| &**k).collect();
    if own.is_empty() {
        let same = all.iter().find(|known| known.eq_ignore_ascii_case(key)).map(String::as_str);
        let said = said(key, ("报警", "alarm"), same.or_else(|| nearest(key, &all)));
        return Some(if key.contains(':') { said } else { format!("{said}\n{ALARM_KEY}") });
    }
    let list = own.join(" ");
    Some(format!("{key}: 没有这个报警；{subject} 有：{list} · no such alarm; {subject} has: {list}\n{ALARM_KEY}"))
}

pub(super) fn point(book: &RuleBook, key: &str) -> Option<String> {
    let keys: Vec<&str> = book.points().iter().map(|p| &*p.key).collect();
    if keys.contains(&key) {
        return None;
    }
    if let Some((point, _)) = key.rsplit_once(':').filter(|(point, _)| keys.contains(point)) {
        return Some(format!(
            "{key} 是报警；旁路和停用按测点：{point} · that is an alarm; bypass and out-of-service take a point: {point}"
        ));
    }
    let same = keys.iter().find(|known| known.eq_ignore_ascii_case(key)).copied();
    Some(said(key, ("测点", "point"), same.or_else(|| nearest(key, &keys))))
}

pub(super) fn unit(known: &[&str], key: &str) -> Option<String> {
    (!known.contains(&key)).then(|| said(key, ("装置", "unit"), nearest(key, known)))
}

pub(super) fn group(known: &[&str], key: &str) -> Option<String> {
    (!known.contains(&key)).then(|| said(key, ("首出组", "first-out group"), nearest(key, known)))
}

fn said(key: &str, (zh, en): (&str, &str), near: Option<&str>) -> String {
    match near {
        Some(near) => format!("{key}: 没有这个{zh}；是不是 {near}？ · no such {en}; did you mean {near}?"),
        None => format!("{key}: 没有这个{zh} · no such {en}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_exist_is_named_with_what_there_is() {
        let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo-site.toml");
        let book = crate::config::check_site(&example).value.unwrap().book;
        let said = alarm(&book, "GT-102:HHH").unwrap();
        assert!(said.contains("GT-102 has: ") && said.contains("GT-102:HH") && !said.contains("GT-101"), "{said}");
        assert!(alarm(&book, "GT-192:HH").unwrap().contains("did you mean GT-1"));
        assert!(point(&book, "GT-1O2").unwrap().contains("did you mean GT-1"));
        assert!(alarm(&book, "gt-102:h").unwrap().contains("did you mean GT-102:H?"));
        assert!(alarm(&book, "GT-102").unwrap().contains("an alarm is POINT:CONDITION"));
        assert!(point(&book, "GT-104:H").unwrap().contains("take a point: GT-104"));
        assert_eq!(
            (alarm(&book, "GT-102:HH"), point(&book, "GT-102"), unit(&["scrubber"], "scrubber")),
            (None, None, None)
        );
        assert!(unit(&["scrubber"], "scruber").unwrap().contains("是不是 scrubber"));
    }
}
