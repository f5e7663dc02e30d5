//! What `kpi` and `replay` have in common: the folder of a site, and a time given as a day, a moment or milliseconds.

use super::{Exit, given};
use crate::moment;
use crate::store::{Past, Span, StoreError};
use std::path::Path;

/// The data of the site of a configuration; the exit code with its words already said.
pub(super) fn open(config: &Path) -> Result<Past, Exit> {
    let folder = given::site_folder(
        config,
        "镇办没有报警规则和历史数据；请用站点的配置文件 · an office has no rules and no history; give the file of a site",
    )?;
    Past::open(&folder.dir).map_err(|error| failed(&error, &folder.dir))
}

/// Says what is wrong with the files, and what to do.
pub(super) fn failed(error: &StoreError, dir: &Path) -> Exit {
    let dir = dir.display();
    match error {
        StoreError::NewerVersion(..) => {
            eprintln!("数据由更新的版本写成，请用该版本 · {error}");
            return Exit::NewerStore;
        }
        StoreError::Io(_, io) if io.kind() == std::io::ErrorKind::NotFound => eprintln!(
            "{dir} 中没有记录：网关还没有运行过，或 data_dir 写错了\n\
             there are no records in {dir}: the gateway has never run, or data_dir is wrong"
        ),
        other => eprintln!(
            "无法读取 {dir} 中的数据：{other}；先用 store verify 核对\n\
             the data in {dir} cannot be read: {other}; look with `store verify` first"
        ),
    }
    Exit::Io
}

/// From and to of the arguments; what is not given comes from `usual`.
pub(super) fn span(from: Option<&str>, to: Option<&str>, usual: Span) -> Result<Span, Exit> {
    let read = |text: Option<&str>, usual: i64, end: bool| match text {
        None => Ok(usual),
        Some(text) => moment::read(text, end).ok_or_else(|| no_time(text)),
    };
    let (from_ms, to_ms) = (read(from, usual.from_ms, false)?, read(to, usual.to_ms, true)?);
    if from_ms < to_ms {
        return Ok(Span { from_ms, to_ms });
    }
    let told = |text: Option<&str>, ms: i64| text.map_or_else(|| moment::site_text(ms), str::to_owned);
    let (from, to) = (told(from, from_ms), told(to, to_ms));
    eprintln!("起始时间 {from} 不早于截止时间 {to}\nit begins at {from}, which is not before its end {to}");
    Err(Exit::Usage)
}

fn no_time(text: &str) -> Exit {
    eprintln!(
        "“{text}”不是时间：写成 2026-11-24、2026-11-24T08:00（北京时间）、2026-11-24T00:00:00Z 或毫秒数\n\
         `{text}` is no time: write 2026-11-24, 2026-11-24T08:00 (both in the time of the site, +08:00), 2026-11-24T00:00:00Z or milliseconds"
    );
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_that_ends_before_it_begins_is_refused() {
        let usual = Span { from_ms: 0, to_ms: 10 };
        assert_eq!(span(None, Some("1970-01-01"), usual).unwrap().to_ms, 16 * 3_600_000 - 1);
        assert_eq!(span(Some("20"), None, usual), Err(Exit::Usage));
    }
}
