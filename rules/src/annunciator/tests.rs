//! The decision table of outputs, and stories of what goes wrong: one line a second, on a clock of its own.

use super::*;
use crate::time::{Mono, Now, Wall};

/// 2026-11-25 09:00 at the site.
const MORNING_MS: i64 = 1_795_568_400_000;

fn at(seconds: f64) -> Now {
    let ms = (seconds * 1000.0).round();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times of a test")]
    Now { mono: Mono(ms as u64 * 1_000_000 + 1_000_000_000_000), wall: Wall::synced(MORNING_MS + ms as i64) }
}

fn scheme() -> Scheme {
    Scheme {
        sounds_to: 2,
        beacon_until: BeaconUntil::Normal,
        alive: Alive::Hold,
        tones: vec![Tone::P1],
        pulse: Duration::from_secs(2),
        test_at: SiteTime::parse("10:00").unwrap(),
    }
}

/// What stands: sound, unacknowledged, standing.
fn heard(sound: Option<Sound>, unacknowledged: Option<u8>, standing: Option<u8>) -> Annunciation {
    Annunciation { sound, silenced: None, unacknowledged, standing }
}

fn alarm() -> Annunciation {
    heard(Some(Sound::P1), Some(1), Some(1))
}

const QUIET: Annunciation = Annunciation { sound: None, silenced: None, unacknowledged: None, standing: None };
const FINE: Result<Confirmed, AnnunciatorFault> = Ok(Confirmed { feedback: None });

fn feedback(on: bool) -> Result<Confirmed, AnnunciatorFault> {
    Ok(Confirmed { feedback: Some(on) })
}

#[test]
fn which_outputs_are_on_for_which_alarms() {
    let silenced =
        |a: Annunciation| Annunciation { silenced: Some(Expiry::after(at(0.0), Duration::from_secs(120))), ..a };
    let p3_too = Scheme { sounds_to: 3, tones: vec![Tone::P1, Tone::P3], ..scheme() };
    let until_acked = Scheme { beacon_until: BeaconUntil::Acknowledged, ..scheme() };
    let (p1, p2, p3) = (Some(Tone::P1), Some(Tone::P2), Some(Tone::P3));
    let three = Scheme { sounds_to: 3, tones: vec![Tone::P1, Tone::P2, Tone::P3], ..scheme() };
    for (what, scheme, now, sounder, beacon) in [
        ("nothing", scheme(), QUIET, None, false),
        ("P1 unacknowledged", scheme(), alarm(), p1, true),
        ("P2 unacknowledged, one sounder", scheme(), heard(Some(Sound::P2), Some(2), Some(2)), p1, true),
        ("P2 unacknowledged, a sounder of its own", three.clone(), heard(Some(Sound::P2), Some(2), Some(2)), p2, true),
        ("P3, not configured to sound", scheme(), heard(Some(Sound::P3), Some(3), Some(3)), None, false),
        ("P3, configured", p3_too.clone(), heard(Some(Sound::P3), Some(3), Some(3)), p3, true),
        (
            "P2 beside a sounder for P3: the more urgent one",
            p3_too.clone(),
            heard(Some(Sound::P2), Some(2), Some(2)),
            p1,
            true,
        ),
        ("flood of P3, configured", p3_too, heard(Some(Sound::Flood), Some(3), Some(3)), p3, true),
        ("P4 never", Scheme { sounds_to: 3, ..scheme() }, heard(None, Some(4), Some(4)), None, false),
        ("silenced: the light stays", scheme(), silenced(alarm()), None, true),
        ("acknowledged and active: light until normal", scheme(), heard(None, None, Some(1)), None, true),
        (
            "acknowledged and active: light until acknowledged",
            until_acked.clone(),
            heard(None, None, Some(1)),
            None,
            false,
        ),
        ("returned, not acknowledged", until_acked, heard(Some(Sound::P1), Some(1), Some(1)), p1, true),
    ] {
        assert_eq!((now.tone(&scheme, at(0.0)), now.beacon(&scheme)), (sounder, beacon), "{what}");
    }
}

#[test]
fn the_sound_of_a_priority_and_of_a_flood() {
    let of = |p| (Sound::of(p, false), Sound::of(p, true));
    assert_eq!(of(1), (Some(Sound::P1), Some(Sound::P1)));
    assert_eq!(of(2), (Some(Sound::P2), Some(Sound::P2)));
    assert_eq!(of(3), (Some(Sound::P3), Some(Sound::Flood)));
    assert_eq!(of(4), (None, None));
}

/// A control that is driven every quarter of a second; the peer answers what `peer` says to the sounder's state.
struct Rig {
    control: Control,
    sounder: String,
    story: Vec<String>,
    now: f64,
}

impl Rig {
    fn new(scheme: Scheme) -> Self {
        Self::with(Control::new(scheme, false, at(0.0)))
    }

    fn with(control: Control) -> Self {
        Self { control, sounder: String::new(), story: Vec::new(), now: 0.0 }
    }

    fn until(
        &mut self,
        end: f64,
        heard: &Annunciation,
        peer: impl Fn(bool) -> Result<Confirmed, AnnunciatorFault>,
    ) -> &mut Self {
        while self.now < end {
            let now = at(self.now);
            let outputs = self.control.outputs(heard, now);
            let sounding = outputs.sounder.is_some();
            self.say(if sounding { "on" } else { "off" });
            let news = self.control.observe(heard, outputs, peer(sounding), now);
            if let Some(test) = news.test {
                let by = if test.by_alarm { " by alarm" } else { "" };
                self.say(&test.fault.map_or(format!("passed{by}"), |f| format!("test {}", f.word())));
            }
            if let Some(failed) = news.failed {
                self.say(&failed.map_or("well".to_owned(), |f| format!("failed {}", f.word())));
            }
            self.now += 0.25;
        }
        self
    }

    /// Notes what happened, and the sounder where it changed, with the time.
    fn say(&mut self, what: &str) {
        let is_state = what == "on" || what == "off";
        if !is_state || self.sounder != what {
            self.story.push(format!("{what} @{}", self.now));
        }
        if is_state {
            self.sounder = what.to_owned();
        }
    }

    fn story(&mut self) -> Vec<String> {
        std::mem::take(&mut self.story)
    }
}

#[test]
fn a_module_that_fails_for_three_seconds_has_failed_and_is_well_after_thirty_that_were_confirmed() {
    let mut r = Rig::new(scheme());
    r.until(1.0, &QUIET, |_| FINE).until(3.5, &QUIET, |_| Err(AnnunciatorFault::NoAnswer)).until(4.0, &QUIET, |_| FINE);
    assert_eq!(r.story(), ["off @0"], "two and a half seconds are none");
    r.until(8.0, &QUIET, |_| Err(AnnunciatorFault::Differs)).until(40.0, &QUIET, |_| FINE);
    assert_eq!(r.story(), ["failed differs @7", "well @38"]);
    for n in 0..20 {
        let begun = 40.0 + 5.0 * f64::from(n);
        r.until(begun + 4.0, &QUIET, |_| Err(AnnunciatorFault::NoAnswer)).until(begun + 5.0, &QUIET, |_| FINE);
    }
    assert_eq!(r.story(), ["failed no_answer @43"], "one that comes and goes is one failure");
}

#[test]
fn a_sounder_that_kept_silent_is_not_well_until_it_was_heard() {
    let mut r = Rig::new(Scheme { test_at: SiteTime::parse("23:00").unwrap(), ..scheme() });
    r.until(4.0, &alarm(), |_| feedback(false));
    assert_eq!(r.story(), ["on @0", "failed feedback_missing @3"]);
    r.until(60.0, &QUIET, feedback);
    assert_eq!(r.story(), ["off @4"], "silent as commanded proves nothing");
    r.until(61.0, &alarm(), feedback);
    assert_eq!(r.story(), ["on @60", "well @60"]);
}

#[test]
fn a_feedback_that_stays_when_the_sounder_is_off_is_a_failure_and_its_end_ends_it() {
    let mut r = Rig::new(scheme());
    r.until(4.0, &QUIET, |_| feedback(true)).until(5.0, &alarm(), |_| feedback(true)).until(8.0, &QUIET, feedback);
    assert_eq!(r.story(), ["off @0", "failed feedback_stuck @3", "on @4", "off @5", "well @5"]);
}

#[test]
fn a_self_test_sounds_for_its_pulse_and_passes_when_it_was_heard_and_fell_silent() {
    let mut r = Rig::new(scheme());
    r.control.ask_for_test("li".into(), at(0.0));
    r.until(5.0, &QUIET, feedback);
    assert_eq!(r.story(), ["on @0", "off @2.25", "passed @2.25"]);
}

#[test]
fn a_self_test_goes_through_every_sounder() {
    let mut r = Rig::new(Scheme { tones: vec![Tone::P1, Tone::P2], sounds_to: 2, ..scheme() });
    r.control.ask_for_test("li".into(), at(0.0));
    r.until(8.0, &QUIET, |_| FINE);
    assert_eq!(r.story(), ["on @0", "off @2.25", "on @2.5", "off @4.75", "passed @4.75"]);
}

#[test]
fn a_self_test_that_is_not_heard_fails_and_only_another_one_ends_that() {
    let mut r = Rig::new(scheme());
    r.control.ask_for_test("li".into(), at(0.0));
    r.until(7.0, &QUIET, |_| feedback(false));
    assert_eq!(r.story(), ["on @0", "failed feedback_missing @3", "test feedback_missing @5", "off @5.25"]);
    r.until(20.0, &alarm(), feedback).until(30.0, &QUIET, feedback);
    assert_eq!(r.story(), ["on @7", "off @20"], "an alarm that was heard is no self-test");
    r.control.ask_for_test("li".into(), at(30.0));
    r.until(40.0, &QUIET, feedback);
    assert_eq!(r.story(), ["on @30", "off @32.25", "passed @32.25", "well @32.25"]);
}

#[test]
fn a_real_alarm_is_neither_interrupted_nor_masked_and_being_heard_counts() {
    let mut r = Rig::new(scheme());
    r.until(1.0, &alarm(), feedback);
    r.control.ask_for_test("li".into(), at(1.0));
    r.until(3.0, &alarm(), feedback);
    assert_eq!(r.story(), ["on @0", "passed by alarm @1"]);
    let mut r = Rig::new(scheme());
    r.control.ask_for_test("li".into(), at(0.0));
    r.until(2.25, &QUIET, feedback).until(10.0, &alarm(), feedback);
    assert_eq!(r.story(), ["on @0", "passed by alarm @2.5"], "one that begins during a test sounds on");
}

#[test]
fn the_tone_of_a_real_alarm_goes_before_the_tone_of_a_test() {
    let mut control = Control::new(Scheme { tones: vec![Tone::P1, Tone::P2], ..scheme() }, false, at(0.0));
    control.ask_for_test("li".into(), at(0.0));
    let important = heard(Some(Sound::P2), Some(2), Some(2));
    assert_eq!(control.outputs(&important, at(0.0)).sounder, Some(Tone::P2));
}

#[test]
fn a_silence_is_waited_for_and_stops_a_test_under_way() {
    let silenced = Annunciation { silenced: Some(Expiry::after(at(0.0), Duration::from_secs(120))), ..alarm() };
    let mut r = Rig::new(scheme());
    r.until(1.0, &silenced, feedback);
    r.control.ask_for_test("li".into(), at(1.0));
    r.until(10.0, &silenced, feedback);
    assert_eq!(r.story(), ["off @0"]);
    r.until(11.0, &QUIET, feedback).until(12.0, &silenced, feedback).until(20.0, &QUIET, feedback);
    assert_eq!(r.story(), ["on @10", "off @11", "on @12", "off @14.25", "passed @14.25"]);
}

#[test]
fn a_start_under_a_standing_alarm_of_its_own_owes_a_proof() {
    let mut r = Rig::with(Control::new(scheme(), true, at(0.0)));
    r.until(1.0, &QUIET, |_| Err(AnnunciatorFault::NoLink)).until(6.0, &QUIET, feedback);
    assert_eq!(r.story(), ["on @0", "off @2.25", "passed @2.25", "well @2.25"]);
}

#[test]
fn the_daily_test_comes_at_its_time_and_within_25_hours_whatever_the_clock_does() {
    let ten = || SiteTime::parse("10:00").unwrap();
    let later = |hours: f64| at(hours * 3600.0);
    let mut daily = schedule::Daily::new(ten(), at(0.0));
    assert!(!daily.is_due(later(0.99)) && daily.is_due(later(1.0)) && !daily.is_due(later(1.1)));
    assert!(!daily.is_due(later(24.99)) && daily.is_due(later(25.0)));
    // the clock stands still
    let mut daily = schedule::Daily::new(ten(), at(0.0));
    let still = |hours: f64| Now { wall: at(0.0).wall, ..later(hours) };
    assert!(!daily.is_due(still(24.9)) && daily.is_due(still(25.1)) && !daily.is_due(still(26.0)));
    // the clock jumps to and fro over ten o'clock
    let mut daily = schedule::Daily::new(ten(), at(0.0));
    let jumping = |seconds: f64, hour: f64| Now { wall: later(hour).wall, ..at(seconds) };
    let due = (0..60).filter(|s| daily.is_due(jumping(f64::from(*s), f64::from(s % 2) * 2.0))).count();
    assert_eq!(due, 1);
}

#[test]
fn a_persons_test_shortly_before_is_the_daily_one() {
    let mut daily = schedule::Daily::new(SiteTime::parse("10:00").unwrap(), at(0.0));
    daily.tested(at(3000.0));
    assert!(!daily.is_due(at(3601.0)));
}

#[test]
fn a_time_of_day_is_two_and_two_digits() {
    let ok = |t| SiteTime::parse(t).is_some();
    assert!(ok("00:00") && ok("23:59") && ok("10:00"));
    assert!(["24:00", "10:60", "9:00", "10", "10:0", "1000", "10:00:00", "+1:00", ""].into_iter().all(|t| !ok(t)));
}

#[test]
fn the_wire_that_proves_it_alive_is_held_or_turned_over_each_second() {
    let alive = |alive, seconds: [f64; 6]| {
        let mut control = Control::new(Scheme { alive, ..scheme() }, false, at(0.0));
        seconds.map(|s| control.outputs(&QUIET, at(s)).alive)
    };
    let late = [0.0, 1.25, 2.5, 3.75, 5.0, 6.25];
    assert_eq!(alive(Alive::Hold, late), [true; 6]);
    assert_eq!(alive(Alive::Toggle, late), [true, false, true, false, true, false], "each turn, however long it takes");
    assert_eq!(alive(Alive::Toggle, [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]), [true, true, true, true, false, false]);
    assert_eq!(Outputs::SAFE, Outputs { sounder: None, beacon: false, alive: false });
}

/// Turns of a control with two sounders, of which the first is broken; what was driven and what came of it.
fn with_a_dead_first_sounder(control: &mut Control, from: f64, to: f64, heard: &Annunciation) -> Vec<News> {
    let mut news = Vec::new();
    let mut now = from;
    while now < to {
        let outputs = control.outputs(heard, at(now));
        news.push(control.observe(heard, outputs, feedback(outputs.sounder == Some(Tone::P2)), at(now)));
        now += 0.25;
    }
    news.retain(|n| *n != News::default());
    news
}

#[test]
fn a_dead_sounder_is_not_proved_by_the_alarm_about_it_that_another_one_sounds() {
    let two = Scheme { tones: vec![Tone::P1, Tone::P2], test_at: SiteTime::parse("23:00").unwrap(), ..scheme() };
    let mut control = Control::new(two, false, at(0.0));
    control.ask_for_test("li".into(), at(0.0));
    let news = with_a_dead_first_sounder(&mut control, 0.0, 3.25, &QUIET);
    assert_eq!(news.last().unwrap().failed, Some(Some(AnnunciatorFault::FeedbackMissing)));
    // its own alarm is of priority 2
    let own_alarm = heard(Some(Sound::P2), Some(2), Some(2));
    assert_eq!(with_a_dead_first_sounder(&mut control, 3.25, 60.0, &own_alarm), []);
    assert_eq!(control.failed(), Some(AnnunciatorFault::FeedbackMissing), "another one that is heard proves nothing");
    // acknowledged: the first sounder is tested at last
    let news = with_a_dead_first_sounder(&mut control, 60.0, 70.0, &QUIET);
    let test = news.iter().find_map(|n| n.test.clone()).unwrap();
    assert_eq!((test.fault, test.by_alarm), (Some(AnnunciatorFault::FeedbackMissing), false));
}

#[test]
fn an_alarm_that_comes_while_a_welded_sounder_should_be_silent_does_not_turn_a_fault_into_a_pass() {
    let mut r = Rig::new(scheme());
    r.control.ask_for_test("li".into(), at(0.0));
    r.until(4.0, &QUIET, |_| feedback(true))
        .until(5.0, &alarm(), |_| feedback(true))
        .until(9.0, &QUIET, |_| feedback(true));
    let story = r.story();
    assert!(story.contains(&"failed feedback_stuck @8".to_owned()), "{story:?}");
    assert!(r.control.failed().is_some());
}

#[test]
fn a_module_that_was_away_during_a_test_owes_it_still_and_leaves_no_failure_behind() {
    let mut r = Rig::new(Scheme { test_at: SiteTime::parse("09:00").unwrap(), ..scheme() });
    r.control.ask_for_test("li".into(), at(0.0));
    r.until(6.0, &QUIET, |_| Err(AnnunciatorFault::NoLink));
    assert_eq!(r.story(), ["on @0", "failed no_link @3", "test no_link @5", "off @5.25"]);
    r.until(60.0, &QUIET, feedback);
    assert_eq!(
        r.story(),
        ["on @6.25", "off @8.5", "passed @8.5", "well @36"],
        "tested when it is back, well when it is steady"
    );
}

#[test]
fn a_silence_is_over_by_the_clock_although_nobody_has_looked_again() {
    let silenced = Annunciation { silenced: Some(Expiry::after(at(0.0), Duration::from_secs(120))), ..alarm() };
    let mut control = Control::new(scheme(), false, at(0.0));
    assert_eq!(control.outputs(&silenced, at(119.0)).sounder, None);
    assert_eq!(control.outputs(&silenced, at(120.0)).sounder, Some(Tone::P1));
}
