//! The annunciator as outsiders see it: page, `status`, `/metrics`.

use crate::config::AnnunciatorSettings;
use crate::text::annunciator_fault_words;
use devices::annunciator::RelayFigures;
use rules::Now;
use rules::annunciator::{Annunciation, AnnunciatorFault, Control, Outputs, TestReport};
use schemars::JsonSchema;
use serde::Serialize;

/// What it does, what is wrong with it, how its last self-test ended.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct AnnunciatorView {
    /// Key of its link.
    pub link: String,
    /// `starting`, `quiet`, `sounding`, `silenced`, `testing`.
    pub state: &'static str,
    /// The beacon is lit.
    pub beacon: bool,
    /// Why it cannot be relied on: `no_link`, `no_answer`, `refused`, `damaged`, `differs`, `feedback_missing`, `feedback_stuck`.
    pub fault: Option<&'static str>,
    pub fault_zh: Option<&'static str>,
    pub fault_en: Option<&'static str>,
    /// Least urgent priority that sounds.
    pub sounds_to: u8,
    /// Site time of the daily self-test.
    pub self_test_at: String,
    /// The last one of this run of the gateway.
    pub last_test: Option<SelfTestView>,
    pub tests_passed: u64,
    pub tests_failed: u64,
    /// Coils written and confirmed.
    pub writes: u64,
    /// Turns that ended with a fault.
    pub failures: u64,
    /// Times the link was opened.
    pub connects: u64,
}

/// How a self-test ended.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct SelfTestView {
    pub ended_utc_ms: i64,
    pub passed: bool,
    pub fault_zh: Option<&'static str>,
    pub fault_en: Option<&'static str>,
    /// A real alarm sounded meanwhile and was heard.
    pub by_alarm: bool,
    /// None for the daily one.
    pub asked_by: Option<String>,
}

impl AnnunciatorView {
    /// Before its first turn.
    #[must_use]
    pub fn starting(settings: &AnnunciatorSettings) -> Self {
        Self {
            link: settings.relay.link.clone(),
            state: "starting",
            beacon: false,
            fault: None,
            fault_zh: None,
            fault_en: None,
            sounds_to: settings.scheme.sounds_to,
            self_test_at: settings.scheme.test_at.to_string(),
            last_test: None,
            tests_passed: 0,
            tests_failed: 0,
            writes: 0,
            failures: 0,
            connects: 0,
        }
    }

    /// A turn is over.
    pub(super) fn follow(&mut self, control: &Control, heard: &Annunciation, driven: Outputs, figures: RelayFigures) {
        self.state = match () {
            () if control.is_testing() => "testing",
            () if driven.sounder.is_some() => "sounding",
            () if heard.sound.is_some_and(|s| s.priority() <= self.sounds_to) => "silenced",
            () => "quiet",
        };
        self.beacon = driven.beacon;
        let fault = control.failed();
        self.fault = fault.map(AnnunciatorFault::word);
        (self.fault_zh, self.fault_en) = words(fault);
        (self.writes, self.failures, self.connects) = (figures.writes, figures.failures, figures.connects);
    }

    /// A self-test is over.
    pub(super) fn tested(&mut self, report: &TestReport, now: Now) {
        let (fault_zh, fault_en) = words(report.fault);
        let passed = report.fault.is_none();
        *(if passed { &mut self.tests_passed } else { &mut self.tests_failed }) += 1;
        self.last_test = Some(SelfTestView {
            ended_utc_ms: now.wall.utc_ms,
            passed,
            fault_zh,
            fault_en,
            by_alarm: report.by_alarm,
            asked_by: report.asked_by.clone(),
        });
    }

    /// What a person looks at, without the figures that move with every turn.
    pub(crate) fn looks_as(&self, other: &Self) -> bool {
        (self.state, self.beacon, self.fault, &self.last_test)
            == (other.state, other.beacon, other.fault, &other.last_test)
    }
}

fn words(fault: Option<AnnunciatorFault>) -> (Option<&'static str>, Option<&'static str>) {
    fault.map(annunciator_fault_words).unzip()
}
