//! A gas that escapes at one place and drifts with the wind.
//!
//! ```text
//!    source ──► puff ──► puff ──► puff      one puff a second; each moves with the wind of the moment and spreads on its way,
//!      ▲ jet                                so a turning wind bends the plume
//! ```
//!
//! Owns the puffs. Strength is in the unit of the detectors (ppm, %LEL) at the place of escape; what lets the gas out is the
//! site's.

use super::weather::Wind;
use std::collections::VecDeque;

/// Where something stands, metres east and north.
pub(super) type Place = (f64, f64);

/// A detector this near stands in the jet, which its own momentum mixes and no wind of the demo bends.
const JET_REACH_M: f64 = 3.0;
/// Half width of the cloud where it escapes.
const WIDTH_M: f64 = 6.0;
/// It widens by so much on each metre of its way (neutral air, open ground) …
const WIDENS_PER_M: f64 = 0.12;
/// … and in each second also in a calm.
const WIDENS_M_S: f64 = 0.05;
/// Between a cloud that spreads sideways only (1) and one that spreads upwards as well (2): cold gas hugs the ground.
const THINS_BY: f64 = 1.5;
const PUFF_EVERY_S: f64 = 1.0;
/// Beyond this age a puff is too thin for any detector of the demo; it also bounds the number of puffs.
const OLDEST_S: f64 = 120.0;
/// Less than any detector shows.
const FAINT: f64 = 0.01;

#[derive(Clone, Copy, Debug)]
struct Puff {
    at: Place,
    strength: f64,
    width_m: f64,
    age_s: f64,
}

impl Puff {
    fn drift(&mut self, dt_s: f64, wind: Wind) {
        self.at.0 += wind.east_m_s * dt_s;
        self.at.1 += wind.north_m_s * dt_s;
        self.width_m += (WIDENS_PER_M * wind.speed_m_s() + WIDENS_M_S) * dt_s;
        self.age_s += dt_s;
    }

    fn seen_from(&self, place: Place) -> f64 {
        let (east, north) = (place.0 - self.at.0, place.1 - self.at.1);
        let off_centre = (east * east + north * north) / (2.0 * self.width_m * self.width_m);
        self.strength * (WIDTH_M / self.width_m).powf(THINS_BY) * (-off_centre).exp()
    }
}

/// One place of escape and what has drifted from it.
#[derive(Clone, Debug)]
pub(super) struct Cloud {
    from: Place,
    /// At the place of escape.
    pub(super) strength: f64,
    puffs: VecDeque<Puff>,
    until_next_s: f64,
}

impl Cloud {
    pub(super) const fn at(from: Place) -> Self {
        Self { from, strength: 0.0, puffs: VecDeque::new(), until_next_s: 0.0 }
    }

    pub(super) fn step(&mut self, dt_s: f64, wind: Wind) {
        self.puffs.iter_mut().for_each(|puff| puff.drift(dt_s, wind));
        while self.puffs.front().is_some_and(|puff| puff.age_s > OLDEST_S) {
            self.puffs.pop_front();
        }
        self.until_next_s -= dt_s;
        if self.strength > FAINT && self.until_next_s <= 0.0 {
            self.puffs.push_back(Puff { at: self.from, strength: self.strength, width_m: WIDTH_M, age_s: 0.0 });
            self.until_next_s = PUFF_EVERY_S;
        }
    }

    /// Concentration at a place. Neighbouring puffs are the same air, so the strongest counts and they are not added up.
    pub(super) fn concentration(&self, place: Place) -> f64 {
        if (place.0 - self.from.0).hypot(place.1 - self.from.1) <= JET_REACH_M {
            return self.strength;
        }
        self.puffs.iter().map(|puff| puff.seen_from(place)).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u32, wind: Wind) -> Cloud {
        let mut cloud = Cloud::at((0.0, 0.0));
        cloud.strength = 100.0;
        (0..seconds * 10).for_each(|_| cloud.step(0.1, wind));
        cloud
    }

    #[test]
    fn the_wind_carries_the_cloud_and_the_lee_side_alone_sees_it() {
        let east_wind = after(60, Wind::from(3.0, 90.0));
        let (lee, side, luv) = ((-60.0, 0.0), (0.0, 60.0), (60.0, 0.0));
        assert!(east_wind.concentration(lee) > 20.0);
        assert!(east_wind.concentration(side) < 0.1 && east_wind.concentration(luv) < 0.1);
        let south_wind = after(60, Wind::from(3.0, 180.0));
        assert!(south_wind.concentration(side) > 20.0 && south_wind.concentration(lee) < 0.1);
    }

    #[test]
    fn it_arrives_later_and_thinner_with_the_distance() {
        let wind = Wind::from(3.0, 90.0);
        assert!(
            after(10, wind).concentration((-60.0, 0.0)) < 1.0 && after(30, wind).concentration((-60.0, 0.0)) > 20.0
        );
        let cloud = after(60, wind);
        let at = |x: f64| cloud.concentration((-x, 0.0));
        assert!(at(1.0) > at(20.0) && at(20.0) > at(60.0) && at(60.0) > at(120.0));
    }

    #[test]
    fn a_calm_keeps_it_near_its_source() {
        let cloud = after(60, Wind::from(0.0, 0.0));
        assert!(cloud.concentration((8.0, 0.0)) > 20.0 && cloud.concentration((60.0, 0.0)) < 0.1);
    }

    #[test]
    fn what_no_longer_escapes_is_blown_away() {
        let mut cloud = after(60, Wind::from(3.0, 90.0));
        cloud.strength = 0.0;
        (0..600).for_each(|_| cloud.step(0.1, Wind::from(3.0, 90.0)));
        assert!(cloud.concentration((-60.0, 0.0)) < 0.1);
        (0..700).for_each(|_| cloud.step(0.1, Wind::from(3.0, 90.0)));
        assert!(cloud.puffs.is_empty());
    }
}
