//! Points that are computed: their expressions, the tables they look into, and the order in which they must be computed.
//!
//! Owns every check of `expression` and `[[strapping]]`. Leaves the language to `devices::derive`.

use super::diagnostic::Finding;
use super::file::{KindWord, PointTable, SiteFile, StrappingTable};
use super::nearest::did_you_mean;
use devices::derive::{Expression, ExpressionError, Names, Place, Table, TableError, Type};
use std::collections::{BTreeMap, BTreeSet};

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
pub(super) fn prepare(file: &mut SiteFile, broken: &BTreeSet<String>, findings: &mut Vec<Finding>) -> Ordered {
    let tables = tables(&file.strapping, findings);
    let mut expressions = BTreeMap::new();
    for point in &file.point {
        missing(point, findings);
        let Some(text) = &point.expression else { continue };
        let unknown = unknown(text, &file.point);
        if !unknown.is_empty() {
            // one that is there but wrong has been reported
            let absent = unknown.iter().filter(|(_, key)| !broken.contains(key));
            findings.extend(absent.map(|(place, key)| wrong(point, text, &no_point(*place, key, &file.point))));
            continue;
        }
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
    mark_inputs(file, &ordered);
    ordered
}

/// What a computed value nears, its inputs are read fast for; those of another computed point as well.
fn mark_inputs(file: &mut SiteFile, ordered: &Ordered) {
    for (key, expression) in ordered.iter().rev() {
        if file.point.iter().any(|p| p.key == *key && (p.can_near() || p.is_input_of_neared)) {
            let inputs = expression.inputs();
            file.point.iter_mut().filter(|p| inputs.contains(&p.key)).for_each(|p| p.is_input_of_neared = true);
        }
    }
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

/// Every `{point}` of the text that is not there: the language itself stops at its first defect.
fn unknown(text: &str, points: &[PointTable]) -> Vec<(Place, String)> {
    let characters: Vec<char> = text.chars().collect();
    let mut unknown = Vec::new();
    let mut at = 0;
    while let Some(from) = characters[at..].iter().position(|c| *c == '{').map(|n| at + n) {
        let Some(length) = characters[from..].iter().position(|c| *c == '}') else { break };
        at = from + length + 1;
        let key: String = characters[from + 1..at - 1].iter().collect();
        let key = key.trim();
        if points.iter().all(|p| p.key != key) {
            unknown.push((Place { from, to: at }, key.to_owned()));
        }
    }
    unknown
}

fn no_point(place: Place, key: &str, points: &[PointTable]) -> ExpressionError {
    let keys: Vec<&str> = points.iter().map(|p| p.key.as_str()).collect();
    let problem = (format!("没有名为 {key} 的测点"), format!("there is no point `{key}`"));
    ExpressionError { place, problem, remedy: did_you_mean(key, &keys) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unknown_point_of_an_expression_is_told_with_what_was_probably_meant() {
        let point = |key: &str, expression: &str| -> PointTable {
            let texts = format!("key = '{key}'\nname = ''\nname_en = ''\nkind = 'level'\n{expression}");
            toml::from_str(&texts).unwrap()
        };
        let sum = "expression = '{LT-101} + {LT-1O2} + {ZT} + {LT-102} + {BROKEN}'";
        let read = "device = 'd'\nfield = 'f'\n";
        let points = vec![point("LT-101", read), point("LT-102", read), point("SUM", sum)];
        let mut file = SiteFile { point: points, ..SiteFile::default() };
        let mut findings = Vec::new();
        prepare(&mut file, &BTreeSet::from(["BROKEN".to_owned()]), &mut findings);
        let said: Vec<(&str, &str)> =
            findings.iter().map(|f| (f.message_en.as_str(), f.remedy_en.split('?').next().unwrap())).collect();
        assert_eq!(
            said,
            [
                ("expression, character 12 `{LT-1O2}`: there is no point `LT-1O2`", "did you mean `LT-102`"),
                ("expression, character 23 `{ZT}`: there is no point `ZT`", "allowed: LT-101, LT-102, SUM"),
            ]
        );
    }
}
