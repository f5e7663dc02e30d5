//! The plants of the bench: sites of any size as configuration files, and what the optimum number of requests is.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How a link of the plant is reached.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    Serial { path: String, baud: u32 },
}

/// A plant: every unit has one register per point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plant {
    pub(crate) name: &'static str,
    pub(crate) links: usize,
    pub(crate) units: usize,
    pub(crate) points: usize,
    /// One in so many addresses is followed by a hole; 0 for none.
    pub(crate) holes: u64,
    pub(crate) period_ms: u32,
    pub(crate) seed: u64,
}

impl Plant {
    pub(crate) fn total(&self) -> usize {
        self.links * self.units * self.points
    }

    /// Addresses of the registers of every unit.
    pub(crate) fn addresses(&self) -> Vec<u16> {
        let mut random = self.seed | 1;
        let mut at = 0u16;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        (0..self.points)
            .map(|_| {
                let here = at;
                let r = next();
                let hole = if self.holes > 0 && r % self.holes == 0 { 1 + (r >> 32) % 40 } else { 0 };
                at += 1 + u16::try_from(hole).expect("at most 40");
                here
            })
            .collect()
    }

    pub(crate) fn period(&self) -> Duration {
        Duration::from_millis(self.period_ms.into())
    }

    /// Fewest requests of a cycle.
    pub(crate) fn optimum(&self) -> usize {
        self.requests_of_a_unit() * self.units * self.links
    }

    /// Fewest requests of at most 125 registers that hold every address of a unit: each begins where the last one ended.
    pub(crate) fn requests_of_a_unit(&self) -> usize {
        let mut requests = 0;
        let mut end = 0u32;
        for address in self.addresses().into_iter().map(u32::from) {
            if requests == 0 || address >= end {
                requests += 1;
                end = address + 125;
            }
        }
        requests
    }

    /// Writes the site into `folder`; gives its file.
    pub(crate) fn write(&self, folder: &Path, places: &[Place], influx: Option<SocketAddr>) -> PathBuf {
        std::fs::create_dir_all(folder.join("profiles")).expect("the folder is ours");
        std::fs::write(folder.join("profiles/bench.toml"), self.profile()).expect("the folder is ours");
        let token = folder.join("token");
        std::fs::write(&token, "bench").expect("the folder is ours");
        let private = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
        std::fs::set_permissions(&token, private).expect("the file is ours");
        let file = folder.join("site.toml");
        std::fs::write(&file, self.site(folder, places, influx)).expect("the folder is ours");
        file
    }

    fn profile(&self) -> String {
        let mut text = "title_zh = '基准'\ntitle_en = 'bench'\n[limits]\ntimeout_floor_ms = 50\n".to_owned();
        for address in self.addresses() {
            let _ = write!(text, "[field.r{address}]\nfunction = 3\naddress = {address}\ntype = 'u16'\n");
        }
        text
    }

    fn site(&self, folder: &Path, places: &[Place], influx: Option<SocketAddr>) -> String {
        let mut text = format!(
            "[site]\nkey = 'bench'\nname = '基准'\nname_en = 'Bench'\ndata_dir = '{}'\n[web]\nlisten = '127.0.0.1:0'\n\
             [[area]]\nkey = 'A'\nname = '区'\nname_en = 'Area'\n",
            folder.join("data").display()
        );
        if let Some(influx) = influx {
            let _ = write!(text, "[influx]\nurl = 'http://{influx}'\norg = 'o'\nbucket = 'b'\ntoken_file = 'token'\n");
        }
        for (link, place) in places.iter().enumerate() {
            let _ = match place {
                Place::Tcp(address) => write!(text, "[[link]]\nkey = 'l{link}'\ntcp = '{address}'\n"),
                Place::Serial { path, baud } => {
                    write!(text, "[[link]]\nkey = 'l{link}'\nserial = '{path}'\nbaud = {baud}\n")
                }
            };
            for unit in 1..=self.units {
                self.device(&mut text, link, unit);
            }
        }
        text
    }

    fn device(&self, text: &mut String, link: usize, unit: usize) {
        let _ = write!(
            text,
            "[[device]]\nkey = 'd{link}-{unit}'\nlink = 'l{link}'\nunit = {unit}\nprofile = 'bench'\narea = 'A'\n"
        );
        for (n, address) in self.addresses().into_iter().enumerate() {
            let key = format!("p{link}-{unit}-{address}");
            let _ = write!(
                text,
                "[[point]]\nkey = '{key}'\nname = '测点'\nname_en = 'Point'\ndevice = 'd{link}-{unit}'\n\
                 field = 'r{address}'\nkind = 'other'\nunit = '1'\nrange = [0, 4000]\nperiod_ms = {}\n",
                self.period_ms
            );
            // One value in ten is judged by a limit that it never reaches.
            if n % 10 == 0 {
                text.push_str(
                    "[point.limits.H]\nlimit = 3900\ndeadband = 10\npriority = 3\naction = '看'\naction_en = 'look'\n",
                );
            }
        }
    }
}
