use super::*;
use devices::recorder::{Dropped, ExchangeView, Verdict};

fn files(dir: &Path) -> IncidentFiles {
    IncidentFiles::in_folder(dir, true)
}

fn view(number: u64, cause: &str) -> IncidentView {
    let event_ids = vec![format!("site-{number}")];
    IncidentView { number, utc_ms: 1_000, cause: cause.into(), event_ids, complete: true, exchanges: Vec::new() }
}

fn causes(files: &IncidentFiles) -> Vec<String> {
    files.list().into_iter().map(|kept| kept.cause).collect()
}

#[test]
fn an_incident_is_found_again_after_a_restart_and_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let before = files(dir.path());
    assert_eq!((before.find("L").len(), before.list().len()), (0, 0), "there is no folder yet");
    let number = before.keep("gas-bus", &IncidentView { complete: false, ..view(1, "unit_dead D") }, None).unwrap();
    assert_eq!(before.keep("gas-bus", &view(1, "unit_dead D, alarm A:H"), Some(number)).unwrap(), number);
    assert_eq!((before.figures().written, before.figures().kept), (1, 1), "the same one, twice written");
    let after = files(dir.path());
    after.find("L");
    assert_eq!(after.list()[0].event_ids, ["site-1"]);
    assert_eq!(after.list()[0].recorder_number, None);
    assert_eq!(after.read("gas-bus")[0]["cause"], "unit_dead D, alarm A:H");
    assert!(after.read("other").is_empty());
    assert_eq!(after.keep("gas-bus", &view(1, "new"), None).unwrap(), 2);
    assert_eq!(causes(&after), ["unit_dead D, alarm A:H", "new"]);
}

#[test]
fn a_new_folder_is_synced_into_its_parent_and_each_file_into_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (parent, folder) = (dir.path().to_owned(), dir.path().join("incidents"));
    let kept = files(dir.path());
    kept.keep("b", &view(1, "first"), None).unwrap();
    assert_eq!(*lock(&kept.synced), [parent, folder.clone()]);
    kept.keep("b", &view(2, "second"), None).unwrap();
    assert_eq!(lock(&kept.synced)[2..], [folder]);
}

#[test]
fn an_unreadable_leftover_is_set_aside_and_a_half_written_one_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("incidents");
    files(dir.path()).keep("b", &view(1, "whole"), None).unwrap();
    for (name, text) in
        [("00000002.json", "{\"number\":"), ("00000003.json", "{}"), ("00000004.json.new", "{"), ("notes.txt", "x")]
    {
        fs::write(folder.join(name), text).unwrap();
    }
    let found = files(dir.path());
    assert_eq!(found.find("20261126T120000Z"), ["00000002.json", "00000003.json"]);
    assert_eq!((causes(&found), found.figures().set_aside), (vec!["whole".to_owned()], 2));
    let names = found.names();
    assert!(
        names.contains(&"00000002.json.corrupt-20261126T120000Z".to_owned()) && names.contains(&"notes.txt".to_owned())
    );
    assert!(!names.iter().any(|name| name.ends_with(".new")), "{names:?}");
    assert_eq!(found.keep("b", &view(1, "next"), None).unwrap(), 4, "no number comes twice");
    (0..20).for_each(|n| fs::write(folder.join(format!("0000010{n}.json")), "?").unwrap());
    files(dir.path()).find("L");
    let aside = found.names().iter().filter(|name| name.contains(".corrupt-")).count();
    assert!(aside <= SET_ASIDE_MAX, "{aside}");
}

#[test]
fn the_oldest_go_first_by_number_and_by_bytes_and_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let kept = files(dir.path());
    (1..=INCIDENTS_MAX as u64 + 2).for_each(|n| assert_eq!(kept.keep("b", &view(n, "small"), None).unwrap(), n));
    assert_eq!((kept.figures().kept, kept.figures().dropped["room"]), (INCIDENTS_MAX, 2));
    assert_eq!(kept.list()[0].number, 3);
    let large = "x".repeat(usize::try_from(INCIDENT_BYTES_MAX).unwrap() - 1_000);
    kept.keep("b", &view(1, &large), None).unwrap();
    assert!(kept.figures().bytes <= INCIDENT_BYTES_MAX && kept.figures().kept < 10, "{:?}", kept.figures());
    let names = kept.names().len();
    assert_eq!(names, kept.figures().kept, "what is dropped is gone from the disk");
}

#[test]
fn a_disk_that_refuses_is_counted_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("incidents"), "a file where the folder should be").unwrap();
    let kept = files(dir.path());
    assert!(kept.find("L").is_empty() && kept.keep("b", &view(1, "c"), None).is_err());
    assert_eq!((kept.figures().dropped["disk"], kept.figures().kept), (1, 0));
}

/// With a gas detector: two registers.
fn exchange(number: u64) -> ExchangeView {
    ExchangeView {
        number: 31_536_000 + number,
        utc_ms: 1_800_000_000_000,
        unit: Some(17),
        request: "11 03 00 00 00 02 C6 9B".into(),
        received: "11 03 04 00 00 00 00 2A F2".into(),
        more_bytes: 0,
        first_byte_us: Some(28_000),
        last_byte_us: Some(37_000),
        verdict: Verdict::Ok,
        dropped: Dropped::default(),
    }
}

#[test]
fn fifty_links_that_go_silent_at_once_fit_on_the_disk_and_more_than_a_hundred_alarms() {
    let dir = tempfile::tempdir().unwrap();
    let kept = IncidentFiles::in_folder(dir.path(), false);
    let of = |exchanges: u64| IncidentView { exchanges: (0..exchanges).map(exchange).collect(), ..view(1, "c") };
    let keep = |exchanges| assert!(kept.keep("b", &of(exchanges), None).is_ok());
    (0..50).for_each(|_| keep(256 + 32));
    assert_eq!((kept.figures().kept, kept.figures().dropped.get("room")), (50, None), "{:?}", kept.figures());
    (0..128).for_each(|_| keep(64 + 32 + 30));
    assert_eq!(kept.figures().kept, INCIDENTS_MAX, "{:?}", kept.figures());
}
