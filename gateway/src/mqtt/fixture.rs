//! One site, its records, and a core that only listens: for the tests of what stands around the core.

use crate::core::{CoreHandle, CoreRequest};
use crate::delivery::{Delivery, OutboxFigures};
use crate::record::Record;
use crate::snapshot::{AlarmView, SiteView, Snapshot, StorageView, fixture};
use rules::risk::{Risk, RiskLevel};
use rules::{AlarmFact, Event, EventKind, Finite, Mono, Now, Reading, Wall};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};

pub(crate) fn site() -> SiteView {
    SiteView {
        site: "demo-chemical".into(),
        name: "示范化工".into(),
        name_en: "Demo Chemical".into(),
        config_hash: "cfg".into(),
        points: fixture::points([fixture::gas("GT-102", ("液氨泵房", "Ammonia pump room"), "%LEL", 50.0)]),
        risks: vec![Risk {
            key: "RA-01".into(),
            name: "液氨储罐泄漏".into(),
            name_en: "Ammonia tank leak".into(),
            area: "a".into(),
            level: RiskLevel::Major,
            accident_type: "poisoning".into(),
            leader_role: "主要负责人".into(),
            leader_role_en: String::new(),
            source: Some("A1".into()),
        }],
        measures: Vec::new(),
        sources: Vec::new(),
        areas: Vec::new(),
        plan: (100.0, 100.0),
        demo: false,
        names: crate::snapshot::Names::default(),
        calls: crate::calls::CallList::default(),
    }
}

pub(crate) fn raised(seq: u64, priority: u8) -> Record {
    let fact = AlarmFact {
        alarm: "GT-102:HH".into(),
        occurrence: seq,
        point: "GT-102".into(),
        condition: "HH".into(),
        priority,
        reading: Finite::new(52.3).map(Reading::Good),
        limit: Some(50.0),
        unit: "%LEL".into(),
        risk: Some("RA-01".into()),
        ..AlarmFact::default()
    };
    let at = Now { mono: Mono(seq), wall: Wall::synced(1_767_323_045_006) };
    Record {
        event_id: format!("demo-chemical-{seq}"),
        boot_id: "boot-1".into(),
        delivery_seq: Some(seq),
        durable: true,
        prev_hash: "00".into(),
        hash: "aa".into(),
        event: Event { seq, at, kind: EventKind::Raised { fact, assumed: false, late_by_ms: 0 } },
    }
}

pub(crate) fn picture(alarms: Vec<AlarmView>) -> Snapshot {
    Snapshot {
        boot_id: "boot-1".into(),
        seq: 0,
        utc_ms: 0,
        clock: "synced".into(),
        clock_max_error_ms: Some(12),
        version: "0",
        site_since_seq: 0,
        site: Arc::new(site()),
        values: Vec::new(),
        unjudged: Arc::default(),
        alarms: Arc::new(alarms),
        shelves: Arc::default(),
        bypasses: Arc::default(),
        groups: Arc::default(),
        hazards: Arc::default(),
        buses: Arc::default(),
        outbox: OutboxFigures::default(),
        storage: StorageView::default(),
        office_silent: false,
        annunciation: rules::annunciator::Annunciation::default(),
        annunciator: None,
    }
}

/// What it is asked, and where its picture comes from; without that one nobody could wait for another picture.
pub(crate) fn listening_core(queue: usize) -> (CoreHandle, mpsc::Receiver<CoreRequest>, watch::Sender<Arc<Snapshot>>) {
    let (requests, inbox) = mpsc::channel(queue);
    let (pictures, snapshots) = watch::channel(Arc::new(picture(Vec::new())));
    let core = CoreHandle { requests, snapshots, records: broadcast::channel(16).0, looked: Arc::default() };
    (core, inbox, pictures)
}

pub(crate) fn alarm(number: u64) -> AlarmView {
    AlarmView {
        id: format!("GT-{number}:HH"),
        point: format!("GT-{number}"),
        plant_unit: None,
        name: "液氨泵房".into(),
        name_en: "Ammonia pump room".into(),
        area: "a".into(),
        condition: "HH".into(),
        priority: 1,
        state: "unacked".into(),
        held: false,
        suppressed: false,
        superseded: false,
        sounds: true,
        latched: false,
        chatter: false,
        escalated: 0,
        call: Vec::new(),
        first_out: None,
        first_out_tie: false,
        cause: String::new(),
        consequence: String::new(),
        assumed: false,
        occurrence: 1,
        seq: number,
        event_id: format!("demo-chemical-{number}"),
        raised_utc_ms: 0,
        returned_utc_ms: None,
        acked_utc_ms: None,
        acked_by: None,
        value: Some(52.3),
        limit: Some(50.0),
        unit: "%LEL".into(),
        point_kind: None,
        decimals: None,
        risk: None,
        hazard: None,
        action: String::new(),
        action_en: String::new(),
        delivery: Delivery::Stored,
        office_by: None,
        office_note: None,
        drill: false,
        durable: true,
        text_zh: String::new(),
        text_en: String::new(),
    }
}
