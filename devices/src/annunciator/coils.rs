//! Which coils of the relay module are ours. The only door through which a write can leave the gateway.
//!
//! [`Coils`] is checked when it is built and then fixed. A [`CoilWrite`] is made by it alone, and a [`Permit`] by it alone, so that neither a
//! [`crate::line::Line`] can be asked to write another coil nor a line guard persuaded to let one through.

use rules::annunciator::{Outputs, Tone};

/// Of one relay module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coils {
    unit: u8,
    /// Most urgent first; the first is that of priority 1.
    sounders: Vec<(Tone, u16)>,
    beacon: Option<u16>,
    alive: Option<u16>,
    /// Discrete input that proves the sound.
    feedback: Option<u16>,
}

/// The coils as they were written down.
#[derive(Clone, Copy, Debug, Default)]
pub struct CoilPlan {
    pub unit: u8,
    pub sounder: u16,
    pub sounder_p2: Option<u16>,
    pub sounder_p3: Option<u16>,
    pub beacon: Option<u16>,
    pub alive: Option<u16>,
    pub feedback: Option<u16>,
}

impl Coils {
    /// `None` when one coil has two meanings, or the unit is a broadcast, which nobody confirms.
    #[must_use]
    pub fn new(plan: CoilPlan) -> Option<Self> {
        let CoilPlan { unit, sounder, sounder_p2, sounder_p3, beacon, alive, feedback } = plan;
        let of = |tone, coil: Option<u16>| coil.map(|coil| (tone, coil));
        let sounders = [of(Tone::P1, Some(sounder)), of(Tone::P2, sounder_p2), of(Tone::P3, sounder_p3)];
        let coils = Self { unit, sounders: sounders.into_iter().flatten().collect(), beacon, alive, feedback };
        let mut all = coils.addresses();
        all.sort_unstable();
        let distinct = all.windows(2).all(|pair| pair[0] != pair[1]);
        (distinct && unit != 0).then_some(coils)
    }

    /// The different sounders there are.
    #[must_use]
    pub fn tones(&self) -> Vec<Tone> {
        self.sounders.iter().map(|(tone, _)| *tone).collect()
    }

    pub(crate) fn unit(&self) -> u8 {
        self.unit
    }

    pub(crate) fn feedback(&self) -> Option<u16> {
        self.feedback
    }

    fn addresses(&self) -> Vec<u16> {
        self.sounders.iter().map(|(_, coil)| *coil).chain(self.beacon).chain(self.alive).collect()
    }

    /// Every coil as it shall be: what is switched on goes first, since a person waits for it.
    pub(crate) fn writes(&self, outputs: Outputs) -> Vec<CoilWrite> {
        let write = |address, on| CoilWrite { unit: self.unit, address, on };
        let sounders = self.sounders.iter().map(|(tone, coil)| write(*coil, outputs.sounder == Some(*tone)));
        let beacon = self.beacon.map(|coil| write(coil, outputs.beacon));
        let alive = self.alive.map(|coil| write(coil, outputs.alive));
        let mut writes: Vec<_> = sounders.chain(beacon).chain(alive).collect();
        writes.sort_by_key(|w| !w.on);
        writes
    }

    /// What a line guard lets through on this module's link.
    pub(crate) fn permit(&self) -> Permit {
        Permit { unit: self.unit, coils: self.addresses() }
    }
}

/// One coil to be written; made by [`Coils::writes`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CoilWrite {
    unit: u8,
    address: u16,
    on: bool,
}

impl CoilWrite {
    pub(crate) fn unit(self) -> u8 {
        self.unit
    }
    pub(crate) fn address(self) -> u16 {
        self.address
    }
    pub(crate) fn on(self) -> bool {
        self.on
    }
}

/// Coils that may be written on a line. The default, on every instrument's link, is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permit {
    unit: u8,
    coils: Vec<u16>,
}

impl Permit {
    pub(crate) fn allows(&self, unit: u8, coil: u16) -> bool {
        unit == self.unit && self.coils.contains(&coil)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: CoilPlan = CoilPlan {
        unit: 1,
        sounder: 0,
        sounder_p2: Some(4),
        sounder_p3: None,
        beacon: Some(1),
        alive: Some(2),
        feedback: Some(0),
    };

    #[test]
    fn a_coil_has_one_meaning_and_a_broadcast_is_refused() {
        assert!(Coils::new(PLAN).is_some());
        assert!(Coils::new(CoilPlan { beacon: Some(0), ..PLAN }).is_none());
        assert!(Coils::new(CoilPlan { alive: Some(4), ..PLAN }).is_none());
        assert!(Coils::new(CoilPlan { unit: 0, ..PLAN }).is_none());
    }

    #[test]
    fn every_coil_is_written_each_time_and_what_is_switched_on_goes_first() {
        let coils = Coils::new(PLAN).unwrap();
        let outputs = Outputs { sounder: Some(Tone::P2), beacon: true, alive: false };
        let written: Vec<_> = coils.writes(outputs).into_iter().map(|w| (w.address(), w.on())).collect();
        assert_eq!(written, [(4, true), (1, true), (0, false), (2, false)]);
        assert!(coils.writes(Outputs::SAFE).into_iter().all(|w| !w.on()));
    }

    #[test]
    fn the_permit_names_its_own_coils_and_nothing_else() {
        let permit = Coils::new(PLAN).unwrap().permit();
        let allowed: Vec<u16> = (0..100).filter(|coil| permit.allows(1, *coil)).collect();
        assert_eq!(allowed, [0, 1, 2, 4]);
        assert!((0..=255).filter(|unit| *unit != 1).all(|unit| !permit.allows(unit, 0)));
        assert!((0..=255).all(|unit| (0..10).all(|coil| !Permit::default().allows(unit, coil))));
    }
}
