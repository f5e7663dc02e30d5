//! The annunciator: a relay module on a link of its own becomes what is driven and by which scheme.
//!
//! Owns `[annunciator]` as people write it and its checks. That its link carries no instrument is the first of them: what is written there must
//! never reach an instrument's bus.

use super::AnnunciatorSettings;
use super::absent::of_the_known;
use super::diagnostic::Finding;
use super::file::{LinkTable, SiteFile};
use super::links;
use super::place::Same;
use devices::annunciator::{CoilPlan, Coils, RelaySpec};
use rules::annunciator::{Alive, BeaconUntil, Scheme, SiteTime};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// `[annunciator]`: sounder and beacon on a relay module. Coils and inputs are addresses from 0, as on the wire.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnunciatorTable {
    /// A `[[link]]` of its own, without instruments.
    pub link: String,
    /// Modbus unit id of the relay module: 1–247; over TCP also 255.
    pub unit: u16,
    /// Coil of the sounder.
    pub sounder: u16,
    /// Coil of another tone for priority 2.
    pub sounder_p2: Option<u16>,
    /// Coil of another tone for priority 3.
    pub sounder_p3: Option<u16>,
    /// Coil of the beacon.
    pub beacon: Option<u16>,
    /// Coil that proves the gateway alive: kept on while it runs.
    pub alive: Option<u16>,
    /// `hold` for a module with a watchdog of its own, `toggle` for a retriggered timer behind one without.
    pub alive_mode: Option<AliveWord>,
    /// Discrete input that proves the sound: a current relay or a microphone contact.
    pub feedback: Option<u16>,
    /// Least urgent priority that sounds: 1, 2 or 3.
    #[serde(default = "default_sounds_to")]
    pub sounds_to: u8,
    /// Until when the beacon stays lit.
    #[serde(default)]
    pub beacon_until: BeaconWord,
    /// Time of day at the site (UTC+8) of the daily self-test.
    #[serde(default = "default_self_test_at")]
    pub self_test_at: String,
    /// How long the self-test sounds.
    #[serde(default = "default_self_test_pulse_ms")]
    pub self_test_pulse_ms: u32,
}

/// How the alive coil is kept.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AliveWord {
    Hold,
    Toggle,
}

/// When the beacon goes out.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BeaconWord {
    /// When somebody has acknowledged.
    Acknowledged,
    /// When it is acknowledged and over.
    #[default]
    Normal,
}

/// What a person must act on at once; a chime per general alarm would only teach people to switch the sounder off.
fn default_sounds_to() -> u8 {
    2
}
/// In the day shift and away from its change, when somebody hears it, and the electrician is there for the rest of the day.
fn default_self_test_at() -> String {
    "10:00".to_owned()
}
/// Long enough for a microphone contact and to be heard, too short to be taken for an alarm.
fn default_self_test_pulse_ms() -> u32 {
    2000
}

type Texts = (String, String);

/// What of a table can be used, and what is wrong with it.
pub(super) fn check(
    file: &SiteFile,
    base: &Path,
    broken: &BTreeSet<String>,
    findings: &mut Vec<Finding>,
) -> Option<AnnunciatorSettings> {
    let t = file.annunciator.as_ref()?;
    let mut at = |key: &str, message: Texts, remedy: Texts| {
        findings.push(Finding::fatal(format!("annunciator.{key}"), message, remedy));
    };
    let link = file.link.iter().find(|l| l.key == t.link);
    check_link(t, link, file, broken, &mut at);
    check_coils(t, &mut at);
    check_scheme(t, &mut at);
    let (coils, link) = (Coils::new(plan(t)?)?, link?);
    let scheme = scheme(t, &coils)?;
    let relay = RelaySpec {
        link: link.key.clone(),
        transport: links::transport(link, base)?,
        coils,
        timeout: Duration::from_millis(u64::from(link.timeout_ms)),
    };
    Some(AnnunciatorSettings { relay, scheme })
}

fn scheme(t: &AnnunciatorTable, coils: &Coils) -> Option<Scheme> {
    Some(Scheme {
        sounds_to: t.sounds_to,
        beacon_until: match t.beacon_until {
            BeaconWord::Acknowledged => BeaconUntil::Acknowledged,
            BeaconWord::Normal => BeaconUntil::Normal,
        },
        alive: match t.alive_mode {
            Some(AliveWord::Toggle) => Alive::Toggle,
            Some(AliveWord::Hold) | None => Alive::Hold,
        },
        tones: coils.tones(),
        pulse: Duration::from_millis(u64::from(t.self_test_pulse_ms)),
        test_at: SiteTime::parse(&t.self_test_at)?,
    })
}

fn plan(t: &AnnunciatorTable) -> Option<CoilPlan> {
    Some(CoilPlan {
        unit: u8::try_from(t.unit).ok()?,
        sounder: t.sounder,
        sounder_p2: t.sounder_p2,
        sounder_p3: t.sounder_p3,
        beacon: t.beacon,
        alive: t.alive,
        feedback: t.feedback,
    })
}

fn check_link(
    t: &AnnunciatorTable,
    link: Option<&LinkTable>,
    file: &SiteFile,
    broken: &BTreeSet<String>,
    at: &mut impl FnMut(&str, Texts, Texts),
) {
    if let Some(device) = file.device.iter().find(|d| d.link == t.link) {
        at(
            "link",
            (
                format!("链路 {} 上有仪表 {}：声光报警器要写线圈，写请求绝不能进入仪表总线", t.link, device.key),
                format!(
                    "link `{}` carries the instrument {}: coils are written here, and a write must never reach an instrument's bus",
                    t.link, device.key
                ),
            ),
            (
                "把继电器模块接到另一个串口或另一个地址（不是这条链路的），写成自己的 [[link]]".into(),
                "wire the relay module to another port or address than this link's, and write that as a [[link]] of its own"
                    .into(),
            ),
        );
    }
    if let Some(other) = link.and_then(|link| perhaps_the_same(link, file)) {
        at(
            "link",
            (
                format!("无法确定链路 {} 与 {} 不是同一处：写请求绝不能进入仪表总线", t.link, other.key),
                format!(
                    "it cannot be told that link `{}` is not the same place as `{}`: a write must never reach an instrument's bus",
                    t.link, other.key
                ),
            ),
            (
                "两条链路都写数字 IP 地址，不写主机名；串口都写 /dev/serial/by-id/…".into(),
                "write both links with numeric addresses, not host names; serial ports both as /dev/serial/by-id/…"
                    .into(),
            ),
        );
    }
    if link.is_none() && !broken.contains(&t.link) {
        let keys: Vec<&str> = file.link.iter().map(|l| l.key.as_str()).collect();
        let message = (format!("没有名为 {} 的链路", t.link), format!("there is no link `{}`", t.link));
        at("link", message, of_the_known("link", &t.link, &keys));
    }
    let tcp = link.is_some_and(|l| l.tcp.is_some() || l.tcp_tls.is_some());
    if !((1..=247).contains(&t.unit) || (tcp && t.unit == 255)) {
        at(
            "unit",
            (format!("站号 {} 不可用", t.unit), format!("unit {} cannot be used", t.unit)),
            (
                "站号为 1–247；TCP 另可用 255；0 是广播，无人应答，不能证实".into(),
                "a unit is 1–247; over TCP also 255; 0 is a broadcast, which nobody confirms".into(),
            ),
        );
    }
}

/// Another link that may lead to the same place. Two that surely do are refused for every site.
fn perhaps_the_same<'a>(link: &LinkTable, file: &'a SiteFile) -> Option<&'a LinkTable> {
    let place = links::place(link)?;
    let others = file.link.iter().filter(|other| other.key != link.key);
    others.into_iter().find(|other| links::place(other).is_some_and(|there| there.is(&place) == Same::Perhaps))
}

/// The coils by the keys of the file.
fn coils(t: &AnnunciatorTable) -> impl Iterator<Item = (&'static str, u16)> {
    let all = [
        ("sounder", Some(t.sounder)),
        ("sounder_p2", t.sounder_p2),
        ("sounder_p3", t.sounder_p3),
        ("beacon", t.beacon),
        ("alive", t.alive),
    ];
    all.into_iter().filter_map(|(key, coil)| Some((key, coil?)))
}

fn check_coils(t: &AnnunciatorTable, at: &mut impl FnMut(&str, Texts, Texts)) {
    for (n, (key, coil)) in coils(t).enumerate() {
        if let Some((other, _)) = coils(t).take(n).find(|(_, c)| *c == coil) {
            at(
                key,
                (format!("线圈 {coil} 已用作 {other}"), format!("coil {coil} is `{other}` already")),
                ("每个线圈只有一个用途，按接线图改正".into(), "a coil has one meaning: write it as it is wired".into()),
            );
        }
    }
    if t.alive.is_none() && t.alive_mode.is_some() {
        at(
            "alive_mode",
            ("没有 alive 线圈，此项无作用".into(), "without the coil `alive` this does nothing".into()),
            ("加上 alive = 线圈地址，或删去此行".into(), "add `alive` with its coil, or take this line out".into()),
        );
    }
}

fn check_scheme(t: &AnnunciatorTable, at: &mut impl FnMut(&str, Texts, Texts)) {
    if !(1..=3).contains(&t.sounds_to) {
        at(
            "sounds_to",
            (format!("{} 级不发声", t.sounds_to), format!("priority {} makes no sound", t.sounds_to)),
            (
                "写 1、2 或 3：此级及更紧急的报警发声".into(),
                "write 1, 2 or 3: alarms of this priority and more urgent ones sound".into(),
            ),
        );
    }
    for (key, given, priority) in [("sounder_p2", t.sounder_p2, 2), ("sounder_p3", t.sounder_p3, 3)] {
        if given.is_some() && t.sounds_to < priority {
            at(
                key,
                (
                    format!("sounds_to = {} 时 {priority} 级报警不发声", t.sounds_to),
                    format!("with sounds_to = {} alarms of priority {priority} make no sound", t.sounds_to),
                ),
                (
                    format!("写 sounds_to = {priority}，或删去此行"),
                    format!("write sounds_to = {priority}, or take this line out"),
                ),
            );
        }
    }
    if SiteTime::parse(&t.self_test_at).is_none() {
        at(
            "self_test_at",
            (format!("“{}”不是一天中的时刻", t.self_test_at), format!("`{}` is no time of day", t.self_test_at)),
            ("写 \"时:分\"，例如 \"10:00\"".into(), "write \"HH:MM\", for example \"10:00\"".into()),
        );
    }
    if !(500..=10_000).contains(&t.self_test_pulse_ms) {
        at(
            "self_test_pulse_ms",
            (format!("{} 毫秒不可用", t.self_test_pulse_ms), format!("{} ms cannot be used", t.self_test_pulse_ms)),
            (
                "写 500 到 10000：太短听不到，太长会被当成报警".into(),
                "write 500 to 10000: shorter is not heard, longer is taken for an alarm".into(),
            ),
        );
    }
}
