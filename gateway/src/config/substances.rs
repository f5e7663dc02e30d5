//! Toxic gases by their formula, as a configuration names them, and the gas point that names none.

use super::alarm_tables::LimitWord;
use super::diagnostic::Finding;
use super::file::{KindWord, PointTable, SiteFile};
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
    /// A gas that is not in this list, or limits by another rule than GB/T 50493: they are held against nothing.
    #[serde(rename = "other")]
    Other,
}

impl SubstanceWord {
    /// All of them, as they are written.
    pub(crate) fn names() -> Vec<String> {
        let schema = schemars::schema_for!(Self).to_value();
        let lists = [schema["enum"].as_array().cloned(), schema["oneOf"].as_array().cloned()];
        let words = lists.into_iter().flatten().flatten().flat_map(|entry| match &entry["enum"] {
            serde_json::Value::Array(inner) => inner.clone(),
            _ => vec![if entry.is_object() { entry["const"].clone() } else { entry }],
        });
        words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }

    /// The substance whose exposure limit holds, if any does.
    pub(super) fn substance(self) -> Option<Substance> {
        Some(match self {
            Self::Other => return None,
            Self::H2S => Substance::HydrogenSulfide,
            Self::CO => Substance::CarbonMonoxide,
            Self::Cl2 => Substance::Chlorine,
            Self::NH3 => Substance::Ammonia,
            Self::SO2 => Substance::SulfurDioxide,
            Self::NO2 => Substance::NitrogenDioxide,
            Self::NO => Substance::NitricOxide,
            Self::C6H6 => Substance::Benzene,
            Self::CH3OH => Substance::Methanol,
            Self::C7H8 => Substance::Toluene,
            Self::HCN => Substance::HydrogenCyanide,
            Self::HCl => Substance::HydrogenChloride,
            Self::COCl2 => Substance::Phosgene,
            Self::CO2 => Substance::CarbonDioxide,
        })
    }
}

/// A limit that nothing is held against passes whatever it is: a point that says nothing of its gas is a warning.
pub(super) fn check(file: &SiteFile, findings: &mut Vec<Finding>) {
    findings.extend(file.point.iter().filter(|p| is_unnamed(p)).map(|p| {
        Finding::fatal(
            format!("point[{}].unit", p.key),
            (
                format!("没有写明是哪种气体：以 {} 计的报警限无法与 GB/T 50493 比较", p.unit),
                format!("which gas is not said: limits in {} cannot be held against GB/T 50493", p.unit),
            ),
            (
                "加上 substance，例如 substance = \"NH3\"；不在表中或按其他规定设限的写 substance = \"other\"".into(),
                "add `substance`, such as substance = \"NH3\"; write substance = \"other\" for a gas that is not listed or limits by another rule".into(),
            ),
        )
        .warning()
    }));
}

/// A gas in a unit of exposure limits, with a high limit and without a substance.
fn is_unnamed(p: &PointTable) -> bool {
    let by_exposure = Substance::Ammonia.ranges_by_idlh(&p.unit).is_some();
    let high = p.limits.keys().any(|word| matches!(word, LimitWord::H | LimitWord::HH));
    p.kind == KindWord::Gas && p.substance.is_none() && by_exposure && high
}
