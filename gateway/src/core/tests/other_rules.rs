//! Another configuration, while it runs and at a start.

use super::*;
use crate::core::NewRules;
use crate::store::{KeptBook, Past, verify};
use rules::EventKind;

/// The rules of the minimal site with another limit.
fn with_limit(limit: &str) -> NewRules {
    let text = SITE.replacen("limit = 25", limit, 1);
    // without the substance any limit may be tried
    let text = text.replace("substance = \"NH3\"\n", "");
    let site = config::site_from_text("minimal-site.toml", &text, |_| {}).value.unwrap();
    NewRules::of(&site, Asker::Signal)
}

#[tokio::test]
async fn other_rules_take_over_at_once_and_what_people_did_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let raised = bench.raised_by(30.0).await;
    let id = raised.event.kind.fact().unwrap().alarm.clone();
    bench.handle.command(ack_of(&raised, raised.event.seq), operator(), None).await.unwrap();
    let old_hash = bench.handle.snapshot().site.config_hash.clone();

    assert!(bench.handle.change(with_limit("limit = 28")).await);
    let EventKind::ConfigChanged { old_hash: old, new_hash: new, by, asked: None } =
        bench.next("system.config_changed").await.event.kind.clone()
    else {
        panic!("another kind")
    };
    assert_eq!((old.as_str(), by.as_str(), new != old), (old_hash.as_str(), "SIGHUP", true));
    let said = bench.next("system.notice").await;
    let EventKind::Notice { text_zh, .. } = &said.event.kind else { panic!("{said:?}") };
    assert!(text_zh.contains("高限报警 限值 25 → 28"), "{text_zh}");
    let mut pictures = bench.handle.snapshots();
    let shown = pictures.wait_for(|p| p.site.config_hash == new).await.unwrap().clone();
    let alarm = shown.alarms.iter().find(|a| a.id == id).expect("30 is above 28 too");
    assert_eq!((alarm.state.as_str(), alarm.acked_by.as_deref(), alarm.occurrence), ("acked", Some("zhang"), 1));
    assert_eq!(shown.site.points.get(0).unwrap().limits.iter().find(|(word, _)| *word == "H").unwrap().1, 28.0);

    assert!(bench.handle.change(with_limit("limit = 35\noff_delay_s = 0")).await);
    let closed = bench.next("alarm.cleared").await;
    assert_eq!(closed.event.kind.fact().unwrap().cause, rules::Cause::Config, "{closed:?}");
    let whole = bench.end().await.read(verify).await.unwrap();
    assert!(whole.is_ok(), "{whole:?}");
}

#[tokio::test]
async fn a_start_with_another_configuration_says_what_differs_from_the_last_run() {
    let folder = tempfile::tempdir().unwrap();
    bench(folder.path()).end().await;
    let told = async |text: &str| {
        let store = bench_on(folder.path(), text).end().await;
        let sql = "SELECT json_extract(json, '$.text_zh') FROM event WHERE json_extract(json, '$.code') = 'config_differences'";
        let list = store.read(move |conn| conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect());
        list.await.unwrap()
    };
    let limit = SITE.replacen("limit = 25", "limit = 28", 1);
    assert_ne!(limit, SITE);
    let first: Vec<String> = told(&limit).await;
    assert!(first.len() == 1 && first[0].contains("高限报警 限值 25 → 28"), "{first:?}");
    assert_eq!(told(&limit).await, first, "the same again says nothing");
    let renamed = limit.replacen("GT-101", "GT-109", 9);
    let second = told(&renamed).await;
    let last = second.last().unwrap();
    assert!(last.contains("GT-101 氨气浓度 高限报警 已删除") && last.contains("测点 GT-101 氨气浓度 已删除"), "{last}");
    assert!(last.contains("测点 GT-109") && last.contains("新增"), "{last}");
}

#[tokio::test]
async fn who_had_the_same_rules_read_again_and_why_is_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    drop(bench(folder.path()).end().await);
    let actor = Actor { user: "li".into(), role: "engineer".into(), terminal: String::new() };
    let mut second = bench_for(folder.path(), SITE, Asker::Person { actor, reason: "换了数据库口令".into() });
    let record = second.next("operator.action").await;
    let said = serde_json::to_string(&record).unwrap();
    assert!(said.contains("config_reloaded") && said.contains("\"li\"") && said.contains("换了数据库口令"), "{said}");
}

/// The journal as another version of the program left it, which had made another book of the same configuration.
#[tokio::test]
async fn a_start_with_other_rules_under_the_same_hash_says_so_once_and_replay_finds_each_time_its_own() {
    let folder = tempfile::tempdir().unwrap();
    drop(bench(folder.path()).end().await);
    let site = config::site_from_text("minimal-site.toml", SITE, |_| {}).value.unwrap();
    let mut parts = site.book.parts().clone();
    let latches = parts.rules.iter_mut().find(|rule| rule.latching).expect("HH of gas latches today");
    latches.latching = false;
    let before = RuleBook::kept(parts).unwrap();
    let disk = rusqlite::Connection::open(folder.path().join("records.db")).unwrap();
    KeptBook::of(&before, &site.view.config_hash).stands_for_all_in(&disk);
    drop(disk);
    let mut seen = Vec::new();
    for run in 0..2 {
        let records = journal(&bench(folder.path()).end().await).await;
        seen = records.into_iter().map(|record| record.event).collect();
        let said = |event: &rules::Event| match &event.kind {
            EventKind::Notice { code, text_zh, .. } if code == "config_differences" => Some(text_zh.clone()),
            _ => None,
        };
        let said: Vec<String> = seen.iter().filter_map(said).collect();
        assert!(
            said.len() == 1 && said[0].starts_with("配置文件未变") && said[0].contains("锁存"),
            "run {run}: {said:?}"
        );
        assert!(!seen.iter().any(|event| event.kind.name() == "system.config_changed"));
    }
    let starts: Vec<u64> = seen.iter().filter(|e| e.kind.name() == "system.started").map(|e| e.seq).collect();
    let books = Past::open(folder.path()).unwrap().books().unwrap();
    let of_start = |seq: u64| books.read(books.row(&site.view.config_hash, seq).unwrap().unwrap()).unwrap().unwrap();
    let as_before: Vec<bool> = starts.iter().map(|seq| of_start(*seq).parts() == before.parts()).collect();
    assert_eq!(as_before, [true, false, false]);
}
