//! How long a replay takes: a made-up week of 500 points. `HAZARD_HOURS=168 cargo test --release -p gateway --test replay_week -- --ignored --nocapture`

#![allow(clippy::print_stdout, reason = "a measurement is printed")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use gateway::config::load_site;
use gateway::store::{OpenOptions, Store, Workers};
use rules::{Clock, Finite, Mono, Now, Reading, Sample, Wall};
use sim::Prng;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Site, hazard_gateway};

const BEGIN_MS: u64 = 1_772_323_200_000;
const POINTS: usize = 500;
/// `HAZARD_PERIOD_S` is another one.
const PERIOD_S: u64 = 10;

struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Now {
        let ms = self.0.load(Ordering::Relaxed);
        let wall = Wall::synced(i64::try_from(ms).unwrap());
        Now { mono: Mono(ms * 1_000_000), wall }
    }
}

/// The minimal site, five links with a hundred detectors each.
fn large_site() -> Site {
    let minimal = include_str!("../examples/minimal-site.toml").replace("/var/lib/hazard-gateway", "data");
    let (head, rest) = minimal.split_once("[[link]]").unwrap();
    let point = &rest[rest.find("[[point]]").unwrap()..];
    let mut text = head.to_owned();
    for link in 0..POINTS / 100 {
        writeln!(text, "[[link]]\nkey = \"bus-{link}\"\ntcp = \"127.0.0.1:{}\"", 9 + link).unwrap();
    }
    for n in 0..POINTS {
        let (link, unit) = (n / 100, n % 100 + 1);
        writeln!(
            text,
            "[[device]]\nkey = \"DET-{n}\"\nlink = \"bus-{link}\"\nunit = {unit}\nprofile = \"gas-module-b\"\narea = \"A1\""
        )
        .unwrap();
        text.push_str(
            &point
                .replace("GT-101", &format!("GT-{n}"))
                .replace("DET-101", &format!("DET-{n}"))
                .replace("range = [0, 100]", &format!("range = [0, 100]\nperiod_ms = {}", period_s() * 1000)),
        );
        writeln!(text, "[point.sensor_fault]\npriority = 3\ndelay_s = {}", 2 * period_s()).unwrap();
    }
    Site::of(&text)
}

fn period_s() -> u64 {
    std::env::var("HAZARD_PERIOD_S").map_or(PERIOD_S, |s| s.parse().expect("HAZARD_PERIOD_S is a number"))
}

#[test]
#[ignore = "a measurement"]
fn a_week_of_500_points() {
    let hours: u64 = std::env::var("HAZARD_HOURS").map_or(1, |h| h.parse().expect("HAZARD_HOURS is a number"));
    let site = large_site();
    let (checked, _) = load_site(&site.file()).unwrap_or_else(|d| panic!("{d:#?}"));
    let clock = Arc::new(Hand(AtomicU64::new(BEGIN_MS)));
    let options = OpenOptions {
        points: checked.book.points().iter().map(|p| p.key.clone()).collect(),
        commit_interval: Duration::from_secs(60),
        max_bytes: 1 << 40,
        now_label: "now".into(),
        kernel_boot_id: "one".into(),
        clock: clock.clone(),
        workers: Workers::Inline,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (store, _) = Store::open(&checked.data_dir, options).unwrap();
    let (mut draw, mut level) = (Prng::new(5), vec![10.0_f64; POINTS]);
    for _ in 0..hours * 3600 / period_s() {
        for (n, point) in checked.book.points().iter().enumerate() {
            clock.0.fetch_add(period_s() * 1000 / POINTS as u64, Ordering::Relaxed);
            level[n] = (level[n] + 1.2 * (draw.unit() - 0.5) - 0.01 * (level[n] - 12.0)).clamp(0.0, 60.0);
            let reading = Reading::Good(Finite::new((level[n] * 10.0).round() / 10.0).unwrap());
            let sample = Sample {
                point: checked.book.point_id(&point.key).unwrap(),
                reading,
                raw: rules::Raw::NONE,
                at: clock.now(),
            };
            store.append_samples(&[sample], true);
        }
    }
    runtime.block_on(store.close());
    let begun = tokio::time::Instant::now();
    let ended = hazard_gateway(&site, &["replay", "--json"], "");
    let took = begun.elapsed();
    let found: serde_json::Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    let samples = found["samples"].as_u64().unwrap();
    println!("{hours} h, {samples} samples, {} alarms: {took:?}", found["present"]["alarms"]);
    assert_eq!(samples, hours * 3600 / period_s() * POINTS as u64);

    let text = std::fs::read_to_string(site.file()).unwrap();
    let other = site.folder().join("changed.toml");
    std::fs::write(&other, text.replacen("limit = 25", "limit = 22", 50)).unwrap();
    let begun = tokio::time::Instant::now();
    let ended = hazard_gateway(&site, &["replay", "--with", other.to_str().unwrap()], "");
    println!("the same beside a changed file (50 limits, 25 → 22): {:?}\n{}", begun.elapsed(), ended.out);
    let begun = tokio::time::Instant::now();
    let ended = hazard_gateway(&site, &["check", "--dry-run"], "");
    println!("check --dry-run: {:?}\n{}", begun.elapsed(), ended.out);
}
