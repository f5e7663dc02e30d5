//! The row about time: the wall clock stepped by hours, forwards and back.

use super::*;
use std::sync::atomic::{AtomicI64, Ordering};

/// A wall clock that somebody sets while the machine's own time goes on.
struct Stepped(Instant, AtomicI64);

impl Clock for Stepped {
    fn now(&self) -> Now {
        let mono = Mono(u64::try_from(self.0.elapsed().as_nanos()).unwrap());
        Now { mono, wall: Wall { utc_ms: self.1.load(Ordering::Relaxed), ..Wall::default() } }
    }
}

#[tokio::test]
async fn a_clock_stepped_by_hours_changes_no_period_and_makes_no_burst_on_every_wire() {
    on_every_wire(stepped).await;
}

async fn stepped(on: On) {
    let clock = Arc::new(Stepped(Instant::now(), AtomicI64::new(0)));
    let mut rig = start_with(peer(on, move |asked, _| right(on, asked)).await, &[1], ONE, clock.clone());
    rig.scan().await;
    let first = rig.scan().await.at.mono;
    let mut scans = 0;
    for hours in [3, -5, 0, 1_000_000, -1_000_000, 7] {
        clock.1.store(hours * 3_600_000, Ordering::Relaxed);
        for _ in 0..3 {
            let scan = rig.scan().await;
            assert_eq!(values(&scan), [1007.0]);
            scans += 1;
            // A busy machine may be late with a cycle, and the next one is then sooner; but never one more than there are periods.
            let periods = scan.at.mono.since(first).as_secs_f64() / PERIOD.as_secs_f64();
            assert!(f64::from(scans) <= periods + 1.5, "{on:?}: {scans} cycles in {periods} periods, {hours} h");
        }
    }
    assert_eq!(rig.status.snapshot().link.timeouts, 0, "{on:?}");
}
