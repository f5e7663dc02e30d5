//! Passwords: the policy and the slow hash. At most two are hashed at a time, off the runtime, so that a flood of sign-ins
//! never takes the processor from the alarm path.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// OWASP's smallest setting for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const SLOTS: usize = 2;
/// Longest wait for a slot before the caller is told to come back.
const SLOT_WAIT: Duration = Duration::from_secs(5);
pub(super) const LENGTH: std::ops::RangeInclusive<usize> = 12..=128;

/// Words whose presence makes up too much of a password: the product, the trade, keyboards, counting.
const COMMON: [&str; 24] = [
    "password",
    "passw0rd",
    "administrator",
    "admin",
    "operator",
    "hazardgateway",
    "hazard-gateway",
    "hazard",
    "gateway",
    "qwertyuiop",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "letmein",
    "welcome",
    "iloveyou",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "abc123",
    "woaini",
    "5201314",
    "changeme",
    "default",
    "secret",
];

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weak {
    Length,
    Common,
}

/// 12 to 128 characters of any kind; nothing that is only a common word, one character or a count.
/// # Errors
/// [`Weak`].
pub(super) fn check(password: &str, user: &str) -> Result<(), Weak> {
    if !LENGTH.contains(&password.chars().count()) {
        return Err(Weak::Length);
    }
    let mut rest = password.to_lowercase();
    let user = user.to_lowercase();
    for word in COMMON.iter().copied().chain((user.len() >= 3).then_some(user.as_str())) {
        rest = rest.replace(word, "");
    }
    let distinct: std::collections::BTreeSet<char> = rest.chars().collect();
    let counts = rest.as_bytes().windows(2).filter(|pair| pair[1].abs_diff(pair[0]) <= 1).count();
    let trivial = rest.chars().count() < 6 || distinct.len() < 4 || counts + 3 >= rest.len();
    if trivial { Err(Weak::Common) } else { Ok(()) }
}

/// No slot was free in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded;

/// The two slots.
#[derive(Clone, Debug)]
pub(super) struct Hasher {
    slots: Arc<Semaphore>,
    /// Verified against when the user is unknown, so that the answer takes as long.
    dummy: Arc<str>,
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the constants are within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

impl Hasher {
    pub(super) fn new() -> Self {
        let dummy = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        Self { slots: Arc::new(Semaphore::new(SLOTS)), dummy: dummy.into() }
    }

    async fn slotted<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Crowded> {
        let slot = tokio::time::timeout(SLOT_WAIT, self.slots.clone().acquire_owned()).await;
        let slot = slot.map_err(|_| Crowded)?.expect("the semaphore is never closed");
        let run = move || {
            let done = work();
            drop(slot);
            done
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| Crowded)
    }

    pub(super) async fn hash(&self, password: String) -> Result<String, Crowded> {
        self.slotted(move || {
            argon2()
                .hash_password(password.as_bytes())
                .expect("the parameters are valid and the operating system's random source answers")
                .to_string()
        })
        .await
    }

    /// Whether it fits; with no hash at hand it takes as long and is false.
    pub(super) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Crowded> {
        let dummy = self.dummy.clone();
        self.slotted(move || {
            let text = hash.as_deref().unwrap_or(&dummy);
            let fits = PasswordHash::new(text)
                .is_ok_and(|parsed| argon2().verify_password(password.as_bytes(), &parsed).is_ok());
            fits && hash.is_some()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_characters_and_trivial_passwords_are_refused() {
        assert_eq!(check("短口令", "anna"), Err(Weak::Length));
        assert_eq!(check("红杉木在雨后的山坡上生长得很好", "anna"), Ok(()));
        assert_eq!(check("correct horse battery", "anna"), Ok(()));
        for bad in
            ["aaaaaaaaaaaaaa", "123456789012345", "password1234", "adminadmin1234", "annaannaanna12", "abcdefghijklmn"]
        {
            assert_eq!(check(bad, "anna"), Err(Weak::Common), "{bad}");
        }
        assert_eq!(check(&"长".repeat(129), "anna"), Err(Weak::Length));
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only_and_no_hash_fits_nothing() {
        let hasher = Hasher::new();
        let hash = hasher.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("correct horse batterz".into(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("anything at all".into(), None).await.unwrap());
        assert!(PasswordHash::new(&hasher.dummy).is_ok(), "the dummy must cost as much as a real one");
    }
}
