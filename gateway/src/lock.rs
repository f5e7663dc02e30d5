//! A lock that somebody panicked with is taken all the same: what it holds is whole after every statement, and a part that panicked once must
//! not take others with it.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
