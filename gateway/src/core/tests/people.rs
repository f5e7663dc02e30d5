//! What people ask for: once for a key, and only of what they have seen.

use super::*;
use crate::core::CommandError;
use rules::Rejected;

#[tokio::test]
async fn a_repeated_command_is_answered_as_the_first_and_not_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let raised = bench.raised_by(60.0).await;
    let alarm = &raised.event.kind.fact().unwrap().alarm;
    let ack = || ack_of(&raised, raised.event.seq);
    let first = bench.handle.command(ack(), operator(), Some("key".into())).await.unwrap();
    let again = bench.handle.command(ack(), operator(), Some("key".into())).await.unwrap();
    assert_eq!(first.records[0].event_id, again.records[0].event_id);
    let acks = journal(&bench.end().await).await;
    assert_eq!(
        acks.iter()
            .filter(|r| r.event.kind.name() == "alarm.acked" && r.event.kind.fact().unwrap().alarm == *alarm)
            .count(),
        1
    );
}

#[tokio::test]
async fn an_acknowledgement_of_what_has_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let raised = bench.raised_by(60.0).await;
    let stale = ack_of(&raised, raised.event.seq - 1);
    let refused = bench.handle.command(stale, operator(), None).await;
    assert!(matches!(refused, Err(CommandError::Rejected(Rejected::Changed(_)))), "{refused:?}");
    bench.end().await;
}
