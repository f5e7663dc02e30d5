//! Sentences about the daemon's own parts: one that makes no progress, and a run that did not end in order.

use super::{counted, length};
use crate::store::UncleanEnd;

/// The words of `notify::Evidence` for people.
fn part(name: &str) -> (String, String) {
    let zh = match name {
        "core" => "报警核心".to_owned(),
        "records writer" => "记录写入".to_owned(),
        "history writer" => "历史写入".to_owned(),
        "annunciator" => "声光报警器".to_owned(),
        "web server" => "网页服务".to_owned(),
        "MQTT outbox" => "MQTT 发件箱".to_owned(),
        "InfluxDB writer" => "InfluxDB 写入".to_owned(),
        "watchdog" => "看门狗".to_owned(),
        "a task that panicked" => "某个任务（程序错误）".to_owned(),
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

/// One of them ended by itself, and the process ends with it.
#[must_use]
pub fn ended(name: &str) -> (String, String) {
    let (zh, en) = part(name);
    (
        format!("{zh} 自行结束，网关随之退出并重新启动"),
        format!("{en} ended by itself; the gateway ends with it and is started again"),
    )
}

/// What somebody wanted could not run, and the configuration before it runs again.
#[must_use]
pub fn fallback(wanted_by: &str, error: &str) -> (String, String) {
    (
        format!("{wanted_by} 要求的新配置无法运行，已恢复原配置：{error}"),
        format!("The configuration that {wanted_by} asked for cannot run; the one before runs again: {error}"),
    )
}

/// Of so many records that are lost the ids are said.
const IDS_SAID: usize = 20;

/// Hidden dangers that are in the store and cannot be read.
#[must_use]
pub fn unread_hazards(ids: &[String]) -> (String, String) {
    let said: Vec<&str> = ids.iter().take(IDS_SAID).map(String::as_str).collect();
    let more = if ids.len() > IDS_SAID { "…" } else { "" };
    (
        format!("{} 条隐患记录损坏，无法读取，未恢复：{}{more}；其经过仍在运行日志中", ids.len(), said.join("、")),
        format!(
            "{} damaged records of hidden dangers cannot be read and are not restored: {}{more}; the journal still has what was done",
            ids.len(),
            said.join(", ")
        ),
    )
}

/// What is known of the end of the run before.
#[must_use]
pub fn unclean_end(end: &UncleanEnd) -> (String, String) {
    if let Some(name) = &end.ended {
        let (zh, en) = part(name);
        return (
            format!("上次运行没有正常停止：{zh} 自行结束，网关随之退出"),
            format!("The last run did not end in order: {en} ended by itself, and the gateway with it"),
        );
    }
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

/// Files around incidents that nobody can read any more.
#[must_use]
pub fn incidents_set_aside(names: &[String]) -> (String, String) {
    let (count, list) = (names.len(), names.join(", "));
    (
        format!("事故前后的原始报文有 {count} 个文件无法读取，已另存为 *.corrupt-*：{list}"),
        format!(
            "Raw frames around incidents cannot be read and were set aside as *.corrupt-* ({}): {list}",
            counted(count, "file")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_the_watchdog_ended_names_the_part_in_both_languages() {
        let end = UncleanEnd { stalled: vec!["core".into(), "bus gas-bus".into()], ended: None };
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
