use super::*;
use crate::clock::SystemClock;
use crate::config;
use crate::store::{OpenOptions, Workers};
use devices::{BusSpec, Connect, Connecting, LinkStream, run_bus_with};
use rules::{Event, Now};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

fn keeper(dir: &std::path::Path) -> Keeper {
    let clock = Arc::new(SystemClock::default());
    let options = OpenOptions {
        points: Vec::new(),
        commit_interval: Duration::from_secs(1),
        max_bytes: 1 << 20,
        now_label: "label".into(),
        kernel_boot_id: "kernel".into(),
        clock: clock.clone(),
        workers: Workers::Inline,
    };
    let (store, _) = Store::open(dir, options).unwrap();
    Keeper { bus: "gas-bus".into(), store, clock, seen: 0, begun: None, pace: Pace::new(BURST, ONE_MORE_EVERY) }
}

fn view(number: u64, cause: &str, complete: bool) -> IncidentView {
    IncidentView { number, utc_ms: 0, cause: cause.into(), event_ids: Vec::new(), complete, exchanges: Vec::new() }
}

fn at(minutes: u64) -> Mono {
    Mono::default().plus(Duration::from_secs(minutes * 60))
}

fn kept(keeper: &Keeper) -> Vec<(u64, String, bool)> {
    keeper.store.incidents().list().into_iter().map(|one| (one.number, one.cause, one.complete)).collect()
}

#[tokio::test]
async fn an_incident_is_on_the_disk_while_it_gathers_and_whole_when_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut keeper = keeper(dir.path());
    keeper.take(vec![view(1, "unit_dead D", false)], at(0)).await;
    assert_eq!(kept(&keeper), [(1, "unit_dead D".into(), false)]);
    keeper.take(vec![view(1, "unit_dead D, alarm A:H", true)], at(0)).await;
    assert_eq!(kept(&keeper), [(1, "unit_dead D, alarm A:H".into(), true)]);
    assert_eq!((keeper.seen, keeper.begun), (1, None), "it is not looked at again");
    keeper.take(vec![view(2, "b", false)], at(0)).await;
    keeper.take(vec![view(2, "b", false), view(3, "c", true)], at(0)).await;
    assert_eq!(kept(&keeper).len(), 3);
    assert_eq!(keeper.seen, 3, "one that another has followed gathers no more");
}

#[tokio::test]
async fn a_bus_that_comes_and_goes_all_day_does_not_push_out_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut keeper = keeper(dir.path());
    for number in 1..=10 {
        keeper.take(vec![view(number, "flapping", true)], at(0)).await;
    }
    assert_eq!(kept(&keeper).len(), 4);
    assert_eq!(keeper.store.incidents().figures().dropped["rate"], 6);
    keeper.take(vec![view(11, "later", true), view(12, "later", true)], at(11)).await;
    assert_eq!(kept(&keeper).len(), 5, "one more for every ten minutes");
    keeper.take(vec![view(20, "overrun", true)], at(60)).await;
    assert_eq!(keeper.store.incidents().figures().dropped["overrun"], 7);
    assert_eq!(kept(&keeper).len(), 6);
}

/// Instruments that answer every register with nothing but zeros.
struct Zeros;

impl Connect for Zeros {
    fn connect(&mut self) -> Connecting<'_> {
        let (near, far) = tokio::io::duplex(4096);
        tokio::spawn(answer(far));
        Box::pin(async { Ok(Box::new(near) as Box<dyn LinkStream>) })
    }
}

async fn answer(mut wire: DuplexStream) {
    let mut asked = [0; 12];
    while wire.read_exact(&mut asked).await.is_ok() {
        let bytes = asked[11] * 2;
        let head = [asked[0], asked[1], 0, 0, 0, bytes + 3, asked[6], asked[7], bytes];
        if wire.write_all(&[&head[..], &vec![0; bytes.into()]].concat()).await.is_err() {
            return;
        }
    }
}

/// The smallest site with a second detector, `DET-102`, unit 77; both are asked every second.
fn running(stop: &CancellationToken) -> Buses {
    running_as("bus-a", "DET-102", stop)
}

fn running_as(key: &str, second: &str, stop: &CancellationToken) -> Buses {
    let site = config::site_from_text("minimal-site.toml", include_str!("../../examples/minimal-site.toml"), |_| {});
    let mut spec: BusSpec = site.value.unwrap().buses.remove(0);
    let second = devices::DeviceSpec { key: second.into(), unit: 77, ..spec.devices[0].clone() };
    spec.key = key.into();
    spec.devices.push(second);
    let status = Arc::new(BusStatus::new(&spec));
    let (out, mut scans) = mpsc::channel(16);
    tokio::spawn(async move { while scans.recv().await.is_some() {} });
    let clock = Arc::new(SystemClock::default());
    tokio::spawn(run_bus_with(Zeros, spec, clock, out, status.clone(), stop.clone()));
    vec![(key.to_owned(), status)].into()
}

fn follows(buses: &Buses, kind: fn(AlarmFact) -> EventKind, alarm: &str) {
    follows_about(buses, kind, alarm, &["DET-101"]);
}

fn follows_about(buses: &Buses, kind: fn(AlarmFact) -> EventKind, alarm: &str, devices: &[&str]) {
    let fact = AlarmFact { alarm: alarm.into(), ..AlarmFact::default() };
    let record = Record {
        event_id: "site-7".into(),
        boot_id: "boot".into(),
        delivery_seq: None,
        durable: true,
        prev_hash: String::new(),
        hash: String::new(),
        event: Event { seq: 7, at: Now::default(), kind: kind(fact) },
    };
    let units = units_of(&devices.iter().copied().collect(), buses);
    follow(&record, fact_of(&record.event.kind).unwrap(), Mono::default(), &units);
}

fn raised(fact: AlarmFact) -> EventKind {
    EventKind::Raised { fact, assumed: false, late_by_ms: 0 }
}

#[tokio::test(start_paused = true)]
async fn an_alarm_freezes_what_its_unit_said_and_what_its_delay_began_with_however_long_ago() {
    let stop = CancellationToken::new();
    let buses = running(&stop);
    let recorder = buses[0].1.recorder();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let of_own = |unit: Option<u8>| unit != Some(77);
    let crossing = recorder.exchanges(0).into_iter().rfind(|e| of_own(e.unit)).unwrap().number;
    follows(&buses, |fact| EventKind::PendingOn { fact }, "GT-101:H");
    follows(&buses, |fact| EventKind::PendingOn { fact }, "GT-101:HH");
    tokio::time::sleep(Duration::from_secs(600)).await;
    let ring = recorder.exchanges(0);
    assert!(ring[0].number > crossing, "it has left the ring");
    follows(&buses, raised, "GT-101:HH");
    let [one] = &recorder.incidents(0)[..] else { panic!("one incident") };
    assert_eq!((&*one.cause, &one.event_ids[..]), ("alarm GT-101:HH", &["site-7".to_owned()][..]));
    let has = |incident: &IncidentView, number| incident.exchanges.iter().any(|e| e.number == number);
    assert!(has(one, crossing));
    assert!(ring.iter().filter(|e| of_own(e.unit)).all(|e| has(one, e.number)), "all of its own unit");
    let of_other = one.exchanges.iter().filter(|e| !of_own(e.unit)).count();
    assert_eq!(of_other, 32, "of the other unit what is among the last 64");
    follows(&buses, |fact| EventKind::PendingCancelled { fact }, "GT-101:H");
    tokio::time::sleep(Duration::from_secs(600)).await;
    follows(&buses, raised, "GT-101:L");
    let [_, two] = &recorder.incidents(0)[..] else { panic!("another incident") };
    assert!(!has(two, crossing), "its delay is over, and this one had none");
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn an_alarm_while_the_link_is_away_freezes_all_there_is() {
    let stop = CancellationToken::new();
    let buses = running(&stop);
    tokio::time::sleep(Duration::from_secs(600)).await;
    stop.cancel();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (ring, up) = (buses[0].1.recorder().exchanges(0).len(), buses[0].1.is_up());
    follows(&buses, raised, "DET-101:COMMS_LOSS");
    assert_eq!((buses[0].1.recorder().incidents(0)[0].exchanges.len(), up), (ring, false));
}

#[tokio::test(start_paused = true)]
async fn an_alarm_about_instruments_of_two_links_freezes_both_under_its_entry_and_no_third() {
    let stop = CancellationToken::new();
    let links = [("bus-a", "DET-102"), ("bus-b", "DET-202"), ("bus-c", "DET-302")];
    let buses: Buses = links.iter().flat_map(|(key, second)| running_as(key, second, &stop).to_vec()).collect();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let recorder = |n: usize| buses[n].1.recorder();
    let begun = [0, 1].map(|n| recorder(n).exchanges(0).into_iter().rfind(|e| e.unit == Some(77)).unwrap());
    let about = ["DET-102", "DET-202"];
    follows_about(&buses, |fact| EventKind::PendingOn { fact }, "V-1:VOTE", &about);
    tokio::time::sleep(Duration::from_secs(600)).await;
    follows_about(&buses, raised, "V-1:VOTE", &about);
    for n in [0, 1] {
        let [one] = &recorder(n).incidents(0)[..] else { panic!("one incident of link {n}") };
        assert_eq!((&*one.cause, &one.event_ids[..]), ("alarm V-1:VOTE", &["site-7".to_owned()][..]));
        let of_own = |e: &&devices::recorder::ExchangeView| e.unit == Some(77);
        let ring = recorder(n).exchanges(0);
        assert!(ring.iter().filter(of_own).all(|e| one.exchanges.contains(e)), "all that its unit said, link {n}");
        assert!(begun[n].number < ring[0].number && one.exchanges.iter().any(|e| e.number == begun[n].number));
    }
    assert!(recorder(2).incidents(0).is_empty());
    stop.cancel();
}
