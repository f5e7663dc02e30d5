//! Toxic gases by substance: occupational exposure limits, and what GB/T 50493 makes of them in a detector's own unit.
//!
//! Owns the table and the conversion. Leaves to `check` whether a limit is acceptable.

use super::Condition;
use super::presets::{Basis, GasLimit};
use serde::{Deserialize, Serialize};

/// Litres of one mole at 20 °C and 101.325 kPa, at which the exposure limits are stated.
const MOLAR_VOLUME_L: f64 = 24.055;
/// A detector of a toxic gas measures up to this many times the exposure limit; only where none fits may the limits hang on
/// IDLH instead.
const RANGE_IN_OEL: f64 = 3.0;

/// 5.5.2 with the exposure limits of the standard's appendix, as others have printed them.
const OEL: Basis = Basis { standard: "GB/T 50493", version: "2019", clause: "5.5.2, OEL", checked: false };
/// Its IDLH figures are older than today's NIOSH ones.
const IDLH: Basis = Basis { standard: "GB/T 50493", version: "2019", clause: "5.5.2, IDLH", checked: false };

/// A gas whose limits the standard gives by exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Substance {
    HydrogenSulfide,
    CarbonMonoxide,
    Chlorine,
    Ammonia,
    SulfurDioxide,
    NitrogenDioxide,
    NitricOxide,
    Benzene,
    Methanol,
    Toluene,
    HydrogenCyanide,
    HydrogenChloride,
    Phosgene,
    CarbonDioxide,
}

/// Exposure limit (MAC or TWA) and IDLH, in mg/m³.
struct Exposure {
    molar_mass: f64,
    oel: f64,
    idlh: f64,
}

impl Substance {
    const fn exposure(self) -> Exposure {
        let (molar_mass, oel, idlh) = match self {
            Self::HydrogenSulfide => (34.08, 10.0, 430.0),
            Self::CarbonMonoxide => (28.01, 20.0, 1_700.0),
            Self::Chlorine => (70.91, 1.0, 88.0),
            Self::Ammonia => (17.03, 20.0, 360.0),
            Self::SulfurDioxide => (64.06, 5.0, 270.0),
            Self::NitrogenDioxide => (46.01, 5.0, 96.0),
            Self::NitricOxide => (30.01, 5.0, 120.0),
            Self::Benzene => (78.11, 6.0, 9_800.0),
            Self::Methanol => (32.04, 25.0, 33_000.0),
            Self::Toluene => (92.14, 50.0, 7_700.0),
            Self::HydrogenCyanide => (27.03, 1.0, 56.0),
            Self::HydrogenChloride => (36.46, 7.5, 150.0),
            Self::Phosgene => (98.92, 0.5, 8.0),
            Self::CarbonDioxide => (44.01, 9_000.0, 92_000.0),
        };
        Exposure { molar_mass, oel, idlh }
    }

    /// The loosest H and HH for a detector of this substance; none for a unit that is neither ppm nor mg/m³.
    #[must_use]
    pub fn limit(self, unit: &str, range: (f64, f64), condition: &Condition) -> Option<GasLimit> {
        let e = self.exposure();
        let of_unit = |mg_per_m3: f64| match unit.trim() {
            "ppm" => Some(mg_per_m3 * MOLAR_VOLUME_L / e.molar_mass),
            "mg/m³" | "mg/m3" => Some(mg_per_m3),
            _ => None,
        };
        let (levels, share) = match condition {
            Condition::High { .. } => (1.0, 0.05),
            Condition::HighHigh { .. } => (2.0, 0.10),
            _ => return None,
        };
        let (oel, idlh) = (of_unit(e.oel)?, of_unit(e.idlh)?);
        let by_oel = GasLimit { max: oel * levels, basis: OEL };
        let by_idlh = GasLimit { max: idlh * share, basis: IDLH };
        let fits = range.1 <= oel * RANGE_IN_OEL;
        Some(if fits || by_idlh.max <= by_oel.max { by_oel } else { by_idlh })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: Condition = Condition::High { limit: 0.0, deadband: 0.0 };
    const HH: Condition = Condition::HighHigh { limit: 0.0, deadband: 0.0 };

    fn max(substance: Substance, unit: &str, upper: f64, condition: &Condition) -> f64 {
        (substance.limit(unit, (0.0, upper), condition).unwrap().max * 100.0).round() / 100.0
    }

    #[test]
    fn the_limits_in_ppm_are_those_that_the_exposure_limit_makes() {
        assert_eq!(max(Substance::Ammonia, "ppm", 80.0, &H), 28.25);
        assert_eq!(max(Substance::Ammonia, "ppm", 80.0, &HH), 56.5);
        assert_eq!(max(Substance::Chlorine, "ppm", 1.0, &H), 0.34);
        assert_eq!(max(Substance::HydrogenSulfide, "mg/m³", 30.0, &HH), 20.0);
        assert_eq!(Substance::Ammonia.limit("%LEL", (0.0, 100.0), &H), None);
    }

    #[test]
    fn a_detector_whose_range_cannot_fit_is_held_against_idlh() {
        assert_eq!(max(Substance::HydrogenSulfide, "ppm", 20.0, &H), 7.06);
        assert_eq!(max(Substance::HydrogenSulfide, "ppm", 100.0, &H), 15.18);
        assert_eq!(max(Substance::Ammonia, "ppm", 100.0, &H), 28.25, "IDLH would be tighter: the exposure limit holds");
    }
}
