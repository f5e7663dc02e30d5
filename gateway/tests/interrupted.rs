//! Ctrl-C while `probe` or `read` waits for an instrument: what came so far is printed, and that it is not all.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use support::{Ended, Site, binary};

/// The only unit that answers: 1.0, high word first.
const LIVING: u8 = 1;

/// Instruments of which one answers; a request to any other unit is what makes the person press Ctrl-C.
fn instruments(pid: Receiver<Pid>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 12];
        while socket.read_exact(&mut request).is_ok() {
            if request[6] == LIVING {
                answer(&mut socket, request);
            } else {
                kill_process(pid.recv().unwrap(), Signal::INT).unwrap();
            }
        }
    });
    address
}

fn answer(socket: &mut TcpStream, request: [u8; 12]) {
    let [t0, t1, ..] = request;
    socket.write_all(&[t0, t1, 0, 0, 0, 7, LIVING, 3, 4, 0x3F, 0x80, 0, 0]).unwrap();
}

/// Runs a command that is interrupted when it waits for the silent unit.
fn interrupted(arguments: impl FnOnce(SocketAddr) -> Command) -> Ended {
    let (pid, known) = sync_channel(1);
    let mut command = arguments(instruments(known));
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
