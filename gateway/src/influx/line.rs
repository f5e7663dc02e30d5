//! InfluxDB line protocol, encoded so that nothing of it can be misread.
//!
//! Owns escaping and the shape of `sample`: tags `area, device, kind, point, site, unit` (sorted, empty ones left out), fields `value` (float) and
//! `quality` (0 good, 1 uncertain, 2 bad). A bad reading writes its quality only. The time is always the acquisition time in ms, so sending
//! a batch again changes nothing. Leaves batching and sending to `writer`.

use super::writer::Encode;
use crate::snapshot::{PointView, SiteView};
use rules::Text;
use std::collections::HashMap;
use std::fmt::Write as _;

/// One stored sample as the database is to have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesSample {
    /// Number in the configured order.
    pub point: u32,
    pub utc_ms: i64,
    /// Finite, or none for a bad reading.
    pub value: Option<f64>,
    /// 0 good, 1 uncertain, 2 bad.
    pub quality: u8,
}

/// Measurement and tags of every point in the configured order, escaped once.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// What stands before and behind the tags of points: the same for most points of an instrument.
    parts: Vec<String>,
    heads: Vec<Head>,
}

#[derive(Clone, Debug)]
struct Head {
    before: u32,
    /// Escaped.
    key: Text,
    after: u32,
}

impl Encoder {
    /// Prepares the heads of all points of a site.
    #[must_use]
    pub fn new(site: &SiteView) -> Self {
        Self::of(&site.site, site.points.iter())
    }

    fn of(site: &str, points: impl Iterator<Item = PointView>) -> Self {
        let (mut parts, mut numbers) = (Vec::new(), HashMap::new());
        let mut number = |part: String| {
            *numbers.entry(part).or_insert_with_key(|part| {
                parts.push(part.clone());
                u32::try_from(parts.len() - 1).expect("no more parts than points, and those are numbered with 32 bits")
            })
        };
        let head = |point: PointView| {
            let (before, after) = around(site, &point);
            let escaped = escape_tag(&point.key);
            let key = if point.key == escaped { point.key } else { escaped.into() };
            Head { before: number(before), key, after: number(after) }
        };
        let heads = points.map(head).collect();
        Self { parts, heads }
    }
}

impl Encode<SeriesSample> for Encoder {
    /// Nothing for a point that is not configured.
    fn line(&self, sample: &SeriesSample, out: &mut String) {
        let Some(head) = self.heads.get(sample.point as usize) else { return };
        let mut whole = itoa::Buffer::new();
        out.push_str(&self.parts[head.before as usize]);
        out.push_str(&head.key);
        out.push_str(&self.parts[head.after as usize]);
        if let Some(value) = sample.value.filter(|v| v.is_finite() && sample.quality < 2) {
            out.push_str("value=");
            out.push_str(zmij::Buffer::new().format_finite(value));
            out.push(',');
        }
        out.push_str("quality=");
        out.push_str(whole.format(sample.quality));
        out.push_str("i ");
        out.push_str(whole.format(sample.utc_ms));
        out.push('\n');
    }
}

/// What stands before and behind the point's own tag.
fn around(site: &str, point: &PointView) -> (String, String) {
    let (mut before, mut after) = ("sample".to_owned(), String::new());
    let tag = |out: &mut String, key: &str, value: &str| {
        let value = escape_tag(value);
        if !value.is_empty() {
            let _ = write!(out, ",{key}={value}");
        }
    };
    tag(&mut before, "area", &point.area);
    tag(&mut before, "device", &point.device);
    tag(&mut before, "kind", point.kind);
    before.push_str(",point=");
    tag(&mut after, "site", site);
    tag(&mut after, "unit", &point.unit);
    after.push(' ');
    (before, after)
}

/// Escapes space, comma, equals and backslash; control characters, which could begin a second line, are left out.
pub(super) fn escape_tag(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            // A backslash before a separator would swallow it, and the protocol has no way to write one at the end of a tag.
            '\\' => out.push('/'),
            ' ' | ',' | '=' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use influxdb_line_protocol::{FieldValue, parse_lines};
    use proptest::prelude::*;

    fn point(key: &str, area: &str, unit: &str) -> PointView {
        PointView {
            key: key.into(),
            name: "".into(),
            name_en: "".into(),
            area: area.into(),
            device: "gas-12".into(),
            kind: "gas",
            unit: unit.into(),
            range: (0.0, 100.0),
            decimals: 1,
            period_ms: 1000,
            position: None,
            limits: Vec::new(),
        }
    }

    fn line(key: &str, area: &str, unit: &str, sample: SeriesSample) -> String {
        let encoder = Encoder::of("demo", std::iter::once(point(key, area, unit)));
        let mut text = String::new();
        encoder.line(&sample, &mut text);
        text
    }

    #[test]
    fn a_bad_reading_writes_its_quality_only() {
        let sample = SeriesSample { point: 0, utc_ms: 1_700_000_000_123, value: None, quality: 2 };
        assert_eq!(
            line("GT-102", "A1", "ppm", sample),
            "sample,area=A1,device=gas-12,kind=gas,point=GT-102,site=demo,unit=ppm quality=2i 1700000000123\n"
        );
    }

    #[test]
    fn not_a_number_is_never_written() {
        let sample = SeriesSample { point: 0, utc_ms: 1, value: Some(f64::NAN), quality: 0 };
        assert!(!line("GT-102", "A1", "ppm", sample).contains("value"));
    }

    #[test]
    fn a_point_that_is_not_configured_writes_nothing() {
        let sample = SeriesSample { point: 1, utc_ms: 1, value: Some(1.0), quality: 0 };
        assert_eq!(line("GT-102", "A1", "ppm", sample), "");
    }

    proptest! {
        #[test]
        fn an_independent_parser_reads_back_one_line_whatever_the_names(
            key in "\\PC{1,12}", area in "[ -~\n\r\t]{0,12}", unit in "[ -~]{0,4}",
            value in -1e12f64..1e12, quality in 0u8..2, utc_ms in 0i64..4_000_000_000_000,
        ) {
            let text = line(&key, &area, &unit, SeriesSample { point: 0, utc_ms, value: Some(value), quality });
            let lines: Vec<_> = parse_lines(&text).collect();
            prop_assert_eq!(lines.len(), 1);
            let line = lines.into_iter().next().unwrap().unwrap();
            prop_assert_eq!(line.series.measurement.as_str(), "sample");
            prop_assert_eq!(line.timestamp, Some(utc_ms));
            let read: Vec<_> = line.field_set.iter().map(|(k, v)| (k.as_str().to_owned(), v.clone())).collect();
            prop_assert_eq!(&read[0], &("value".to_owned(), FieldValue::F64(value)));
            prop_assert_eq!(&read[1], &("quality".to_owned(), FieldValue::I64(i64::from(quality))));
        }
    }
}
