//! Numbers to begin with: gas limits by standard, deadband and delays by kind of measurement. Each with its basis.

use super::{Condition, PointKind};
use serde::Serialize;
use std::time::Duration;

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Basis {
    pub standard: &'static str,
    pub clause: &'static str,
    /// When the number was compared with the text.
    pub checked: &'static str,
}

/// 石油化工可燃气体和有毒气体检测报警设计标准. Its predecessor of 2009 had the same limits for combustible gas.
pub const GB_T_50493: Basis = Basis { standard: "GB/T 50493-2019", clause: "5.5.2", checked: "2026-01" };
/// EEMUA 191 and ISA-18.2 starting values; to be replaced by what the noise of the signal asks for.
pub const ISA_18_2: Basis = Basis { standard: "EEMUA 191 / ISA-18.2", clause: "-", checked: "2026-01" };

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

/// What to begin with where a rule says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    pub deadband: f64,
    pub on_delay: Duration,
    pub off_delay: Duration,
}

/// By kind of measurement. A gas alarm waits for nothing before it is raised.
#[must_use]
pub fn start(kind: PointKind, unit: &str, range: (f64, f64), limit: f64) -> Start {
    let span = range.1 - range.0;
    let of = |percent: f64, on: u64, off: u64| Start {
        deadband: span * percent / 100.0,
        on_delay: Duration::from_secs(on),
        off_delay: Duration::from_secs(off),
    };
    match kind {
        PointKind::Gas => {
            let deadband = if unit.trim() == "%LEL" { 2.0 } else { limit.abs() * 0.05 };
            Start { deadband, on_delay: Duration::ZERO, off_delay: Duration::from_secs(10) }
        }
        PointKind::Flow => of(5.0, 15, 15),
        PointKind::Level => of(5.0, 60, 60),
        PointKind::Pressure => of(2.0, 15, 15),
        PointKind::Temperature => of(1.0, 60, 60),
        PointKind::Speed | PointKind::Percent | PointKind::State | PointKind::Other => of(0.0, 0, 0),
    }
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
        assert_eq!(start(PointKind::Level, "m", (0.0, 10.0), 8.0).deadband, 0.5);
    }
}
