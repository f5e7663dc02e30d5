//! Numbers to begin with: gas limits by standard, deadband and delays by kind of measurement. Each with its basis.

use super::{Condition, PointKind};
use serde::Serialize;
use std::time::Duration;

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Basis {
    pub standard: &'static str,
    /// Edition; empty where it is not known.
    pub version: &'static str,
    /// Empty for the whole of it.
    pub clause: &'static str,
    /// The number was compared with the standard's own text; otherwise it comes from what others wrote about it.
    pub checked: bool,
}

impl Basis {
    /// Standard, edition and clause for people, and whether it is still to be compared with the text: zh-CN, English.
    #[must_use]
    pub fn said(&self) -> (String, String) {
        let edition = if self.version.is_empty() { String::new() } else { format!("-{}", self.version) };
        let name = format!("{}{edition} {}", self.standard, self.clause).trim_end().to_owned();
        if self.checked {
            return (name.clone(), name);
        }
        (format!("{name}（未与标准原文核对）"), format!("{name} (not yet compared with the standard's text)"))
    }
}

/// 石油化工可燃气体和有毒气体检测报警设计标准. Its predecessor of 2009 had the same limits for combustible gas. Clause and numbers as
/// several others reprint them word for word; the standard's own text was not to be had.
pub const GB_T_50493: Basis = Basis { standard: "GB/T 50493", version: "2019", clause: "5.5.2", checked: false };
/// Starting values of EEMUA 191 and ISA-18.2 as practice has them; to be replaced by what the noise of the signal asks for.
pub const ISA_18_2: Basis = Basis { standard: "ANSI/ISA-18.2", version: "", clause: "", checked: false };
/// Delays and deadbands that gas controllers allow: on-delay at most 10 s, deadband 1 to 10 %.
pub const GAS_CONTROLLERS: Basis =
    Basis { standard: "Net Safety MAN-0114", version: "", clause: "p. 16", checked: false };

/// The loosest limit a standard allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GasLimit {
    pub max: f64,
    pub basis: Basis,
}

/// By unit: `%LEL` 25 and 50, `%OEL` 100 and 200. None for others: their limit needs the substance.
#[must_use]
pub fn gas_limit(unit: &str, condition: &Condition) -> Option<GasLimit> {
    let unit: String = unit.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let max = match (unit.as_str(), condition) {
        ("%LEL", Condition::High { .. }) => 25.0,
        ("%LEL", Condition::HighHigh { .. }) => 50.0,
        ("%OEL", Condition::High { .. }) => 100.0,
        ("%OEL", Condition::HighHigh { .. }) => 200.0,
        _ => return None,
    };
    Some(GasLimit { max, basis: GB_T_50493 })
}

/// Oxygen in % of volume: too little below the first, too much above the second (GB/T 50493-2019 5.5.2, [`GB_T_50493`]).
pub const OXYGEN_VOLUME_PERCENT: (f64, f64) = (19.5, 23.5);

/// What to begin with where a rule says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    pub deadband: f64,
    pub on_delay: Duration,
    pub off_delay: Duration,
    pub basis: Basis,
}

/// By kind of measurement. A gas alarm waits for nothing before it is raised.
#[must_use]
pub fn start(kind: PointKind, unit: &str, range: (f64, f64), limit: f64) -> Start {
    // a range upside down is told by itself; no deadband below zero comes of it
    let span = (range.1 - range.0).max(0.0);
    let of = |percent: f64, on: u64, off: u64| Start {
        deadband: span * percent / 100.0,
        on_delay: Duration::from_secs(on),
        off_delay: Duration::from_secs(off),
        basis: ISA_18_2,
    };
    match kind {
        PointKind::Gas => {
            let deadband = if unit.trim() == "%LEL" { 2.0 } else { limit.abs() * 0.05 };
            let off_delay = Duration::from_secs(10);
            Start { deadband, on_delay: Duration::ZERO, off_delay, basis: GAS_CONTROLLERS }
        }
        PointKind::Flow => of(5.0, 15, 15),
        PointKind::Level => of(5.0, 60, 60),
        PointKind::Pressure => of(2.0, 15, 15),
        PointKind::Temperature => of(1.0, 60, 60),
        PointKind::Speed | PointKind::Percent | PointKind::State | PointKind::Other => of(0.0, 0, 0),
    }
}

/// HH of a gas latches: a head that saturates and then fails, or that reads falsely low above the explosive range, leaves no other trace,
/// and somebody must have looked before it is over. A failing oxygen cell reads low, which is an alarm and hides none: its L and LL do not.
#[must_use]
pub fn latches(kind: PointKind, condition: &Condition) -> bool {
    kind == PointKind::Gas && matches!(condition, Condition::HighHigh { .. })
}

/// NE 43: a failure signal must persist this long before it is called a fault.
pub const SENSOR_FAULT_ON: Duration = Duration::from_secs(4);

/// A delay below two polls waits for nothing (the checker refuses one that is written): where a point is read seldom, the number to
/// begin with is two polls. None stays none.
#[must_use]
pub fn at_pace(preset: Duration, period: Duration) -> Duration {
    if preset.is_zero() { preset } else { preset.max(period * 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gas_limits_are_those_of_the_standard_and_a_gas_alarm_never_waits() {
        let h = Condition::High { limit: 20.0, deadband: 2.0 };
        assert_eq!(gas_limit("%LEL", &h).unwrap().max, 25.0);
        assert_eq!(gas_limit("ppm", &h), None);
        assert_eq!(start(PointKind::Gas, "%LEL", (0.0, 100.0), 25.0).on_delay, Duration::ZERO);
        assert!(GB_T_50493.said().0.starts_with("GB/T 50493-2019 5.5.2（未与"), "{:?}", GB_T_50493.said());
        let hh = Condition::HighHigh { limit: 40.0, deadband: 2.0 };
        assert!(latches(PointKind::Gas, &hh) && !latches(PointKind::Gas, &h) && !latches(PointKind::Level, &hh));
        assert!(!latches(PointKind::Gas, &Condition::LowLow { limit: 18.0, deadband: 0.2 }));
        assert_eq!(start(PointKind::Level, "m", (0.0, 10.0), 8.0).deadband, 0.5);
    }
}
