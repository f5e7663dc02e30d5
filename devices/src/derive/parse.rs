//! Text to steps: a hand-written reader with one rule per level of precedence. Types are checked while reading.
//!
//! From loose to tight: `or`, `and`, `not`, comparison (not chained), `+ -`, `* /`, unary `-`, then a number, `{point}`,
//! `true`, `false`, a call or parentheses.

use super::steps::{Expression, Step, Type};
use super::tables::{substance, substance_keys};
use super::{DEPTH_MAX, LENGTH_MAX, Names, STEPS_MAX};

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
fn full_width(text: &[char]) -> Option<(usize, char, char)> {
    let mut in_braces = false;
    text.iter().enumerate().find_map(|(at, sign)| {
        in_braces = *sign == '{' || (in_braces && *sign != '}');
        let (wide, plain) = FULL_WIDTH.iter().find(|(wide, _)| wide == sign && !in_braces)?;
        Some((at, *wide, *plain))
    })
}

struct Reader<'a, N> {
    text: Vec<char>,
    at: usize,
    depth: usize,
    names: &'a N,
    out: Expression,
}

impl<N: Names> Reader<'_, N> {
    fn wrong(&self, from: usize, problem: (&str, &str), remedy: (&str, &str)) -> ExpressionError {
        self.told(from, (problem.0.into(), problem.1.into()), (remedy.0.into(), remedy.1.into()))
    }

    fn told(&self, from: usize, problem: (String, String), remedy: (String, String)) -> ExpressionError {
        let from = from + self.text.iter().skip(from).take_while(|c| c.is_whitespace()).count();
        let to = self.at.max(from + 1).min(self.text.len().max(from + 1));
        ExpressionError { place: Place { from, to }, problem, remedy }
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.space();
        self.text.get(self.at).copied()
    }

    /// Takes a sign if it stands here.
    fn sign(&mut self, sign: &str) -> bool {
        self.space();
        let length = sign.chars().count();
        let here = self.text.get(self.at..self.at + length);
        let found = here.is_some_and(|here| here.iter().copied().eq(sign.chars()));
        self.at += if found { length } else { 0 };
        found
    }

    /// Takes a word if it stands here by itself.
    fn word(&mut self, word: &str) -> bool {
        self.space();
        let rest = &self.text[self.at..];
        let name: String = rest.iter().take_while(|c| is_name(**c)).collect();
        let found = name == word;
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn push(&mut self, step: Step) -> Parsed<()> {
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

    fn want(&self, found: Type, wanted: Type, from: usize) -> Parsed<()> {
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
        let from = self.at;
        let kind = self.product()?;
        loop {
            let step = match self.peek() {
                Some('+') => Step::Add,
                Some('-') => Step::Subtract,
                _ => return Ok(kind),
            };
            self.want(kind, Type::Number, from)?;
            self.at += 1;
            let right = self.at;
            let other = self.product()?;
            self.want(other, Type::Number, right)?;
            self.push(step)?;
        }
    }

    fn product(&mut self) -> Parsed<Type> {
        let from = self.at;
        let kind = self.signed()?;
        loop {
            let step = match self.peek() {
                Some('*') => Step::Multiply,
                Some('/') => Step::Divide,
                _ => return Ok(kind),
            };
            self.want(kind, Type::Number, from)?;
            self.at += 1;
            let right = self.at;
            let other = self.signed()?;
            self.want(other, Type::Number, right)?;
            self.push(step)?;
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

    fn atom(&mut self) -> Parsed<Type> {
        let Some(first) = self.peek() else {
            return Err(self.wrong(
                self.at,
                ("表达式不完整", "the expression ends too early"),
                ("补上后面的值", "add the value that is missing"),
            ));
        };
        match first {
            '(' => {
                self.at += 1;
                let kind = self.either()?;
                self.close()?;
                Ok(kind)
            }
            '{' => self.point(),
            c if c.is_ascii_digit() || c == '.' => self.number(),
            c if is_name(c) => self.call(),
            _ => Err(self.wrong(
                self.at,
                ("这里不能是这个字符", "this character cannot stand here"),
                ("写数、{测点}、函数或括号", "write a number, {a point}, a function or parentheses"),
            )),
        }
    }

    fn close(&mut self) -> Parsed<()> {
        if self.sign(")") {
            return Ok(());
        }
        Err(self.wrong(self.at, ("缺少 )", "a ) is missing"), ("补上右括号", "close the parenthesis")))
    }

    fn number(&mut self) -> Parsed<Type> {
        let from = self.at;
        let mut last = ' ';
        while let Some(c) = self.text.get(self.at).copied() {
            let exponent = matches!(c, '+' | '-') && matches!(last, 'e' | 'E');
            if !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || exponent) {
                break;
            }
            last = c;
            self.at += 1;
        }
        let text: String = self.text[from..self.at].iter().collect();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => {
                self.push(Step::Push(value))?;
                Ok(Type::Number)
            }
            _ => Err(self.wrong(from, ("不是数", "this is no number"), ("写成 12.5 或 1.2e3", "write 12.5 or 1.2e3"))),
        }
    }

    fn point(&mut self) -> Parsed<Type> {
        let from = self.at;
        self.at += 1;
        let rest = &self.text[self.at..];
        let Some(length) = rest.iter().position(|c| *c == '}') else {
            return Err(self.wrong(
                from,
                ("缺少 }", "a } is missing"),
                ("测点写成 {GT-101}", "a point is written {GT-101}"),
            ));
        };
        let key: String = rest[..length].iter().collect();
        let key = key.trim().to_owned();
        self.at += length + 1;
        let Some(kind) = self.names.point(&key) else {
            return Err(self.told(
                from,
                (format!("没有名为 {key} 的测点"), format!("there is no point `{key}`")),
                ("写一个 [[point]] 的 key".into(), "write the key of a [[point]]".into()),
            ));
        };
        let known = self.out.inputs.iter().position(|i| *i == key);
        let index = known.unwrap_or(self.out.inputs.len());
        if known.is_none() {
            self.out.inputs.push(key);
        }
        self.push(Step::Input(index))?;
        Ok(kind)
    }

    fn name(&mut self) -> String {
        self.space();
        let name: String = self.text[self.at..].iter().take_while(|c| is_name(**c)).collect();
        self.at += name.chars().count();
        name
    }

    fn call(&mut self) -> Parsed<Type> {
        let from = self.at;
        let name = self.name();
        match name.as_str() {
            "true" | "false" => {
                self.push(Step::Push(if name == "true" { 1.0 } else { 0.0 }))?;
                return Ok(Type::State);
            }
            "min" | "max" | "avg" | "abs" | "if" | "table" | "critical" => {}
            _ => {
                return Err(self.told(
                    from,
                    (format!("没有函数 {name}"), format!("there is no function `{name}`")),
                    (
                        "可用：min max avg abs if table critical and or not；测点写成 {测点}".into(),
                        "there are min max avg abs if table critical and or not; a point is written {point}".into(),
                    ),
                ));
            }
        }
        if !self.sign("(") {
            return Err(self.wrong(
                self.at,
                ("函数后面要有 (", "a ( follows a function"),
                ("写成 max(…)", "write max(…)"),
            ));
        }
        let kind = match name.as_str() {
            "if" => self.condition()?,
            "table" => self.look()?,
            "critical" => self.critical()?,
            "abs" => {
                self.argument(Type::Number)?;
                self.push(Step::Abs)?;
                Type::Number
            }
            many => self.many(many)?,
        };
        self.close()?;
        Ok(kind)
    }

    fn argument(&mut self, wanted: Type) -> Parsed<()> {
        let from = self.at;
        let kind = self.either()?;
        self.want(kind, wanted, from)
    }

    fn comma(&mut self) -> Parsed<()> {
        if self.sign(",") || self.sign("，") {
            return Ok(());
        }
        Err(self.wrong(
            self.at,
            ("缺少逗号和下一个参数", "a comma and the next argument are missing"),
            ("补上参数", "add the argument"),
        ))
    }

    fn many(&mut self, name: &str) -> Parsed<Type> {
        let mut count = 1;
        self.argument(Type::Number)?;
        while self.sign(",") || self.sign("，") {
            self.argument(Type::Number)?;
            count += 1;
        }
        self.push(match name {
            "min" => Step::Min(count),
            "max" => Step::Max(count),
            _ => Step::Average(count),
        })?;
        Ok(Type::Number)
    }

    fn condition(&mut self) -> Parsed<Type> {
        self.argument(Type::State)?;
        self.comma()?;
        let kind = self.either()?;
        self.comma()?;
        self.argument(kind)?;
        self.push(Step::If)?;
        Ok(kind)
    }

    fn look(&mut self) -> Parsed<Type> {
        self.space();
        let from = self.at;
        let name = self.name();
        let Some(table) = self.names.table(&name) else {
            return Err(self.told(
                from,
                (format!("没有名为 {name} 的容积表"), format!("there is no strapping table `{name}`")),
                (
                    "加上 [[strapping]] key = …，名称只用字母、数字、_".into(),
                    "add [[strapping]] key = …; its name has letters, digits and _ only".into(),
                ),
            ));
        };
        self.comma()?;
        self.argument(Type::Number)?;
        self.out.tables.push(table);
        self.push(Step::Look(self.out.tables.len() - 1))?;
        Ok(Type::Number)
    }

    fn critical(&mut self) -> Parsed<Type> {
        self.space();
        let from = self.at;
        let name = self.name();
        let Some(found) = substance(&name) else {
            return Err(self.told(
                from,
                (format!("没有物质 {name} 的临界量"), format!("no critical quantity is known for `{name}`")),
                (
                    format!("可用：{}；或直接写吨数", substance_keys()),
                    format!("there are {}; or write the tonnes", substance_keys()),
                ),
            ));
        };
        self.push(Step::Push(found.critical_t))?;
        Ok(Type::Number)
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
