//! Stories of one bus: when a unit that is back is found, however slow it has become and whatever it answers.

use super::*;

/// Every unit is read each second, so that there is never room for two seconds, and always for four tenths.
#[test]
fn a_dead_unit_is_asked_with_the_whole_time_out_as_often_as_the_plan_says() {
    for (dead, timeout_ms) in [(1, 2_000), (3, 2_000), (1, 400)] {
        let units = vec![vec![(1_000, false); 4]; 6];
        let bus = Drawn { turnaround_ms: vec![20; 6], units, silent: (0..dead, 0..u64::MAX), timeout_ms };
        let mut spec = bus_of(&bus);
        let points = spec.devices.iter_mut().flat_map(|d| Arc::make_mut(&mut d.points).iter_mut());
        points.for_each(|p| p.max_age = MINUTE);
        let plan = crate::forecast(&spec, dead, &|_| MINUTE).with_dead.unwrap();
        let long = 2 * plan.back_slower;
        let mut player = Player::new(&spec);
        player.play(long, |unit, _, _| (unit >= dead).then_some(Duration::from_millis(20)));
        let played = player.played;
        for unit in 0..dead {
            let probes = played.sent.iter().filter(|s| s.unit == unit && s.took >= Duration::from_millis(timeout_ms));
            let times: Vec<Duration> = [Duration::ZERO].into_iter().chain(probes.map(|s| s.at)).chain([long]).collect();
            let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
            assert!(gap <= plan.back_slower, "{unit} of {dead}: {gap:?}, {:?} by the plan", plan.back_slower);
            assert!(gap * 4 >= plan.back_slower, "the plan is no wild guess: {gap:?} {:?}", plan.back_slower);
        }
    }
}

/// Every answer takes 20 ms and all want one each second: nine units of four requests leave 280 ms, fourteen nothing at all.
/// The plan says how long it takes where gaps cut the probes.
#[test]
fn a_unit_that_now_needs_nearly_the_whole_of_a_short_time_out_is_found_on_a_busy_bus() {
    let slow_from = Duration::from_secs(30);
    for (others, was_there) in [(9, true), (9, false), (14, true), (14, false)] {
        let units = vec![vec![(1_000, false); 4]; others + 1];
        let bus = Drawn { turnaround_ms: vec![20; others + 1], units, silent: (0..0, 0..0), timeout_ms: 300 };
        let plan = crate::forecast(&bus_of(&bus), 1, &|_| MINUTE).with_dead.unwrap();
        let back = if others == 9 { plan.back_slower } else { Duration::from_secs(65) };
        let mut player = Player::new(&bus_of(&bus));
        // off until it is slow, or there and quick; away for five minutes in between, so that its probes are far apart
        let away = slow_from..slow_from + 5 * MINUTE;
        player.play(away.end + back, |unit, _, at| match unit {
            0 if at < away.start && was_there => Some(Duration::from_millis(20)),
            0 if at < away.end => None,
            0 => Some(Duration::from_millis(250)),
            _ => Some(Duration::from_millis(20)),
        });
        let values = player.played.values.values().take(4).flatten();
        let back = values.filter(|v| v.good && v.at > away.end).map(|v| v.at).min();
        assert!(back.is_some(), "{others} others, there before: {was_there}");
    }
}

/// It answers but one of its two requests, and no longer as fast as a short probe waits: long probes are not for the other one alone.
#[test]
fn a_unit_that_became_slower_and_answers_one_request_of_two_is_found_whichever_that_is() {
    for (all, answered) in [(1, 0), (1, 100), (14, 0), (14, 100)] {
        let units = vec![vec![(1_000, false); 2]; all];
        let bus = Drawn { turnaround_ms: vec![20; all], units, silent: (0..0, 0..0), timeout_ms: 1_000 };
        let mut spec = bus_of(&bus);
        for device in &mut spec.devices {
            device.points = device.points.iter().take(2).cloned().collect();
        }
        let mut player = Player::new(&spec);
        player.play(20 * MINUTE, |unit, span, at| match unit {
            0 if at > MINUTE => (span.address == answered).then_some(Duration::from_millis(800)),
            _ => Some(Duration::from_millis(20)),
        });
        let values = player.played.values.values().take(2).flatten();
        let back = values.filter(|v| v.good && v.at > 2 * MINUTE).count();
        assert!(back > 0, "{all} units, it answers {answered}");
    }
}
