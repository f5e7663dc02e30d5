//! Rows about the serial line itself: pulled and replugged, noise at full rate.

use super::*;
use rustix::time::{ClockId, clock_gettime};
use std::os::unix::fs::symlink;

/// Descriptors of this process that point at `path`.
fn descriptors(path: &str) -> usize {
    let links =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.filter(|target| target.to_str().is_some_and(|t| t.trim_end_matches(" (deleted)") == path)).count()
}

/// A terminal whose near end only the bus holds; it can be pulled out.
fn adapter(link: &std::path::Path) -> (tokio::task::JoinHandle<()>, String) {
    let (master, path) = pseudo_terminal();
    rustix::io::ioctl_fionbio(&master, true).unwrap();
    let _ = std::fs::remove_file(link);
    symlink(&path, link).unwrap();
    let mut master = Master::over(master, path.clone());
    let served = tokio::spawn(async move {
        let mut b = [0; 8];
        let mut have = 0;
        loop {
            // Until the bus has opened the near end, reading fails.
            match master.read(&mut b[have..]).await {
                Ok(n) if n > 0 => have += n,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
            if have == 8 {
                have = 0;
                let asked =
                    Asked { head: vec![], unit: b[0], function: b[1], address: be(b[2], b[3]), count: be(b[4], b[5]) };
                let _ = master.write_all(&frame_rtu(asked.unit, &data(&asked))).await;
            }
        }
    });
    (served, path)
}

#[tokio::test]
async fn an_adapter_pulled_five_times_is_down_within_2_s_read_within_5_s_and_leaves_no_descriptor_behind() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("usb-adapter");
    let (mut adapter_task, mut path) = adapter(&link);
    let mut rig = start(serial(link.to_str().unwrap(), 9_600), &[1], TWO);
    until(&mut rig, |scan| scan.answered).await;
    for _ in 0..5 {
        assert_eq!(descriptors(&path), 1, "the bus holds the port once");
        let pulled = Instant::now();
        adapter_task.abort();
        std::fs::remove_file(&link).unwrap();
        let down = async { while rig.state().await.1 != "link_down" {} };
        tokio::time::timeout(Duration::from_secs(2), down).await.expect("the bus says it is down within two seconds");
        assert_eq!(descriptors(&path), 0, "the descriptor is closed at once, {:?}", pulled.elapsed());
        let scan = rig.scan().await;
        assert_eq!(scan.samples[0].reading, bad(Fault::Disconnected));
        (adapter_task, path) = adapter(&link);
        let back = Instant::now();
        let scan = until(&mut rig, |scan| scan.answered).await;
        assert_eq!(values(&scan), [1000.0, 1100.0]);
        assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
    }
    adapter_task.abort();
}

/// A clock tick of this thread.
fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

/// Random bytes, the same ones in every run.
struct Noise(u64);

impl Noise {
    /// What 115,200 baud, 8N1, bring in 10 ms.
    fn of_10_ms(&mut self) -> Vec<u8> {
        let byte = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.to_be_bytes()[0]
        };
        std::iter::repeat_with(byte).take(115).collect()
    }
}

/// Noise at the full rate of 115,200 baud, for ever; requests are answered in the middle of it when `answers`.
async fn chatter(mut master: Master, answers: bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let (mut noise, mut request, mut have) = (Noise(0x2545_F491_4F6C_DD1D), [0; 8], 0);
    loop {
        let mut bytes = noise.of_10_ms();
        tokio::select! {
            biased;
            read = master.read(&mut request[have..]), if answers => {
                have += read.unwrap_or(0);
                let [unit, function, high, low, count_high, count_low, ..] = request;
                if have < request.len() {
                    continue;
                }
                have = 0;
                let (address, count) = (be(high, low), be(count_high, count_low));
                let asked = Asked { head: Vec::new(), unit, function, address, count };
                bytes = [&bytes[..40], &right(On::Terminal, &asked), &bytes[40..]].concat();
            }
            _ = tick.tick() => {}
        }
        if master.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// The bus has a thread of its own, so that its share of a core can be measured; the limit is that of an optimised build, and
/// a debug build must meet it too.
#[tokio::test]
async fn line_noise_at_full_rate_keeps_the_deadline_and_costs_less_than_a_fifth_of_a_core() {
    let master = Master::open();
    let path = master.path.clone();
    let noise = tokio::spawn(chatter(master, false));
    let bus = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut rig = start(serial(&path, 115_200), &[5], ONE);
            let (begun, cpu) = (Instant::now(), thread_cpu());
            let first = rig.scan().await;
            let until_first = begun.elapsed();
            assert!(!first.answered);
            while begun.elapsed() < Duration::from_secs(3) {
                assert!(!rig.scan().await.answered);
            }
            let share = (thread_cpu() - cpu).as_secs_f64() / begun.elapsed().as_secs_f64();
            (until_first, share, rig.status.snapshot().link)
        })
    });
    let (until_first, share, link) = tokio::task::spawn_blocking(|| bus.join().unwrap()).await.unwrap();
    noise.abort();
    assert!(link.bytes_received > 20_000, "{link:?}");
    // Two settles and two requests.
    assert!(until_first <= TIMEOUT * 4 + PERIOD, "{until_first:?}");
    assert!(share <= 0.2, "{:.1} % of a core", share * 100.0);
}

#[tokio::test]
async fn the_good_frame_in_chatter_that_never_pauses_is_taken_and_the_deadline_is_kept() {
    let master = Master::open();
    let path = master.path.clone();
    let noise = tokio::spawn(chatter(master, true));
    let mut rig = start(serial(&path, 115_200), &[5], ONE);
    let mut good = 0;
    for _ in 0..12 {
        let begun = Instant::now();
        let scan = rig.scan().await;
        // Two settles and two requests.
        assert!(begun.elapsed() <= TIMEOUT * 4 + PERIOD, "{:?}", begun.elapsed());
        good += good_and_right(&scan, 5, &[7]);
    }
    noise.abort();
    let link = rig.status.snapshot().link;
    // A machine that is busy with other tests may be late with an answer or two.
    assert!(good >= 9, "{good} of 12 good: {link:?}");
    assert!(link.noise > 5_000 && link.ok >= 9, "{link:?}");
}

#[tokio::test]
async fn the_good_frame_amid_continuous_chatter_is_taken() {
    let on = On::Terminal;
    let transport = peer(on, move |asked, _| {
        let noise = |n: u8| (0..60).map(|i| n.wrapping_mul(i) ^ 0x5A).collect::<Vec<u8>>();
        [noise(7), right(on, asked), noise(11)].concat()
    })
    .await;
    let mut rig = start(transport, &[5], TWO);
    for _ in 0..5 {
        assert_eq!(values(&rig.scan().await), [5000.0, 5100.0]);
    }
}

#[tokio::test]
async fn ten_thousand_unsolicited_frames_on_a_serial_line_cost_no_value_and_no_memory() {
    let on = On::Terminal;
    let other = Asked { head: Vec::new(), unit: 9, function: 3, address: 7, count: 1 };
    let transport = peer(on, move |asked, nth| {
        let flood = if nth == 1 { framed(on, &other, &[3, 2, 0xAA, 0xAA]).repeat(10_000) } else { Vec::new() };
        [flood, right(on, asked)].concat()
    })
    .await;
    let mut rig = start(transport, &[5], ONE);
    for _ in 0..5 {
        good_and_right(&rig.scan().await, 5, &[7]);
    }
    let scan = until(&mut rig, |scan| scan.answered).await;
    assert_eq!(values(&scan), [5007.0]);
    let link = rig.status.snapshot().link;
    assert!(link.bytes_received >= 70_000 && link.foreign > 0 && link.noise > 0, "{link:?}");
    let kept: usize = rig.status.recorder().exchanges(0).iter().map(|e| e.received.len() + e.request.len()).sum();
    assert!(kept < 100_000, "{kept} characters in the recorder");
}

#[tokio::test]
async fn a_byte_every_five_seconds_on_a_serial_line_is_bad_within_the_deadline() {
    let mut master = Master::open();
    let path = master.path.clone();
    let dripping = tokio::spawn(async move {
        let asked = asked_rtu(&mut master).await.unwrap();
        for byte in right(On::Terminal, &asked) {
            let _ = master.write_all(&[byte]).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });
    let begun = Instant::now();
    let mut rig = start(serial(&path, 9_600), &[5], ONE);
    assert!(!rig.scan().await.answered);
    assert!(begun.elapsed() < TIMEOUT * 4 + PERIOD, "two settles and two requests: {:?}", begun.elapsed());
    dripping.abort();
}
