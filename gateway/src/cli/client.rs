//! `status` and `events`: questions to a running gateway over its own HTTP interface.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::serve::runtime;
use serde_json::Value;
use std::time::Duration;

/// Which gateway is asked.
#[derive(Debug, clap::Args)]
struct Target {
    /// Address of the page.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    target: Target,
    /// Once a second until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

/// Arguments of `events`.
#[derive(Debug, clap::Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    target: Target,
    /// Only events after this number.
    #[arg(long, default_value_t = 0)]
    after: u64,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// One screen.
pub(super) fn status(args: &StatusArgs) -> Exit {
    loop {
        match get(&args.target.url, "/api/v1/status") {
            Ok(answer) if args.target.json => println!("{answer}"),
            Ok(answer) => print_status(&answer),
            Err(exit) => return exit,
        }
        if !args.watch {
            return Exit::Ok;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// A list, oldest first.
pub(super) fn events(args: &EventsArgs) -> Exit {
    let path = format!("/api/v1/events?after_seq={}&limit={}", args.after, args.limit);
    let answer = match get(&args.target.url, &path) {
        Ok(answer) => answer,
        Err(exit) => return exit,
    };
    let list = answer.as_array().or_else(|| answer.get("events").and_then(Value::as_array));
    match list {
        Some(list) if !args.target.json => list.iter().for_each(|event| println!("{}", event_line(event))),
        _ => println!("{answer}"),
    }
    Exit::Ok
}

fn event_line(event: &Value) -> String {
    let word = |keys: &[&str]| {
        keys.iter().find_map(|k| event.get(*k)).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
    };
    [word(&["seq"]), word(&["time", "utc_ms"]), word(&["kind"]), word(&["text_zh", "text"]), word(&["text_en"])]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("  ")
}

fn print_status(answer: &Value) {
    let Some(table) = answer.as_object() else {
        println!("{answer}");
        return;
    };
    for (key, value) in table {
        match value {
            Value::Array(list) => println!("{key:<16} {} 项 entries", list.len()),
            Value::String(text) => println!("{key:<16} {text}"),
            other => println!("{key:<16} {other}"),
        }
    }
}

fn get(url: &str, path: &str) -> Result<Value, Exit> {
    let runtime = runtime()?;
    let address = format!("{}{path}", url.trim_end_matches('/'));
    let answer = runtime.block_on(async {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
        let response = client.get(&address).send().await?;
        Ok::<_, reqwest::Error>((response.status(), response.text().await?))
    });
    match answer {
        Ok((status, text)) if status.is_success() => serde_json::from_str(&text).map_err(|_| {
            eprintln!("{address}: 回答不是 JSON · the answer is not JSON");
            Exit::Io
        }),
        Ok((status, _)) => {
            eprintln!("{address}: {status}");
            Err(Exit::Io)
        }
        Err(error) => {
            eprintln!("{address}: 连接不上，网关在运行吗？ · no connection, is the gateway running? ({error})");
            Err(Exit::Io)
        }
    }
}
