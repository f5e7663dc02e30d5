//! Rows of a tag list to `[[device]]` and `[[point]]` tables, and to profiles where rows say where a value lies.
//!
//! Owns what rows must not have in common, and from which row each table comes. Leaves a row to [`super::row`] and
//! [`super::registers`], profiles to [`super::drafts`].

use super::Defect;
use super::cells::Row;
use super::columns::{Heading, title};
use super::drafts::Drafted;
use super::row::{Device, Point};
use super::sheet::Line;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The piece of configuration.
pub(super) struct Fragment {
    pub(super) text: String,
    pub(super) devices: usize,
    pub(super) points: usize,
    /// Profiles that it needs, by name.
    pub(super) profiles: BTreeMap<String, String>,
    /// First line of every table, and its row.
    lines: Vec<(usize, usize)>,
}

impl Fragment {
    /// The row that a line of the text comes from.
    pub(super) fn row_of_line(&self, line: usize) -> Option<usize> {
        let behind = self.lines.partition_point(|(first, _)| *first <= line);
        Some(self.lines.get(behind.checked_sub(1)?)?.1)
    }
}

#[derive(Default, Serialize)]
struct Tables {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    device: Vec<Device>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    point: Vec<Point>,
}

/// The whole list with what is wrong in its rows; an error where it has none.
pub(super) fn read(lines: &[Line]) -> Result<(List, Vec<Defect>), Vec<Defect>> {
    let none = || vec![Defect::new(0, "", ("没有数据行".into(), "there are no rows".into()))];
    if lines.is_empty() {
        return Err(none());
    }
    let (heading, rest) = Heading::split(lines)?;
    if rest.is_empty() {
        return Err(none());
    }
    let mut defects = Vec::new();
    let mut list = List::default();
    for (row, cells) in rest {
        list.filled.insert(*row, heading.filled(cells));
        list.add(Row { row: *row, cells, heading: &heading, defects: &mut defects });
    }
    list.undescribed_registers(&mut defects);
    list.defective = !defects.is_empty();
    Ok((list, defects))
}

/// What the rows have become, and in which row each key was first seen. A row with a defect has become nothing.
#[derive(Default)]
pub(super) struct List {
    tables: Tables,
    /// Rows of the tables, in their order.
    device_rows: Vec<usize>,
    point_rows: Vec<usize>,
    tags: BTreeMap<String, usize>,
    units: BTreeMap<(String, u16), (String, usize)>,
    /// Devices that rows name.
    named: BTreeMap<String, usize>,
    /// Devices that rows with a defect name.
    left_out: BTreeSet<String>,
    /// Devices of rows that say where a value lies.
    registers: BTreeMap<String, usize>,
    drafts: Drafted,
    /// Columns in which a row has something.
    filled: BTreeMap<usize, Vec<&'static str>>,
    defective: bool,
}

impl List {
    fn add(&mut self, mut row: Row<'_>) {
        let before = row.defects.len();
        if row.is_torn() {
            return;
        }
        let register = row.register();
        let (device, point) = (row.device(), row.point());
        if let Some(other) = self.tags.insert(point.key.clone(), row.row).filter(|_| !point.key.is_empty()) {
            row.wrong("key", format!("位号与第 {other} 行相同"), format!("the tag is that of row {other}"));
        }
        let of_device = point.device.clone();
        self.named.entry(of_device.clone()).or_insert(row.row);
        if let Some(device) = device {
            self.add_device(device, &mut row, before);
        }
        if row.is_register() {
            self.registers.entry(of_device.clone()).or_insert(row.row);
            let sound = register.filter(|_| row.defects.len() == before);
            let profile = self.described(&of_device).map(|d| d.profile.clone());
            if let Some((register, profile)) = sound.and_then(|r| Some((r, profile.or_else(|| row.profile())?))) {
                self.drafts.add(profile, point.field.clone(), register, &mut row);
            }
        }
        if row.defects.len() > before {
            self.left_out.insert(of_device);
            return;
        }
        self.point_rows.push(row.row);
        self.tables.point.push(point);
    }

    /// `before` this row there were so many defects.
    fn add_device(&mut self, device: Device, row: &mut Row<'_>, before: usize) {
        let unit = (device.link.clone(), device.unit);
        let (other, first) = self.units.entry(unit).or_insert_with(|| (device.key.clone(), row.row));
        if *other != device.key {
            let zh = format!("第 {first} 行已把此站号给了仪表 {other}");
            row.wrong("unit_id", zh, format!("row {first} gives this unit id to the device {other}"));
        }
        match self.described(&device.key) {
            None if row.defects.len() > before => {}
            None => {
                self.device_rows.push(row.row);
                self.tables.device.push(device);
            }
            Some(same) if *same == device => {}
            Some(_) => row.wrong(
                "device",
                "前面的行给这台仪表写的链路、站号、型号或区域与此行不同".into(),
                "an earlier row gives this device another link, unit id, profile or area".into(),
            ),
        }
    }

    fn described(&self, key: &str) -> Option<&Device> {
        self.tables.device.iter().find(|d| d.key == key)
    }

    /// A profile that is written for rows must be the one of their device.
    fn undescribed_registers(&mut self, defects: &mut Vec<Defect>) {
        let alone = |key: &&String| self.described(key).is_none() && !self.left_out.contains(*key);
        let alone: Vec<String> = self.registers.keys().filter(alone).cloned().collect();
        for key in alone {
            let zh = format!("写了寄存器的行，至少有一行要描述仪表 {key}：链路、站号、区域");
            let en =
                format!("of the rows that give registers one at least describes the device {key}: link, unit id, area");
            defects.push(Defect::new(self.registers[&key], &title("device"), (zh, en)));
            self.left_out.insert(key);
        }
    }

    /// The rows without a defect; `source` is the name of the file.
    pub(super) fn fragment(&self, source: &str) -> Fragment {
        let (devices, points) = (self.tables.device.len(), self.tables.point.len());
        let body = toml::to_string(&self.tables).expect("tables of texts and numbers");
        let text = format!("# 由位号表导入 imported from a tag list: {devices} + {points}\n\n{body}");
        let begins = |(n, line): (usize, &str)| matches!(line, "[[device]]" | "[[point]]").then_some(n + 1);
        let rows = self.device_rows.iter().chain(&self.point_rows).copied();
        let lines = text.lines().enumerate().filter_map(begins).zip(rows).collect();
        Fragment { devices, points, profiles: self.drafts.texts(source), lines, text }
    }

    pub(super) fn has_defects(&self) -> bool {
        self.defective
    }

    pub(super) fn has_cell(&self, row: usize, key: &str) -> bool {
        self.filled.get(&row).is_some_and(|filled| filled.contains(&key))
    }

    /// Profiles that rows with registers make.
    pub(super) fn drafts(&self) -> &Drafted {
        &self.drafts
    }

    pub(super) fn links(&self) -> BTreeSet<&str> {
        self.tables.device.iter().map(|d| d.link.as_str()).collect()
    }

    pub(super) fn areas(&self) -> BTreeSet<&str> {
        let of_points = self.tables.point.iter().filter_map(|p| p.area.as_deref());
        self.tables.device.iter().map(|d| d.area.as_str()).chain(of_points).collect()
    }

    /// Devices that rows name and no row describes, with the first of those rows.
    pub(super) fn undescribed(&self) -> BTreeMap<&str, usize> {
        let named = self.named.iter().filter(|(key, _)| !key.is_empty() && self.described(key).is_none());
        named.map(|(key, row)| (key.as_str(), *row)).collect()
    }

    /// Those of them that perhaps only a row with a defect would have described.
    pub(super) fn left_out(&self) -> Vec<&str> {
        self.undescribed().into_keys().filter(|key| self.left_out.contains(*key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.lines().enumerate().map(|(n, l)| (n + 1, l.split(',').map(str::to_owned).collect())).collect()
    }

    fn fragment(lines: &[Line]) -> Result<Fragment, Vec<Defect>> {
        let (list, defects) = read(lines)?;
        if defects.is_empty() { Ok(list.fragment("tags.csv")) } else { Err(defects) }
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
    fn a_title_above_the_heading_and_units_behind_the_names_do_no_harm_and_a_list_without_heading_is_one_defect() {
        let head = HEAD.replace("量程下限", "量程下限（ppm）");
        let list = format!("某厂仪表清单,,\n{head}\nGT-1,氨,gas,D,c,0,100,25,50");
        assert_eq!(fragment(&lines(&list)).ok().unwrap().points, 1);
        assert_eq!(defects("某厂仪表清单,,\nGT-1,氨,gas,D,c,0,100,25,50"), [(1, String::new())]);
    }

    #[test]
    fn what_check_would_refuse_in_the_result_is_told_with_its_row() {
        let head = "位号,名称,类别,仪表,量,链路,站号,型号,区域,周期毫秒,高限,优先级";
        let list = format!(
            "{head}\nP1,a,gas,D1,c,b,11,p,A,1000,5,3\nP2,a,gas,D2,c,b,11,p,A,1000,5,3\nP3,a,gas,D3,c,b,300,p,A,1000,5,3\n\
             P4,a,gas,D4,c,b,14,p,A,10,5,3\nP5,a,gas,D5,c,b,15,p,A,1000,5,9\nP6,a,gas,D6,c,b,,p,A,1000,5,3"
        );
        let expected = [
            (3, "站号 unit_id"),
            (4, "站号 unit_id"),
            (5, "周期毫秒 period_ms"),
            (6, "优先级 priority"),
            (7, "站号 unit_id"),
        ];
        assert_eq!(defects(&list), expected.map(|(row, column)| (row, column.to_owned())));
    }

    #[test]
    fn what_is_only_just_right_is_no_defect_and_what_is_only_just_wrong_is_one() {
        let at_the_top = format!("{HEAD}\nGT-1,氨,gas,D,c,0,100,25,100\nGT-2,氨,gas,D,c,0,100,0,50");
        assert_eq!(fragment(&lines(&at_the_top)).ok().unwrap().points, 2);
        let equal = format!("{HEAD}\nGT-1,氨,gas,D,c,0,100,25,25\nGT-2,氨,gas,D,c,5,5,5,5");
        assert_eq!(defects(&equal)[0], (2, "高高限 hh".to_owned()));
        assert!(defects(&equal).contains(&(3, "量程上限 high".to_owned())));
        let head = "位号,名称,类别,仪表,量,链路,站号,型号,区域,周期毫秒,高限,优先级";
        let two_links = format!("{head}\nP1,a,gas,D1,c,b,11,p,A,1000,5,3\nP2,a,gas,D2,c,b2,11,p,A,1000,5,3");
        assert_eq!(fragment(&lines(&two_links)).ok().unwrap().devices, 2, "a unit id is one of its link");
    }

    #[test]
    fn a_row_torn_by_a_comma_or_a_quote_is_one_defect_and_not_one_for_every_cell_behind_it() {
        let mut list = lines(&format!("{HEAD}\nGT-1,氨,甲,gas,D,c,0,100,25,50\nGT-2,x,gas,D,c,0,100,25,50"));
        list[2].1[1] = "氨,gas\nGT-3,氨".to_owned();
        let found: Vec<(usize, String)> =
            fragment(&list).err().unwrap().into_iter().map(|d| (d.row, d.column)).collect();
        assert_eq!(found, [(2, String::new()), (3, String::new())]);
    }

    #[test]
    fn a_list_without_rows_is_a_defect_of_the_file() {
        assert_eq!(defects(HEAD), [(0, String::new())]);
    }
}
