//! One row of a tag list to its point, and to its device where it describes one.
//!
//! Owns what a point and a device need. Leaves the cells to [`super::cells`], limits to [`super::limits`], registers to [`super::registers`], and what rows must not have in
//! common to [`super::rows`].

use super::cells::Row;
use super::limits::Limit;
use crate::config::SubstanceWord;
use devices::profile::WordOrder;
use serde::Serialize;
use std::collections::BTreeMap;

/// An instrument, as a row describes it.
#[derive(Clone, PartialEq, Serialize)]
pub(super) struct Device {
    pub(super) key: String,
    pub(super) link: String,
    pub(super) unit: u16,
    pub(super) profile: String,
    pub(super) area: String,
}

/// A point.
#[derive(Serialize)]
pub(super) struct Point {
    pub(super) key: String,
    name: String,
    name_en: String,
    pub(super) device: String,
    pub(super) field: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    substance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal_span: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fast_period_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) area: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    word_order: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    limits: BTreeMap<&'static str, Limit>,
}

/// How often a point is read where nothing is written.
const PERIOD_MS: u32 = 1_000;

const KINDS: [(&str, &str); 9] = [
    ("gas", "气体"),
    ("pressure", "压力"),
    ("temperature", "温度"),
    ("level", "液位"),
    ("flow", "流量"),
    ("speed", "风速"),
    ("percent", "百分比"),
    ("state", "状态"),
    ("other", "其他"),
];

impl Row<'_> {
    /// A row that gives link, unit id or profile describes its device.
    pub(super) fn device(&mut self) -> Option<Device> {
        let given = ["link", "unit_id", "profile"].map(|key| self.cell(key).is_some());
        if !given.contains(&true) {
            return None;
        }
        for key in ["link", "unit_id", "profile", "area"] {
            // of a row with registers the profile is written from them, under the device's name if it has no other
            if self.cell(key).is_none() && !(key == "profile" && self.is_register()) {
                let zh = "写了链路、站号或型号的行是在描述仪表，这四列都要写：链路、站号、型号、区域".into();
                let en = "a row that gives link, unit id or profile describes its device and needs all four: link, unit id, profile, area";
                self.wrong(key, zh, en.into());
            }
        }
        // over TCP 0 and 255 may be right; check knows the link
        let unit = self.within("unit_id", 0, 255)?;
        Some(Device {
            key: self.cell("device")?.to_owned(),
            link: self.text("link")?,
            unit,
            profile: self.profile()?,
            area: self.text("area")?,
        })
    }

    pub(super) fn point(&mut self) -> Point {
        let name = self.text("name").unwrap_or_default();
        let key = self.text("key").unwrap_or_default();
        let (range, period_ms) = (self.range(), self.within("period_ms", 50, 3_600_000));
        let field = self.field(&key);
        Point {
            name_en: self.text("name_en").unwrap_or_else(|| key.clone()),
            key,
            name,
            device: self.text("device").unwrap_or_default(),
            field,
            kind: self.kind(),
            substance: self.substance(),
            unit: self.text("unit"),
            range,
            signal_span: self.span("signal_span"),
            decimals: self.number("decimals"),
            period_ms,
            fast_period_ms: self.within("fast_period_ms", 50, 3_600_000),
            max_age_s: self.max_age(period_ms.unwrap_or(PERIOD_MS)),
            area: self.text("area"),
            // where the row says where the value lies, its order is the profile's
            word_order: self.word_order().filter(|_| !self.is_register()),
            limits: self.limits(range),
        }
    }

    /// A row that says where its value lies needs no name for it: the tag is one.
    fn field(&mut self, tag: &str) -> String {
        match self.text("field") {
            Some(field) => field,
            None if self.is_register() => tag.to_owned(),
            None => {
                let zh = "不能为空：写型号里的量，或写功能码、寄存器地址、数据类型".into();
                self.wrong(
                    "field",
                    zh,
                    "must not be empty: a field of the profile, or function, address and type".into(),
                );
                String::new()
            }
        }
    }

    pub(super) fn word_order(&mut self) -> Option<String> {
        let cell = self.text("word_order")?;
        if let Some(order) = WordOrder::named(&cell.to_uppercase()) {
            return Some(order.word().to_owned());
        }
        let known = WordOrder::OF_64.map(WordOrder::word).join(", ");
        self.wrong(
            "word_order",
            format!("没有字节序“{cell}”；可用：{known}，ABCD 为高字在前；hazard-gateway read --expect 可测出"),
            format!("there is no byte order `{cell}`; there are {known}, ABCD being high word first; hazard-gateway read --expect finds it"),
        );
        None
    }

    fn kind(&mut self) -> String {
        let Some(cell) = self.text("kind") else { return String::new() };
        let word = cell.to_lowercase();
        if let Some((key, _)) = KINDS.iter().find(|(key, zh)| *key == word || *zh == word) {
            return (*key).to_owned();
        }
        let known = KINDS.map(|(key, zh)| format!("{zh} {key}")).join(", ");
        let en = KINDS.map(|(key, _)| key).join(", ");
        self.wrong(
            "kind",
            format!("没有类别“{cell}”；可用：{known}"),
            format!("there is no kind `{cell}`; there are {en}"),
        );
        String::new()
    }

    fn substance(&mut self) -> Option<String> {
        let cell = self.text("substance")?;
        let known = SubstanceWord::names();
        if let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(&cell)) {
            return Some(name.clone());
        }
        let known = known.join(", ");
        let zh = format!("没有气体种类“{cell}”；可用：{known}");
        self.wrong("substance", zh, format!("there is no substance `{cell}`; there are {known}"));
        None
    }

    fn range(&mut self) -> Option<(f64, f64)> {
        let before = self.defects.len();
        let (low, high) = (self.real("low"), self.real("high"));
        match (low, high) {
            (Some(low), Some(high)) if low < high => Some((low, high)),
            (Some(_), Some(_)) => {
                self.wrong("high", "量程上限必须大于下限".into(), "the range must end above its beginning".into());
                None
            }
            (None, None) => None,
            // an end that is no number has been told
            _ if self.defects.len() > before => None,
            _ => {
                self.wrong("low", "量程要上下限都写".into(), "a range needs both ends".into());
                None
            }
        }
    }

    fn max_age(&mut self, period_ms: u32) -> Option<f64> {
        let max_age_s = self.real("max_age_s")?;
        let period_s = f64::from(period_ms) / 1000.0;
        if max_age_s < period_s {
            self.wrong(
                "max_age_s",
                format!("{max_age_s} 秒短于一个轮询周期（{period_s} 秒）；通常取三个周期"),
                format!("{max_age_s} s is shorter than one poll ({period_s} s); three polls are usual"),
            );
        }
        Some(max_age_s)
    }
}
