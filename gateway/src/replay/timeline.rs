//! From the label on a sample to the clock that decides: samples are stored with wall time, the engine works on monotonic time.
//!
//! Every event carries both, so the journal says how they relate. Across a reboot the monotonic time of the replay goes on with
//! the wall clock; inside one boot a step of the wall clock moves labels only.

use rules::{Event, EventKind, Mono, Now, Wall};

/// Beyond this the two clocks have parted; below it is rounding and slewing.
const DRIFT_NS: i64 = 50_000_000;
/// Beyond this the wall clock was stepped, or the machine booted.
const STEP_NS: i64 = 2_000_000_000;
const MS: i64 = 1_000_000;

/// From `from_ms` on: monotonic = wall + offset.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from_ms: i64,
    offset_ns: i64,
}

/// Labels between which one offset holds; empty at first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stretch {
    from_ms: i64,
    to_ms: i64,
    offset_ns: i64,
}

/// How wall and monotonic time relate over a journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    pieces: Vec<Piece>,
    /// Journal number from which on this much is added to recorded monotonic times.
    shifts: Vec<(u64, i64)>,
    /// Where the wall clock was stepped.
    pub steps_ms: Vec<i64>,
}

fn offset(event: &Event) -> i64 {
    let mono = i64::try_from(event.at.mono.0).unwrap_or(i64::MAX);
    mono.saturating_sub(event.at.wall.utc_ms.saturating_mul(MS))
}

impl Timeline {
    /// From the events in the order of the journal; `keep` is a number in the boot whose monotonic times stay as recorded.
    #[must_use]
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>, keep: u64) -> Self {
        let mut line = Self::default();
        let (mut shift, mut kept) = (0, 0);
        for event in events {
            let raw = offset(event);
            let Some(last) = line.pieces.last().copied() else {
                line.shifts.push((event.seq, 0));
                line.pieces.push(Piece { from_ms: event.at.wall.utc_ms, offset_ns: raw });
                continue;
            };
            let apart = (raw + shift - last.offset_ns).abs();
            let started = matches!(event.kind, EventKind::Started { .. });
            if apart > STEP_NS && started {
                shift = last.offset_ns - raw;
                line.shifts.push((event.seq, shift));
            } else if apart > DRIFT_NS {
                line.pieces.push(Piece { from_ms: event.at.wall.utc_ms, offset_ns: raw + shift });
                if apart > STEP_NS {
                    line.steps_ms.push(event.at.wall.utc_ms);
                }
            }
            if event.seq <= keep {
                kept = shift;
            }
        }
        line.pieces.iter_mut().for_each(|p| p.offset_ns -= kept);
        line.shifts.iter_mut().for_each(|(_, s)| *s -= kept);
        line
    }

    /// The moment of a label.
    #[must_use]
    pub fn at(&self, utc_ms: i64) -> Now {
        self.at_near(utc_ms, &mut Stretch::default())
    }

    /// The same for one label after another: `stretch` is where the last one lay, and mostly the next one lies there too.
    pub(super) fn at_near(&self, utc_ms: i64, stretch: &mut Stretch) -> Now {
        if !(stretch.from_ms..stretch.to_ms).contains(&utc_ms) {
            *stretch = self.stretch(utc_ms);
        }
        let mono = utc_ms.saturating_mul(MS).saturating_add(stretch.offset_ns);
        Now { mono: Mono(u64::try_from(mono).unwrap_or(0)), wall: wall(utc_ms) }
    }

    fn stretch(&self, utc_ms: i64) -> Stretch {
        let after = self.pieces.partition_point(|p| p.from_ms <= utc_ms);
        let from_ms = after.checked_sub(1).map_or(i64::MIN, |n| self.pieces[n].from_ms);
        // before the first piece its offset holds
        let offset_ns = self.pieces.get(after.saturating_sub(1)).map_or(0, |p| p.offset_ns);
        Stretch { from_ms, to_ms: self.pieces.get(after).map_or(i64::MAX, |p| p.from_ms), offset_ns }
    }

    /// The label of a moment, near a label that is known.
    #[must_use]
    pub fn label(&self, mono: Mono, near: Now) -> Now {
        let apart = i64::try_from(mono.0).unwrap_or(i64::MAX) - i64::try_from(near.mono.0).unwrap_or(0);
        Now { mono, wall: Wall { utc_ms: near.wall.utc_ms + apart.div_euclid(MS), ..near.wall } }
    }

    /// A recorded event on the clock of the replay.
    #[must_use]
    pub fn recorded(&self, event: &Event) -> Now {
        let after = self.shifts.partition_point(|(seq, _)| *seq <= event.seq);
        let shift = self.shifts.get(after.saturating_sub(1)).map_or(0, |(_, s)| *s);
        let mono = i64::try_from(event.at.mono.0).unwrap_or(i64::MAX).saturating_add(shift);
        Now { mono: Mono(u64::try_from(mono).unwrap_or(0)), wall: event.at.wall }
    }

    /// True when the machine booted between this start and the events before it.
    #[must_use]
    pub fn booted(&self, started: &Event) -> bool {
        self.shifts.iter().skip(1).any(|(seq, _)| *seq == started.seq)
    }
}

fn wall(utc_ms: i64) -> Wall {
    Wall::synced(utc_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, mono_ms: u64, utc_ms: i64, started: bool) -> Event {
        let at = Now { mono: Mono(mono_ms * 1_000_000), wall: wall(utc_ms) };
        let boot_id = String::new();
        let kind = if started {
            EventKind::Started { boot_id, version: String::new(), config_hash: String::new(), down_for_ms: None }
        } else {
            EventKind::Stopped { boot_id }
        };
        Event { seq, at, kind }
    }

    #[test]
    fn a_reboot_does_not_turn_the_clock_of_the_replay_back() {
        let events = [event(1, 5_000, 100_000, true), event(2, 9_000, 104_000, false), event(3, 1_000, 110_000, true)];
        let line = Timeline::of(events.iter(), 1);
        assert_eq!(line.recorded(&events[2]).mono, Mono(15_000_000_000));
        assert_eq!(line.at(111_000).mono, Mono(16_000_000_000));
        assert!(line.booted(&events[2]) && !line.booted(&events[0]) && line.steps_ms.is_empty());
        let kept = Timeline::of(events.iter(), 3);
        assert_eq!(kept.recorded(&events[2]).mono, Mono(1_000_000_000), "the boot in hand keeps its times");
    }

    #[test]
    fn a_stepped_clock_moves_labels_only() {
        let events = [event(1, 5_000, 100_000, true), event(2, 9_000, 204_000, false)];
        let line = Timeline::of(events.iter(), 1);
        assert_eq!(line.steps_ms, [204_000]);
        assert_eq!(line.at(205_000).mono, Mono(10_000_000_000));
        assert_eq!(line.at(101_000).mono, Mono(6_000_000_000));
    }
}
