//! The life of a hidden danger over HTTP: who may, what each body becomes, and how a refusal is told.

use super::*;
use crate::snapshot::HazardView;

/// What the core was asked, as it came: the bench's core says it in the text of its record.
async fn asked(bench: &Bench, browser: &Browser, path: &str, body: Value) -> Value {
    let answer = bench.own(browser, "POST", &format!("/api/v1/hazards{path}"), Some(body)).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let text = json_of(answer).await["records"][0]["text_en"].as_str().unwrap().to_owned();
    serde_json::from_str(&text).unwrap()
}

async fn refused(bench: &Bench, browser: &Browser, path: &str, body: Value) -> (u16, Value) {
    let answer = bench.own(browser, "POST", &format!("/api/v1/hazards{path}"), Some(body)).await;
    (answer.status().as_u16(), json_of(answer).await)
}

#[tokio::test]
async fn each_step_is_one_command_with_all_that_was_given() {
    let bench = bench(false).await;
    let sun = bench.accounts.sign_in_for_test("sun", Role::Safety).await;
    let found = json!({ "measure": "RA-01.M1", "place": "东门", "description": "通道被占" });
    assert_eq!(asked(&bench, &sun, "", found).await["command"], "register_hazard");
    let assess = json!({ "seen_seq": 7, "level": "major", "criteria": "4.2", "cause": "老化" });
    let command = asked(&bench, &sun, "/HD-1/assess", assess).await;
    assert_eq!(
        (&command["step"], &command["level"], &command["seen_seq"]),
        (&json!("assess"), &json!("major"), &json!(7))
    );
    let plan = json!({
        "seen_seq": 7, "responsibility": "a", "measures": "b", "funds": "c", "due_at": "1970-01-01T00:00:09Z", "emergency": "d",
    });
    assert_eq!(asked(&bench, &sun, "/HD-1/plan", plan).await["due_at"], 9000);
    assert_eq!(asked(&bench, &sun, "/HD-1/report", json!({ "seen_seq": 7, "to": "镇应急办" })).await["step"], "report");
    let assign = json!({ "seen_seq": 7, "responsible": "chen", "due_at": "9000", "interim_control": "巡检" });
    assert_eq!(asked(&bench, &sun, "/HD-1/assign", assign).await["due_at"], 9000);
    let rectify = json!({ "seen_seq": 7, "evidence": "已换" });
    assert_eq!(asked(&bench, &sun, "/HD-1/rectify", rectify).await["evidence"], "已换");
    for (passed, step) in [(true, "accept"), (false, "send_back")] {
        let accept = json!({ "seen_seq": 7, "passed": passed, "opinion": "如此" });
        assert_eq!(asked(&bench, &sun, "/HD-1/accept", accept).await["step"], step);
    }
    let close = json!({ "seen_seq": 7, "reason": "整改到位" });
    assert_eq!(asked(&bench, &sun, "/HD-1/close", close).await["step"], "close");
}

#[tokio::test]
async fn a_candidate_is_decided_as_it_was_seen() {
    let bench = bench(false).await;
    let sun = bench.accounts.sign_in_for_test("sun", Role::Safety).await;
    let seen = asked(&bench, &sun, "/HD-1/confirm", json!({ "seen_seq": 7, "reason": "现场属实" })).await;
    assert_eq!((&seen["command"], &seen["seen_seq"]), (&json!("confirm_hazard"), &json!(7)));
    let unseen = asked(&bench, &sun, "/HD-1/confirm", json!({})).await;
    assert_eq!(unseen["seen_seq"], Value::Null, "the page of before says none");
    let (status, _) = refused(&bench, &sun, "/changed/reject", json!({ "seen_seq": 7, "reason": "误报一次" })).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn who_answers_for_the_work_is_recorded_as_the_account_whose_name_it_is() {
    let bench = bench(false).await;
    bench.accounts.add_person("chen", "陈工", &[Role::Operator], SECRET.into()).await.unwrap();
    let sun = bench.accounts.sign_in_for_test("sun", Role::Safety).await;
    for (given, kept) in [("陈 工", "chen"), ("ＣＨＥＮ", "chen"), ("外委 赵", "外委 赵"), ("", "")] {
        let assign = json!({ "seen_seq": 7, "responsible": given });
        let command = asked(&bench, &sun, "/HD-1/assign", assign).await;
        assert_eq!((&command["responsible"], &command["due_at"]), (&json!(kept), &json!(0)), "{given}");
    }
}

/// Work of somebody who is given by what people call them, waiting for its acceptance.
fn waiting(responsible: &str) -> HazardView {
    let by = json!({ "by": "sun", "role": "safety", "at": { "mono": 1, "wall": { "utc_ms": 2, "quality": "synced" } }, "reason": "" });
    let hazard = json!({
        "id": "HD-1", "measure": "RA-01.M1", "risk": "RA-01", "cause": "", "opened": by["at"], "occurrences": [],
        "stage": {
            "stage": "waiting", "confirmed": by, "level": "general",
            "assessed": { "criteria": "4.2", "cause": "老化", "by": by },
            "assignment": { "responsible": responsible, "due": { "mono": 1, "wall_utc_ms": 2 }, "interim_control": "巡检", "by": by },
            "rectified": { "evidence": "已换", "by": by },
        },
    });
    let hazard = serde_json::from_value(hazard).unwrap();
    HazardView { hazard, next_steps: &[], lacks: &[], condition_normal: true }
}

#[tokio::test]
async fn who_answers_for_the_work_by_what_they_are_called_does_not_accept_it_however_that_is_written() {
    let bench = bench(false).await;
    bench.accounts.add_person("wang2", "Wang 王", &[Role::Shift], SECRET.into()).await.unwrap();
    let wang = bench.sign_in("wang2").await;
    for (responsible, status) in [("ＷＡＮＧ王", 403), ("wang 王", 403), ("李", 200)] {
        bench.snapshots.send_modify(|s| Arc::make_mut(s).hazards = Arc::new(vec![waiting(responsible)]));
        let accept = json!({ "seen_seq": 7, "passed": true, "opinion": "合格" });
        assert_eq!(refused(&bench, &wang, "/HD-1/accept", accept).await.0, status, "{responsible}");
    }
    let back = json!({ "seen_seq": 7, "passed": false, "opinion": "仍有渗漏" });
    assert_eq!(asked(&bench, &wang, "/HD-1/accept", back).await["step"], "send_back");
}

#[tokio::test]
async fn an_operator_registers_and_rectifies_a_shift_leader_accepts_and_the_rest_is_the_safety_officers() {
    let bench = bench(false).await;
    let steps = [
        "",
        "/HD-1/rectify",
        "/HD-1/accept",
        "/HD-1/assess",
        "/HD-1/plan",
        "/HD-1/report",
        "/HD-1/assign",
        "/HD-1/close",
    ];
    let allowed = [(Role::Viewer, 0), (Role::Operator, 2), (Role::Shift, 3), (Role::Safety, 8), (Role::Admin, 0)];
    for (role, first) in allowed {
        let browser = bench.accounts.sign_in_for_test(role.word(), role).await;
        for (n, path) in steps.iter().enumerate() {
            let body = json!({ "seen_seq": 7, "passed": true, "level": "general" });
            let (status, _) = refused(&bench, &browser, path, body).await;
            assert_eq!(status == 403, n >= first, "{role:?} {path} {status}");
        }
    }
}

#[tokio::test]
async fn a_refusal_says_what_is_missing_that_it_changed_or_who_may_not() {
    let bench = bench(false).await;
    let sun = bench.accounts.sign_in_for_test("sun", Role::Safety).await;
    let body = || json!({ "seen_seq": 7, "passed": true, "reason": "整改到位", "opinion": "合格", "due_at": "1970-01-01T00:00:09Z" });
    let (status, problem) = refused(&bench, &sun, "/lacks/assign", body()).await;
    assert_eq!((status, &problem["fields"]), (422, &json!(["plan", "report", "due_at"])));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("五落实") && detail.contains("got \"1970-01-01T00:00:09.000Z\""), "{detail}");
    assert_eq!(refused(&bench, &sun, "/changed/close", body()).await.0, 409);
    let (status, problem) = refused(&bench, &sun, "/active/close", body()).await;
    assert_eq!((status, &problem["detail"]), (409, &json!("condition_not_normal")));
    let (status, problem) = refused(&bench, &sun, "/own/accept", body()).await;
    assert_eq!((status, &problem["detail"]), (403, &json!("inspector_is_rectifier")));
    let (status, problem) = refused(&bench, &sun, "/HD-1/accept", json!({ "seen_seq": 7 })).await;
    assert_eq!((status, &problem["fields"]), (422, &json!(["passed"])), "nothing passes by leaving it out");
    let (status, problem) = refused(&bench, &sun, "/HD-1/assign", json!({ "seen_seq": 7, "due_at": "morgen" })).await;
    assert_eq!((status, &problem["fields"]), (422, &json!(["due_at"])));
    let (status, problem) = refused(&bench, &sun, "/HD-1/close", json!({ "reason": "整改到位" })).await;
    assert_eq!((status, &problem["fields"]), (422, &json!(["seen_seq"])));
}

#[tokio::test]
async fn open_records_and_those_that_are_over_are_listed() {
    let bench = bench(false).await;
    let vera = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    for path in ["/api/v1/hazards", "/api/v1/hazards?closed=true"] {
        let answer = bench.own(&vera, "GET", path, None).await;
        assert_eq!((answer.status(), json_of(answer).await), (StatusCode::OK, json!([])));
    }
}
