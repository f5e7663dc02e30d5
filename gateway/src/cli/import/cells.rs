//! The cells of one row of a tag list, each as what its column wants: a text, a number, yes or no, two ends of a span.
//!
//! Owns what a cell may hold and how it is refused, by row and column. Leaves what a row makes of them to [`super::row`].

use super::Defect;
use super::columns::{Heading, is_needed, title};
use std::fmt::Display;
use std::str::FromStr;

/// One row, and where its defects go.
pub(super) struct Row<'a> {
    pub(super) row: usize,
    pub(super) cells: &'a [String],
    pub(super) heading: &'a Heading,
    pub(super) defects: &'a mut Vec<Defect>,
}

impl Row<'_> {
    pub(super) fn wrong(&mut self, key: &str, zh: String, en: String) {
        self.defects.push(Defect::new(self.row, &title(key), (zh, en)));
    }

    pub(super) fn cell(&self, key: &str) -> Option<&str> {
        self.heading.cell(self.cells, key)
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let cell = self.cell(key).map(str::to_owned);
        if cell.is_none() && is_needed(key) {
            self.wrong(key, "不能为空".into(), "must not be empty".into());
        }
        cell
    }

    /// A row whose cells are not those that the person sees in it; nothing else is said of such a one.
    pub(super) fn is_torn(&mut self) -> bool {
        let lines = self.cells.iter().find(|cell| cell.contains('\n'));
        if let Some(cell) = lines {
            let begin: String = cell.lines().next().unwrap_or_default().chars().take(20).collect();
            let zh = format!("从“{begin}”起的一格跨了多行：引号没有成对，或格内有换行");
            let en = format!(
                "the cell that begins with `{begin}` runs over several rows: a quote is missing, or the cell has a line break"
            );
            self.defects.push(Defect::new(self.row, "", (zh, en)));
            return true;
        }
        let beyond = self.cells.iter().skip(self.heading.width()).find(|cell| !cell.is_empty());
        if let Some(cell) = beyond {
            let zh = format!("列名之外还有一格“{cell}”：文字中有逗号而没有引号，或少了列名");
            let en = format!(
                "`{cell}` stands beyond the last column: a text with a comma has no quotes, or a heading is missing"
            );
            self.defects.push(Defect::new(self.row, "", (zh, en)));
            return true;
        }
        false
    }

    pub(super) fn number<T: FromStr>(&mut self, key: &str) -> Option<T> {
        let cell = self.text(key)?;
        let number = cell.parse().ok();
        if number.is_none() {
            self.wrong(
                key,
                format!("“{cell}”不是此列的数：只写半角数字，不带单位和千位逗号"),
                format!("`{cell}` is no number for this column: digits only, without unit and thousands separators"),
            );
        }
        number
    }

    /// A number within what `check` takes, so that it is told with its row and not with a line of what was made of it.
    pub(super) fn within<T: FromStr + PartialOrd + Display>(&mut self, key: &str, least: T, most: T) -> Option<T> {
        let number: T = self.number(key)?;
        if number < least || number > most {
            let (zh, en) =
                (format!("{number} 不在 {least}–{most} 之间"), format!("{number} is not within {least}–{most}"));
            self.wrong(key, zh, en);
            return None;
        }
        Some(number)
    }

    pub(super) fn real(&mut self, key: &str) -> Option<f64> {
        let number: f64 = self.number(key)?;
        if !number.is_finite() {
            self.wrong(key, "不是有限的数".into(), "not a finite number".into());
            return None;
        }
        Some(number)
    }

    pub(super) fn yes_or_no(&mut self, key: &str) -> Option<bool> {
        let cell = self.text(key)?;
        match cell.to_lowercase().as_str() {
            "是" | "yes" | "true" => Some(true),
            "否" | "no" | "false" => Some(false),
            _ => {
                self.wrong(key, format!("“{cell}”应为是或否"), format!("`{cell}` is neither yes nor no"));
                None
            }
        }
    }

    /// Two different numbers in one cell: the values at 4 and at 20 mA.
    pub(super) fn span(&mut self, key: &str) -> Option<(f64, f64)> {
        let cell = self.text(key)?;
        let span = pair(&cell).filter(|(at_4, at_20)| at_4.is_finite() && at_20.is_finite() && at_4 != at_20);
        if span.is_none() {
            self.wrong(
                key,
                format!("“{cell}”不是 4 mA 与 20 mA 时的两个值，如 0..10"),
                format!("`{cell}` is not the two values at 4 and 20 mA, such as 0..10"),
            );
        }
        span
    }
}

/// `0..10`, `0,10`, `[0, 10]`, `0~10`; a hyphen is a sign here.
pub(super) fn pair(cell: &str) -> Option<(f64, f64)> {
    let cell = cell.trim_start_matches('[').trim_end_matches(']');
    let (at_4, at_20) = ["..", ",", "，", "~", "～", "–", "至"].iter().find_map(|between| cell.split_once(between))?;
    Some((at_4.trim().parse().ok()?, at_20.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn a_span_is_two_numbers_in_the_ways_in_which_people_write_them() {
        for cell in ["0..12.5", "0,12.5", "[0, 12.5]", "0 ～ 12.5", "0至12.5", "0–12.5"] {
            assert_eq!(pair(cell), Some((0.0, 12.5)), "{cell}");
        }
        assert_eq!(pair("-50..-150"), Some((-50.0, -150.0)));
        for cell in ["", "10", "0-10", "0..", "0..10 m", "0..10..20"] {
            assert_eq!(pair(cell), None, "{cell}");
        }
    }
}
