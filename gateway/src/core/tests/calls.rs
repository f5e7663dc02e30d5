//! An escalation with posts to be called, on a real store: what is written and sent names the posts, and nothing has a number or a name.

use super::*;
use crate::core::NewRules;
use crate::influx::transition::TransitionEncoder;
use crate::influx::writer::Encode;
use crate::mqtt::payload::event_bytes;
use rules::EventKind;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use tracing_subscriber::fmt::MakeWriter;

const NUMBER: &str = "0555-0000-909";
const DIGITS: &str = "05550000909";
const NAME: &str = "甄某某";

/// The minimal site with one post at each level, whose alarms of priority 1 escalate at once.
fn hasty_site(post: &str) -> config::Site {
    let (head, rest) = SITE.split_once("[[call]]").unwrap();
    let link = &rest[rest.find("[[link]]").unwrap()..];
    let call = |level: u8| {
        format!(
            "[[call]]\nlevel = {level}\npost = \"{post}\"\npost_en = \"Shift leader\"\ntelephone = \"{NUMBER}\"\nname = \"{NAME}\"\n"
        )
    };
    let text = format!("{head}{}{link}", (1..=3).map(call).collect::<String>());
    let mut site = config::site_from_text("minimal-site.toml", &text, |_| {}).value.unwrap();
    let mut parts = site.book.parts().clone();
    parts.policy.escalation[0] = vec![Duration::from_millis(1), Duration::from_secs(3600)];
    site.book = RuleBook::build(parts).unwrap().0;
    site
}

/// Everything that is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// All bytes of all files under a folder. SQLite takes files beside its own away while they are listed.
fn on_the_disk(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => bytes.extend(on_the_disk(&entry.path())),
            false => bytes.extend(std::fs::read(entry.path()).unwrap_or_default()),
        }
    }
    bytes
}

fn has(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

#[tokio::test]
async fn an_escalation_names_its_posts_and_no_journal_payload_line_or_log_has_a_number_or_a_name() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let folder = tempfile::tempdir().unwrap();
    let site = hasty_site("值班长");
    tracing::info!(?site, "what a careless line would say");
    let mut bench = bench_of(folder.path(), &site, Asker::Start);
    bench.scan(60.0).await;
    let record = bench.next("alarm.escalated").await;
    let EventKind::Escalated { level: 1, call, .. } = &record.event.kind else { panic!("{record:?}") };
    assert_eq!(*call, ["值班长"]);
    let mut pictures = bench.handle.snapshots();
    let shown = pictures.wait_for(|p| p.alarms.iter().any(|a| a.escalated == 1)).await.unwrap().clone();
    let posts: Vec<_> = shown.alarms.iter().flat_map(|a| &a.call).map(|p| (&*p.post, &*p.post_en)).collect();
    assert_eq!(posts, [("值班长", "Shift leader")], "the page has them too");
    assert!(bench.handle.change(NewRules::of(&hasty_site("安全总监"), Asker::Signal)).await);
    let EventKind::Notice { text_zh, .. } = &bench.next("system.notice").await.event.kind else { panic!() };
    assert!(text_zh.contains("升级通知岗位"), "{text_zh}");

    let payload = event_bytes(&record, &site.view, false);
    let said: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!((&said["call"], &said["level"]), (&serde_json::json!(["值班长"]), &serde_json::json!(1)));
    assert!(said["text"]["zh"].as_str().unwrap().contains("升级通知 L1：请致电 值班长；当前 60.0 ppm"), "{said}");
    assert!(
        said["text"]["en"].as_str().unwrap().contains("escalated to L1: call Shift leader; now 60.0 ppm"),
        "{said}"
    );
    let mut line = String::new();
    TransitionEncoder::new(&site.view).line(&record, &mut line);
    let picture = serde_json::to_vec(&*shown).unwrap();
    bench.end().await;
    let disk = on_the_disk(folder.path());
    assert!(has(&disk, r#""call":["值班长"]"#), "it was looked for where events are");
    let log = log.0.lock().unwrap().clone();
    assert!(has(&log, "what a careless line would say") && has(&log, "值班长"), "the log was on");
    for (what, bytes) in
        [("disk", &disk), ("payload", &payload), ("line", &line.into_bytes()), ("picture", &picture), ("log", &log)]
    {
        for word in [NUMBER, DIGITS, NAME] {
            assert!(!has(bytes, word), "{word} is in {what}");
        }
    }
}
