//! Why a stored reading is doubtful or bad, in the bits above its quality: what a replay needs to judge it again.
//!
//! ```text
//!   detail = answered u2 (0 not recorded, 1 no, 2 yes) ‖ reason u4 << 2 (0 not recorded) ‖ exception code u8 << 6
//! ```

use rules::{Doubt, Fault, Finite, Reading};

const DOUBTS: [Doubt; 5] =
    [Doubt::OverRange, Doubt::UnderRange, Doubt::Maintenance, Doubt::Simulated, Doubt::Unconfirmed];
/// New ones go to the end: the position is on disk. Four bits: fifteen at most.
const FAULTS: [Fault; 12] = [
    Fault::NeverRead,
    Fault::Timeout,
    Fault::Disconnected,
    Fault::Protocol,
    Fault::Exception(0),
    Fault::Configuration,
    Fault::Stale,
    Fault::Sensor,
    Fault::WarmUp,
    Fault::Inhibited,
    Fault::NotANumber,
    Fault::Frozen,
];

fn place<T: PartialEq>(list: &[T], what: &T) -> u16 {
    list.iter().position(|x| x == what).and_then(|p| u16::try_from(p + 1).ok()).unwrap_or(0)
}

/// The bits of a reading from a scan.
pub(super) fn of(reading: Reading, answered: bool) -> u16 {
    let (reason, exception) = match reading {
        Reading::Good(_) => (0, 0),
        Reading::Uncertain(_, doubt) => (place(&DOUBTS, &doubt), 0),
        Reading::Bad(Fault::Exception(code)) => (place(&FAULTS, &Fault::Exception(0)), u16::from(code)),
        Reading::Bad(fault) => (place(&FAULTS, &fault), 0),
    };
    (1 + u16::from(answered)) | (reason << 2) | (exception << 6)
}

/// Whether the device answered; none in blocks of earlier versions.
pub(super) fn answered(detail: u16) -> Option<bool> {
    match detail & 3 {
        1 => Some(false),
        2 => Some(true),
        _ => None,
    }
}

/// The reading again. Without a recorded reason a bad one counts as a time-out, a doubtful one as over its range.
pub(super) fn reading(value: Option<f64>, quality: u8, detail: u16) -> Reading {
    let reason = usize::from((detail >> 2) & 15).checked_sub(1);
    let exception = u8::try_from((detail >> 6) & 0xFF).unwrap_or(0);
    match (value.and_then(Finite::new), quality) {
        (Some(v), 0) => Reading::Good(v),
        (Some(v), 1) => Reading::Uncertain(v, reason.and_then(|r| DOUBTS.get(r)).copied().unwrap_or(Doubt::OverRange)),
        _ => Reading::Bad(match reason.and_then(|r| FAULTS.get(r)).copied() {
            Some(Fault::Exception(_)) => Fault::Exception(exception),
            Some(fault) => fault,
            None => Fault::Timeout,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_the_disk() {
        let v = Finite::new(4.25).unwrap();
        let mut all = vec![Reading::Good(v), Reading::Bad(Fault::Exception(11))];
        all.extend(DOUBTS.map(|d| Reading::Uncertain(v, d)));
        all.extend(FAULTS.map(Reading::Bad));
        for r in all {
            for yes in [true, false] {
                let detail = of(r, yes);
                assert_eq!((reading(r.value(), r.quality_code(), detail), answered(detail)), (r, Some(yes)));
                assert!(detail < 1 << 14, "two bits are left for the quality");
            }
        }
    }

    #[test]
    fn blocks_without_reasons_still_read() {
        assert_eq!((reading(None, 2, 0), answered(0)), (Reading::Bad(Fault::Timeout), None));
    }
}
