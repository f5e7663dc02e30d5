//! A database that goes away as planned, and now and then stores a batch without saying so.

use crate::plan::{Plan, Window};
use bytes::Bytes;
use gateway::influx::writer::{Answer, Sink};
use sim::Prng;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) struct Database {
    begun: Instant,
    down: Vec<Window>,
    draw: Mutex<Prng>,
    pub(crate) stored: Mutex<Stored>,
}

/// What it holds: a line sent again is the same line.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) lines: BTreeSet<String>,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
}

impl Database {
    pub(crate) fn new(plan: &Plan, begun: Instant) -> Self {
        let draw = Mutex::new(Prng::new(plan.seed ^ 0xDA7A));
        Self { begun, down: plan.database_down.clone(), draw, stored: Mutex::default() }
    }

    fn is_down(&self) -> bool {
        self.down.iter().any(|w| w.has(self.begun.elapsed()))
    }
}

impl Sink for Database {
    async fn write(&self, body: Bytes) -> Answer {
        tokio::time::sleep(Duration::from_millis(15)).await;
        let mut stored = self.stored.lock().unwrap();
        stored.requests += 1;
        if self.is_down() {
            stored.failures += 1;
            return Answer::TryLater("connection refused".into());
        }
        let text = std::str::from_utf8(&body).expect("line protocol is text");
        stored.lines.extend(text.lines().map(str::to_owned));
        if self.draw.lock().unwrap().unit() < 0.01 {
            stored.failures += 1;
            return Answer::TryLater("the answer was lost".into());
        }
        Answer::Stored
    }
}
