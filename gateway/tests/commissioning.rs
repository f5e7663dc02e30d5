//! `scan`, `read` and `probe` from outside, against the simulated instruments over TCP and on a serial line.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use serde_json::Value;
use sim::{DemoPlan, DemoSite, SiteName};
use std::time::Duration;
use support::{Ended, Site, binary, ended};
use tokio_util::sync::CancellationToken;

/// The instruments, served until dropped.
struct Plant {
    runtime: Option<tokio::runtime::Runtime>,
    site: DemoSite,
    stop: CancellationToken,
}

impl Plant {
    fn start() -> Self {
        Self::of(SiteName::Chemical)
    }
    fn of(name: SiteName) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let stop = CancellationToken::new();
        let site = runtime.block_on(sim::start_demo(DemoPlan::anywhere(name, 7), stop.clone())).unwrap();
        Self { runtime: Some(runtime), site, stop }
    }
    fn place(&self, link: &str) -> String {
        self.site.place(link).unwrap().1
    }
    fn tcp(&self) -> String {
        self.place("tcp-a1")
    }
    fn pty(&self) -> String {
        self.place("rtu-a3")
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        self.stop.cancel();
        self.runtime.take().unwrap().shutdown_timeout(Duration::from_secs(1));
    }
}

fn run(arguments: &[&str]) -> Ended {
    let mut command = binary();
    command.args(arguments);
    ended(command, "")
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let ended = run(&[arguments, &["--json"]].concat());
    let value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    (ended.code, value)
}

fn found(report: &Value) -> Vec<u64> {
    report["units"].as_array().unwrap().iter().map(|u| u["unit"].as_u64().unwrap()).collect()
}

#[test]
fn scan_finds_the_units_of_a_socket_and_of_a_serial_line_and_no_others() {
    let plant = Plant::start();
    let (code, report) = json(&["scan", "--tcp", &plant.tcp(), "--units", "1-16", "--timeout-ms", "150"]);
    assert_eq!((code, found(&report)), (0, vec![1, 2, 11, 12, 13, 14, 15]), "{report}");
    assert_eq!((&report["complete"], &report["asked"]), (&Value::Bool(true), &Value::from(16)));
    let by_unit = |unit: u64| report["units"].as_array().unwrap().iter().find(|u| u["unit"] == unit).unwrap();
    assert_eq!(by_unit(1)["answer"], "data");
    assert_eq!((&by_unit(11)["answer"], &by_unit(11)["exception"]), (&Value::from("exception"), &Value::from(2)));

    let pty = plant.pty();
    let serial = ["scan", "--serial", &pty, "--units", "39-44", "--timeout-ms", "200"];
    let (code, report) = json(&serial);
    assert_eq!((code, found(&report)), (0, vec![41, 42, 43]), "{report}");
    let text = run(&serial);
    assert!(text.out.contains("站号 unit  41") && text.out.contains("3 of 6"), "{text:?}");
}

#[test]
fn a_bus_without_anybody_is_found_empty_and_a_closed_port_is_no_bus() {
    let plant = Plant::start();
    let (code, report) = json(&["scan", "--tcp", &plant.tcp(), "--units", "200-202", "--timeout-ms", "60"]);
    assert_eq!((code, found(&report)), (1, vec![]));
    let closed = run(&["scan", "--tcp", "127.0.0.1:9", "--units", "1"]);
    assert!(closed.code == 4 && closed.err.contains("127.0.0.1:9"), "{closed:?}");
    for wrong in
        [&["scan"][..], &["scan", "--tcp", "x:1", "--serial", "y"], &["scan", "--tcp", "x:1", "--units", "9-1"]]
    {
        assert_eq!(run(wrong).code, 2, "{wrong:?}");
    }
}

/// A Modbus TCP gateway in miniature: 0B is its word for a target that stays silent, 0A for one that it has no way to. Unit 5 has input
/// registers only and is silent to function 3, unit 6 is not there, unit 7 is on no line.
fn gateway_before_instruments() -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut asked = [0u8; 12];
            while stream.read_exact(&mut asked).is_ok() {
                let (unit, function) = (asked[6], asked[7]);
                let rest: &[u8] = match (unit, function) {
                    (5, 4) => &[5, 5, 4, 2, 0x12, 0x34],
                    (7, 3) => &[3, 7, 0x83, 0x0A],
                    // nobody is asked again where there is no way
                    (7, _) => &[5, 7, 4, 2, 0, 1],
                    _ => &[3, unit, function | 0x80, 0x0B],
                };
                if stream.write_all(&[&asked[..5], rest].concat()).is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[test]
fn an_id_whose_gateway_says_that_it_is_silent_is_asked_by_the_next_function_too() {
    let (code, report) =
        json(&["scan", "--tcp", &gateway_before_instruments(), "--units", "4-7", "--timeout-ms", "500"]);
    assert_eq!((code, found(&report)), (0, vec![5]), "{report}");
    let one = &report["units"][0];
    assert_eq!((&one["function"], &one["word"]), (&Value::from(4), &Value::from(0x1234)), "{report}");
}

/// Modbus TCP in miniature: unit 5 has input registers only, unit 6 answers 250 ms after every question, unit 9 so too, three times each;
/// nobody else is there.
fn slow_instruments() -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut asked = [0u8; 12];
                while stream.read_exact(&mut asked).is_ok() {
                    let (unit, function) = (asked[6], asked[7]);
                    let answer = [&asked[..5], &[5, unit, function, 2, 0x12, 0x34]].concat();
                    let (late_ms, times) = match (unit, function) {
                        (5, 4) => (0, 1),
                        (6, _) => (250, 1),
                        (9, _) => (250, 3),
                        _ => continue,
                    };
                    let mut late = stream.try_clone().unwrap();
                    std::thread::spawn(move || {
                        std::thread::park_timeout(Duration::from_millis(late_ms));
                        (0..times).for_each(|_| drop(late.write_all(&answer)));
                    });
                }
            });
        }
    });
    address
}

#[test]
fn an_instrument_that_knows_only_input_registers_is_found_and_late_answers_are_counted_for_nobody() {
    let address = slow_instruments();
    let scan = ["scan", "--tcp", &address, "--units", "4-7", "--timeout-ms", "150"];
    let (code, report) = json(&scan);
    assert_eq!((code, found(&report)), (0, vec![5]), "{report}");
    assert_eq!((&report["units"][0]["function"], &report["units"][0]["word"]), (&Value::from(4), &Value::from(0x1234)));
    assert_eq!(report["late_answers"], 2, "to both questions: {report}");
    let text = run(&scan).out;
    assert!(text.contains("功能 04 寄存器 0 = 0x1234") && text.contains("2 late answers"), "{text}");
    assert!(text.contains("--timeout-ms 300") && text.contains("function 03, then 04"), "{text}");

    let (code, only_three) = json(&[&scan[..], &["--function", "3"]].concat());
    assert_eq!((code, found(&only_three)), (1, vec![]), "a function that was asked for is the only one: {only_three}");
    let (_, patient) = json(&["scan", "--tcp", &address, "--units", "6", "--timeout-ms", "1000"]);
    assert_eq!((found(&patient), &patient["late_answers"]), (vec![6], &Value::from(0)), "{patient}");
}

#[test]
fn late_answers_at_the_end_and_in_threes_are_counted_and_make_no_instrument_of_the_next_id() {
    let address = slow_instruments();
    let (_, last) = json(&["scan", "--tcp", &address, "--units", "6", "--timeout-ms", "150"]);
    assert_eq!((found(&last), &last["late_answers"]), (vec![], &Value::from(2)), "{last}");
    let (_, report) = json(&["scan", "--tcp", &address, "--units", "9-10", "--timeout-ms", "150"]);
    assert_eq!(found(&report), Vec::<u64>::new(), "{report}");
    assert!(report["late_answers"].as_u64().unwrap() >= 3, "{report}");
}

/// A function code, an address and a count; what follows the unit in the answer, and after which time. Nothing where it is silent.
type Script = dyn Fn(u8, u16, u16) -> Option<(Vec<u8>, Duration)> + Send;

/// Unit 5 alone on a line, each of whose answers comes by itself. The other side of its pseudo-terminal.
fn on_a_line(script: Box<Script>) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::io::{Read as _, Write as _};
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let place = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let mut settings = rustix::termios::tcgetattr(&ours).unwrap();
    settings.make_raw();
    rustix::termios::tcsetattr(&ours, rustix::termios::OptionalActions::Now, &settings).unwrap();
    // kept open, so that the line stays when the program closes it
    let theirs = std::fs::File::options().read(true).write(true).open(&place).unwrap();
    let mut line = std::fs::File::from(ours);
    std::thread::spawn(move || {
        let _theirs = theirs;
        let mut asked = [0u8; 8];
        while line.read_exact(&mut asked).is_ok() {
            let [unit, function, a, b, c, d, ..] = asked;
            let said = script(function, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let Some((pdu, late)) = said.filter(|_| unit == 5) else { continue };
            let mut answer = [&[5], &pdu[..]].concat();
            let sum = answer.iter().fold(0xFFFF_u16, |sum, byte| {
                (0..8).fold(sum ^ u16::from(*byte), |s, _| if s & 1 == 1 { s >> 1 ^ 0xA001 } else { s >> 1 })
            });
            answer.extend(sum.to_le_bytes());
            let mut late_line = line.try_clone().unwrap();
            std::thread::spawn(move || {
                std::thread::park_timeout(late);
                late_line.write_all(&answer).unwrap();
            });
        }
    });
    place
}

/// It answers every question with one register, so late.
fn late_on_a_line(late: Duration) -> String {
    on_a_line(Box::new(move |function, _, _| Some((vec![function, 2, 0x12, 0x34], late))))
}

/// Every register holds its own address.
fn addresses(function: u8, address: u16, count: u16) -> Vec<u8> {
    let words = (address..address + count).flat_map(u16::to_be_bytes);
    [function, u8::try_from(count * 2).unwrap()].into_iter().chain(words).collect()
}

/// A site with unit 5 on that line, whose points are the registers at these addresses.
fn site_of(line: &str, timeout_ms: u64, registers: &[u16]) -> Site {
    let mut text = format!(
        "[site]\nkey = 'x'\nname = '厂'\nname_en = 'Works'\n[[area]]\nkey = 'A1'\nname = '罐区'\nname_en = 'Tanks'\n[[link]]\nkey = 'l'\n\
         serial = '{line}'\ntimeout_ms = {timeout_ms}\n[[device]]\nkey = 'D'\nlink = 'l'\nunit = 5\nprofile = 'origin'\narea = 'A1'\n"
    );
    let mut profile = "title_zh = '来源'\ntitle_en = 'origin'\n".to_owned();
    for at in registers {
        profile += &format!("[field.r{at}]\nfunction = 3\naddress = {at}\ntype = 'u16'\n");
        text += &format!(
            "[[point]]\nkey = 'P-{at}'\nname = '量'\nname_en = 'value'\ndevice = 'D'\nfield = 'r{at}'\nkind = 'other'\nrange = [0, 20000]\n"
        );
    }
    let site = Site::of(&text);
    std::fs::create_dir_all(site.folder().join("profiles")).unwrap();
    std::fs::write(site.folder().join("profiles/origin.toml"), profile).unwrap();
    site
}

/// What `probe` says of a site with one device: exit code, the device, and its good values by address.
fn probed(site: &Site) -> (i32, Value, Vec<(u64, f64)>) {
    let (code, all) = json(&["probe", "--config", site.file().to_str().unwrap()]);
    let device = all[0].clone();
    let good = device["fields"].as_array().unwrap().iter().filter(|row| row["quality"] == "good");
    let mut good: Vec<(u64, f64)> =
        good.map(|row| (row["address"].as_u64().unwrap(), row["value"].as_f64().unwrap())).collect();
    good.sort_by_key(|(address, _)| *address);
    (code, device, good)
}

#[test]
fn probe_never_shows_the_late_answer_of_one_register_as_the_value_of_another() {
    let line = on_a_line(Box::new(|function, address, count| {
        let late = Duration::from_millis(if address == 0 { 450 } else { 100 });
        Some((addresses(function, address, count), late))
    }));
    let site = site_of(&line, 300, &[0, 100, 200]);
    let (code, device, good) = probed(&site);
    assert_eq!((code, good), (1, vec![(100, 100.0), (200, 200.0)]), "{device}");
}

#[test]
fn read_again_and_again_never_shows_what_was_asked_before_and_says_how_long_to_wait() {
    let line = on_a_line(Box::new(|function, address, count| {
        let late = Duration::from_millis(if address % 20 == 10 { 450 } else { 100 });
        Some((addresses(function, address, count), late))
    }));
    for address in [10, 20, 30, 40, 10, 50, 60_u64] {
        let place = address.to_string();
        let read =
            ["read", "--serial", &line, "--unit", "5", "--address", &place, "--count", "1", "--timeout-ms", "300"];
        let ended = run(&[&read[..], &["--json"]].concat());
        if address % 20 == 0 {
            let report: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
            assert_eq!(report["words"], serde_json::json!([address]), "{report}");
        } else {
            assert!(ended.code == 4 && ended.err.contains("--timeout-ms 900"), "{ended:?}");
        }
    }
}

#[test]
fn probe_splits_a_block_in_which_one_register_is_silent_and_says_which() {
    let line = on_a_line(Box::new(|function, address, count| {
        let holds_the_mute = (address..address + count).contains(&4);
        (!holds_the_mute).then(|| (addresses(function, address, count), Duration::from_millis(10)))
    }));
    let site = site_of(&line, 150, &[0, 4, 8]);
    let (code, device, good) = probed(&site);
    assert_eq!((code, good), (1, vec![(0, 0.0), (8, 8.0)]), "{device}");
    let silence = device["silence"].as_array().unwrap();
    assert!(silence.len() == 1 && silence[0].as_str().unwrap().starts_with("4: 此地址没有应答"), "{device}");
    assert!(silence[0].as_str().unwrap().contains("this register does not answer"), "{device}");
    let row = device["fields"].as_array().unwrap().iter().find(|row| row["address"] == 4).unwrap();
    assert!(row["reason"].as_str().unwrap().contains("此地址没有应答"), "{row}");
}

#[test]
fn a_unit_that_is_silent_as_a_whole_costs_probe_a_few_waits_and_not_one_for_each_value() {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    let line = on_a_line(Box::new(move |_, _, _| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        None
    }));
    let registers: Vec<u16> = (0..40).collect();
    let (code, device, good) = probed(&site_of(&line, 100, &registers));
    assert!(code == 1 && good.is_empty() && device["complete"] == true, "{device}");
    let silence = device["silence"].as_array().unwrap();
    assert!(silence.len() == 1 && silence[0].as_str().unwrap().contains("unit 5 does not answer"), "{device}");
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 4);
}

#[test]
fn late_answers_on_a_line_make_no_damaged_instrument_of_the_next_ids() {
    for late_ms in [250, 400, 560, 700] {
        let line = late_on_a_line(Duration::from_millis(late_ms));
        let scan = ["scan", "--serial", &line, "--units", "4-8", "--timeout-ms", "200"];
        let (_, report) = json(&scan);
        assert_eq!(found(&report), Vec::<u64>::new(), "{late_ms} ms: {report}");
        assert!(report["late_answers"].as_u64().unwrap() >= 1, "{late_ms} ms: {report}");
    }
}

#[test]
fn a_scan_asks_the_function_and_the_address_that_it_is_told_to() {
    let plant = Plant::start();
    let base = ["scan", "--tcp", &plant.tcp(), "--units", "11-12", "--timeout-ms", "150"];
    let (_, report) = json(&[&base[..], &["--address", "6001H"]].concat());
    assert_eq!(
        (&report["units"][0]["answer"], &report["units"][0]["function"]),
        (&"data".into(), &3.into()),
        "{report}"
    );
    let (_, report) = json(&[&base[..], &["--address", "30001"]].concat());
    assert_eq!((&report["address"], &report["units"][0]["function"]), (&0.into(), &4.into()), "{report}");
    assert_eq!(run(&[&base[..], &["--function", "5"]].concat()).code, 2);
    assert_eq!(run(&[&base[..], &["--address", "70000"]].concat()).code, 2);
}

#[test]
fn read_shows_every_type_and_finds_the_byte_order_of_a_known_value() {
    let plant = Plant::start();
    let tank = ["read", "--tcp", &plant.tcp(), "--unit", "1", "--address", "40001", "--count", "4"];
    let (code, plain) = json(&tank);
    let words: Vec<u64> = plain["words"].as_array().unwrap().iter().map(|w| w.as_u64().unwrap()).collect();
    let pressure = f64::from(f32::from_bits(u32::try_from(words[0] << 16 | words[1]).unwrap()));
    assert_eq!((code, words.len()), (0, 4));

    let about = format!("{pressure:.2}");
    let (code, ranked) = json(&[&tank[..], &["--expect", &about]].concat());
    let first = &ranked["guesses"][0];
    assert_eq!(
        (code, &first["type"], &first["word_order"]),
        (0, &Value::from("f32"), &Value::from("ABCD")),
        "{ranked}"
    );

    let text = run(&tank).out;
    for part in ["CDAB", "DCBA", "0x", "word_order", "最像的在前", "单精度", "f32", "把握", "score"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let impossible = run(&[&tank[..], &["--expect", "-4321.5"]].concat());
    assert!(impossible.code == 1 && impossible.out.contains("没有一种读法"), "{impossible:?}");
}

#[test]
fn read_finds_the_other_byte_order_on_the_other_tank_and_coils_on_the_utilities() {
    let plant = Plant::start();
    let a2 = plant.place("tcp-a2");
    let (_, plain) = json(&["read", "--tcp", &a2, "--unit", "21", "--address", "0"]);
    let words: Vec<u64> = plain["words"].as_array().unwrap().iter().map(|w| w.as_u64().unwrap()).collect();
    let level = f64::from(f32::from_bits(u32::try_from(words[1] << 16 | words[0]).unwrap()));
    let expect = format!("{level:.2}");
    let (_, ranked) = json(&["read", "--tcp", &a2, "--unit", "21", "--address", "0", "--expect", &expect]);
    assert_eq!(ranked["guesses"][0]["word_order"], "CDAB", "{ranked}");
    let coils = run(&["read", "--tcp", &plant.tcp(), "--unit", "2", "--function", "1", "--address", "0"]);
    assert!(coils.code == 0 && coils.out.lines().count() == 3, "{coils:?}");
}

#[test]
fn what_does_not_answer_is_told_with_what_to_try() {
    let plant = Plant::start();
    let silent = run(&["read", "--tcp", &plant.tcp(), "--unit", "99", "--address", "0", "--timeout-ms", "100"]);
    assert!(silent.code == 4 && silent.err.contains("--timeout-ms"), "{silent:?}");
    let refused = run(&["read", "--tcp", &plant.tcp(), "--unit", "11", "--address", "0"]);
    assert!(refused.code == 4 && refused.err.contains("异常 2"), "{refused:?}");
    let function = run(&["read", "--tcp", &plant.tcp(), "--unit", "1", "--address", "30001"]);
    assert!(function.code == 4 && function.err.contains("异常 1"), "{function:?}");
}

fn demo_site(plant: &Plant) -> Site {
    example(plant, include_str!("../examples/demo-site.toml"))
}

/// The example with the places of the running instruments.
fn example(plant: &Plant, text: &str) -> Site {
    let mut table: toml::Table = toml::from_str(text).unwrap();
    for link in table["link"].as_array_mut().unwrap() {
        let link = link.as_table_mut().unwrap();
        let (way, place) = plant.site.place(link["key"].as_str().unwrap()).unwrap();
        link.insert(way.into(), toml::Value::String(place));
    }
    table.remove("influx");
    table.remove("mqtt");
    Site::of(&toml::to_string(&table).unwrap())
}

#[test]
fn probe_reads_a_configured_device_raw_and_decoded() {
    let plant = Plant::start();
    let site = demo_site(&plant);
    let config = site.file();
    let config = config.to_str().unwrap();
    let check = run(&["check", "--config", config]);
    assert_eq!(check.code, 0, "{check:?}");
    let (code, all) = json(&["probe", "--config", config]);
    assert_eq!(code, 0, "{all}");
    let devices = all.as_array().unwrap();
    assert!(devices.len() > 10 && devices.iter().all(|d| d["silence"] == Value::Array(vec![])), "{all}");
    let key =
        devices.iter().find(|d| d["link"] != "tcp-a1" && d["link"] != "tcp-a2").unwrap()["device"].as_str().unwrap();
    let one = run(&["probe", "--config", config, "--device", key]);
    assert!(one.code == 0 && one.out.contains("好 good") && one.out.contains(key), "{one:?}");
    let unknown = run(&["probe", "--config", config, "--device", "nobody"]);
    assert!(unknown.code == 2 && unknown.err.contains(key), "{unknown:?}");
}

/// The whole way of every register: what the plant is held at is what the example configuration reads.
#[test]
fn every_instrument_of_every_site_reads_as_its_example_says() {
    for (name, text) in [
        (SiteName::Chemical, include_str!("../examples/demo-site.toml")),
        (SiteName::ColdStore, include_str!("../examples/cold-store-site.toml")),
        (SiteName::Mine, include_str!("../examples/mine-site.toml")),
    ] {
        let plant = Plant::of(name);
        let tags: Vec<(&str, f64)> = {
            let mut plant = plant.site.plant.lock().unwrap();
            // one decimal is what the coarsest register of the three sites can carry, a state is 0 or 1
            let held = |(n, tag): (u8, &'static str)| match tag {
                "ZS-301" | "UPS-001" | "KS-C01" => (tag, f64::from(n % 2)),
                _ if ["CO-", "WD-", "UPS-", "DP-"].iter().any(|start| tag.starts_with(start)) => (tag, f64::from(n)),
                _ => (tag, f64::from(n) / 20.0),
            };
            let tags: Vec<_> = (2..).zip(plant.tags()).map(held).collect();
            tags.iter().for_each(|(tag, value)| assert!(plant.force(tag, Some(*value))));
            tags
        };
        let site = example(&plant, text);
        let (_, devices) = json(&["probe", "--config", site.file().to_str().unwrap()]);
        let rows = devices.as_array().unwrap().iter().flat_map(|d| d["fields"].as_array().unwrap());
        let mut read: Vec<(&str, f64)> = rows
            .flat_map(|row| row["points"].as_array().unwrap().iter().map(move |p| (p.as_str().unwrap(), &row["value"])))
            .map(|(point, value)| (point, value.as_f64().unwrap_or(f64::NAN)))
            .collect();
        read.sort_by_key(|(point, _)| *point);
        let mut expected = tags;
        expected.sort_by_key(|(tag, _)| *tag);
        assert_eq!(read.len(), expected.len(), "{name}: {devices}");
        for ((point, value), (tag, held)) in read.iter().zip(&expected) {
            // half of the last digit of a register with one decimal
            assert!(point == tag && (value - held).abs() < 0.051, "{name}: {point} reads {value}, {tag} is at {held}");
        }
    }
}
