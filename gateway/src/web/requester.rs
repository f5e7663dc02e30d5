//! People who are named without a session of their own: who asked for a bypass, who answers for the work on a hidden danger.
//!
//! A name is given, by account or as people call them. One that belongs to an account is recorded as that account, however it is written,
//! so that the engine and whoever reads the journal compare accounts. Leaves the decision on accounts to the engine.

use super::accounts::{Accounts, Session};
use super::problem::{Kind, Problem, of_rejected};
use crate::store::users::UserRow;
use rules::people::same_name;
use rules::{Refusal, Rejected};

/// The requester as it is recorded: an account where the name is one's, else as given.
pub(super) async fn requester(accounts: &Accounts, approver: &Session, asked: String) -> Result<String, Problem> {
    if same_name(&asked, &approver.user) || same_name(&asked, &approver.display_name) {
        return Err(same_person());
    }
    let recorded = recorded(accounts, asked).await?;
    if recorded == approver.user { Err(same_person()) } else { Ok(recorded) }
}

/// The account whose name it is, else as given.
pub(super) async fn recorded(accounts: &Accounts, given: String) -> Result<String, Problem> {
    if given.trim().is_empty() {
        return Ok(given);
    }
    let people = accounts.users().await.map_err(|_| Problem::retry(Kind::Busy, 5))?;
    let account = account_of(&people, &given).map(|account| account.name.clone());
    Ok(account.unwrap_or(given))
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
    fn a_name_that_belongs_to_one_account_is_that_account() {
        let people = [person("zhang", "张工"), person("li", "王"), person("wang", "王"), person("w2", "li")];
        let of = |asked| account_of(&people, asked).map(|row| row.name.as_str());
        assert_eq!((of("张 工"), of("Zhang"), of("外委 赵")), (Some("zhang"), Some("zhang"), None));
        assert_eq!((of("王"), of("li")), (None, Some("li")), "two are called so; an account goes first");
    }
}
