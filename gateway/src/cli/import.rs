//! `import`: a tag list from a spreadsheet becomes a piece of configuration.
//!
//! Owns reading the file and telling every defect with row and column. Leaves the columns to [`columns`], what becomes of a row
//! to [`row`] and of all of them to [`rows`], and whether it all fits the site to `check`.
#![allow(clippy::print_stdout, reason = "the output of a command")]

mod columns;
mod row;
mod rows;
mod sheet;

use super::Exit;
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
    zh: String,
    en: String,
}

impl Defect {
    fn new(row: usize, column: &str, (zh, en): (String, String)) -> Self {
        Self { row, column: column.to_owned(), zh, en }
    }
}

/// The command.
pub(super) fn main(args: &ImportArgs) -> Exit {
    if args.template {
        print!("{}", columns::template());
        return Exit::Ok;
    }
    let Some(file) = &args.file else { return Exit::Usage };
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
    match rows::fragment(&list.lines) {
        Err(defects) => refuse(&defects, args),
        Ok(fragment) => write(&fragment, args),
    }
}

fn refuse(defects: &[Defect], args: &ImportArgs) -> Exit {
    if args.json {
        println!("{}", serde_json::to_string_pretty(defects).expect("numbers and texts only"));
    }
    for Defect { row, column, zh, en } in defects.iter().filter(|_| !args.json) {
        let place = if *row == 0 { "文件 file".to_owned() } else { format!("第 {row} 行 row {row} {column}") };
        let place = place.trim_end();
        eprintln!("{place}：{zh} · {en}");
    }
    let n = defects.len();
    eprintln!("{n} 处缺陷，没有写出任何内容 · {n} defect(s), nothing was written");
    Exit::Usage
}

fn write(fragment: &rows::Fragment, args: &ImportArgs) -> Exit {
    let Some(out) = &args.out else {
        print!("{}", fragment.text);
        return Exit::Ok;
    };
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(out);
    if file.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::AlreadyExists) {
        eprintln!(
            "{0} 已存在，不覆盖；换一个文件名 · {0} exists and is not overwritten; choose another name",
            out.display()
        );
        return Exit::Io;
    }
    if let Err(error) = file.and_then(|mut f| std::io::Write::write_all(&mut f, fragment.text.as_bytes())) {
        eprintln!(
            "无法写入 {0}：{error}；检查该目录是否存在、是否可写 · cannot write {0}: {error}; see that its folder is there and may be written",
            out.display()
        );
        return Exit::Io;
    }
    if args.json {
        println!("[]");
    } else {
        println!(
            "{} 台仪表、{} 个测点写入 {}；用 hazard-gateway check 检查 · {} devices and {} points written; look with hazard-gateway check",
            fragment.devices,
            fragment.points,
            out.display(),
            fragment.devices,
            fragment.points
        );
    }
    Exit::Ok
}
