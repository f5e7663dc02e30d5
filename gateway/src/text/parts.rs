//! Sentences about the daemon's own parts: one that makes no progress, and a run that did not end in order.

use super::length;
use crate::store::UncleanEnd;

/// The words of `notify::Evidence` for people.
fn part(name: &str) -> (String, String) {
    let zh = match name {
        "core" => "报警核心".to_owned(),
        "records writer" => "记录写入".to_owned(),
        "history writer" => "历史写入".to_owned(),
        "annunciator" => "声光报警器".to_owned(),
        other => other.strip_prefix("bus ").map_or_else(|| other.to_owned(), |key| format!("总线 {key}")),
    };
    (zh, name.to_owned())
}

fn listed<T: AsRef<str>>(names: &[T]) -> (String, String) {
    let (zh, en): (Vec<_>, Vec<_>) = names.iter().map(|name| part(name.as_ref())).unzip();
    (zh.join("、"), en.join(", "))
}

/// The watchdog is not fed because of these.
#[must_use]
pub fn stalled<T: AsRef<str>>(names: &[T]) -> (String, String) {
    let (zh, en) = listed(names);
    (
        format!("{zh} 没有进展，看门狗不再被喂；若不恢复，网关将被重启"),
        format!("No progress: {en}; the watchdog is not fed, and the gateway is started again unless it goes on"),
    )
}

/// One of them goes on before anybody ended the process.
#[must_use]
pub fn goes_on(name: &str, after_s: u32) -> (String, String) {
    let ((zh, en), (length_zh, length_en)) = (part(name), length(u64::from(after_s) * 1000));
    (format!("{zh} 恢复进展，停滞了 {length_zh}"), format!("{en} goes on after {length_en} without progress"))
}

/// What is known of the end of the run before.
#[must_use]
pub fn unclean_end(end: &UncleanEnd) -> (String, String) {
    if end.stalled.is_empty() {
        return (
            "上次运行没有正常停止：断电、进程被强行结束或程序崩溃".into(),
            "The last run did not end in order: a power cut, a kill or a crash".into(),
        );
    }
    let (zh, en) = listed(&end.stalled);
    (
        format!("上次运行没有正常停止：结束前 {zh} 没有进展，看门狗不再被喂"),
        format!(
            "The last run did not end in order: before its end there was no progress of {en}, and the watchdog was not fed"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_the_watchdog_ended_names_the_part_in_both_languages() {
        let end = UncleanEnd { stalled: vec!["core".into(), "bus gas-bus".into()] };
        let (zh, en) = unclean_end(&end);
        assert!(zh.contains("报警核心、总线 gas-bus 没有进展"), "{zh}");
        assert!(en.contains("no progress of core, bus gas-bus"), "{en}");
        assert!(unclean_end(&UncleanEnd::default()).0.contains("断电"));
    }

    #[test]
    fn a_part_that_goes_on_says_for_how_long_it_did_not() {
        let (zh, en) = goes_on("records writer", 75);
        assert_eq!(
            (zh.as_str(), en.as_str()),
            ("记录写入 恢复进展，停滞了 1 分 15 秒", "records writer goes on after 1 min 15 s without progress")
        );
    }
}
