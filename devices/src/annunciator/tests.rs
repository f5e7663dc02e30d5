//! Against the simulator's relay module, over a real socket, a serial converter and a pseudo-terminal.

use super::*;
use crate::{Parity, SerialDriver};
use rules::annunciator::Tone;
use sim::{Fault, Faults, Framing as Frames, Relay, RelayFault, Rule, When};
use std::net::{Ipv4Addr, SocketAddr};
use tokio_util::sync::{CancellationToken, DropGuard};

const ON: Outputs = Outputs { sounder: Some(Tone::P1), beacon: true, alive: true };
const QUIET: Outputs = Outputs { sounder: None, beacon: false, alive: true };
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn plan() -> CoilPlan {
    CoilPlan { unit: 1, sounder: 0, beacon: Some(1), alive: Some(2), feedback: Some(0), ..CoilPlan::default() }
}

fn module(transport: Transport, plan: CoilPlan) -> RelayModule {
    let coils = Coils::new(plan).unwrap();
    RelayModule::new(RelaySpec { link: "relay".into(), transport, coils, timeout: Duration::from_millis(300) })
}

/// The module's end on a socket.
async fn served() -> (Relay, Transport, DropGuard) {
    let (relay, stop) = (Relay::default(), CancellationToken::new());
    let address = sim::serve_tcp(ANY, relay.clone(), stop.clone()).await.unwrap();
    (relay, Transport::Tcp { address: address.to_string() }, stop.drop_guard())
}

fn heard(on: bool) -> Result<Confirmed, AnnunciatorFault> {
    Ok(Confirmed { feedback: Some(on) })
}

#[tokio::test]
async fn outputs_are_written_read_back_and_heard() {
    let (relay, transport, _stop) = served().await;
    let mut module = module(transport, plan());
    assert_eq!(module.drive(ON).await, heard(true));
    assert!(relay.sounds() && relay.coil(1) && relay.coil(2));
    assert_eq!(module.drive(QUIET).await, heard(false));
    assert!(!relay.sounds() && !relay.coil(1) && relay.coil(2));
    assert_eq!(module.drive(Outputs::SAFE).await, heard(false));
    assert!(!relay.coil(2));
    assert_eq!(relay.written(), [(5, 0), (5, 1), (5, 2)], "single coils, and only ours");
    assert_eq!(module.figures(), RelayFigures { writes: 9, failures: 0, connects: 1 });
}

#[tokio::test]
async fn a_module_that_restarted_is_right_again_with_the_next_turn() {
    let (relay, transport, _stop) = served().await;
    let mut module = module(transport, plan());
    module.drive(ON).await.unwrap();
    relay.restart();
    assert!(!relay.sounds());
    assert_eq!((module.drive(ON).await, relay.sounds()), (heard(true), true));
}

#[tokio::test]
async fn every_fault_of_the_module_has_its_name() {
    let (relay, transport, _stop) = served().await;
    let mut module = module(transport, plan());
    for (fault, outcome) in [
        (RelayFault::Silent, Err(AnnunciatorFault::NoAnswer)),
        (RelayFault::Stuck, Err(AnnunciatorFault::Differs)),
        (RelayFault::Mute, heard(false)),
        (RelayFault::None, heard(true)),
    ] {
        relay.restart();
        relay.suffer(fault);
        assert_eq!(module.drive(ON).await, outcome, "{fault:?}");
    }
    relay.suffer(RelayFault::Welded);
    assert_eq!(module.drive(QUIET).await, heard(true));
}

#[tokio::test]
async fn a_coil_that_the_module_does_not_have_is_refused_and_the_others_are_written() {
    let (relay, transport, _stop) = served().await;
    let mut module = module(transport, CoilPlan { beacon: Some(8), alive: None, ..plan() });
    assert_eq!(module.drive(ON).await, Err(AnnunciatorFault::Refused));
    assert!(relay.sounds());
}

#[tokio::test]
async fn coils_far_apart_are_read_back_one_by_one() {
    let (relay, transport, _stop) = served().await;
    let mut module = module(transport, CoilPlan { beacon: Some(40), ..plan() });
    assert_eq!(module.drive(ON).await, Err(AnnunciatorFault::Refused));
    assert!(relay.sounds());
}

#[tokio::test]
async fn a_link_that_cannot_be_opened_is_said_at_once_and_tried_again_soon() {
    let nobody = std::net::TcpListener::bind(ANY).unwrap().local_addr().unwrap();
    let mut module = module(Transport::Tcp { address: nobody.to_string() }, plan());
    assert_eq!(module.drive(ON).await, Err(AnnunciatorFault::NoLink));
    let (relay, stop) = (Relay::default(), CancellationToken::new());
    sim::serve_tcp(nobody, relay.clone(), stop.clone()).await.unwrap();
    assert_eq!(module.drive(ON).await, Err(AnnunciatorFault::NoLink), "in the pause");
    tokio::time::sleep(FIRST_BACK_OFF).await;
    assert_eq!((module.drive(ON).await, relay.sounds()), (heard(true), true));
    stop.cancel();
}

#[tokio::test]
async fn damage_and_loss_on_a_converter_are_faults_of_that_turn_only() {
    let (relay, stop) = (Relay::default(), CancellationToken::new());
    let behind = sim::serve_rtu_over_tcp(ANY, relay.clone(), stop.clone()).await.unwrap();
    let faults = Faults::new(7, vec![Rule { fault: Fault::Corrupt, when: When::Numbers(2, 2) }]);
    let address = sim::serve_faulty_tcp(ANY, behind, Frames::Rtu, faults, stop.clone()).await.unwrap();
    let mut module = module(Transport::RtuOverTcp { address: address.to_string() }, plan());
    assert_eq!(module.drive(ON).await, Err(AnnunciatorFault::Damaged));
    assert_eq!((module.drive(ON).await, relay.sounds()), (heard(true), true));
    stop.cancel();
}

#[tokio::test]
async fn over_a_serial_line() {
    let (relay, stop) = (Relay::default(), CancellationToken::new());
    let path = sim::serve_rtu_pty(relay.clone(), None, stop.clone()).await.unwrap();
    let transport = Transport::Rtu {
        path: path.display().to_string(),
        baud: 9600,
        data_bits: 8,
        parity: Parity::None,
        stop_bits: 1,
        driver: SerialDriver::default(),
    };
    let mut module = module(transport, plan());
    let begun = Instant::now();
    assert_eq!(module.drive(ON).await, heard(true));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!((module.drive(QUIET).await, relay.coil(2)), (heard(false), true));
    stop.cancel();
}

#[tokio::test]
async fn a_line_of_instruments_refuses_the_same_write() {
    let (relay, transport, _stop) = served().await;
    let stream = Wire(transport.clone()).connect().await.unwrap();
    let bus = BusSpec { key: "bus".into(), transport, devices: Vec::new(), timeout: Duration::from_secs(1) };
    let guard = Guard::new(stream, Framing::Tcp, Arc::new(BusStatus::new(&bus)));
    let mut line = Line::new(guard, Framing::Tcp, crate::connect::pace(&bus.transport));
    let write = Coils::new(plan()).unwrap().writes(ON)[0];
    assert_eq!(line.write(write, Duration::from_secs(1)).await, Err(AskError::Protocol));
    assert_eq!((relay.written(), relay.sounds()), (Vec::new(), false), "nothing left the gateway");
}
