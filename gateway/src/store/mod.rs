//! Everything that must survive: the journal with its hash chain, alarm states, the outbox, people, and the samples.
//!
//! ```text
//!   records.db      one writer thread, WAL, synchronous=FULL: an event, the state it leads to and its outbox row are one transaction
//!   history/DAY.db  one writer thread, one compressed block per group commit; the oldest day goes first
//!   incidents/      raw exchanges around an incident, one file each; the oldest goes first
//! ```
//!
//! Owns files, schema, SQL and salvage. Leaves the decision what to write to `core`, and when a late disk is given up on, too.

mod block;
mod books;
mod chain;
mod claim;
mod commit;
mod detail;
mod end_mark;
mod follow;
mod history;
mod incidents;
mod inspect;
pub mod office;
mod open;
pub mod outbox;
mod past;
mod pulse;
mod runs;
mod schema;
mod space;
mod stillness;
#[cfg(test)]
mod tests;
mod transitions;
pub mod users;
mod web_side;
mod writer;

pub use books::{Books, KeptBook};
pub use chain::{ChainFault, GENESIS, seal, verify};
pub use claim::Claim;
pub use commit::{Commit, NewBoot};
pub use end_mark::{EndMark, UncleanEnd};
pub use follow::{StoredBatch, StoredSample};
pub use history::{HistoryCursor, HistoryFigures};
pub use incidents::{INCIDENT_DROPS, IncidentFigures, IncidentFiles, KeptIncident};
pub use inspect::{Chain, Fault, Journal, Received, Samples, audit, databases, received, samples};
pub use open::{OpenOptions, Workers};
pub use past::{Past, PastSample, Span};
pub use pulse::{Pulse, keep_pulse};
pub use space::Space;
pub use stillness::stillness;
pub use transitions::Transitions;

use devices::recorder::IncidentView;
use history::History;
use rules::{Clock, Restored, Sample};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait for the writer; a full queue makes the caller wait, and the core gives up after 500 ms.
const JOBS_MAX: usize = 256;

/// The journal and everything else but the samples.
pub const RECORDS_FILE: &str = "records.db";

/// Why the store did not do it, by what the caller does next.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Written by a newer version of this program: exit 3, nothing was touched.
    #[error("{0} was written by a newer version (schema {1}); install that version or another data folder")]
    NewerVersion(PathBuf, i64),
    /// Another process writes here: exit 4.
    #[error(
        "数据目录 {0} 正被进程 {1} 使用：先停止它，或为本程序另设 data_dir · {0} is in use by process {1}: stop it, or give this \
         one a data_dir of its own"
    )]
    InUse(PathBuf, String),
    /// The disk or the file; try again later.
    #[error("store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Folder or file cannot be made.
    #[error(
        "数据目录的 {0} 无法建立或打开：{1}；检查 data_dir 是否为目录、是否可写 · {0} cannot be made or opened: {1}; see that data_dir is a folder \
         that may be written"
    )]
    Io(PathBuf, std::io::Error),
    /// The writer has ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// True when the file itself is damaged, not the way to it.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Sqlite(error) if open::is_damage(error))
    }
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// What was found at start.
#[derive(Debug, Default)]
pub struct Found {
    pub restored: Restored,
    /// Hash of the last record, or 64 zeros.
    pub chain_head: String,
    pub next_delivery: u64,
    /// Wall time of the last record or pulse, whichever is later, for `down_for_ms`.
    pub last_utc_ms: Option<i64>,
    /// Of the configuration that was in force last.
    pub config_hash: Option<String>,
    /// Set when the records have nothing of this boot of the machine yet.
    pub new_boot: Option<NewBoot>,
    /// Set when a damaged file was set aside: what happened, for people.
    pub salvaged: Option<String>,
    /// Hidden dangers that are in the file and cannot be read, by their ids.
    pub unread_hazards: Vec<String>,
    /// Set when the run before this one did not end in order.
    pub unclean_end: Option<UncleanEnd>,
}

/// Where jobs of the records file are handed in.
#[derive(Debug)]
enum Desk {
    Thread(mpsc::Sender<Job>),
    Inline(Mutex<Connection>),
}

/// Handle to the writers; cheap to clone.
#[derive(Clone)]
pub struct Store {
    desk: Arc<Desk>,
    workers: Workers,
    /// Labels what is set aside.
    clock: Arc<dyn Clock>,
    reader: Arc<Mutex<Connection>>,
    history: Arc<History>,
    pulse: Arc<Pulse>,
    space: Arc<Space>,
    incidents: Arc<IncidentFiles>,
    path: Arc<PathBuf>,
    claim: Arc<Claim>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).field("claim", &self.claim).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens or makes the store in `dir`. A damaged records.db is set aside and salvaged; the start goes on.
    /// # Errors
    /// [`StoreError::NewerVersion`] or a folder that cannot be written.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<(Self, Found), StoreError> {
        let claim = Arc::new(Claim::take(dir)?);
        let path = dir.join(RECORDS_FILE);
        let (mut conn, salvaged) = open::records(&path, &options.now_label)?;
        let mut found = commit::load(&mut conn, &options.kernel_boot_id)?;
        found.salvaged = salvaged;
        let left = EndMark::of(dir).read();
        // a part that ended is a fault also where the rest was stopped in order
        found.unclean_end = found.unclean_end.map(|_| left.clone()).or(left.ended.is_some().then_some(left));
        let reader = open::reader(&path)?;
        let desk = match options.workers {
            Workers::Threads => {
                let (jobs, inbox) = mpsc::channel::<Job>(JOBS_MAX);
                spawn("store-records", move || write_records(conn, inbox))
                    .map_err(|e| StoreError::Io(path.clone(), e))?;
                Desk::Thread(jobs)
            }
            Workers::Inline => {
                conn.pragma_update(None, "synchronous", options.workers.synchronous())?;
                Desk::Inline(Mutex::new(conn))
            }
        };
        let history = Arc::new(History::open(dir.join("history"), &options)?);
        let (desk, reader) = (Arc::new(desk), Arc::new(Mutex::new(reader)));
        let OpenOptions { workers, clock, .. } = options;
        let (pulse, space, path) = (Arc::default(), Arc::default(), Arc::new(path));
        let incidents = Arc::new(IncidentFiles::in_folder(dir, workers == Workers::Threads));
        Ok((Self { desk, workers, clock, reader, history, pulse, space, incidents, path, claim }, found))
    }

    /// One transaction: events, states, outbox rows.
    /// # Errors
    /// SQLite's, or the writer has ended.
    pub async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.write(move |tx| commit::write(tx, &commit)).await
    }

    /// Runs `work` in a transaction of the writer; an error rolls it back.
    /// # Errors
    /// SQLite's, or the writer has ended.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            // Immediate: the command line writes beside us, and a transaction that reads first could then not go on to write.
            let result = conn.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|tx| {
                let value = work(&tx)?;
                tx.commit()?;
                Ok(value)
            });
            let _ = reply.send(result);
        });
        self.hand_in(job).await?;
        Ok(answer.await.map_err(|_| StoreError::Closed)??)
    }

    async fn hand_in(&self, job: Job) -> Result<(), StoreError> {
        match &*self.desk {
            Desk::Thread(jobs) => jobs.send(job).await.map_err(|_| StoreError::Closed),
            Desk::Inline(conn) => {
                run(job, &mut conn.lock().unwrap_or_else(PoisonError::into_inner));
                Ok(())
            }
        }
    }

    /// Reads on a connection of its own, off the runtime.
    /// # Errors
    /// SQLite's.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let reader = self.reader.clone();
        let job = move || work(&reader.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(self.apart(job).await??)
    }

    /// Runs what may take long off the runtime.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
        match self.workers {
            Workers::Threads => tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed),
            Workers::Inline => Ok(work()),
        }
    }

    /// Hands the samples of a scan to the history writer; never blocks. What it cannot take is dropped and counted.
    pub fn append_samples(&self, samples: &[Sample], answered: bool) {
        self.history.append(samples, answered);
    }

    /// Samples after a position, oldest first; `None` when there is nothing new or the day cannot be read.
    pub async fn samples_after(&self, cursor: HistoryCursor, blocks_max: u32) -> Option<StoredBatch> {
        let history = self.history.clone();
        self.apart(move || history.after(&cursor, blocks_max)).await.ok()?
    }

    /// Whether the records file still takes writes.
    #[must_use]
    pub fn pulse(&self) -> Arc<Pulse> {
        self.pulse.clone()
    }

    /// Where the watchdog notes why it is not fed.
    #[must_use]
    pub fn end_mark(&self) -> EndMark {
        EndMark::of(self.path.parent().unwrap_or(Path::new(".")))
    }

    /// Measures the room on the disk; not in a simulation, whose course must not depend on the machine.
    async fn look_for_room(&self) {
        if self.workers == Workers::Threads {
            let (space, folder) = (self.space.clone(), self.path.parent().unwrap_or(Path::new(".")).to_owned());
            let _ = self.apart(move || space.look(&folder)).await;
        }
    }

    /// Room on the disk.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The book that was in force last under this hash; none where it is not on file, cannot be read, or is the present one.
    pub async fn last_book(&self, hash: String, present: KeptBook) -> Option<rules::RuleBook> {
        self.read(move |conn| books::last(conn, &hash, &present)).await.ok().flatten()
    }

    /// What is kept around incidents.
    #[must_use]
    pub fn incidents(&self) -> Arc<IncidentFiles> {
        self.incidents.clone()
    }

    /// [`IncidentFiles::find`], off the runtime.
    pub async fn find_incidents(&self, label: String) -> Vec<String> {
        let files = self.incidents.clone();
        self.apart(move || files.find(&label)).await.unwrap_or_default()
    }

    /// [`IncidentFiles::keep`], off the runtime.
    /// # Errors
    /// The disk's.
    pub async fn keep_incident(&self, bus: String, view: IncidentView, again: Option<u64>) -> Result<u64, StoreError> {
        let (files, dir) = (self.incidents.clone(), self.path.clone());
        let kept = self.apart(move || files.keep(&bus, &view, again)).await?;
        kept.map_err(|error| StoreError::Io(dir.with_file_name("incidents"), error))
    }

    /// Counters of the history.
    #[must_use]
    pub fn history_figures(&self) -> HistoryFigures {
        self.history.figures()
    }

    /// Ends the history writer after a last block; records are durable anyway.
    pub async fn close(&self) {
        let history = self.history.clone();
        let _ = self.apart(move || history.close()).await;
    }

    /// The last thing of a run: records.db alone then holds every record. They are durable without it.
    pub async fn settle(&self) {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            open::settle(conn);
            let _ = reply.send(());
        });
        if self.hand_in(job).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// The records file.
    #[must_use]
    pub fn records_path(&self) -> &Path {
        &self.path
    }
}

/// `records.db` of a data folder for the command line: the gateway may be running or may never have run.
/// # Errors
/// [`StoreError::NewerVersion`], or a folder or file that cannot be used.
pub fn open_beside(dir: &Path) -> Result<Connection, StoreError> {
    open::beside(&dir.join(RECORDS_FILE), schema::prepare)
}

fn write_records(mut conn: Connection, mut inbox: mpsc::Receiver<Job>) {
    while let Some(job) = inbox.blocking_recv() {
        run(job, &mut conn);
    }
}

/// One bad job must not end the journal for everybody; its transaction rolls back while it unwinds.
fn run(job: Job, conn: &mut Connection) {
    if catch_unwind(AssertUnwindSafe(|| job(conn))).is_err() {
        tracing::error!("a write to the store panicked and was rolled back");
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(work)
}
