//! Plays one case: the book, the input line by line, and what the engine said.

mod book;
mod line;

use line::{Deed, parse};
use rules::{
    Actor, AlarmState, BootSince, Cause, Command, ConfigChange, DeviceId, Engine, Event, EventKind, Finite, Input,
    Mono, Now, Reading, Restored, RuleBook, Sample, TimeQuality, UnitMode, Wall,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Wall clock of second 0: a day in 2026.
const WALL_ZERO_MS: i64 = 1_767_225_600_000;

struct Play {
    book: RuleBook,
    /// Of `next.toml`.
    next: Option<RuleBook>,
    engine: Engine,
    events: Vec<Event>,
    /// What was told before, as the store has it.
    journal: Vec<Event>,
    wall_offset_ms: i64,
    wall_mark_ms: i64,
    boot: BootSince,
    /// Of the store.
    rows: BTreeMap<String, AlarmState>,
    modes: BTreeMap<String, UnitMode>,
    boot_at_ns: u64,
    /// What is to be heard, where the case asks for it.
    sound: Option<String>,
    said: Vec<String>,
}

pub(crate) fn play(name: &str, book: &str, next: Option<&str>, input: &str) -> String {
    let built = |text: &str| {
        let parts = book::parts(name, text, input);
        let period = parts.points[0].period;
        (RuleBook::build(parts).unwrap_or_else(|defects| panic!("{name}: {defects:#?}")).0, period)
    };
    let sound = book::tells_sound(book).then(String::new);
    let (book, period) = built(book);
    let start = Now { mono: Mono(0), wall: Wall::synced(WALL_ZERO_MS) };
    let mut play = Play {
        engine: Engine::new(book.clone(), Restored::default(), start),
        book,
        next: next.map(|text| built(text).0),
        events: Vec::new(),
        journal: Vec::new(),
        wall_offset_ms: 0,
        wall_mark_ms: WALL_ZERO_MS,
        boot: BootSince { seq: 1, at: start, wall_mark_utc_ms: None },
        rows: BTreeMap::new(),
        modes: BTreeMap::new(),
        boot_at_ns: 0,
        sound,
        said: Vec::new(),
    };
    let deeds = parse(name, input, period);
    let mut k = 0;
    while k < deeds.len() {
        let at = deeds[k].0;
        let same = deeds[k..].iter().take_while(|d| d.0 == at).count();
        play.instant(at, &deeds[k..k + same]);
        k += same;
    }
    play.story()
}

impl Play {
    /// `ns` counts from the beginning of the story; the monotonic clock from the last boot.
    fn now(&self, ns: u64) -> Now {
        let ms = i64::try_from(ns / 1_000_000).unwrap();
        let wall = Wall::synced(WALL_ZERO_MS + ms + self.wall_offset_ms);
        Now { mono: Mono(ns - self.boot_at_ns), wall }
    }

    fn until(&mut self, ns: u64, including: bool) {
        while let Some((due, _)) = self.engine.next_deadline() {
            let due = (due.0 + self.boot_at_ns).max(self.events.last().map_or(0, |e| e.at.mono.0));
            if due > ns || (due == ns && !including) {
                break;
            }
            let now = self.now(due);
            self.engine.handle(Input::Tick, now, &mut self.events);
        }
    }

    fn instant(&mut self, ns: u64, deeds: &[(u64, Deed)]) {
        if matches!(deeds[0].1, Deed::Start { .. }) {
            self.start(ns, &deeds[0].1);
        } else {
            self.until(ns, false);
        }
        let now = self.now(ns);
        if deeds.iter().any(|d| matches!(d.1, Deed::Config)) {
            self.switch(now);
        }
        let mut samples = Vec::new();
        let mut silent = false;
        for (_, deed) in deeds {
            match deed {
                Deed::Read(tag, reading) => {
                    let point = self.book.point_id(tag).unwrap();
                    samples.push(Sample { point, reading: *reading, raw: rules::Raw::NONE, at: now });
                }
                Deed::Silent => silent = true,
                Deed::Wall(ms) => self.wall_offset_ms += ms,
                _ => {}
            }
        }
        let now = self.now(ns);
        if !samples.is_empty() || silent {
            let device: DeviceId = self.book.device_id("d1").unwrap();
            let input = Input::Scan { device, answered: !silent, samples: &samples };
            self.engine.handle(input, now, &mut self.events);
        }
        for (_, deed) in deeds {
            if let Deed::System(condition, active) = deed {
                let input = Input::System { condition: *condition, active: *active };
                self.engine.handle(input, now, &mut self.events);
            }
            if let Deed::Command(user, command, back) = deed {
                self.command(user, command, *back, now);
            }
        }
        if deeds.iter().any(|d| matches!(d.1, Deed::End)) {
            self.until(ns, true);
            self.engine.handle(Input::Tick, now, &mut self.events);
        }
        self.collect(ns);
        self.listen(ns, now);
        self.wall_mark_ms = self.wall_mark_ms.max(now.wall.utc_ms);
    }

    /// A line when something else is to be heard than before.
    fn listen(&mut self, ns: u64, now: Now) {
        let Some(before) = &mut self.sound else { return };
        let heard = self.engine.annunciation(now);
        let sound = match (heard.sound, heard.is_silenced(now)) {
            (None, _) => "none",
            (Some(_), true) => "silenced",
            (Some(sound), false) => sound.word(),
        };
        if *before != sound {
            sound.clone_into(before);
            self.said.push(format!("{} sound {sound}", seconds(ns)));
        }
    }

    fn switch(&mut self, now: Now) {
        self.book = self.next.take().expect("a case with `config` has a next.toml");
        let change = ConfigChange { by: "erik".into(), asked: None, old_hash: "a".into(), new_hash: "b".into() };
        let gone = self.engine.change_config(self.book.clone(), &change, now, &mut self.events);
        self.collect(now.mono.0 + self.boot_at_ns);
        if !gone.is_empty() {
            self.said.push(format!("{} gone: {}", seconds(now.mono.0 + self.boot_at_ns), gone.join(" ")));
        }
    }

    fn command(&mut self, user: &str, command: &Command, back: u64, now: Now) {
        let seen = (self.engine.next_seq() - 1).saturating_sub(back);
        let command = with_seen(command, seen);
        let actor = Actor { user: user.into(), role: "shift".into(), terminal: String::new() };
        if let Err(no) = self.engine.command(&command, &actor, now, &mut self.events) {
            self.collect(now.mono.0 + self.boot_at_ns);
            self.said.push(format!("{} refused: {no}", seconds(now.mono.0 + self.boot_at_ns)));
        }
    }

    /// The state goes through JSON, as it does through the store.
    fn start(&mut self, ns: u64, deed: &Deed) {
        let Deed::Start { other_boot, unsynced, config } = deed else { return };
        self.collect(ns);
        let alarms: Vec<AlarmState> =
            serde_json::from_str(&serde_json::to_string(&self.rows.values().collect::<Vec<_>>()).unwrap()).unwrap();
        let restored = Restored {
            next_seq: self.engine.next_seq(),
            next_hazard: 100,
            alarms,
            hazards: [self.engine.closed_hazards(), self.engine.hazards()].concat(),
            boot: (!other_boot).then_some(self.boot),
            wall_mark_utc_ms: Some(self.wall_mark_ms),
            modes: self.modes.values().cloned().collect(),
            recent: self.journal.clone(),
            stillness: self.engine.stillness(self.now(ns)),
        };
        if *config {
            self.book = self.next.take().expect("a case with `start config` has a next.toml");
        }
        if *other_boot {
            // Booted twenty seconds ago.
            self.boot_at_ns = ns - 20_000_000_000;
        }
        let mut now = self.now(ns);
        if *unsynced {
            now.wall.quality = TimeQuality::Unsynced;
        }
        if *other_boot {
            let seq = self.engine.next_seq();
            self.boot = BootSince { seq, at: now, wall_mark_utc_ms: Some(self.wall_mark_ms) };
        }
        self.engine = Engine::new(self.book.clone(), restored, now);
        let (boot_id, version, config_hash) = (String::new(), String::new(), String::new());
        let kind = EventKind::Started { boot_id, version, config_hash, down_for_ms: None };
        self.engine.begin(vec![kind], now, &mut self.events);
        self.collect(ns);
    }

    /// What the store keeps with an event.
    fn keep(&mut self, event: &Event) {
        let kept = self.engine.kept(event);
        if kept.all {
            self.rows.clear();
            self.modes.clear();
        }
        self.modes.extend(kept.modes.into_iter().map(|m| (m.unit.clone(), m)));
        kept.gone.iter().for_each(|key| drop(self.rows.remove(key)));
        self.rows.extend(kept.alarms.into_iter().map(|row| (row.key.clone(), row)));
    }

    fn collect(&mut self, _ns: u64) {
        let boot = self.boot_at_ns;
        let tells_sound = self.sound.is_some();
        let sounds = |e: &Event| e.kind.fact().and_then(|f| f.sound).filter(|_| tells_sound);
        let line =
            |e: &Event| Some(said(e, boot)? + &sounds(e).map_or(String::new(), |s| format!(" calls {}", s.word())));
        self.said.extend(self.events.iter().filter_map(line));
        let told = std::mem::take(&mut self.events);
        told.iter().for_each(|e| self.keep(e));
        self.journal.extend(told);
    }

    fn story(self) -> String {
        self.said.join("\n")
    }
}

fn with_seen(command: &Command, seen: u64) -> Command {
    let mut command = command.clone();
    if let Some(seen_seq) = command.seen_seq_mut() {
        *seen_seq = seen;
    }
    command
}

fn seconds(ns: u64) -> String {
    format!("@{:.1}", Duration::from_nanos(ns).as_secs_f64())
}

/// One line of an event; hidden-danger records have their own tests.
fn said(e: &Event, boot: u64) -> Option<String> {
    let name = e.kind.name();
    if name.starts_with("hazard.") || matches!(e.kind, EventKind::Started { .. }) {
        return None;
    }
    let name = name.trim_start_matches("alarm.");
    let subject = match &e.kind {
        EventKind::FirstOutReset { group, .. } => group.clone(),
        EventKind::SuppressionReleased { rule } => rule.clone(),
        EventKind::ConfigChanged { by, .. } => format!("by {by}"),
        EventKind::ModeChanged { plant_unit, new, .. } => format!("{plant_unit} {}", new.word()),
        EventKind::FloodStarted { count, first } => format!("{count} first {first}"),
        EventKind::FloodEnded { count, duration_ms, peak, first } => {
            format!("{count} in {} s, peak {peak}, first {first}", duration_ms / 1000)
        }
        kind => kind.fact().map_or_else(|| kind.whole_point().unwrap_or("").to_owned(), |f| f.alarm.clone()),
    };
    let line = format!("{} {name} {subject}{}", seconds(e.at.mono.0 + boot), extras(&e.kind));
    Some(line.trim_end().to_owned())
}

fn extras(kind: &EventKind) -> String {
    let mut out = String::new();
    let mut add = |text: String| out.push_str(&format!(" {text}"));
    match kind {
        EventKind::Raised { fact, assumed, late_by_ms } => {
            add(format!("#{}", fact.occurrence));
            [("assumed", *assumed), ("silent", fact.silent)]
                .iter()
                .filter(|(_, on)| *on)
                .for_each(|(w, _)| add((*w).into()));
            if fact.gap_credited_ms > 0 {
                add(format!("credited {} ms", fact.gap_credited_ms));
            }
            if *late_by_ms > 0 {
                add(format!("late {late_by_ms} ms"));
            }
            if let Some(rank) = fact.first_out {
                add(format!("rank {}{}", rank.rank, if rank.tie { " tie" } else { "" }));
            }
            if !fact.detail.is_empty() {
                add(fact.detail.clone());
            }
        }
        EventKind::ShadowRaised { fact, .. } => add(format!("#{}", fact.occurrence)),
        EventKind::Held { assumed: true, .. } => add("assumed".into()),
        EventKind::Returned { latched: true, .. } => add("latched".into()),
        EventKind::Escalated { level, late_by_ms, call, .. } => {
            add(format!("L{level}"));
            if *late_by_ms > 0 {
                add(format!("late {late_by_ms} ms"));
            }
            if !call.is_empty() {
                add(format!("call {}", call.join(", ")));
            }
        }
        EventKind::Realarm { count, .. } => add(format!("{count}")),
        EventKind::ShelfExpired { fact, annunciated, why } => {
            add(format!("{why:?}"));
            if *annunciated {
                add("annunciated".into());
            }
            if let Some(rank) = fact.first_out {
                add(format!("rank {}{}", rank.rank, if rank.tie { " tie" } else { "" }));
            }
        }
        EventKind::Suppressed { rule, .. } => add(rule.clone()),
        EventKind::Unsuppressed { rule, why, .. } => add(format!("{rule} {why:?}")),
        EventKind::BypassEnded { why, .. } => add(format!("{why:?}")),
        EventKind::InhibitEnded { overdue: true, .. } => add("overdue".into()),
        EventKind::Acked { by, .. } => add(format!("by {}", by.by)),
        _ => {}
    }
    if kind.fact().is_some_and(|f| f.cause == Cause::Config) {
        add("config".into());
    }
    out
}

pub(crate) fn good(v: f64) -> Reading {
    Reading::Good(Finite::new(v).unwrap())
}
