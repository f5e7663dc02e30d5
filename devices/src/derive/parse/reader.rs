//! The text of an expression as it is read: signs, words, and what is said of a defect at a place.

use super::{ExpressionError, Parsed, Place};
use crate::derive::steps::{Expression, Step, Type};
use crate::derive::{Names, STEPS_MAX};

/// Signs of a Chinese keyboard and what is meant by them.
const FULL_WIDTH: [(char, char); 15] = [
    ('＋', '+'),
    ('－', '-'),
    ('×', '*'),
    ('＊', '*'),
    ('÷', '/'),
    ('／', '/'),
    ('（', '('),
    ('）', ')'),
    ('，', ','),
    ('、', ','),
    ('＞', '>'),
    ('＜', '<'),
    ('＝', '='),
    ('｛', '{'),
    ('｝', '}'),
];

/// The first of them, with its place; a key in braces may have any.
pub(super) fn full_width(text: &[char]) -> Option<(usize, char, char)> {
    let mut in_braces = false;
    text.iter().enumerate().find_map(|(at, sign)| {
        in_braces = *sign == '{' || (in_braces && *sign != '}');
        let (wide, plain) = FULL_WIDTH.iter().find(|(wide, _)| wide == sign && !in_braces)?;
        Some((at, *wide, *plain))
    })
}

pub(super) struct Reader<'a, N> {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) names: &'a N,
    pub(super) out: Expression,
}

impl<N: Names> Reader<'_, N> {
    pub(super) fn wrong(&self, from: usize, problem: (&str, &str), remedy: (&str, &str)) -> ExpressionError {
        self.told(from, (problem.0.into(), problem.1.into()), (remedy.0.into(), remedy.1.into()))
    }

    pub(super) fn told(&self, from: usize, problem: (String, String), remedy: (String, String)) -> ExpressionError {
        let from = from + self.text.iter().skip(from).take_while(|c| c.is_whitespace()).count();
        let to = self.at.max(from + 1).min(self.text.len().max(from + 1));
        ExpressionError { place: Place { from, to }, problem, remedy }
    }

    pub(super) fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.space();
        self.text.get(self.at).copied()
    }

    /// Takes a sign if it stands here.
    pub(super) fn sign(&mut self, sign: &str) -> bool {
        self.space();
        let length = sign.chars().count();
        let here = self.text.get(self.at..self.at + length);
        let found = here.is_some_and(|here| here.iter().copied().eq(sign.chars()));
        self.at += if found { length } else { 0 };
        found
    }

    /// Takes a word if it stands here by itself.
    pub(super) fn word(&mut self, word: &str) -> bool {
        self.space();
        let rest = &self.text[self.at..];
        let name: String = rest.iter().take_while(|c| is_name(**c)).collect();
        let found = name == word;
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn push(&mut self, step: Step) -> Parsed<()> {
        self.out.steps.push(step);
        if self.out.steps.len() <= STEPS_MAX {
            return Ok(());
        }
        Err(self.wrong(
            0,
            ("表达式过大", "the expression is too large"),
            ("拆成几个计算测点", "split it into several derived points"),
        ))
    }

    pub(super) fn want(&self, found: Type, wanted: Type, from: usize) -> Parsed<()> {
        if found == wanted {
            return Ok(());
        }
        Err(match wanted {
            Type::Number => self.wrong(
                from,
                ("这里要数值，不是状态", "a number is wanted here, not a state"),
                ("用 if(状态, 1, 0) 把状态变成数值", "if(state, 1, 0) makes a number of a state"),
            ),
            Type::State => self.wrong(
                from,
                ("这里要状态，不是数值", "a state is wanted here, not a number"),
                ("用比较得到状态，例如 {GT-101} > 25", "a comparison gives a state, such as {GT-101} > 25"),
            ),
        })
    }

    pub(super) fn close(&mut self) -> Parsed<()> {
        if self.sign(")") {
            return Ok(());
        }
        Err(self.wrong(self.at, ("缺少 )", "a ) is missing"), ("补上右括号", "close the parenthesis")))
    }

    pub(super) fn name(&mut self) -> String {
        self.space();
        let name: String = self.text[self.at..].iter().take_while(|c| is_name(**c)).collect();
        self.at += name.chars().count();
        name
    }

    pub(super) fn comma(&mut self) -> Parsed<()> {
        if self.sign(",") || self.sign("，") {
            return Ok(());
        }
        Err(self.wrong(
            self.at,
            ("缺少逗号和下一个参数", "a comma and the next argument are missing"),
            ("补上参数", "add the argument"),
        ))
    }
}

pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
