//! What the flight recorders kept around incidents, as files: for the engineer who comes the day after, and after a restart.
//!
//! ```text
//!   DIR/incidents/00000042.json       one incident: number, bus, cause, entries of the journal, exchanges as raw frames
//!   DIR/incidents/00000042.json.new   being written; a kill leaves one, and the next start removes it
//! ```
//! Numbers grow over restarts, so that the oldest is known whatever the clock said. Files and not rows: what is large and of no
//! consequence for the journal shall not wait in the journal's queue. Owns the files, their bounds and counters. Leaves what is an
//! incident to the recorder, and when it is written to [`crate::incidents`].

use devices::recorder::IncidentView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why an incident is not on the disk, or no longer.
pub const INCIDENT_DROPS: [&str; 4] = ["room", "rate", "overrun", "disk"];

/// Files kept: some weeks of a site whose alarms are few.
const INCIDENTS_MAX: usize = 128;
/// Bytes kept: an incident of one gas detector among others is some 25 KiB, of a whole link 55, the worst a hostile peer can make 250;
/// an answer of the API holds all.
const INCIDENT_BYTES_MAX: u64 = 4 << 20;
/// Unreadable files that are set aside; a disk that damages more has made its point.
const SET_ASIDE_MAX: usize = 8;

/// One incident without its frames.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
pub struct KeptIncident {
    /// Of the file; grows over restarts.
    pub number: u64,
    pub bus: String,
    pub utc_ms: i64,
    /// `unit_dead DET-101`, `alarm GT-101:HH`, with commas between.
    pub cause: String,
    /// Entries of the journal it belongs to.
    pub event_ids: Vec<String>,
    /// All that comes after it had come when it was written.
    pub complete: bool,
    /// Number in the recorder of this run; none for one of an earlier run.
    #[serde(skip)]
    pub recorder_number: Option<u64>,
    #[serde(skip)]
    bytes: u64,
}

/// How many there are, and what became of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct IncidentFigures {
    pub kept: usize,
    pub bytes: u64,
    /// Incidents of this run that were written.
    pub written: u64,
    /// Reason → count: `room` the oldest went for a newer one, `rate` too many of one bus, `overrun` gone from memory before they were
    /// written, `disk` the disk refused.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Unreadable files that were set aside.
    pub set_aside: u64,
}

#[derive(Debug, Default)]
struct Index {
    kept: BTreeMap<u64, KeptIncident>,
    last: u64,
    figures: IncidentFigures,
}

/// The folder of one site.
#[derive(Debug)]
pub struct IncidentFiles {
    folder: PathBuf,
    /// Only in a simulation a file need not reach the disk.
    sync: bool,
    index: Mutex<Index>,
    /// One writes at a time; nobody who looks waits for the disk.
    writing: Mutex<()>,
    /// Folders that were synced, in order: nothing else shows it short of a power cut.
    #[cfg(test)]
    synced: Mutex<Vec<PathBuf>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl IncidentFiles {
    pub(super) fn in_folder(dir: &Path, sync: bool) -> Self {
        Self {
            folder: dir.join("incidents"),
            sync,
            index: Mutex::default(),
            writing: Mutex::default(),
            #[cfg(test)]
            synced: Mutex::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn for_test(dir: &Path) -> Self {
        Self::in_folder(dir, false)
    }

    /// Looks what earlier runs have left; gives the names of files that nobody can read and that are set aside under `label`.
    pub fn find(&self, label: &str) -> Vec<String> {
        let _writing = lock(&self.writing);
        let mut unreadable = Vec::new();
        for name in self.names() {
            if name.ends_with(".json.new") {
                let _ = fs::remove_file(self.folder.join(&name));
            } else if let Some(number) = number_of(&name) {
                let found = self.look_at(number);
                let index = &mut *lock(&self.index);
                index.last = index.last.max(number);
                match found {
                    Some(one) => drop(index.kept.insert(number, one)),
                    None => unreadable.push(name),
                }
            }
        }
        unreadable.iter().for_each(|name| self.set_aside(name, label));
        lock(&self.index).figures.set_aside += unreadable.len() as u64;
        self.make_room();
        unreadable
    }

    /// Writes one; `again` replaces what was written when it had only begun. Gives its number.
    /// # Errors
    /// The disk's; it is counted.
    pub fn keep(&self, bus: &str, view: &IncidentView, again: Option<u64>) -> io::Result<u64> {
        let _writing = lock(&self.writing);
        let number = again.unwrap_or_else(|| lock(&self.index).last + 1);
        let text = text_of(bus, view, number);
        let written = self.write(number, text.as_bytes());
        self.note(number, again.is_none(), written.map(|()| KeptIncident::of(bus, view, number, text.len() as u64)))?;
        self.make_room();
        Ok(number)
    }

    fn note(&self, number: u64, first: bool, written: io::Result<KeptIncident>) -> io::Result<()> {
        let index = &mut *lock(&self.index);
        index.last = index.last.max(number);
        match written {
            Ok(one) => {
                index.figures.written += u64::from(first);
                index.kept.insert(number, one);
                Ok(())
            }
            Err(error) => {
                *index.figures.dropped.entry("disk").or_default() += u64::from(first);
                Err(error)
            }
        }
    }

    /// One that is not written.
    pub fn dropped(&self, why: &'static str, count: u64) {
        *lock(&self.index).figures.dropped.entry(why).or_default() += count;
    }

    /// All without their frames, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<KeptIncident> {
        lock(&self.index).kept.values().cloned().collect()
    }

    /// Those of a bus with their frames, oldest first. One that cannot be read any more is left out.
    #[must_use]
    pub fn read(&self, bus: &str) -> Vec<Value> {
        let of_bus = |kept: KeptIncident| (kept.bus == bus).then_some(kept.number);
        let read = |number| serde_json::from_slice(&fs::read(self.path(number)).ok()?).ok();
        self.list().into_iter().filter_map(of_bus).filter_map(read).collect()
    }

    /// Counters.
    #[must_use]
    pub fn figures(&self) -> IncidentFigures {
        let index = lock(&self.index);
        let bytes = index.kept.values().map(|kept| kept.bytes).sum();
        IncidentFigures { kept: index.kept.len(), bytes, ..index.figures.clone() }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:08}.json"))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn look_at(&self, number: u64) -> Option<KeptIncident> {
        let bytes = fs::read(self.path(number)).ok()?;
        let one: KeptIncident = serde_json::from_slice(&bytes).ok()?;
        (one.number == number).then_some(KeptIncident { bytes: bytes.len() as u64, ..one })
    }

    fn set_aside(&self, name: &str, label: &str) {
        let aside = self.folder.join(format!("{name}.corrupt-{label}"));
        if let Err(error) = fs::rename(self.folder.join(name), aside) {
            tracing::warn!(%error, name, "an unreadable incident cannot be set aside");
        }
        let names = self.names().into_iter().filter(|name| name.contains(".corrupt-"));
        let all: Vec<String> = names.collect();
        let too_many = all.len().saturating_sub(SET_ASIDE_MAX);
        all.iter().take(too_many).for_each(|name| drop(fs::remove_file(self.folder.join(name))));
    }

    fn write(&self, number: u64, text: &[u8]) -> io::Result<()> {
        let (path, new) = (self.path(number), self.path(number).with_extension("json.new"));
        let written = self.write_to(&path, &new, text);
        if written.is_err() {
            // On a full disk what is half written takes room from the journal.
            drop((fs::remove_file(&new), fs::remove_file(&path)));
        }
        written
    }

    fn write_to(&self, path: &Path, new: &Path, text: &[u8]) -> io::Result<()> {
        self.create_folder()?;
        let mut file = File::create(new)?;
        file.write_all(text)?;
        if self.sync {
            file.sync_all()?;
        }
        fs::rename(new, path)?;
        self.sync_folder(&self.folder)
    }

    /// A folder is there after a power cut once its parent has been synced.
    fn create_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        let parent = self.folder.parent().expect("it is a folder inside the data folder");
        self.sync_folder(parent)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if !self.sync {
            return Ok(());
        }
        #[cfg(test)]
        lock(&self.synced).push(folder.to_owned());
        File::open(folder)?.sync_all()
    }

    /// The oldest go first; the newest always stays.
    fn make_room(&self) {
        loop {
            let mut guard = lock(&self.index);
            let index = &mut *guard;
            let bytes: u64 = index.kept.values().map(|kept| kept.bytes).sum();
            let fits = index.kept.len() <= INCIDENTS_MAX && bytes <= INCIDENT_BYTES_MAX;
            if fits || index.kept.len() <= 1 {
                return;
            }
            let oldest = index.kept.pop_first();
            *index.figures.dropped.entry("room").or_default() += u64::from(oldest.is_some());
            // The lock is not held while the disk works: who looks does not wait for it.
            drop(guard);
            if let Some((number, _)) = oldest {
                let _ = fs::remove_file(self.path(number));
            }
        }
    }
}

impl KeptIncident {
    fn of(bus: &str, view: &IncidentView, number: u64, bytes: u64) -> Self {
        Self {
            number,
            bus: bus.to_owned(),
            utc_ms: view.utc_ms,
            cause: view.cause.clone(),
            event_ids: view.event_ids.clone(),
            complete: view.complete,
            recorder_number: Some(view.number),
            bytes,
        }
    }
}

/// `00000042.json` → 42.
fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(".json")?.parse().ok()
}

fn text_of(bus: &str, view: &IncidentView, number: u64) -> String {
    let mut file = serde_json::to_value(view).expect("numbers and texts only");
    file["number"] = number.into();
    file["bus"] = bus.into();
    file["version"] = env!("CARGO_PKG_VERSION").into();
    file.to_string()
}

#[cfg(test)]
mod tests;
