//! Toxic gases by substance: occupational exposure limits, and what GB/T 50493 makes of them in a detector's own unit.
//!
//! Owns the table and the conversion. Leaves to `check` whether a limit is acceptable.

use super::Condition;
use super::presets::{Basis, GasLimit};
use serde::{Deserialize, Serialize};

/// Litres of one mole at 20 °C and 101.325 kPa, at which the exposure limits are stated.
const MOLAR_VOLUME_L: f64 = 24.055;
/// 「有毒气体的测量范围应为 0~300%OEL；当现有探测器的测量范围不能满足上述要求时……可为 0~30%IDLH」: a detector measures up to three times the
/// exposure limit, and where none is to be had that does, up to 30 % of IDLH; only then may the limits hang on IDLH.
const RANGE_IN_OEL: f64 = 3.0;
const RANGE_IN_IDLH: f64 = 0.30;

/// 5.5.2 with the exposure limits of the standard's appendix, as several others have printed them alike.
const OEL: Basis = Basis { standard: "GB/T 50493", version: "2019", clause: "5.5.2, OEL", checked: false };
/// Its IDLH figures are older than today's NIOSH ones.
const IDLH: Basis = Basis { standard: "GB/T 50493", version: "2019", clause: "5.5.2, IDLH", checked: false };

/// What the limits of a toxic gas hang on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitsBy {
    /// The occupational exposure limit: what the standard wants.
    #[default]
    Oel,
    /// Immediate danger to life or health: where no detector is to be had whose range fits; somebody has said so.
    Idlh,
}

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

/// Exposure limit (MAC or TWA) and IDLH, in mg/m³. Benzene by the amendment of 2022 to GBZ 2.1-2019, half of what the standard of 2019 prints.
/// That of nitric oxide is now within that of the nitrogen oxides, and kept as the appendix has it.
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
            Self::Benzene => (78.11, 3.0, 9_800.0),
            Self::Methanol => (32.04, 25.0, 33_000.0),
            Self::Toluene => (92.14, 50.0, 7_700.0),
            Self::HydrogenCyanide => (27.03, 1.0, 56.0),
            Self::HydrogenChloride => (36.46, 7.5, 150.0),
            Self::Phosgene => (98.92, 0.5, 8.0),
            Self::CarbonDioxide => (44.01, 9_000.0, 92_000.0),
        };
        Exposure { molar_mass, oel, idlh }
    }

    /// The loosest H and HH for a detector of this substance; none for a unit that is neither ppm, ppb nor mg/m³.
    #[must_use]
    pub fn limit(self, unit: &str, by: LimitsBy, condition: &Condition) -> Option<GasLimit> {
        let (oel, idlh) = self.in_unit(unit)?;
        let (levels, share) = match condition {
            Condition::High { .. } => (1.0, 0.05),
            Condition::HighHigh { .. } => (2.0, 0.10),
            _ => return None,
        };
        Some(match by {
            LimitsBy::Oel => GasLimit { max: oel * levels, basis: OEL },
            LimitsBy::Idlh => GasLimit { max: idlh * share, basis: IDLH },
        })
    }

    /// The ranges of a detector whose limits may hang on IDLH: wider than the one, not wider than the other.
    #[must_use]
    pub fn ranges_by_idlh(self, unit: &str) -> Option<(f64, f64)> {
        self.in_unit(unit).map(|(oel, idlh)| (oel * RANGE_IN_OEL, idlh * RANGE_IN_IDLH))
    }

    /// Exposure limit and IDLH in the detector's own unit; none for a unit that is neither ppm, ppb nor mg/m³.
    fn in_unit(self, unit: &str) -> Option<(f64, f64)> {
        let e = self.exposure();
        let factor = match unit.trim().to_lowercase().as_str() {
            "ppm" => MOLAR_VOLUME_L / e.molar_mass,
            "ppb" => MOLAR_VOLUME_L / e.molar_mass * 1000.0,
            "mg/m³" | "mg/m3" => 1.0,
            _ => return None,
        };
        Some((e.oel * factor, e.idlh * factor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: Condition = Condition::High { limit: 0.0, deadband: 0.0 };
    const HH: Condition = Condition::HighHigh { limit: 0.0, deadband: 0.0 };

    fn max(substance: Substance, unit: &str, by: LimitsBy, condition: &Condition) -> f64 {
        (substance.limit(unit, by, condition).unwrap().max * 100.0).round() / 100.0
    }

    #[test]
    fn the_limits_in_ppm_are_those_that_the_exposure_limit_makes() {
        let by_oel = |substance, unit: &str, condition| max(substance, unit, LimitsBy::Oel, condition);
        assert_eq!(by_oel(Substance::Ammonia, "ppm", &H), 28.25);
        assert_eq!(by_oel(Substance::Ammonia, "ppm", &HH), 56.5);
        assert_eq!(by_oel(Substance::Chlorine, "ppm", &H), 0.34);
        assert_eq!(by_oel(Substance::Benzene, "ppm", &H), 0.92);
        assert_eq!(by_oel(Substance::HydrogenSulfide, "mg/m³", &HH), 20.0);
        assert_eq!(by_oel(Substance::Ammonia, "PPM", &H), 28.25);
        assert_eq!(by_oel(Substance::Ammonia, " ppb", &H), 28250.15);
        assert_eq!(Substance::Ammonia.limit("%LEL", LimitsBy::Oel, &H), None);
    }

    #[test]
    fn where_no_detector_fits_they_hang_on_idlh_within_its_range() {
        assert_eq!(max(Substance::HydrogenSulfide, "ppm", LimitsBy::Idlh, &H), 15.18);
        assert_eq!(max(Substance::Ammonia, "ppm", LimitsBy::Idlh, &H), 25.43, "tighter than the exposure limit here");
        let (wider, not_wider) = Substance::HydrogenSulfide.ranges_by_idlh("ppm").unwrap();
        assert_eq!((wider.round(), not_wider.round()), (21.0, 91.0));
    }
}
