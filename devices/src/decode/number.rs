//! Register contents to a number, by type and byte order alone.

use crate::profile::{Field, Kind, Sentinel};
use rules::Fault;

/// The number that stands in the registers of `field`, before scale and offset; finite.
pub(crate) fn number(field: &Field, words: &[u16]) -> Result<f64, Fault> {
    let bits = field.order.join(words);
    let number = read(field, bits)?;
    let is_sentinel = |s: &Sentinel| match s {
        Sentinel::Raw(raw) => *raw == bits,
        Sentinel::Number(n) => is_same(field, *n, number),
    };
    if !number.is_finite() || field.sentinels.iter().any(is_sentinel) {
        return Err(Fault::NotANumber);
    }
    Ok(number)
}

/// A sentinel of a float is already the float nearest to what is written; elsewhere tenths and hundredths were divided.
#[allow(clippy::float_cmp, reason = "a float of the instrument means nothing or its neighbour means something")]
fn is_same(field: &Field, sentinel: f64, number: f64) -> bool {
    sentinel == number || !field.kind.is_float() && (sentinel - number).abs() < f64::EPSILON * sentinel.abs()
}

#[allow(clippy::cast_precision_loss, reason = "a 64-bit counter is told to 53 bits")]
#[allow(clippy::cast_possible_truncation, reason = "each kind takes as many bits as its registers hold")]
fn read(field: &Field, bits: u64) -> Result<f64, Fault> {
    let (low_16, low_32) = (bits as u16, bits as u32);
    let (high_byte, low_byte) = (low_16 >> 8, low_16 & 0xFF);
    Ok(match field.kind {
        Kind::U16 => f64::from(low_16),
        Kind::I16 => f64::from(low_16.cast_signed()),
        Kind::U32 => f64::from(low_32),
        Kind::I32 => f64::from(low_32.cast_signed()),
        Kind::U64 => bits as f64,
        Kind::I64 => bits.cast_signed() as f64,
        Kind::F32 => {
            let v = f32::from_bits(low_32);
            // A subnormal is what words in the wrong order look like; no instrument measures 1e-40. Not every
            // swapped float is one; the rest is for `valid` and for the person who commissions the device.
            if v.is_subnormal() {
                return Err(Fault::NotANumber);
            }
            f64::from(v)
        }
        Kind::F64 => {
            let v = f64::from_bits(bits);
            if v.is_subnormal() {
                return Err(Fault::NotANumber);
            }
            v
        }
        Kind::HighByte => f64::from(high_byte),
        Kind::LowByte => f64::from(low_byte),
        Kind::WholeAndDecimals => {
            let decimals = f64::from(low_byte);
            if decimals >= field.low_divisor {
                return Err(Fault::NotANumber);
            }
            f64::from(high_byte) + decimals / field.low_divisor
        }
        Kind::Bcd16 => bcd(bits, 4)?,
        Kind::Bcd32 => bcd(bits, 8)?,
        Kind::Bit => f64::from(u8::from(bits != 0)),
        Kind::RegisterBit | Kind::RegisterBits => f64::from(field.bits.of(low_16)),
        Kind::Text => return Err(Fault::Configuration),
    })
}

fn bcd(bits: u64, digits: u32) -> Result<f64, Fault> {
    let mut number = 0u32;
    for place in (0..digits).rev() {
        let digit = u32::try_from(bits >> (4 * place) & 0xF).expect("four bits");
        if digit > 9 {
            return Err(Fault::NotANumber);
        }
        number = number * 10 + digit;
    }
    Ok(f64::from(number))
}

/// The characters of a text field: up to the first NUL, what cannot be printed as dots.
pub(crate) fn text(field: &Field, words: &[u16]) -> String {
    let bytes = words.iter().flat_map(|w| field.order.swapped(*w).to_be_bytes());
    let bytes: Vec<u8> = bytes.take_while(|b| *b != 0).collect();
    let shown = String::from_utf8_lossy(&bytes);
    shown.trim_end().chars().map(|c| if c.is_control() { '.' } else { c }).collect()
}
