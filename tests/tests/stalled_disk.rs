//! A disk that stops answering: alarms go on, what was told meanwhile is in the journal once it answers again, and a stop does not wait
//! for it. The disk is real; a library in front of the C library keeps its `fsync` waiting for as long as a file is there.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use e2e::instrument;
use e2e::station::Station;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// A poll and half a second; the rest for a busy machine.
const TOLD_WITHIN: Duration = Duration::from_secs(30);
/// What a stop may take, and what a busy machine may add.
const STOP_WITHIN: Duration = Duration::from_secs(10 + 5);

const PROFILE: &str =
    "title_zh = '一段'\ntitle_en = 'one block'\n[field.value]\nfunction = 3\naddress = 7\ntype = 'u16'\n";

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static int behind(const char *name, int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, name);
  while (access(getenv("STALLED"), F_OK) == 0) usleep(10000);
  return real(fd);
}
int fsync(int fd) { return behind("fsync", fd); }
int fdatasync(int fd) { return behind("fdatasync", fd); }
"#;

fn shim(dir: &Path) -> PathBuf {
    let (source, library) = (dir.join("stall.c"), dir.join("stall.so"));
    std::fs::write(&source, SHIM).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status();
    assert!(built.unwrap().success(), "a C compiler is installed by tests/run");
    library
}

fn site(port: u16) -> String {
    format!(
        "[site]\nkey = 'east'\nname = '东厂'\nname_en = 'East'\n[[area]]\nkey = 'A1'\nname = '罐区'\nname_en = 'Tanks'\n\
         [[link]]\nkey = 'line'\ntcp = '127.0.0.1:{port}'\n\
         [[device]]\nkey = 'D1'\nname = '仪表'\nname_en = 'meter'\nlink = 'line'\nunit = 1\nprofile = 'one'\narea = 'A1'\n\
         [[point]]\nkey = 'V'\nname = '量'\nname_en = 'value'\ndevice = 'D1'\nfield = 'value'\nkind = 'other'\nrange = [0, 1000]\n\
         [point.limits.H]\nlimit = 100\ndeadband = 2\npriority = 3\ndelay_s = 0\noff_delay_s = 0\n"
    )
}

/// All of these alarms are active.
fn told(alarms: &Value, wanted: &[&str]) -> Option<()> {
    let is = |a: &Value, id: &str| a["id"] == *id && a["state"] == "unacked";
    let active = |id: &&str| alarms.as_array().is_some_and(|a| a.iter().any(|a| is(a, id)));
    wanted.iter().all(active).then_some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alarms_go_on_without_the_disk_and_are_in_the_journal_when_it_answers_again() {
    let dir = tempfile::tempdir().unwrap();
    let value = Arc::new(AtomicU16::new(10));
    let shown = value.clone();
    let port = instrument::serve(Arc::new(move |at| Some(vec![shown.load(Ordering::Relaxed); at.len()])));
    std::fs::create_dir_all(dir.path().join("profiles")).unwrap();
    std::fs::write(dir.path().join("profiles/one.toml"), PROFILE).unwrap();
    let stalled = dir.path().join("stalled");
    let around = [("LD_PRELOAD", shim(dir.path())), ("STALLED", stalled.clone())];
    let mut station = Station::own_with(dir.path(), &site(port), &around);
    let viewer = station.sign_in_as("viewer-a", "viewer").await;
    let read = |points: &Value| points.as_array()?.iter().find(|p| p["key"] == "V" && p["value"] == 10.0).map(drop);
    viewer.until("/api/v1/points", TOLD_WITHIN, read).await;

    std::fs::write(&stalled, "").unwrap();
    value.store(200, Ordering::Relaxed);
    viewer.until("/api/v1/alarms", TOLD_WITHIN, |a| told(a, &["V:H", "system:storage_slow"])).await;
    let raised = |e: &&Value| e["kind"] == "alarm.raised" && e["fact"]["alarm"] == "V:H";
    assert!(!viewer.journal().await.iter().any(|e| raised(&e)), "the journal shows what is on the disk only");

    std::fs::remove_file(&stalled).unwrap();
    let kept = |e: &Value| e.as_array()?.iter().find(|e| raised(e) && e["durable"] == true).map(drop);
    viewer.until("/api/v1/events?limit=500", TOLD_WITHIN, kept).await;
    let gone = |alarms: &Value| told(alarms, &["system:storage_slow"]).is_none().then_some(());
    viewer.until("/api/v1/alarms", TOLD_WITHIN, gone).await;

    std::fs::write(&stalled, "").unwrap();
    value.store(20, Ordering::Relaxed);
    viewer.until("/api/v1/alarms", TOLD_WITHIN, |a| told(a, &["system:storage_slow"])).await;
    let code = station.program.terminate(STOP_WITHIN);
    assert_eq!(code, Some(0), "its log:\n{}", station.log());
}
