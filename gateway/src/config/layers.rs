//! Layers: FILE, then `conf.d/*.toml` beside it in order of name, then `HAZARD_GATEWAY__…` from the environment.
//!
//! Owns merging into one `toml::Table` and syntax errors with their place. Leaves meaning to [`super::shape`].

use super::diagnostic::Finding;
use super::locate::SourceFile;
use std::path::{Path, PathBuf};

/// The merged table and the files it came from.
pub(super) struct Layers {
    pub(super) table: toml::Table,
    pub(super) files: Vec<SourceFile>,
}

/// What was read before the layers could be merged.
pub(super) type Unreadable = (Vec<SourceFile>, Vec<Finding>);

/// Reads all layers.
/// # Errors
/// Every file that cannot be read and every syntax error of every file.
pub(super) fn read(path: &Path) -> Result<Layers, Unreadable> {
    let mut files = Vec::new();
    let mut findings = Vec::new();
    for path in std::iter::once(path.to_path_buf()).chain(conf_d(path)) {
        match std::fs::read_to_string(&path) {
            Ok(text) => files.push(SourceFile { name: path.display().to_string(), text }),
            Err(error) => findings.push(unreadable(&path, &error)),
        }
    }
    if !findings.is_empty() {
        return Err((files, findings));
    }
    merge(files, true)
}

/// Merges texts; the environment only where asked.
pub(super) fn merge(files: Vec<SourceFile>, environment: bool) -> Result<Layers, Unreadable> {
    let findings: Vec<Finding> = files.iter().enumerate().flat_map(|(n, f)| syntax_errors(n, &f.text)).collect();
    if !findings.is_empty() {
        return Err((files, findings));
    }
    let mut builder = config::Config::builder();
    for file in &files {
        builder = builder.add_source(config::File::from_str(&file.text, config::FileFormat::Toml));
    }
    if environment {
        builder = builder.add_source(
            config::Environment::with_prefix("HAZARD_GATEWAY").prefix_separator("__").separator("__").try_parsing(true),
        );
    }
    match builder.build().and_then(config::Config::try_deserialize::<toml::Table>) {
        Ok(table) => Ok(Layers { table, files }),
        Err(error) => {
            let finding = Finding::fatal(
                "",
                ("各层配置无法合并".into(), format!("the layers cannot be merged: {error}")),
                (
                    "检查 conf.d 与环境变量中的同名键".into(),
                    "look at keys of that name in conf.d and the environment".into(),
                ),
            );
            Err((files, vec![finding]))
        }
    }
}

fn conf_d(path: &Path) -> Vec<PathBuf> {
    let Some(entries) = path.parent().and_then(|dir| std::fs::read_dir(dir.join("conf.d")).ok()) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|x| x == "toml")).collect();
    found.sort();
    found
}

fn unreadable(path: &Path, error: &std::io::Error) -> Finding {
    let name = path.display();
    Finding::fatal(
        name.to_string(),
        (format!("无法读取 {name}"), format!("cannot read {name}: {error}")),
        ("检查路径和读取权限".into(), "check the path and whether this user may read it".into()),
    )
}

fn syntax_errors(file: usize, text: &str) -> Vec<Finding> {
    let (_, errors) = toml::de::DeTable::parse_recoverable(text);
    errors
        .into_iter()
        .map(|error| {
            let what = error.message().lines().collect::<Vec<_>>().join("; ");
            let mut finding = Finding::fatal(
                "",
                ("TOML 语法错误".into(), format!("TOML syntax: {what}")),
                (
                    "按标出的位置改正；字符串要用引号，键名后用 = 号".into(),
                    "mend the marked place; strings are quoted, keys are followed by =".into(),
                ),
            );
            finding.at = Some((file, error.span().unwrap_or(0..0)));
            finding
        })
        .collect()
}
