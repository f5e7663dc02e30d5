//! Text to steps: a hand-written reader with one rule per level of precedence. Types are checked while reading.
//!
//! From loose to tight: `or`, `and`, `not`, comparison (not chained), `+ -`, `* /`, unary `-`, then a number, `{point}`,
//! `true`, `false`, a call or parentheses. Owns the levels; leaves signs and words to [`reader`], what has no operator to [`atoms`].

mod atoms;
mod reader;

use super::steps::{Expression, Step, Type};
use super::{DEPTH_MAX, LENGTH_MAX, Names};
use reader::{Reader, full_width};

/// Where a defect stands: characters from the beginning of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub from: usize,
    pub to: usize,
}

/// What is wrong with an expression, and what would be right; both in Chinese and English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    pub place: Place,
    pub problem: (String, String),
    pub remedy: (String, String),
}

type Parsed<T> = Result<T, ExpressionError>;

pub(super) fn expression(text: &str, names: &impl Names) -> Parsed<Expression> {
    let characters: Vec<char> = text.chars().collect();
    let expression = Expression { steps: Vec::new(), inputs: Vec::new(), tables: Vec::new(), result: Type::Number };
    let mut reader = Reader { text: characters, at: 0, depth: 0, names, out: expression };
    if reader.text.len() > LENGTH_MAX {
        return Err(reader.wrong(
            0,
            ("表达式过长", "the expression is too long"),
            ("拆成几个计算测点", "split it into several derived points"),
        ));
    }
    if let Some((at, wide, plain)) = full_width(&reader.text) {
        reader.at = at + 1;
        return Err(reader.told(
            at,
            (format!("“{wide}”是全角符号"), format!("`{wide}` is a full-width sign")),
            (format!("改用半角的 {plain}"), format!("write the plain {plain}")),
        ));
    }
    reader.out.result = reader.either()?;
    reader.space();
    if reader.at < reader.text.len() {
        return Err(reader.wrong(
            reader.at,
            ("多余的内容", "something is left over"),
            ("去掉，或补上运算符；测点写在 { } 中", "remove it or add an operator; points stand in { }"),
        ));
    }
    Ok(reader.out)
}

impl<N: Names> Reader<'_, N> {
    fn either(&mut self) -> Parsed<Type> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong(
                self.at,
                ("嵌套过深", "nested too deeply"),
                ("拆成几个计算测点", "split it into several derived points"),
            ));
        }
        let from = self.at;
        let mut kind = self.both()?;
        while self.word("or") {
            self.want(kind, Type::State, from)?;
            let right = self.at;
            kind = self.both()?;
            self.want(kind, Type::State, right)?;
            self.push(Step::Or)?;
        }
        self.depth -= 1;
        Ok(kind)
    }

    fn both(&mut self) -> Parsed<Type> {
        let from = self.at;
        let mut kind = self.inverse()?;
        while self.word("and") {
            self.want(kind, Type::State, from)?;
            let right = self.at;
            kind = self.inverse()?;
            self.want(kind, Type::State, right)?;
            self.push(Step::And)?;
        }
        Ok(kind)
    }

    fn inverse(&mut self) -> Parsed<Type> {
        let mut times = 0;
        while self.word("not") {
            times += 1;
        }
        let from = self.at;
        let kind = self.comparison()?;
        if times > 0 {
            self.want(kind, Type::State, from)?;
        }
        if times % 2 == 1 {
            self.push(Step::Not)?;
        }
        Ok(kind)
    }

    fn comparison(&mut self) -> Parsed<Type> {
        let from = self.at;
        let left = self.sum()?;
        // `a > b` is `b < a`: the operands are swapped on the stack by negating both
        let signs = [("<=", 0), (">=", 1), ("==", 2), ("!=", 3), ("<", 4), (">", 5)];
        let Some((_, which)) = signs.into_iter().find(|(sign, _)| self.sign(sign)) else { return Ok(left) };
        let swapped = matches!(which, 1 | 5);
        if !matches!(which, 2 | 3) {
            self.want(left, Type::Number, from)?;
        }
        if swapped {
            self.push(Step::Negate)?;
        }
        let at = self.at;
        let right = self.sum()?;
        self.want(right, left, at)?;
        if swapped {
            self.push(Step::Negate)?;
        }
        self.push(match which {
            0 | 1 => Step::LessOrEqual,
            2 => Step::Equal,
            3 => Step::NotEqual,
            _ => Step::Less,
        })?;
        Ok(Type::State)
    }

    fn sum(&mut self) -> Parsed<Type> {
        self.chain(Self::product, [('+', Step::Add), ('-', Step::Subtract)])
    }

    fn product(&mut self) -> Parsed<Type> {
        self.chain(Self::signed, [('*', Step::Multiply), ('/', Step::Divide)])
    }

    /// Operands that are numbers, joined from the left on; one alone may be anything.
    fn chain(&mut self, operand: fn(&mut Self) -> Parsed<Type>, signs: [(char, Step); 2]) -> Parsed<Type> {
        let from = self.at;
        let kind = operand(self)?;
        loop {
            let next = self.peek();
            let Some((_, step)) = signs.iter().find(|(sign, _)| next == Some(*sign)) else { return Ok(kind) };
            self.want(kind, Type::Number, from)?;
            self.at += 1;
            let right = self.at;
            let other = operand(self)?;
            self.want(other, Type::Number, right)?;
            self.push(step.clone())?;
        }
    }

    fn signed(&mut self) -> Parsed<Type> {
        let mut negative = false;
        let mut any = false;
        while self.sign("-") {
            (negative, any) = (!negative, true);
        }
        let from = self.at;
        let kind = self.atom()?;
        if any {
            self.want(kind, Type::Number, from)?;
        }
        if negative {
            self.push(Step::Negate)?;
        }
        Ok(kind)
    }
}
