//! Creating and changing users: the first administrator by the one-time code, the others by an administrator.

use super::account_db::{self, Unavailable};
use super::accounts::{Accounts, NewSession, Refused, role_text};
use super::password;
use super::routes::Role;
use super::throttle::Door;
use super::token;
use crate::lock::lock;
use crate::store::users::{self, UserRow};
use std::time::Duration;

const SETUP_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The setup code's own entry in the throttle.
const SETUP_ACCOUNT: &str = "\u{0}setup";

pub(super) const DISPLAY_NAME_MAX: usize = 64;

/// What an administrator changes; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    pub roles: Option<Vec<Role>>,
    pub password: Option<String>,
    pub disabled: Option<bool>,
}

/// Letters, digits and `-_.`, 2 to 32 characters; Chinese letters are letters.
fn acceptable_name(name: &str) -> bool {
    (2..=32).contains(&name.chars().count()) && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
}

impl Accounts {
    /// Creates the first administrator with the one-time code and signs them in.
    /// # Errors
    /// [`Refused`]; the code stays usable when only the name or password was not acceptable.
    pub async fn set_up(&self, code: &str, user: &str, secret: String, door: Door) -> Result<NewSession, Refused> {
        let now = self.clock.now().mono;
        lock(&self.throttle).admit(door, SETUP_ACCOUNT, now).map_err(Refused::Wait)?;
        let good = lock(&self.setup)
            .as_ref()
            .is_some_and(|setup| now.since(setup.made) < SETUP_LIMIT && token::same(&setup.code, code.trim()));
        if !good {
            lock(&self.throttle).failed(door, SETUP_ACCOUNT, now);
            return Err(Refused::Wrong);
        }
        let row = self.new_row(user, &[Role::Admin], secret).await?;
        let first = row.clone();
        let made = account_db::with(&*self.db, move |conn| users::insert_first_user(conn, &first)).await?;
        lock(&self.setup).take();
        if made { Ok(self.begin(&row).await) } else { Err(Refused::Wrong) }
    }

    async fn new_row(&self, user: &str, roles: &[Role], secret: String) -> Result<UserRow, Refused> {
        if !acceptable_name(user) {
            return Err(Refused::Fields(vec!["user".into()]));
        }
        if roles.is_empty() {
            return Err(Refused::Fields(vec!["roles".into()]));
        }
        password::check(&secret, user).map_err(Refused::Weak)?;
        let hash = self.hasher.hash(secret).await?;
        Ok(UserRow {
            name: user.to_owned(),
            role: role_text(roles),
            hash,
            disabled: false,
            display_name: String::new(),
        })
    }

    /// # Errors
    /// [`Unavailable`].
    pub async fn users(&self) -> Result<Vec<UserRow>, Unavailable> {
        account_db::with(&*self.db, users::users).await
    }

    /// # Errors
    /// [`Refused::Taken`], `Weak`, `Fields` or `Busy`.
    pub async fn add_user(&self, user: &str, roles: &[Role], secret: String) -> Result<(), Refused> {
        self.add_person(user, "", roles, secret).await
    }

    /// As [`Self::add_user`], with the name people call them by.
    /// # Errors
    /// [`Refused::Taken`], `Weak`, `Fields` or `Busy`.
    pub async fn add_person(
        &self,
        user: &str,
        display_name: &str,
        roles: &[Role],
        secret: String,
    ) -> Result<(), Refused> {
        if display_name.chars().count() > DISPLAY_NAME_MAX || display_name.chars().any(char::is_control) {
            return Err(Refused::Fields(vec!["display_name".into()]));
        }
        let row = self.new_row(user, roles, secret).await?;
        let row = UserRow { display_name: display_name.trim().to_owned(), ..row };
        let made = account_db::with(&*self.db, move |conn| users::insert_user(conn, &row)).await?;
        if made { Ok(()) } else { Err(Refused::Taken) }
    }

    /// Changes a user and ends their sessions.
    /// # Errors
    /// [`Refused::Unknown`], `Weak`, `Fields` or `Busy`.
    pub async fn change_user(&self, user: &str, change: UserChange) -> Result<(), Refused> {
        let name = user.to_owned();
        let row = account_db::with(&*self.db, move |conn| users::user(conn, &name)).await?;
        let mut row = row.ok_or(Refused::Unknown)?;
        if let Some(roles) = change.roles {
            if roles.is_empty() {
                return Err(Refused::Fields(vec!["roles".into()]));
            }
            row.role = role_text(&roles);
        }
        if let Some(secret) = change.password {
            password::check(&secret, user).map_err(Refused::Weak)?;
            row.hash = self.hasher.hash(secret).await?;
        }
        row.disabled = change.disabled.unwrap_or(row.disabled);
        account_db::with(&*self.db, move |conn| {
            users::remove_sessions_of(conn, &row.name)?;
            users::update_user(conn, &row)
        })
        .await?;
        self.end_all(user).await;
        Ok(())
    }

    /// A user's own change of password; all sessions end.
    /// # Errors
    /// [`Refused::Wrong`] when the present password does not fit.
    pub async fn change_own(&self, user: &str, old: String, new: String, door: Door) -> Result<(), Refused> {
        let fresh = self.sign_in(user, old, door).await?;
        self.sign_out(&fresh.session).await;
        self.change_user(user, UserChange { password: Some(new), ..UserChange::default() }).await
    }
}
