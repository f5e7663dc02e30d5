//! `probe`: a configured device once, raw and decoded, with its quality.
//!
//! Reads every field of the device's profile, not only those bound to points, so that the person sees what there is.
#![allow(clippy::print_stdout, reason = "the output of a command")]

mod asked;
mod shown;
#[cfg(test)]
mod tests;

use super::Exit;
use super::given::site;
use super::link::{block_on, opened, until_ctrl_c};
use crate::config::Site;
use crate::text::{counted, doubt_words, fault_words};
use asked::{Asked, Course};
use devices::commission::Session;
use devices::profile::Field;
use devices::{BusSpec, DeviceSpec};
use rules::Reading;
use serde::Serialize;
use shown::print;
use std::path::PathBuf;

/// Arguments of `probe`.
#[derive(Debug, clap::Args)]
pub(super) struct ProbeArgs {
    /// 站点配置文件 · site file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 仪表名，可多次；默认全部 · name of the device, may be repeated; default all of them.
    #[arg(long, value_name = "KEY")]
    device: Vec<String>,
    /// 以 JSON 输出 · the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Probed {
    device: String,
    link: String,
    unit: u8,
    profile: String,
    /// Where the profile's register map is published.
    basis: String,
    basis_zh: String,
    /// True when the profile was compared with what the maker publishes.
    checked: bool,
    /// False when a person stopped the look before the end of this device, or its link cannot be opened.
    complete: bool,
    /// Slowest answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<f64>,
    /// Why requests got no answer.
    silence: Vec<String>,
    fields: Vec<Row>,
}

impl Probed {
    /// A value that a point reads is bad, or nothing at all came. A channel without a point is nobody's, and so is what it says.
    fn has_found(&self) -> bool {
        let bad = |row: &Row| !row.points.is_empty() && row.quality == "bad" && row.text.is_none();
        self.fields.iter().any(bad) || self.complete && self.ms.is_none()
    }
}

#[derive(Debug, Serialize)]
struct Row {
    field: String,
    points: Vec<String>,
    function: u8,
    address: u16,
    /// Registers as they came, hexadecimal.
    raw: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    /// The current behind it, where it arrives as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    milliamp: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    unit: String,
    /// `good`, `uncertain`, `bad`.
    quality: &'static str,
    /// Why it is not good, in both languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// One device of the configuration, and how far the look at it has come.
struct Look<'a> {
    bus: &'a BusSpec,
    device: &'a DeviceSpec,
    asked: Asked,
    /// Every request has been made.
    complete: bool,
}

/// The command.
pub(super) fn main(args: &ProbeArgs) -> Exit {
    block_on(run(args))
}

async fn run(args: &ProbeArgs) -> Result<Exit, Exit> {
    let site = site(&args.config)?;
    let known = |key: &String| site.buses.iter().flat_map(|b| &b.devices).any(|d| d.key == *key);
    if let Some(unknown) = args.device.iter().find(|key| !known(key)) {
        let keys: Vec<&str> = site.buses.iter().flat_map(|b| &b.devices).map(|d| d.key.as_str()).collect();
        eprintln!("没有名为 {unknown} 的仪表；有 {0} · there is no device `{unknown}`; there are {0}", keys.join(", "));
        return Err(Exit::Usage);
    }
    let wanted = |d: &DeviceSpec| args.device.is_empty() || args.device.contains(&d.key);
    let of_bus = |bus| Look::all(bus, wanted);
    let mut looks: Vec<Vec<Look<'_>>> = site.buses.iter().map(of_bus).filter(|looks| !looks.is_empty()).collect();
    let ended = until_ctrl_c(each(&mut looks, &site, args.json)).await;
    let all: Vec<&Look<'_>> = looks.iter().flatten().collect();
    if ended.is_none() {
        say_stopped(&all, &site, args.json);
    }
    let probed: Vec<Probed> = all.iter().map(|look| look.probed(&site)).collect();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&probed).expect("finite numbers and texts only"));
    }
    let bad = probed.iter().any(Probed::has_found);
    Ok(match ended {
        None => Exit::Ok,
        Some(true) => Exit::Io,
        Some(false) if bad => Exit::Found,
        Some(false) => Exit::Ok,
    })
}

/// Looks at the devices link by link; true when a link could not be opened.
async fn each(looks: &mut [Vec<Look<'_>>], site: &Site, json: bool) -> bool {
    let mut unreachable = false;
    for of_bus in looks {
        let bus = of_bus[0].bus;
        let mut session = match opened(&bus.transport, &bus.key).await {
            Ok(session) => session,
            Err(why) => {
                unreachable = true;
                eprintln!("{why}");
                of_bus.iter_mut().for_each(|look| look.asked.silence.push(why.clone()));
                continue;
            }
        };
        for look in of_bus {
            look.ask(&mut session).await;
            if !json {
                print(&look.probed(site));
            }
        }
        // whoever asks next finds the line empty
        session.hear_out().await;
        say_late(&bus.key, session.late_answers());
    }
    unreachable
}

fn say_late(link: &str, late: u64) {
    if late > 0 {
        eprintln!(
            "链路 {link} 上有 {late} 个应答迟到或来自别的站号，未采用：加大 [[link]] timeout_ms，并确认线上没有别的主站 · {} on {link}, or of another id \
             than was asked, not taken: raise [[link]] timeout_ms, and see that no other master is on the line",
            counted(late, "late answer")
        );
    }
}

/// What a person who stops the look is told: how far it came, and what the device under way has answered.
fn say_stopped(all: &[&Look<'_>], site: &Site, json: bool) {
    if let Some(begun) = all.iter().find(|look| !look.complete && look.asked.slowest.is_some()).filter(|_| !json) {
        print(&begun.probed(site));
    }
    let (done, of) = (all.iter().filter(|look| look.complete).count(), all.len());
    eprintln!("已停止：{of} 台仪表中读完 {done} 台 · stopped: {done} of {} read to the end", counted(of, "device"));
}

impl<'a> Look<'a> {
    fn all(bus: &'a BusSpec, wanted: impl Fn(&DeviceSpec) -> bool) -> Vec<Self> {
        let look = |device| Self { bus, device, asked: Asked::default(), complete: false };
        bus.devices.iter().filter(|d| wanted(d)).map(look).collect()
    }

    fn fields(&self) -> Vec<(&'a str, &'a Field)> {
        let profile = &self.device.profile;
        names(self.device).filter_map(|name| Some((name, &**profile.field(name)?))).collect()
    }

    async fn ask(&mut self, session: &mut Session) {
        let values = self.fields().iter().flat_map(|(_, f)| f.spans()).collect();
        let mut course = Course { session, bus: self.bus, device: self.device, values };
        self.asked.all(&mut course).await;
        self.complete = true;
    }

    fn probed(&self, site: &Site) -> Probed {
        let (device, asked) = (self.device, &self.asked);
        let row = |(name, field): &(&str, &Field)| row(name, field, device, site, asked);
        let fields = self.fields();
        Probed {
            device: device.key.clone(),
            link: self.bus.key.clone(),
            unit: device.unit,
            profile: device.profile.name.clone(),
            basis: device.profile.basis.clone(),
            basis_zh: device.profile.basis_zh.clone(),
            checked: device.profile.checked,
            complete: self.complete,
            ms: asked.slowest.map(|took| (took.as_secs_f64() * 10_000.0).round() / 10.0),
            silence: asked.silence.clone(),
            fields: fields.iter().map(row).collect(),
        }
    }
}

/// The profile's fields; of one that a point reads in its own way that way only.
fn names(device: &DeviceSpec) -> impl Iterator<Item = &str> {
    let own = |name: &&str| device.points.iter().any(|p| p.field == *name);
    device.profile.field_names().into_iter().filter(move |name| !name.contains('@') || own(name))
}

/// What the number is of: of the point that reads it, else of the profile, else milliamperes where it is the current itself.
fn unit_of(field: &Field, of_point: Option<String>) -> String {
    let current = field.signal.as_ref().is_some_and(|signal| signal.is_its_own_current());
    of_point.unwrap_or_else(|| if current { "mA".to_owned() } else { field.unit.clone() })
}

fn row(name: &str, field: &Field, device: &DeviceSpec, site: &Site, asked: &Asked) -> Row {
    let answers = &asked.answers;
    let points: Vec<String> = device.points.iter().filter(|p| p.field == name).map(|p| p.key.to_string()).collect();
    let of_point = points.iter().find_map(|key| site.view.points.find(key)).map(|p| p.unit.to_string());
    let raw = answers
        .words(field.span)
        .map_or_else(|| "—".to_owned(), |words| words.iter().map(|w| format!("{w:04X}")).collect::<Vec<_>>().join(" "));
    let text = answers.text(field);
    let reading = answers.reading(field);
    let owned = |(zh, en): (&str, &str)| (zh.to_owned(), en.to_owned());
    let (quality, reason) = match reading {
        _ if text.is_some() => ("good", None),
        Reading::Good(_) => ("good", None),
        Reading::Uncertain(_, doubt) => ("uncertain", Some(owned(doubt_words(doubt)))),
        Reading::Bad(fault) => ("bad", Some(asked.reason(field).unwrap_or_else(|| owned(fault_words(fault))))),
    };
    Row {
        field: name.to_owned(),
        points,
        function: field.span.function,
        address: field.span.address,
        raw,
        value: reading.value(),
        milliamp: answers.milliamp(field).map(|ma| (ma * 1000.0).round() / 1000.0),
        text,
        unit: unit_of(field, of_point),
        quality,
        reason: reason.map(|(zh, en)| format!("{zh} · {en}")),
    }
}
