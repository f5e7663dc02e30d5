//! One probed device as a person reads it: its line, how far its profile may be believed, and a table of its fields.
//!
//! Pure but for printing. Leaves asking to [`super::asked`].
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::{Probed, Row};
use crate::cli::link::shown;
use crate::cli::table::{self, Column, numbers, words};

/// How far the profile may be believed.
fn on_basis(probed: &Probed) -> [String; 2] {
    let or_none = |text: &str| if text.is_empty() { "—".to_owned() } else { text.to_owned() };
    let (en, checked) = (or_none(&probed.basis), probed.checked);
    let zh = if probed.basis_zh.is_empty() { en.clone() } else { probed.basis_zh.clone() };
    let compared_zh = if checked { "已核对" } else { "未与厂家手册核对，请核对" };
    let compared_en = if checked { "compared" } else { "not compared with the maker's manual: compare it" };
    [format!("型号依据：{zh}（{compared_zh}）"), format!("basis: {en} ({compared_en})")]
}

const HEADS: [Column; 6] = [
    words("量", "field"),
    words("测点", "point"),
    words("功能:地址", "function:address"),
    words("原始值", "raw"),
    numbers("工程值", "value"),
    words("质量", "quality"),
];

pub(super) fn print(probed: &Probed) {
    let ms = probed.ms.map_or_else(|| "—".to_owned(), |ms| format!("{ms} ms"));
    println!(
        "{}  链路 link {}  站号 unit {}  型号 profile {}  {ms}",
        probed.device, probed.link, probed.unit, probed.profile
    );
    for line in on_basis(probed).iter().chain(&probed.silence) {
        println!("  {line}");
    }
    let rows: Vec<_> = probed.fields.iter().map(cells).collect();
    for line in table::lines(&HEADS, &rows) {
        println!("  {line}");
    }
}

pub(super) fn cells(row: &Row) -> [String; 6] {
    let current = row.milliamp.filter(|_| row.unit != "mA" || row.value.is_none());
    let current = current.map_or_else(String::new, |ma| format!("（{} mA）", shown(ma)));
    let value = match (&row.text, row.value) {
        (Some(text), _) => format!("“{text}”"),
        (None, Some(value)) => format!("{} {}{current}", shown(value), row.unit),
        (None, None) => format!("—{current}"),
    };
    let why = row.reason.as_deref().unwrap_or_default();
    let quality = match row.quality {
        "good" => "好 good".to_owned(),
        "uncertain" => format!("存疑 uncertain：{why}"),
        _ => format!("坏 bad：{why}"),
    };
    let place = format!("{}:{}", row.function, row.address);
    [row.field.clone(), row.points.join(","), place, row.raw.clone(), value.trim_end().to_owned(), quality]
}
