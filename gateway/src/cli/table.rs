//! Tables for people: the heads in zh-CN and under them in en, or both in one line; every column as wide as what stands in it.
//!
//! Owns widths and alignment in columns of a terminal, where a Chinese character takes two. Leaves what stands in the cells to
//! the commands.

/// What stands between two columns.
const GAP: &str = "  ";

/// One column: its heads, and to which side it is aligned.
pub(super) struct Column {
    zh: &'static str,
    en: &'static str,
    right: bool,
}

/// A column of words.
pub(super) const fn words(zh: &'static str, en: &'static str) -> Column {
    Column { zh, en, right: false }
}

/// A column of numbers.
pub(super) const fn numbers(zh: &'static str, en: &'static str) -> Column {
    Column { zh, en, right: true }
}

/// Two lines of heads and one line per row; without rows nothing.
pub(super) fn lines<const N: usize>(heads: &[Column; N], rows: &[[String; N]]) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let all = [&heads.each_ref().map(|h| h.zh.to_owned()), &heads.each_ref().map(|h| h.en.to_owned())];
    let all: Vec<&[String]> = all.into_iter().chain(rows).map(<[String; N]>::as_slice).collect();
    set(&all, |n| heads[n].right)
}

/// One line of heads and one line per row, set in a little; words only.
pub(super) fn named(names: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let head: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let all: Vec<&[String]> = std::iter::once(&head).chain(rows).map(Vec::as_slice).collect();
    set(&all, |_| false).iter().map(|line| format!("{GAP}{line}").trim_end().to_owned()).collect()
}

/// Every column as wide as its widest cell.
fn set(rows: &[&[String]], right: impl Fn(usize) -> bool) -> Vec<String> {
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|cell| columns(cell)).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows.first().map_or(0, |head| head.len())).map(width).collect();
    let line = |row: &&[String]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(n, (cell, width))| aligned(cell, right(n), *width));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn aligned(cell: &str, right: bool, width: usize) -> String {
    if right { format!("{}{cell}", blank(cell, width)) } else { pad(cell, width) }
}

/// As wide as asked for, or wider.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", blank(text, width))
}

/// No wider than that many columns; what is cut off is shown to be.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let wide = columns(c.encode_utf8(&mut [0; 4]));
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// What a text lacks to a width.
fn blank(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(columns(text)))
}

/// Columns of a terminal that a text takes: a Chinese character is two of them wide.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2E80}' { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_stand_in_both_languages_and_every_column_lines_up_in_a_terminal() {
        let heads = [words("仪表", "device"), numbers("用时", "ms"), words("报警", "alarm")];
        let rows = [["氨罐 PT-1", "5.0", "●"], ["D", "1250.0", ""]].map(|row| row.map(str::to_owned));
        let lines = lines(&heads, &rows);
        assert_eq!(
            lines,
            ["仪表         用时  报警", "device         ms  alarm", "氨罐 PT-1     5.0  ●", "D          1250.0",]
        );
        let ends = |line: &str, word: &str| columns(&line[..line.find(word).unwrap()]) + columns(word);
        assert_eq!(ends(&lines[0], "用时"), ends(&lines[2], "5.0"));
    }

    #[test]
    fn columns_line_up_under_chinese_heads() {
        let lines = named(&["总线 bus", "状态"], &[vec!["a".into(), "通".into()]]);
        assert_eq!(lines, ["  总线 bus  状态", "  a         通"]);
    }

    #[test]
    fn a_line_that_is_too_wide_is_cut_to_the_columns_of_the_terminal_and_shows_it() {
        assert_eq!((cut("总线 bus", 8), cut("总线 bus", 7)), ("总线 bus".into(), "总线 b…".into()));
        assert_eq!((cut("总线 bus", 4), cut("总线", 0)), ("总…".into(), "…".into()));
    }

    #[test]
    fn a_table_without_rows_has_no_heads_either() {
        assert!(lines(&[words("仪表", "device")], &[]).is_empty());
    }
}
