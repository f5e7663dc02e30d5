//! Register addresses as makers print them: decimal from 0 or from 1, hexadecimal, and the reference notation 4xxxx.
//!
//! Owns the way from a printed address to function and address on the wire.

use serde::Deserialize;

/// An address as written in a profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a number or a text such as \"40001\"")]
pub(super) enum Written {
    Number(u32),
    Text(String),
}

impl std::fmt::Display for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

/// Where a value begins: the function, when the notation says so, and the address from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) function: Option<u8>,
    pub(super) address: u16,
}

/// `base` is the number of the first register in the maker's table, 0 or 1; the reference notation always counts from 1.
pub(super) fn place(written: &Written, base: u16) -> Option<Place> {
    let from_base = |number: u32| {
        let address = u16::try_from(number.checked_sub(u32::from(base))?).ok()?;
        Some(Place { function: None, address })
    };
    let text = match written {
        Written::Number(number) => return from_base(*number),
        Written::Text(text) => text.trim(),
    };
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).or_else(|| text.strip_suffix(['h', 'H']));
    if let Some(digits) = hex {
        return from_base(u32::from_str_radix(digits, 16).ok()?);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        5 | 6 => reference(text),
        _ => from_base(text.parse().ok()?),
    }
}

/// An address as a person types it, in any notation; the function when the notation tells it.
#[must_use]
pub fn typed_address(text: &str) -> Option<(Option<u8>, u16)> {
    place(&Written::Text(text.to_owned()), 0).map(|place| (place.function, place.address))
}

/// `40001` or `400001`: the first digit is the table, the rest counts from 1.
fn reference(text: &str) -> Option<Place> {
    let (table, rest) = text.split_at(1);
    let function = match table {
        "0" => 1,
        "1" => 2,
        "3" => 4,
        "4" => 3,
        _ => return None,
    };
    let address = u16::try_from(rest.parse::<u32>().ok()?.checked_sub(1)?).ok()?;
    Some(Place { function: Some(function), address })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, base: u16) -> Option<(Option<u8>, u16)> {
        place(&Written::Text(text.into()), base).map(|p| (p.function, p.address))
    }

    #[test]
    fn every_notation_that_makers_print_is_read() {
        for (text, base, found) in [
            ("40001", 0, Some((Some(3), 0))),
            ("40003", 1, Some((Some(3), 2))),
            ("30001", 0, Some((Some(4), 0))),
            ("00001", 0, Some((Some(1), 0))),
            ("10017", 0, Some((Some(2), 16))),
            ("400001", 0, Some((Some(3), 0))),
            ("465536", 0, Some((Some(3), 65535))),
            ("0x6001", 0, Some((None, 0x6001))),
            ("6001H", 0, Some((None, 0x6001))),
            ("0x6001", 1, Some((None, 0x6000))),
            ("17", 0, Some((None, 17))),
            ("17", 1, Some((None, 16))),
        ] {
            assert_eq!(at(text, base), found, "{text} from {base}");
        }
        assert_eq!(place(&Written::Number(1), 1), Some(Place { function: None, address: 0 }));
    }

    #[test]
    fn what_cannot_be_an_address_is_none() {
        for (text, base) in
            [("40000", 0), ("20001", 0), ("465537", 0), ("0", 1), ("x", 0), ("", 0), ("0x10000", 0), ("-1", 0)]
        {
            assert_eq!(at(text, base), None, "{text} from {base}");
        }
    }
}
