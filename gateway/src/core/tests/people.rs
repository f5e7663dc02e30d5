//! What people ask for: once for a key, and only of what they have seen.

use super::*;
use crate::core::CommandError;
use rules::{Command, Rejected};

#[tokio::test]
async fn a_repeated_command_is_answered_as_the_first_and_not_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    bench.scan(60.0).await;
    let raised = bench.next("alarm.raised").await;
    let alarm = raised.event.kind.fact().unwrap().alarm.clone();
    let ack = || Command::Acknowledge { alarm: alarm.clone(), seen_seq: raised.event.seq, comment: String::new() };
    let first = bench.handle.command(ack(), operator(), Some("key".into())).await.unwrap();
    let again = bench.handle.command(ack(), operator(), Some("key".into())).await.unwrap();
    assert_eq!(first.records[0].event_id, again.records[0].event_id);
    let acks = journal(&bench.end().await).await;
    assert_eq!(
        acks.iter()
            .filter(|r| r.event.kind.name() == "alarm.acked" && r.event.kind.fact().unwrap().alarm == alarm)
            .count(),
        1
    );
}

#[tokio::test]
async fn an_acknowledgement_of_what_has_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    bench.scan(60.0).await;
    let raised = bench.next("alarm.raised").await;
    let alarm = raised.event.kind.fact().unwrap().alarm.clone();
    let stale = Command::Acknowledge { alarm, seen_seq: raised.event.seq - 1, comment: String::new() };
    let refused = bench.handle.command(stale, operator(), None).await;
    assert!(matches!(refused, Err(CommandError::Rejected(Rejected::Changed(_)))), "{refused:?}");
    bench.end().await;
}
