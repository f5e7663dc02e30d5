//! Tables for people: the heads in zh-CN and under them in en, every column as wide as what stands in it.
//!
//! Owns widths and alignment in columns of a terminal, where a Chinese character takes two. Leaves what stands in the cells to
//! the commands.

use super::past::columns;

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
    let all: Vec<&[String; N]> = all.into_iter().chain(rows).collect();
    let widths: [usize; N] = std::array::from_fn(|n| all.iter().map(|row| columns(&row[n])).max().unwrap_or_default());
    let line = |row: &&[String; N]| {
        let cells =
            heads.iter().zip(row.iter()).zip(widths).map(|((head, cell), width)| aligned(cell, head.right, width));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

fn aligned(cell: &str, right: bool, width: usize) -> String {
    let blank = " ".repeat(width.saturating_sub(columns(cell)));
    if right { format!("{blank}{cell}") } else { format!("{cell}{blank}") }
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
    fn a_table_without_rows_has_no_heads_either() {
        assert!(lines(&[words("仪表", "device")], &[]).is_empty());
    }
}
