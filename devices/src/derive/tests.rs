//! The language as people use it, and as somebody who means harm would.

use super::*;
use proptest::prelude::*;
use rules::{Doubt, Fault, Finite, Reading};

/// Points `a b c` are numbers, `s t` states; the tank holds 10 at 0 and 110 at 2.
struct Site;

impl Names for Site {
    fn point(&self, key: &str) -> Option<Type> {
        match key {
            "a" | "b" | "c" | "GT-101" => Some(Type::Number),
            "s" | "t" => Some(Type::State),
            _ => None,
        }
    }
    fn table(&self, key: &str) -> Option<Table> {
        (key == "tank").then(|| Table::new(vec![(0.0, 10.0), (1.0, 30.0), (2.0, 110.0)]).unwrap())
    }
}

fn good(value: f64) -> Reading {
    Reading::Good(Finite::new(value).unwrap())
}

fn with(text: &str, inputs: &[f64]) -> Reading {
    let expression = Expression::parse(text, &Site).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let inputs: Vec<Reading> = inputs.iter().map(|v| good(*v)).collect();
    expression.evaluate(&inputs)
}

fn refused(text: &str) -> ExpressionError {
    Expression::parse(text, &Site).expect_err(text)
}

const BAD: Reading = Reading::Bad(Fault::NotANumber);

#[test]
fn arithmetic_follows_the_usual_precedence() {
    for (text, value) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("8 / 2 / 2", 2.0),
        ("10 - 3 - 2", 5.0),
        ("-2 * -3", 6.0),
        ("--2", 2.0),
        ("1.5e2 + .5", 150.5),
        ("min(3, 1, 2) + max(3, 1, 2)", 4.0),
        ("avg(1, 2, 6)", 3.0),
        ("abs(-4)", 4.0),
        ("if(1 < 2, 10, 20)", 10.0),
        ("if(not (1 < 2), 10, 20)", 20.0),
        ("table(tank, 1.5)", 70.0),
        ("0.79 * 500 / critical(methanol)", 0.79),
    ] {
        assert_eq!(with(text, &[]), good(value), "{text}");
    }
}

#[test]
fn states_are_compared_and_joined() {
    for (text, state) in [
        ("1 < 2", 1.0),
        ("1 > 2", 0.0),
        ("2 >= 2 and 2 <= 2", 1.0),
        ("1 == 1 or 1 != 1", 1.0),
        ("true and not false", 1.0),
        ("not not true", 1.0),
        ("false or false and true", 0.0),
        ("true == false", 0.0),
        ("-3 > -2", 0.0),
    ] {
        assert_eq!(with(text, &[]), good(state), "{text}");
    }
    assert_eq!(with("{s} and {a} < 500", &[1.0, 400.0]), good(1.0));
    assert_eq!(with("{a} > 1 and {a} < 3", &[2.0]), good(1.0), "one point twice is one input");
}

#[test]
fn what_is_no_number_is_bad() {
    for text in
        ["1 / 0", "0 / 0", "1e308 * 10", "1 / (1e308 * 10)", "table(tank, 2.01)", "table(tank, -0.01)", "1 / {a}"]
    {
        assert_eq!(with(text, &[0.0]), BAD, "{text}");
    }
}

#[test]
fn a_branch_that_is_not_taken_needs_no_number() {
    for (text, value) in [
        ("if({a} > 0, 1 / {a}, 7)", 7.0),
        ("if({a} == 0, 7, 1 / {a})", 7.0),
        ("if({a} <= 2, table(tank, {a}), table(tank, {a} + 3))", 10.0),
        ("if({a} > 0, 1e308 * 10 + 1, 5) * 2", 10.0),
        ("if({a} > 0, min(1, 1 / {a}), if({a} < 0, avg(2, -1 / {a}), 3))", 3.0),
        ("if({a} == 0, if({a} == 0, 4, 1 / {a}), 1 / {a})", 4.0),
        ("max(1, if({a} > 0, abs(-(1 / {a})), 9), 2)", 9.0),
    ] {
        assert_eq!(with(text, &[0.0]), good(value), "{text}");
    }
    assert_eq!(with("if({a} > 0, not (1 / {a} > 2), true)", &[0.0]), good(1.0), "a choice of states as well");
    assert_eq!(with("if({a} > 0, 1 / {a}, 7)", &[4.0]), good(0.25));
}

#[test]
fn no_number_in_the_condition_or_in_the_branch_that_is_taken_is_bad() {
    for text in [
        "if({a} == 0, 1 / {a}, 7)",
        "if({a} > 0, 7, 1 / {a})",
        "if(1 / {a} > 2, 1, 2)",
        "if(if({a} == 0, 1 / {a}, 1) > 0, 1, 2)",
        "if({a} == 0, if({a} > 0, 1, table(tank, 9)), 3)",
        "if({a} == 0, 1e308 * 10, 1) * 0",
        "{a} > 0 and 1 / {a} > 2",
        "{a} == 0 or 1 / {a} > 2",
        "min(1, 1 / {a})",
    ] {
        assert_eq!(with(text, &[0.0]), BAD, "{text}");
    }
}

#[test]
fn quality_is_the_worst_of_all_inputs_even_of_a_branch_not_taken() {
    let expression = Expression::parse("if({s}, {a}, {b})", &Site).unwrap();
    assert_eq!(expression.inputs(), ["s", "a", "b"]);
    let doubtful = Reading::Uncertain(Finite::new(7.0).unwrap(), Doubt::OverRange);
    assert_eq!(expression.evaluate(&[good(1.0), good(5.0), good(6.0)]), good(5.0));
    let result = expression.evaluate(&[good(1.0), good(5.0), doubtful]);
    assert_eq!(result, Reading::Uncertain(Finite::new(5.0).unwrap(), Doubt::OverRange));
    let lost = Reading::Bad(Fault::Timeout);
    assert_eq!(expression.evaluate(&[good(1.0), good(5.0), lost]), lost);
    assert_eq!(expression.evaluate(&[good(1.0), doubtful, lost]), lost);
    assert_eq!(expression.evaluate(&[good(1.0)]), Reading::Bad(Fault::NeverRead));
}

#[test]
fn every_defect_has_its_place_and_a_remedy() {
    for (text, from, problem) in [
        ("", 0, "ends too early"),
        ("1 +", 3, "ends too early"),
        ("{nobody} + 1", 0, "no point `nobody`"),
        ("1 + {a", 4, "a } is missing"),
        ("a + 1", 0, "no function `a`"),
        ("{a} and {s}", 0, "a state is wanted"),
        ("{s} + 1", 0, "a number is wanted"),
        ("1 + {s}", 4, "a number is wanted"),
        ("not {a}", 4, "a state is wanted"),
        ("if({a}, 1, 2)", 3, "a state is wanted"),
        ("if({s}, 1, {t})", 11, "a number is wanted"),
        ("max(1, )", 7, "cannot stand here"),
        ("max 1", 4, "( follows"),
        ("(1 + 2", 6, ") is missing"),
        ("1 2", 2, "left over"),
        ("1 < 2 < 3", 6, "left over"),
        ("table(pond, 1)", 6, "no strapping table"),
        ("critical(water)", 9, "no critical quantity"),
        ("1e999", 0, "no number"),
        ("{a} = 1", 4, "left over"),
        ("{a} ＋ 1", 4, "`＋` is a full-width sign"),
        ("max（{a}, 1)", 3, "`（` is a full-width sign"),
    ] {
        let error = refused(text);
        assert!(error.problem.1.contains(problem), "{text}: {error:?}");
        assert_eq!(error.place.from, from, "{text}: {error:?}");
        assert!(!error.remedy.0.is_empty() && !error.remedy.1.is_empty());
    }
}

#[test]
fn depth_and_size_have_limits_that_hold_before_the_stack_does() {
    let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(with(&deep(DEPTH_MAX - 1), &[]), good(1.0));
    assert!(refused(&deep(DEPTH_MAX)).problem.1.contains("deeply"));
    assert!(refused(&deep(900)).problem.1.contains("deeply"));
    assert!(refused(&"(".repeat(LENGTH_MAX)).problem.1.contains("deeply"));
    assert!(refused(&"1+".repeat(LENGTH_MAX)).problem.1.contains("too long"));
    assert!(refused(&format!("{}1", "1+".repeat(400))).problem.1.contains("too large"));
    assert_eq!(with(&format!("{}1", "-".repeat(1000)), &[]), good(1.0));
    assert_eq!(with(&format!("{}true", "not ".repeat(400)), &[]), good(1.0));
}

#[test]
fn a_strapping_table_is_checked_and_says_nothing_beyond_its_ends() {
    let table = Table::new(vec![(0.0, 10.0), (1.0, 30.0), (2.0, 110.0)]).unwrap();
    for (level, volume) in [(0.0, 10.0), (0.5, 20.0), (1.0, 30.0), (1.75, 90.0), (2.0, 110.0)] {
        assert_eq!(table.at(level), Some(volume), "{level}");
    }
    assert_eq!((table.at(-1e-9), table.at(2.1), table.at(f64::NAN)), (None, None, None));
    for (rows, error) in [
        (vec![(0.0, 1.0)], TableError::Size),
        (vec![(0.0, 1.0), (0.0, 2.0)], TableError::NotRising),
        (vec![(0.0, 2.0), (1.0, 1.0)], TableError::Falling),
        (vec![(0.0, 2.0), (f64::NAN, 3.0)], TableError::NotFinite),
    ] {
        assert_eq!(Table::new(rows), Err(error));
    }
}

#[test]
fn the_critical_quantities_are_those_of_the_standard_s_examples() {
    let of = |key: &str| substance(key).unwrap().critical_t;
    // domain examples: 51 t of ammonia give S = 5.1, 1343 t of methanol 2.686, 10 t of chlorine 2
    assert!((51.0 / of("ammonia") - 5.1).abs() < 1e-12);
    assert!((1343.0 / of("methanol") - 2.686).abs() < 1e-12);
    assert!((10.0 / of("chlorine") - 2.0).abs() < 1e-12);
    assert!(substance_keys().split(' ').all(|key| substance(key).is_some_and(|s| s.critical_t > 0.0)));
}

/// A well-typed number over `a` and `b`, as text and as what it must give.
fn number() -> impl Strategy<Value = (String, fn(f64, f64) -> f64)> {
    prop_oneof![
        Just(("{a} + {b} * 2".to_owned(), (|a, b| a + b * 2.0) as fn(f64, f64) -> f64)),
        Just(("({a} - {b}) / 4".to_owned(), (|a, b| (a - b) / 4.0) as fn(f64, f64) -> f64)),
        Just(("if({a} > {b}, {a}, {b})".to_owned(), f64::max as fn(f64, f64) -> f64)),
        Just(("if({a} >= {b}, {b}, {a})".to_owned(), f64::min as fn(f64, f64) -> f64)),
        Just(("avg({a}, {b}, 0)".to_owned(), (|a, b| (a + b) / 3.0) as fn(f64, f64) -> f64)),
        Just(("abs({a}) - abs({b})".to_owned(), (|a, b| a.abs() - b.abs()) as fn(f64, f64) -> f64)),
    ]
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[-0-9a-z+*/(){}<>=!., ]{0,80}") {
        if let Ok(expression) = Expression::parse(&text, &Site) {
            let inputs = vec![good(1.0); expression.inputs().len()];
            let value = expression.evaluate(&inputs).value();
            prop_assert!(value.is_none_or(f64::is_finite), "{text}: {value:?}");
        }
    }

    #[test]
    fn an_expression_gives_what_arithmetic_gives((text, expected) in number(), a in -1e6f64..1e6, b in -1e6f64..1e6) {
        let expression = Expression::parse(&text, &Site).unwrap();
        let at = |key: &str| if key == "a" { good(a) } else { good(b) };
        let inputs: Vec<Reading> = expression.inputs().iter().map(|key| at(key)).collect();
        let value = expression.evaluate(&inputs).value().unwrap();
        prop_assert!((value - expected(a, b)).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0), "{text}: {value}");
    }

    #[test]
    fn a_result_is_never_better_than_its_worst_input(codes in prop::collection::vec(0u8..3, 3)) {
        let expression = Expression::parse("max({a}, {b}, {c})", &Site).unwrap();
        let reading = |code: &u8| match code {
            0 => good(1.0),
            1 => Reading::Uncertain(Finite::new(2.0).unwrap(), Doubt::Maintenance),
            _ => Reading::Bad(Fault::Sensor),
        };
        let inputs: Vec<Reading> = codes.iter().map(reading).collect();
        let worst = inputs.iter().map(|r| r.quality_code()).max().unwrap();
        prop_assert_eq!(expression.evaluate(&inputs).quality_code(), worst);
    }
}
