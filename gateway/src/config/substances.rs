//! Toxic gases by their formula, as a configuration names them.

use rules::book::Substance;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a detector of toxic gas measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[allow(clippy::upper_case_acronyms, reason = "chemical formulae are written so")]
pub enum SubstanceWord {
    H2S,
    CO,
    Cl2,
    NH3,
    SO2,
    NO2,
    NO,
    C6H6,
    CH3OH,
    C7H8,
    HCN,
    HCl,
    COCl2,
    CO2,
}

impl From<SubstanceWord> for Substance {
    fn from(word: SubstanceWord) -> Self {
        match word {
            SubstanceWord::H2S => Self::HydrogenSulfide,
            SubstanceWord::CO => Self::CarbonMonoxide,
            SubstanceWord::Cl2 => Self::Chlorine,
            SubstanceWord::NH3 => Self::Ammonia,
            SubstanceWord::SO2 => Self::SulfurDioxide,
            SubstanceWord::NO2 => Self::NitrogenDioxide,
            SubstanceWord::NO => Self::NitricOxide,
            SubstanceWord::C6H6 => Self::Benzene,
            SubstanceWord::CH3OH => Self::Methanol,
            SubstanceWord::C7H8 => Self::Toluene,
            SubstanceWord::HCN => Self::HydrogenCyanide,
            SubstanceWord::HCl => Self::HydrogenChloride,
            SubstanceWord::COCl2 => Self::Phosgene,
            SubstanceWord::CO2 => Self::CarbonDioxide,
        }
    }
}
