//! A well-mixed space: a source raises its concentration, ventilation takes it away.
//!
//! Owns one balance, `dc/dt = source − c · ventilation`. How strong both are is the site's.

/// What is in the air of a space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// In the unit of its detectors.
    pub(super) concentration: f64,
}

impl Room {
    pub(super) const fn with(concentration: f64) -> Self {
        Self { concentration }
    }

    /// `source_per_s` in the same unit each second, `ventilation_per_s` as changes of its air each second.
    pub(super) fn step(&mut self, dt_s: f64, source_per_s: f64, ventilation_per_s: f64) {
        self.concentration += (source_per_s - self.concentration * ventilation_per_s) * dt_s;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_settles_where_source_and_ventilation_are_even() {
        let mut room = Room::with(0.0);
        (0..3000).for_each(|_| room.step(0.1, 0.3, 0.05));
        assert!((room.concentration - 6.0).abs() < 0.01);
        (0..3000).for_each(|_| room.step(0.1, 0.0, 0.05));
        assert!(room.concentration < 0.01);
    }
}
