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
