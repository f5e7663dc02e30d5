//! Figures of links and units for `/metrics`.
//!
//! Owns their names. Per link everything the line guard counts; per unit what an alarm rule of a monitoring system needs.

use super::Buses;
use devices::status::{BusReport, TURNAROUND_EDGES_MS};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

type OfBus = [(&'static str, String); 1];
type OfUnit = [(&'static str, String); 2];
type Named = (&'static str, &'static str, fn(&BusReport) -> u64);

/// Name, help, value of each counter of a link.
const LINK: [Named; 17] = [
    ("bus_answers", "Exchanges with a good answer", |r| r.link.ok),
    ("bus_exceptions", "Exchanges with a Modbus exception", |r| r.link.exceptions),
    ("bus_timeouts", "Exchanges without an answer in time", |r| r.link.timeouts),
    ("bus_crc_errors", "Answers with a wrong check sum", |r| r.link.crc),
    ("bus_foreign_frames", "Frames of other units or functions", |r| r.link.foreign),
    ("bus_stale_frames", "Answers to requests that were over", |r| r.link.stale),
    ("bus_echoes", "Own requests heard again", |r| r.link.echo),
    ("bus_short_answers", "Answers of the wrong length", |r| r.link.short),
    ("bus_doubtful_answers", "Answers whose end may be another frame, asked for once more", |r| r.link.doubtful),
    ("bus_noise_bytes", "Bytes that belong to no frame", |r| r.link.noise),
    ("bus_reconnects", "Times the link was opened again", |r| r.link.reconnects),
    ("bus_renewals", "Times of them because old answers were in the way", |r| r.link.renewals),
    ("bus_connect_failures", "Times the link could not be opened", |r| r.link.connect_failures),
    ("bus_sent_bytes", "Bytes sent", |r| r.link.bytes_sent),
    ("bus_received_bytes", "Bytes received", |r| r.link.bytes_received),
    ("bus_busy_microseconds", "Time with a request under way", |r| r.link.busy_us),
    ("bus_skipped_cycles", "Cycles skipped because the bus was late", |r| {
        r.units.iter().map(|u| u.unit.counters.skipped).sum()
    }),
];

pub(super) fn register(registry: &mut Registry, buses: &Buses) {
    let reports: Vec<BusReport> = buses.iter().map(|(_, status)| status.report()).collect();
    let (up, used) = (Family::<OfBus, Gauge>::default(), Family::<OfBus, Gauge<f64, AtomicU64>>::default());
    let silent = Family::<OfBus, Gauge>::default();
    for report in &reports {
        silent.get_or_create(&of(report)).set(i64::from(report.state == "silent"));
        up.get_or_create(&of(report)).set(i64::from(report.up));
        used.get_or_create(&of(report)).set(report.utilisation_percent);
    }
    registry.register("bus_up", "1 when the link is open", up);
    registry.register("bus_silent", "1 when the link is open and no unit answers", silent);
    registry.register("bus_utilisation_percent", "Share of the last ten seconds with a request under way", used);
    for (name, help, value) in LINK {
        let family = Family::<OfBus, Counter>::default();
        for report in &reports {
            family.get_or_create(&of(report)).inc_by(value(report));
        }
        registry.register(name, help, family);
    }
    registry.register(
        "bus_turnaround_seconds",
        "From a request to its whole answer",
        Turnarounds(turnarounds(&reports)),
    );
    units(registry, &reports);
}

fn of(report: &BusReport) -> OfBus {
    [("bus", report.key.clone())]
}

fn units(registry: &mut Registry, reports: &[BusReport]) {
    let (alive, codes) = (Family::<OfUnit, Gauge>::default(), Family::<[(&str, String); 3], Counter>::default());
    let misses = Family::<OfUnit, Counter>::default();
    for (report, unit) in reports.iter().flat_map(|r| r.units.iter().map(move |u| (r, u))) {
        let labels = || [("bus", report.key.clone()), ("device", unit.unit.device.clone())];
        alive.get_or_create(&labels()).set(i64::from(unit.unit.state == "alive"));
        misses.get_or_create(&labels()).inc_by(unit.unit.counters.timeouts + unit.unit.counters.protocol);
        for (code, count) in &unit.exceptions_by_code {
            let [bus, device] = labels();
            codes.get_or_create(&[bus, device, ("code", code.to_string())]).inc_by(*count);
        }
    }
    registry.register("unit_alive", "1 when the unit answers", alive);
    registry.register("unit_misses", "Requests without a usable answer", misses);
    registry.register("unit_exceptions", "Modbus exceptions by code", codes);
}

/// Labels, sum in seconds, and the count up to each edge from the one before.
type OneBus = (OfBus, f64, Vec<(f64, u64)>);

/// Histogram of each bus.
#[derive(Debug)]
struct Turnarounds(Vec<OneBus>);

fn turnarounds(reports: &[BusReport]) -> Vec<OneBus> {
    let edges = || TURNAROUND_EDGES_MS.iter().map(|ms| std::time::Duration::from_millis(*ms).as_secs_f64());
    let one = |report: &BusReport| {
        let count = |bucket: usize| report.units.iter().map(|u| u.turnaround.counts[bucket]).sum();
        let sum_us: u64 = report.units.iter().map(|u| u.turnaround.sum_us).sum();
        let buckets = edges().chain([f64::INFINITY]).enumerate().map(|(n, edge)| (edge, count(n)));
        (of(report), std::time::Duration::from_micros(sum_us).as_secs_f64(), buckets.collect())
    };
    reports.iter().map(one).collect()
}

impl EncodeMetric for Turnarounds {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (labels, sum, buckets) in &self.0 {
            let count = buckets.iter().map(|(_, n)| n).sum();
            encoder.encode_family(labels)?.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)?;
        }
        Ok(())
    }
    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
