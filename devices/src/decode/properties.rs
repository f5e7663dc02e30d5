//! Whatever stands in the registers, no reading carries a number that is none.

use super::*;
use crate::profile::Profile;
use proptest::prelude::*;

const KINDS: [&str; 13] =
    ["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "u8-high", "u8-low", "bcd16", "bcd32", "u16-bits"];
const ORDERS: [&str; 4] = ["ABCD", "CDAB", "BADC", "DCBA"];

proptest! {
    #[test]
    fn no_registers_make_a_value_that_is_not_finite(
        kind in 0..KINDS.len(), order in 0..ORDERS.len(), words in prop::array::uniform4(any::<u16>()),
        scale in -1e300f64..1e300, signal in any::<bool>(), code in any::<u16>(),
    ) {
        prop_assume!(scale != 0.0);
        let (kind, order) = (KINDS[kind], ORDERS[order]);
        let bits = if kind == "u16-bits" { "bits = [3, 9]\n" } else { "" };
        let how = if signal { "signal = { span = [-1e300, 1e300] }".to_owned() } else { format!("scale = {scale:?}") };
        let text = format!(
            "title_zh = ''\ntitle_en = ''\n[factor.f]\naddress = 9\nof_bits = [4, 7]\n[field.x]\naddress = 0\n\
             type = '{kind}'\nword_order = '{order}'\nfactor = ['f']\n{bits}{how}\n"
        );
        let profile = Profile::from_toml("p", &text).unwrap();
        let mut image = Image::default();
        image.put(Span { function: 3, address: 0, count: 4 }, Ok(words.to_vec()), Now::default());
        image.put(Span { function: 3, address: 9, count: 1 }, Ok(vec![code]), Now::default());
        let reading = decode(profile.field("x").unwrap(), &image, &mut Memory::default());
        prop_assert!(reading.value().is_none_or(f64::is_finite));
    }

    #[test]
    fn every_order_of_32_and_64_bits_is_a_permutation_of_the_bytes(words in prop::array::uniform4(any::<u16>())) {
        use crate::profile::WordOrder;
        let bytes = |bits: u64| { let mut b = bits.to_be_bytes(); b.sort_unstable(); b };
        let sorted = { let mut b: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect(); b.sort_unstable(); b };
        for order in WordOrder::OF_64 {
            prop_assert_eq!(&bytes(order.join(&words))[..], &sorted[..]);
        }
    }
}
