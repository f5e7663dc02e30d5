//! `demo`: a simulated plant, its site, a broker and the township office in one process, on loopback, in a folder that goes with it.
//!
//! Owns the temporary folder and which site is shown. Where it serves is chosen in `places`, what is printed is in `words`; everything else is what `run` and
//! `office` run.
#![allow(clippy::print_stdout, reason = "the output of a command")]

pub mod broker;
mod places;
mod uplink;
mod words;

use crate::cli::Exit;
use crate::cli::serve::{office_exit, run_exit};
use crate::clock::SystemClock;
use crate::config::{self, MqttSettings, Office, Site, WebSettings};
use crate::lock::lock;
use crate::office::{self, OfficeError};
use crate::reload::Asker;
use crate::run::{RunError, Surroundings, run_site};
use crate::store::Claim;
use crate::web::{DemoScenario, DemoStage};
use places::Places;
use rules::Clock;
use sim::{DemoPlan, DemoSite, Plant, Scenario, SiteName};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// The same plant each time: what README says happens.
const SEED: u64 = 20_260_501;

/// A site's file, as an engineer would have written it: its name and text.
const fn site_file(site: SiteName) -> (&'static str, &'static str) {
    match site {
        SiteName::Chemical => ("demo-site.toml", include_str!("../examples/demo-site.toml")),
        SiteName::ColdStore => ("cold-store-site.toml", include_str!("../examples/cold-store-site.toml")),
        SiteName::Mine => ("mine-site.toml", include_str!("../examples/mine-site.toml")),
    }
}

/// What the command line chose.
#[derive(Debug)]
pub struct Choice {
    /// Left out: where the scenario is at home, or the chemical site.
    pub site: Option<SiteName>,
    pub scenario: Option<Scenario>,
    /// Kept after the end; otherwise a temporary folder is used and removed.
    pub data: Option<PathBuf>,
    /// Of the control room's page; the first free port from 8080 on where it is left out.
    pub listen: Option<SocketAddr>,
    /// Of the office's page, likewise from 8081 on.
    pub office_listen: Option<SocketAddr>,
}

impl Choice {
    /// The site that is meant; `Err` where its scenario cannot happen.
    fn site(&self) -> Result<SiteName, (SiteName, Scenario)> {
        match (self.site, self.scenario) {
            (Some(site), Some(scenario)) if !scenario.sites().contains(&site) => Err((site, scenario)),
            (Some(site), _) => Ok(site),
            (None, scenario) => Ok(scenario.and_then(|s| s.sites().first().copied()).unwrap_or_default()),
        }
    }
}

/// A folder that is removed at the end unless the person named it.
struct Folder {
    path: PathBuf,
    temporary: bool,
    /// Shows later demos that this one still runs.
    _claim: Claim,
}

/// Begins the name of a demo's temporary folder.
const FOLDER: &str = "hazard-gateway-demo-";

impl Folder {
    fn new(named: Option<PathBuf>) -> std::io::Result<Self> {
        let temporary = named.is_none();
        let path = named.unwrap_or_else(|| std::env::temp_dir().join(format!("{FOLDER}{}", crate::clock::boot_id())));
        let claim = Claim::take(&path).map_err(std::io::Error::other)?;
        if temporary {
            sweep(&std::env::temp_dir());
        }
        Ok(Self { path, temporary, _claim: claim })
    }
}

/// Removes what demos that were killed have left behind: a running one holds its claim.
fn sweep(temporary: &Path) {
    let Ok(entries) = std::fs::read_dir(temporary) else { return };
    let ours = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with(FOLDER));
    for folder in entries.flatten().filter(|e| ours(&e.file_name())).map(|e| e.path()) {
        if Claim::is_free(&folder) {
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Runs until `stop`.
pub async fn run(choice: Choice, stop: CancellationToken) -> Exit {
    let name = match choice.site() {
        Ok(name) => name,
        Err((site, scenario)) => return words::not_there(site, scenario),
    };
    let folder = match Folder::new(choice.data) {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("数据目录 · data folder: {error}");
            return Exit::Io;
        }
    };
    let places = match Places::free(choice.listen, choice.office_listen) {
        Ok(places) => places,
        Err(why) => {
            eprintln!("{why}");
            return Exit::Io;
        }
    };
    broker::start(places.broker);
    // The plant outlives the site: its relay module still confirms that everything is off.
    let world = CancellationToken::new();
    let _at_the_end = world.clone().drop_guard();
    let plant = match sim::start_demo(DemoPlan::anywhere(name, SEED), world.clone()).await {
        Ok(plant) => plant,
        Err(error) => {
            eprintln!("模拟仪表 · simulated instruments: {error}");
            return Exit::Io;
        }
    };
    let uplink = match uplink::start(places.broker, plant.plant.clone(), world.clone()).await {
        Ok(port) => port,
        Err(error) => {
            eprintln!("上行链路 · uplink: {error}");
            return Exit::Io;
        }
    };
    let Some(site) = site(name, &plant, &folder.path, places.site, uplink) else { return Exit::Internal };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let stage = Arc::new(Stage(plant.plant.clone()));
    let (office_ready, office_told) = oneshot::channel();
    let office = office::run(township(&folder.path, &places), clock.clone(), stop.clone(), Some(office_ready));
    let office = tokio::spawn(office);
    let around = Surroundings { clock, outward: Handle::current(), demo: Some(stage.clone()), desk: None };
    let (site_ready, site_told) = oneshot::channel();
    let site = tokio::spawn(run_site(site, Asker::Start, around, stop.clone(), site_ready));
    // an end before both are ready is told by the task itself
    if let (Ok(office_at), Ok(site)) = (office_told.await, site_told.await) {
        words::greet(site.address, office_at, name, choice.scenario);
        if let Some(scenario) = choice.scenario {
            stage.plant().start(scenario);
        }
        stop.cancelled().await;
    }
    stop.cancel();
    ended(site.await.ok(), office.await.ok())
}

/// The site's end counts first.
fn ended(site: Option<Result<(), RunError>>, office: Option<Result<(), OfficeError>>) -> Exit {
    match (site, office) {
        (Some(Err(error)), _) => run_exit(&error),
        (_, Some(Err(error))) => office_exit(&error),
        (Some(Ok(())), Some(Ok(()))) => Exit::Ok,
        _ => Exit::Internal,
    }
}

fn mqtt(client: &str, port: u16) -> MqttSettings {
    MqttSettings {
        host: Ipv4Addr::LOCALHOST.to_string(),
        port,
        client_id: client.into(),
        username: None,
        password: None,
        keep_alive: Duration::from_secs(10),
    }
}

fn township(data: &Path, places: &Places) -> Office {
    Office {
        data_dir: data.join("office"),
        name: "示范镇应急办".into(),
        name_en: "Demo township emergency office".into(),
        web: page(places.office),
        mqtt: mqtt("office", places.broker),
    }
}

fn page(listen: SocketAddr) -> WebSettings {
    WebSettings { listen, behind_tls: false, demo_operator: true }
}

/// The plant as the page plays on it.
struct Stage(Arc<Mutex<Plant>>);

impl Stage {
    fn plant(&self) -> MutexGuard<'_, Plant> {
        lock(&self.0)
    }
}

impl DemoStage for Stage {
    fn scenarios(&self) -> Vec<DemoScenario> {
        let plant = self.plant();
        let row = |s: Scenario| DemoScenario {
            name: s.name().into(),
            text_zh: s.title_zh(plant.site()).into(),
            text_en: s.title_en(plant.site()).into(),
            ends_in_s: plant.ends_in(s).map(|left| left.as_secs()),
        };
        Scenario::of(plant.site()).map(row).collect()
    }

    fn start(&self, name: &str) -> bool {
        name.parse().is_ok_and(|scenario| self.plant().start(scenario))
    }

    fn stop_all(&self) {
        self.plant().stop_all();
    }
}

fn site(name: SiteName, plant: &DemoSite, data: &Path, listen: SocketAddr, uplink_port: u16) -> Option<Site> {
    let edit = |table: &mut toml::Table| {
        for link in table.get_mut("link").and_then(toml::Value::as_array_mut).into_iter().flatten() {
            let Some(link) = link.as_table_mut() else { continue };
            let key = link.get("key").and_then(toml::Value::as_str).unwrap_or_default();
            if let Some((way, place)) = plant.place(key) {
                link.insert(way.into(), place.into());
            }
        }
    };
    let (file, text) = site_file(name);
    let checked = config::site_from_text(file, text, edit);
    let Some(mut site) = checked.value else {
        eprintln!("{file}: {:?}", checked.diagnostics);
        return None;
    };
    site.data_dir = data.join("site");
    site.web = page(listen);
    site.mqtt = Some(mqtt(&site.view.site, uplink_port));
    site.influx = None;
    let mut view = (*site.view).clone();
    view.demo = true;
    site.view = Arc::new(view);
    Some(site)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(site: Option<SiteName>, scenario: Option<Scenario>) -> Choice {
        Choice { site, scenario, data: None, listen: None, office_listen: None }
    }

    #[test]
    fn a_scenario_by_itself_shows_the_site_where_it_belongs() {
        assert_eq!(choice(None, None).site(), Ok(SiteName::Chemical));
        assert_eq!(choice(None, Some(Scenario::Nh3Leak)).site(), Ok(SiteName::Chemical));
        assert_eq!(choice(None, Some(Scenario::FanStop)).site(), Ok(SiteName::Mine));
        assert_eq!(choice(Some(SiteName::ColdStore), Some(Scenario::FanStop)).site(), Ok(SiteName::ColdStore));
        let elsewhere = choice(Some(SiteName::Chemical), Some(Scenario::FanStop)).site();
        assert_eq!(elsewhere, Err((SiteName::Chemical, Scenario::FanStop)));
    }

    #[tokio::test]
    async fn every_site_is_valid_and_each_of_its_links_leads_to_the_simulated_instruments() {
        for name in SiteName::ALL {
            let stop = CancellationToken::new();
            let plant = sim::start_demo(DemoPlan::anywhere(name, SEED), stop.clone()).await.unwrap();
            let site = site(name, &plant, Path::new("unused"), SocketAddr::from((Ipv4Addr::LOCALHOST, 1)), 2).unwrap();
            let links: Vec<&str> = site.buses.iter().map(|b| b.key.as_str()).collect();
            let served: Vec<&str> = plant.links.iter().map(|(link, _)| link.name()).collect();
            assert_eq!(links, served, "{name}");
            stop.cancel();
        }
    }
}
