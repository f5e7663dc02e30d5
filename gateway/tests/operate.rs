//! `operate` from outside: what an operator does without a browser ends as an event with name, role, reason and terminal, or as a refusal in words.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use serde_json::{Value, json};
use support::{Ended, Gateway, Site, hazard_gateway};

const SECRET: &str = "红杉木在雨后的山坡上生长";
const ALARM: &str = "system:unclean_end";

/// A site whose last run was killed, running again, and a viewer's cookie: an alarm stands that needs no instrument.
fn running() -> (Site, Gateway, String) {
    let site = Site::minimal();
    for (name, role) in
        [("ada", "admin"), ("vera", "viewer"), ("olga", "operator"), ("sun", "safety"), ("wang", "shift")]
    {
        let called = format!("{name}安");
        let added = hazard_gateway(&site, &["user", "add", name, "--role", role, "--name", &called], SECRET);
        assert_eq!(added.code, 0, "{added:?}");
    }
    drop(Gateway::run(&site));
    let gateway = Gateway::run(&site);
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    gateway.until("/api/v1/alarms", Some(&cookie), |alarms| alarm(alarms).is_some());
    (site, gateway, cookie)
}

fn alarm(alarms: &Value) -> Option<&Value> {
    alarms.as_array()?.iter().find(|a| a["id"] == ALARM)
}

fn events(gateway: &Gateway, cookie: &str, kind: &str) -> Vec<Value> {
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(cookie));
    events.as_array().unwrap().iter().filter(|e| e["kind"] == kind).cloned().collect()
}

fn operate(site: &Site, gateway: &Gateway, by: &str, arguments: &[&str]) -> Ended {
    let with = ["--by", by, "--url", &gateway.url()];
    hazard_gateway(site, &[&["operate"], arguments, &with].concat(), SECRET)
}

#[test]
fn an_acknowledgement_needs_to_have_seen_the_alarm_and_is_done_once() {
    let (site, gateway, cookie) = running();
    let unseen = operate(&site, &gateway, "olga", &["ack", ALARM]);
    let seq = alarm(&gateway.get("/api/v1/alarms", Some(&cookie))).unwrap()["seq"].to_string();
    assert!(unseen.code == 2 && unseen.err.contains(&format!("--seen-seq {seq}")), "{unseen:?}");
    assert!(unseen.err.contains("P3 未确认 unacknowledged"), "{unseen:?}");
    let older = operate(&site, &gateway, "olga", &["ack", ALARM, "--seen-seq", "1"]);
    assert!(older.code == 5 && older.err.contains("409"), "{older:?}");
    let stranger = operate(&site, &gateway, "vera", &["ack", ALARM, "--seen-seq", &seq]);
    assert!(stranger.code == 5 && stranger.err.contains("403"), "{stranger:?}");

    let ack = ["ack", ALARM, "--comment", "已查，停电", "--seen-seq", &seq, "--key", "shift-7"];
    for _ in 0..2 {
        let done = operate(&site, &gateway, "olga", &ack);
        assert!(done.code == 0 && done.out.contains("alarm.acked"), "{done:?}");
    }
    let acked = events(&gateway, &cookie, "alarm.acked");
    assert_eq!(acked.len(), 1, "{acked:#?}");
    let by = &acked[0]["by"];
    assert_eq!((&by["by"], &by["role"], &by["reason"]), (&json!("olga"), &json!("operator"), &json!("已查，停电")));
    assert_eq!(by["terminal"], "127.0.0.1");
    let again = operate(&site, &gateway, "olga", &["ack", ALARM, "--seen-seq", &seq]);
    assert!(again.code == 0 && again.out.contains("已是如此"), "{again:?}");
    let looked = operate(&site, &gateway, "olga", &["ack", ALARM]);
    assert!(looked.code == 0 && looked.out.contains("已由 olga 于"), "{looked:?}");

    let now = gateway.get("/api/v1/status", Some(&cookie))["seq"].to_string();
    for seen in [&[][..], &["--seen-seq", &now]] {
        let never = operate(&site, &gateway, "olga", &[&["ack", "GT-101:HH"], seen].concat());
        assert!(never.code == 5 && never.err.contains("GT-101:HH: 没有需要确认的"), "{never:?}");
        assert!(!(never.out + &never.err).contains("已是如此"));
    }
}

#[test]
fn what_asks_first_says_what_it_does_and_who_asked_for_a_bypass_is_told_as_recorded() {
    let (site, gateway, cookie) = running();
    let seq = alarm(&gateway.get("/api/v1/alarms", Some(&cookie))).unwrap()["seq"].to_string();
    let shelve = ["shelve", ALARM, "--minutes", "30", "--reason", "停电检修", "--seen-seq", &seq];
    assert_eq!(operate(&site, &gateway, "olga", &shelve).code, 0);
    let unshelve = operate(&site, &gateway, "olga", &["unshelve", ALARM]);
    assert!(unshelve.code == 2 && unshelve.err.contains("即以你的名义确认它（ISA-18.2 §11.7.3）"), "{unshelve:?}");

    let bypass = |asked: &str, seen: &[&str]| {
        let words = ["bypass", "GT-101", "--reason", "动火作业", "--permit", "DH-12", "--compensation", "专人便携检测"];
        operate(&site, &gateway, "sun", &[&words[..], &["--minutes", "60", "--requested-by", asked], seen].concat())
    };
    let known = bypass("WANG 安", &[]);
    assert!(known.code == 2 && known.err.contains("requested by: wang（账号 account）"), "{known:?}");
    assert!(known.err.contains("以你的名义批准") && known.err.contains("--seen-seq"), "{known:?}");
    let stranger = bypass("外委 赵六", &[]);
    assert!(stranger.err.contains("外委 赵六（不是本网关的账号，按所填记录"), "{stranger:?}");
    let own = bypass("ＳＵＮ", &[]);
    assert!(own.code == 5 && own.err.contains("same_person") && !own.err.contains("--seen-seq"), "{own:?}");
    let now = gateway.get("/api/v1/status", Some(&cookie))["seq"].to_string();
    for nobody in ["", " x ", "--"] {
        for seen in [&[][..], &["--seen-seq", &now]] {
            let asked = format!("--requested-by={nobody}");
            let words =
                ["bypass", "GT-101", "--reason", "动火作业", "--permit", "DH-12", "--compensation", "专人便携检测"];
            let none = operate(&site, &gateway, "sun", &[&words[..], &["--minutes", "60", &asked], seen].concat());
            assert!(none.code == 2 && none.err.contains("--requested-by（requested_by）"), "{nobody}: {none:?}");
        }
    }
    let done = bypass("外委 赵六", &["--seen-seq", &now]);
    assert!(done.code == 0 && done.out.contains("申请人 外委 赵六（无账号）"), "{done:?}");
    assert_eq!(gateway.get("/api/v1/bypasses", Some(&cookie))[0]["no_account"], true);
}

#[test]
fn what_hides_and_what_sounds_goes_by_the_same_rules_as_on_the_page() {
    let (site, gateway, cookie) = running();
    let seen = || gateway.get("/api/v1/status", Some(&cookie))["seq"].to_string();
    let bypass = |by: &str, asked: &str| {
        let seen = seen();
        let words = [
            "--seen-seq",
            &seen,
            "--permit",
            "DH-12",
            "--requested-by",
            asked,
            "--compensation",
            "专人便携检测",
            "--minutes",
            "60",
        ];
        operate(&site, &gateway, by, &[&["bypass", "GT-101", "--reason", "动火作业"], &words[..]].concat())
    };
    assert_eq!(bypass("olga", "wang").code, 5, "an operator approves no bypass");
    let own = bypass("sun", "sun");
    assert!(own.code == 5 && own.err.contains("same_person"), "{own:?}");
    let own_by_name = bypass("sun", "sun安");
    assert!(own_by_name.code == 5 && own_by_name.err.contains("same_person"), "{own_by_name:?}");
    let own_spelled = bypass("sun", " ＳＵＮ 安");
    assert!(own_spelled.code == 5 && own_spelled.err.contains("same_person"), "{own_spelled:?}");
    assert_eq!(bypass("sun", "Wang 安").code, 0);
    let bypassed = events(&gateway, &cookie, "point.bypassed");
    assert_eq!(bypassed.len(), 1);
    assert_eq!(bypassed[0]["bypass"]["requested_by"], "wang", "who is called so has an account: {bypassed:#?}");
    let unseen = operate(&site, &gateway, "sun", &["end-bypass", "GT-101", "--reason", "动火结束"]);
    assert!(
        unseen.code == 2 && unseen.err.contains("旁路 bypassed · DH-12 · sun") && unseen.err.contains("--seen-seq")
    );
    let end = |reason: &str, seq: &str| {
        operate(&site, &gateway, "sun", &["end-bypass", "GT-101", "--reason", reason, "--seen-seq", seq])
    };
    let before = end("动火结束", "1");
    assert!(before.code == 5 && before.err.contains("409"), "it shows no bypass: {before:?}");
    let short = end("完", &seen());
    assert!(short.code == 2 && short.err.contains("reason"), "{short:?}");
    assert_eq!(end("动火结束", &seen()).code, 0);
    assert_eq!(events(&gateway, &cookie, "point.bypass_ended").len(), 1);

    assert_eq!(operate(&site, &gateway, "olga", &["silence"]).code, 0);
    assert_eq!(events(&gateway, &cookie, "sound.silenced")[0]["by"]["by"], "olga");
    let nothing = operate(
        &site,
        &gateway,
        "olga",
        &["mode", "no-such-unit", "running", "--reason", "检修完毕", "--seen-seq", "1"],
    );
    assert!(nothing.code == 2 && nothing.err.contains("404"), "{nothing:?}");
    let words = ["out-of-service", "GT-101", "--work-order", "", "--reason", "送检", "--seen-seq", &seen()];
    let short = operate(&site, &gateway, "sun", &words);
    assert!(
        short.code == 2 && short.err.contains("--work-order（work_order）：收到 \"\"，应为 1 至 2000 个字"),
        "{short:?}"
    );
    let long = ["bypass", "GT-101", "--reason", "动火作业", "--permit", "DH-13", "--requested-by", "wang"];
    let long = operate(
        &site,
        &gateway,
        "sun",
        &[&long[..], &["--compensation", "专人便携检测", "--minutes", "900", "--seen-seq", &seen()]].concat(),
    );
    assert!(long.code == 2 && long.err.contains("--minutes：收到 900，应为 1 至 480 · got 900"), "{long:?}");

    let asked = gateway.get("/api/v1/events?type=operator.action&limit=500", Some(&cookie));
    let refused: Vec<&Value> = asked.as_array().unwrap().iter().filter(|e| e["action"] == "refused").collect();
    assert!(
        refused.len() == 5 && refused[0]["user"] == "olga",
        "who may not, and thrice the same person: {refused:#?}"
    );
    assert!(refused[1]["detail"].as_str().unwrap().contains("same_person"), "{refused:#?}");
    assert!(refused[4]["detail"].as_str().unwrap().contains("changed"), "a bypass it had not seen: {refused:#?}");
    assert_eq!(gateway.get("/api/v1/events?point=GT-101&type=point", Some(&cookie)).as_array().unwrap().len(), 2);
    assert_eq!(gateway.get("/api/v1/events?since=2100-01-01T00:00:00Z", Some(&cookie)), json!([]));
}

#[test]
fn what_does_not_exist_is_said_at_once_and_a_silence_says_for_how_long() {
    let (site, gateway, _) = running();
    let none = operate(&site, &gateway, "olga", &["ack", "GT-101:HHH"]);
    assert!(
        none.code == 2 && none.err.contains("GT-101 has: GT-101:H") && !none.err.contains("--seen-seq"),
        "{none:?}"
    );
    let none = operate(
        &site,
        &gateway,
        "sun",
        &[
            "bypass",
            "GT-1",
            "--permit",
            "1",
            "--requested-by",
            "w",
            "--compensation",
            "x",
            "--minutes",
            "1",
            "--reason",
            "动火作业",
        ],
    );
    assert!(none.code == 2 && none.err.contains("did you mean GT-101") && !none.err.contains("--seen-seq"), "{none:?}");
    let silenced = operate(&site, &gateway, "olga", &["silence"]);
    assert!(silenced.code == 0 && silenced.out.contains("消音 2 分"), "{silenced:?}");
    let shown = hazard_gateway(&site, &["status", "--url", &gateway.url()], "");
    let line = shown.out.lines().find(|line| line.contains("消音 silenced")).unwrap_or_default();
    assert!(line.contains("olga"), "who turned it off: {shown:?}");
}

#[test]
fn completions_end_in_silence_when_nobody_reads_on() {
    let mut command = support::binary();
    let pipes =
        command.args(["completions", "bash"]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn a_file_of_another_station_shows_and_does_nothing_at_this_one() {
    let (site, gateway, cookie) = running();
    let url = gateway.url();
    let shown = hazard_gateway(&site, &["status", "--url", &url], "");
    assert!(
        shown.code == 0 && shown.out.contains(ALARM),
        "the file's token opens the address that is named: {shown:?}"
    );

    let text = std::fs::read_to_string(site.file()).unwrap();
    std::fs::write(site.file(), text.replace("key = \"my-site\"", "key = \"west-plant\"")).unwrap();
    for words in [
        &["status"][..],
        &["events"],
        &["reload", "--by", "ada", "--reason", "按评审单12"],
        &["operate", "silence", "--by", "olga"],
    ] {
        let refused = hazard_gateway(&site, &[words, &["--url", &url]].concat(), SECRET);
        let named = ["my-site", "west-plant", "--url"].iter().all(|part| refused.err.contains(part));
        assert!(refused.code == 2 && refused.out.is_empty() && named, "{words:?}: {refused:?}");
    }
    assert!(events(&gateway, &cookie, "sound.silenced").is_empty());
}

/// A measure to register a hidden danger of.
const REGISTER: &str = "
[[risk]]
key = \"RA-01\"
name = \"氨泄漏\"
name_en = \"Ammonia leak\"
area = \"A1\"
level = \"major\"
accident_type = \"中毒\"
leader_role = \"厂长\"

[[measure]]
key = \"RA-01.M1\"
risk = \"RA-01\"
text = \"班组每日巡检\"
text_en = \"daily round\"
responsible_role = \"班长\"
";

#[test]
fn a_hidden_danger_goes_from_its_registration_to_its_closing_by_two_people_and_survives_a_kill() {
    let site = Site::minimal();
    let text = std::fs::read_to_string(site.file()).unwrap();
    std::fs::write(site.file(), text + REGISTER).unwrap();
    let people = [("ada", "admin"), ("vera", "viewer"), ("olga", "operator"), ("sun", "safety"), ("wang", "shift")];
    for (name, role) in people {
        let called = format!("{name}安");
        let added = hazard_gateway(&site, &["user", "add", name, "--role", role, "--name", &called], SECRET);
        assert_eq!(added.code, 0, "{added:?}");
    }
    let mut gateway = Gateway::run(&site);
    let found = ["register-hazard", "--measure", "RA-01.M1", "--place", "东门", "--description", "消防通道被占用"];
    let done = operate(&site, &gateway, "olga", &found);
    assert!(done.code == 0 && done.out.contains("消防通道被占用"), "{done:?}");

    let unseen = operate(&site, &gateway, "sun", &["assess-hazard", "HD-1", "--level", "general"]);
    assert!(unseen.code == 2 && unseen.err.contains("HD-1 已登记") && unseen.err.contains("--seen-seq"), "{unseen:?}");
    assert!(unseen.err.contains("位置 place: 东门 · 情况 what: 消防通道被占用"), "{unseen:?}");
    let step = |gateway: &Gateway, by: &str, words: &[&str]| {
        let (_, cookie) = gateway.sign_in("vera", SECRET);
        let open = gateway.get("/api/v1/hazards", Some(&cookie));
        let seen = open[0]["moved_seq"].to_string();
        operate(&site, gateway, by, &[words, &["--seen-seq", &seen]].concat())
    };
    let lacking = step(&gateway, "sun", &["assess-hazard", "HD-1", "--level", "general"]);
    assert!(lacking.code == 2 && lacking.err.contains("--criteria") && lacking.err.contains("--cause"), "{lacking:?}");
    let assess = ["assess-hazard", "HD-1", "--level", "general", "--criteria", "4.2", "--cause", "堆放杂物"];
    assert_eq!(step(&gateway, "olga", &assess).code, 5, "an operator does not assess");
    assert_eq!(step(&gateway, "sun", &assess).code, 0);
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    let now_ms = gateway.get("/api/v1/status", Some(&cookie))["utc_ms"].as_i64().unwrap();
    let soon = (now_ms + 2 * 3_600_000).to_string();
    let assign =
        ["assign-hazard", "HD-1", "--responsible", "ＷＡＮＧ 安", "--due-at", &soon, "--interim-control", "设专人看守"];
    let assigned = step(&gateway, "sun", &assign);
    assert!(assigned.code == 0 && assigned.out.contains("已派发整改，责任人 wang"), "{assigned:?}");
    let anew = ["assign-hazard", "HD-1", "--responsible", "olga", "--reason", "王班长出差"];
    let anew = step(&gateway, "sun", &anew);
    assert!(anew.code == 0 && anew.out.contains("重新派发，责任人 olga"), "{anew:?}");
    drop(gateway);
    gateway = Gateway::run(&site);
    let rectify = ["rectify-hazard", "HD-1", "--evidence", "通道已清理，照片 3 张"];
    assert_eq!(step(&gateway, "olga", &rectify).code, 0);
    let accept = ["accept-hazard", "HD-1", "--opinion", "复查合格"];
    assert_eq!(step(&gateway, "olga", &accept).code, 5, "an operator accepts nothing");
    let early = step(&gateway, "sun", &["close-hazard", "HD-1", "--reason", "整改到位"]);
    assert!(early.code == 2 && early.err.contains("acceptance"), "{early:?}");
    let own = step(&gateway, "wang", &accept);
    assert!(own.code == 5 && own.err.contains("inspector_is_rectifier"), "{own:?}");
    assert_eq!(step(&gateway, "sun", &accept).code, 0);
    let closed = step(&gateway, "sun", &["close-hazard", "HD-1", "--reason", "整改到位"]);
    assert!(closed.code == 0 && closed.out.contains("隐患 HD-1 已销号"), "{closed:?}");
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    assert_eq!(gateway.get("/api/v1/hazards", Some(&cookie)), json!([]));
    let over = gateway.get("/api/v1/hazards?closed=true", Some(&cookie));
    let stage = &over[0]["stage"];
    assert_eq!((&stage["stage"], &stage["rectified"]["by"]["by"]), (&json!("closed"), &json!("olga")));
    assert_eq!((&stage["acceptance"]["by"]["by"], &stage["closed"]["by"]), (&json!("sun"), &json!("sun")));
    let again = operate(&site, &gateway, "sun", &["close-hazard", "HD-1", "--reason", "整改到位"]);
    assert!(again.code == 0 && again.out.contains("HD-1: 已销号，没有改变"), "{again:?}");
    let other = operate(&site, &gateway, "sun", &["reject-hazard", "HD-1", "--reason", "检修断线"]);
    assert!(other.code == 5 && other.err.contains("it is over already, nothing was done"), "{other:?}");
    assert_eq!(events(&gateway, &cookie, "hazard.stage").len(), 6);
}

#[test]
fn a_candidate_is_shown_before_it_is_decided_and_only_what_was_seen_is_decided() {
    let site = Site::minimal();
    let text = std::fs::read_to_string(site.file()).unwrap();
    std::fs::write(site.file(), text + REGISTER + "watched = [\"GT-101\"]\n").unwrap();
    for (name, role) in [("ada", "admin"), ("vera", "viewer"), ("sun", "safety")] {
        assert_eq!(hazard_gateway(&site, &["user", "add", name, "--role", role], SECRET).code, 0);
    }
    let gateway = Gateway::run(&site);
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    // nobody answers on the link: silence of a watched point is a failed measure
    gateway.until("/api/v1/hazards", Some(&cookie), |open| open[0]["id"] == "HD-1");
    let seen = gateway.get("/api/v1/hazards", Some(&cookie))[0]["moved_seq"].to_string();

    let unseen = operate(&site, &gateway, "sun", &["reject-hazard", "HD-1", "--reason", "检修断线"]);
    assert_eq!(unseen.code, 2, "{unseen:?}");
    for part in [
        "HD-1 待确认 candidate · 未评估等级 not graded yet",
        "起因 cause: DET-101:COMMS_LOSS，仍未正常 not normal",
        "RA-01.M1 班组每日巡检 / daily round",
        "风险 risk: RA-01 氨泄漏 / Ammonia leak · 区域 area A1",
        "这一步 this step: 判为误报",
        &format!("--seen-seq {seen}"),
    ] {
        assert!(unseen.err.contains(part), "{part}: {}", unseen.err);
    }
    for action in ["reject-hazard", "confirm-hazard"] {
        let before = operate(&site, &gateway, "sun", &[action, "HD-1", "--reason", "检修断线", "--seen-seq", "1"]);
        assert!(before.code == 5 && before.err.contains("409"), "{before:?}");
    }
    let under = gateway.until("/api/v1/status", Some(&cookie), |s| s["hidden"]["under_silence"][0].is_object());
    assert_eq!(under["hidden"]["under_silence"][0]["cause"], "DET-101:COMMS_LOSS", "{under:#}");
    let shown = hazard_gateway(&site, &["status", "--url", &gateway.url()], "");
    assert!(shown.out.contains("GT-101:SENSOR_FAULT") && shown.out.contains("仪表通信中断"), "{shown:?}");
    let none = operate(&site, &gateway, "sun", &["confirm-hazard", "HD-9"]);
    assert!(none.code == 2 && none.err.contains("HD-9: 没有这条隐患"), "{none:?}");
    let done = operate(&site, &gateway, "sun", &["confirm-hazard", "HD-1", "--seen-seq", &seen]);
    assert!(done.code == 0 && done.out.contains("隐患 HD-1 已登记"), "{done:?}");
}
