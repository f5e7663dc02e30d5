//! People who are named without a session of their own: who asked for a bypass, who answers for the work on a hidden danger.
//!
//! A name is given, by account or as people call them. One that belongs to an account is recorded as that account, however it is written,
//! so that the engine and whoever reads the journal compare accounts. Leaves the decision on accounts to the engine.

use super::accounts::{Accounts, Session};
use super::fields::{REMARK_MAX, Wrong};
use super::problem::{Kind, Problem, of_rejected};
use crate::store::users::UserRow;
use rules::people::{NAME_MIN, is_name, same_name};
use rules::{Refusal, Rejected};
use schemars::JsonSchema;
use serde::Serialize;

/// Who asked for a bypass, as the record has it.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Requester {
    /// The account's own name, else as it was given.
    pub(super) recorded_as: String,
    /// False where nobody here has an account of that name: the record says so.
    pub(super) account: bool,
}

/// An account where the name is one's, else as given. That there is one at all is for the engine to say, with whatever else is missing;
/// the marks that a form is filled with go no further than here, since what the engine took once it must take in every replay.
pub(super) async fn requester(accounts: &Accounts, approver: &Session, asked: String) -> Result<Requester, Problem> {
    if !asked.trim().is_empty() {
        name(&asked)?;
    }
    if same_name(&asked, &approver.user) || same_name(&asked, &approver.display_name) {
        return Err(same_person());
    }
    match account(accounts, &asked).await? {
        Some(recorded_as) if recorded_as == approver.user => Err(same_person()),
        Some(recorded_as) => Ok(Requester { recorded_as, account: true }),
        None => Ok(Requester { recorded_as: asked, account: false }),
    }
}

/// Refuses what can be nobody's name.
pub(super) fn name(asked: &str) -> Result<(), Problem> {
    let wrong = || Problem::unacceptable(&[Wrong::text("requested_by", asked, NAME_MIN, REMARK_MAX)]);
    if is_name(asked) { Ok(()) } else { Err(wrong()) }
}

/// The account whose name it is, else as given.
pub(super) async fn recorded(accounts: &Accounts, given: String) -> Result<String, Problem> {
    Ok(account(accounts, &given).await?.unwrap_or(given))
}

async fn account(accounts: &Accounts, given: &str) -> Result<Option<String>, Problem> {
    if given.trim().is_empty() {
        return Ok(None);
    }
    let people = accounts.users().await.map_err(|_| Problem::retry(Kind::Busy, 5))?;
    Ok(account_of(&people, given).map(|account| account.name.clone()))
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
