//! What the tests put on a bus: the way there, profiles, and whole specifications.

use crate::profile::Profile;
use crate::{BusSpec, DeviceSpec, PointBinding, Transport};
use rules::book::{Device, LimitsBy, Point, PointKind};
use rules::{BookParts, RuleBook};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

pub(in crate::bus) fn tcp() -> Transport {
    Transport::Tcp { address: "in memory".into() }
}

pub(in crate::bus) fn rtu() -> Transport {
    serial("in memory", 9_600)
}

pub(crate) fn serial(path: &str, baud: u32) -> Transport {
    let (parity, driver) = (crate::Parity::None, crate::SerialDriver::default());
    Transport::Rtu { path: path.to_owned(), baud, data_bits: 8, parity, stop_bits: 1, driver }
}

/// The far end of a new pseudo-terminal, and the path of its near one.
pub(super) fn pseudo_terminal() -> (OwnedFd, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    (master, path)
}

/// Two values of the same shape, too far apart for one request.
pub(in crate::bus) const TWO: &str = "
title_zh = '二'
title_en = 'two'
[limits]
max_registers = 16
[field.a]
function = 3
address = 0
type = 'u16'
[field.b]
function = 3
address = 100
type = 'u16'
";

/// One value.
pub(in crate::bus) const ONE: &str = "
title_zh = '一'
title_en = 'one'
[field.a]
function = 3
address = 7
type = 'u16'
";

/// A profile of these fields (name, function, address, type); `limits` as in its file.
pub(super) fn profile_of(limits: &str, fields: &[(&str, u8, u16, &str)]) -> String {
    let field = |(name, function, address, kind): &(&str, u8, u16, &str)| {
        format!("[field.{name}]\nfunction = {function}\naddress = {address}\ntype = '{kind}'\n")
    };
    let fields: String = fields.iter().map(field).collect();
    format!("title_zh = '若干'\ntitle_en = 'some'\n[limits]\n{limits}\n{fields}")
}

/// A word at each address, by the order of the addresses.
pub(super) fn words_at(limits: &str, addresses: impl IntoIterator<Item = u16>) -> String {
    let named: Vec<(String, u16)> = addresses.into_iter().map(|at| (format!("f{at:05}"), at)).collect();
    let fields: Vec<_> = named.iter().map(|(name, at)| (name.as_str(), 3, *at, "u16")).collect();
    profile_of(limits, &fields)
}

pub(in crate::bus) fn spec(transport: Transport, units: &[u8], profile: &str) -> BusSpec {
    let profile = Arc::new(Profile::from_toml("scripted", profile).unwrap());
    let period = Duration::from_secs(1);
    let key = |unit: u8| format!("u{unit}");
    let mut parts = BookParts::default();
    for unit in units {
        parts.devices.push(Device {
            key: key(*unit),
            name: key(*unit),
            area: "A1".into(),
            comms_timeout: Duration::from_secs(5),
            priority: 2,
        });
        parts.points.extend(profile.field_names().iter().map(|f| point(&key(*unit), f, period)));
    }
    let (book, _) = RuleBook::build(parts).unwrap();
    let devices = units.iter().map(|unit| {
        let bind = |f: &&str| PointBinding {
            point: book.point_id(&format!("{}-{f}", key(*unit))).unwrap(),
            key: format!("{}-{f}", key(*unit)).into(),
            field: (*f).into(),
            period,
            max_age: period * 3,
            critical: false,
            fast: None,
        };
        let points = profile.field_names().iter().map(bind).collect();
        let device = book.device_id(&key(*unit)).unwrap();
        DeviceSpec { device, key: key(*unit), unit: *unit, profile: profile.clone(), points }
    });
    BusSpec { key: "line".into(), transport, devices: devices.collect(), timeout: Duration::from_millis(400) }
}

fn point(device: &str, field: &str, period: Duration) -> Point {
    Point {
        key: format!("{device}-{field}").into(),
        name: field.into(),
        name_en: field.into(),
        area: "A1".into(),
        device: device.into(),
        kind: PointKind::Other,
        unit: "1".into(),
        range: (0.0, 100_000.0),
        decimals: 0,
        period,
        fast_period: None,
        max_age: period * 3,
        position: None,
        substance: None,
        limits_by: LimitsBy::default(),
        computed: false,
    }
}
