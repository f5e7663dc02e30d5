//! Facts of `probe`: what a row says of a free channel, of a refusal and of a current, and what is a finding.

use super::shown::cells;
use super::*;
use crate::clock::SystemClock;
use devices::commission::Silence;
use devices::plan::Span;
use rules::Clock as _;
use std::time::Duration;

const SITE: &str = "
[site]
key = \"x\"
name = \"厂\"
name_en = \"Works\"
[[area]]
key = \"A1\"
name = \"罐区\"
name_en = \"Tanks\"
[[link]]
key = \"l\"
tcp = \"192.0.2.1:502\"
[[device]]
key = \"CARD\"
link = \"l\"
unit = 1
profile = \"adam-4117\"
area = \"A1\"
[[point]]
key = \"LT-1\"
name = \"液位\"
name_en = \"Level\"
device = \"CARD\"
field = \"channel_0\"
signal_span = [0, 10]
kind = \"level\"
unit = \"m\"
range = [0, 10]
";

/// ±20 mA, as the profile reads the card.
const TYPE_CODE: u16 = 0x0D;

/// A card of which channel 2 is refused; the registers of channels 0 and 1 as given.
fn card(channel_0: u16, channel_1: u16) -> Probed {
    set_to(TYPE_CODE, channel_0, channel_1)
}

/// The same with that type code for both.
fn set_to(type_code: u16, channel_0: u16, channel_1: u16) -> Probed {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    std::fs::write(&file, SITE).unwrap();
    let site = crate::config::check_site(&file).value.unwrap();
    let mut look = Look::all(&site.buses[0], |_| true).remove(0);
    let (now, register) = (SystemClock::default().now(), |address| Span { function: 3, address, count: 1 });
    let refused = Silence::Exception(2);
    look.asked.answers.put(register(0), Ok(vec![channel_0]), now);
    look.asked.answers.put(register(1), Ok(vec![channel_1]), now);
    look.asked.answers.put(register(200), Ok(vec![type_code]), now);
    look.asked.answers.put(register(201), Ok(vec![type_code]), now);
    look.asked.answers.put(register(220), Ok(vec![0xFF]), now);
    look.asked.answers.put(register(2), Err(refused.fault()), now);
    look.asked.failed.push((register(2), refused));
    look.asked.slowest = Some(Duration::from_millis(5));
    look.complete = true;
    look.probed(&site)
}

fn row<'a>(card: &'a Probed, field: &str) -> &'a Row {
    card.fields.iter().find(|row| row.field == field).unwrap()
}

#[test]
fn a_free_channel_has_its_current_in_milliamperes_and_is_no_finding() {
    let card = card(52_428, 32_768);
    let bound = card.fields.iter().find(|row| row.points == ["LT-1"]).unwrap();
    assert_eq!(cells(bound)[4], "5 m（12 mA）");
    assert_eq!(cells(row(&card, "channel_1"))[4], "—（0 mA）", "bad, and the current says why");
    assert!(row(&card, "channel_1").quality == "bad" && !card.has_found());
    let silent = Probed { ms: None, ..card };
    assert!(silent.has_found(), "nothing came at all");
}

#[test]
fn a_value_that_a_point_reads_and_that_is_bad_is_a_finding() {
    assert!(card(32_768, 52_428).has_found());
    assert_eq!(cells(row(&card(0, 52_428), "channel_1"))[4], "12 mA");
}

#[test]
fn volts_are_shown_as_no_current() {
    let volts = set_to(0x08, 52_428, 52_428);
    assert_eq!(cells(row(&volts, "channel_1"))[4], "—");
    assert!(cells(row(&volts, "channel_1"))[5].contains("配置与设备不符"), "{:?}", cells(row(&volts, "channel_1")));
}

#[test]
fn what_was_refused_is_told_so_and_never_as_not_read_yet() {
    let refused = cells(row(&card(0, 0), "channel_2"))[5].clone();
    assert!(refused.contains("仪表拒绝（异常 2）") && refused.contains("refused by the instrument"), "{refused}");
}
