//! A process that is measured, and the folder it writes to: neither outlives the bench, or an orphan would fill the disk.

use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// A gateway needs 8 s at most for a clean end.
const END_LIMIT: Duration = Duration::from_secs(10);
/// Threads of the blocking pool live ten seconds without work: looked at this often, none takes its time along unseen.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The largest plant writes a few MB; less room than this and the figures would be those of a full disk.
const ROOM_MB: u64 = 1_000;

/// What starts the gateway in the field, and with which environment.
const UNIT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd/hazard-gateway.service"));

/// The gateway on a site file, as the unit starts it: the one built with this bench, or `HAZARD_GATEWAY_BIN`.
pub(crate) fn gateway(file: &Path) -> Command {
    let built = env!("CARGO_BIN_EXE_hazard-gateway").to_owned();
    let mut command = Command::new(std::env::var("HAZARD_GATEWAY_BIN").unwrap_or(built));
    command.arg("run").arg("--config").arg(file);
    let settings = UNIT.lines().filter_map(|line| line.strip_prefix("Environment="));
    command.envs(settings.flat_map(|line| line.split(' ')).filter_map(|pair| pair.split_once('=')));
    command
}

/// The first word of [`become_child`].
pub(crate) const CHILD: &str = "--child";

/// Ends the process when the measurement does.
pub(crate) struct Running(Child);

/// Resident memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) resident_mb: f64,
    pub(crate) highest_mb: f64,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts `command` by way of this program, which asks the kernel to end it with us.
    pub(crate) fn start(command: &Command) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this binary"));
        child.arg(CHILD).arg(command.get_program()).args(command.get_args());
        child.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self(child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary is built"))
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.0.id())).expect("it runs")
    }

    /// Processor time of every thread since its start, to the nanosecond; the clock of the process ticks every 10 ms.
    fn cpu_by_thread(&self, into: &mut BTreeMap<u64, u64>) {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).expect("it runs");
        for task in tasks.flatten() {
            let Some(thread) = task.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let nanoseconds = text.split(' ').next().and_then(|word| word.parse::<u64>().ok());
            into.extend(nanoseconds.map(|n| (thread, n)));
        }
    }

    /// Processor time used during `window` from now.
    pub(crate) async fn cpu_over(&self, window: Duration) -> Duration {
        let (begun, mut by_thread) = (Instant::now(), BTreeMap::new());
        self.cpu_by_thread(&mut by_thread);
        let before: u64 = by_thread.values().sum();
        while begun.elapsed() < window {
            sleep(LOOK_EVERY.min(window.saturating_sub(begun.elapsed()))).await;
            self.cpu_by_thread(&mut by_thread);
        }
        Duration::from_nanos(by_thread.values().sum::<u64>() - before)
    }

    pub(crate) fn memory(&self) -> Memory {
        let text = self.file("status");
        let mb = |key: &str| {
            let line = text.lines().find(|l| l.starts_with(key)).expect("a line of its own");
            let kb: f64 = line.split_whitespace().nth(1).and_then(|w| w.parse().ok()).expect("a number");
            kb / 1000.0
        };
        Memory { resident_mb: mb("VmRSS:"), highest_mb: mb("VmHWM:") }
    }

    pub(crate) fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.0.id())).expect("it runs").count()
    }

    /// A clean end, so that what it had is on the disk.
    pub(crate) async fn end(mut self) {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, Signal::TERM).expect("it runs");
        let begun = Instant::now();
        while begun.elapsed() < END_LIMIT && self.0.try_wait().is_ok_and(|status| status.is_none()) {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// This process becomes the program that `words` name, and ends with its parent.
pub(crate) fn become_child(words: &[String]) -> ! {
    set_parent_process_death_signal(Some(Signal::KILL)).expect("the kernel has it");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    panic!("{}: {error}", words[0]);
}

/// A folder on the disk of the build, not in memory; what an earlier run left there goes first.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("acquisition").join(plain);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the folder of the build is ours");
        let disk = rustix::fs::statvfs(&path).expect("it is there");
        assert!(disk.f_bavail * disk.f_frsize > ROOM_MB << 20, "less than {ROOM_MB} MB free at {}", path.display());
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
