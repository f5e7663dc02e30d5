//! The columns of a tag list, under their Chinese and English names.

use super::Defect;
use super::sheet::Line;
use std::collections::BTreeMap;

/// One column: its key, its other names, and what stands in the template's example.
struct Column {
    key: &'static str,
    zh: &'static str,
    others: &'static [&'static str],
    needed: bool,
    example: &'static str,
}

const fn column(
    key: &'static str,
    zh: &'static str,
    others: &'static [&'static str],
    needed: bool,
    example: &'static str,
) -> Column {
    Column { key, zh, others, needed, example }
}

const COLUMNS: [Column; 45] = [
    column("key", "位号", &["tag", "测点", "测点编号"], true, "GT-101"),
    column("name", "名称", &["测点名称"], true, "氨气浓度"),
    column("name_en", "英文名称", &["english"], false, "Ammonia"),
    column("kind", "类别", &["类型"], true, "gas"),
    column("substance", "气体种类", &["物质"], false, "NH3"),
    column("unit", "单位", &["工程单位"], false, "ppm"),
    column("low", "量程下限", &["range_low"], false, "0"),
    column("high", "量程上限", &["range_high"], false, "100"),
    column("signal_span", "信号量程", &["电流量程"], false, ""),
    column("decimals", "小数位", &[], false, "1"),
    column("period_ms", "周期毫秒", &["采样周期"], false, "1000"),
    column("fast_period_ms", "快速周期毫秒", &["快速周期"], false, ""),
    column("max_age_s", "有效期秒", &["有效期", "数据有效期"], false, ""),
    column("area", "区域", &[], false, "A1"),
    column("device", "仪表", &["设备"], true, "DET-101"),
    // needed where a row does not say itself where its value lies
    column("field", "量", &["字段"], false, "concentration"),
    column("link", "链路", &["总线"], false, "bus-a"),
    column("unit_id", "站号", &["slave", "从站地址"], false, "11"),
    column("profile", "型号", &[], false, "gas-module-b"),
    column("function", "功能码", &["功能号", "fc", "function_code"], false, ""),
    column("address", "寄存器地址", &["地址", "寄存器", "register"], false, ""),
    column("address_base", "地址基准", &["base"], false, ""),
    column("type", "数据类型", &["data_type", "datatype", "数据格式"], false, ""),
    column("word_order", "字节序", &["byte_order"], false, ""),
    column("bit", "位", &[], false, ""),
    column("scale", "系数", &["比例系数", "倍率", "factor"], false, ""),
    column("offset", "偏移", &["偏移量"], false, ""),
    column("sentinels", "无效值", &[], false, ""),
    column("valid", "有效范围", &[], false, ""),
    column("ll", "低低限", &[], false, ""),
    column("l", "低限", &[], false, ""),
    column("h", "高限", &["一级报警"], false, "25"),
    column("hh", "高高限", &["二级报警"], false, "50"),
    column("latching_hh", "高高限锁存", &["锁存"], false, ""),
    column("deadband", "回差", &[], false, "2"),
    column("delay_s", "延时秒", &["延时"], false, "0"),
    column("priority", "优先级", &[], false, "2"),
    column("priority_ll", "低低限优先级", &[], false, ""),
    column("priority_l", "低限优先级", &[], false, ""),
    column("priority_h", "高限优先级", &[], false, ""),
    column("priority_hh", "高高限优先级", &[], false, "1"),
    column("cause", "原因", &["报警原因"], false, "阀门、法兰、泵密封或管线泄漏"),
    column("consequence", "后果", &[], false, "人员中毒或燃烧爆炸"),
    column("action", "处置", &["处置措施"], false, "通知现场人员上风向离开,查漏"),
    column("action_en", "英文处置", &[], false, "Send people upwind, look for the leak"),
];

/// An empty list with its heading and one example.
pub(super) fn template() -> String {
    let line = |of: fn(&Column) -> &'static str| {
        let cells: Vec<String> = COLUMNS.iter().map(of).map(quoted).collect();
        cells.join(",")
    };
    format!("\u{feff}{}\n{}\n", line(|c| c.zh), line(|c| c.example))
}

fn quoted(cell: &str) -> String {
    if cell.contains(',') { format!("\"{cell}\"") } else { cell.to_owned() }
}

/// Which cell of a row holds which column.
pub(super) struct Heading(BTreeMap<&'static str, usize>);

/// Rows above the heading in which a title may stand.
const TITLE_ROWS_MAX: usize = 10;
/// A row with so many known names is the heading; a title has none, and a row of data hardly ever two.
const HEADING_NAMES_LEAST: usize = 2;

impl Heading {
    /// Splits the list into heading and rows; titles above the heading are passed over.
    pub(super) fn split(lines: &[Line]) -> Result<(Self, &[Line]), Vec<Defect>> {
        let names = |line: &Line| line.1.iter().filter(|cell| named(cell).is_some()).count();
        let first = lines.iter().take(TITLE_ROWS_MAX).position(|line| names(line) >= HEADING_NAMES_LEAST);
        let Some(first) = first else {
            let row = lines.first().map_or(0, |line| line.0);
            return Err(vec![Defect::new(
                row,
                "",
                (
                    "这一行应是列名，却没有一个认识的；--template 打印全部列名".into(),
                    "this row should be the heading, and names no known column; --template prints all of them".into(),
                ),
            )]);
        };
        let heading = Self::read(&lines[first])?;
        Ok((heading, &lines[first + 1..]))
    }

    fn read((row, cells): &Line) -> Result<Self, Vec<Defect>> {
        let mut places = BTreeMap::new();
        let mut defects = Vec::new();
        for (place, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            match named(cell) {
                None => defects.push(Defect::new(*row, cell, unknown(cell))),
                Some(column) if places.insert(column.key, place).is_some() => {
                    defects.push(Defect::new(*row, cell, ("此列出现两次".into(), "this column is there twice".into())));
                }
                Some(_) => {}
            }
        }
        let needed = |c: &&Column| c.needed || (c.key == "field" && !places.contains_key("address"));
        for column in COLUMNS.iter().filter(needed).filter(|c| !places.contains_key(c.key)) {
            let name = format!("{} {}", column.zh, column.key);
            defects.push(Defect::new(*row, &name, ("缺少此列".into(), "this column is missing".into())));
        }
        if defects.is_empty() { Ok(Self(places)) } else { Err(defects) }
    }

    /// How many cells a row can have.
    pub(super) fn width(&self) -> usize {
        self.0.values().max().map_or(0, |last| last + 1)
    }

    /// The columns in which a row has something.
    pub(super) fn filled(&self, cells: &[String]) -> Vec<&'static str> {
        self.0.keys().filter(|key| self.cell(cells, key).is_some()).copied().collect()
    }

    /// The cell of a column; empty cells and absent columns are `None`.
    pub(super) fn cell<'a>(&self, cells: &'a [String], key: &str) -> Option<&'a str> {
        let cell = cells.get(*self.0.get(key)?)?;
        (!cell.is_empty()).then_some(cell.as_str())
    }
}

/// The column that a heading names; a unit in brackets behind it does not count.
fn named(cell: &str) -> Option<&'static Column> {
    let word = cell.to_lowercase();
    let word = word.split(['(', '（', '[', '【']).next().unwrap_or_default().trim();
    COLUMNS.iter().find(|c| c.key == word || c.zh == word || c.others.contains(&word))
}

/// An unknown heading, with the column that was perhaps meant.
fn unknown(cell: &str) -> (String, String) {
    let alike = |c: &&Column| cell.chars().filter(|letter| c.zh.contains(*letter)).count() >= 2;
    match COLUMNS.iter().find(alike) {
        Some(c) => (
            format!("不认识的列名，是不是“{}”？--template 打印全部列名", c.zh),
            format!("unknown column; is `{}` meant? --template prints all of them", c.key),
        ),
        None => {
            ("不认识的列名；--template 打印全部列名".into(), "unknown column; --template prints all of them".into())
        }
    }
}

/// Both names of a column, for defects.
pub(super) fn title(key: &str) -> String {
    COLUMNS.iter().find(|c| c.key == key).map_or_else(|| key.to_owned(), |c| format!("{} {}", c.zh, c.key))
}

/// All columns by key.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|c| c.key)
}

/// True when a row must have it.
pub(super) fn is_needed(key: &str) -> bool {
    COLUMNS.iter().any(|c| c.key == key && c.needed)
}
