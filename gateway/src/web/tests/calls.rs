//! The call list: numbers for those who would call, and in no other answer.

use super::*;
use crate::calls::{CallList, Contact};
use crate::web::routes::{Access, ROUTES, Station};
use rules::book::Call;

const NUMBER: &str = "0555-0000-909 转 12";

fn with_calls() -> Arc<SiteView> {
    let call = |level: u8, post: &str| Contact {
        call: Call { level, post: post.into(), post_en: "Post".into(), priorities: vec![1], areas: vec!["A1".into()] },
        telephone: NUMBER.into(),
        name: Some("甄某某".into()),
    };
    let calls = CallList(vec![call(2, "安全总监"), call(1, "值班长")]);
    Arc::new(SiteView { calls, ..(*site()).clone() })
}

#[tokio::test]
async fn the_list_is_answered_in_the_order_of_calling_to_who_would_call() {
    let bench = bench(false).await;
    bench.snapshots.send(picture(6, 1.0, Vec::new(), &with_calls())).unwrap();
    for (role, allowed) in [(Role::Operator, true), (Role::Shift, true), (Role::Viewer, false), (Role::Admin, false)] {
        let person = bench.accounts.sign_in_for_test(role.word(), role).await;
        let answer = bench.own(&person, "GET", "/api/v1/calls", None).await;
        assert_eq!(answer.status() == StatusCode::OK, allowed, "{role:?}: {}", answer.status());
        let answer = json_of(answer).await;
        if allowed {
            assert_eq!(
                answer[0],
                json!({ "level": 2, "priorities": [1], "areas": ["A1"], "post": "安全总监", "post_en": "Post",
                        "telephone": NUMBER, "uri": "tel:05550000909;ext=12", "name": "甄某某" })
            );
            assert_eq!(answer[1]["post"], "值班长");
        }
    }
}

#[tokio::test]
async fn no_other_answer_has_a_number_or_a_name() {
    let bench = bench(false).await;
    let standing = AlarmView {
        call: vec![crate::snapshot::PostView { post: "值班长".into(), post_en: "Post".into() }],
        ..alarm()
    };
    let shown = picture(6, 1.0, vec![standing], &with_calls());
    bench.snapshots.send(shown.clone()).unwrap();
    let all = bench.accounts.sign_in_for_test("shift", Role::Shift).await;
    let admin = bench.accounts.sign_in_for_test("admin", Role::Admin).await;
    let answers = ROUTES.iter().filter(|r| r.method == "GET" && r.station != Station::Office);
    let mut looked = 0;
    for row in answers.filter(|r| !r.path.ends_with("/stream") && r.path != "/api/v1/calls") {
        let browser = if row.access == Access::Needs(Action::ManageUsers) { &admin } else { &all };
        let text = text_of(bench.own(browser, "GET", &row.path.replace("{id}", "GT-101"), None).await).await;
        assert!(["0000-909", "0000909", "甄某某"].iter().all(|word| !text.contains(word)), "{}: {text}", row.path);
        looked += usize::from(text.contains("值班长"));
    }
    assert_eq!(looked, 1, "the alarm has its post");
    let frame = serde_json::to_string(&*shown).unwrap();
    assert!(frame.contains("值班长") && !frame.contains("909") && !frame.contains("甄某某"), "the stream: {frame}");
}
