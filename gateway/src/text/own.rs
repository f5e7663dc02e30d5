//! What to do about the alarms that every site has without configuring them: a silent instrument, and the gateway's own.

/// Cause, consequence, action; as a rule of the configuration would say them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    pub cause: &'static str,
    pub consequence: &'static str,
    pub action: &'static str,
    pub action_en: &'static str,
}

const fn own(cause: &'static str, consequence: &'static str, action: &'static str, action_en: &'static str) -> Own {
    Own { cause, consequence, action, action_en }
}

const SILENT: Own = own(
    "仪表断电、通信线断开、站号不符或串口服务器故障",
    "该仪表的测点失去监测，超限不能被发现",
    "用便携仪替代监测；检查仪表供电、通信线和站号，通知仪表工",
    "Watch the place with a portable detector; check its supply, line and unit id, call the instrument technician",
);
const STORAGE: Own = own(
    "磁盘变慢、已满或损坏",
    "事件和采样可能丢失；报警照常发出",
    "通知系统维护人员：检查磁盘空间和健康状态（store verify）",
    "Call who maintains the machine: look at the disk's space and health (store verify)",
);
const CLOCK: Own = own(
    "网关时钟被调整或未校时",
    "事件的时间不可信；报警判断不受影响",
    "通知系统维护人员检查校时服务（chrony 的配置须有 rtcsync）",
    "Call who maintains the machine: check the time service (chrony must be configured with rtcsync)",
);
const UPLINK: Own = own(
    "网络、消息代理或镇办值守站不可用",
    "镇应急办暂时收不到报警，恢复后自动补发",
    "一、二级报警电话报告镇应急办；通知系统维护人员检查网络",
    "Report priorities 1 and 2 to the township office by telephone; have the network checked",
);
const INFLUX: Own = own(
    "数据库的令牌、组织或桶不对",
    "长期历史暂不更新，采样保存在网关中",
    "通知系统维护人员检查 [influx] 设置",
    "Call who maintains the machine: check the settings under [influx]",
);
const SALVAGED: Own = own(
    "断电或磁盘故障损坏了记录文件",
    "损坏的记录已另存，其余已恢复",
    "通知系统维护人员：store verify、audit verify，查明磁盘原因",
    "Call who maintains the machine: store verify, audit verify, find out about the disk",
);
const ANNUNCIATOR: Own = own(
    "继电器模块断电、断线或故障，线圈粘连，声光报警器损坏，或自检未通过；具体见设备页和运行日志",
    "控制室可能听不到报警，只剩页面发声",
    "安排人员守在页面前；检查继电器模块的电源、通信线和声光报警器接线，修好后在设备页试音",
    "Have somebody stay at the page; check supply, line and wiring of relay module and sounder, then test it on the page Devices",
);
const RESTARTED: Own = own(
    "网关的内部任务异常结束",
    "该任务已重启，期间的数据可能缺失",
    "把日志交给供应商",
    "Send the log to the supplier",
);
const UNCLEAN: Own = own(
    "断电、进程被强行结束、看门狗超时或程序崩溃",
    "从上次记录到本次启动之间无人监视，期间的数据缺失",
    "查看运行日志中的启动事件和停机时长；原因不明时查供电和系统日志（journalctl -u hazard-gateway）",
    "Look at the event of the start and how long it was down; if the reason is not known look at the supply and the system's log \
     (journalctl -u hazard-gateway)",
);
const STALLED: Own = own(
    "磁盘或系统过载，或网关内部故障",
    "报警可能延迟；若不恢复，看门狗约 20 秒后重启网关",
    "用现场仪表替代监视；通知系统维护人员检查负载和磁盘，把日志交给供应商",
    "Watch by the instruments on site meanwhile; have the machine's load and disk looked at, send the log to the supplier",
);
const EXPIRING: Own = own(
    "旁路的时间将在 10 分钟内用完",
    "到期后该测点的报警立即恢复作用，正在报警的会发声",
    "联系作业负责人：作业已完就结束旁路；未完就停止作业，或到期后凭新的作业票重新旁路",
    "Call who leads the work: end the bypass if it is done; if not, stop the work, or bypass anew under another permit when it is over",
);
const OVERDUE: Own = own(
    "隐患的治理工作没有在期限内完成",
    "隐患仍然存在，期间管控措施可能已松懈",
    "在隐患页查看逾期的记录：催促责任人完成，或由安全员说明理由后延期；核实期间管控措施仍在执行",
    "Look at the overdue records on the page Hidden dangers: have the work done, or the date moved with a reason by the safety officer; \
     make sure that the interim control is still kept",
);
const NOTHING: Own = own("", "", "", "");

/// By alarm key: `DET-101:COMMS_LOSS`, `system:uplink_down`.
#[must_use]
pub fn own_alarm(key: &str) -> Own {
    match key.rsplit_once(':') {
        Some(("system", code)) => match code {
            "storage_slow" | "storage_full" => STORAGE,
            "clock_untrusted" => CLOCK,
            "uplink_down" | "office_silent" => UPLINK,
            "influx_refused" => INFLUX,
            "records_salvaged" => SALVAGED,
            "annunciator_failed" => ANNUNCIATOR,
            "task_restarted" => RESTARTED,
            "unclean_end" => UNCLEAN,
            "part_stalled" => STALLED,
            "bypass_expiring" => EXPIRING,
            "hazard_overdue" => OVERDUE,
            _ => NOTHING,
        },
        Some((_, "COMMS_LOSS")) => SILENT,
        _ => NOTHING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_of_the_gateway_itself_says_what_to_do() {
        for condition in rules::SystemCondition::ALL {
            assert_ne!(own_alarm(&format!("system:{}", condition.code())), NOTHING, "{}", condition.code());
        }
        assert_eq!(own_alarm("GT-101:H"), NOTHING, "its rule says it");
    }
}
