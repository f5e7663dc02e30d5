//! Profiles from the rows of a list that say where their values lie.
//!
//! Owns their text, and the way back from a mistake in it to row and column. Leaves the cells to [`super::registers`].

use super::cells::Row;
use super::registers::Register;
use devices::profile::shipped;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Fields by name, each with the row that it comes from.
type Fields = BTreeMap<String, (Register, usize)>;

/// Profiles by name.
#[derive(Default)]
pub(super) struct Drafted(BTreeMap<String, Fields>);

/// A profile as it is written.
#[derive(Serialize)]
struct Text<'a> {
    title_zh: String,
    title_en: String,
    basis: String,
    basis_zh: String,
    field: BTreeMap<&'a str, &'a Register>,
}

impl Drafted {
    /// A value of a row; several devices may have one profile if they agree on it.
    pub(super) fn add(&mut self, profile: String, field: String, register: Register, row: &mut Row<'_>) {
        if shipped(&profile).is_some() {
            let zh = format!("{profile} 是随程序提供的型号，不能改写：去掉功能码、寄存器地址等，或在此列另起一个名称");
            let en = format!(
                "{profile} comes with the program and is not rewritten: leave function, address … out, or give another name here"
            );
            return row.wrong("profile", zh, en);
        }
        let fields = self.0.entry(profile.clone()).or_default();
        let (same, other) = fields.entry(field.clone()).or_insert_with(|| (register.clone(), row.row));
        if *same != register {
            let zh = format!(
                "型号 {profile} 的 {field} 在第 {other} 行写的功能码、地址、类型、系数或单位与此行不同；在“量”列另起一个名称"
            );
            let en = format!(
                "row {other} gives {field} of the profile {profile} another function, address, type, scale or unit; give it another name in `field`"
            );
            row.wrong("address", zh, en);
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        let first = |fields: &Fields| fields.values().map(|(_, row)| *row).min().unwrap_or(0);
        self.0.iter().map(move |(name, fields)| (name.as_str(), first(fields)))
    }

    /// The texts by name; `source` is the list's file.
    pub(super) fn texts(&self, source: &str) -> BTreeMap<String, String> {
        let text = |(name, fields): (&String, &Fields)| {
            let text = Text {
                title_zh: format!("{name}（由位号表导入）"),
                title_en: format!("{name} (imported from a tag list)"),
                basis: format!("the tag list {source}; compare it with the maker's register list"),
                basis_zh: format!("位号表 {source}；请与厂家寄存器表核对"),
                field: fields.iter().map(|(field, (register, _))| (field.as_str(), register)).collect(),
            };
            (name.clone(), toml::to_string(&text).expect("tables of texts and numbers"))
        };
        self.0.iter().map(text).collect()
    }

    /// The profile that a file would hold.
    pub(super) fn of_file(&self, file: &str) -> Option<&str> {
        let name = Path::new(file).file_stem()?.to_str()?;
        let in_profiles = Path::new(file).parent().is_some_and(|folder| folder.ends_with("profiles"));
        self.0.keys().map(String::as_str).find(|known| in_profiles && *known == name)
    }

    /// Row and column of a key in it, such as `field.PT-1.scale`.
    pub(super) fn row_of(&self, file: &str, path: &str) -> Option<(usize, &'static str)> {
        let fields = self.0.get(self.of_file(file)?)?;
        let under = |field: &String| path.strip_prefix("field.")?.strip_prefix(field.as_str());
        let (rest, row) = fields
            .iter()
            .filter_map(|(field, (_, row))| Some((under(field)?, *row)))
            .min_by_key(|(rest, _)| rest.len())?;
        let key = rest.split('.').find(|key| !key.is_empty()).unwrap_or("address");
        Some((row, super::columns::keys().find(|column| *column == key).unwrap_or("address")))
    }
}
