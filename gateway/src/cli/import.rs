//! `import`: a tag list from a spreadsheet becomes a piece of configuration.
//!
//! Owns reading the file, telling every defect with row and column, and writing all or nothing. Leaves the columns to [`columns`], what
//! becomes of a row to [`row`] and of all of them to [`rows`], whether it all fits the site to [`merged`].
#![allow(clippy::print_stdout, reason = "the output of a command")]

mod address;
mod cells;
mod columns;
mod drafts;
mod limits;
mod merged;
mod registers;
mod row;
mod rows;
mod sheet;
mod written;

use super::{Exit, check};
use crate::config;
use crate::text::counted;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// 位号表：.csv（UTF-8）、.xlsx、.xls、.ods · tag list.
    #[arg(value_name = "FILE", required_unless_present = "template")]
    file: Option<PathBuf>,
    /// 工作簿中的工作表；不写则读第一张 · sheet of a workbook; the first one where none is named.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// 写入文件而不是屏幕；已有的文件不覆盖 · write here instead of to the screen; an existing file is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// 站点配置：连同其中的链路、区域、仪表和型号一起核对 · site file: the list is looked at as a part of it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// 打印空白位号表 · print an empty tag list with one example.
    #[arg(long)]
    template: bool,
    /// 缺陷以 JSON 输出 · defects as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// One defect of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Defect {
    /// As the spreadsheet counts, from 1; 0 is about the whole file.
    row: usize,
    column: String,
    /// False for what is only doubtful: the list is written all the same.
    fatal: bool,
    zh: String,
    en: String,
}

impl Defect {
    fn new(row: usize, column: &str, (zh, en): (String, String)) -> Self {
        Self { row, column: column.to_owned(), fatal: true, zh, en }
    }

    fn print(&self) {
        let Self { row, column, fatal, zh, en } = self;
        let place =
            if *row == 0 { format!("文件 file {column}") } else { format!("第 {row} 行 row {row} {column}") };
        let doubt = if *fatal { "" } else { "提醒 warning：" };
        eprintln!("{}：{doubt}{zh} · {en}", place.trim_end());
    }
}

/// The command.
pub(super) fn main(args: &ImportArgs) -> Exit {
    if args.template {
        print!("{}", columns::template());
        return Exit::Ok;
    }
    let Some(file) = &args.file else { return Exit::Usage };
    if let Some(there) = args.out.as_deref().filter(|out| out.symlink_metadata().is_ok()) {
        // what it holds of an earlier turn would be told as double, row by row
        written::told(there, &std::io::ErrorKind::AlreadyExists.into());
        return Exit::Io;
    }
    let list = match sheet::read(file, args.sheet.as_deref()) {
        Ok(list) => list,
        Err(sheet::Unreadable::Io(error)) => {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let (zh, en) = if missing {
                ("没有这个文件", "there is no such file")
            } else {
                ("检查权限和磁盘", "check its mode and the disk")
            };
            eprintln!("无法读取 {0}：{zh}（{error}）· cannot read {0}: {en} ({error})", file.display());
            return Exit::Io;
        }
        Err(sheet::Unreadable::Content(defect)) => return refuse(&[defect], args),
    };
    if let [read, others @ ..] = list.sheets.as_slice()
        && !others.is_empty()
    {
        eprintln!(
            "读取工作表“{read}”；另有 {}，用 --sheet 另选 · reading the sheet `{read}`; there are also {}, chosen with --sheet",
            others.join("、"),
            others.join(", ")
        );
    }
    match rows::read(&list.lines) {
        Err(defects) => refuse(&defects, args),
        Ok((list, defects)) => judge(&list, defects, args),
    }
}

/// The rows by themselves have these defects; what of them is in order is looked at as a part of the site.
fn judge(list: &rows::List, mut defects: Vec<Defect>, args: &ImportArgs) -> Exit {
    let source = args.file.as_deref().and_then(|file| file.file_name()).unwrap_or_default();
    let fragment = list.fragment(&source.to_string_lossy());
    let Some(of_site) = merged::judge(list, &fragment, args.config.as_deref()) else {
        let site = config::check_site(args.config.as_deref().unwrap_or(std::path::Path::new("")));
        check::report(&site.diagnostics, &site.files);
        eprintln!(
            "--config 的配置读不了，位号表没有核对，没有写出任何内容 · the configuration of --config cannot be read: the list was not looked at, nothing was written"
        );
        return Exit::Usage;
    };
    defects.extend(of_site);
    defects.extend(written::without_place(list, args));
    defects.sort_by_key(|defect| defect.row);
    if defects.iter().any(|defect| defect.fatal) {
        return refuse(&defects, args);
    }
    if args.config.is_none() {
        tell_unlooked(list);
    }
    written::write(&fragment, &defects, args)
}

fn refuse(defects: &[Defect], args: &ImportArgs) -> Exit {
    if args.json {
        println!("{}", serde_json::to_string_pretty(defects).expect("numbers and texts only"));
    }
    defects.iter().filter(|_| !args.json).for_each(Defect::print);
    let n = defects.iter().filter(|defect| defect.fatal).count();
    eprintln!("{n} 处缺陷，没有写出任何内容 · {}, nothing was written", counted(n, "defect"));
    Exit::Usage
}

/// What only the site file knows is not passed over in silence.
fn tell_unlooked(list: &rows::List) {
    let listed = |zh: &str, en: &str, keys: Vec<String>| {
        (!keys.is_empty()).then(|| (format!("{zh} {}", keys.join("、")), format!("{en} {}", keys.join(", "))))
    };
    let keys = |keys: std::collections::BTreeSet<&str>| keys.into_iter().map(str::to_owned).collect();
    let devices = list.undescribed().into_iter().map(|(key, row)| format!("{key} ({row})")).collect();
    let parts = [
        listed("链路", "the links", keys(list.links())),
        listed("区域", "the areas", keys(list.areas())),
        listed("表中未描述的仪表（行）", "the devices that no row describes (row)", devices),
    ];
    let (zh, en): (Vec<String>, Vec<String>) = parts.into_iter().flatten().unzip();
    if zh.is_empty() {
        return;
    }
    eprintln!(
        "未核对，须在站点配置中存在：{}；加 --config site.toml 现在核对，否则由 check 核对 · not looked at, must be in the site: {}; --config site.toml looks now, `check` later",
        zh.join("；"),
        en.join("; ")
    );
}
