//! How defects are said: path, what is wrong, what would be right; each in zh-CN and English.

use crate::book::Defect;
use std::collections::HashSet;

/// Collects defects.
#[derive(Default)]
pub(super) struct Report {
    pub(super) defects: Vec<Defect>,
    /// The parts do not refer to one another as an index of them takes for granted: a key that is twice or nobody's, a loop.
    pub(super) is_torn: bool,
}

impl Report {
    pub(super) fn put(&mut self, fatal: bool, path: String, what: (String, String), remedy: (&str, &str)) {
        self.defects.push(Defect {
            path,
            message_zh: what.0,
            message_en: what.1,
            remedy_zh: remedy.0.to_owned(),
            remedy_en: remedy.1.to_owned(),
            fatal,
        });
    }
    pub(super) fn error(&mut self, path: String, zh: impl Into<String>, en: impl Into<String>, remedy: (&str, &str)) {
        self.put(true, path, (zh.into(), en.into()), remedy);
    }
    pub(super) fn warn(&mut self, path: String, zh: impl Into<String>, en: impl Into<String>, remedy: (&str, &str)) {
        self.put(false, path, (zh.into(), en.into()), remedy);
    }

    /// Keys of one list: none empty, none with a character that alarm keys use, none twice.
    pub(super) fn keys<'a>(&mut self, list: &str, keys: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
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
                self.is_torn = true;
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

    pub(super) fn known(&mut self, path: String, what: (&str, &str), key: &str, keys: &HashSet<&str>) {
        if keys.contains(key) {
            return;
        }
        self.is_torn = true;
        let (mut zh, mut en) =
            ("改为已配置的键，或先添加它".to_owned(), "name one that is configured, or add it".to_owned());
        // a point where one of its alarms is wanted
        let own: Vec<String> = ["HH", "H", "L", "LL", "ROC+", "ROC-", "DEV", "DISCRETE", "SENSOR_FAULT"]
            .iter()
            .map(|c| format!("{key}:{c}"))
            .filter(|k| keys.contains(&**k))
            .collect();
        if !own.is_empty() {
            let list = own.join(" ");
            (zh, en) = (
                format!("报警写作 测点:条件，{key} 有：{list}"),
                format!("an alarm is POINT:CONDITION; {key} has {list}"),
            );
        }
        self.error(
            path,
            format!("没有名为“{key}”的{}", what.0),
            format!("there is no {} named {key:?}", what.1),
            (&zh, &en),
        );
    }

    pub(super) fn priority(&mut self, path: String, priority: u8) {
        if !(1..=4).contains(&priority) {
            self.error(
                path,
                format!("优先级 {priority} 不在 1…4 之间"),
                format!("priority {priority} is not within 1 … 4"),
                ("1 最紧急，4 最低", "1 is the most urgent, 4 the least"),
            );
        }
    }

    pub(super) fn area(&mut self, path: String, area: &str, areas: &[String]) {
        if !area.trim().is_empty() && !areas.is_empty() && !areas.iter().any(|a| a == area) {
            self.error(
                path,
                format!("没有名为“{area}”的区域"),
                format!("there is no area named {area:?}"),
                ("改为四色图上的区域键", "name an area of the plan"),
            );
        } else if area.trim().is_empty() {
            self.warn(
                path,
                "没有填写区域",
                "no area is given",
                ("填写四色图上的区域键", "give the key of an area of the plan"),
            );
        }
    }
}
