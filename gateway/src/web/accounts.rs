//! Who is signed in. Sessions live in memory and are written through to the database, so that a full disk or a broken
//! database neither hides the alarms from an open session nor keeps it from acknowledging.
//!
//! Owns users, sessions, the one-time setup code, the throttle and what of the refusals is written. Leaves headers and cookies to [`super::auth`],
//! creating and changing users to [`super::people`].

use super::account_db::{self, AccountDb, Unavailable};
use super::local::LocalToken;
use super::password::{self, Crowded, Hasher, Weak};
use super::refusals::Refusals;
use super::routes::{Action, Role, allows};
use super::throttle::{Door, Throttle, Wait};
use super::token;
use crate::lock::lock;
use crate::store::users::{self, OperatorNote, SessionRow, UserRow};
use axum::http::HeaderMap;
use rules::{Actor, Clock, Mono, Now};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const IDLE_LIMIT: Duration = Duration::from_secs(15 * 60);
const ABSOLUTE_LIMIT: Duration = Duration::from_secs(12 * 3600);
const SESSIONS_PER_USER: usize = 5;
/// `last_seen` is written at most this often.
const SEEN_GRAIN: Duration = Duration::from_secs(60);

/// A person with a right to be here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: String,
    /// As people call them; empty when nobody gave a name.
    pub display_name: String,
    pub roles: Vec<Role>,
    pub csrf: String,
    /// Given without a password to a peer on this machine; only in `demo`.
    pub demo: bool,
    /// The address that asks now.
    pub terminal: String,
    pub(super) key: String,
}

impl Session {
    /// The role in which this person may do it.
    #[must_use]
    pub fn role_for(&self, action: Action) -> Option<Role> {
        self.roles.iter().copied().find(|role| allows(*role, action))
    }

    /// The name under which a command is recorded.
    #[must_use]
    pub fn actor(&self, action: Action) -> Option<Actor> {
        let role = self.role_for(action)?.word().to_owned();
        Some(Actor { user: self.user.clone(), role, terminal: self.terminal.clone() })
    }
}

#[derive(Clone, Debug)]
struct Live {
    user: String,
    display_name: String,
    roles: Vec<Role>,
    created: Mono,
    seen: Mono,
    written: Mono,
    created_ms: i64,
    /// What the user was when this session began, see [`basis`].
    basis: String,
}

/// Changes with anything that ends a user's sessions: role, password, disabled.
fn basis(row: &UserRow) -> String {
    token::hash(&format!("{}\n{}\n{}", row.role, row.hash, row.disabled))
}

#[derive(Clone, Debug)]
pub(super) struct SetupCode {
    pub(super) code: String,
    pub(super) made: Mono,
}

/// Why nobody was signed in or no user was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    Wrong,
    Wait(Wait),
    Weak(Weak),
    /// Fields that are missing or not acceptable.
    Fields(Vec<String>),
    Taken,
    Unknown,
    Busy,
}

impl From<Crowded> for Refused {
    fn from(_: Crowded) -> Self {
        Self::Busy
    }
}
impl From<Unavailable> for Refused {
    fn from(_: Unavailable) -> Self {
        Self::Busy
    }
}

/// A token as it goes into the cookie, and what it stands for.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub token: String,
    pub session: Session,
}

/// Users and sessions of one station.
pub struct Accounts {
    pub(super) db: Arc<dyn AccountDb>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hasher: Hasher,
    sessions: Mutex<BTreeMap<String, Live>>,
    pub(super) throttle: Mutex<Throttle>,
    pub(super) setup: Mutex<Option<SetupCode>>,
    pub(super) refusals: Refusals,
    demo_csrf: Option<String>,
    /// Set before anybody is served.
    pub(super) local: Option<LocalToken>,
}

/// Roles as stored: `operator+safety`.
#[must_use]
pub fn roles_of(text: &str) -> Vec<Role> {
    text.split('+').filter_map(Role::of_word).collect()
}

pub(super) fn role_text(roles: &[Role]) -> String {
    roles.iter().map(|role| role.word()).collect::<Vec<_>>().join("+")
}

impl Accounts {
    /// Takes up the sessions that have not run out; with no user at all a setup code is made (see [`Self::setup_code`]).
    pub async fn open(db: Arc<dyn AccountDb>, clock: Arc<dyn Clock>, demo_operator: bool) -> Self {
        let found = account_db::with(&*db, |conn| Ok((users::users(conn)?, users::sessions(conn)?))).await;
        let nobody = found.as_ref().is_ok_and(|(people, _)| people.is_empty());
        let (people, rows) = found.unwrap_or_default();
        let now = clock.now();
        let known: BTreeMap<&str, &UserRow> = people.iter().map(|row| (row.name.as_str(), row)).collect();
        let restored = |row: SessionRow| restored(known.get(row.user.as_str())?, row, now);
        let sessions = rows.into_iter().filter_map(restored).collect();
        let setup = (nobody && !demo_operator).then(|| SetupCode { code: token::setup_code(), made: now.mono });
        Self {
            db,
            clock,
            hasher: Hasher::new(),
            sessions: Mutex::new(sessions),
            throttle: Mutex::default(),
            refusals: Refusals::default(),
            setup: Mutex::new(setup),
            demo_csrf: demo_operator.then(token::hex_token::<32>),
            local: None,
        }
    }

    /// The one-time code, to be shown on the console only; `None` once there is a user.
    #[must_use]
    pub fn setup_code(&self) -> Option<String> {
        lock(&self.setup).as_ref().map(|setup| setup.code.clone())
    }

    /// True until the first administrator exists.
    #[must_use]
    pub fn setup_needed(&self) -> bool {
        lock(&self.setup).is_some()
    }

    /// The demo's session; only where `demo_operator` is set.
    #[must_use]
    pub fn demo_session(&self) -> Option<Session> {
        let csrf = self.demo_csrf.clone()?;
        let roles = vec![Role::Operator, Role::Safety];
        Some(Session {
            user: "demo".into(),
            display_name: String::new(),
            roles,
            csrf,
            demo: true,
            terminal: String::new(),
            key: String::new(),
        })
    }

    /// The session of somebody who may read the files of this station; the caller has seen that they are on this machine.
    pub(super) fn local_session(&self, headers: &HeaderMap) -> Option<Session> {
        self.local.as_ref()?.session(headers)
    }

    /// Whose token this is. `touch` counts as activity; a stream does not.
    #[must_use]
    pub fn session_of(&self, raw: &str, touch: bool) -> Option<Session> {
        let key = token::hash(raw);
        let now = self.clock.now();
        let mut sessions = lock(&self.sessions);
        let live = sessions.get_mut(&key)?;
        if expired(live, now.mono) {
            sessions.remove(&key);
            return None;
        }
        if touch {
            live.seen = now.mono;
        }
        Some(Session {
            user: live.user.clone(),
            display_name: live.display_name.clone(),
            roles: live.roles.clone(),
            csrf: token::csrf_of(raw),
            demo: false,
            terminal: String::new(),
            key,
        })
    }

    /// True while the session behind an open stream may go on.
    #[must_use]
    pub fn still_good(&self, session: &Session) -> bool {
        // nobody signed in for the demo's and the local operator's: they last as long as this process
        session.key.is_empty()
            || lock(&self.sessions).get(&session.key).is_some_and(|live| !expired(live, self.clock.now().mono))
    }

    /// Writes `last_seen` of the sessions that moved; called by the server now and then.
    pub async fn write_behind(&self) {
        let now = self.clock.now();
        let (gone, moved) = self.due(now);
        if gone.is_empty() && moved.is_empty() {
            return;
        }
        let _ = account_db::with(&*self.db, move |conn| {
            users::remove_sessions(conn, &gone)?;
            moved.iter().try_for_each(|row| users::put_session(conn, row))
        })
        .await;
    }

    fn due(&self, now: Now) -> (Vec<String>, Vec<SessionRow>) {
        let mut sessions = lock(&self.sessions);
        let gone: Vec<String> =
            sessions.iter().filter(|(_, live)| expired(live, now.mono)).map(|(key, _)| key.clone()).collect();
        gone.iter().for_each(|key| drop(sessions.remove(key)));
        let mut moved = Vec::new();
        for (key, live) in sessions.iter_mut().filter(|(_, live)| live.seen.since(live.written) >= SEEN_GRAIN) {
            live.written = live.seen;
            moved.push(row_of(key, live, now));
        }
        (gone, moved)
    }

    /// Signs in. The answer and its duration are the same for an unknown user and a wrong password.
    /// # Errors
    /// [`Refused::Wrong`], `Wait` or `Busy`.
    pub async fn sign_in(&self, user: &str, password: String, door: impl Into<Door>) -> Result<NewSession, Refused> {
        let (now, door) = (self.clock.now().mono, door.into());
        lock(&self.throttle).admit(door, user, now).map_err(Refused::Wait)?;
        let name = user.to_owned();
        let row = account_db::with(&*self.db, move |conn| users::user(conn, &name)).await?;
        let row = row.filter(|row| !row.disabled);
        let fits = password.chars().count() <= *password::LENGTH.end()
            && self.hasher.verify(password, row.as_ref().map(|row| row.hash.clone())).await?;
        match row {
            Some(row) if fits => {
                lock(&self.throttle).succeeded(door, user);
                Ok(self.begin(&row).await)
            }
            _ => {
                lock(&self.throttle).failed(door, user, self.clock.now().mono);
                Err(Refused::Wrong)
            }
        }
    }

    pub(super) async fn begin(&self, user: &UserRow) -> NewSession {
        let (basis, roles) = (basis(user), roles_of(&user.role));
        let (user, display_name) = (user.name.clone(), user.display_name.clone());
        let raw = token::hex_token::<32>();
        let key = token::hash(&raw);
        let now = self.clock.now();
        let live = Live {
            user: user.clone(),
            display_name: display_name.clone(),
            roles: roles.clone(),
            created: now.mono,
            seen: now.mono,
            written: now.mono,
            created_ms: now.wall.utc_ms,
            basis,
        };
        let row = row_of(&key, &live, now);
        let surplus = self.admit(key.clone(), live);
        // A session that could not be written lives until the next start: signing in must work with a full disk.
        let _ = account_db::with(&*self.db, move |conn| {
            users::remove_sessions(conn, &surplus)?;
            users::put_session(conn, &row)
        })
        .await;
        NewSession {
            session: Session {
                user,
                display_name,
                roles,
                csrf: token::csrf_of(&raw),
                demo: false,
                terminal: String::new(),
                key,
            },
            token: raw,
        }
    }

    #[cfg(test)]
    pub(super) async fn begin_for_test(&self, user: &str, role: Role) -> NewSession {
        let role = role.word().to_owned();
        let row =
            UserRow { name: user.into(), role, hash: String::new(), disabled: false, display_name: String::new() };
        self.begin(&row).await
    }

    /// Adds it and ends the user's oldest ones beyond the limit.
    fn admit(&self, key: String, live: Live) -> Vec<String> {
        let mut sessions = lock(&self.sessions);
        let mut own: Vec<(Mono, String)> = sessions
            .iter()
            .filter(|(_, other)| other.user == live.user)
            .map(|(key, other)| (other.created, key.clone()))
            .collect();
        own.sort();
        let surplus = (own.len() + 1).saturating_sub(SESSIONS_PER_USER);
        let ended: Vec<String> = own.into_iter().take(surplus).map(|(_, key)| key).collect();
        ended.iter().for_each(|key| drop(sessions.remove(key)));
        sessions.insert(key, live);
        ended
    }

    /// Ends one session at once.
    pub async fn sign_out(&self, session: &Session) {
        lock(&self.sessions).remove(&session.key);
        let key = session.key.clone();
        let _ = account_db::with(&*self.db, move |conn| users::remove_sessions(conn, &[key])).await;
    }

    /// Ends every session of a user at once.
    pub(super) async fn end_all(&self, user: &str) {
        let mut ended = Vec::new();
        lock(&self.sessions).retain(|key, live| {
            let keep = live.user != user;
            if !keep {
                ended.push(key.clone());
            }
            keep
        });
        let _ = account_db::with(&*self.db, move |conn| users::remove_sessions(conn, &ended)).await;
    }
}

impl Accounts {
    /// Takes up what the command line changed in the database: ends the sessions of users who were disabled or changed, and
    /// drops the setup code once there is a user. Returns the notes for the journal.
    /// # Errors
    /// [`Unavailable`]; open sessions go on.
    pub(super) async fn follow(&self) -> Result<Vec<OperatorNote>, Unavailable> {
        let began = self.clock.now().mono;
        let (people, notes) =
            account_db::with(&*self.db, |conn| Ok((users::users(conn)?, users::notes(conn)?))).await?;
        if !people.is_empty() {
            lock(&self.setup).take();
        }
        let now_is: BTreeMap<&str, String> = people.iter().map(|row| (row.name.as_str(), basis(row))).collect();
        let mut ended = Vec::new();
        lock(&self.sessions).retain(|key, live| {
            // a session younger than this look may already be of a newer password
            let keep = live.created >= began || now_is.get(live.user.as_str()) == Some(&live.basis);
            if !keep {
                ended.push(key.clone());
            }
            keep
        });
        if !ended.is_empty() {
            account_db::with(&*self.db, move |conn| users::remove_sessions(conn, &ended)).await?;
        }
        Ok(notes)
    }

    /// A note that is in the journal now.
    pub(super) async fn noted(&self, id: i64) {
        let _ = account_db::with(&*self.db, move |conn| users::remove_note(conn, id)).await;
    }

    /// Leaves a note for whoever has the journal.
    /// # Errors
    /// [`Unavailable`].
    pub async fn leave_note(&self, action: &'static str, detail: String) -> Result<(), Unavailable> {
        account_db::with(&*self.db, move |conn| users::leave_note(conn, action, &detail)).await
    }
}

/// A wall display only looks, so it may stand idle; everybody else signs in again.
fn expired(live: &Live, now: Mono) -> bool {
    let looks_only = live.roles == [Role::Viewer];
    now.since(live.created) >= ABSOLUTE_LIMIT || (!looks_only && now.since(live.seen) >= IDLE_LIMIT)
}

fn row_of(key: &str, live: &Live, now: Now) -> SessionRow {
    let idle_ms = i64::try_from(now.mono.since(live.seen).as_millis()).unwrap_or(i64::MAX);
    SessionRow {
        token_hash: key.to_owned(),
        user: live.user.clone(),
        role: role_text(&live.roles),
        created_ms: live.created_ms,
        last_seen_ms: now.wall.utc_ms.saturating_sub(idle_ms),
    }
}

/// A stored session whose ages can be told from the wall clock; none that lies in the future.
fn restored(user: &UserRow, row: SessionRow, now: Now) -> Option<(String, Live)> {
    let ago = |then_ms: i64| {
        let age_ms = u64::try_from(now.wall.utc_ms.checked_sub(then_ms)?).ok()?;
        now.mono.0.checked_sub(age_ms.checked_mul(1_000_000)?).map(Mono)
    };
    let (created, seen) = (ago(row.created_ms)?, ago(row.last_seen_ms)?);
    let live = Live {
        user: row.user,
        display_name: user.display_name.clone(),
        roles: roles_of(&row.role),
        created,
        seen,
        written: seen,
        created_ms: row.created_ms,
        basis: basis(user),
    };
    (!expired(&live, now.mono)).then_some((row.token_hash, live))
}
