//! Who asked for a bypass: a person other than the one who approves it, however the name is written.
//!
//! The requester has no session here: a name is given, by account or as people call them. One that belongs to an account is recorded as
//! that account, so that the engine and whoever reads the journal compare accounts. Leaves the decision on accounts to the engine.

use super::accounts::{Accounts, Session};
use super::problem::{Kind, Problem, of_rejected};
use crate::store::users::UserRow;
use rules::{Refusal, Rejected};

/// The requester as it is recorded: an account where the name is one's, else as given.
pub(super) async fn requester(accounts: &Accounts, approver: &Session, asked: String) -> Result<String, Problem> {
    if same_name(&asked, &approver.user) || same_name(&asked, &approver.display_name) {
        return Err(same_person());
    }
    let people = accounts.users().await.map_err(|_| Problem::retry(Kind::Busy, 5))?;
    match account_of(&people, &asked) {
        Some(account) if account.name == approver.user => Err(same_person()),
        Some(account) => Ok(account.name.clone()),
        None => Ok(asked),
    }
}

fn same_person() -> Problem {
    of_rejected(&Rejected::Forbidden(Refusal::SamePerson)).unwrap_or(Problem::new(Kind::Forbidden))
}

/// By account before what people are called; a name that two are called by is nobody's account.
fn account_of<'a>(people: &'a [UserRow], asked: &str) -> Option<&'a UserRow> {
    let by_account = people.iter().find(|row| same_name(&row.name, asked));
    let mut called = people.iter().filter(|row| same_name(&row.display_name, asked));
    by_account.or_else(|| called.next().filter(|_| called.next().is_none()))
}

/// The same but for case, spaces and full-width letters; nothing is nobody's name.
fn same_name(one: &str, other: &str) -> bool {
    let one = normal(one);
    !one.is_empty() && one == normal(other)
}

fn normal(name: &str) -> String {
    let narrow = |c: char| match c {
        // full-width forms of the printable ASCII signs
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    name.chars().map(narrow).filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, display_name: &str) -> UserRow {
        UserRow {
            name: name.into(),
            role: "shift".into(),
            hash: String::new(),
            disabled: false,
            display_name: display_name.into(),
        }
    }

    #[test]
    fn a_name_is_the_same_whatever_its_case_spaces_and_width() {
        for spelling in ["zhang", "Zhang ", "ＺＨＡＮＧ", " z hang", "zhang\u{3000}"] {
            assert!(same_name(spelling, "zhang"), "{spelling}");
        }
        assert!(!same_name("zhang2", "zhang") && !same_name("", "") && !same_name(" ", "\u{3000}"));
    }

    #[test]
    fn a_name_that_belongs_to_one_account_is_that_account() {
        let people = [person("zhang", "张工"), person("li", "王"), person("wang", "王"), person("w2", "li")];
        let of = |asked| account_of(&people, asked).map(|row| row.name.as_str());
        assert_eq!((of("张 工"), of("Zhang"), of("外委 赵")), (Some("zhang"), Some("zhang"), None));
        assert_eq!((of("王"), of("li")), (None, Some("li")), "two are called so; an account goes first");
    }
}
