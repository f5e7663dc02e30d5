//! The built binary and a site folder of its own, for tests from outside.

#![allow(dead_code, clippy::unwrap_used, reason = "shared by test programs that each use a part of it")]

use rustix::process::{Pid, Signal};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Longest wait for anything; a loaded machine takes seconds, a defect takes for ever.
const LIMIT: Duration = Duration::from_secs(60);

/// A folder with `site.toml`.
pub(crate) struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// The shipped minimal example with a data folder of its own, a free port and nobody at the other end of the link.
    pub(crate) fn minimal() -> Self {
        let text = include_str!("../../examples/minimal-site.toml")
            .replace("/var/lib/hazard-gateway", "data")
            .replace("192.168.10.21:502", "127.0.0.1:9");
        Self::of(&format!("{text}\n[web]\nlisten = \"127.0.0.1:0\"\n"))
    }

    pub(crate) fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("site.toml"), text).unwrap();
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("site.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The binary, without what the surroundings of the test may have set.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hazard-gateway"));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|n| n.starts_with("HAZARD_GATEWAY") || n == "CREDENTIALS_DIRECTORY");
        if ours || name == "RUST_LOG" || name == "NOTIFY_SOCKET" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command with `--config` of the site and `input` on its standard input.
pub(crate) fn hazard_gateway(site: &Site, arguments: &[&str], input: &str) -> Ended {
    let mut command = binary();
    command.args(arguments).arg("--config").arg(site.file());
    ended(command, input)
}

/// Runs to the end.
pub(crate) fn ended(mut command: Command, input: &str) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // a command that does not read its input has closed it: no fault
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running gateway; killed when dropped.
pub(crate) struct Gateway {
    child: Child,
    address: SocketAddr,
    log: Receiver<String>,
}

impl Gateway {
    pub(crate) fn run(site: &Site) -> Self {
        Self::start(binary().arg("run").arg("--config").arg(site.file()))
    }

    /// Waits for its `ready address=…` line.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, log) = sync_channel(10_000);
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut gateway = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), log };
        gateway.now_at_new_address();
        gateway
    }

    /// The next `ready address=…` line; after a reload with port 0 the address is another one.
    pub(crate) fn now_at_new_address(&mut self) {
        let ready = self.log_line("ready address=");
        let word = ready.split_whitespace().find_map(|word| word.strip_prefix("address=")).unwrap();
        self.address = word.parse().unwrap();
    }

    /// The next line of the log with these words; those before it are passed over.
    pub(crate) fn log_line(&self, words: &str) -> String {
        let mut passed = Vec::new();
        loop {
            match self.log.recv_timeout(LIMIT) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => passed.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line with {words:?} in the log:\n{}", passed.join("\n"))
                }
            }
        }
    }

    /// Where its page is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// `None` while it runs.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().and_then(|status| status.code())
    }

    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub(crate) fn get(&self, path: &str, cookie: Option<&str>) -> Value {
        let (head, body) = self.ask("GET", path, cookie, "");
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path}: {head}\n{body}"))
    }

    /// Asks again until the answer is as wanted; every question is a round trip, so this paces itself.
    pub(crate) fn until(&self, path: &str, cookie: Option<&str>, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..LIMIT.as_millis() / 50 {
            last = self.get(path, cookie);
            if wanted(&last) {
                return last;
            }
            // no hurry: the gateway looks once a second
            let _ = self.log.recv_timeout(Duration::from_millis(50));
        }
        panic!("{path} stayed {last}");
    }

    /// The session and its cookie.
    pub(crate) fn sign_in(&self, user: &str, password: &str) -> (Value, String) {
        let body = serde_json::json!({ "user": user, "password": password }).to_string();
        let (head, body) = self.ask("POST", "/api/v1/session", None, &body);
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
        let cookie = cookie.unwrap_or_else(|| panic!("{head}\n{body}")).to_owned();
        (serde_json::from_str(&body).unwrap(), cookie)
    }

    /// An open stream of events, line by line.
    pub(crate) fn stream(&self, cookie: &str) -> impl Iterator<Item = String> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let head = format!(
            "GET /api/v1/stream HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {cookie}\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        BufReader::new(stream).lines().map_while(Result::ok)
    }

    fn ask(&self, method: &str, path: &str, cookie: Option<&str>, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let cookie = cookie.map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
        let (address, length) = (self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n{cookie}\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Three blocks of a hundred samples in the site's data folder.
pub(crate) fn with_history(site: &Site) {
    let options = gateway::store::OpenOptions {
        points: vec!["GT-101".into()],
        commit_interval: Duration::from_millis(1),
        max_bytes: 1 << 30,
        now_label: "20261124T000000Z".into(),
        kernel_boot_id: String::new(),
        clock: std::sync::Arc::new(gateway::clock::SystemClock::default()),
        workers: gateway::store::Workers::Threads,
    };
    let (checked, _) = gateway::config::load_site(&site.file()).unwrap();
    let point = checked.book.point_id("GT-101").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (store, _) = gateway::store::Store::open(&site.data(), options).unwrap();
        for block in 0..3 {
            let at_ms = |i: i64| 1_700_000_000_000 + 1000 * (100 * block + i);
            let samples: Vec<rules::Sample> = (0..100).map(|i| sample(point, at_ms(i))).collect();
            store.append_samples(&samples, true);
            while store.history_figures().blocks <= block.unsigned_abs() {
                tokio::task::yield_now().await;
            }
        }
        store.close().await;
    });
}

fn sample(point: rules::PointId, utc_ms: i64) -> rules::Sample {
    let at = rules::Now { wall: rules::Wall { utc_ms, ..rules::Wall::default() }, ..rules::Now::default() };
    rules::Sample { point, reading: rules::Reading::Good(rules::Finite::new(12.5).unwrap()), raw: rules::Raw::NONE, at }
}
