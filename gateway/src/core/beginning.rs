//! What a start says before anything that follows from it: how the store was found, who wanted it, and how the run before it ended.
//!
//! Owns the order of these words in the journal. Leaves what a new configuration changes to [`super::change`].

use super::task::Core;
use crate::reload::Asker;
use crate::store::{Found, KeptBook, UncleanEnd};
use crate::text::parts;
use rules::{EventKind, Now, SystemCondition};
use std::time::Duration;

/// An end that was not in order is an alarm for so long after the start: the pages are back by then, and a gateway that ends again
/// and again is never quiet in between.
const UNCLEAN_END_SAID: Duration = Duration::from_secs(600);

/// What a start has to say: how the store was found, and who wanted it.
pub(super) struct Beginning {
    pub(super) found: Found,
    pub(super) asker: Asker,
}

impl Core {
    pub(super) async fn announce_start(&mut self, Beginning { found, asker }: &Beginning) {
        let now = self.clock.now();
        self.ledger.put_on_file(KeptBook::of(self.engine.book(), &self.site.config_hash));
        self.ledger.begin_boot(found.new_boot.clone());
        let down_for_ms = found.last_utc_ms.map(|last| u64::try_from(now.wall.utc_ms - last).unwrap_or(0));
        self.note(EventKind::Started {
            boot_id: self.ledger.boot_id().to_owned(),
            version: env!("CARGO_PKG_VERSION").into(),
            config_hash: self.site.config_hash.clone(),
            down_for_ms,
        })
        .await;
        self.announce_configuration(found, asker, now).await;
        // Not before: a turn of the engine says what a start brings about, and whoever reads the journal must know by then that it is one.
        if self.annunciator.is_none() {
            // one that was taken out of the configuration cannot come back
            self.system(SystemCondition::AnnunciatorFailed, false).await;
        }
        self.announce_damage(found).await;
        self.announce_last_end(found.unclean_end.as_ref()).await;
        // No part of this run has stalled yet.
        self.system(SystemCondition::PartStalled, false).await;
    }

    /// Which configuration, if it is another than that of the last run, or who wanted the same one read again.
    async fn announce_configuration(&mut self, found: &Found, asker: &Asker, now: Now) {
        let new_hash = self.site.config_hash.clone();
        if let Some(old_hash) = found.config_hash.clone().filter(|old| *old != new_hash) {
            let (by, asked) = (asker.word().to_owned(), asker.decision(now));
            let last = self.store.last_book(old_hash.clone()).await;
            self.note(EventKind::ConfigChanged { old_hash, new_hash, by, asked }).await;
            self.say_differences(last.as_ref()).await;
        } else if let Some(decision) = asker.decision(now) {
            // Secrets and profiles are no part of the hash, and what a person decided is in the journal all the same.
            let (user, detail) = (decision.by, decision.reason);
            self.note(EventKind::Operator { user, action: "config_reloaded".into(), detail }).await;
        }
        if let Asker::Fallback { wanted_by, error } = asker {
            let (text_zh, text_en) = parts::fallback(wanted_by, error);
            self.note(EventKind::Notice { code: "config_fallback".into(), text_zh, text_en }).await;
        }
    }

    /// What of the store could not be read.
    async fn announce_damage(&mut self, found: &Found) {
        if let Some(what) = &found.salvaged {
            self.note(EventKind::Notice {
                code: "records_salvaged".into(),
                text_zh: format!("记录文件损坏，已另存并抢救：{what}"),
                text_en: format!("A damaged records file was set aside: {what}"),
            })
            .await;
        }
        if !found.unread_hazards.is_empty() {
            let (text_zh, text_en) = parts::unread_hazards(&found.unread_hazards);
            self.note(EventKind::Notice { code: "hazards_unreadable".into(), text_zh, text_en }).await;
        }
        let damaged = found.salvaged.is_some() || !found.unread_hazards.is_empty();
        self.system(SystemCondition::RecordsSalvaged, damaged).await;
    }

    /// The end before it may still stand, and an acknowledgement of that one does not cover this one: it is another occurrence.
    async fn announce_last_end(&mut self, end: Option<&UncleanEnd>) {
        self.system(SystemCondition::UncleanEnd, false).await;
        let Some(end) = end else { return self.store.end_mark().clear() };
        let (text_zh, text_en) = parts::unclean_end(end);
        self.note(EventKind::Notice { code: "unclean_end".into(), text_zh, text_en }).await;
        self.store.end_mark().clear(); // not before it is in the journal
        self.unclean_until = Some(self.clock.now().mono.plus(UNCLEAN_END_SAID));
        self.system(SystemCondition::UncleanEnd, true).await;
    }
}
