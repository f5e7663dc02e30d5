//! The profiles inside the binary.

use super::Profile;
use std::sync::{Arc, LazyLock};

pub(super) const TEXTS: [(&str, &str); 24] = [
    ("adam-4117", include_str!("../../profiles/adam-4117.toml")),
    ("eastron-sdm630", include_str!("../../profiles/eastron-sdm630.toml")),
    ("gas-module-b", include_str!("../../profiles/gas-module-b.toml")),
    ("gas-module-b-100", include_str!("../../profiles/gas-module-b-100.toml")),
    ("honeywell-midas", include_str!("../../profiles/honeywell-midas.toml")),
    ("iologik-e1240", include_str!("../../profiles/iologik-e1240.toml")),
    ("jxbs-3001-co", include_str!("../../profiles/jxbs-3001-co.toml")),
    ("methanol-tank", include_str!("../../profiles/methanol-tank.toml")),
    ("mine-station", include_str!("../../profiles/mine-station.toml")),
    ("pattern-a-decimals", include_str!("../../profiles/pattern-a-decimals.toml")),
    ("pattern-f-panel", include_str!("../../profiles/pattern-f-panel.toml")),
    ("pattern-g-sf6-o2", include_str!("../../profiles/pattern-g-sf6-o2.toml")),
    ("pattern-h-coded", include_str!("../../profiles/pattern-h-coded.toml")),
    ("pressure-f32", include_str!("../../profiles/pressure-f32.toml")),
    ("pzem-004t", include_str!("../../profiles/pzem-004t.toml")),
    ("r4dcb08", include_str!("../../profiles/r4dcb08.toml")),
    ("rs-fsjt-n01", include_str!("../../profiles/rs-fsjt-n01.toml")),
    ("rs-fxjt-n01", include_str!("../../profiles/rs-fxjt-n01.toml")),
    ("senseair-s8", include_str!("../../profiles/senseair-s8.toml")),
    ("tank-f32", include_str!("../../profiles/tank-f32.toml")),
    ("utility-io", include_str!("../../profiles/utility-io.toml")),
    ("vaisala-gmp252", include_str!("../../profiles/vaisala-gmp252.toml")),
    ("xy-md02", include_str!("../../profiles/xy-md02.toml")),
    ("yaoan-k300", include_str!("../../profiles/yaoan-k300.toml")),
];

static PARSED: LazyLock<Vec<Arc<Profile>>> = LazyLock::new(|| {
    let parse = |(name, text): &(&str, &str)| {
        Arc::new(Profile::from_toml(name, text).expect("a test parses every embedded profile"))
    };
    TEXTS.iter().map(parse).collect()
});

/// An embedded profile.
#[must_use]
pub fn shipped(name: &str) -> Option<Arc<Profile>> {
    PARSED.iter().find(|p| p.name == name).cloned()
}

/// Names of the embedded profiles, in order.
#[must_use]
pub fn shipped_names() -> Vec<&'static str> {
    TEXTS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_profile_is_valid_has_both_titles_and_says_where_its_map_is_from() {
        for name in shipped_names() {
            let profile = shipped(name).unwrap();
            assert!(!profile.title_zh.is_empty() && !profile.title_en.is_empty(), "{name}");
            assert!(!profile.field_names().is_empty(), "{name}");
            for basis in [&profile.basis, &profile.basis_zh] {
                assert!(
                    basis.len() > 20,
                    "{name}: where is the map published, and was it compared, in both languages?"
                );
            }
        }
    }

    #[test]
    fn the_guide_lists_every_shipped_profile_with_its_fields_and_units() {
        let guide = include_str!("../../../docs/profiles.md");
        let (_, table) = guide.split_once("## Shipped profiles and their fields").unwrap();
        let (table, _) = table.split_once("\n## ").unwrap();
        let told: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
        let row = |name: &&str| {
            let profile = shipped(name).unwrap();
            let field = |key: &&str| format!("`{key}` {}", profile.field(key).unwrap().unit).trim_end().to_owned();
            let fields: Vec<String> = profile.field_names().iter().map(field).collect();
            format!("| `{name}` | {} {} | {} |", profile.title_zh, profile.title_en, fields.join(", "))
        };
        assert_eq!(told, shipped_names().iter().map(row).collect::<Vec<_>>());
    }
}
