//! Table cases: one folder, one story. The format is in `cases/README.md`; `CASES_WRITE=1` writes what happened.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a failed unwrap is a failed test; small numbers of cases"
)]

mod case;

use std::fs;
use std::path::Path;

#[test]
fn every_case_gives_its_events() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    assert!(folders.len() >= 40, "only {} cases", folders.len());
    let mut wrong = Vec::new();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let book = fs::read_to_string(folder.join("book.toml")).unwrap_or_default();
        let input = fs::read_to_string(folder.join("input.txt")).unwrap_or_else(|e| panic!("{name}: {e}"));
        let next = fs::read_to_string(folder.join("next.toml")).ok();
        let got = case::play(&name, &book, next.as_deref(), &input);
        if std::env::var_os("CASES_WRITE").is_some() {
            fs::write(folder.join("events.txt"), format!("{got}\n")).unwrap();
        }
        let expected = fs::read_to_string(folder.join("events.txt")).unwrap_or_default();
        if expected.trim() != got.trim() {
            wrong.push(format!("── {name}\nexpected:\n{expected}\ngot:\n{got}\n"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), folders.len(), wrong.join("\n"));
}
