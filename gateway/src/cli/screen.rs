//! What `status` and `events` show: the answers of a station as tables that fit a terminal. What is hidden or held is
//! [`super::hidden`]'s, a standing alarm [`super::alarm_row`]'s.
//!
//! Pure: JSON in, lines out, so that an older or newer station shows what it has and `–` for the rest.

use super::alarm_row::alarm_table;
use super::hidden::hidden;
use super::table::{named as table, pad};
use crate::moment::{site_text, site_text_of};
use crate::web::archive::{LOOKED_THROUGH_MAX, Stopped};
use serde_json::Value;

/// Devices that are listed one by one; beyond it only those that do not answer.
const DEVICES_MAX: usize = 20;

/// A site: head, buses, devices, queues and sinks, alarms, what is hidden or held.
pub(super) fn site(status: &Value, alarms: &Value) -> Vec<String> {
    let mut lines = head(status);
    let buses: Vec<&Value> = rows(&status["buses"]).collect();
    lines.push(String::new());
    lines.extend(bus_table(&buses));
    lines.push(String::new());
    lines.extend(device_table(&buses));
    lines.push(String::new());
    lines.extend(queues(status));
    lines.push(String::new());
    lines.extend(alarm_table(status, alarms));
    lines.push(String::new());
    lines.extend(hidden(&status["hidden"], alarms));
    lines
}

fn head(s: &Value) -> Vec<String> {
    let clock = match s["clock"].as_str() {
        Some("synced") => match s["clock_max_error_ms"].as_u64() {
            Some(ms) => format!("时钟已同步，误差至多 {ms} ms clock synced, wrong by {ms} ms at most"),
            None => "时钟已同步 clock synced".to_owned(),
        },
        Some("stepped") => "时钟跳变 clock stepped".to_owned(),
        _ => "时钟未同步 clock not synchronised".to_owned(),
    };
    let ready = if s["ready"] == true { "就绪 ready" } else { "首轮采集未完成 first scan not done" };
    let demo = if s["demo"] == true { " · 演示 demo" } else { "" };
    vec![
        format!(
            "{} {}（{}）{demo} · hazard-gateway {}",
            text(s, "name"),
            text(s, "name_en"),
            text(s, "site"),
            text(s, "version")
        ),
        format!("{} · {clock} · {ready} · 事件号 event number {}", moment(&s["utc_ms"]), text(s, "seq")),
    ]
}

fn bus_table(buses: &[&Value]) -> Vec<String> {
    let row = |bus: &&Value| {
        let (detail, link) = (&bus["detail"], &bus["detail"]["link"]);
        let state = match (bus["up"] == true, bus["state"] == "silent") {
            (false, _) => "断 DOWN",
            (true, true) => "全部无应答 SILENT",
            (true, false) => "通 up",
        };
        let busy = detail["utilisation_percent"].as_f64().map_or_else(dash, |percent| format!("{percent:.1} %"));
        vec![
            text(bus, "key"),
            state.into(),
            busy,
            text(link, "ok"),
            text(link, "timeouts"),
            text(link, "exceptions"),
            text(link, "crc"),
            text(link, "reconnects"),
        ]
    };
    let names = [
        "总线 bus",
        "状态 state",
        "占用 busy",
        "应答 ok",
        "超时 time-outs",
        "异常 exceptions",
        "校验错 crc",
        "重连 reconnects",
    ];
    table(&names, &buses.iter().map(row).collect::<Vec<_>>())
}

fn device_table(buses: &[&Value]) -> Vec<String> {
    let units: Vec<(&Value, &Value)> =
        buses.iter().flat_map(|bus| rows(&bus["detail"]["units"]).map(move |unit| (*bus, unit))).collect();
    // an older station calls alive what had answered before its link went
    let answers = |bus: &Value, unit: &Value| bus["up"] != false && unit["state"] == "alive";
    let silent = units.iter().filter(|(bus, unit)| !answers(bus, unit)).count();
    let all = units.len() <= DEVICES_MAX;
    let row = |(bus, unit): &(&Value, &Value)| {
        let state = match (bus["up"] != false, unit["state"].as_str()) {
            (false, _) | (_, Some("link_down")) => "链路断 LINK DOWN",
            (true, Some("alive")) => "应答 alive",
            (true, Some("dead")) => "无应答 DEAD",
            (true, _) => "未知 unknown",
        };
        let known = unit["turnaround_us"].as_f64().filter(|us| *us > 0.0);
        let answer = known.map_or_else(dash, |us| format!("{:.1} ms", us / 1000.0));
        let counters = &unit["counters"];
        vec![
            text(unit, "device"),
            text(bus, "key"),
            text(unit, "unit"),
            text(unit, "profile"),
            state.into(),
            answer,
            text(counters, "ok"),
            text(counters, "timeouts"),
        ]
    };
    let names = [
        "仪表 device",
        "总线 bus",
        "站号 unit",
        "型号 profile",
        "状态 state",
        "应答时间 answer",
        "应答 ok",
        "超时 time-outs",
    ];
    let shown = units.iter().filter(|(bus, unit)| all || !answers(bus, unit)).take(DEVICES_MAX);
    let mut lines = vec![format!("仪表 devices {} · 不应答 not answering {silent}", units.len())];
    lines.extend(table(&names, &shown.map(row).collect::<Vec<_>>()));
    lines
}

fn queues(s: &Value) -> Vec<String> {
    let (outbox, storage) = (&s["outbox"], &s["storage"]);
    let dropped: u64 =
        storage["samples_dropped"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    let store = if storage["ok"] == true { "正常 ok" } else { "异常 FAULT" };
    let broker = match (outbox["configured"] == false, outbox["connected"] == true) {
        (true, _) => "未配置 not configured",
        (_, true) => "已连接 connected",
        (_, false) => "未连接 not connected",
    };
    let free = storage["free_bytes"].as_f64().map_or("-".to_owned(), |free| format!("{:.1} GB", free / 1e9));
    let age_s = outbox["oldest_age_ms"].as_u64().unwrap_or(0) / 1000;
    let influx = if storage["influx_enabled"] == true { "已配置 configured" } else { "未配置 not configured" };
    let mut lines = vec![
        "队列与去向 queues and sinks".to_owned(),
        format!(
            "  {} {store} · 上次提交 last commit {} ms · 采样 samples: 读 read {} 存 stored {} 弃 dropped {dropped} · 磁盘余 free {free}",
            pad("存储 store", 16),
            text(storage, "last_commit_ms"),
            text(storage, "samples_read"),
            text(storage, "samples_stored")
        ),
        format!(
            "  {} {broker} · 待镇办回执 waiting {} · 最久 oldest {age_s} s · 已发 sent {} · 代理已收 broker {} · 镇办已收 received {}",
            pad("MQTT", 16),
            text(outbox, "depth"),
            text(outbox, "sent"),
            text(outbox, "broker_acknowledged"),
            text(outbox, "received")
        ),
        format!(
            "  {} {influx} · 待写 waiting {} · 已写 delivered {} · 拒收 refused {}",
            pad("InfluxDB", 16),
            text(storage, "influx_pending"),
            text(storage, "influx_delivered"),
            text(storage, "influx_dead_lettered")
        ),
    ];
    lines.extend(incidents(&s["incidents"]));
    lines.extend(annunciator(&s["annunciator"]));
    let errors = [("MQTT", &outbox["last_error"]), ("InfluxDB", &storage["influx_last_error"])];
    lines.extend(errors.iter().filter_map(|(sink, error)| Some(format!("  {sink}: {}", error.as_str()?))));
    if s["office_silent"] == true {
        lines.push("  镇办五分钟无回执 NO RECEIPT FROM THE OFFICE FOR FIVE MINUTES".to_owned());
    }
    lines
}

/// Raw frames kept around incidents.
fn incidents(i: &Value) -> Option<String> {
    let dropped: u64 = i.as_object()?["dropped"].as_object()?.values().filter_map(Value::as_u64).sum();
    let (kept, aside) = (text(i, "kept"), text(i, "set_aside"));
    Some(format!("  {} 已存 kept {kept} · 弃 dropped {dropped} · 隔离 set aside {aside}", pad("事故报文 frames", 16)))
}

/// Where one is configured.
fn annunciator(a: &Value) -> Option<String> {
    let state = match a["state"].as_str()? {
        "sounding" => "发声 sounding",
        "silenced" => "消音 silenced",
        "testing" => "自检中 testing",
        "quiet" => "安静 quiet",
        _ => "启动中 starting",
    };
    let fault = a["fault_zh"].as_str().map(|zh| format!(" · 失效 FAILED：{zh} {}", text(a, "fault_en")));
    let test = &a["last_test"];
    let last = match test["passed"].as_bool() {
        Some(passed) => {
            let word = if passed { "通过 passed" } else { "未通过 FAILED" };
            format!("{word} {}", moment(&test["ended_utc_ms"]))
        }
        None => "尚无 none yet".to_owned(),
    };
    Some(format!(
        "  {} {state}{} · 自检 self-test {last} · 写入 writes {} 失败 failures {}",
        pad("声光报警器", 16),
        fault.unwrap_or_default(),
        text(a, "writes"),
        text(a, "failures")
    ))
}

/// An office: its sites.
pub(super) fn office(sites: &Value) -> Vec<String> {
    let row = |site: &Value| {
        let state = match (site["online"] == true, site["silent"] == true) {
            (_, true) => "失联 SILENT",
            (true, false) => "在线 online",
            (false, false) => "离线 OFFLINE",
        };
        let count = |key: &str| rows(&site[key]).count().to_string();
        let heard = moment(&site["last_heartbeat_ms"]);
        vec![
            text(site, "site"),
            state.into(),
            count("standing"),
            count("hazards"),
            text(site, "events_unconfirmed"),
            count("missing"),
            heard,
            text(site, "name"),
        ]
    };
    let names = [
        "站点 site",
        "状态 state",
        "报警 alarms",
        "隐患 dangers",
        "待确认 to confirm",
        "缺号 missing",
        "心跳 heartbeat",
        "名称 name",
    ];
    let mut lines = vec![format!("镇办 office · 站点 sites {}", rows(sites).count())];
    lines.extend(table(&names, &rows(sites).map(row).collect::<Vec<_>>()));
    lines
}

/// One line of the journal, or of what an office received.
pub(super) fn event(event: &Value) -> String {
    if event["payload"].is_object() {
        let payload = &event["payload"];
        let said = said(&payload["text"]["zh"], &payload["text"]["en"]);
        return format!(
            "{:>7}  {}  {}  {}  {said}",
            text(event, "n"),
            site_text_of(&text(payload, "time")),
            pad(&text(event, "site"), 16),
            pad(&text(payload, "kind"), 22)
        );
    }
    let time = event["time"].as_str().map_or_else(|| moment(&event["at"]["wall"]["utc_ms"]), site_text_of);
    let said = said(&event["text_zh"], &event["text_en"]);
    format!("{:>7}  {time}  {}  {said}", text(event, "seq"), pad(&text(event, "kind"), 22))
}

/// Below a list of events whose filter could not look through all.
pub(super) fn stopped(stopped: Stopped) -> String {
    let Stopped { from_seq, to_seq, go_on_after } = stopped;
    format!(
        "只查了第 {from_seq} 至 {to_seq} 号记录（一次最多 {LOOKED_THROUGH_MAX} 条），其余没有查；要接着查，加 --after {go_on_after}\n\
         only entries {from_seq} to {to_seq} were looked through (at most {LOOKED_THROUGH_MAX} at a time), the others were not; to go on, \
         give --after {go_on_after}"
    )
}

/// What hides a point on a line: under which paper, by whom, why.
pub(super) fn bypass(row: &Value) -> String {
    let kind = match row["kind"].as_str() {
        Some("bypass") => "旁路 bypassed",
        Some("out_of_service") => "停用 out of service",
        _ => "仪表自报抑制 inhibited by its own word",
    };
    format!("{} {kind} · {} · {} · {}", text(row, "point"), text(row, "paper"), text(row, "by"), text(row, "reason"))
}

fn said(zh: &Value, en: &Value) -> String {
    format!("{} · {}", zh.as_str().unwrap_or_default(), en.as_str().unwrap_or_default())
}

/// A first-out group: who came first. The members are alarm keys, their ranks, and whether they share one.
pub(super) fn first_out(row: &Value) -> String {
    let ranked = rows(&row["ranked"]).map(|m| {
        let tie = if m[2] == true { "（约同时 about the same time）" } else { "" };
        format!("{} {}{tie}", m[1], m[0].as_str().unwrap_or_default())
    });
    let ranked: Vec<String> = ranked.collect();
    let order = if ranked.is_empty() { "没有次序 no order".to_owned() } else { ranked.join(" · ") };
    format!("{} 首出 first out: {order}", text(row, "key"))
}

pub(super) fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn dash() -> String {
    "–".to_owned()
}

/// A field as a person reads it.
pub(super) fn text(value: &Value, key: &str) -> String {
    match &value[key] {
        Value::Null => dash(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// In the time of the site, with its offset.
pub(super) fn moment(utc_ms: &Value) -> String {
    utc_ms.as_i64().map_or_else(dash, site_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_screen_names_buses_devices_queues_sinks_and_alarms() {
        let unit = |device: &str, state: &str| {
            json!({ "device": device, "unit": 11, "profile": "yaoan-k300", "state": state, "turnaround_us": 2_300,
                    "counters": { "ok": 9, "timeouts": 1 } })
        };
        let link = json!({ "ok": 18, "timeouts": 1, "exceptions": 0, "crc": 0, "reconnects": 2 });
        let detail = json!({ "utilisation_percent": 3.12, "link": link, "units": [unit("DET-1", "alive"), unit("DET-2", "dead")] });
        let lost = json!({ "link": {}, "units": [unit("DET-3", "alive"), unit("DET-4", "link_down")] });
        let status = json!({
            "site": "s", "name": "化工", "name_en": "Chemical", "version": "0.1.0", "utc_ms": 1_000, "clock": "synced", "ready": true, "seq": 7,
            "unacked": 1, "hazards": 0,
            "buses": [{ "key": "tcp-a1", "up": true, "detail": detail }, { "key": "tcp-a2", "up": false, "detail": lost },
                      { "key": "rtu-a3", "up": true, "state": "silent", "detail": { "link": {} } }],
            "outbox": { "configured": true, "connected": true, "depth": 4, "oldest_age_ms": 2_500, "last_error": "refused" },
            "storage": { "ok": true, "samples_dropped": { "disk": 3 }, "influx_enabled": true, "influx_pending": 12 },
            "incidents": { "kept": 3, "dropped": { "room": 4, "rate": 1 }, "set_aside": 0 },
            "annunciator": { "state": "silenced", "fault_zh": "无应答", "fault_en": "no answer", "writes": 12, "failures": 3,
                             "last_test": { "passed": true, "ended_utc_ms": 2_000 } },
        });
        let alarm = |n: u64| json!({ "id": format!("GT-{n}:H"), "priority": 2, "state": "unacked", "raised_utc_ms": 0, "value": 26.5, "unit": "ppm" });
        let alarms: Vec<Value> = (1..=12).map(alarm).collect();
        let screen = site(&status, &Value::Array(alarms)).join("\n");
        for part in [
            "化工 Chemical（s）",
            "1970-01-01T08:00:01.000+08:00",
            "断 DOWN",
            "全部无应答 SILENT",
            "3.1 %",
            "DET-2",
            "无应答 DEAD",
            "不应答 not answering 3",
            "链路断 LINK DOWN",
            "2.3 ms",
            "待镇办回执 waiting 4",
            "oldest 2 s",
            "弃 dropped 3",
            "InfluxDB",
            "待写 waiting 12",
            "已存 kept 3 · 弃 dropped 5",
            "未确认 unacknowledged",
            "hidden or held –",
            "消音 silenced · 失效 FAILED：无应答 no answer",
            "通过 passed 1970-01-01T08:00:02.000+08:00",
            "写入 writes 12 失败 failures 3",
            "MQTT: refused",
            "报警 alarms 12",
            "GT-1:H",
            "26.5 ppm",
            "另有 2 条",
        ] {
            assert!(screen.contains(part), "{part} is not in\n{screen}");
        }
        let alone = site(&json!({ "outbox": { "configured": false } }), &Value::Null).join("\n");
        assert!(alone.contains("MQTT             未配置 not configured"), "{alone}");
        assert!(site(&json!({}), &Value::Null).len() > 8, "a station that says nothing is shown all the same");
    }

    #[test]
    fn of_many_devices_only_those_that_do_not_answer_are_listed() {
        let unit = |n: usize| json!({ "device": format!("D-{n}."), "state": if n.is_multiple_of(7) { "dead" } else { "alive" } });
        let listed = |many: usize| {
            let units: Vec<Value> = (1..=many).map(unit).collect();
            let bus = json!({ "key": "b", "detail": { "units": units } });
            device_table(&[&bus])
        };
        assert_eq!(listed(DEVICES_MAX).len(), DEVICES_MAX + 2, "head, names, a row each");
        let many = listed(DEVICES_MAX + 1);
        assert!(many[0].contains("devices 21 · 不应答 not answering 3"), "{many:?}");
        assert!(many.len() == 5 && many[2].contains("D-7.") && many[4].contains("D-21."), "{many:?}");
    }

    #[test]
    fn an_event_has_its_number_time_kind_and_both_texts() {
        let own = json!({ "seq": 12, "time": "2026-11-25T20:00:00.000Z", "kind": "alarm.raised", "text_zh": "报警", "text_en": "alarm" });
        let line = event(&own);
        assert!(line.starts_with("     12  2026-11-26T04:00:00.000+08:00  alarm.raised"), "{line}");
        assert!(line.ends_with("报警 · alarm"), "{line}");
        let text = json!({ "zh": "报警", "en": "alarm" });
        let payload = json!({ "time": "2026-11-25T20:00:00.000Z", "kind": "alarm.raised", "text": text });
        assert!(
            event(&json!({ "n": 3, "site": "a", "payload": payload })).contains("2026-11-26T04:00:00.000+08:00  a ")
        );
    }

    #[test]
    fn a_list_whose_filter_could_not_look_through_all_says_so_and_how_to_go_on() {
        let said = stopped(Stopped { from_seq: 501, to_seq: 900, go_on_after: 100 });
        assert!(said.starts_with("只查了第 501 至 900 号记录") && said.ends_with("give --after 100"), "{said}");
    }

    #[test]
    fn an_office_shows_its_sites() {
        let sites =
            json!([{ "site": "a", "name": "化工", "online": true, "silent": false, "standing": [{}], "missing": [] }]);
        assert!(office(&sites)[2].contains("在线 online"));
    }
}
