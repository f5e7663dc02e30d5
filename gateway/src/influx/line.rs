//! InfluxDB line protocol, encoded so that nothing of it can be misread.
//!
//! Owns escaping and the shape of `sample`: tags `area, device, kind, point, site, unit` (sorted, empty ones left out), fields `value` (float) and
//! `quality` (0 good, 1 uncertain, 2 bad). A bad reading writes its quality only. The time is always the acquisition time in ms, so sending
//! a batch again changes nothing. Leaves batching and sending to `writer`.

use crate::snapshot::{PointView, SiteView};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One stored sample as the database is to have it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSample {
    pub point: String,
    pub utc_ms: i64,
    /// Finite, or none for a bad reading.
    pub value: Option<f64>,
    /// 0 good, 1 uncertain, 2 bad.
    pub quality: u8,
}

/// Measurement and tags of every point, escaped once.
#[derive(Clone, Debug)]
pub struct Encoder {
    heads: BTreeMap<String, String>,
}

impl Encoder {
    /// Prepares the heads of all points of a site.
    #[must_use]
    pub fn new(site: &SiteView) -> Self {
        Self { heads: site.points.iter().map(|p| (p.key.clone(), head(&site.site, p))).collect() }
    }

    /// One line without its newline; `None` for a point that is no longer configured.
    #[must_use]
    pub fn line(&self, sample: &SeriesSample) -> Option<String> {
        let head = self.heads.get(&sample.point)?;
        let mut line = String::with_capacity(head.len() + 48);
        line.push_str(head);
        line.push(' ');
        if let Some(value) = sample.value.filter(|v| v.is_finite() && sample.quality < 2) {
            let _ = write!(line, "value={value},");
        }
        let _ = write!(line, "quality={}i {}", sample.quality, sample.utc_ms);
        Some(line)
    }
}

fn head(site: &str, point: &PointView) -> String {
    let tags = [
        ("area", point.area.as_str()),
        ("device", &point.device),
        ("kind", &point.kind),
        ("point", &point.key),
        ("site", site),
        ("unit", &point.unit),
    ];
    let mut head = "sample".to_owned();
    for (key, value) in tags {
        let value = escape_tag(value);
        if !value.is_empty() {
            let _ = write!(head, ",{key}={value}");
        }
    }
    head
}

/// Escapes space, comma, equals and backslash; control characters, which could begin a second line, are left out.
fn escape_tag(text: &str) -> String {
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
            name: String::new(),
            name_en: String::new(),
            area: area.into(),
            device: "gas-12".into(),
            kind: "gas".into(),
            unit: unit.into(),
            range: (0.0, 100.0),
            decimals: 1,
            period_ms: 1000,
            position: None,
            limits: Vec::new(),
        }
    }

    fn encoder(key: &str, area: &str, unit: &str) -> Encoder {
        Encoder { heads: BTreeMap::from([(key.to_owned(), head("demo", &point(key, area, unit)))]) }
    }

    #[test]
    fn a_bad_reading_writes_its_quality_only() {
        let sample = SeriesSample { point: "GT-102".into(), utc_ms: 1_700_000_000_123, value: None, quality: 2 };
        let line = encoder("GT-102", "A1", "ppm").line(&sample).unwrap();
        assert_eq!(
            line,
            "sample,area=A1,device=gas-12,kind=gas,point=GT-102,site=demo,unit=ppm quality=2i 1700000000123"
        );
    }

    #[test]
    fn not_a_number_is_never_written() {
        let sample = SeriesSample { point: "GT-102".into(), utc_ms: 1, value: Some(f64::NAN), quality: 0 };
        assert!(!encoder("GT-102", "A1", "ppm").line(&sample).unwrap().contains("value"));
    }

    proptest! {
        #[test]
        fn an_independent_parser_reads_back_one_line_whatever_the_names(
            key in "\\PC{1,12}", area in "[ -~\n\r\t]{0,12}", unit in "[ -~]{0,4}",
            value in -1e12f64..1e12, quality in 0u8..2, utc_ms in 0i64..4_000_000_000_000,
        ) {
            let sample = SeriesSample { point: key.clone(), utc_ms, value: Some(value), quality };
            let text = encoder(&key, &area, &unit).line(&sample).unwrap();
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
