use super::*;
use crate::config::{Site, site_from_text};

/// Four cards on two links; `MAX` is computed over two of them, and `SUM` of that.
const SITE: &str = r#"
    [site]
    key = "s"
    name = "站"
    name_en = "site"
    [[area]]
    key = "A1"
    name = "区"
    name_en = "area"
    [[link]]
    key = "bus-a"
    tcp = "10.0.0.1:502"
    [[link]]
    key = "bus-b"
    tcp = "10.0.0.2:502"
"#;

fn device(n: u8, link: &str) -> String {
    format!(
        "[[device]]\nkey = \"D{n}\"\nlink = \"{link}\"\nunit = {n}\nprofile = \"tank-f32\"\narea = \"A1\"\n\
         [[point]]\nkey = \"L{n}\"\nname = \"液位\"\nname_en = \"level\"\ndevice = \"D{n}\"\nfield = \"level_a\"\n\
         kind = \"level\"\nunit = \"%\"\nrange = [0, 100]\n{LIMIT}"
    )
}

const LIMIT: &str = "[point.limits.H]\nlimit = 60\ndeadband = 2\npriority = 3\ncause = \"a\"\nconsequence = \"b\"\naction = \"c\"\n\
                     action_en = \"d\"\n";

fn computed(key: &str, expression: &str) -> String {
    format!(
        "[[point]]\nkey = \"{key}\"\nname = \"算\"\nname_en = \"computed\"\nexpression = \"{expression}\"\nkind = \"level\"\n\
         unit = \"%\"\nrange = [0, 200]\n{LIMIT}"
    )
}

fn site() -> Site {
    let devices = (1..=4).map(|n| device(n, if n < 4 { "bus-a" } else { "bus-b" })).collect::<String>();
    let deviation = "[point.deviation]\nfrom_point = \"SUM\"\nlimit = 5\ndeadband = 1\npriority = 3\ncause = \"a\"\n\
                     consequence = \"b\"\naction = \"c\"\naction_en = \"d\"\n";
    let vote = "[[vote]]\nkey = \"V\"\nname = \"表决\"\nname_en = \"vote\"\narea = \"A1\"\nmembers = [\"L1:H\", \"L2:DEV\", \"L4:H\"]\n\
                needed = 2\npriority = 3\ncause = \"a\"\nconsequence = \"b\"\naction = \"c\"\naction_en = \"d\"\n";
    let computed = computed("SUM", "{MAX} + {L3}") + &computed("MAX", "max({L3}, {L4})");
    // Behind the point of D2.
    let devices = devices.replace("[[device]]\nkey = \"D3\"", &format!("{deviation}[[device]]\nkey = \"D3\""));
    let checked = site_from_text("t", &format!("{SITE}{devices}{computed}{vote}"), |_| {});
    checked.value.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn devices_of(alarm: &str, device: &str) -> Vec<String> {
    let site = site();
    let inputs = Inputs::of(&site.book, &site.derived);
    let fact = AlarmFact { alarm: alarm.into(), device: device.into(), ..AlarmFact::default() };
    inputs.devices_of(&site.book, &fact).into_iter().map(str::to_owned).collect()
}

#[test]
fn an_alarm_is_about_all_instruments_it_is_judged_from() {
    assert_eq!(devices_of("L1:H", "D1"), ["D1"]);
    assert_eq!(devices_of("D4:COMMS_LOSS", "D4"), ["D4"]);
    assert_eq!(devices_of("MAX:H", "D3"), ["D3", "D4"], "a computed point, over two links");
    assert_eq!(devices_of("SUM:H", "D3"), ["D3", "D4"], "a computed point of a computed point");
    assert_eq!(devices_of("L2:DEV", "D2"), ["D2", "D3", "D4"], "a deviation and its computed reference");
    assert_eq!(devices_of("L2:H", "D2"), ["D2"], "the limit beside it asks no reference");
}

#[test]
fn a_vote_is_about_the_instruments_of_all_its_members() {
    assert_eq!(devices_of("V:VOTE", ""), ["D1", "D2", "D3", "D4"]);
    assert_eq!(devices_of("V:VOTE_INVALID", ""), ["D1", "D2", "D3", "D4"]);
}

#[test]
fn an_alarm_that_the_rules_in_force_do_not_know_is_about_the_instrument_its_entry_names() {
    assert_eq!(devices_of("OLD:HH", "D2"), ["D2"]);
    assert!(devices_of("OLD:VOTE", "").is_empty() && devices_of("system:DISK_FULL", "").is_empty());
}
