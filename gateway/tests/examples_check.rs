//! Every example configuration is one that `check` accepts.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use gateway::config;
use std::path::{Path, PathBuf};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

#[test]
fn the_site_examples_have_no_defects() {
    for (name, points) in
        [("demo-site.toml", 31), ("cold-store-site.toml", 4), ("mine-site.toml", 11), ("minimal-site.toml", 1)]
    {
        let (site, diagnostics) = config::load_site(&example(name)).unwrap();
        assert_eq!(diagnostics, [], "{name}");
        assert_eq!(site.view.points.len(), points, "{name}");
    }
}

#[test]
fn the_office_example_has_no_defects() {
    let (_, diagnostics) = config::load_office(&example("office.toml")).unwrap();
    assert_eq!(diagnostics, []);
}

/// A number in an example would ring somewhere: these begin with a 0 behind the area code, as no subscriber's does.
#[test]
fn the_numbers_of_the_examples_can_belong_to_nobody() {
    for name in ["demo-site.toml", "cold-store-site.toml", "mine-site.toml", "minimal-site.toml"] {
        let (site, _) = config::load_site(&example(name)).unwrap();
        let numbers: Vec<&str> = site.view.calls.0.iter().map(|contact| contact.telephone.shown()).collect();
        assert!(!numbers.is_empty() && numbers.iter().all(|n| n.starts_with("0555-0000-")), "{name}: {numbers:?}");
        assert!(site.view.calls.0.iter().all(|contact| contact.name.is_none()), "{name} names a person");
    }
}
