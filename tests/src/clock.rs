//! The tests' own clock: it stands outside the product.

/// UTC in ms.
#[must_use]
pub fn utc_ms() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}
