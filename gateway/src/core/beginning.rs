//! What a start says before anything that follows from it: how the store was found, who wanted it, and how the run before it ended.
//!
//! Owns the order of these words in the journal. Leaves what a new configuration changes to [`super::change`].

use super::task::Core;
use crate::reload::Asker;
use crate::store::{Found, KeptBook, UncleanEnd};
use crate::text::parts;
use rules::hazard::Decision;
use rules::{EventKind, Now, RuleBook, SystemCondition};
use std::time::Duration;

/// An end that was not in order is an alarm for so long after the start: the pages are back by then, and a gateway that ends again
/// and again is never quiet in between.
const UNCLEAN_END_SAID: Duration = Duration::from_secs(600);

/// What a start has to say: how the store was found, and who wanted it.
pub(super) struct Beginning {
    pub(super) found: Found,
    pub(super) asker: Asker,
}

/// The configuration of the last run, where it was another one.
fn another<'a>(found: &'a Found, present: &str) -> Option<&'a String> {
    found.config_hash.as_ref().filter(|old| *old != present)
}

impl Core {
    /// In one transaction, so that a start that ends here leaves the file as it found it, or says all that it brings about.
    pub(super) async fn announce_start(&mut self, Beginning { found, asker }: &Beginning) {
        let present = KeptBook::of(self.engine.book(), &self.site.config_hash);
        let last_book = match &found.config_hash {
            Some(last_hash) => self.store.last_book(last_hash.clone(), present.clone()).await,
            None => None,
        };
        self.ledger.put_on_file(present);
        self.ledger.begin_boot(found.new_boot.clone());
        let (now, mut events) = (self.clock.now(), Vec::new());
        let down_for_ms = found.last_utc_ms.map(|last| u64::try_from(now.wall.utc_ms - last).unwrap_or(0));
        let mut said = vec![EventKind::Started {
            boot_id: self.ledger.boot_id().to_owned(),
            version: env!("CARGO_PKG_VERSION").into(),
            config_hash: self.site.config_hash.clone(),
            down_for_ms,
        }];
        said.extend(self.of_configuration(found, last_book.as_ref(), asker, now));
        // In this order: whoever reads in the journal what a start brings about must know by then that it is one, and with which rules.
        self.engine.begin(said, now, &mut events);
        self.keep(events).await;
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
    fn of_configuration(&self, found: &Found, last: Option<&RuleBook>, asker: &Asker, now: Now) -> Vec<EventKind> {
        let mut said = Vec::new();
        if let Some(old_hash) = another(found, &self.site.config_hash).cloned() {
            let (by, asked) = (asker.word().to_owned(), asker.decision(now));
            let new_hash = self.site.config_hash.clone();
            said.extend([EventKind::ConfigChanged { old_hash, new_hash, by, asked }, self.differences(last)]);
        } else {
            // Secrets and profiles are no part of the hash, and what a person decided is in the journal all the same.
            let reloaded = |decision: Decision| EventKind::Operator {
                user: decision.by,
                action: "config_reloaded".into(),
                detail: decision.reason,
            };
            said.extend(asker.decision(now).map(reloaded));
            // The entry of the start puts the other book in force: nothing more is needed to replay it.
            said.extend(last.and_then(|last| self.differences_of_program(last)));
        }
        if let Asker::Fallback { wanted_by, error } = asker {
            let (text_zh, text_en) = parts::fallback(wanted_by, error);
            said.push(EventKind::Notice { code: "config_fallback".into(), text_zh, text_en });
        }
        said
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
