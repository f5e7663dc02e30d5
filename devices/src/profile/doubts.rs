//! What a profile may say but probably does not mean: a number that looks like reference notation, a table that nothing names.
//!
//! Warnings only. Owns the guess; leaves what is wrong to [`super::check`].

use super::address::Written;
use super::flaw::{Flaws, Wrong};
use super::raw::RawProfile;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn find(raw: &RawProfile, flaws: &mut Flaws) {
    let base = raw.address_base.min(1);
    addresses(raw, |table, function, address| {
        if let Some(wrong) = bare_reference(function, address, base) {
            flaws.doubt(&table, wrong);
        }
    });
    let fields = || raw.field.values();
    unnamed("status", "status = [\"", "\"]", &raw.status, fields().flat_map(|f| &f.status).collect(), flaws);
    unnamed("factor", "factor = [\"", "\"]", &raw.factor, fields().flat_map(|f| &f.factor).collect(), flaws);
    unnamed("unit", "unit_from = \"", "\"", &raw.unit, fields().flat_map(|f| &f.unit_from).collect(), flaws);
    unnamed("heartbeat", "heartbeat = \"", "\"", &raw.heartbeat, fields().flat_map(|f| &f.heartbeat).collect(), flaws);
}

/// Every place where an address is written, with its table.
fn addresses(raw: &RawProfile, mut each: impl FnMut(String, Option<u8>, &Written)) {
    raw.field.iter().for_each(|(key, f)| each(format!("field.{key}"), f.function, &f.address));
    raw.status.iter().for_each(|(key, s)| each(format!("status.{key}"), s.function, &s.address));
    raw.factor.iter().for_each(|(key, f)| each(format!("factor.{key}"), f.function, &f.address));
    raw.unit.iter().for_each(|(key, u)| each(format!("unit.{key}"), u.function, &u.address));
    raw.heartbeat.iter().for_each(|(key, h)| each(format!("heartbeat.{key}"), h.function, &h.address));
}

/// `address = 40002`: whoever copies 4xxxx from a manual means the second register, and not the one of that number.
fn bare_reference(function: Option<u8>, address: &Written, base: u16) -> Option<Wrong> {
    let Written::Number(number) = *address else { return None };
    let (of_table, counted_from) = match number {
        10_001..=19_999 => (2, 10_001),
        30_001..=39_999 => (4, 30_001),
        40_001..=49_999 => (3, 40_001),
        _ => return None,
    };
    // without a function 1xxxx is a register like any other: nobody reads inputs with the function of registers
    if !(function == Some(of_table) || function.is_none() && of_table != 2) {
        return None;
    }
    let (read_by, wire, meant) = (function.unwrap_or(3), number - u32::from(base), number - counted_from);
    Some(Wrong::new(
        "address",
        (
            format!(
                "address = {number} 没有引号：读的是功能码 {read_by}、地址 {wire}（0x{wire:04X}），不是 {}xxxx 记法",
                number / 10_000
            ),
            format!(
                "address = {number} without quotes reads function {read_by}, address {wire} (0x{wire:04X}), not the reference {}xxxx",
                number / 10_000
            ),
        ),
        (
            format!(
                "手册用 {}xxxx 记法的，加引号：address = \"{number}\"（功能码 {of_table}、地址 {meant}）；确是此地址的，写 address = \"0x{number:04X}\"，不再提醒",
                number / 10_000
            ),
            format!(
                "if the manual counts by reference, write address = \"{number}\" (function {of_table}, address {meant}); if it is this very address, write address = \"0x{number:04X}\" and nothing is said"
            ),
        ),
    ))
}

/// A table that no field names: its author believes that it is looked at.
fn unnamed<T>(
    kind: &str,
    before: &str,
    after: &str,
    tables: &BTreeMap<String, T>,
    named: BTreeSet<&String>,
    flaws: &mut Flaws,
) {
    for name in tables.keys().filter(|name| !named.contains(name)) {
        let wrong = Wrong::new(
            "",
            (
                format!("没有任何量引用 [{kind}.{name}]，它不起作用"),
                format!("no field names [{kind}.{name}]: it has no effect"),
            ),
            (
                format!("在它所说的量下写 {before}{name}{after}，或删去此表"),
                format!("write {before}{name}{after} in the field it is about, or remove the table"),
            ),
        );
        flaws.doubt(&format!("{kind}.{name}"), wrong);
    }
}
