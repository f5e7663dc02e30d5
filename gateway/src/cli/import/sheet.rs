//! Spreadsheet or CSV to lines of text, each with its row number.

use super::Defect;
use calamine::{Data, Reader as _, open_workbook_auto};
use std::io;
use std::path::Path;

/// Larger than any tag list; a file beyond is something else.
const BYTES_MAX: u64 = 32 << 20;
const ROWS_MAX: usize = 50_000;

/// A row with its number as the spreadsheet counts.
pub(super) type Line = (usize, Vec<String>);

/// Why there are no lines.
pub(super) enum Unreadable {
    Io(io::Error),
    Content(Defect),
}

fn content(zh: impl Into<String>, en: impl Into<String>) -> Unreadable {
    Unreadable::Content(Defect::new(0, "", (zh.into(), en.into())))
}

/// What was read.
pub(super) struct List {
    /// All rows that are not empty.
    pub(super) lines: Vec<Line>,
    /// The sheets of a workbook, where one was taken and nobody had named it: first the one that was.
    pub(super) sheets: Vec<String>,
}

/// The rows of a list; of the sheet of that name, else of the first.
pub(super) fn read(path: &Path, sheet: Option<&str>) -> Result<List, Unreadable> {
    let size = std::fs::metadata(path).map_err(Unreadable::Io)?.len();
    if size > BYTES_MAX {
        return Err(content("文件超过 32 MiB", "the file is larger than 32 MiB"));
    }
    let extension = path.extension().and_then(|x| x.to_str()).unwrap_or_default().to_ascii_lowercase();
    let list = match extension.as_str() {
        "csv" | "txt" if sheet.is_some() => {
            return Err(content(
                format!(".{extension} 没有工作表；去掉 --sheet"),
                format!("a .{extension} has no sheets; leave --sheet out"),
            ));
        }
        "csv" | "txt" => List { lines: csv(path)?, sheets: Vec::new() },
        "xlsx" | "xls" | "xlsb" | "ods" => workbook(path, sheet)?,
        other => {
            return Err(content(
                format!("不认识的文件类型 .{other}；请用 .csv 或 .xlsx"),
                format!("unknown kind of file .{other}; use .csv or .xlsx"),
            ));
        }
    };
    if list.lines.len() > ROWS_MAX {
        return Err(content("超过 50000 行", "more than 50000 rows"));
    }
    Ok(list)
}

fn csv(path: &Path) -> Result<Vec<Line>, Unreadable> {
    let bytes = std::fs::read(path).map_err(Unreadable::Io)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        content(
            "文件不是 UTF-8：在表格软件中另存为“CSV UTF-8”或 .xlsx",
            "the file is not UTF-8: save it as “CSV UTF-8” or .xlsx",
        )
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(separator(text));
    let mut reader = builder.from_reader(text.as_bytes());
    let (mut lines, mut rows) = (Vec::new(), Rows { text, at: 0, row: 1, quoted: false });
    for record in reader.records() {
        let record = record.map_err(|e| content(format!("CSV 格式有错：{e}"), format!("not CSV: {e}")))?;
        let row = record.position().map_or(0, |p| rows.of(usize::try_from(p.byte()).unwrap_or(usize::MAX)));
        push(&mut lines, row, record.iter().map(|cell| cell.trim().to_owned()).collect());
    }
    Ok(lines)
}

/// Counts rows. The reader's own count is one too low where lines end with CR LF: it takes the LF for the beginning of the next record.
struct Rows<'a> {
    text: &'a str,
    at: usize,
    row: usize,
    /// Within quotes a line may end without the row's end.
    quoted: bool,
}

impl Rows<'_> {
    /// The row of the record that the reader saw begin at `byte`; records come in their order.
    fn of(&mut self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(here) = bytes.get(self.at).filter(|here| self.at < byte || matches!(here, b'\r' | b'\n')) {
            self.at += 1;
            self.quoted ^= *here == b'"';
            let ends = !self.quoted;
            self.row += usize::from(ends && (*here == b'\n' || (*here == b'\r' && bytes.get(self.at) != Some(&b'\n'))));
        }
        self.row
    }
}

/// What stands between the cells: the one of the three that the first line has most of. Spreadsheets write what their country does.
fn separator(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let often = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    // of equals the last one wins, and most lists have commas
    *b";\t,".iter().max_by_key(|separator| often(separator)).unwrap_or(&b',')
}

fn workbook(path: &Path, sheet: Option<&str>) -> Result<List, Unreadable> {
    let broken = |e: calamine::Error| content(format!("表格文件损坏：{e}"), format!("the workbook is damaged: {e}"));
    let mut book = open_workbook_auto(path).map_err(broken)?;
    let sheets = book.sheet_names();
    let Some(name) = sheet.or(sheets.first().map(String::as_str)) else {
        return Err(content("工作簿中没有工作表", "the workbook has no sheet"));
    };
    if !sheets.iter().any(|known| known == name) {
        return Err(no_sheet(name, &sheets));
    }
    let range = book.worksheet_range(name).map_err(broken)?;
    let first = range.start().map_or(0, |(row, _)| row as usize);
    let mut lines = Vec::new();
    for (n, cells) in range.rows().enumerate() {
        push(&mut lines, first + n + 1, cells.iter().map(cell).collect());
    }
    Ok(List { lines, sheets: if sheet.is_none() { sheets } else { Vec::new() } })
}

fn no_sheet(name: &str, sheets: &[String]) -> Unreadable {
    content(
        format!("没有工作表“{name}”；--sheet 可选：{}", sheets.join("、")),
        format!("there is no sheet `{name}`; --sheet takes one of {}", sheets.join(", ")),
    )
}

fn push(lines: &mut Vec<Line>, row: usize, cells: Vec<String>) {
    if cells.iter().any(|cell| !cell.is_empty()) {
        lines.push((row, cells));
    }
}

/// A number as a person would have typed it: 11, not 11.0.
fn cell(data: &Data) -> String {
    match data {
        Data::Empty => String::new(),
        Data::Error(error) => format!("#{error:?}"),
        other => other.to_string().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{csv, separator};

    #[test]
    fn rows_are_counted_as_the_spreadsheet_does_whatever_ends_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tags.csv");
        for end in ["\n", "\r\n", "\r"] {
            let text = ["\u{feff}位号,名称", "A,a", "", ",", "B,\"b\"", "C,c"].join(end) + end;
            std::fs::write(&path, text).unwrap();
            let Ok(lines) = csv(&path) else { panic!("{end:?}") };
            assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), [1, 2, 5, 6], "{end:?}");
        }
    }

    #[test]
    fn cells_may_be_separated_by_commas_semicolons_or_tabs() {
        assert_eq!(separator("\n位号,名称;旧名\n1;2;3;4\n"), b',');
        assert_eq!(separator("位号;名称;量程,上限"), b';');
        assert_eq!(separator("位号\t名称"), b'\t');
        assert_eq!(separator(""), b',');
    }
}
