//! A checked expression as steps for a stack, and its evaluation.

use super::Names;
use super::parse::{self, ExpressionError};
use super::tables::Table;
use rules::{Doubt, Fault, Finite, Reading};

/// What an expression or a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Number,
    /// 0 or 1.
    State,
}

/// One step; numbers and states both lie on the stack as numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Push(f64),
    /// Index into the inputs.
    Input(usize),
    Add,
    Subtract,
    Multiply,
    Divide,
    Negate,
    Not,
    And,
    Or,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    Abs,
    Min(usize),
    Max(usize),
    Average(usize),
    /// Condition, then, else.
    If,
    /// Index into the tables.
    Look(usize),
}

/// A checked expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub(super) steps: Vec<Step>,
    pub(super) inputs: Vec<String>,
    pub(super) tables: Vec<Table>,
    pub(super) result: Type,
}

impl Expression {
    /// Parses and checks a text.
    /// # Errors
    /// What is wrong, where, and what would be right.
    pub fn parse(text: &str, names: &impl Names) -> Result<Self, ExpressionError> {
        parse::expression(text, names)
    }

    /// The points it needs, each once, in order of first use.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// What it gives.
    #[must_use]
    pub fn result(&self) -> Type {
        self.result
    }

    /// Its reading from those of its inputs, in the order of [`Self::inputs`]; one that is missing counts as never read.
    #[must_use]
    pub fn evaluate(&self, inputs: &[Reading]) -> Reading {
        let all = || (0..self.inputs.len()).map(|i| inputs.get(i).copied().unwrap_or(Reading::Bad(Fault::NeverRead)));
        let (mut doubt, mut fault) = (None, None);
        for reading in all() {
            match reading {
                Reading::Good(_) => {}
                Reading::Uncertain(_, d) => doubt = worse(doubt, d),
                Reading::Bad(f) => fault = fault.max(Some(f)),
            }
        }
        if let Some(fault) = fault {
            return Reading::Bad(fault);
        }
        let values: Vec<f64> = all().filter_map(Reading::value).collect();
        match self.value(&values).and_then(Finite::new) {
            None => Reading::Bad(Fault::NotANumber),
            Some(value) => doubt.map_or(Reading::Good(value), |doubt| Reading::Uncertain(value, doubt)),
        }
    }

    /// `None` where there is no number. Both branches of a choice are computed, and what has no number in the one that is not taken
    /// is dropped with it: the number of steps is the same for all inputs.
    fn value(&self, inputs: &[f64]) -> Option<f64> {
        let mut stack = Stack::with_capacity(self.steps.len());
        for step in &self.steps {
            let value = self.step(step, &mut stack, inputs);
            // an overflow in the middle must not become a small number at the end
            stack.push(value.filter(|v| v.is_finite()));
        }
        top(&mut stack)
    }

    /// Takes what it needs off the stack, also where that is no number.
    fn step(&self, step: &Step, stack: &mut Stack, inputs: &[f64]) -> Option<f64> {
        match step {
            Step::Push(value) => Some(*value),
            Step::Input(index) => inputs.get(*index).copied(),
            Step::Negate => top(stack).map(|value| -value),
            Step::Abs => top(stack).map(f64::abs),
            Step::Not => top(stack).map(|value| state(!truth(value))),
            Step::Min(count) => Some(take(stack, *count)?.into_iter().fold(f64::INFINITY, f64::min)),
            Step::Max(count) => Some(take(stack, *count)?.into_iter().fold(f64::NEG_INFINITY, f64::max)),
            Step::Average(count) => {
                let values = take(stack, *count)?;
                Some(values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).ok()?))
            }
            Step::If => {
                let (otherwise, then, condition) = (top(stack), top(stack), top(stack));
                if truth(condition?) { then } else { otherwise }
            }
            Step::Look(table) => self.tables.get(*table)?.at(top(stack)?),
            pair => {
                let (right, left) = (top(stack), top(stack));
                binary(pair, left?, right?)
            }
        }
    }
}

/// Values of the steps so far; `None` is no number, and makes none of what is computed from it.
type Stack = Vec<Option<f64>>;

fn top(stack: &mut Stack) -> Option<f64> {
    stack.pop().flatten()
}

#[allow(clippy::float_cmp, reason = "the person who writes == about numbers gets what is written")]
fn binary(step: &Step, left: f64, right: f64) -> Option<f64> {
    Some(match step {
        Step::Add => left + right,
        Step::Subtract => left - right,
        Step::Multiply => left * right,
        Step::Divide => Some(right).filter(|r| *r != 0.0).map(|r| left / r)?,
        Step::And => state(truth(left) && truth(right)),
        Step::Or => state(truth(left) || truth(right)),
        Step::Less => state(left < right),
        Step::LessOrEqual => state(left <= right),
        Step::Equal => state(left == right),
        Step::NotEqual => state(left != right),
        _ => return None,
    })
}

fn take(stack: &mut Stack, count: usize) -> Option<Vec<f64>> {
    stack.split_off(stack.len().checked_sub(count)?).into_iter().collect()
}

fn truth(value: f64) -> bool {
    value != 0.0
}

fn state(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}

/// Of two doubts the one that says more about the value.
fn worse(known: Option<Doubt>, other: Doubt) -> Option<Doubt> {
    known.max(Some(other))
}
