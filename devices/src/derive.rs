//! Derived points: a small checked language of expressions over other points.
//!
//! ```text
//! max({GT-101}, {GT-102})                               the worse of two heads
//! if({KS-C01} and {DP-C01} < 500, 1, 0) > 0             runs, but moves no air
//! table(tank, {LT-201A}) * 0.79 / critical(methanol)    live inventory q/Q of a source
//! ```
//!
//! Owns the grammar, the types and the arithmetic. Pure; nothing here recurses deeper than [`DEPTH_MAX`], and evaluation does
//! not recurse at all: an expression becomes a list of steps for a stack. The quality of a result is the worst of **all** its
//! inputs, those of a branch not taken as well. What is no number (division by zero, out of a table) is bad. Leaves where
//! names come from to the caller.

mod parse;
mod steps;
mod tables;

pub use parse::{ExpressionError, Place};
pub use steps::{Expression, Type};
pub use tables::{Substance, Table, TableError, substance, substance_keys};

/// Longest text of an expression.
pub const LENGTH_MAX: usize = 2_000;
/// Deepest nesting.
pub const DEPTH_MAX: usize = 32;
/// Most references and operations in one expression.
pub const STEPS_MAX: usize = 500;

/// What the names in an expression stand for.
pub trait Names {
    /// The type of a point, if there is one of that name.
    fn point(&self, key: &str) -> Option<Type>;
    /// The strapping table of that name.
    fn table(&self, key: &str) -> Option<Table>;
}

#[cfg(test)]
mod tests;
