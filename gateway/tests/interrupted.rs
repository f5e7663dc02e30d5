//! Ctrl-C while `scan`, `probe` or `read` waits for an instrument: what came so far is printed, and that it is not all. `scan` also at a terminal, where
//! it shows how far it is and Ctrl-C is a key.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use support::{Ended, Site, binary};

/// The only unit that answers: 1.0, high word first.
const LIVING: u8 = 1;
const ONE: [u8; 4] = [0x3F, 0x80, 0, 0];

/// Instruments of which one answers; `is_silent` is told of each request to any other.
fn instruments(mut is_silent: impl FnMut() + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 12];
        while socket.read_exact(&mut request).is_ok() {
            if request[6] == LIVING {
                answer(&mut socket, request);
            } else {
                is_silent();
            }
        }
    });
    address
}

/// As many registers as were asked for, two at the most.
fn answer(socket: &mut TcpStream, request: [u8; 12]) {
    let [t0, t1, .., registers] = request;
    let bytes = registers * 2;
    let frame = [&[t0, t1, 0, 0, 0, 3 + bytes, LIVING, 3, bytes][..], &ONE[..usize::from(bytes)]].concat();
    socket.write_all(&frame).unwrap();
}

/// Runs a command that is interrupted when it waits for the silent unit.
fn interrupted(arguments: impl FnOnce(SocketAddr) -> Command) -> Ended {
    let (pid, known): (_, Receiver<Pid>) = sync_channel(1);
    let interrupt = move || kill_process(known.recv().unwrap(), Signal::INT).unwrap();
    let mut command = arguments(instruments(interrupt));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    pid.send(Pid::from_child(&child)).unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().expect("it ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn site(address: SocketAddr) -> Site {
    let mut text = format!(
        "[site]\nkey = 's'\nname = '站'\nname_en = 'S'\n[[area]]\nkey = 'A'\nname = '区'\nname_en = 'A'\n\
         [[link]]\nkey = 'l'\ntcp = '{address}'\ntimeout_ms = 30000\n"
    );
    for unit in 1..=3 {
        text +=
            &format!("[[device]]\nkey = 'D{unit}'\nlink = 'l'\nunit = {unit}\nprofile = 'pressure-f32'\narea = 'A'\n");
    }
    Site::of(&text)
}

fn probe(more: &[&str]) -> Ended {
    // the folder must outlive the command
    let mut kept = None;
    interrupted(|address| {
        let site = kept.insert(site(address));
        let mut command = binary();
        command.arg("probe").arg("--config").arg(site.file()).args(more);
        command
    })
}

#[test]
fn an_interrupted_probe_prints_what_it_has_and_says_which_devices_are_not_complete() {
    let ended = probe(&["--json"]);
    let devices: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    let complete: Vec<&Value> = devices.as_array().unwrap().iter().map(|d| &d["complete"]).collect();
    assert_eq!((ended.code, complete), (0, vec![&Value::Bool(true), &Value::Bool(false), &Value::Bool(false)]));
    assert_eq!(devices[0]["fields"][0]["value"], 1.0, "{devices}");
    assert_eq!(devices[1]["fields"][0]["value"], Value::Null, "{devices}");
    assert!(ended.err.contains("3 台仪表中读完 1 台") && ended.err.contains("1 of 3"), "{ended:?}");
    let text = probe(&[]);
    assert!(text.out.contains("D1") && !text.out.contains("D3") && text.err.contains("1 of 3"), "{text:?}");
}

#[test]
fn an_interrupted_read_says_that_no_answer_came() {
    let ended = interrupted(|address| {
        let mut command = binary();
        let address = address.to_string();
        command.args(["read", "--tcp", &address, "--unit", "9", "--address", "0", "--timeout-ms", "30000", "--json"]);
        command
    });
    let report: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    assert_eq!((ended.code, &report["complete"]), (0, &Value::Bool(false)));
    assert_eq!(report["words"], Value::Array(vec![]));
    assert!(ended.err.contains("已停止") && ended.err.contains("stopped"), "{ended:?}");
}

#[test]
fn an_interrupted_scan_prints_what_it_found_and_that_it_is_not_complete() {
    let ended = interrupted(|address| {
        let mut command = binary();
        command.args(["scan", "--tcp", &address.to_string(), "--units", "1-247", "--timeout-ms", "30000", "--json"]);
        command
    });
    let report: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    assert_eq!((ended.code, &report["complete"], &report["asked"]), (0, &false.into(), &1.into()), "{report}");
    assert_eq!(
        (&report["units"][0]["unit"], report["units"].as_array().unwrap().len()),
        (&LIVING.into(), 1),
        "{report}"
    );
    assert!(ended.err.is_empty(), "no bar where nobody looks: {ended:?}");
}

/// A terminal: what the person has, and what a command is given. `setsid` makes it the command's own, so that a key is a signal.
fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let place = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    (File::from(ours), File::options().read(true).write(true).open(place).unwrap())
}

/// Starts the binary at a terminal of its own; the terminal's other side.
fn at_a_terminal(arguments: &[&str]) -> (File, std::process::Child) {
    let (person, near) = terminal();
    let ours = binary();
    let mut command = Command::new("setsid");
    command.arg("--ctty").arg(ours.get_program()).args(arguments);
    for (name, _) in ours.get_envs().filter(|(_, value)| value.is_none()) {
        command.env_remove(name);
    }
    let stream = || Stdio::from(near.try_clone().unwrap());
    let child = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
    (person, child)
}

/// What stands on the terminal until `mark` does, or until the command has left it.
fn seen(person: &mut File, mark: &str) -> String {
    let (mut all, mut bytes) = (Vec::new(), [0; 1024]);
    while let Ok(n @ 1..) = person.read(&mut bytes) {
        all.extend_from_slice(&bytes[..n]);
        if String::from_utf8_lossy(&all).contains(mark) {
            break;
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn at_a_terminal_a_long_scan_shows_how_far_it_is_and_the_key_ctrl_c_ends_it_with_what_was_found() {
    let address = instruments(|| ()).to_string();
    let (mut person, mut scan) = at_a_terminal(&["scan", "--tcp", &address, "--units", "1-40", "--timeout-ms", "300"]);
    let shown = seen(&mut person, "Ctrl-C 停止 stops");
    let bar = shown.rsplit("\r\x1b[K").next().unwrap();
    let (cells, words) = bar.trim_start_matches('[').split_once(']').unwrap_or_else(|| panic!("{shown:?}"));
    let (done, total) = words.trim().split_once(' ').unwrap().0.split_once('/').unwrap();
    let filled = done.parse::<usize>().unwrap() * cells.len() / 40;
    assert_eq!((cells.len(), cells.matches('#').count(), total), (30, filled, "40"), "{bar:?}");
    assert!(words.contains("已找到 found 1") && words.contains("剩余 left ≈"), "{bar:?}");

    person.write_all(b"\x03").unwrap();
    let last = seen(&mut person, "no such mark");
    let (of_the_bar, report) = last.split_once("\r\x1b[K").unwrap_or_else(|| panic!("the bar stays: {last:?}"));
    assert!(!of_the_bar.contains("unit 40"), "it went on: {last:?}");
    assert!(
        report.contains("站号 unit   1") && report.contains("0x3F80") && report.contains("已停止：查了"),
        "{report:?}"
    );
    assert!(report.contains("stopped:") && report.contains("1 answer") && !report.contains('#'), "{report:?}");
    assert_eq!(scan.wait().unwrap().code(), Some(0), "{report:?}");
}
