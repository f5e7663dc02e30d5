//! Random tokens and their hashes.

use crate::hex::hex;
use sha2::{Digest, Sha256};

/// `N` random bytes of the operating system as hex.
#[must_use]
pub(super) fn hex_token<const N: usize>() -> String {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).expect("the operating system's random source answers");
    hex(&bytes)
}

/// For an `Idempotency-Key`: nobody else has it.
#[must_use]
pub fn new_key() -> String {
    hex_token::<16>()
}

/// What is stored of a token.
#[must_use]
pub(super) fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// The anti-forgery token of a session: derived, so that nothing more has to be stored.
#[must_use]
pub(super) fn csrf_of(token: &str) -> String {
    hex(&Sha256::digest(format!("csrf:{token}").as_bytes()))
}

/// A code to be typed by hand: two groups of five from an alphabet without look-alikes (49 bits).
#[must_use]
pub(super) fn setup_code() -> String {
    const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut code = String::with_capacity(11);
    while code.len() < 11 {
        if code.len() == 5 {
            code.push('-');
        }
        let mut byte = [0u8; 1];
        getrandom::fill(&mut byte).expect("the operating system's random source answers");
        // 240 = 8 × 30: larger bytes would favour the first letters
        if byte[0] < 240 {
            code.push(char::from(ALPHABET[usize::from(byte[0] % 30)]));
        }
    }
    code
}

/// Compares without telling by its duration where the first difference is.
#[must_use]
pub(super) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_the_setup_code_can_be_typed() {
        assert_ne!(hex_token::<32>(), hex_token::<32>());
        assert_eq!(hex_token::<32>().len(), 64);
        let code = setup_code();
        assert_eq!((code.len(), code.find('-')), (11, Some(5)));
        assert!(same("ab", "ab") && !same("ab", "ac") && !same("ab", "abc"));
    }
}
