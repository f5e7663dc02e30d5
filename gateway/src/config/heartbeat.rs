//! Heartbeats that cannot be seen to move: a profile wants the beat within a time in which it is hardly read.
//!
//! Owns the comparison of a heartbeat's time with the period of the points that carry it. Leaves judging the beat to `devices::decode`.

use super::diagnostic::Finding;
use super::file::{PointTable, SiteFile};
use super::parts::period;
use super::profile_files::Profiles;
use std::collections::BTreeMap;
use std::time::Duration;

/// A beat that moved just after one poll is seen with the next; one lost answer between must not make it a fault.
const POLLS_LEAST: u32 = 2;

/// One finding for every device and heartbeat time, at the slowest of its points: a longer time in the profile mends all of them.
pub(super) fn check(file: &SiteFile, profiles: &Profiles, findings: &mut Vec<Finding>) {
    let profile_of: BTreeMap<&str, &str> = file.device.iter().map(|d| (d.key.as_str(), d.profile.as_str())).collect();
    let mut slow: BTreeMap<(&str, Duration), Vec<&PointTable>> = BTreeMap::new();
    for point in &file.point {
        let profile = profile_of.get(point.device.as_str()).and_then(|name| profiles.get(*name));
        let beat = profile.and_then(|p| p.field(&point.field)).and_then(|f| f.heartbeat.as_ref());
        if let Some(beat) = beat.filter(|beat| beat.within < period(point) * POLLS_LEAST) {
            slow.entry((&point.device, beat.within)).or_default().push(point);
        }
    }
    for ((device, within), points) in slow {
        let slowest = points.iter().max_by_key(|p| p.period_ms).expect("an entry is made with its first point");
        findings.push(unseen(slowest, points.len(), within, profile_of.get(device).copied().unwrap_or_default()));
    }
}

fn unseen(slowest: &PointTable, points: usize, within: Duration, profile: &str) -> Finding {
    let (key, device, poll) = (&slowest.key, &slowest.device, period(slowest).as_secs_f64());
    let (least, within_s) = (poll * f64::from(POLLS_LEAST), within.as_secs_f64());
    let shorter = (within / POLLS_LEAST).as_millis();
    let (others_zh, others_en) = match points {
        1 => (String::new(), String::new()),
        _ => (format!("（共 {points} 个测点如此）"), format!(" ({points} points are read so)")),
    };
    Finding::fatal(
        format!("point[{key}].period_ms"),
        (
            format!(
                "{device} 的心跳须在 {within_s} s 内变化，{key} 却每 {poll} s 才读一次：仪表正常也会报心跳停止{others_zh}"
            ),
            format!(
                "the heartbeat of {device} must move within {within_s} s, but {key} is read every {poll} s: a sound instrument would be \
                 told as frozen{others_en}"
            ),
        ),
        (
            format!(
                "写 period_ms = {shorter} 或更短；或在型号 profiles/{profile}.toml 的 [heartbeat.*] 写 within_s = {least} 或更长（随附的型号先复制到那里）"
            ),
            format!(
                "write period_ms = {shorter} or less, or within_s = {least} or more in [heartbeat.*] of profiles/{profile}.toml (copy a \
                 shipped profile there first)"
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use crate::config::{Diagnostic, site_from_text};

    /// What is said of gas detectors whose profile wants a beat within 10 s, read at these periods.
    fn said(periods_ms: &[u32]) -> Vec<Diagnostic> {
        let head = "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n[[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"Area\"\n\
             [[link]]\nkey = \"l\"\ntcp = \"192.0.2.1:502\"\n\
             [[device]]\nkey = \"DET\"\nlink = \"l\"\nunit = 1\nprofile = \"honeywell-midas\"\narea = \"A1\"\n";
        let point = |(n, period_ms): (usize, &u32)| {
            format!(
                "[[point]]\nkey = \"GT-{n}\"\nname = \"氨\"\nname_en = \"Ammonia\"\ndevice = \"DET\"\nfield = \"concentration\"\n\
                 kind = \"gas\"\nsubstance = \"NH3\"\nunit = \"ppm\"\nrange = [0, 100]\nperiod_ms = {period_ms}\n"
            )
        };
        let points: String = periods_ms.iter().enumerate().map(point).collect();
        site_from_text("site.toml", &format!("{head}{points}"), |_| ()).diagnostics
    }

    #[test]
    fn a_heartbeat_that_is_read_less_than_twice_in_its_time_is_refused_with_both_numbers() {
        let found = said(&[1_000, 6_000, 30_000]);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert!(one.fatal);
        assert_eq!(one.path, "point[GT-2].period_ms", "the slowest: {one:?}");
        assert!(one.message_zh.contains("10 s 内变化") && one.message_zh.contains("共 2 个测点"), "{}", one.message_zh);
        assert!(one.message_en.contains("within 10 s") && one.message_en.contains("every 30 s"), "{}", one.message_en);
        for remedy in [&one.remedy_zh, &one.remedy_en] {
            assert!(remedy.contains("period_ms = 5000") && remedy.contains("within_s = 60"), "{remedy}");
        }
    }

    #[test]
    fn a_heartbeat_that_is_read_twice_in_its_time_passes() {
        assert_eq!(said(&[1_000, 5_000]), []);
        assert_eq!(said(&[5_001]).len(), 1);
    }
}
