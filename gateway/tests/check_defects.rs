//! Broken configurations, each with the mistakes of a working day. What `check` must say stands in the files themselves:
//!
//! ```text
//! unit = 300      #~ `300` 站号 300 不可用 | 1–247
//!                     │     │               └ words of the remedy
//!                     │     └ words of the message
//!                     └ the text under the caret
//! ```
//! Every mark must be met by a defect on its line, and there is no defect without a mark.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use support::{binary, ended};

#[derive(Debug)]
struct Mark {
    line: usize,
    under_caret: String,
    message: String,
    remedy: String,
}

fn marks(text: &str) -> Vec<Mark> {
    let of_line = |(i, line): (usize, &str)| {
        let marks: Vec<Mark> = line.split("#~").skip(1).map(|mark| parse(i + 1, mark)).collect();
        marks
    };
    text.lines().enumerate().flat_map(of_line).collect()
}

fn parse(line: usize, mark: &str) -> Mark {
    let (under_caret, rest) = mark.trim().strip_prefix('`').unwrap().split_once("` ").unwrap();
    let (message, remedy) = rest.split_once(" | ").unwrap();
    let [under_caret, message, remedy] = [under_caret, message, remedy].map(|word| word.trim().to_owned());
    Mark { line, under_caret, message, remedy }
}

/// The broken files in a folder of their own, with a secret that everybody can read.
fn copied() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    std::fs::write(secrets.join("readable-by-all"), "canary\n").unwrap();
    std::fs::set_permissions(secrets.join("readable-by-all"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut files: Vec<PathBuf> = std::fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let copies = files.iter().map(|file| {
        let copy = folder.path().join(file.file_name().unwrap());
        std::fs::copy(file, &copy).unwrap();
        copy
    });
    let copies = copies.collect();
    (folder, copies)
}

fn meets(defect: &Value, mark: &Mark, line: &str) -> bool {
    let word = |key: &str| defect[key].as_str().unwrap().to_owned();
    let column = usize::try_from(defect["column"].as_u64().unwrap()).unwrap();
    let from_caret: String = line.chars().skip(column - 1).collect();
    defect["line"] == mark.line
        && from_caret.starts_with(&mark.under_caret)
        && word("message_zh").contains(&mark.message)
        && word("remedy_zh").contains(&mark.remedy)
        && !word("message_en").is_empty()
        && !word("remedy_en").is_empty()
}

#[test]
fn every_defect_of_the_broken_files_is_named_with_its_place_and_remedy() {
    let (_folder, files) = copied();
    assert_eq!(files.len(), 18);
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let marks = marks(&text);
        let mut command = binary();
        command.args(["check", "--json", "--config"]).arg(file);
        let checked = ended(command, "");
        assert_eq!(checked.code, 2, "{}: {}", file.display(), checked.err);
        let mut defects: Vec<Value> = serde_json::from_str(&checked.out).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        for mark in &marks {
            let line = text.lines().nth(mark.line - 1).unwrap();
            match defects.iter().position(|defect| meets(defect, mark, line)) {
                Some(i) => drop(defects.remove(i)),
                None => wrong.push(format!("{name}: not said: {mark:?}")),
            }
        }
        let place = |d: &Value| format!("{name}:{}:{} {} {}", d["line"], d["column"], d["path"], d["message_zh"]);
        wrong.extend(defects.iter().map(|defect| format!("not marked: {}", place(defect))));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn people_see_file_line_caret_message_and_remedy_of_each_and_no_secret() {
    let (_folder, files) = copied();
    for file in &files {
        let mut command = binary();
        command.args(["check", "--config"]).arg(file);
        let checked = ended(command, "");
        assert_eq!(checked.code, 2);
        let marks = marks(&std::fs::read_to_string(file).unwrap());
        for mark in &marks {
            let place = format!("{}:{}:", file.display(), mark.line);
            assert!(checked.err.contains(&place), "{place}\n{}", checked.err);
            assert!(
                checked.err.contains(&mark.message) && checked.err.contains(&mark.remedy),
                "{mark:?}\n{}",
                checked.err
            );
        }
        let carets = checked.err.matches('┬').count();
        assert!(carets >= marks.len(), "a caret each: {carets} of {}\n{}", marks.len(), checked.err);
        assert!(!checked.err.contains("canary") && !checked.out.contains("canary"), "a secret in the output");
        assert!(checked.out.contains("处错误"), "{}", checked.out);
    }
}

#[test]
fn the_examples_and_their_folder_have_no_defects_to_the_binary_either() {
    for example in ["demo-site.toml", "minimal-site.toml", "office.toml"] {
        let mut command = binary();
        command.args(["check", "--config"]).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example));
        let checked = ended(command, "");
        assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{example}");
    }
}

/// What `check` says of the smallest example, with its gas as another quantity that is read every `period_ms`.
fn checked_at_pace(kind: &str, period_ms: u32) -> support::Ended {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/minimal-site.toml");
    let text = std::fs::read_to_string(example).unwrap().replace("substance = \"NH3\"\n", "");
    let slow = text
        .replace("kind = \"gas\"", &format!("kind = \"{kind}\"\nperiod_ms = {period_ms}"))
        .replace("unit = \"ppm\"", "unit = \"kPa\"")
        .replace("deadband = 2\n", "");
    assert_ne!(slow, text);
    let file = folder.path().join("site.toml");
    std::fs::write(&file, slow).unwrap();
    let mut command = binary();
    command.args(["check", "--config"]).arg(file);
    ended(command, "")
}

/// The presets of 4 s and 15 s are less than two polls here.
#[test]
fn a_pressure_that_is_read_every_half_minute_needs_no_delays_of_its_own() {
    let checked = checked_at_pace("pressure", 30_000);
    assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{}", checked.out);
}

#[test]
fn a_preset_that_has_become_long_by_the_period_is_told() {
    let checked = checked_at_pace("level", 900_000);
    assert_eq!(checked.code, 0, "{}", checked.err);
    let said = checked.err.clone() + &checked.out;
    assert_eq!(said.matches("waits for two polls (30 min)").count(), 3, "H, HH and the sensor fault: {said}");
}

#[test]
fn a_file_that_is_not_there_is_said_so() {
    let mut command = binary();
    command.args(["check", "--config", "/nowhere/site.toml"]);
    let checked = ended(command, "");
    assert_eq!(checked.code, 2);
    assert!(
        checked.err.contains("/nowhere/site.toml: 无法读取此文件") && checked.err.contains("检查路径"),
        "{}",
        checked.err
    );
}
