//! What a list without defects is written to: all of its files, or none.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::rows::{Fragment, List};
use super::{Defect, ImportArgs};
use crate::cli::Exit;
use crate::text::counted;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Profiles lie beside the configuration: where that is must be said, and nothing there is overwritten.
pub(super) fn without_place(list: &List, args: &ImportArgs) -> Vec<Defect> {
    let names: Vec<(&str, usize)> = list.drafts().names().collect();
    if names.is_empty() {
        return Vec::new();
    }
    let Some(config) = args.config.as_deref().filter(|_| args.out.is_some()) else {
        let files: Vec<String> = names.iter().map(|(name, _)| format!("profiles/{name}.toml")).collect();
        let zh =
            format!("表里有寄存器，还要在站点配置旁写 {}：加 --config site.toml 和 --out conf.d/…", files.join("、"));
        let en = format!(
            "the list has registers, from which {} is written beside the site file: add --config site.toml and --out conf.d/…",
            files.join(", ")
        );
        return vec![Defect::new(0, "", (zh, en))];
    };
    let there = |(name, _): &(&str, usize)| place(config, name).symlink_metadata().is_ok();
    let taken = names.into_iter().filter(there).map(|(name, row)| {
        let path = place(config, name);
        let (zh, en) = (
            format!("{} 已存在，不覆盖：在型号列另起名称，或先移走它", path.display()),
            format!("{} exists and is not overwritten: give another name here, or move it away first", path.display()),
        );
        Defect::new(row, &super::columns::title("profile"), (zh, en))
    });
    taken.collect()
}

fn place(config: &Path, profile: &str) -> PathBuf {
    config.parent().unwrap_or(Path::new("")).join("profiles").join(format!("{profile}.toml"))
}

/// `doubts` are told and hold nothing up.
pub(super) fn write(fragment: &Fragment, doubts: &[Defect], args: &ImportArgs) -> Exit {
    let Some(out) = &args.out else {
        doubts.iter().for_each(Defect::print);
        print!("{}", fragment.text);
        return Exit::Ok;
    };
    let config = args.config.as_deref().unwrap_or(Path::new(""));
    let profiles = fragment.profiles.iter().map(|(name, text)| (place(config, name), text));
    let files: Vec<(PathBuf, &String)> = profiles.chain([(out.clone(), &fragment.text)]).collect();
    for (n, (path, text)) in files.iter().enumerate() {
        if let Err(error) = create(path, text) {
            files[..n].iter().for_each(|(written, _)| drop(std::fs::remove_file(written)));
            told(path, &error);
            return Exit::Io;
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(doubts).expect("numbers and texts only"));
        return Exit::Ok;
    }
    doubts.iter().for_each(Defect::print);
    let (devices, points, shown) = (fragment.devices, fragment.points, out.display());
    for (path, _) in &files[..files.len() - 1] {
        println!(
            "型号写入 {0}；没有向量，请与厂家寄存器表核对 · profile {0} written; it has no vectors: compare it with the maker's register list",
            path.display()
        );
    }
    println!(
        "{devices} 台仪表、{points} 个测点写入 {shown}；用 hazard-gateway check 检查 · {} and {} written; look with hazard-gateway check",
        counted(devices, "device"),
        counted(points, "point")
    );
    Exit::Ok
}

/// A file that was not there before; of one that could not be written to its end nothing stays.
fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| folder.ends_with("profiles")) {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| drop(std::fs::remove_file(path)))
}

pub(super) fn told(path: &Path, error: &std::io::Error) {
    let path = path.display();
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        eprintln!(
            "{path} 已存在，不覆盖：用改过的表重新生成时先移走它（mv {path} {path}.old），否则换一个文件名 · {path} exists and is not overwritten: to make it \
             anew from a changed list move it away first (mv {path} {path}.old), else choose another name"
        );
    } else {
        eprintln!(
            "无法写入 {path}：{error}；检查该目录是否存在、是否可写 · cannot write {path}: {error}; see that its folder is there and may be written"
        );
    }
}
