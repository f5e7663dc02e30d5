//! The task against the simulator's relay module on a real socket, with a core that only listens.

use super::*;
use crate::core::CoreRequest;
use crate::mqtt::fixture::listening_core;
use devices::Transport;
use devices::annunciator::{CoilPlan, Coils, RelaySpec};
use rules::annunciator::{Alive, BeaconUntil, Scheme, SiteTime, Sound};
use rules::hazard::Decision;
use rules::hide::Expiry;
use rules::{Event, Mono, Now, Wall};
use sim::{Relay, RelayFault};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::sync::mpsc;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Commit to coil on a healthy link, and a module that restarted.
const SOON: Duration = Duration::from_secs(1);
/// A failure is told after three seconds; an alarm later than this is none.
const FAILED: Duration = Duration::from_secs(6);

/// A clock that runs, and that a test sends ahead.
struct Running {
    begun: Instant,
    ahead_ms: AtomicU64,
}

impl Clock for Running {
    fn now(&self) -> Now {
        let ran = u64::try_from(self.begun.elapsed().as_millis()).unwrap();
        let ms = ran + self.ahead_ms.load(Ordering::Relaxed) + 1_000_000;
        let utc_ms = i64::try_from(ms).unwrap();
        Now { mono: Mono(ms * 1_000_000), wall: Wall::synced(utc_ms) }
    }
}

/// A site with an annunciator, and a person who listens.
struct Room {
    relay: Relay,
    pictures: watch::Sender<Arc<Snapshot>>,
    records: broadcast::Sender<Arc<Record>>,
    requests: mpsc::Receiver<CoreRequest>,
    clock: Arc<Running>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    at: SocketAddr,
}

impl Room {
    async fn open() -> Self {
        let (relay, served) = (Relay::default(), CancellationToken::new());
        let at = sim::serve_tcp(ANY, relay.clone(), served.clone()).await.unwrap();
        Self::at(at, relay, 256)
    }

    fn at(at: SocketAddr, relay: Relay, queue: usize) -> Self {
        let (core, requests, pictures) = listening_core(queue);
        let records = core.records.clone();
        let clock = Arc::new(Running { begun: Instant::now(), ahead_ms: AtomicU64::new(0) });
        let stop = CancellationToken::new();
        let task = run_annunciator(settings(at), core, clock.clone(), Arc::default(), stop.clone());
        Self { relay, pictures, records, requests, clock, stop, task: tokio::spawn(task), at }
    }

    fn hear(&self, annunciation: Annunciation) {
        self.pictures.send_modify(|p| Arc::make_mut(p).annunciation = annunciation);
    }

    fn ask_for_test(&self) {
        let by = Decision {
            by: "li".into(),
            role: "operator".into(),
            at: Now::default(),
            reason: "交接班试音".into(),
            terminal: String::new(),
        };
        let event = Event { seq: 9, at: Now::default(), kind: EventKind::AnnunciatorTestRequested { by } };
        let (event_id, boot_id, hash, prev_hash) = Default::default();
        let record = Record { event_id, boot_id, delivery_seq: None, durable: true, prev_hash, hash, event };
        self.records.send(Arc::new(record)).unwrap();
    }

    /// Waits until the room is as it should be; how long that took.
    async fn until(&self, what: &str, limit: Duration, is: impl Fn(&Relay) -> bool) -> Duration {
        let begun = Instant::now();
        while !is(&self.relay) {
            assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }

    /// The next alarm, its end, or the report of a self-test.
    async fn told(&mut self) -> String {
        let news = async {
            loop {
                match self.requests.recv().await.unwrap() {
                    CoreRequest::System { condition: SystemCondition::AnnunciatorFailed, active } => {
                        return if active { "alarm".to_owned() } else { "alarm over".to_owned() };
                    }
                    CoreRequest::Note { kind, .. } => match *kind {
                        EventKind::AnnunciatorTested { fault, by_alarm, .. } => {
                            return format!("tested {:?} {by_alarm}", fault.map(AnnunciatorFault::word));
                        }
                        EventKind::Notice { code, text_zh, text_en } => {
                            assert!(!text_zh.is_empty() && !text_en.is_empty(), "{code}");
                        }
                        other => panic!("{other:?}"),
                    },
                    CoreRequest::Annunciator(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        timeout(FAILED, news).await.expect("the core is told")
    }

    /// The same for what takes half a minute of good turns.
    async fn told_in_time(&mut self) -> String {
        let clock = self.clock.clone();
        let time_flies = async move {
            loop {
                tokio::time::sleep(SOON / 4).await;
                clock.ahead_ms.fetch_add(10_000, Ordering::Relaxed);
            }
        };
        tokio::select! {
            told = self.told() => told,
            () = time_flies => unreachable!("it never ends"),
        }
    }

    async fn view(&mut self) -> AnnunciatorView {
        loop {
            if let Some(CoreRequest::Annunciator(view)) = self.requests.recv().await {
                return *view;
            }
        }
    }
}

fn settings(at: SocketAddr) -> AnnunciatorSettings {
    let plan = CoilPlan { unit: 1, beacon: Some(1), alive: Some(2), feedback: Some(0), ..CoilPlan::default() };
    let coils = Coils::new(plan).unwrap();
    let scheme = Scheme {
        sounds_to: 2,
        beacon_until: BeaconUntil::Normal,
        alive: Alive::Hold,
        tones: coils.tones(),
        pulse: Duration::from_millis(500),
        test_at: SiteTime::parse("10:00").unwrap(),
    };
    let transport = Transport::Tcp { address: at.to_string() };
    let relay = RelaySpec { link: "relay".into(), transport, coils, timeout: Duration::from_millis(300) };
    AnnunciatorSettings { relay, scheme }
}

const QUIET: Annunciation = Annunciation { sound: None, silenced: None, unacknowledged: None, standing: None };
const URGENT: Annunciation =
    Annunciation { sound: Some(Sound::P1), silenced: None, unacknowledged: Some(1), standing: Some(1) };
const ACKNOWLEDGED: Annunciation = Annunciation { standing: Some(1), ..QUIET };

#[tokio::test]
async fn it_sounds_within_a_second_falls_silent_on_acknowledgement_and_the_beacon_stays_until_normal() {
    let room = Room::open().await;
    room.until("the gateway lives", SOON, |r| r.coil(2)).await;
    room.hear(URGENT);
    room.until("sound and light", SOON, |r| r.sounds() && r.coil(1)).await;
    room.hear(ACKNOWLEDGED);
    room.until("silence, light", SOON, |r| !r.sounds() && r.coil(1)).await;
    room.hear(QUIET);
    room.until("dark", SOON, |r| !r.coil(1)).await;
}

#[tokio::test]
async fn a_silence_takes_the_sound_only_and_its_break_brings_it_back() {
    let room = Room::open().await;
    room.hear(URGENT);
    room.until("sound", SOON, Relay::sounds).await;
    room.hear(Annunciation { silenced: Some(Expiry::after(room.clock.now(), Duration::from_secs(120))), ..URGENT });
    room.until("silence, light", SOON, |r| !r.sounds() && r.coil(1)).await;
    room.hear(URGENT);
    room.until("sound again", SOON, Relay::sounds).await;
}

#[tokio::test]
async fn a_module_that_restarted_sounds_again_within_seconds() {
    let room = Room::open().await;
    room.hear(URGENT);
    room.until("sound", SOON, Relay::sounds).await;
    room.relay.restart();
    room.until("sound again", SOON * 2, |r| r.sounds() && r.coil(1) && r.coil(2)).await;
}

#[tokio::test]
async fn a_stuck_relay_a_dead_module_and_a_mute_sounder_are_alarms_that_end_when_it_works() {
    for fault in [RelayFault::Stuck, RelayFault::Silent, RelayFault::Mute, RelayFault::Welded] {
        let mut room = Room::open().await;
        room.until("the gateway lives", SOON, |r| r.coil(2)).await;
        room.relay.suffer(fault);
        room.hear(if fault == RelayFault::Welded { QUIET } else { URGENT });
        assert_eq!(room.told().await, "alarm", "{fault:?}");
        room.relay.suffer(RelayFault::None);
        assert_eq!(room.told_in_time().await, "alarm over", "{fault:?}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_an_alarm_and_a_module_that_comes_ends_it() {
    let nobody = std::net::TcpListener::bind(ANY).unwrap().local_addr().unwrap();
    let mut room = Room::at(nobody, Relay::default(), 256);
    assert_eq!(room.told().await, "alarm");
    sim::serve_tcp(room.at, room.relay.clone(), CancellationToken::new()).await.unwrap();
    assert_eq!(room.told_in_time().await, "alarm over");
}

#[tokio::test]
async fn a_self_test_is_heard_and_told_and_a_failed_one_is_an_alarm_that_a_passed_one_ends() {
    let mut room = Room::open().await;
    room.until("the gateway lives", SOON, |r| r.coil(2)).await;
    room.ask_for_test();
    room.until("a pulse", SOON, Relay::sounds).await;
    assert_eq!((room.told().await, room.relay.sounds()), ("tested None false".into(), false));
    room.relay.suffer(RelayFault::Mute);
    room.ask_for_test();
    let mut told = [room.told().await, room.told().await];
    told.sort();
    assert_eq!(told, ["alarm", "tested Some(\"feedback_missing\") false"]);
    room.relay.suffer(RelayFault::None);
    room.ask_for_test();
    assert_eq!([room.told().await, room.told().await], ["tested None false", "alarm over"]);
    let view = room.view().await;
    assert_eq!((view.tests_passed, view.tests_failed, view.fault), (2, 1, None));
    assert_eq!(view.last_test.unwrap().asked_by.as_deref(), Some("li"));
}

#[tokio::test]
async fn a_self_test_under_a_real_alarm_interrupts_nothing() {
    let mut room = Room::open().await;
    room.hear(URGENT);
    room.until("sound", SOON, Relay::sounds).await;
    room.ask_for_test();
    let listening = tokio::spawn({
        let relay = room.relay.clone();
        async move {
            for _ in 0..300 {
                assert!(relay.sounds(), "interrupted");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    assert_eq!(room.told().await, "tested None true");
    listening.await.unwrap();
}

#[tokio::test]
async fn an_orderly_stop_switches_everything_off_and_only_our_coils_were_written() {
    let mut room = Room::open().await;
    room.hear(URGENT);
    room.until("sound, light, alive", SOON, |r| r.sounds() && r.coil(1) && r.coil(2)).await;
    let view = room.view().await;
    assert!(view.writes > 0 && view.failures == 0, "{view:?}");
    room.stop.cancel();
    timeout(SOON, &mut room.task).await.expect("ends").unwrap();
    assert!((0..8).all(|n| !room.relay.coil(n)));
    assert_eq!(room.relay.written(), [(5, 0), (5, 1), (5, 2)]);
}

#[tokio::test]
async fn a_stop_that_the_module_does_not_hear_at_first_is_said_again_until_it_is_off() {
    let mut room = Room::open().await;
    room.hear(URGENT);
    room.until("sound", SOON, Relay::sounds).await;
    room.relay.suffer(RelayFault::Silent);
    room.stop.cancel();
    // longer than one try waits, shorter than the whole stop may take
    let relay = room.relay.clone();
    let answers_again = async move {
        tokio::time::sleep(Duration::from_millis(400)).await;
        relay.suffer(RelayFault::None);
    };
    let (ended, ()) = tokio::join!(timeout(SOON * 3, &mut room.task), answers_again);
    ended.expect("ends").unwrap();
    assert!((0..8).all(|n| !room.relay.coil(n)), "a siren is left on");
}

#[tokio::test]
async fn a_core_that_takes_nothing_delays_no_sound() {
    let (relay, served) = (Relay::default(), CancellationToken::new());
    let at = sim::serve_tcp(ANY, relay.clone(), served.clone()).await.unwrap();
    let room = Room::at(at, relay, 1);
    for turn in 0..20 {
        room.hear(if turn % 2 == 0 { URGENT } else { QUIET });
        room.until("it follows at once", SOON / 2, |r| r.sounds() == (turn % 2 == 0)).await;
    }
}
