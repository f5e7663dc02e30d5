//! A 4–20 mA current behind a register, by NAMUR NE 43.
//!
//! 3.8–20.5 mA is a measurement, ≤ 3.6 or ≥ 21.0 mA that lasts is a failed instrument or wire, what lies between is a value
//! with a doubt. Until a failure has lasted long enough the value stays, cut to what the signal can carry, with a doubt. A current that
//! is outside from the first reading on has failed already, as far as anybody knows: a restart makes no fault a value again.

use super::{Memory, doubt_of};
use crate::profile::{Condition, Signal};
use rules::{Doubt, Fault, Mono};

const VALID_MA: (f64, f64) = (3.8, 20.5);
const FAULT_MA: (f64, f64) = (3.6, 21.0);
/// Below the last digit of any card; a register never hits 3.8 mA exactly.
const ROUNDING_MA: f64 = 1e-6;

/// Engineering value and doubt of what the register says at the time `at`.
pub(super) fn judge(
    signal: &Signal,
    register: f64,
    at: Mono,
    memory: &mut Memory,
) -> Result<(f64, Option<Doubt>), Fault> {
    let milliamp = signal.milliamp(register);
    if !milliamp.is_finite() {
        return Err(Fault::NotANumber);
    }
    let meaning = signal.states.iter().find(|((lo, hi), _)| (*lo..=*hi).contains(&milliamp)).map(|(_, c)| *c);
    let low = milliamp <= FAULT_MA.0 + ROUNDING_MA;
    let high = milliamp >= FAULT_MA.1 - ROUNDING_MA;
    let value = engineering(signal, milliamp.clamp(FAULT_MA.0, FAULT_MA.1));
    if let Some(condition) = meaning.filter(|c| *c != Condition::Ok) {
        memory.is_inside();
        return doubt_of(condition).map(|doubt| (value, doubt));
    }
    if (low || high) && meaning.is_none() {
        let remembered = memory.now();
        let since = *remembered.out_since.get_or_insert(at);
        if !remembered.was_inside || at.since(since) >= signal.hold {
            return Err(Fault::Sensor);
        }
    } else {
        memory.is_inside();
    }
    let doubt = match meaning {
        Some(_) => None,
        None if milliamp < VALID_MA.0 - ROUNDING_MA => Some(Doubt::UnderRange),
        None if milliamp > VALID_MA.1 + ROUNDING_MA => Some(Doubt::OverRange),
        None => None,
    };
    Ok((value, doubt))
}

fn engineering(signal: &Signal, milliamp: f64) -> f64 {
    let (low, high) = signal.span;
    low + (milliamp - 4.0) / 16.0 * (high - low)
}
