//! Other rules while the site runs: the engine switches, the journal says who put what in the place of what, everybody sees it. After a
//! start with another configuration the journal says what differs from the last run.
//!
//! Reading and checking are over when this begins; the points and instruments are the same, so that the buses go on undisturbed.

use super::task::Core;
use crate::config::Site;
use crate::reload::Asker;
use crate::snapshot::{Points, SiteView};
use crate::store::KeptBook;
use crate::text::changes;
use rules::engine::ConfigChange;
use rules::{EventKind, RuleBook};
use std::sync::Arc;

/// A checked configuration with the wiring of the running one.
#[derive(Debug)]
pub struct NewRules {
    pub book: RuleBook,
    pub site: Arc<SiteView>,
    pub asker: Asker,
    /// The book as it goes on file.
    pub kept: KeptBook,
}

impl NewRules {
    /// Of a checked configuration; a large one takes a moment, so not on the core's thread.
    #[must_use]
    pub fn of(site: &Site, asker: Asker) -> Self {
        let kept = KeptBook::of(&site.book, &site.view.config_hash);
        Self { book: site.book.clone(), site: site.view.clone(), asker, kept }
    }
}

impl Core {
    /// Durable before visible, as any other turn.
    pub(super) async fn change(&mut self, new: NewRules) {
        let NewRules { book, site, asker, kept } = new;
        let now = self.clock.now();
        let change = ConfigChange {
            by: asker.word().to_owned(),
            asked: asker.decision(now),
            old_hash: self.site.config_hash.clone(),
            new_hash: site.config_hash.clone(),
        };
        let differences = changes::between(self.engine.book(), &book, &self.site, &site);
        let mut events = Vec::new();
        let gone = self.engine.change_config(book, &change, now, &mut events);
        self.nearness.follow(self.engine.book());
        self.derived.follow_ages(self.engine.book());
        self.ledger.put_on_file(kept);
        let records = self.ledger.keep_without(gone, events, &self.engine).await;
        (self.site, self.site_since_seq) = (site, self.engine.next_seq() - 1);
        self.tell(&records);
        if let Some((text_zh, text_en)) = changes::sentence(&differences) {
            self.note(EventKind::Notice { code: "config_differences".into(), text_zh, text_en }).await;
        }
    }

    /// At a start: what an edit while nobody watched has changed, against the book of the last run.
    pub(super) fn differences(&self, last: Option<&RuleBook>) -> EventKind {
        differ(match last.map(|last| changes::sentence(&self.between(last))) {
            Some(Some(differences)) => differences,
            Some(None) => changes::none(),
            None => changes::unknown(),
        })
    }

    /// At a start with the configuration of the last run: what another program makes of it, if it is anything else.
    pub(super) fn differences_of_program(&self, last: &RuleBook) -> Option<EventKind> {
        changes::of_the_program(&self.between(last)).map(differ)
    }

    fn between(&self, last: &RuleBook) -> Vec<changes::Difference> {
        // what is gone has its name in the book of before only
        let was = SiteView { points: Points::of(last.clone()), ..(*self.site).clone() };
        changes::between(last, self.engine.book(), &was, &self.site)
    }
}

fn differ((text_zh, text_en): (String, String)) -> EventKind {
    EventKind::Notice { code: "config_differences".into(), text_zh, text_en }
}
