//! The profiles inside the binary.

use super::Profile;
use std::sync::{Arc, LazyLock};

const TEXTS: [(&str, &str); 6] = [
    ("gas-module-b", include_str!("../../profiles/gas-module-b.toml")),
    ("gas-module-b-100", include_str!("../../profiles/gas-module-b-100.toml")),
    ("methanol-tank", include_str!("../../profiles/methanol-tank.toml")),
    ("tank-f32", include_str!("../../profiles/tank-f32.toml")),
    ("utility-io", include_str!("../../profiles/utility-io.toml")),
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
    fn every_embedded_profile_is_valid_and_has_both_titles() {
        for name in shipped_names() {
            let profile = shipped(name).unwrap();
            assert!(!profile.title_zh.is_empty() && !profile.title_en.is_empty(), "{name}");
            assert!(!profile.field_names().is_empty(), "{name}");
        }
    }
}
