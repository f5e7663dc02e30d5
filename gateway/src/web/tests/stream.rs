//! The stream: snapshot, differences, resuming, lagging, ending.

use super::*;

/// Frames of an open stream as (name, id, data).
struct Frames(axum::body::BodyDataStream, String);

impl Frames {
    async fn of(bench: &Bench, browser: &Browser, last_id: Option<&str>) -> Self {
        let mut headers = vec![("cookie", &*browser.cookie)];
        headers.extend(last_id.map(|id| ("last-event-id", id)));
        let answer = bench.send("GET", "/api/v1/stream", &headers, None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self(answer.into_body().into_data_stream(), String::new())
    }

    async fn next(&mut self) -> Option<(String, String, Value)> {
        use tokio_stream::StreamExt;
        loop {
            if let Some((frame, rest)) = self.1.split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())) {
                self.1 = rest;
                let field = |name: &str| {
                    frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                return Some((field("event:"), field("id:"), serde_json::from_str(&field("data:")).unwrap()));
            }
            let more = self.0.next().await?.unwrap();
            self.1.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    /// The next frame of this name; heartbeats and others in between are passed over.
    async fn named(&mut self, name: &str) -> (String, Value) {
        loop {
            let (found, id, data) = self.next().await.expect("the stream goes on");
            if found == name {
                return (id, data);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_stream_begins_with_a_snapshot_and_goes_on_with_differences() {
    let bench = bench(false).await;
    let viewer = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let mut frames = Frames::of(&bench, &viewer, None).await;
    let (name, id, first) = frames.next().await.unwrap();
    assert_eq!((&*name, &*id), ("snapshot", "boot:5"));
    assert_eq!(first["values"][0][0], 1.0);
    let site = bench.snapshots.borrow().site.clone();
    bench.snapshots.send_replace(picture(6, 2.5, vec![alarm()], &site));
    let (_, values) = frames.named("values").await;
    assert_eq!(values["v"], json!([[0, 2.5, 0, 1, null]]), "only what changed");
    assert_eq!(frames.named("alarms").await.1[0]["id"], "GT-101:HH");
    bench.records.send(Arc::new(record(6, notice()))).unwrap();
    let (id, shown) = frames.named("record").await;
    assert_eq!((&*id, &shown["seq"]), ("boot:6", &json!(6)));
    assert_eq!(frames.named("heartbeat").await.1["unacked"], 1);
    bench.stop.cancel();
    while frames.next().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn a_returning_client_gets_what_it_missed_and_a_stranger_to_this_boot_a_snapshot() {
    let bench = bench(false).await;
    let viewer = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    *bench.archive.0.lock().unwrap() = (1..=5).map(|seq| record(seq, notice())).collect();
    let mut frames = Frames::of(&bench, &viewer, Some("boot:3")).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (name, id, _) = frames.next().await.unwrap();
        seen.push(format!("{name} {id}"));
    }
    assert_eq!(seen, ["record boot:4", "record boot:5", "values boot:5", "alarms boot:5", "hazards boot:5"]);
    let mut other = Frames::of(&bench, &viewer, Some("another:3")).await;
    assert_eq!(other.next().await.unwrap().0, "snapshot");
}

#[tokio::test(start_paused = true)]
async fn a_lagging_client_is_told_to_begin_again_and_an_ended_session_ends_its_stream() {
    let bench = bench(false).await;
    bench.accounts.add_user("vera", &[Role::Viewer], SECRET.into()).await.unwrap();
    let viewer = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let mut frames = Frames::of(&bench, &viewer, None).await;
    frames.named("snapshot").await;
    for seq in 6..20 {
        bench.records.send(Arc::new(record(seq, notice()))).unwrap();
    }
    assert_eq!(frames.named("resync").await.1["missed"], 10);
    frames.named("snapshot").await;
    bench.own(&viewer, "DELETE", "/api/v1/session", None).await;
    while frames.next().await.is_some() {}
}

#[tokio::test]
async fn an_open_stream_over_a_socket_does_not_hold_up_the_stop() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = bench(true).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, accounts, stop) = (bench.router.clone(), bench.accounts.clone(), bench.stop.clone());
    let serving = tokio::spawn(async move { serve(listener, router, &accounts, stop).await });
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let ask = "GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n\r\n";
    socket.write_all(ask.as_bytes()).await.unwrap();
    let mut text = String::new();
    while !text.contains("event: snapshot") {
        let mut part = [0; 4096];
        let read = socket.read(&mut part).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(std::str::from_utf8(&part[..read]).expect("a stream is never compressed"));
    }
    bench.stop.cancel();
    tokio::time::timeout(Duration::from_secs(3), serving).await.unwrap().unwrap().unwrap();
}

/// What a person has seen is told by the picture, not by records, which come sooner than the rows.
#[tokio::test(start_paused = true)]
async fn a_page_is_told_the_number_of_its_picture_after_the_rows_and_which_conditions_say_nothing() {
    let bench = bench(false).await;
    let viewer = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let mut frames = Frames::of(&bench, &viewer, None).await;
    assert_eq!(frames.named("snapshot").await.1["unjudged"], json!([]));
    let site = bench.snapshots.borrow().site.clone();
    let now = Arc::unwrap_or_clone(picture(7, 2.5, vec![alarm()], &site));
    bench.snapshots.send_replace(Arc::new(Snapshot { unjudged: Arc::new(vec![(1, "DEV")]), ..now }));
    let mut seen = Vec::new();
    while seen.last().is_none_or(|(name, _)| name != "picture") {
        let (name, _, data) = frames.next().await.unwrap();
        seen.push((name, data));
    }
    let of = |wanted: &str| seen.iter().find(|(name, _)| name == wanted).map(|(_, data)| data.clone());
    assert!(of("alarms").is_some(), "{seen:?}");
    assert_eq!((of("unjudged"), of("picture")), (Some(json!([[1, "DEV"]])), Some(json!({ "seq": 7 }))));
    let points = json_of(bench.own(&viewer, "GET", "/api/v1/points", None).await).await;
    assert_eq!((&points[0]["unjudged"], &points[1]["unjudged"]), (&json!([]), &json!(["DEV"])));
}
