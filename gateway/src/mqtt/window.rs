//! What was handed to the client and the broker has not acknowledged. Knows packet ids, not sockets.
//!
//! The client mints packet ids in order and tells them in order, so the oldest publish without an id gets the next one.
//! Ids come round after [`INFLIGHT`] and must not meet one still out: new events wait while the oldest one without an
//! acknowledgement is [`SPAN`] publishes back.

use std::collections::{BTreeMap, VecDeque};

/// The client's in-flight limit: packet ids run from 1 to this.
pub(super) const INFLIGHT: u16 = 64;
/// Events without the broker's acknowledgement.
pub(super) const EVENTS_MAX: usize = 8;
/// Well under [`INFLIGHT`]: the retained topics come on top and are never more than a few.
const SPAN: u64 = 24;

/// What a publish carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Event(u64),
    Status,
    State,
}

#[derive(Debug)]
struct OnWire {
    /// How many publishes went before it.
    ordinal: u64,
    content: Content,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Window {
    events_max: usize,
    /// Handed to the client, no packet id known yet.
    queued: VecDeque<(Content, usize)>,
    by_packet: BTreeMap<u16, OnWire>,
    published: u64,
}

impl Window {
    pub(super) fn new(events_max: usize) -> Self {
        Self { events_max, queued: VecDeque::new(), by_packet: BTreeMap::new(), published: 0 }
    }

    pub(super) fn handed_over(&mut self, content: Content, bytes: usize) {
        self.queued.push_back((content, bytes));
    }

    /// The client gave the oldest publish this packet id.
    pub(super) fn on_wire(&mut self, packet: u16) {
        if let Some((content, bytes)) = self.queued.pop_front() {
            self.published += 1;
            self.by_packet.insert(packet, OnWire { ordinal: self.published, content, bytes });
        }
    }

    pub(super) fn acknowledged(&mut self, packet: u16) -> Option<Content> {
        self.by_packet.remove(&packet).map(|publish| publish.content)
    }

    /// Events that may go out now.
    pub(super) fn room(&self) -> usize {
        let oldest = self.by_packet.values().map(|publish| publish.ordinal).min().unwrap_or(self.published + 1);
        let span = self.published + 1 - oldest + self.queued.len() as u64;
        if span >= SPAN { 0 } else { self.events_max.saturating_sub(self.events().len()) }
    }

    pub(super) fn holds(&self, content: Content) -> bool {
        self.contents().any(|(held, _)| held == content)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queued.is_empty() && self.by_packet.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.contents().map(|(_, bytes)| bytes).sum()
    }

    /// Numbers of the events that are out.
    pub(super) fn events(&self) -> Vec<u64> {
        let event = |(content, _)| if let Content::Event(seq) = content { Some(seq) } else { None };
        self.contents().filter_map(event).collect()
    }

    fn contents(&self) -> impl Iterator<Item = (Content, usize)> + '_ {
        let on_wire = self.by_packet.values().map(|publish| (publish.content, publish.bytes));
        on_wire.chain(self.queued.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_out_of_order_find_their_events() {
        let mut window = Window::new(EVENTS_MAX);
        for seq in 1..=3 {
            window.handed_over(Content::Event(seq), 10);
            window.on_wire(u16::try_from(seq).unwrap());
        }
        assert_eq!(window.acknowledged(3), Some(Content::Event(3)));
        assert_eq!(window.acknowledged(1), Some(Content::Event(1)));
        assert_eq!(window.acknowledged(1), None);
        assert_eq!((window.events(), window.room()), (vec![2], EVENTS_MAX - 1));
    }

    #[test]
    fn packet_ids_never_meet_one_still_out_whatever_the_order_of_acknowledgements() {
        let mut window = Window::new(EVENTS_MAX);
        let (mut next_packet, mut seq) = (0_u16, 0_u64);
        for _ in 0..1_000 {
            while window.room() > 0 {
                seq += 1;
                next_packet = next_packet % INFLIGHT + 1;
                assert!(!window.by_packet.contains_key(&next_packet), "packet id {next_packet} is still out");
                window.handed_over(Content::Event(seq), 1);
                window.on_wire(next_packet);
            }
            // the oldest is never acknowledged; the newest always is
            let newest = window.by_packet.iter().max_by_key(|(_, p)| p.ordinal).map(|(id, _)| *id).unwrap();
            if window.by_packet.len() > 1 {
                window.acknowledged(newest);
            }
        }
        assert!(window.events().contains(&1));
    }

    #[test]
    fn a_publish_without_a_packet_id_counts_as_out() {
        let mut window = Window::new(1);
        window.handed_over(Content::Status, 5);
        assert_eq!((window.room(), window.bytes()), (1, 5));
        window.handed_over(Content::Event(1), 7);
        assert_eq!((window.room(), window.bytes()), (0, 12));
        assert!(window.holds(Content::Status) && !window.holds(Content::State) && !window.is_empty());
    }
}
