//! Types, byte orders, currents, codes and heartbeats, each from registers as they stand on the wire.

use super::*;
use crate::profile::Profile;
use rules::Wall;

const HEAD: &str = "title_zh = '试'\ntitle_en = 'try'\n";

fn at(seconds: u64) -> Now {
    Now { mono: Mono(seconds * 1_000_000_000), wall: Wall::default() }
}

/// A profile and its memory over time.
struct Instrument(Profile, Memory);

impl Instrument {
    fn new(toml: &str) -> Self {
        Self(Profile::from_toml("try", &format!("{HEAD}{toml}")).unwrap(), Memory::default())
    }
    fn read(&mut self, seconds: u64, words: &[u16]) -> Reading {
        let mut image = Image::default();
        let count = u16::try_from(words.len()).unwrap();
        image.put(Span { function: 3, address: 0, count }, Ok(words.to_vec()), at(seconds));
        decode(self.0.field("x").unwrap(), &image, &mut self.1)
    }
}

fn once(field: &str, words: &[u16]) -> Reading {
    Instrument::new(&format!("[field.x]\naddress = 0\n{field}\n")).read(0, words)
}

fn good(value: f64) -> Reading {
    Reading::Good(Finite::new(value).unwrap())
}

fn near(reading: Reading, value: f64) {
    let v = reading.value().unwrap_or_else(|| panic!("{reading:?}"));
    assert!((v - value).abs() < 1e-9, "{reading:?} is not {value}");
}

const NONE: Reading = Reading::Bad(Fault::NotANumber);

#[test]
fn sixty_four_bits_in_every_order() {
    let value = 0x0102_0304_0506_0708_u64;
    for (order, words) in [
        ("ABCD", [0x0102, 0x0304, 0x0506, 0x0708]),
        ("ABCDEFGH", [0x0102, 0x0304, 0x0506, 0x0708]),
        ("GHEFCDAB", [0x0708, 0x0506, 0x0304, 0x0102]),
        ("BADCFEHG", [0x0201, 0x0403, 0x0605, 0x0807]),
        ("HGFEDCBA", [0x0807, 0x0605, 0x0403, 0x0201]),
        ("CDABGHEF", [0x0304, 0x0102, 0x0708, 0x0506]),
        ("EFGHABCD", [0x0506, 0x0708, 0x0102, 0x0304]),
    ] {
        #[allow(clippy::cast_precision_loss, reason = "the same loss on both sides")]
        let expected = good(value as f64);
        assert_eq!(once(&format!("type = 'u64'\nword_order = '{order}'"), &words), expected, "{order}");
    }
    assert_eq!(once("type = 'i64'", &[0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE]), good(-2.0));
    assert_eq!(once("type = 'f64'", &[0x4029, 0x4000, 0, 0]), good(12.625));
    assert_eq!(once("type = 'f64'\nword_order = 'CDAB'", &[0, 0, 0x4000, 0x4029]), good(12.625));
    assert_eq!(once("type = 'f64'", &[0x7FF8, 0, 0, 0]), NONE);
    assert_eq!(once("type = 'f64'", &[0x7FF0, 0, 0, 0]), NONE);
}

#[test]
fn bytes_bit_fields_and_decimals() {
    assert_eq!(once("type = 'u8-high'", &[0x1234]), good(18.0));
    assert_eq!(once("type = 'u8-low'", &[0x1234]), good(52.0));
    assert_eq!(once("type = 'u16'\nword_order = 'BA'", &[0x3412]), good(f64::from(0x1234)));
    assert_eq!(once("type = 'u16-bits'\nbits = [4, 7]", &[0x00A0]), good(10.0));
    assert_eq!(once("type = 'u16-bits'\nbits = [0, 15]", &[0xFFFF]), good(65535.0));
    near(once("type = 'u8.u8'\nlow_divisor = 10", &[20 << 8 | 9]), 20.9);
    near(once("type = 'u8.u8'\nlow_divisor = 100", &[20 << 8 | 9]), 20.09);
    assert_eq!(once("type = 'u8.u8'\nlow_divisor = 10", &[20 << 8 | 10]), NONE);
    assert_eq!(once("type = 'bcd16'", &[0x1234]), good(1234.0));
    assert_eq!(once("type = 'bcd32'\nword_order = 'CDAB'", &[0x5678, 0x1234]), good(12_345_678.0));
    assert_eq!(once("type = 'bcd16'", &[0x123A]), NONE);
    assert_eq!(once("type = 'text'\nlength = 2", &[0x4142, 0x4300]), Reading::Bad(Fault::Configuration));
}

#[test]
fn a_text_is_read_up_to_its_end() {
    let profile = Instrument::new("[field.x]\naddress = 0\ntype = 'text'\nlength = 3\n").0;
    assert_eq!(text(profile.field("x").unwrap(), &[0x4142, 0x4320, 0]), "ABC");
}

#[test]
fn sentinels_are_bits_or_numbers() {
    assert_eq!(once("type = 'i16'\nsentinels = [-9999]", &[(-9999i16).cast_unsigned()]), NONE);
    assert_eq!(once("type = 'u16'\nscale = 0.1\nsentinels = [9999]", &[9999]), NONE);
    let bits = 9999f32.to_bits();
    let words = [u16::try_from(bits >> 16).unwrap(), u16::try_from(bits & 0xFFFF).unwrap()];
    assert_eq!(once("type = 'f32'\nsentinels = [9999.0]", &words), NONE);
    assert_eq!(once("type = 'u64'\nsentinels = [0x7FFFFFFFFFFFFFFF]", &[0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF]), NONE);
}

#[test]
fn a_sentinel_of_digits_or_of_a_part_of_a_register_is_the_number_where_it_can_be_one() {
    for (field, word) in [
        ("type = 'bcd16'\nsentinels = [9999]", 0x9999),
        ("type = 'bcd16'\nsentinels = [0x9999]", 0x9999),
        ("type = 'u8-high'\nsentinels = [255]", 0xFF07),
        ("type = 'u8-low'\nsentinels = [255]", 0x07FF),
        ("type = 'u8-low'\nsentinels = [0x07FF]", 0x07FF),
        ("type = 'u16-bits'\nbits = [4, 7]\nsentinels = [15]", 0x02F1),
    ] {
        assert_eq!(once(field, &[word]), NONE, "{field} {word:#06X}");
    }
    // the bits of the whole register are something else there
    assert_eq!(once("type = 'bcd16'\nsentinels = [4660]", &[0x1234]), good(1234.0));
    assert_eq!(once("type = 'u8-high'\nsentinels = [255]", &[0x00FF]), good(0.0));
    assert_eq!(once("type = 'u16-bits'\nbits = [4, 7]\nsentinels = [15]", &[0x000F]), good(0.0));
}

fn single(field: &str, value: f32) -> Reading {
    let words = [16, 0].map(|shift| u16::try_from(value.to_bits() >> shift & 0xFFFF).unwrap());
    once(&format!("type = 'f32'\n{field}"), &words)
}

#[test]
fn a_sentinel_of_a_float_is_the_float_nearest_to_what_is_written_and_no_other() {
    let told = -999.9_f32;
    for written in ["-999.9", "0xC479F99A"] {
        let field = format!("sentinels = [{written}]");
        assert_eq!(single(&field, told), NONE, "{written}");
        for neighbour in [told.next_up(), told.next_down()] {
            assert_eq!(single(&field, neighbour), good(f64::from(neighbour)), "{written}");
        }
    }
    let double = |value: f64| {
        let words = [48, 32, 16, 0].map(|shift| u16::try_from(value.to_bits() >> shift & 0xFFFF).unwrap());
        once("type = 'f64'\nsentinels = [-999.9, 9999, 0x7FEFFFFFFFFFFFFF]", &words)
    };
    assert_eq!([-999.9, 9999.0, f64::MAX].map(double), [NONE; 3]);
    for value in [(-999.9_f64).next_up(), f64::from(told), 9999.5] {
        assert_eq!(double(value), good(value));
    }
}

#[test]
fn a_whole_sentinel_of_a_float_is_the_number_unless_it_can_only_be_bits() {
    assert_eq!(single("sentinels = [9999]", 9999.0), NONE);
    assert_eq!(single("sentinels = [9999]", 9998.0), good(9998.0));
    assert_eq!(single("sentinels = [0]", -0.0), NONE);
    // the last that is a number, the first that is bits: the smallest normal float
    assert_eq!(single("sentinels = [0x007FFFFF]", 8_388_607.0), NONE);
    assert_eq!(single("sentinels = [0x00800000]", 8_388_608.0), NONE);
    assert_eq!(single("sentinels = [9999999]", 9_999_999.0), NONE, "as many makers write it");
    assert_eq!(single("sentinels = [9999999]", 9_999_998.0), good(9_999_998.0));
    assert_eq!(single("sentinels = [0x461C3C00]", 9999.0), NONE, "its bits");
    assert_eq!(single("sentinels = [0x00800000]", f32::MIN_POSITIVE), NONE);
    assert_eq!(single("sentinels = [0x7F7FFFFF]", f32::MAX), NONE);
    assert_eq!(single("sentinels = [0x7FC00000]", f32::from_bits(0x7FC0_0000)), NONE);
    assert_eq!(single("sentinels = [99999999.0]", 99_999_999.0), NONE, "with a point it is a number whatever its size");
}

#[test]
fn a_sentinel_is_what_stands_before_scale_and_offset() {
    let scaled = "scale = 0.1\noffset = -40.0\nsentinels = [9999]";
    assert_eq!(single(scaled, 9999.0), NONE);
    assert_eq!(once(&format!("type = 'u16'\n{scaled}"), &[9999]), NONE);
    near(single(scaled, 100_390.0), 9999.0);
}

/// Microamperes in a register, 0–100 % at 4–20 mA.
const CURRENT: &str = "[field.x]\naddress = 0\ntype = 'u16'\nscale = 0.001\nsignal = { span = [0.0, 100.0] }\n";

#[test]
fn a_current_is_judged_by_ne_43() {
    for (microamp, percent, doubt) in [
        (4000, 0.0, None),
        (12000, 50.0, None),
        (20000, 100.0, None),
        (3800, -1.25, None),
        (20500, 103.125, None),
        (3799, -1.25625, Some(Doubt::UnderRange)),
        (3601, -2.49375, Some(Doubt::UnderRange)),
        (20501, 103.13125, Some(Doubt::OverRange)),
        (20999, 106.24375, Some(Doubt::OverRange)),
    ] {
        let reading = Instrument::new(CURRENT).read(0, &[microamp]);
        near(reading, percent);
        let found = if let Reading::Uncertain(_, doubt) = reading { Some(doubt) } else { None };
        assert_eq!(found, doubt, "{microamp} µA");
    }
}

#[test]
fn a_broken_wire_is_a_fault_after_four_seconds_and_not_before() {
    for (microamp, doubt) in [(3600, Doubt::UnderRange), (0, Doubt::UnderRange), (21000, Doubt::OverRange)] {
        let mut wire = Instrument::new(CURRENT);
        assert_eq!(wire.read(0, &[12000]), good(50.0));
        for second in 1..5 {
            assert!(matches!(wire.read(second, &[microamp]), Reading::Uncertain(_, d) if d == doubt), "{second} s");
        }
        assert_eq!(wire.read(5, &[microamp]), Reading::Bad(Fault::Sensor));
        assert_eq!(wire.read(6, &[12000]), good(50.0), "a mended wire is good at once");
        assert!(matches!(wire.read(7, &[microamp]), Reading::Uncertain(..)), "and the four seconds begin anew");
    }
}

/// A restart, and the first look at a new instrument.
#[test]
fn a_current_that_is_outside_from_the_first_reading_on_has_failed() {
    for microamp in [3000, 22000] {
        let mut wire = Instrument::new(CURRENT);
        assert_eq!(wire.read(0, &[microamp]), Reading::Bad(Fault::Sensor));
        assert_eq!(wire.read(1, &[microamp]), Reading::Bad(Fault::Sensor));
        assert_eq!(wire.read(2, &[12000]), good(50.0));
        assert!(matches!(wire.read(3, &[microamp]), Reading::Uncertain(..)), "from now on it must last");
    }
}

#[test]
fn a_dip_shorter_than_the_hold_is_no_fault() {
    let mut wire = Instrument::new(CURRENT);
    for second in 3..30 {
        let reading = wire.read(second, &[if second % 4 == 3 { 12000 } else { 3000 }]);
        assert!(reading.value().is_some(), "{second} s: {reading:?}");
    }
}

#[test]
fn currents_below_four_may_have_a_meaning_and_a_card_has_its_own_span() {
    let mut head = Instrument::new(
        "[field.x]\naddress = 0\ntype = 'u16'\nsignal = { raw = [0.0, 4000.0], milliamp = [0.0, 20.0], span = [0.0, 100.0], \
         states = [{ milliamp = [1.5, 2.5], is = 'maintenance' }, { milliamp = [2.6, 3.3], is = 'warm_up' }] }\n",
    );
    near(head.read(0, &[2400]), 50.0);
    assert!(matches!(head.read(1, &[400]), Reading::Uncertain(_, Doubt::Maintenance)));
    assert_eq!(head.read(2, &[600]), Reading::Bad(Fault::WarmUp));
    assert!(matches!(head.read(3, &[100]), Reading::Uncertain(_, Doubt::UnderRange)));
    assert_eq!(head.read(7, &[100]), Reading::Bad(Fault::Sensor));
}

#[test]
fn a_card_that_cannot_show_a_broken_wire_is_refused() {
    let text = format!(
        "{HEAD}[field.x]\naddress = 0\ntype = 'u16'\nsignal = {{ raw = [0.0, 65535.0], milliamp = [4.0, 20.0], span = [0.0, 1.0] }}"
    );
    let told = Profile::from_toml("try", &text).unwrap_err().to_string();
    assert!(told.contains("0–20 mA"), "{told}");
}

const CODED: &str = "[factor.decimals]\naddress = 1\nof_bits = [0, 3]\n[factor.divisor]\naddress = 2\n\
    values = { 1 = 1.0, 10 = 0.1 }\n[unit.code]\naddress = 3\nvalues = { 0 = 'ppm', 1 = '%VOL', 2 = 'mg/m3', 3 = 'ppb' }\n\
    [field.x]\naddress = 0\ntype = 'u16'\nunit = 'ppm'\nunit_from = 'code'\nfactor = ['decimals', 'divisor']\n";

#[test]
fn decimals_and_unit_come_from_registers_or_the_value_is_bad() {
    let read = |words: [u16; 4]| Instrument::new(CODED).read(0, &words);
    near(read([253, 1, 1, 0]), 25.3);
    near(read([253, 0xF2, 10, 0]), 0.253);
    near(read([2, 0, 1, 1]), 20_000.0);
    near(read([2500, 0, 1, 3]), 2.5);
    let wrong = Reading::Bad(Fault::Configuration);
    assert_eq!(read([253, 7, 1, 0]), wrong, "seven decimals");
    assert_eq!(read([253, 1, 2, 0]), wrong, "a divisor that is not in the table");
    assert_eq!(read([253, 1, 1, 2]), wrong, "mg/m³ do not become ppm without the molar mass");
    assert_eq!(read([253, 1, 1, 9]), wrong, "a unit that is not in the table");
}

const BEATING: &str = "[heartbeat.beat]\naddress = 1\nbit = 11\nwithin_s = 6.0\n\
    [field.x]\naddress = 0\ntype = 'u16'\nheartbeat = 'beat'\n";

#[test]
fn a_heartbeat_that_stands_still_makes_the_value_bad_until_it_moves() {
    let mut head = Instrument::new(BEATING);
    let beat = |on: bool| u16::from(on) << 11 | 3;
    for second in 0..20 {
        assert_eq!(head.read(second, &[7, beat(second / 2 % 2 == 0)]), good(7.0));
    }
    for second in 20..26 {
        assert_eq!(head.read(second, &[7, beat(true)]), good(7.0), "{second} s");
    }
    assert_eq!(head.read(27, &[7, beat(true)]), Reading::Bad(Fault::Frozen));
    assert_eq!(head.read(28, &[7, beat(true) | 1 << 4]), Reading::Bad(Fault::Frozen), "other bits are no beat");
    assert_eq!(head.read(29, &[7, beat(false)]), good(7.0));
}

const PACKED: &str = "[status.state]\naddress = 1\nof_bits = [0, 3]\n\
    values = { 0 = 'warm_up', 1 = 'ok', 2 = 'inhibited', 5 = 'simulated', 7 = 'calibration' }\n\
    [status.class]\naddress = 1\nof_bits = [4, 5]\nvalues = { 0 = 'ok', 1 = 'maintenance', 2 = 'fault', 3 = 'fault' }\n\
    [field.x]\naddress = 0\ntype = 'u16'\nstatus = ['state', 'class']\n";

#[test]
fn a_packed_status_word_gives_the_worst_of_its_parts() {
    let read = |status| Instrument::new(PACKED).read(0, &[7, status]);
    assert_eq!(read(1), good(7.0));
    assert_eq!(read(0xFFC1), good(7.0), "bits of others do not matter");
    assert_eq!(read(0), Reading::Bad(Fault::WarmUp));
    assert_eq!(read(2), Reading::Bad(Fault::Inhibited));
    assert_eq!(read(7), Reading::Bad(Fault::Inhibited));
    assert!(matches!(read(5), Reading::Uncertain(_, Doubt::Simulated)));
    assert!(matches!(read(0x11), Reading::Uncertain(_, Doubt::Maintenance)));
    assert_eq!(read(0x25), Reading::Bad(Fault::Sensor));
    assert_eq!(read(9), Reading::Bad(Fault::Sensor), "an unlisted state is a fault");
}

#[test]
fn a_point_may_have_a_byte_order_or_a_span_of_its_own() {
    use crate::profile::{Own, Unfit, WordOrder};
    let mut profile =
        Instrument::new("[field.x]\naddress = 0\ntype = 'f32'\n[field.ma]\naddress = 0\ntype = 'f32'\nsignal = {}\n").0;
    let order = |order| Own { order: Some(order), signal_span: None };
    let name = profile.adapt("x", order(WordOrder::Cdab)).unwrap();
    let own = Own { order: Some(WordOrder::Cdab), signal_span: Some((0.0, 100.0)) };
    let current = profile.adapt("ma", own).unwrap();
    let read = |name: &str, words: [u16; 2]| {
        let mut image = Image::default();
        image.put(Span { function: 3, address: 0, count: 2 }, Ok(words.to_vec()), at(0));
        decode(profile.field(name).unwrap(), &image, &mut Memory::default())
    };
    assert_eq!((read(&name, [0, 0x3F80]), read("x", [0, 0x3F80])), (good(1.0), NONE));
    assert_eq!((read(&current, [0, 0x4140]), read("ma", [0x4140, 0])), (good(50.0), good(12.0)));
    let mut copy = profile.clone();
    assert_eq!(copy.adapt("x", order(WordOrder::Efghabcd)), Err(Unfit::Order));
    assert_eq!(copy.adapt("x", own), Err(Unfit::NoSignal));
    assert_eq!(copy.adapt("ma", Own { signal_span: Some((1.0, 1.0)), order: None }), Err(Unfit::Span));
}
