//! `operate`, hidden dangers: from the registration to the closing, each step one request of the page and what it does in words.

use super::look::Sees;
use super::operate::{path, plain};
use crate::moment;
use serde_json::{Value, json};

/// One step; the roles are those of the page.
#[derive(Debug, clap::Subcommand)]
pub(super) enum HazardAction {
    /// 确认隐患 · confirm a hidden-danger candidate
    #[command(
        after_help = "例 example:  hazard-gateway operate confirm-hazard HD-1 --reason 现场属实 --by sun --config site.toml"
    )]
    #[command(name = "confirm-hazard")]
    Confirm {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 原因，记入运行日志 · why; goes into the journal.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// 隐患排除（误报） · reject a candidate as a false alarm
    #[command(
        after_help = "例 example:  hazard-gateway operate reject-hazard HD-1 --reason 标定气误触发 --by sun --config site.toml"
    )]
    #[command(name = "reject-hazard")]
    Reject {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long)]
        reason: String,
    },
    /// 登记隐患（人工排查发现） · register a hidden danger that was found
    #[command(after_help = "例 example:  hazard-gateway operate register-hazard --measure RA-01.M1 --place 东门 \
        --description 消防通道被占用 --by zhang --config site.toml")]
    #[command(name = "register-hazard")]
    Register {
        /// 失效的管控措施编号 · key of the control measure that fails.
        #[arg(long)]
        measure: String,
        /// 位置 · where.
        #[arg(long)]
        place: String,
        /// 情况 · what.
        #[arg(long)]
        description: String,
    },
    /// 隐患评估（一般或重大） · assess: general or major
    #[command(after_help = "例 example:  hazard-gateway operate assess-hazard HD-1 --level general \
        --criteria AQ3067第4.2条 --cause 密封老化 --by sun --config site.toml")]
    #[command(name = "assess-hazard")]
    Assess {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 等级：general 一般、major 重大 · its grade: general or major.
        #[arg(long, value_parser = ["general", "major"])]
        level: String,
        /// 判定依据（标准条款） · clause of the criteria.
        #[arg(long, default_value = "")]
        criteria: String,
        /// 原因 · why it came to be.
        #[arg(long, default_value = "")]
        cause: String,
    },
    /// 重大隐患治理方案（五落实） · plan of a major one, five settled items
    #[command(
        after_help = "例 example:  hazard-gateway operate plan-hazard HD-1 --responsibility 设备部 --measures 换法兰 \
        --funds 2万元 --due-at 2026-12-01T16:00:00+08:00 --emergency 3号预案 --by sun --config site.toml"
    )]
    #[command(name = "plan-hazard")]
    Plan {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 责任 · who is responsible.
        #[arg(long, default_value = "")]
        responsibility: String,
        /// 措施 · what is done.
        #[arg(long, default_value = "")]
        measures: String,
        /// 资金 · with what money.
        #[arg(long, default_value = "")]
        funds: String,
        /// 时限，如 2026-12-01T18:00:00+08:00 · until when, such as 2026-12-01T18:00:00+08:00.
        #[arg(long, default_value = "")]
        due_at: String,
        /// 预案 · emergency plan.
        #[arg(long, default_value = "")]
        emergency: String,
        /// 修改方案的原因 · why, where it takes the place of another.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// 记录重大隐患已报告 · say that a major one was reported
    #[command(
        after_help = "例 example:  hazard-gateway operate report-hazard HD-1 --to 镇应急办 --supervision 督办-7 \
        --by sun --config site.toml"
    )]
    #[command(name = "report-hazard")]
    Report {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 报告的监管部门 · the department.
        #[arg(long, default_value = "")]
        to: String,
        /// 回执号 · its receipt.
        #[arg(long, default_value = "")]
        receipt: String,
        /// 挂牌督办号 · number of its supervision.
        #[arg(long, default_value = "")]
        supervision: String,
    },
    /// 派发整改；整改中再派发即改派或延期（须说明原因） · assign; anew with a reason to move the date
    #[command(after_help = "例 example:  hazard-gateway operate assign-hazard HD-1 --responsible chen \
        --due-at 2026-12-01T16:00:00+08:00 --interim-control 专人巡检 --by sun --config site.toml")]
    #[command(name = "assign-hazard")]
    Assign {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 整改责任人，用户名或姓名 · who answers for the work, by account or name; stays where it is empty and the work goes on.
        #[arg(long, default_value = "")]
        responsible: String,
        /// 期限，如 2026-12-01T18:00:00+08:00，晚于治理方案时限须说明原因 · until when, such as 2026-12-01T18:00:00+08:00, with a reason where it is after the plan's; stays likewise.
        #[arg(long, default_value = "")]
        due_at: String,
        /// 整改期间的管控措施 · what keeps people safe meanwhile; stays likewise.
        #[arg(long, default_value = "")]
        interim_control: String,
        /// 改派、延期或晚于治理方案时限的原因 · why, where it is assigned anew or for longer than the plan.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// 整改完成 · say that the work is done
    #[command(
        after_help = "例 example:  hazard-gateway operate rectify-hazard HD-1 --evidence 法兰已换，照片IMG-12 --by chen --config site.toml"
    )]
    #[command(name = "rectify-hazard")]
    Rectify {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 整改后的证据 · evidence after the work.
        #[arg(long, default_value = "")]
        evidence: String,
    },
    /// 验收合格（不得是整改人） · accept the work; never who did it
    #[command(
        after_help = "例 example:  hazard-gateway operate accept-hazard HD-1 --opinion 复查合格 --by sun --config site.toml"
    )]
    #[command(name = "accept-hazard")]
    Accept {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 验收意见 · what was found.
        #[arg(long, default_value = "")]
        opinion: String,
        /// 复查验收报告编号（重大隐患必填） · review report, needed of a major one.
        #[arg(long, default_value = "")]
        review_report: String,
    },
    /// 验收不合格，退回整改 · send the work back
    #[command(
        after_help = "例 example:  hazard-gateway operate send-back-hazard HD-1 --opinion 仍有渗漏 --by sun --config site.toml"
    )]
    #[command(name = "send-back-hazard")]
    SendBack {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 不合格之处，至少 4 个字 · why, at least 4 characters.
        #[arg(long, default_value = "")]
        opinion: String,
    },
    /// 隐患销号（须已验收且报警恢复正常） · close what is accepted and normal
    #[command(
        after_help = "例 example:  hazard-gateway operate close-hazard HD-1 --reason 整改到位 --by sun --config site.toml"
    )]
    #[command(name = "close-hazard")]
    Close {
        /// 隐患编号，如 HD-1 · number of the hidden danger, such as HD-1.
        hazard: String,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// A step by the last part of its address, and what it does in words: zh-CN and en.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    pub(super) step: &'static str,
    pub(super) does: (&'static str, &'static str),
}

impl HazardAction {
    /// Path, body, and what must have been seen.
    pub(super) fn request(&self) -> (String, Value, Sees<'_>) {
        let body = self.body();
        let Some(hazard) = self.hazard() else { return plain(&["hazards"], body) };
        let deed = self.deed();
        (path(&["hazards", hazard, deed.step]), body, Sees::Hazard(hazard, deed))
    }

    /// The record; none before it is registered.
    fn hazard(&self) -> Option<&str> {
        match self {
            Self::Register { .. } => None,
            Self::Confirm { hazard, .. }
            | Self::Reject { hazard, .. }
            | Self::Assess { hazard, .. }
            | Self::Plan { hazard, .. }
            | Self::Report { hazard, .. }
            | Self::Assign { hazard, .. }
            | Self::Rectify { hazard, .. }
            | Self::Accept { hazard, .. }
            | Self::SendBack { hazard, .. }
            | Self::Close { hazard, .. } => Some(hazard),
        }
    }

    fn body(&self) -> Value {
        match self {
            Self::Confirm { reason, .. } | Self::Reject { reason, .. } | Self::Close { reason, .. } => {
                json!({ "reason": reason })
            }
            Self::Register { measure, place, description } => {
                json!({ "measure": measure, "place": place, "description": description })
            }
            Self::Assess { level, criteria, cause, .. } => {
                json!({ "level": level, "criteria": criteria, "cause": cause })
            }
            Self::Plan { responsibility, measures, funds, due_at, emergency, reason, .. } => json!({
                "responsibility": responsibility, "measures": measures, "funds": funds, "due_at": due(due_at),
                "emergency": emergency, "reason": reason,
            }),
            Self::Report { to, receipt, supervision, .. } => {
                json!({ "to": to, "receipt": receipt, "supervision": supervision })
            }
            Self::Assign { responsible, due_at, interim_control, reason, .. } => json!({
                "responsible": responsible, "due_at": due(due_at), "interim_control": interim_control, "reason": reason,
            }),
            Self::Rectify { evidence, .. } => json!({ "evidence": evidence }),
            Self::Accept { opinion, review_report, .. } => {
                json!({ "passed": true, "opinion": opinion, "review_report": review_report })
            }
            Self::SendBack { opinion, .. } => json!({ "passed": false, "opinion": opinion }),
        }
    }

    fn deed(&self) -> Deed {
        let deed = |step, zh, en| Deed { step, does: (zh, en) };
        match self {
            Self::Confirm { .. } => {
                deed("confirm", "登记为隐患，接着评估", "registers it as a hidden danger, to be assessed next")
            }
            Self::Reject { .. } => deed(
                "reject",
                "判为误报，记录到此结束，同一次报警不再开新记录",
                "ends the record as a false alarm; this occurrence of the alarm opens no other",
            ),
            Self::Register { .. } => deed("", "登记隐患", "registers a hidden danger"),
            Self::Assess { level, .. } if level == "major" => {
                deed("assess", "评为重大隐患，接着定治理方案", "grades it major, to be planned next")
            }
            Self::Assess { .. } => {
                deed("assess", "评为一般隐患，接着派发整改", "grades it general, to be assigned next")
            }
            Self::Plan { .. } => {
                deed("plan", "定下治理方案，接着向监管部门报告", "settles the plan, to be reported next")
            }
            Self::Report { .. } => {
                deed("report", "记录已报告，接着派发整改", "says that it was reported, to be assigned next")
            }
            Self::Assign { .. } => deed(
                "assign",
                "派发整改或改派、延期",
                "assigns the work, to another or for longer where it was assigned",
            ),
            Self::Rectify { .. } => {
                deed("rectify", "报整改完成，等待验收", "says that the work is done, to be accepted next")
            }
            Self::Accept { .. } => deed("accept", "验收合格，接着销号", "accepts the work, to be closed next"),
            Self::SendBack { .. } => deed("accept", "验收不合格，退回整改", "sends the work back"),
            Self::Close { .. } => deed(
                "close",
                "销号，记录到此结束，再次报警另开一条",
                "closes the record for good; another alarm opens a new one",
            ),
        }
    }
}

/// A day is kept until its end; what is no moment is sent as it is, and the station says what it takes.
fn due(text: &str) -> String {
    moment::read(text.trim(), true).map_or_else(|| text.to_owned(), moment::utc_text)
}
