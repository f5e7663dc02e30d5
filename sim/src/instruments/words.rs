//! How readings lie in registers, by the patterns of the makers.

use crate::plant::Plant;

/// Which limits a head of pattern A alarms at by itself, low and high.
pub(super) type Levels = [f64; 2];

/// What a head of pattern A has behind its alarm level: its own temperature in tenths (21.5 °C), kind of gas, top of the range.
const HEAD_SETTINGS: [u16; 3] = [215, 1, 100];

/// Pattern A: value, state (0 normal, 1 alarm, 2 fault), alarm level (0 none, 1 low, 2 high), settings, low and high limit.
pub(super) fn head(plant: &Plant, key: &str, scale: f64, levels: Levels) -> Vec<u16> {
    let value = plant.value(key).unwrap_or(0.0);
    let level = levels.into_iter().map(|limit| u16::from(value >= limit)).sum();
    let limits = levels.map(whole);
    [&[scaled(plant, key, scale), u16::from(level > 0), level][..], &HEAD_SETTINGS, &limits].concat()
}

/// A head of pattern A whose sensor is lost.
pub(super) fn broken_head() -> Vec<u16> {
    [&[0, 2, 0][..], &HEAD_SETTINGS, &[25, 50]].concat()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small and above 0; without a limit of its own a head has the highest word"
)]
fn whole(limit: f64) -> u16 {
    limit.round() as u16
}

/// Pattern B, bit 15 of the first word: it holds status bits. Without it, it holds the time that warming up will still take.
const WARMED_UP: u16 = 1 << 15;

/// Pattern B: status bits, concentration, four reserved words, run state.
pub(super) fn gas_module(plant: &Plant, key: &str, scale: f64, range: f64) -> Vec<u16> {
    let over = plant.value(key).is_some_and(|value| value > range);
    vec![WARMED_UP | u16::from(over) << 4, scaled(plant, key, scale), 0, 0, 0, 0, 1]
}

/// A module of pattern B whose sensor is lost.
pub(super) fn broken_gas_module() -> Vec<u16> {
    vec![WARMED_UP | 1 << 5, 0, 0, 0, 0, 0, 2]
}

/// Single precision, high word first.
#[allow(clippy::cast_possible_truncation, reason = "instruments send single precision")]
pub(super) fn float_words(plant: &Plant, key: &str) -> [u16; 2] {
    let [a, b, c, d] = (plant.value(key).unwrap_or(0.0) as f32).to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

/// Value × scale as an unsigned word. An instrument of this kind shows nothing below 0, however its zero wanders, and keeps the
/// highest words for its own signs (`0x7FFF`, `0xFFFF`), which no value of the simulated plants reaches.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the word just before")]
pub(super) fn scaled(plant: &Plant, key: &str, scale: f64) -> u16 {
    (plant.value(key).unwrap_or(0.0) * scale).round().clamp(0.0, 32_766.0) as u16
}

/// Value × scale as a signed word.
#[allow(clippy::cast_possible_truncation, reason = "clamped to the word just before")]
pub(super) fn signed(plant: &Plant, key: &str, scale: f64) -> u16 {
    let whole = (plant.value(key).unwrap_or(0.0) * scale).round().clamp(-32_767.0, 32_766.0) as i16;
    u16::from_be_bytes(whole.to_be_bytes())
}
