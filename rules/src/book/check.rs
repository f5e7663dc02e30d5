//! Checks of the parts: everything wrong is reported at once, in the order of the parts, in the words of the person who
//! wrote the configuration. Owns what is acceptable; leaves files and places in files to the configuration.

use super::{BookParts, Condition, Defect, Device, Point, PointKind, Rule};
use crate::risk::Evidence;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// A gas alarm may not wait longer than this.
const GAS_ON_DELAY_MAX: Duration = Duration::from_secs(10);
/// Longer than this no controller allows an off-delay.
const OFF_DELAY_MAX: Duration = Duration::from_secs(120 * 60);

/// Collects defects.
struct Report {
    defects: Vec<Defect>,
}

impl Report {
    fn put(&mut self, fatal: bool, path: String, what: (String, String), remedy: (&str, &str)) {
        self.defects.push(Defect {
            path,
            message_zh: what.0,
            message_en: what.1,
            remedy_zh: remedy.0.to_owned(),
            remedy_en: remedy.1.to_owned(),
            fatal,
        });
    }
    fn error(&mut self, path: String, zh: impl Into<String>, en: impl Into<String>, remedy: (&str, &str)) {
        self.put(true, path, (zh.into(), en.into()), remedy);
    }
    fn warn(&mut self, path: String, zh: impl Into<String>, en: impl Into<String>, remedy: (&str, &str)) {
        self.put(false, path, (zh.into(), en.into()), remedy);
    }

    /// Keys of one list: none empty, none with a character that alarm keys use, none twice.
    fn keys<'a>(&mut self, list: &str, keys: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
        let mut seen = HashSet::new();
        for (i, key) in keys.enumerate() {
            if key.trim().is_empty() || key.contains([':', '#']) {
                self.error(
                    format!("{list}[{i}].key"),
                    format!("键“{key}”不能为空，也不能含“:”或“#”"),
                    format!("key {key:?} must not be empty nor contain ':' or '#'"),
                    ("改用字母、数字和连字符，例如 GT-101", "use letters, digits and hyphens, such as GT-101"),
                );
            }
            if !seen.insert(key) {
                self.error(
                    format!("{list}[{key}].key"),
                    format!("键“{key}”重复"),
                    format!("key {key:?} is used twice"),
                    ("每个键只能出现一次，请改名或删除一个", "every key occurs once: rename or remove one"),
                );
            }
        }
        seen
    }

    fn known(&mut self, path: String, what: (&str, &str), key: &str, keys: &HashSet<&str>) {
        if !keys.contains(key) {
            self.error(
                path,
                format!("没有名为“{key}”的{}", what.0),
                format!("there is no {} named {key:?}", what.1),
                ("改为已配置的键，或先添加它", "name one that is configured, or add it"),
            );
        }
    }

    fn priority(&mut self, path: String, priority: u8) {
        if !(1..=4).contains(&priority) {
            self.error(
                path,
                format!("优先级 {priority} 不在 1…4 之间"),
                format!("priority {priority} is not within 1 … 4"),
                ("1 最紧急，4 最低", "1 is the most urgent, 4 the least"),
            );
        }
    }

    fn area(&mut self, path: String, area: &str) {
        if area.trim().is_empty() {
            self.warn(
                path,
                "没有填写区域",
                "no area is given",
                ("填写四色图上的区域键", "give the key of an area of the plan"),
            );
        }
    }
}

/// All defects of the parts.
pub(super) fn check(parts: &BookParts) -> Vec<Defect> {
    let mut r = Report { defects: Vec::new() };
    let devices = r.keys("devices", parts.devices.iter().map(|d| d.key.as_str()));
    let points = r.keys("points", parts.points.iter().map(|p| p.key.as_str()));
    for d in &parts.devices {
        device(&mut r, d);
    }
    for p in &parts.points {
        point(&mut r, p, &devices);
    }
    rules(&mut r, parts, &points);
    register(&mut r, parts, &points);
    r.defects
}

fn device(r: &mut Report, d: &Device) {
    let at = |f: &str| format!("devices[{}].{f}", d.key);
    r.priority(at("priority"), d.priority);
    if d.comms_timeout.is_zero() {
        r.error(
            at("comms_timeout"),
            "通讯超时为零",
            "the communication time-out is zero",
            ("默认为 5 s 与 5 个轮询周期中较大者", "the default is the greater of 5 s and five polls"),
        );
    }
}

fn point(r: &mut Report, p: &Point, devices: &HashSet<&str>) {
    let at = |f: &str| format!("points[{}].{f}", p.key);
    r.known(at("device"), ("设备", "device"), &p.device, devices);
    r.area(at("area"), &p.area);
    let (lo, hi) = p.range;
    if !(lo.is_finite() && hi.is_finite() && lo < hi) {
        r.error(
            at("range"),
            format!("量程 {lo} … {hi} 无效"),
            format!("the range {lo} … {hi} is not valid"),
            ("下限必须小于上限，且均为有限数", "the lower end must lie below the upper, both finite"),
        );
    }
    if p.position.is_some_and(|(x, y)| !x.is_finite() || !y.is_finite()) {
        r.error(
            at("position"),
            "坐标不是有限数",
            "the position is not finite",
            ("以米为单位填写 x, y", "give x and y in metres"),
        );
    }
    if p.period.is_zero() || p.max_age < p.period {
        r.error(
            at("max_age"),
            "轮询周期为零，或数据有效期短于一个轮询周期",
            "the poll period is zero, or the maximum age is shorter than one poll",
            ("有效期通常取三个轮询周期", "three polls are usual for the maximum age"),
        );
    }
}

fn rules(r: &mut Report, parts: &BookParts, keys: &HashSet<&str>) {
    let points: HashMap<&str, &Point> = parts.points.iter().map(|p| (p.key.as_str(), p)).collect();
    let mut seen = HashSet::new();
    let mut limits: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in &parts.rules {
        let word = rule.condition.word();
        let at = |f: &str| format!("points[{}].rules.{word}.{f}", rule.point);
        r.known(at("point"), ("测点", "point"), &rule.point, keys);
        if !seen.insert((rule.point.as_str(), word)) {
            r.error(
                at("condition"),
                format!("同一测点有两条 {word} 规则"),
                format!("the point has two {word} rules"),
                ("删除其中一条", "remove one of them"),
            );
        }
        r.priority(at("priority"), rule.priority);
        action(r, rule, &at("action"));
        if let Some(p) = points.get(rule.point.as_str()) {
            delays(r, rule, p, &at);
            numbers(r, rule, p, &at);
        }
        if rule.condition.limit().is_some_and(f64::is_finite) {
            limits.entry(&rule.point).or_default().push(rule);
        }
    }
    for (point, rules) in limits {
        order(r, point, &rules);
    }
}

fn action(r: &mut Report, rule: &Rule, path: &str) {
    let chinese = rule.action.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    if rule.priority <= 2 && !chinese {
        r.error(
            path.to_owned(),
            "1、2 级报警必须写明中文处置措施",
            "an alarm of priority 1 or 2 needs its action in Chinese",
            ("写明操作员应当做什么", "say what the operator does"),
        );
    }
}

fn delays(r: &mut Report, rule: &Rule, p: &Point, at: &dyn Fn(&str) -> String) {
    if !rule.on_delay.is_zero() && rule.on_delay < p.period * 2 {
        r.error(
            at("on_delay"),
            format!("延时 {:?} 短于两个轮询周期，不起作用", rule.on_delay),
            format!("an on-delay of {:?} is shorter than two polls and does nothing", rule.on_delay),
            ("取 0，或至少两个轮询周期", "take 0, or at least two polls"),
        );
    }
    let fault = matches!(rule.condition, Condition::SensorFault);
    if p.kind == PointKind::Gas && !fault && rule.on_delay > GAS_ON_DELAY_MAX {
        r.error(
            at("on_delay"),
            format!("气体报警延时 {:?} 超过 10 s", rule.on_delay),
            format!("a gas alarm may not wait {:?}", rule.on_delay),
            ("不超过 10 s，建议 0–2 s", "at most 10 s; 0 to 2 s are usual"),
        );
    }
    if rule.off_delay > OFF_DELAY_MAX {
        r.error(
            at("off_delay"),
            "恢复延时超过 120 min",
            "the off-delay is longer than 120 min",
            ("不超过 120 min", "at most 120 min"),
        );
    }
}

fn numbers(r: &mut Report, rule: &Rule, p: &Point, at: &dyn Fn(&str) -> String) {
    let state = p.kind == PointKind::State;
    let misfit = match rule.condition {
        Condition::Discrete { .. } => !state,
        _ => state,
    };
    if misfit {
        r.error(
            at("condition"),
            "状态点只用 DISCRETE，模拟量点不用 DISCRETE",
            "a state takes DISCRETE only, and nothing else takes it",
            ("更换条件或测点类型", "change the condition or the kind of the point"),
        );
    }
    let Some((limit, deadband)) = rule.condition.band() else { return };
    if !limit.is_finite() || limit < p.range.0 || limit > p.range.1 {
        r.error(
            at("limit"),
            format!("限值 {limit} 不在量程 {} … {} 内", p.range.0, p.range.1),
            format!("the limit {limit} lies outside the range {} … {}", p.range.0, p.range.1),
            ("限值应在量程内", "a limit lies inside the range"),
        );
    }
    if !deadband.is_finite() || deadband < 0.0 {
        r.error(
            at("deadband"),
            format!("回差 {deadband} 无效"),
            format!("the deadband {deadband} is not valid"),
            ("取 0 或正数", "take 0 or a positive number"),
        );
    }
}

/// LL < L < H < HH, and each deadband smaller than the step to its neighbour.
fn order(r: &mut Report, point: &str, rules: &[&Rule]) {
    let of = |word: &str| rules.iter().find(|x| x.condition.word() == word).and_then(|x| x.condition.band());
    let ladder: Vec<_> = ["LL", "L", "H", "HH"].into_iter().filter_map(|w| of(w).map(|b| (w, b))).collect();
    for pair in ladder.windows(2) {
        let ((low, (a, _)), (high, (b, _))) = (pair[0], pair[1]);
        if a >= b {
            r.error(
                format!("points[{point}].rules.{high}.limit"),
                format!("{low} 限值 {a} 不小于 {high} 限值 {b}"),
                format!("the {low} limit {a} is not below the {high} limit {b}"),
                ("必须满足 LL < L < H < HH", "LL < L < H < HH must hold"),
            );
        }
    }
    for (inner, outer) in [("H", "HH"), ("L", "LL")] {
        let (Some((a, da)), Some((b, db))) = (of(inner), of(outer)) else { continue };
        for (word, deadband) in [(inner, da), (outer, db)] {
            // rounded for people: 1.8 − 1.6 is 0.19999999999999996
            let step = ((b - a).abs() * 1e9).round() / 1e9;
            if deadband >= step {
                r.error(
                    format!("points[{point}].rules.{word}.deadband"),
                    format!("回差 {deadband} 不小于 {outer} 与 {inner} 之差 {step}"),
                    format!("the deadband {deadband} is not below the step {step} from {inner} to {outer}"),
                    ("减小回差", "make the deadband smaller"),
                );
            }
        }
    }
}

fn register(r: &mut Report, parts: &BookParts, points: &HashSet<&str>) {
    let sources = r.keys("sources", parts.sources.iter().map(|s| s.key.as_str()));
    let risks = r.keys("risks", parts.risks.iter().map(|x| x.key.as_str()));
    r.keys("measures", parts.measures.iter().map(|m| m.key.as_str()));
    for s in &parts.sources {
        if !(1..=4).contains(&s.grade) || !s.s.is_finite() || !s.r.is_finite() {
            r.error(
                format!("sources[{}].grade", s.key),
                "重大危险源等级不在一至四级，或 S、R 不是有限数",
                "the grade is not 1 … 4, or S or R is not finite",
                ("按 GB 18218 计算", "compute it after GB 18218"),
            );
        }
    }
    for x in &parts.risks {
        r.area(format!("risks[{}].area", x.key), &x.area);
        if let Some(source) = &x.source {
            r.known(format!("risks[{}].source", x.key), ("重大危险源", "source"), source, &sources);
        }
    }
    for m in &parts.measures {
        r.known(format!("measures[{}].risk", m.key), ("风险", "risk"), &m.risk, &risks);
        let Evidence::Watched { points: watched } = &m.evidence else { continue };
        if watched.is_empty() {
            r.error(
                format!("measures[{}].points", m.key),
                "自动监控的措施没有对应测点",
                "a watched measure watches no point",
                ("列出测点，或改为人工排查", "list its points, or make it inspected"),
            );
        }
        for key in watched {
            r.known(format!("measures[{}].points", m.key), ("测点", "point"), key, points);
        }
    }
}
