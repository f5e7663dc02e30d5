//! What a refusal of the station means for this action, where its own words leave a person without a way on.
//!
//! Asks the station and the file only after a refusal. Leaves the station's words to [`super::person`], names to [`super::no_such`].

use super::asked::Trouble;
use super::look::Sees;
use super::no_such;
use super::nothing;
use super::person::Person;
use super::screen;

/// The trouble in the words of the action: its path, what it sees, and the number that was given as seen.
pub(super) async fn explained(
    person: &Person,
    (path, sees, seen): (&str, Sees<'_>, Option<u64>),
    mut trouble: Trouble,
) -> Trouble {
    let said = match refusal(&trouble.text) {
        "404" => unknown(person, sees),
        "409" => unborn(seen, person.get("/api/v1/status").await.ok().and_then(|s| s["seq"].as_u64())),
        "409 nothing_to_acknowledge" => match sees {
            Sees::Call(alarm) => nothing::to_acknowledge(person, alarm).await.ok(),
            _ => None,
        },
        "409 hidden" => hidden(person, sees).await,
        "409 nothing_to_end" if path.ends_with("/reset") => Some("没有锁存 · not latched (409 nothing_to_end)".into()),
        _ => None,
    };
    if let Some(said) = said {
        trouble.text = said;
    }
    trouble
}

/// Status and code, which stand in brackets at the end.
fn refusal(text: &str) -> &str {
    text.strip_suffix(')').and_then(|text| text.rsplit_once('(')).map_or("", |(_, code)| code)
}

/// By the rules of the file.
fn unknown(person: &Person, sees: Sees<'_>) -> Option<String> {
    let book = person.book()?;
    match sees {
        Sees::Alarm(alarm) | Sees::Call(alarm) => no_such::alarm(&book, alarm),
        Sees::Point(point) => no_such::point(&book, point),
        Sees::Nothing | Sees::Unit(_) | Sees::Group(_) | Sees::Hazard(..) => None,
    }
}

/// A number that is ahead of the journal was never seen.
fn unborn(seen: Option<u64>, newest: Option<u64>) -> Option<String> {
    let (seen, newest) = (seen?, newest?);
    (seen > newest).then(|| {
        format!(
            "--seen-seq {seen}：还没有这个编号的事件，最新是 {newest}；用画面上或提示的编号 · no event has this number yet, the newest is \
             {newest}; give the number that was shown (409)"
        )
    })
}

/// A person ends a shelf or a bypass, and never what the design hides.
async fn hidden(person: &Person, sees: Sees<'_>) -> Option<String> {
    let (Sees::Alarm(alarm) | Sees::Call(alarm)) = sees else { return None };
    let alarms = person.get("/api/v1/alarms").await.ok()?;
    let state = screen::rows(&alarms).find(|row| row["id"] == alarm)?["state"].as_str()?;
    (state == "suppressed").then(|| {
        format!(
            "{alarm}: 按设计抑制，抑制条件消失后自行恢复，现在不需确认 · suppressed by design: it returns by itself when what suppresses it \
             ends, and needs no acknowledgement now (409 hidden)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_no_event_yet_is_told_with_the_newest_and_one_that_was_seen_is_not() {
        assert!(unborn(Some(200), Some(57)).unwrap().contains("the newest is 57"));
        assert_eq!((unborn(Some(57), Some(57)), unborn(None, Some(57))), (None, None));
    }

    #[test]
    fn the_code_of_a_refusal_is_what_stands_in_brackets_at_its_end() {
        assert_eq!(refusal("对象不存在 · no such object: GT-199:H (404)"), "404");
        assert_eq!(refusal("没有可结束的 · there is nothing to end (409 nothing_to_end)"), "409 nothing_to_end");
        assert_eq!(refusal("no connection"), "");
    }
}
