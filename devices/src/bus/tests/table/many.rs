//! Size: 64 buses, 1,000 devices, 20,000 points in one process. Every unit is read; how well the pace is kept is the bench's to show, of 500
//! devices on 50 links and of 20,000 points on 20: a machine with other work skips cycles, as it should.

use super::*;

const BUSES: usize = 64;
const DEVICES: usize = 1_000;
const POINTS_EACH: u16 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_buses_with_a_thousand_devices_and_twenty_thousand_points_start_and_run() {
    let profile = words_at("", 0..POINTS_EACH);
    let (out, mut messages) = mpsc::channel(256);
    let stop = CancellationToken::new();
    let mut statuses = Vec::new();
    let clock: Arc<dyn Clock> = Arc::new(Virtual(Instant::now()));
    for bus in 0..BUSES {
        let count = DEVICES / BUSES + usize::from(bus < DEVICES % BUSES);
        let units: Vec<u8> = (1..=u8::try_from(count).unwrap()).collect();
        let transport = peer(On::Socket, |asked, _| right(On::Socket, asked)).await;
        let spec = spec(transport, &units, &profile);
        statuses.push(Arc::new(BusStatus::new(&spec)));
        let status = statuses[bus].clone();
        tokio::spawn(crate::run_bus(spec, clock.clone(), out.clone(), status, stop.clone()));
    }
    let (mut scans, mut samples) = (0, 0);
    let wait = async {
        while statuses.iter().any(|s| s.report().units.iter().any(|u| u.unit.counters.ok < 3)) {
            for _ in 0..DEVICES {
                if let BusMessage::Scan(scan) = messages.recv().await.unwrap() {
                    assert!(scan.answered);
                    (scans, samples) = (scans + 1, samples + scan.samples.len());
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    stop.cancel();
    let units: usize = statuses.iter().map(|s| s.snapshot().units.len()).sum();
    assert_eq!((units, samples), (DEVICES, scans * usize::from(POINTS_EACH)));
}
