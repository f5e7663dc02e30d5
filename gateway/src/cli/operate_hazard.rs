//! `operate`, hidden dangers: from the registration to the closing, each step one request of the page.

use super::look::Sees;
use super::operate::{path, plain};
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
        hazard: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// 隐患排除（误报） · reject a candidate as a false alarm
    #[command(
        after_help = "例 example:  hazard-gateway operate reject-hazard HD-1 --reason 标定气误触发 --by sun --config site.toml"
    )]
    #[command(name = "reject-hazard")]
    Reject {
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
        hazard: String,
        /// general 一般, major 重大.
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
        --funds 2万元 --due-at 2026-12-01T08:00:00Z --emergency 3号预案 --by sun --config site.toml"
    )]
    #[command(name = "plan-hazard")]
    Plan {
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
        /// 时限（UTC） · until when.
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
        --due-at 2026-12-01T08:00:00Z --interim-control 专人巡检 --by sun --config site.toml")]
    #[command(name = "assign-hazard")]
    Assign {
        hazard: String,
        /// 整改责任人，用户名或姓名 · who answers for the work, by account or name; stays where it is empty and the work goes on.
        #[arg(long, default_value = "")]
        responsible: String,
        /// 期限（UTC），晚于治理方案时限须说明原因 · until when, with a reason where it is after the plan's; stays likewise.
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
        hazard: String,
        /// 原因，至少 4 个字，记入运行日志 · why, at least 4 characters; goes into the journal.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

impl HazardAction {
    /// Path, body, and what must have been seen.
    pub(super) fn request(&self) -> (String, Value, Sees<'_>) {
        match self {
            Self::Confirm { hazard, reason } => plain(&["hazards", hazard, "confirm"], json!({ "reason": reason })),
            Self::Reject { hazard, reason } => plain(&["hazards", hazard, "reject"], json!({ "reason": reason })),
            Self::Register { measure, place, description } => {
                plain(&["hazards"], json!({ "measure": measure, "place": place, "description": description }))
            }
            Self::Assess { hazard, level, criteria, cause } => {
                step(hazard, "assess", json!({ "level": level, "criteria": criteria, "cause": cause }))
            }
            Self::Plan { hazard, responsibility, measures, funds, due_at, emergency, reason } => {
                let body = json!({
                    "responsibility": responsibility, "measures": measures, "funds": funds, "due_at": due_at,
                    "emergency": emergency, "reason": reason,
                });
                step(hazard, "plan", body)
            }
            Self::Report { hazard, to, receipt, supervision } => {
                step(hazard, "report", json!({ "to": to, "receipt": receipt, "supervision": supervision }))
            }
            Self::Assign { hazard, responsible, due_at, interim_control, reason } => {
                let body = json!({
                    "responsible": responsible, "due_at": due_at, "interim_control": interim_control, "reason": reason,
                });
                step(hazard, "assign", body)
            }
            Self::Rectify { hazard, evidence } => step(hazard, "rectify", json!({ "evidence": evidence })),
            Self::Accept { hazard, opinion, review_report } => {
                let body = json!({ "passed": true, "opinion": opinion, "review_report": review_report });
                step(hazard, "accept", body)
            }
            Self::SendBack { hazard, opinion } => {
                step(hazard, "accept", json!({ "passed": false, "opinion": opinion }))
            }
            Self::Close { hazard, reason } => step(hazard, "close", json!({ "reason": reason })),
        }
    }
}

fn step<'a>(hazard: &'a str, deed: &str, body: Value) -> (String, Value, Sees<'a>) {
    (path(&["hazards", hazard, deed]), body, Sees::Hazard(hazard))
}
