//! What the page reads of the past: the journal and the curves. The site's store is one; tests have their own.

use super::problem::Problem;
use crate::record::Record;
use futures_util::future::BoxFuture;

/// One column of a curve; a gap has no value and quality 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    pub t_ms: i64,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub last: Option<f64>,
    pub quality: u8,
}

/// Reads of the past, off the runtime.
pub trait Archive: Send + Sync {
    /// Records after a number, or the newest ones; oldest first.
    fn records(&self, after_seq: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, Problem>>;
    /// A point's curve in at most `width` columns.
    fn history(&self, point: &str, from_ms: i64, to_ms: i64, width: u32)
    -> BoxFuture<'_, Result<Vec<Bucket>, Problem>>;
}
