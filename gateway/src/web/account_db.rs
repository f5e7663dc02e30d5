//! Where users and sessions are kept: the site's store, or a small database of one's own (office, tests).

use crate::lock::lock;
use futures_util::future::BoxFuture;
use rusqlite::{Connection, TransactionBehavior};
use std::sync::{Arc, Mutex};
use thiserror::Error;
use tokio::sync::oneshot;

/// Work on the account tables; an error rolls its transaction back.
pub type DbJob = Box<dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send>;

/// Two that are the same: nobody has written between. Length and time of the file that every commit goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitMark(pub u64, pub std::time::SystemTime);

/// A database that runs one job at a time off the runtime; `false` when it could not.
pub trait AccountDb: Send + Sync {
    fn run(&self, job: DbJob) -> BoxFuture<'_, bool>;
    /// How far its commits have come, whoever made them; none when that cannot be told without asking it.
    fn mark(&self) -> Option<CommitMark> {
        None
    }
}

/// The accounts cannot be read or written now; open sessions go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the account tables cannot be reached")]
pub struct Unavailable;

/// Runs `work` and brings its result back.
pub(super) async fn with<T: Send + 'static>(
    db: &dyn AccountDb,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, Unavailable> {
    let (reply, answer) = oneshot::channel();
    let job: DbJob = Box::new(move |conn| {
        let _ = reply.send(work(conn)?);
        Ok(())
    });
    if db.run(job).await { answer.await.map_err(|_| Unavailable) } else { Err(Unavailable) }
}

/// A connection of one's own; its tables are made when missing.
#[derive(Clone)]
pub struct OwnDb(Arc<Mutex<Connection>>);

impl OwnDb {
    /// # Errors
    /// SQLite's, when the tables cannot be made.
    pub fn new(conn: Connection) -> rusqlite::Result<Self> {
        conn.execute_batch(crate::store::users::SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(conn))))
    }
}

impl AccountDb for OwnDb {
    fn run(&self, job: DbJob) -> BoxFuture<'_, bool> {
        let shared = self.0.clone();
        Box::pin(async move {
            let work = move || {
                let mut conn = lock(&shared);
                // Immediate: a transaction that reads first could otherwise fail against the command line.
                let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
                job(&tx)?;
                tx.commit()
            };
            match tokio::task::spawn_blocking(work).await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    tracing::error!(%error, "account tables");
                    false
                }
                Err(_) => false,
            }
        })
    }
}
