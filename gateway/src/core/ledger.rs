//! Durable before visible, with the one exception: a disk that has not answered within 500 ms lets the alarm out all the same.
//!
//! ```text
//!   Prompt ──commit late or failed──► Late: events go out at once, marked; commits wait in order
//!      ▲                                 │ the disk takes the oldest, then the next …
//!      └────────── all written ──────────┘
//! ```

use crate::mqtt::payload;
use crate::record::Record;
use crate::store::{Commit, KeptBook, NewBoot, Store, StoreError, seal};
use rules::{Engine, Event, EventKind};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// reliability.md §1.2.
const COMMIT_LIMIT: Duration = Duration::from_millis(500);
/// Commits kept in memory while the disk does not answer; reliability.md F04 asks for 10,000 events.
const LATE_MAX: usize = 10_000;

/// The number in `HD-<n>`.
fn number_of(hazard: &str) -> u64 {
    hazard.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn puts_rules_in_force(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Started { .. } | EventKind::ConfigChanged { .. })
}

/// Numbers, chains and commits events.
#[derive(Debug)]
pub(super) struct Ledger {
    store: Store,
    site: String,
    boot_id: String,
    head: String,
    next_delivery: u64,
    next_hazard: u64,
    /// Commits the disk has not confirmed, oldest first; the first one is under way.
    late: VecDeque<Commit>,
    under_way: Option<JoinHandle<Result<(), StoreError>>>,
    /// Goes with the commit of the event that puts it in force.
    book: Option<KeptBook>,
    /// Goes with the start.
    boot: Option<NewBoot>,
    /// Commits given up because the ring was full.
    pub(super) given_up: u64,
    /// How long the last prompt commit took.
    pub(super) last_commit: Duration,
}

impl Ledger {
    pub(super) fn new(
        store: Store,
        site: String,
        boot_id: String,
        head: String,
        next_delivery: u64,
        next_hazard: u64,
    ) -> Self {
        let late = VecDeque::new();
        Self {
            store,
            site,
            boot_id,
            head,
            next_delivery,
            next_hazard,
            late,
            under_way: None,
            book: None,
            boot: None,
            given_up: 0,
            last_commit: Duration::ZERO,
        }
    }

    /// Makes records of events and commits them; what comes back may be shown.
    pub(super) async fn keep(&mut self, events: Vec<Event>, engine: &Engine) -> Vec<Arc<Record>> {
        self.keep_without(Vec::new(), events, engine).await
    }

    /// As [`Ledger::keep`]; the rows of alarms that are `gone` go in the same transaction.
    pub(super) async fn keep_without(
        &mut self,
        gone: Vec<String>,
        events: Vec<Event>,
        engine: &Engine,
    ) -> Vec<Arc<Record>> {
        let mut commit = self.commit_of(events, engine);
        commit.gone.extend(gone);
        let mut records = commit.records.clone();
        let durable = if self.late.is_empty() { self.write(commit).await } else { self.queue(commit) };
        if !durable {
            for record in &mut records {
                record.durable = false;
            }
        }
        records.into_iter().map(Arc::new).collect()
    }

    /// The next events put this book in force: it goes on file with them.
    pub(super) fn put_on_file(&mut self, book: KeptBook) {
        self.book = Some(book);
    }

    /// The first entry of this boot of the machine says so, with all rows told on its clock.
    pub(super) fn begin_boot(&mut self, boot: Option<NewBoot>) {
        self.boot = boot;
    }

    fn commit_of(&mut self, events: Vec<Event>, engine: &Engine) -> Commit {
        let mut commit = Commit::default();
        for event in events {
            self.note_state(&event, engine, &mut commit);
            if event.kind.fact().is_none() {
                commit.priorities.insert(event.seq, payload::priority(&event.kind, engine.book().risks()));
            }
            commit.records.push(self.record(event));
        }
        commit.next_hazard = self.next_hazard;
        if commit.records.iter().any(|record| puts_rules_in_force(&record.event.kind)) {
            commit.book = self.book.take();
        }
        if commit.records.iter().any(|record| matches!(record.event.kind, EventKind::Started { .. })) {
            commit.boot = self.boot.take();
        }
        commit
    }

    fn note_state(&mut self, event: &Event, engine: &Engine, commit: &mut Commit) {
        if let EventKind::HazardOpened { hazard } | EventKind::HazardStage { hazard } = &event.kind {
            self.next_hazard = self.next_hazard.max(number_of(&hazard.id) + 1);
        }
        let kept = engine.kept(event);
        commit.all |= kept.all;
        for row in kept.alarms {
            commit.alarms.retain(|a| a.key != row.key);
            commit.alarms.push(row);
        }
        for hazard in kept.hazards {
            commit.hazards.retain(|h| h.id != hazard.id);
            commit.hazards.push(hazard);
        }
        commit.gone.extend(kept.gone);
        for row in kept.modes {
            commit.modes.retain(|m| m.unit != row.unit);
            commit.modes.push(row);
        }
    }

    fn record(&mut self, event: Event) -> Record {
        let delivery_seq = event.kind.goes_to_office().then(|| {
            self.next_delivery += 1;
            self.next_delivery - 1
        });
        let mut record = Record {
            event_id: format!("{}-{}", self.site, event.seq),
            boot_id: self.boot_id.clone(),
            delivery_seq,
            durable: true,
            prev_hash: String::new(),
            hash: String::new(),
            event,
        };
        seal(&mut record, &self.head);
        record.hash.clone_into(&mut self.head);
        record
    }

    /// True when the disk confirmed within the limit.
    async fn write(&mut self, commit: Commit) -> bool {
        let begin = tokio::time::Instant::now();
        let mut under_way = self.begin(&commit);
        match tokio::time::timeout(COMMIT_LIMIT, &mut under_way).await {
            Ok(Ok(Ok(()))) => {
                self.last_commit = begin.elapsed();
                true
            }
            Ok(failed) => {
                tracing::error!(?failed, "commit failed; the events go out and are kept in memory");
                self.late.push_back(commit);
                false
            }
            Err(_) => {
                tracing::error!("commit takes longer than 500 ms; the events go out and are kept in memory");
                self.late.push_back(commit);
                self.under_way = Some(under_way);
                false
            }
        }
    }

    fn begin(&self, commit: &Commit) -> JoinHandle<Result<(), StoreError>> {
        let (store, commit) = (self.store.clone(), commit.clone());
        tokio::spawn(async move { store.commit(commit).await })
    }

    fn queue(&mut self, commit: Commit) -> bool {
        if self.late.len() >= LATE_MAX {
            self.given_up += 1;
        } else {
            self.late.push_back(commit);
        }
        false
    }

    /// Called once a second: brings late commits to the disk, in order.
    pub(super) async fn catch_up(&mut self) {
        while let Some(commit) = self.late.front() {
            let Some(under_way) = &mut self.under_way else {
                self.under_way = Some(self.begin(commit));
                continue;
            };
            // A glance, not a wait: the next turn looks again.
            match tokio::time::timeout(Duration::from_millis(20), under_way).await {
                Ok(Ok(Ok(()))) => {
                    self.late.pop_front();
                    self.under_way = None;
                }
                Ok(_) => {
                    self.under_way = None;
                    return;
                }
                Err(_) => return,
            }
        }
    }

    /// True while commits wait.
    pub(super) fn is_late(&self) -> bool {
        !self.late.is_empty()
    }

    pub(super) fn boot_id(&self) -> &str {
        &self.boot_id
    }
}
