//! Points that are computed: their expressions, the tables they look into, and the order in which they must be computed.
//!
//! Owns every check of `expression` and `[[strapping]]`. Leaves the language to `devices::derive`.

use super::diagnostic::Finding;
use super::file::{KindWord, PointTable, SiteFile, StrappingTable};
use devices::derive::{Expression, ExpressionError, Names, Table, TableError, Type};
use std::collections::BTreeMap;

/// Checked expressions by point key, each after those it needs.
pub(super) type Ordered = Vec<(String, Expression)>;

struct Known<'a> {
    points: &'a [PointTable],
    tables: &'a BTreeMap<String, Table>,
}

impl Names for Known<'_> {
    fn point(&self, key: &str) -> Option<Type> {
        self.points.iter().find(|p| p.key == key).map(|p| kind(p.kind))
    }
    fn table(&self, key: &str) -> Option<Table> {
        self.tables.get(key).cloned()
    }
}

fn kind(word: KindWord) -> Type {
    if word == KindWord::State { Type::State } else { Type::Number }
}

/// Checks all expressions and gives every computed point the device of its first input, so that a silent device is one alarm.
pub(super) fn prepare(file: &mut SiteFile, findings: &mut Vec<Finding>) -> Ordered {
    let tables = tables(&file.strapping, findings);
    let mut expressions = BTreeMap::new();
    for point in &file.point {
        missing(point, findings);
        let Some(text) = &point.expression else { continue };
        match Expression::parse(text, &Known { points: &file.point, tables: &tables }) {
            Err(error) => findings.push(wrong(point, text, &error)),
            Ok(expression) => {
                check(point, &expression, findings);
                expressions.insert(point.key.clone(), expression);
            }
        }
    }
    let ordered = order(expressions, findings);
    // one that is wrong has been reported: any device will do, so that nothing else is said about it
    let any = file.device.first().map(|d| d.key.clone()).unwrap_or_default();
    file.point.iter_mut().filter(|p| p.expression.is_some()).for_each(|p| p.device.clone_from(&any));
    for (key, expression) in &ordered {
        let first = expression.inputs().iter().find_map(|i| file.point.iter().find(|p| p.key == *i));
        let Some(device) = first.map(|p| p.device.clone()) else { continue };
        file.point.iter_mut().filter(|p| p.key == *key).for_each(|p| p.device.clone_from(&device));
    }
    ordered
}

/// A point is either read or computed.
fn missing(p: &PointTable, findings: &mut Vec<Finding>) {
    let read = [("device", &p.device), ("field", &p.field)];
    for (name, value) in read {
        if p.expression.is_none() && value.is_empty() {
            findings.push(Finding::fatal(
                format!("point[{}]", p.key),
                (format!("缺少键 {name}"), format!("the key `{name}` is missing")),
                (
                    format!("加上 {name} = …；计算测点则写 expression"),
                    format!("add {name} = …; a derived point has an expression instead"),
                ),
            ));
        }
        if p.expression.is_some() && !value.is_empty() {
            findings.push(Finding::fatal(
                format!("point[{}].{name}", p.key),
                ("测点要么读取，要么计算".into(), "a point is either read or computed".into()),
                (format!("去掉 {name} 或 expression"), format!("remove {name} or the expression")),
            ));
        }
    }
}

fn wrong(p: &PointTable, text: &str, error: &ExpressionError) -> Finding {
    let part: String = text.chars().skip(error.place.from).take(error.place.to - error.place.from).collect();
    let column = error.place.from + 1;
    Finding::fatal(
        format!("point[{}].expression", p.key),
        (
            format!("表达式第 {column} 个字符处“{part}”：{}", error.problem.0),
            format!("expression, character {column} `{part}`: {}", error.problem.1),
        ),
        error.remedy.clone(),
    )
}

fn check(p: &PointTable, expression: &Expression, findings: &mut Vec<Finding>) {
    if expression.result() != kind(p.kind) {
        findings.push(Finding::fatal(
            format!("point[{}].kind", p.key),
            ("表达式的结果与类别不符".into(), "the expression does not give this kind".into()),
            (
                "状态用 kind = \"state\"，数值用其他类别".into(),
                "a state needs kind = \"state\", a number any other".into(),
            ),
        ));
    }
    if expression.inputs().is_empty() {
        findings.push(Finding::fatal(
            format!("point[{}].expression", p.key),
            ("表达式没有用到任何测点".into(), "the expression uses no point".into()),
            ("测点写成 {GT-101}".into(), "a point is written {GT-101}".into()),
        ));
    }
}

/// Each after those it needs; what needs itself is reported.
fn order(mut left: BTreeMap<String, Expression>, findings: &mut Vec<Finding>) -> Ordered {
    let mut ordered = Ordered::new();
    while !left.is_empty() {
        let waits = |e: &Expression| e.inputs().iter().any(|i| left.contains_key(i));
        let ready: Vec<String> = left.iter().filter(|(_, e)| !waits(e)).map(|(key, _)| key.clone()).collect();
        if ready.is_empty() {
            let circle: Vec<&str> = left.keys().map(String::as_str).collect();
            let circle = circle.join(", ");
            findings.extend(left.keys().map(|key| {
                Finding::fatal(
                    format!("point[{key}].expression"),
                    (format!("计算测点互相依赖：{circle}"), format!("derived points need each other: {circle}")),
                    ("改写其中一个，只用读取的测点".into(), "write one of them with points that are read".into()),
                )
            }));
            return ordered;
        }
        for key in ready {
            if let Some(expression) = left.remove(&key) {
                ordered.push((key, expression));
            }
        }
    }
    ordered
}

fn tables(given: &[StrappingTable], findings: &mut Vec<Finding>) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    for table in given {
        let plain = !table.key.is_empty() && table.key.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !plain {
            findings.push(Finding::fatal(
                format!("strapping[{}].key", table.key),
                ("容积表名称不可用".into(), "this name of a table cannot be used".into()),
                ("只用字母、数字和 _".into(), "use letters, digits and _ only".into()),
            ));
        }
        match Table::new(table.rows.clone()) {
            Ok(built) => {
                tables.insert(table.key.clone(), built);
            }
            Err(error) => findings.push(Finding::fatal(
                format!("strapping[{}].rows", table.key),
                table_words(error),
                (
                    "按检定证书逐行写 [液位, 容积]".into(),
                    "write [level, volume] row by row as on the certificate".into(),
                ),
            )),
        }
    }
    tables
}

fn table_words(error: TableError) -> (String, String) {
    let (zh, en) = match error {
        TableError::Size => ("容积表要有 2 到 2000 行", "a strapping table has 2 to 2000 rows"),
        TableError::NotFinite => ("容积表中有无效的数", "a number in the table is none"),
        TableError::NotRising => ("液位必须逐行上升", "the level must rise from row to row"),
        TableError::Falling => ("容积不能下降", "the volume must not fall"),
    };
    (zh.into(), en.into())
}
