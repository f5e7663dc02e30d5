//! `reload`: a person asks a running station to take the configuration on the disk, so that the journal has a name and a reason.
//!
//! Owns the words on the command line. Leaves signing in to [`super::person`], who may and what is wrong with the file to the station.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::asked::Trouble;
use super::link::block_on;
use super::person::{Person, PersonArgs};
use crate::web::new_key;
use serde_json::json;
use std::time::Duration;

/// The station checks the whole file before it answers.
const CHECK_LIMIT: Duration = Duration::from_secs(30);

/// Arguments of `reload`.
#[derive(Debug, clap::Args)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    person: PersonArgs,
    /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// 0 in force or about to be, 2 defects, 4 no answer, 5 not allowed or not possible now.
pub(super) fn main(args: &ReloadArgs) -> Exit {
    block_on(reload(args))
}

async fn reload(args: &ReloadArgs) -> Result<Exit, Exit> {
    let person = Person::sign_in(&args.person).await?;
    let body = json!({ "reason": args.reason });
    let done = person.post("/api/v1/config/reload", &body, &new_key(), CHECK_LIMIT).await;
    person.sign_out().await;
    let done = done.map_err(Trouble::said)?;
    if done["changed"] == false {
        println!("没有不同，什么也没有做 · nothing differs, nothing was done");
    } else if done["restart"] == true {
        println!(
            "配置无误；接线不同，网关现在停止并以新配置启动，数秒无读数 · good; the wiring is another: the gateway stops and starts with it \
             now, seconds without readings"
        );
    } else {
        println!("新规则已生效，没有停机 · the rules are in force, without a stop");
    }
    Ok(Exit::Ok)
}
