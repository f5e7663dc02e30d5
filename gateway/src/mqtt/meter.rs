//! The outbox's figures: read from the store when something changed, told to the core once a second.

use super::settings::Settings;
use crate::delivery::OutboxFigures;
use crate::snapshot::Snapshot;
use crate::store::outbox::{self as table, Standing};
use futures_util::future::BoxFuture;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) figures: OutboxFigures,
    /// With the picture it was read for: both tell of the same journal number.
    glance: Reading,
    /// The outbox's rows changed since.
    pub(super) changed: bool,
}

/// What a reading brings, with the picture it belongs to.
pub(super) type Reading = Option<(Arc<Snapshot>, Standing)>;

impl Meter {
    /// A reading, when there is something new to read; the alarm path never waits for it.
    pub(super) fn look(&mut self, shared: &Settings) -> Option<BoxFuture<'static, Reading>> {
        let snapshot = shared.core.snapshot();
        if let Some((picture, _)) = self.glance.as_mut().filter(|(picture, _)| picture.seq == snapshot.seq) {
            *picture = snapshot.clone();
            if !self.changed {
                return None;
            }
        }
        self.changed = false;
        self.figures.store_turns += 1;
        let (store, seq) = (shared.store.clone(), snapshot.seq);
        Some(Box::pin(async move {
            let standing = store.read(move |conn| table::standing(conn, seq)).await;
            standing.inspect_err(|error| tracing::warn!(%error, "figures of the outbox")).ok().map(|s| (snapshot, s))
        }))
    }

    pub(super) fn keep(&mut self, reading: Reading) {
        match reading {
            Some(glance) => self.glance = Some(glance),
            None => self.changed = true,
        }
    }

    pub(super) fn glance(&self) -> Option<(&Snapshot, &Standing)> {
        self.glance.as_ref().map(|(snapshot, standing)| (&**snapshot, standing))
    }

    /// Tells the core how the outbox stands.
    pub(super) fn tell(&mut self, shared: &Settings) {
        if let Some((_, standing)) = &self.glance {
            self.figures.depth = standing.depth;
            self.figures.oldest_age_ms = age_ms(shared, standing);
        }
        shared.core.outbox_figures(self.figures.clone());
    }
}

/// By the monotonic clock within one run; between runs only the labels can be compared.
fn age_ms(shared: &Settings, standing: &Standing) -> u64 {
    let Some(since) = &standing.oldest else { return 0 };
    let now = shared.clock.now();
    if since.boot_id == shared.core.snapshot().boot_id {
        return now.mono.0.saturating_sub(since.mono_ns) / 1_000_000;
    }
    u64::try_from(now.wall.utc_ms.saturating_sub(since.utc_ms)).unwrap_or(0)
}
