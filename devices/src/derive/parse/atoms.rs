//! What stands between operators: numbers, points, calls of functions and parentheses.

use super::Parsed;
use super::reader::{Reader, is_name};
use crate::derive::Names;
use crate::derive::steps::{Step, Type};
use crate::derive::tables::{substance, substance_keys};

impl<N: Names> Reader<'_, N> {
    pub(super) fn atom(&mut self) -> Parsed<Type> {
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
