//! Two entries with one key: the second is checked as `KEY~2`, so that its other defects are found at its place.
//!
//! Owns that people read of the key they wrote, and where the first one stands.

use super::diagnostic::Finding;
use std::collections::BTreeSet;

/// The name under which the `times`-th entry of a key is checked.
pub(super) fn alias(key: &str, times: usize) -> String {
    format!("{key}~{times}")
}

/// The key that was written, if this is the name of a later entry.
pub(super) fn written(alias: &str) -> Option<&str> {
    let (key, times) = alias.rsplit_once('~')?;
    (times.parse::<usize>().ok()? > 1).then_some(key)
}

/// Findings in the words of the file; `place` gives file and line of a path.
pub(super) fn told<'a>(mut findings: Vec<Finding>, place: impl Fn(String) -> Option<(&'a str, usize)>) -> Vec<Finding> {
    let aliases: BTreeSet<String> =
        findings.iter().filter(|f| f.first.is_some()).filter_map(|f| key_of(&f.path)).collect();
    for finding in &mut findings {
        for text in [&mut finding.message_zh, &mut finding.message_en, &mut finding.remedy_zh, &mut finding.remedy_en] {
            rewrite(text, &aliases);
        }
        let Some((file, line)) = finding.first.take().and_then(&place) else { continue };
        finding.message_zh += &format!("（{file} 第 {line} 行）");
        finding.message_en += &format!(" ({file}, line {line})");
    }
    findings
}

/// `GT-101~2` of `point[GT-101~2].key`.
fn key_of(path: &str) -> Option<String> {
    let (_, rest) = path.split_once('[')?;
    rest.rsplit_once(']').map(|(key, _)| key.to_owned())
}

/// The longest first: `X~2` is the beginning of `X~21`.
fn rewrite(text: &mut String, aliases: &BTreeSet<String>) {
    if !text.contains('~') {
        return;
    }
    for alias in aliases.iter().rev().filter(|alias| !alias.is_empty()) {
        if let Some(key) = written(alias).filter(|_| text.contains(alias.as_str())) {
            *text = text.replace(alias.as_str(), key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_entry_is_spoken_of_by_the_key_that_was_written_and_the_first_by_its_line() {
        let said = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        let second = Finding::fatal("device[press-12~2].key", said("重复", "twice"), said("", ""));
        let second = Finding { first: Some("device[press-12].key".into()), ..second };
        let other =
            Finding::fatal("device[DET-3].unit", said("已由 press-12~2 使用", "taken by press-12~2"), said("", ""));
        let told = told(vec![second, other], |path| (path == "device[press-12].key").then_some(("site.toml", 7)));
        assert_eq!(
            (told[0].message_zh.as_str(), told[0].message_en.as_str()),
            ("重复（site.toml 第 7 行）", "twice (site.toml, line 7)")
        );
        assert_eq!(
            (told[1].message_zh.as_str(), told[1].message_en.as_str()),
            ("已由 press-12 使用", "taken by press-12")
        );
        assert_eq!((written("press-12~2"), written("press~a"), written("press-12")), (Some("press-12"), None, None));
    }
}
