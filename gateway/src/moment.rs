//! A moment as it is written: in UTC for programs, in the time of the site for people.
//!
//! Owns both forms, and how a person's own is read. Both are RFC 3339 with milliseconds; the offset says which one it is, so that either may be given
//! wherever a moment is asked for. Leaves what reads a clock to [`crate::clock`].

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

const DAY_MS: i64 = 86_400_000;

/// Beijing time, as on the page; China has no daylight saving time.
const SITE: Offset = Offset::constant(8);

/// For programs: `2026-11-26T08:31:05.000Z`.
#[must_use]
pub fn utc_text(utc_ms: i64) -> String {
    format!("{:.3}", stamp(utc_ms))
}

/// For people: `2026-11-26T16:31:05.000+08:00`.
#[must_use]
pub fn site_text(utc_ms: i64) -> String {
    format!("{:.3}", stamp(utc_ms).display_with_offset(SITE))
}

/// Number of the day of the site, from 1970 on.
#[must_use]
pub const fn site_day(utc_ms: i64) -> i64 {
    (utc_ms + SITE.seconds() as i64 * 1000).div_euclid(DAY_MS)
}

/// `2026-11-26`.
#[must_use]
pub fn day_text(day: i64) -> String {
    utc_text(day * DAY_MS)[..10].to_owned()
}

/// What a station or a report wrote for programs, for people; what is no moment stays as it is.
#[must_use]
pub fn site_text_of(written: &str) -> String {
    written.parse::<Timestamp>().map_or_else(|_| written.to_owned(), |time| site_text(time.as_millisecond()))
}

/// A moment or day as a person gives it, in UTC milliseconds: what says no offset is of the site; a day counts from its beginning, or to its `end`.
#[must_use]
pub fn read(text: &str, end: bool) -> Option<i64> {
    if let Some(day) = text.parse::<Date>().ok().filter(|_| text.len() == "2026-11-24".len()) {
        let begin = of_site(day.to_datetime(jiff::civil::Time::midnight()))?;
        return Some(if end { begin + DAY_MS - 1 } else { begin });
    }
    let moment = text.parse::<Timestamp>().map(Timestamp::as_millisecond).ok();
    text.parse().ok().or(moment).or_else(|| of_site(text.parse().ok()?))
}

fn of_site(time: DateTime) -> Option<i64> {
    Some(SITE.to_timestamp(time).ok()?.as_millisecond())
}

/// What no calendar has is the beginning of counting.
fn stamp(utc_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(utc_ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_is_written_for_programs_in_utc_and_for_people_in_the_time_of_the_site() {
        assert_eq!(
            (utc_text(0), site_text(0)),
            ("1970-01-01T00:00:00.000Z".into(), "1970-01-01T08:00:00.000+08:00".into())
        );
        assert_eq!(site_text_of("2026-11-26T20:31:05.012Z"), "2026-11-27T04:31:05.012+08:00");
        assert_eq!((site_text_of("–"), utc_text(i64::MAX)), ("–".into(), utc_text(0)));
    }

    #[test]
    fn what_is_shown_may_be_given_and_what_says_no_offset_is_of_the_site() {
        for same in
            ["2026-11-26T20:31:05Z", "2026-11-27T04:31:05.000+08:00", "2026-11-27T04:31:05", "2026-11-27 04:31:05"]
        {
            assert_eq!(read(same, true).map(site_text).as_deref(), Some("2026-11-27T04:31:05.000+08:00"), "{same}");
        }
        assert_eq!((read("1500", false), read("gestern", false), read("", true)), (Some(1500), None, None));
    }

    #[test]
    fn what_happens_after_midnight_of_the_site_is_of_the_new_day() {
        let day = |text: &str| day_text(site_day(read(text, false).unwrap()));
        assert_eq!(day("2026-11-26T15:59:59.999Z"), "2026-11-26");
        assert_eq!(day("2026-11-26T16:00:00Z"), "2026-11-27");
        assert_eq!(day("1969-12-31"), "1969-12-31");
    }

    #[test]
    fn a_day_is_a_whole_day_of_the_site() {
        let day = |end: bool| read("2026-11-27", end).map(site_text).unwrap_or_default();
        assert_eq!(
            (day(false), day(true)),
            ("2026-11-27T00:00:00.000+08:00".into(), "2026-11-27T23:59:59.999+08:00".into())
        );
    }
}
