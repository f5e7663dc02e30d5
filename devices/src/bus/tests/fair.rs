//! What dead units cost those that live, on a line and on a socket whose time-out is long: the others' intervals as measured at the
//! far end of the bus, in virtual time.

use super::*;

/// A bus of 32 units that take `answer_ms` each, `period_ms` apart; every fourth of `dead` is silent.
#[derive(Clone, Debug)]
struct Plant {
    transport: Transport,
    answer_ms: u64,
    period_ms: u64,
    timeout_ms: u64,
    dead: u8,
}

const UNITS: u8 = 32;

impl Plant {
    fn lives(&self, unit: u8) -> bool {
        !(unit.is_multiple_of(4) && unit / 4 <= self.dead)
    }

    fn start(&self) -> Rig {
        let units: Vec<u8> = (1..=UNITS).collect();
        let mut spec = spec(self.transport.clone(), &units, ONE);
        spec.timeout = Duration::from_millis(self.timeout_ms);
        for device in &mut spec.devices {
            for point in Arc::make_mut(&mut device.points) {
                point.period = Duration::from_millis(self.period_ms);
            }
        }
        let mut rig = Rig::start_spec(Pipe, spec);
        let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
        let plant = self.clone();
        let numbered = matches!(plant.transport, Transport::Tcp { .. });
        tokio::spawn(async move {
            while let Some(mut wire) = connections.recv().await {
                loop {
                    let asked = if numbered { asked_tcp(&mut wire).await } else { asked_rtu(&mut wire).await };
                    let Some(asked) = asked else { break };
                    if !plant.lives(asked.unit) {
                        continue;
                    }
                    tokio::time::sleep(Duration::from_millis(plant.answer_ms)).await;
                    let pdu = data(&asked);
                    let frame = if numbered { frame_tcp(&asked, &pdu) } else { frame_rtu(asked.unit, &pdu) };
                    if wire.write_all(&frame).await.is_err() {
                        break;
                    }
                }
            }
        });
        rig
    }

    /// 99th percentile of the time between two values of those that live, from the second minute on.
    async fn p99(&self) -> Duration {
        let (mut rig, begun) = (self.start(), Instant::now());
        let (mut last, mut intervals) = ([None; UNITS as usize], Vec::new());
        while begun.elapsed() < Duration::from_secs(1_020) {
            let scan = rig.part().await;
            let seen = scan.answered.then(|| last[scan.device.index()].replace(scan.at.mono)).flatten();
            let settled = begun.elapsed() > Duration::from_secs(120);
            intervals.extend(seen.filter(|_| settled).map(|before| scan.at.mono.since(before)));
        }
        intervals.sort();
        intervals[intervals.len() * 99 / 100]
    }
}

/// Three quarters full, so that the living leave a gap of a quarter of a second and never one of three.
#[tokio::test(start_paused = true)]
async fn on_a_busy_link_with_a_long_time_out_the_living_keep_their_intervals() {
    for (transport, answer_ms, period_ms) in [(tcp(), 25, 1_000), (rtu(), 15, 2_000)] {
        for (dead, most) in [(1, 1.15), (8, 1.5)] {
            let plant = Plant { transport: transport.clone(), answer_ms, period_ms, timeout_ms: 3_000, dead };
            let ratio = plant.p99().await.as_secs_f64() * 1e3 / period_ms as f64;
            assert!(ratio <= most, "{plant:?}: p99 interval {ratio:.3} periods");
        }
    }
}
