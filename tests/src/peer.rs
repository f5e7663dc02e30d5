//! Real peers and the built programs as child processes of one test.
//!
//! Owns: starting on free ports, waiting until a peer answers, ending by process id. Leaves to others: what is asked of them.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longest a peer may take to answer after its start; InfluxDB needs about 3 s on two cores.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A child process that ends with its owner.
#[derive(Debug)]
pub struct Program {
    child: Child,
}

impl Program {
    /// Starts `command`; its standard error goes to `<dir>/<name>.log`, appended.
    pub fn start(name: &str, dir: &Path, command: &mut Command) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(dir.join(format!("{name}.log"))).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        Self { child }
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal by its name (`TERM`, `INT`, `STOP`, `CONT`, `HUP`).
    pub fn signal(&self, signal: &str) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let signal = match signal {
            "TERM" => rustix::process::Signal::TERM,
            "STOP" => rustix::process::Signal::STOP,
            "CONT" => rustix::process::Signal::CONT,
            "INT" => rustix::process::Signal::INT,
            "HUP" => rustix::process::Signal::HUP,
            other => panic!("no such signal here: {other}"),
        };
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Ends it with SIGTERM and returns its exit code; kills it after `limit`.
    pub fn terminate(&mut self, limit: Duration) -> Option<i32> {
        self.signal("TERM");
        self.ended(limit)
    }

    /// Its exit code when it ends by itself; kills it after `limit`.
    pub fn ended(&mut self, limit: Duration) -> Option<i32> {
        let ended = wait_until(limit, || self.child.try_wait().ok().flatten());
        if ended.is_none() {
            self.kill();
        }
        ended.and_then(|s| s.code())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A loopback port that was free a moment ago.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Polls `probe` every 20 ms until it answers or `limit` is over.
pub fn wait_until<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let mut left = limit;
    let pause = Duration::from_millis(20);
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        left = left.checked_sub(pause)?;
        std::thread::park_timeout(pause);
    }
}

/// Waits until somebody accepts on `addr`.
pub fn wait_for_port(addr: SocketAddr) {
    wait_until(START_LIMIT, || TcpStream::connect(addr).ok()).unwrap_or_else(|| panic!("nobody answers on {addr}"));
}

/// Mosquitto as a real site has it: with persistence. It can be started again with or without what it had stored.
#[derive(Debug)]
pub struct Mosquitto {
    pub port: u16,
    pub program: Program,
    dir: PathBuf,
}

impl Mosquitto {
    /// Starts it on a free loopback port.
    pub fn start(dir: &Path) -> Self {
        let port = free_port();
        Self { port, program: Self::spawn(dir, port), dir: dir.into() }
    }

    /// Starts it again on the same port after [`Program::kill`]; it remembers no session and no message.
    pub fn restart_empty(&mut self) {
        std::fs::remove_dir_all(self.dir.join("broker-data")).unwrap();
        self.program = Self::spawn(&self.dir, self.port);
    }

    fn spawn(dir: &Path, port: u16) -> Program {
        let (file, data) = (dir.join("mosquitto.conf"), dir.join("broker-data"));
        std::fs::create_dir_all(&data).unwrap();
        // `user` counts only for root, whom Mosquitto would otherwise leave and then find its folder closed.
        let settings = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\npersistence_location {}/\n\
             autosave_interval 1\n",
            data.display()
        );
        std::fs::write(&file, settings).unwrap();
        let path = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
        let program = Program::start("mosquitto", dir, Command::new(path).arg("-c").arg(&file));
        wait_for_port(SocketAddr::from(([127, 0, 0, 1], port)));
        program
    }
}

/// The program under test: named by `HAZARD_GATEWAY_BIN` (tests/run does), else the release or dev build of this workspace.
#[must_use]
pub fn gateway_program() -> PathBuf {
    program("HAZARD_GATEWAY_BIN", "hazard-gateway")
}

fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    ["release", "debug"]
        .iter()
        .map(|profile| root.join(profile).join(name))
        .find(|p| p.exists())
        .unwrap_or_else(|| panic!("{name} is not built: cargo build --release -p gateway"))
}
