//! `operate`: what an operator does to alarms, points and hidden dangers, where no browser is at hand.
//!
//! Each action is one request of the page; it ends as an event with name, role, reason and terminal, or as a refusal in words. It
//! covers only what the person has seen: that is shown and a `y` asked for, or a script says with `--seen-seq` which number it has seen.
//!
//! Owns the words on the command line. Leaves showing to [`super::look`], signing in to [`super::person`], who may and whether it fits to
//! the station.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::asked::{ANSWER_LIMIT, Trouble};
use super::explain::explained;
use super::link::block_on;
use super::look::{Looked, Sees, look};
use super::operate_hazard::HazardAction;
use super::person::{Person, PersonArgs};
use super::{Exit, screen};
use crate::web::new_key;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Arguments of `operate`.
#[derive(Debug, clap::Args)]
pub(super) struct OperateArgs {
    /// 正在运行的站点的配置文件（必需） · file of the running station; needed.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// 用户名（必需） · user name; needed.
    #[arg(long, value_name = "NAME", global = true)]
    by: Option<String>,
    /// 口令文件，权限 0600；不给则在终端询问或从标准输入读一行 · file with the password, mode 0600; without it the terminal asks, or one line of standard input is read.
    #[arg(long, value_name = "FILE", global = true)]
    password_file: Option<PathBuf>,
    /// 页面地址，与文件中的不同时 · address of the page, where it is not the file's.
    #[arg(long, global = true)]
    url: Option<String>,
    /// 所见画面的编号（seq），脚本用 · number of what was seen, for scripts; a terminal shows it and asks.
    #[arg(long, value_name = "N", global = true)]
    seen_seq: Option<u64>,
    /// 幂等键：同一键重复执行只做一次 · the same key again does nothing; made up when not given.
    #[arg(long, value_name = "TEXT", global = true)]
    key: Option<String>,
    /// 以 JSON 回答 · the answer as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

/// One action; the roles are those of the page.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// 确认报警 · acknowledge
    #[command(
        after_help = "例 example:  hazard-gateway operate ack GT-101:H --comment 已到现场 --by zhang --config site.toml"
    )]
    Ack {
        /// 报警，如 GT-101:HH · an alarm, such as GT-101:HH.
        alarm: String,
        /// 备注，记入运行日志 · a comment; goes into the journal.
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// 搁置报警一段时间 · shelve for a while
    #[command(
        after_help = "例 example:  hazard-gateway operate shelve LT-201:H --minutes 30 --reason 正在倒罐 --by zhang --config site.toml"
    )]
    Shelve {
        /// 报警，如 GT-101:HH · an alarm, such as GT-101:HH.
        alarm: String,
        /// 多少分钟 · for how many minutes.
        #[arg(long)]
        minutes: u64,
        /// 恢复正常即结束 · also ends when the alarm returns to normal.
        #[arg(long)]
        one_shot: bool,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    /// 解除搁置（报警中或锁存的视为已确认） · end a shelf; what is active or latched is thereby acknowledged
    #[command(after_help = "例 example:  hazard-gateway operate unshelve LT-201:H --by zhang --config site.toml")]
    Unshelve {
        /// 报警，如 GT-101:HH · an alarm, such as GT-101:HH.
        alarm: String,
        /// 原因，记入运行日志 · why; goes into the journal.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// 复位自锁的报警 · end a latched alarm
    #[command(
        after_help = "例 example:  hazard-gateway operate reset GT-102:HH --reason 现场已检测合格 --by wang --config site.toml"
    )]
    Reset {
        /// 报警，如 GT-101:HH · an alarm, such as GT-101:HH.
        alarm: String,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    /// 凭作业票旁路测点 · take a point's alarms out of effect under a permit
    #[command(after_help = "例 example:  hazard-gateway operate bypass GT-101 --permit DH-12 --requested-by zhang \
        --compensation 专人便携检测 --minutes 120 --reason 储罐区动火 --by sun --config site.toml")]
    Bypass {
        /// 测点，如 GT-101 · a point, such as GT-101.
        point: String,
        /// 作业票号 · number of the permit.
        #[arg(long)]
        permit: String,
        /// 申请人，不得是批准人 · who asked; never who approves.
        #[arg(long, value_name = "NAME")]
        requested_by: String,
        /// 补偿措施 · what watches the place meanwhile.
        #[arg(long)]
        compensation: String,
        /// 多少分钟 · for how many minutes.
        #[arg(long)]
        minutes: u64,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    /// 提前结束旁路 · end a bypass
    #[command(
        after_help = "例 example:  hazard-gateway operate end-bypass GT-101 --reason 动火已结束 --by sun --config site.toml"
    )]
    EndBypass {
        /// 测点，如 GT-101 · a point, such as GT-101.
        point: String,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    /// 测点停用（凭工单） · take a point out of service
    #[command(
        after_help = "例 example:  hazard-gateway operate out-of-service GT-101 --work-order WO-88 --reason 送计量检定 --by chen --config site.toml"
    )]
    OutOfService {
        /// 测点，如 GT-101 · a point, such as GT-101.
        point: String,
        /// 工单号 · number of the work order.
        #[arg(long)]
        work_order: String,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    /// 测点恢复使用 · back into service
    #[command(
        after_help = "例 example:  hazard-gateway operate in-service GT-101 --reason 已检定装回 --by chen --config site.toml"
    )]
    InService {
        /// 测点，如 GT-101 · a point, such as GT-101.
        point: String,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    /// 首出复位 · forget the ranks of a first-out group
    #[command(
        after_help = "例 example:  hazard-gateway operate reset-first-out compressor --by wang --config site.toml"
    )]
    ResetFirstOut {
        /// 首出组 · a first-out group.
        group: String,
        /// 原因，记入运行日志 · why; goes into the journal.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// 设置单元运行方式 · set the mode of a unit
    #[command(
        after_help = "例 example:  hazard-gateway operate mode scrubber maintenance --reason 停机检修 --by zhang --config site.toml"
    )]
    Mode {
        /// 装置 · a unit of the plant.
        unit: String,
        /// 运行、停车、检修 · how the unit runs.
        #[arg(value_parser = ["running", "stopped", "maintenance"])]
        mode: String,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    /// 消音 · stop the sound for a while
    #[command(after_help = "例 example:  hazard-gateway operate silence --by zhang --config site.toml")]
    Silence,
    /// 声光报警器试音 · hear the annunciator
    #[command(
        after_help = "例 example:  hazard-gateway operate test-annunciator --reason 交接班试音 --by zhang --config site.toml"
    )]
    TestAnnunciator {
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    #[command(flatten)]
    Hazard(HazardAction),
}

impl Action {
    /// Path, body, and what must have been seen.
    fn request(&self) -> (String, Value, Sees<'_>) {
        match self {
            Self::Ack { alarm, comment } => {
                (path(&["alarms", alarm, "ack"]), json!({ "comment": comment }), Sees::Call(alarm))
            }
            Self::Shelve { alarm, minutes, one_shot, reason } => {
                let kind = if *one_shot { "one_shot" } else { "timed" };
                of_alarm(alarm, "shelve", json!({ "kind": kind, "duration_s": minutes * 60, "reason": reason }))
            }
            Self::Unshelve { alarm, reason } => of_alarm(alarm, "unshelve", json!({ "reason": reason })),
            Self::Reset { alarm, reason } => of_alarm(alarm, "reset", json!({ "reason": reason })),
            Self::Bypass { point, permit, requested_by, compensation, minutes, reason } => {
                let body = json!({
                    "permit": permit, "requested_by": requested_by, "compensation": compensation, "reason": reason,
                    "duration_s": minutes * 60,
                });
                of_point(point, &["bypass"], body)
            }
            Self::EndBypass { point, reason } => of_point(point, &["bypass", "end"], json!({ "reason": reason })),
            Self::OutOfService { point, work_order, reason } => {
                of_point(point, &["out-of-service"], json!({ "work_order": work_order, "reason": reason }))
            }
            Self::InService { point, reason } => {
                of_point(point, &["out-of-service", "end"], json!({ "reason": reason }))
            }
            Self::ResetFirstOut { group, reason } => {
                (path(&["first-out", group, "reset"]), json!({ "reason": reason }), Sees::Group(group))
            }
            Self::Mode { unit, mode, reason } => {
                (path(&["units", unit, "mode"]), json!({ "mode": mode, "reason": reason }), Sees::Unit(unit))
            }
            Self::Silence => plain(&["silence"], json!({})),
            Self::TestAnnunciator { reason } => plain(&["annunciator", "test"], json!({ "reason": reason })),
            Self::Hazard(action) => action.request(),
        }
    }
}

pub(super) fn plain(parts: &[&str], body: Value) -> (String, Value, Sees<'static>) {
    (path(parts), body, Sees::Nothing)
}

fn of_alarm<'a>(alarm: &'a str, action: &str, body: Value) -> (String, Value, Sees<'a>) {
    (path(&["alarms", alarm, action]), body, Sees::Alarm(alarm))
}

fn of_point<'a>(point: &'a str, action: &[&str], body: Value) -> (String, Value, Sees<'a>) {
    (path(&[&["points", point], action].concat()), body, Sees::Point(point))
}

/// Names of people's own may hold anything.
pub(super) fn path(parts: &[&str]) -> String {
    let mut url = reqwest::Url::parse("http://station/api/v1").expect("it is written so here");
    url.path_segments_mut().expect("an http address has a path").extend(parts);
    url.path().to_owned()
}

/// 0 done or already so, 2 bad usage, 4 no answer, 5 refused by the gateway.
pub(super) fn main(args: &OperateArgs) -> Exit {
    let (Some(config), Some(by)) = (args.config.clone(), args.by.clone()) else {
        eprintln!("缺少 --config 配置文件 或 --by 用户名 · give --config FILE and --by NAME");
        return Exit::Usage;
    };
    let who = PersonArgs { config, by, password_file: args.password_file.clone(), url: args.url.clone() };
    block_on(async {
        let person = Person::sign_in(&who).await?;
        let done = operate(args, &person).await;
        person.sign_out().await;
        done.map_err(Trouble::said)
    })
}

async fn operate(args: &OperateArgs, person: &Person) -> Result<Exit, Trouble> {
    let (path, mut body, sees) = args.action.request();
    if sees != Sees::Nothing {
        let seen = match args.seen_seq {
            Some(seq) => seq,
            None => match look(person, sees, &args.action).await? {
                Looked::Agreed(seq) => seq,
                Looked::AlreadySo(said) => {
                    let answer = json!({ "already_so": true, "records": [] }).to_string();
                    println!("{}", if args.json { answer } else { said });
                    return Ok(Exit::Ok);
                }
            },
        };
        body["seen_seq"] = seen.into();
    }
    let key = args.key.clone().unwrap_or_else(new_key);
    let answer = match person.post(&path, &body, &key, ANSWER_LIMIT).await {
        Ok(answer) => answer,
        Err(trouble) => return Err(explained(person, (&path, sees, body["seen_seq"].as_u64()), trouble).await),
    };
    if args.json {
        println!("{answer}");
    } else if answer["already_so"] == true {
        println!("已是如此，没有改变 · it is so already, nothing was changed");
    } else {
        answer["records"].as_array().into_iter().flatten().for_each(|record| println!("{}", screen::event(record)));
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_peoples_own_stays_one_part_of_the_path() {
        let ack = Action::Ack { alarm: "罐区/1:H".into(), comment: "已看".into() };
        let (path, body, sees) = ack.request();
        assert_eq!(path, "/api/v1/alarms/%E7%BD%90%E5%8C%BA%2F1:H/ack");
        assert_eq!(body["comment"], "已看");
        assert_eq!(sees, Sees::Call("罐区/1:H"));
    }
}
