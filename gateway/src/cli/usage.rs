//! What is wrong with a command line, in Chinese before clap's own English words.
//!
//! Pure: clap's error in, a line out; `None` for what is no error (`--help`) or has no words here.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// To standard error, zh-CN first, then as clap says it.
pub(super) fn said(error: &clap::Error) {
    if let Some(zh) = chinese(error) {
        eprintln!("{zh}");
    }
    let _ = error.print();
}

fn chinese(error: &clap::Error) -> Option<String> {
    let of = |kind| words(error, kind);
    let (argument, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let what = match error.kind() {
        ErrorKind::UnknownArgument => format!("没有这个参数：{argument}{}", meant(&of(ContextKind::SuggestedArg))),
        ErrorKind::InvalidSubcommand => {
            let (asked, near) = (of(ContextKind::InvalidSubcommand), of(ContextKind::SuggestedSubcommand));
            format!("没有这个命令：{asked}{}", meant(&near))
        }
        ErrorKind::MissingSubcommand => format!("缺少子命令，可用：{}", of(ContextKind::ValidSubcommand)),
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数：{argument}"),
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} 后面缺少值"),
        ErrorKind::InvalidValue => format!(
            "{argument} 的值“{value}”不可用；可用的：{}{}",
            of(ContextKind::ValidValue),
            meant(&of(ContextKind::SuggestedValue))
        ),
        ErrorKind::ValueValidation => format!("{argument} 的值“{value}”不合格{}", reason(error)),
        ErrorKind::ArgumentConflict if of(ContextKind::PriorArg) == argument => format!("{argument} 只能写一次"),
        ErrorKind::ArgumentConflict => format!("{argument} 不能与 {} 同用", of(ContextKind::PriorArg)),
        ErrorKind::TooManyValues => format!("{argument} 的值多了：{value}"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!("{argument} 的值个数不对"),
        ErrorKind::NoEquals => format!("{argument} 与值之间要写等号 ="),
        ErrorKind::InvalidUtf8 => "参数不是 UTF-8 文字".to_owned(),
        _ => return None,
    };
    let end = if what.ends_with('？') { "" } else { "。" };
    Some(format!("错误：{what}{end}加 --help 看用法"))
}

/// Why, where the reason is of our own words, or what a number has to be, where it is clap's range.
fn reason(error: &clap::Error) -> String {
    let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    if let Some((zh, _)) = why.split_once(" · ").filter(|(zh, _)| !zh.is_ascii()) {
        return format!("：{zh}");
    }
    let ends = why.split_once(" is not in ").and_then(|(_, range)| range.split_once(".."));
    ends.map_or_else(String::new, |(from, to)| match to.strip_prefix('=') {
        Some(to) => format!("，应为 {from} 至 {to}"),
        None => format!("，应从 {from} 起、小于 {to}"),
    })
}

fn meant(near: &str) -> String {
    if near.is_empty() { String::new() } else { format!("；是不是 {near}？") }
}

fn is_guess(kind: ContextKind) -> bool {
    matches!(kind, ContextKind::SuggestedSubcommand | ContextKind::SuggestedArg | ContextKind::SuggestedValue)
}

/// What clap knows of it, without the help beside a value's name.
fn words(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(one)) => one.clone(),
        // clap has the likeliest last
        Some(ContextValue::Strings(all)) if is_guess(kind) => all.iter().rev().cloned().collect::<Vec<_>>().join("、"),
        Some(ContextValue::Strings(all)) => all.join("、"),
        Some(other @ (ContextValue::Number(_) | ContextValue::Bool(_))) => other.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;
    use clap::Parser;

    fn wrong(arguments: &[&str]) -> String {
        let all = [&["hazard-gateway"], arguments].concat();
        chinese(&Cli::try_parse_from(all).unwrap_err()).unwrap_or_default()
    }

    #[test]
    fn what_people_mistype_is_said_in_chinese_with_what_was_probably_meant() {
        for (arguments, parts) in [
            (&["chek"][..], &["没有这个命令：chek", "是不是 check"][..]),
            (&["check", "--cofig", "x"], &["没有这个参数：--cofig", "是不是 --config"]),
            (&["check"], &["缺少必需的参数", "--config"]),
            (&["check", "--config"], &["--config", "缺少值"]),
            (&["plan", "--config", "x", "--dead", "two"], &["--dead", "“two”不合格"]),
            (
                &["operate", "mode", "pump", "runing", "--reason", "检修完毕"],
                &["“runing”不可用", "running、stopped", "是不是 running"],
            ),
            (&["scan", "--tcp", "a:1", "--serial", "b"], &["不能与", "同用"]),
            (&["scan"], &["缺少必需的参数", "--tcp"]),
            (&["check", "--config", "x", "--config", "y"], &["只能写一次"]),
            (&["events", "--config", "x", "--priority", "9"], &["“9”不合格，应为 1 至 4"]),
            (&["user", "add", "li", "--role", "king", "--config", "x"], &["“king”不合格：没有角色“king”，可用："]),
            (&["scan", "--tcp", "a:1", "--units", "300"], &["“300”不合格：", "写 0 到 255 的站号"]),
            (&["kpi", "--config", "x", "extra"], &["没有这个参数：extra"]),
        ] {
            let said = wrong(arguments);
            assert!(parts.iter().all(|part| said.contains(part)), "{arguments:?}: {said}");
        }
    }

    #[test]
    fn help_is_no_error() {
        assert_eq!(wrong(&["check", "--help"]), "");
        assert_eq!(wrong(&["--version"]), "");
    }
}
