//! Sentences of the annunciator: who tests it, how that ended, and what is wrong with it.

use rules::EventKind;
use rules::annunciator::AnnunciatorFault;

/// A sentence of the annunciator's own events; `None` for others.
pub(super) fn sentence(kind: &EventKind) -> Option<(String, String)> {
    Some(match kind {
        EventKind::AnnunciatorTestRequested { by } => (
            format!("{} 要求声光报警器试音：{}", by.by, by.reason),
            format!("Test of the annunciator asked for by {}: {}", by.by, by.reason),
        ),
        EventKind::AnnunciatorTested { fault, by_alarm, asked_by } => {
            let (who_zh, who_en) = match asked_by {
                Some(by) => (format!("（{by}）"), format!(" ({by})")),
                None => ("（每日）".to_owned(), " (daily)".to_owned()),
            };
            let (how_zh, how_en) = match (fault, by_alarm) {
                (Some(fault), _) => {
                    let (zh, en) = annunciator_fault_words(*fault);
                    (format!("失败：{zh}"), format!("failed: {en}"))
                }
                (None, true) => {
                    ("通过：正在发声的报警即为证明".into(), "passed: the alarm that sounds proves it".into())
                }
                (None, false) => ("通过".into(), "passed".into()),
            };
            (format!("声光报警器自检{who_zh}{how_zh}"), format!("Self-test of the annunciator{who_en} {how_en}"))
        }
        _ => return None,
    })
}

/// What is wrong, for people.
#[must_use]
pub fn annunciator_fault_words(fault: AnnunciatorFault) -> (&'static str, &'static str) {
    match fault {
        AnnunciatorFault::NoLink => ("连接不上继电器模块", "the relay module cannot be connected"),
        AnnunciatorFault::NoAnswer => ("继电器模块无应答", "the relay module does not answer"),
        AnnunciatorFault::Refused => ("继电器模块没有配置的线圈或输入", "the relay module has no such coil or input"),
        AnnunciatorFault::Damaged => ("继电器模块的应答损坏", "answers of the relay module are damaged"),
        AnnunciatorFault::Differs => ("线圈回读与写入不符", "a coil reads back otherwise than it was written"),
        AnnunciatorFault::FeedbackMissing => {
            ("已接通，但没有发声反馈", "switched on, but the feedback of the sound does not come")
        }
        AnnunciatorFault::FeedbackStuck => {
            ("已断开，但发声反馈仍在", "switched off, but the feedback of the sound stays")
        }
    }
}
