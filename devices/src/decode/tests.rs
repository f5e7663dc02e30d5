//! Vectors: registers as they stand on the wire, for every shipped profile and every word order.

use super::*;
use crate::profile::{Profile, shipped};

fn image(blocks: &[(u8, u16, &[u16])]) -> Image {
    let mut image = Image::default();
    for (function, address, words) in blocks {
        let count = u16::try_from(words.len()).unwrap();
        image.put(Span { function: *function, address: *address, count }, Ok(words.to_vec()), Now::default());
    }
    image
}

fn read(profile: &str, field: &str, blocks: &[(u8, u16, &[u16])]) -> Reading {
    decode(shipped(profile).unwrap().field(field).unwrap(), &image(blocks), &mut Memory::default())
}

fn good(value: f64) -> Reading {
    Reading::Good(Finite::new(value).unwrap())
}

fn near(reading: Reading, value: f64) {
    let Reading::Good(v) = reading else { panic!("{reading:?}") };
    assert!((v.get() - value).abs() < 1e-4, "{reading:?} is not {value}");
}

#[test]
fn yaoan_k300_value_and_state() {
    for state in [0, 1] {
        near(read("yaoan-k300", "concentration", &[(3, 0, &[253, state, 2])]), 25.3);
    }
    for state in [2, 3, 0xFFFF] {
        let reading = read("yaoan-k300", "concentration", &[(3, 0, &[253, state, 0])]);
        assert_eq!(reading, Reading::Bad(Fault::Sensor), "state {state}");
    }
    let sentinel = read("yaoan-k300", "concentration", &[(3, 0, &[0xFFFF, 0, 0])]);
    assert_eq!(sentinel, Reading::Bad(Fault::NotANumber));
}

#[test]
fn gas_module_b_value_run_state_and_bits() {
    let module = |bits: u16, raw, run| [1 << 15 | bits, raw, 0, 0, 0, 0, run];
    let at = |words: &[u16]| read("gas-module-b", "concentration", &[(3, 0x6000, words)]);
    near(at(&module(0, 251, 1)), 25.1);
    near(at(&module(0b11, 600, 1)), 60.0);
    assert_eq!(at(&module(0, 251, 0)), Reading::Bad(Fault::WarmUp));
    assert_eq!(at(&module(0, 251, 2)), Reading::Bad(Fault::Sensor));
    assert_eq!(at(&module(0, 251, 5)), Reading::Bad(Fault::Sensor));
    assert_eq!(at(&module(1 << 5, 251, 1)), Reading::Bad(Fault::Sensor));
    assert!(matches!(at(&module(1 << 4, 990, 1)), Reading::Uncertain(_, Doubt::OverRange)));
}

#[test]
fn of_a_gas_module_b_that_warms_up_no_time_left_is_read_as_over_range_or_a_lost_sensor() {
    for tenths in 0..0x8000 {
        let words = [tenths, 251, 0, 0, 0, 0, 1];
        let reading = read("gas-module-b", "concentration", &[(3, 0x6000, &words)]);
        assert_eq!(reading, Reading::Bad(Fault::WarmUp), "{tenths}");
    }
}

#[test]
fn a_card_whose_channel_is_set_to_volts_or_off_shows_no_current_to_the_person_who_commissions_it() {
    let profile = shipped("adam-4117").unwrap();
    let shown = |type_code: u16, enabled: u16| {
        let mut answers = crate::commission::Answers::default();
        for (address, word) in [(0, 52_428), (200, type_code), (220, enabled)] {
            answers.put(Span { function: 3, address, count: 1 }, Ok(vec![word]), Now::default());
        }
        answers.milliamp(profile.field("channel_0").unwrap())
    };
    assert_eq!((shown(0x0D, 0xFF), shown(0x08, 0xFF), shown(0x0D, 0xFE)), (Some(12.0), None, None));
}

#[test]
fn gas_module_b_100_has_two_decimals() {
    let words = [0x8000, 31, 0, 0, 0, 0, 1];
    near(read("gas-module-b-100", "concentration", &[(3, 0x6000, &words)]), 0.31);
}

#[test]
fn tank_f32_is_high_word_first() {
    let words = [0x3F9E, 0xB852, 0x3FA0, 0, 0, 0, 0xC120, 0, 0x42A0, 0, 0x428C, 0];
    let at = |field| read("tank-f32", field, &[(3, 0, &words)]);
    near(at("pressure_a"), 1.24);
    near(at("pressure_b"), 1.25);
    assert_eq!(at("temperature_a"), good(0.0));
    near(at("temperature_b"), -10.0);
    near(at("level_a"), 80.0);
    near(at("level_b"), 70.0);
}

#[test]
fn a_round_float_in_the_wrong_order_is_bad_and_never_zero() {
    for value in [1.25f32, 25.0, 80.0, 0.5, 1.0] {
        let bits = value.to_bits();
        let (hi, lo) = ((bits >> 16) as u16, (bits & 0xFFFF) as u16);
        let reading = read("tank-f32", "level_a", &[(3, 8, &[lo, hi])]);
        assert!(matches!(reading, Reading::Bad(Fault::NotANumber)), "{value} read as {reading:?}");
    }
}

#[test]
fn nan_and_infinities_are_bad() {
    for words in [[0x7FC0, 0], [0x7F80, 0], [0xFF80, 0], [0xFFFF, 0xFFFF]] {
        assert_eq!(read("tank-f32", "level_a", &[(3, 8, &words)]), Reading::Bad(Fault::NotANumber));
    }
}

#[test]
fn methanol_tank_is_low_word_first_with_scaled_integers() {
    let words = [0, 0x4110, 0xCCCD, 0x410C, 253, (-51i16).cast_unsigned(), 35, (-20i16).cast_unsigned()];
    let at = |field| read("methanol-tank", field, &[(3, 0, &words)]);
    near(at("level_a"), 9.0);
    near(at("level_b"), 8.8);
    near(at("temperature_a"), 25.3);
    near(at("temperature_b"), -5.1);
    near(at("blanket_a"), 0.35);
    near(at("blanket_b"), -0.2);
}

#[test]
fn utility_io_registers_and_coils() {
    let blocks: [(u8, u16, &[u16]); 2] = [(3, 0, &[34, 270, 96, 815]), (1, 0, &[1, 0])];
    let at = |field| read("utility-io", field, &blocks);
    near(at("wind_speed"), 3.4);
    near(at("wind_direction"), 270.0);
    near(at("battery_percent"), 96.0);
    near(at("fire_pressure"), 0.815);
    assert_eq!((at("scrubber_fan"), at("on_battery")), (good(1.0), good(0.0)));
    let impossible: [(u8, u16, &[u16]); 1] = [(3, 0, &[34, 361, 101, 815])];
    assert_eq!(read("utility-io", "wind_direction", &impossible), Reading::Bad(Fault::NotANumber));
}

fn custom(lines: &str, words: &[u16]) -> Reading {
    let text = format!("title_zh = '试'\ntitle_en = 'try'\n[field.x]\nfunction = 4\naddress = 0\n{lines}\n");
    let profile = Profile::from_toml("try", &text).unwrap();
    decode(profile.field("x").unwrap(), &image(&[(4, 0, words)]), &mut Memory::default())
}

#[test]
fn one_in_every_word_order() {
    for (order, words) in [("ABCD", [0x3F80, 0]), ("CDAB", [0, 0x3F80]), ("BADC", [0x803F, 0]), ("DCBA", [0, 0x803F])] {
        assert_eq!(custom(&format!("type = 'f32'\nword_order = '{order}'"), &words), good(1.0), "{order}");
    }
    for (order, words) in
        [("ABCD", [0x0102, 0x0304]), ("CDAB", [0x0304, 0x0102]), ("BADC", [0x0201, 0x0403]), ("DCBA", [0x0403, 0x0201])]
    {
        let reading = custom(&format!("type = 'u32'\nword_order = '{order}'"), &words);
        assert_eq!(reading, good(f64::from(0x0102_0304)), "{order}");
    }
}

#[test]
fn signs_bits_sentinels_and_bounds() {
    assert_eq!(custom("type = 'i32'", &[0xFFFF, 0xFFFE]), good(-2.0));
    assert_eq!(custom("type = 'u16-bit'\nbit = 15", &[0x8000]), good(1.0));
    assert_eq!(custom("type = 'u16-bit'\nbit = 14", &[0x8000]), good(0.0));
    assert_eq!(custom("type = 'u16'\nscale = 2.0\noffset = -5.0", &[10]), good(15.0));
    assert_eq!(custom("type = 'i16'\nsentinels = [0x8000]", &[0x8000]), Reading::Bad(Fault::NotANumber));
    assert_eq!(custom("type = 'u32'\nsentinels = [0xFFFFFFFF]", &[0xFFFF, 0xFFFF]), Reading::Bad(Fault::NotANumber));
    let ranged = custom("type = 'u16'\nrange = [0.0, 100.0]", &[101]);
    assert_eq!(ranged, Reading::Uncertain(Finite::new(101.0).unwrap(), Doubt::OverRange));
    let cut = custom("type = 'i16'\nclamp = [0.0, 100.0]", &[0xFFFF]);
    assert_eq!(cut, Reading::Uncertain(Finite::new(0.0).unwrap(), Doubt::UnderRange));
}

#[test]
fn a_block_that_failed_gives_its_fault_and_one_never_read_says_so() {
    let profile = shipped("yaoan-k300").unwrap();
    let field = profile.field("concentration").unwrap();
    let mut image = Image::default();
    assert_eq!(decode(field, &image, &mut Memory::default()), Reading::Bad(Fault::NeverRead));
    image.put(Span { function: 3, address: 0, count: 3 }, Err(Fault::Timeout), Now::default());
    assert_eq!(decode(field, &image, &mut Memory::default()), Reading::Bad(Fault::Timeout));
}
