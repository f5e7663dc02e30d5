//! Layers: FILE, then `conf.d/*.toml` beside it in order of name, then `HAZARD_GATEWAY__…` from the environment.
//!
//! Owns merging into one `toml::Table`. Leaves grammar to [`super::syntax`] and meaning to [`super::shape`].

use super::diagnostic::Finding;
use super::locate::SourceFile;
use super::syntax;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Name of the variables' layer in messages.
const ENVIRONMENT: &str = "环境变量 environment";

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
    read_with(path, Vec::new())
}

/// As [`read`], with `more` files behind those of `conf.d`.
pub(super) fn read_with(path: &Path, more: Vec<SourceFile>) -> Result<Layers, Unreadable> {
    let mut files = Vec::new();
    let mut findings = Vec::new();
    for path in std::iter::once(path.to_path_buf()).chain(conf_d(path)) {
        match std::fs::read(&path) {
            Ok(bytes) => {
                let (text, bad) = text_of(bytes, files.len());
                findings.extend(bad);
                files.push(SourceFile { name: path.display().to_string(), text, layer: true });
            }
            Err(error) => findings.push(unreadable(&path, &error)),
        }
    }
    if !findings.is_empty() {
        return Err((files, findings));
    }
    files.extend(more);
    merge(files, true)
}

/// Merges texts; the environment only where asked.
pub(super) fn merge(mut files: Vec<SourceFile>, environment: bool) -> Result<Layers, Unreadable> {
    if environment {
        files.extend(environment_layer(std::env::vars_os()));
    }
    let findings: Vec<Finding> = files.iter().enumerate().flat_map(|(n, f)| syntax::errors(n, &f.text)).collect();
    if !findings.is_empty() {
        return Err((files, findings));
    }
    let mut builder = config::Config::builder();
    for file in &files {
        builder = builder.add_source(config::File::from_str(&file.text, config::FileFormat::Toml));
    }
    match builder.build().and_then(config::Config::try_deserialize::<toml::Table>) {
        Ok(mut table) => {
            join_lists(&mut table, &files);
            Ok(Layers { table, files })
        }
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

/// `[[point]]` of a later file are further points. Replacing the list, as `config` does, would silently forget all the others.
fn join_lists(merged: &mut toml::Table, files: &[SourceFile]) {
    let parsed: Vec<toml::Table> = files.iter().filter_map(|file| file.text.parse().ok()).collect();
    for (name, value) in merged.iter_mut().filter(|(_, value)| value.is_array()) {
        let lists = parsed.iter().filter_map(|table| table.get(name)?.as_array());
        *value = toml::Value::Array(lists.flatten().cloned().collect());
    }
}

/// The variables as one more file, so that a defect in one is shown like any other.
fn environment_layer(variables: impl Iterator<Item = (OsString, OsString)>) -> Option<SourceFile> {
    let texts = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut lines: Vec<String> = texts
        .filter_map(|(name, value)| {
            let path = name.strip_prefix("HAZARD_GATEWAY__")?.to_lowercase();
            let path: Vec<String> = path.split("__").map(written_key).collect();
            Some(format!("{} = {}   # {name}\n", path.join("."), written_value(&value)))
        })
        .collect();
    lines.sort();
    (!lines.is_empty()).then(|| SourceFile { name: ENVIRONMENT.into(), text: lines.concat(), layer: true })
}

fn written_key(word: &str) -> String {
    let bare = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if bare { word.to_owned() } else { toml::Value::String(word.to_owned()).to_string() }
}

/// As TOML when it is a value of TOML on one line, else as a text.
fn written_value(value: &str) -> String {
    let one_line = !value.contains(['\n', '\r', '#']);
    let as_toml = one_line && format!("v = {value}").parse::<toml::Table>().is_ok();
    if as_toml { value.to_owned() } else { format!("{}", toml::Value::String(value.to_owned())).replace('\n', "\\n") }
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

/// The text of file `n`; bytes that are not UTF-8 are shown where they stand.
fn text_of(bytes: Vec<u8>, n: usize) -> (String, Option<Finding>) {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, None),
        Err(bad) => bad,
    };
    // up to the first bad byte the repaired text is the same
    let begin = bytes.utf8_error().valid_up_to();
    let finding = Finding::fatal(
        "",
        ("此处不是 UTF-8 文字".into(), "this is not UTF-8 text".into()),
        (
            "用编辑器把文件另存为 UTF-8（中文 Windows 常存为 GBK）".into(),
            "save the file as UTF-8 in the editor (Chinese Windows often saves GBK)".into(),
        ),
    );
    let at = Some((n, begin..begin + char::REPLACEMENT_CHARACTER.len_utf8()));
    (String::from_utf8_lossy(bytes.as_bytes()).into_owned(), Some(Finding { at, ..finding }))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Finding {
    let name = path.display();
    let (remedy_zh, remedy_en) = match error.kind() {
        std::io::ErrorKind::NotFound => ("没有这个文件：检查路径", "there is no such file: check the path"),
        std::io::ErrorKind::PermissionDenied => {
            ("以有权读取的用户运行，或修改文件权限", "run as a user that may read it, or change its mode")
        }
        std::io::ErrorKind::IsADirectory => {
            ("这是目录：给出其中的 .toml 文件", "this is a folder: give the .toml file in it")
        }
        _ => ("检查磁盘和文件系统", "check the disk and its file system"),
    };
    let finding = Finding::fatal(
        name.to_string(),
        ("无法读取此文件".into(), format!("this file cannot be read: {error}")),
        (remedy_zh.into(), remedy_en.into()),
    );
    Finding { at: Some(super::diagnostic::NO_FILE), ..finding }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile { name: name.into(), text: text.into(), layer: true }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_its_own_remedy_and_bad_bytes_are_shown_where_they_stand() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| {
            let (files, findings) = read(path).err().unwrap();
            super::super::locate::resolve(findings, &files).remove(0)
        };
        let missing = said(&folder.path().join("none.toml"));
        assert!(missing.file.ends_with("none.toml") && missing.remedy_en.contains("no such file"), "{missing:?}");
        assert!(said(folder.path()).remedy_en.contains("folder"));
        let gbk = folder.path().join("gbk.toml");
        std::fs::write(&gbk, b"[site]\nname = \"\xca\xbe\xb7\xb6\"\n").unwrap();
        let bad = said(&gbk);
        // the first two bytes happen to be a character
        assert_eq!((bad.line, bad.column), (2, 10), "{bad:?}");
        assert!(bad.file.ends_with("gbk.toml") && bad.remedy_en.contains("UTF-8"));
        std::fs::create_dir_all(folder.path().join("conf.d/broken.toml")).unwrap();
        std::fs::write(folder.path().join("good.toml"), "[site]\n").unwrap();
        assert!(said(&folder.path().join("good.toml")).file.ends_with("broken.toml"), "not the file beside it");
    }

    #[test]
    fn a_later_layer_replaces_values_and_adds_to_lists() {
        let first = file("a", "[web]\nlisten = \"x\"\nallow_plain_http = true\n[[point]]\nkey = \"P1\"\n");
        let second = file("b", "[web]\nlisten = \"y\"\n[[point]]\nkey = \"P2\"\n");
        let Ok(merged) = merge(vec![first, second], false) else { panic!("they merge") };
        assert_eq!(merged.table["web"]["listen"].as_str(), Some("y"));
        assert_eq!(merged.table["web"]["allow_plain_http"].as_bool(), Some(true));
        let keys: Vec<_> =
            merged.table["point"].as_array().unwrap().iter().map(|p| p["key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["P1", "P2"]);
    }

    #[test]
    fn variables_become_a_layer_that_can_be_shown() {
        let set = |pairs: &[(&str, &str)]| environment_layer(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        let layer = set(&[
            ("HAZARD_GATEWAY__WEB__LISTEN", "127.0.0.1:9000"),
            ("HAZARD_GATEWAY__HISTORY__MAX_GB", "4"),
            ("HAZARD_GATEWAY__SITE__NAME", "东厂 # 1"),
            ("HOME", "/root"),
        ])
        .unwrap();
        let table: toml::Table = layer.text.parse().unwrap();
        assert_eq!(table["web"]["listen"].as_str(), Some("127.0.0.1:9000"));
        assert_eq!(table["history"]["max_gb"].as_integer(), Some(4));
        assert_eq!(table["site"]["name"].as_str(), Some("东厂 # 1"));
        assert!(set(&[("HOME", "/root")]).is_none());
    }
}
