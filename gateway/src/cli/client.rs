//! `status` and `events`: questions to a running station over its own HTTP interface.
//!
//! Owns what is asked and how it is written out. Leaves who is asked and as whom to [`super::asked`], and what is shown to [`super::screen`].

use super::asked::{Asked, Target, Trouble};
use super::link::{block_on, until_ctrl_c};
use super::table::cut;
use super::{Exit, no_such, past, screen};
use crate::config;
use crate::store::Span;
use crate::text::counted;
use rules::RuleBook;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    target: Target,
    /// 每秒刷新，Ctrl-C 结束 · once a second until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

/// Arguments of `events`.
#[derive(Debug, clap::Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    target: Target,
    /// 只列此号之后的；不给则列最新的 · only events after this number; the newest when not given.
    #[arg(long)]
    after: Option<u64>,
    /// 最多条数 · at most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// 种类或其首段，可重复，如 --type alarm --type operator.action · a kind or its first part; may be repeated.
    #[arg(long = "type", value_name = "KIND")]
    kinds: Vec<String>,
    /// 报警，如 GT-101:HH · of one alarm.
    #[arg(long)]
    alarm: Option<String>,
    /// 测点的报警、旁路和停用 · alarms, bypasses and service of one point.
    #[arg(long)]
    point: Option<String>,
    /// 级别 1 至 4，可重复 · priority; may be repeated.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    priority: Vec<u8>,
    /// 自何时：2026-11-24、2026-11-24T08:00（北京时间）、2026-11-24T00:00:00Z 或毫秒 · from when: a day or moment of the site (+08:00), a moment with its offset, or milliseconds.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// 至何时 · until when.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
}

/// With every kind that `--type` takes: a mistyped one is told the nearest only.
pub(super) fn events_help() -> String {
    let kinds = crate::web::event_kinds();
    format!(
        "例 example:  hazard-gateway events --type alarm --point GT-101 --since 2026-11-24 --config /etc/hazard-gateway/site.toml\n\n\
         --type 的全部种类；写首段（如 alarm）即该段全部 · all kinds of --type; the first part, such as alarm, is all of its kinds:\n  {}",
        kinds.join("\n  ")
    )
}

impl EventsArgs {
    /// That nothing came, and where a name that the file does not have may be why: the journal may still know it of earlier.
    fn none(&self) -> String {
        let book = self.target.config.as_deref().and_then(|file| config::check_site(file).value).map(|site| site.book);
        let of_alarm = |book: &RuleBook| no_such::alarm(book, self.alarm.as_deref()?);
        let of_point = |book: &RuleBook| no_such::point(book, self.point.as_deref()?);
        let unknown = book.and_then(|book| of_alarm(&book).or_else(|| of_point(&book)));
        let none = "没有符合条件的事件 · no event matches".to_owned();
        unknown.map_or(none.clone(), |unknown| format!("{none}\n{unknown}"))
    }

    /// What narrows the list, as the station's query.
    fn filters(&self) -> Result<Vec<(&'static str, String)>, Exit> {
        let mut pairs: Vec<(&str, String)> = self.kinds.iter().map(|kind| ("type", kind.clone())).collect();
        pairs.extend(self.priority.iter().map(|priority| ("priority", priority.to_string())));
        pairs.extend(self.alarm.iter().map(|alarm| ("alarm", alarm.clone())));
        pairs.extend(self.point.iter().map(|point| ("point", point.clone())));
        if self.since.is_some() || self.until.is_some() {
            let ever = Span { from_ms: i64::MIN, to_ms: i64::MAX };
            let span = past::span(self.since.as_deref(), self.until.as_deref(), ever)?;
            pairs.extend(self.since.iter().map(|_| ("since", span.from_ms.to_string())));
            pairs.extend(self.until.iter().map(|_| ("until", span.to_ms.to_string())));
        }
        Ok(pairs)
    }
}

/// One screen, or one a second.
pub(super) fn status(args: &StatusArgs) -> Exit {
    block_on(async {
        let asked = Asked::of(&args.target)?;
        if args.watch {
            return until_ctrl_c(watch(&asked)).await.unwrap_or(Ok(Exit::Ok));
        }
        let lines = asked.screen().await.map_err(Trouble::said)?;
        write_lines(&lines, "", "")
    })
}

/// A list, oldest first.
pub(super) fn events(args: &EventsArgs) -> Exit {
    block_on(async {
        let asked = Asked::of(&args.target)?;
        let filters = args.filters()?;
        let (answer, stopped) = asked.events(args.after, args.limit, &filters).await.map_err(Trouble::said)?;
        let lines = match answer.as_array() {
            Some(list) if !asked.json => list.iter().map(screen::event).collect(),
            _ => vec![answer.to_string()],
        };
        let done = write_lines(&lines, "", "");
        if answer.as_array().is_some_and(Vec::is_empty) && !asked.json {
            eprintln!("{}", args.none());
        }
        // beside the list: a program that reads it gets the list alone
        stopped.iter().for_each(|stopped| eprintln!("{}", screen::stopped(*stopped)));
        done
    })
}

/// Until Ctrl-C. The first answer must come; later the last picture stays while the station does not answer, with the reason below it.
async fn watch(asked: &Asked) -> Result<Exit, Exit> {
    let terminal = io::stdout().is_terminal() && !asked.json;
    let mut lines = asked.screen().await.map_err(Trouble::said)?;
    let mut begin = "\x1b[2J\x1b[H";
    let mut turn = tokio::time::interval(WATCH_EVERY);
    turn.tick().await;
    let mut trouble: Option<Trouble> = None;
    loop {
        let mut shown = lines.clone();
        shown.extend(trouble.iter().map(|trouble| trouble.text.clone()));
        match terminal {
            true => write_lines(&fitting(shown), begin, "\x1b[K")?,
            false => write_lines(&shown, "", "")?,
        };
        begin = "\x1b[H";
        turn.tick().await;
        match asked.screen().await {
            Ok(new) => (lines, trouble) = (new, None),
            Err(why) => trouble = Some(why),
        }
    }
}

/// What a terminal has room for, in rows and columns: the rest would push the head out of sight.
fn fitting(mut lines: Vec<String>) -> Vec<String> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).map_or((0, 0), |size| (size.ws_row, size.ws_col));
    let (rows, columns) = (usize::from(size.0), usize::from(size.1));
    if columns > 0 {
        lines.iter_mut().for_each(|line| *line = cut(line, columns));
    }
    if rows > 2 && lines.len() >= rows {
        let hidden = lines.len() + 2 - rows;
        lines.truncate(rows - 2);
        lines.push(format!("… 另有 {hidden} 行 · {}", counted(hidden, "more line")));
    }
    lines
}

fn write_lines(lines: &[String], begin: &str, end_of_line: &str) -> Result<Exit, Exit> {
    let mut text: String = begin.to_owned();
    lines.iter().for_each(|line| text.extend([line, end_of_line, "\n"]));
    if !end_of_line.is_empty() {
        text.push_str("\x1b[J");
    }
    written(text.as_bytes()).map(|()| Exit::Ok)
}

/// What `println!` of the commands is: who reads it may have seen enough, and the command goes on to its own end and code.
pub(super) fn line(words: std::fmt::Arguments<'_>) {
    if let Err(exit) = written(words.to_string().as_bytes())
        && exit != Exit::Ok
    {
        std::process::exit(i32::from(exit.code()));
    }
}

/// What `eprintln!` of the commands is: nobody who reads it is no reason to stop.
pub(super) fn beside(words: std::fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_all(words.to_string().as_bytes());
}

/// To standard output; a reader that has seen enough (`| head`) is no fault.
pub(super) fn written(bytes: &[u8]) -> Result<(), Exit> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Exit::Ok),
        Err(_) => Err(Exit::Io),
    }
}

#[cfg(test)]
mod tests {
    use super::EventsArgs;
    use clap::Parser;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        events: EventsArgs,
    }

    #[test]
    fn a_list_without_events_says_so_and_names_what_the_file_does_not_have() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/demo-site.toml");
        let none = |narrow: &[&str]| {
            let all = [&["events", "--config", file], narrow].concat();
            Alone::try_parse_from(all).unwrap().events.none()
        };
        assert_eq!(none(&["--point", "GT-101"]), "没有符合条件的事件 · no event matches");
        let mistyped = none(&["--point", "GT-10l"]);
        assert!(mistyped.contains("no event matches\nGT-10l: 没有这个测点；是不是 GT-10"), "{mistyped}");
        assert!(none(&["--alarm", "GT-101:XX"]).contains("没有这个报警"));
    }
}
