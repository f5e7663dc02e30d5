//! Rows of a tag list to `[[device]]` and `[[point]]` tables.

use super::Defect;
use super::columns::{Heading, is_needed, title};
use super::sheet::Line;
use serde::Serialize;
use std::collections::BTreeMap;
use std::str::FromStr;

/// The piece of configuration.
pub(super) struct Fragment {
    pub(super) text: String,
    pub(super) devices: usize,
    pub(super) points: usize,
}

#[derive(Default, Serialize)]
struct Tables {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    device: Vec<Device>,
    point: Vec<Point>,
}

#[derive(Clone, PartialEq, Serialize)]
struct Device {
    key: String,
    link: String,
    unit: u16,
    profile: String,
    area: String,
}

#[derive(Serialize)]
struct Point {
    key: String,
    name: String,
    name_en: String,
    device: String,
    field: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    word_order: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    limits: BTreeMap<&'static str, Limit>,
}

#[derive(Serialize)]
struct Limit {
    limit: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadband: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_s: Option<f64>,
    priority: u8,
    #[serde(flatten)]
    words: BTreeMap<&'static str, String>,
}

/// What a limit says to people; the Chinese ones are needed for priorities 1 and 2.
const WORDS: [(&str, &str); 4] = [("cause", "原因"), ("consequence", "后果"), ("action", "处置"), ("action_en", "")];

const KINDS: [(&str, &str); 9] = [
    ("gas", "气体"),
    ("pressure", "压力"),
    ("temperature", "温度"),
    ("level", "液位"),
    ("flow", "流量"),
    ("speed", "风速"),
    ("percent", "百分比"),
    ("state", "状态"),
    ("other", "其他"),
];

/// The whole list, or everything that is wrong with it.
pub(super) fn fragment(lines: &[Line]) -> Result<Fragment, Vec<Defect>> {
    let Some((first, rest)) = lines.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err(vec![Defect::new(0, "", ("没有数据行".into(), "there are no rows".into()))]);
    };
    let heading = Heading::read(first)?;
    let mut defects = Vec::new();
    let mut tables = Tables::default();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (row, cells) in rest {
        let mut reader = Row { row: *row, cells, heading: &heading, defects: &mut defects };
        let device = reader.device();
        let point = reader.point();
        if let Some(other) = seen.insert(point.key.clone(), *row).filter(|_| !point.key.is_empty()) {
            reader.wrong("key", format!("位号与第 {other} 行相同"), format!("the tag is that of row {other}"));
        }
        if let Some(device) = device {
            match tables.device.iter().find(|d| d.key == device.key) {
                None => tables.device.push(device),
                Some(same) if *same == device => {}
                Some(_) => reader.wrong(
                    "device",
                    "此仪表在前面的行中链路、站号、型号或区域不同".into(),
                    "an earlier row gives this device another link, unit id, profile or area".into(),
                ),
            }
        }
        tables.point.push(point);
    }
    if !defects.is_empty() {
        return Err(defects);
    }
    let (devices, points) = (tables.device.len(), tables.point.len());
    let body = toml::to_string(&tables).expect("tables of texts and numbers");
    let text = format!("# 由位号表导入 imported from a tag list: {devices} + {points}\n\n{body}");
    Ok(Fragment { text, devices, points })
}

struct Row<'a> {
    row: usize,
    cells: &'a [String],
    heading: &'a Heading,
    defects: &'a mut Vec<Defect>,
}

impl Row<'_> {
    fn wrong(&mut self, key: &str, zh: String, en: String) {
        self.defects.push(Defect::new(self.row, &title(key), (zh, en)));
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let cell = self.heading.cell(self.cells, key).map(str::to_owned);
        if cell.is_none() && is_needed(key) {
            self.wrong(key, "不能为空".into(), "must not be empty".into());
        }
        cell
    }

    fn number<T: FromStr>(&mut self, key: &str) -> Option<T> {
        let cell = self.text(key)?;
        let number = cell.parse().ok();
        if number.is_none() {
            self.wrong(key, format!("“{cell}”不能用作此列的数"), format!("`{cell}` is no number for this column"));
        }
        number
    }

    fn real(&mut self, key: &str) -> Option<f64> {
        let number: f64 = self.number(key)?;
        if !number.is_finite() {
            self.wrong(key, "不是有限的数".into(), "not a finite number".into());
            return None;
        }
        Some(number)
    }

    /// A row that gives link, unit id or profile describes its device.
    fn device(&mut self) -> Option<Device> {
        let given = ["link", "unit_id", "profile"].map(|key| self.heading.cell(self.cells, key).is_some());
        if !given.contains(&true) {
            return None;
        }
        for key in ["link", "unit_id", "profile", "area"] {
            if self.heading.cell(self.cells, key).is_none() {
                let zh = "链路、站号、型号、区域要么都写，要么都不写（区域除外）".into();
                self.wrong(key, zh, "a row that describes its device gives link, unit id, profile and area".into());
            }
        }
        let unit = self.number("unit_id")?;
        Some(Device {
            key: self.heading.cell(self.cells, "device")?.to_owned(),
            link: self.text("link")?,
            unit,
            profile: self.text("profile")?,
            area: self.text("area")?,
        })
    }

    fn point(&mut self) -> Point {
        let name = self.text("name").unwrap_or_default();
        let key = self.text("key").unwrap_or_default();
        let range = self.range();
        Point {
            name_en: self.text("name_en").unwrap_or_else(|| key.clone()),
            key,
            name,
            device: self.text("device").unwrap_or_default(),
            field: self.text("field").unwrap_or_default(),
            kind: self.kind(),
            unit: self.text("unit"),
            range,
            decimals: self.number("decimals"),
            period_ms: self.number("period_ms"),
            area: self.text("area"),
            word_order: self.text("word_order"),
            limits: self.limits(range),
        }
    }

    fn kind(&mut self) -> String {
        let Some(cell) = self.text("kind") else { return String::new() };
        let word = cell.to_lowercase();
        if let Some((key, _)) = KINDS.iter().find(|(key, zh)| *key == word || *zh == word) {
            return (*key).to_owned();
        }
        let known = KINDS.map(|(key, zh)| format!("{zh} {key}")).join(", ");
        self.wrong("kind", format!("没有类别“{cell}”；可用：{known}"), format!("there is no kind `{cell}`"));
        String::new()
    }

    fn range(&mut self) -> Option<(f64, f64)> {
        let (low, high) = (self.real("low"), self.real("high"));
        match (low, high) {
            (Some(low), Some(high)) if low < high => Some((low, high)),
            (Some(_), Some(_)) => {
                self.wrong("high", "量程上限必须大于下限".into(), "the range must end above its beginning".into());
                None
            }
            (None, None) => None,
            _ => {
                self.wrong("low", "量程要上下限都写".into(), "a range needs both ends".into());
                None
            }
        }
    }

    fn limits(&mut self, range: Option<(f64, f64)>) -> BTreeMap<&'static str, Limit> {
        let given = [("ll", "LL"), ("l", "L"), ("h", "H"), ("hh", "HH")];
        let values: Vec<(&str, &'static str, f64)> =
            given.into_iter().filter_map(|(key, word)| Some((key, word, self.real(key)?))).collect();
        for pair in values.windows(2) {
            if pair[0].2 >= pair[1].2 {
                let (low, high) = (pair[0].1, pair[1].1);
                self.wrong(pair[1].0, format!("{low} 必须小于 {high}"), format!("{low} must be below {high}"));
            }
        }
        for (key, word, value) in &values {
            if range.is_some_and(|(low, high)| *value < low || *value > high) {
                self.wrong(key, format!("{word} 在量程之外"), format!("{word} lies outside of the range"));
            }
        }
        let priority = self.number("priority").unwrap_or(3);
        let words: BTreeMap<&'static str, String> =
            WORDS.iter().filter_map(|(key, _)| Some((*key, self.text(key)?))).collect();
        if priority <= 2 && !values.is_empty() {
            for (key, zh) in WORDS.iter().filter(|(key, zh)| !zh.is_empty() && !words.contains_key(key)) {
                self.wrong(key, format!("优先级 1、2 必须写{zh}"), format!("priorities 1 and 2 need the {key}"));
            }
        }
        let (deadband, delay_s) = (self.real("deadband"), self.real("delay_s"));
        let limit = |(_, word, limit): (&str, &'static str, f64)| {
            (word, Limit { limit, deadband, delay_s, priority, words: words.clone() })
        };
        values.into_iter().map(limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.lines().enumerate().map(|(n, l)| (n + 1, l.split(',').map(str::to_owned).collect())).collect()
    }

    fn defects(text: &str) -> Vec<(usize, String)> {
        let found = fragment(&lines(text)).err().unwrap();
        found.into_iter().map(|d| (d.row, d.column)).collect()
    }

    const HEAD: &str = "位号,名称,类别,仪表,量,量程下限,量程上限,高限,高高限";

    #[test]
    fn every_defect_is_told_with_its_row_and_column() {
        let list = format!(
            "{HEAD}\nGT-1,氨,gas,D,c,0,100,25,50\nGT-1,氨,气体,D,c,0,100,25,50\nGT-2,,gaz,D,c,0,x,25,50\n\
             GT-3,氨,gas,D,c,100,0,25,50\nGT-4,氨,gas,D,c,0,100,50,25\nGT-5,氨,gas,D,c,0,20,25,"
        );
        let found = defects(&list);
        let expected = [
            (3, "位号 key"),
            (4, "名称 name"),
            (4, "量程上限 high"),
            (4, "量程下限 low"),
            (4, "类别 kind"),
            (5, "量程上限 high"),
            (6, "高高限 hh"),
            (7, "高限 h"),
        ];
        let expected: Vec<(usize, String)> = expected.into_iter().map(|(row, c)| (row, c.to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn unknown_and_missing_columns_are_told() {
        let found = defects("位号,名称,类别,仪表,foo,位号\nGT-1,氨,gas,D,c,x");
        let expected = [(1, "foo"), (1, "位号"), (1, "量 field")];
        assert_eq!(found, expected.map(|(row, column)| (row, column.to_owned())));
    }

    #[test]
    fn a_list_without_rows_is_a_defect_of_the_file() {
        assert_eq!(defects(HEAD), [(0, String::new())]);
    }
}
