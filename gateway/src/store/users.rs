//! Users and their sessions in the database: SQL only. Who may sign in is decided in `web::accounts`.

use rusqlite::{Connection, OptionalExtension, Row, params};

/// For a database that has no schema of its own (office, tests); the site's schema makes the same tables.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS user(name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, disabled INTEGER NOT NULL DEFAULT 0,
  display_name TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS session(token_hash TEXT PRIMARY KEY, user TEXT NOT NULL, role TEXT NOT NULL,
  created_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS operator_note(id INTEGER PRIMARY KEY, action TEXT NOT NULL, detail TEXT NOT NULL);";

/// One user; `role` is one role or several joined by `+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    pub name: String,
    pub role: String,
    /// Argon2id in PHC form.
    pub hash: String,
    pub disabled: bool,
    /// As people call them; empty when it is the name.
    pub display_name: String,
}

/// What the command line did, until the running gateway has it in its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorNote {
    pub id: i64,
    pub action: String,
    pub detail: String,
}

/// One session; the token itself is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub token_hash: String,
    pub user: String,
    pub role: String,
    pub created_ms: i64,
    pub last_seen_ms: i64,
}

fn user_of(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        name: row.get(0)?,
        role: row.get(1)?,
        hash: row.get(2)?,
        disabled: row.get(3)?,
        display_name: row.get(4)?,
    })
}

/// # Errors
/// SQLite's.
pub fn user(conn: &Connection, name: &str) -> rusqlite::Result<Option<UserRow>> {
    conn.query_row("SELECT name, role, hash, disabled, display_name FROM user WHERE name = ?1", [name], user_of)
        .optional()
}

/// All users by name.
/// # Errors
/// SQLite's.
pub fn users(conn: &Connection) -> rusqlite::Result<Vec<UserRow>> {
    conn.prepare("SELECT name, role, hash, disabled, display_name FROM user ORDER BY name")?
        .query_map([], user_of)?
        .collect()
}

/// False when the name is taken.
/// # Errors
/// SQLite's.
pub fn insert_user(conn: &Connection, user: &UserRow) -> rusqlite::Result<bool> {
    let added = conn.execute(
        "INSERT OR IGNORE INTO user(name, role, hash, disabled, display_name) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![user.name, user.role, user.hash, user.disabled, user.display_name],
    )?;
    Ok(added == 1)
}

/// The first user; false when there is one already.
/// # Errors
/// SQLite's.
pub fn insert_first_user(conn: &Connection, user: &UserRow) -> rusqlite::Result<bool> {
    let none: bool = conn.query_row("SELECT NOT EXISTS(SELECT 1 FROM user)", [], |row| row.get(0))?;
    if none { insert_user(conn, user) } else { Ok(false) }
}

/// False when there is no such user.
/// # Errors
/// SQLite's.
pub fn update_user(conn: &Connection, user: &UserRow) -> rusqlite::Result<bool> {
    let changed = conn.execute(
        "UPDATE user SET role = ?2, hash = ?3, disabled = ?4, display_name = ?5 WHERE name = ?1",
        params![user.name, user.role, user.hash, user.disabled, user.display_name],
    )?;
    Ok(changed == 1)
}

/// # Errors
/// SQLite's.
pub fn sessions(conn: &Connection) -> rusqlite::Result<Vec<SessionRow>> {
    conn.prepare(
        "SELECT token_hash, session.user, user.role, created_ms, last_seen_ms
         FROM session JOIN user ON user.name = session.user WHERE NOT user.disabled",
    )?
    .query_map([], |row| {
        Ok(SessionRow {
            token_hash: row.get(0)?,
            user: row.get(1)?,
            role: row.get(2)?,
            created_ms: row.get(3)?,
            last_seen_ms: row.get(4)?,
        })
    })?
    .collect()
}

/// Adds a session or moves its `last_seen_ms`.
/// # Errors
/// SQLite's.
pub fn put_session(conn: &Connection, session: &SessionRow) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO session(token_hash, user, role, created_ms, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT(token_hash) DO UPDATE SET last_seen_ms = excluded.last_seen_ms",
        params![session.token_hash, session.user, session.role, session.created_ms, session.last_seen_ms],
    )?;
    Ok(())
}

/// # Errors
/// SQLite's.
pub fn remove_sessions(conn: &Connection, token_hashes: &[String]) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("DELETE FROM session WHERE token_hash = ?1")?;
    for hash in token_hashes {
        statement.execute([hash])?;
    }
    Ok(())
}

/// Leaves a note for the journal.
/// # Errors
/// SQLite's.
pub fn leave_note(conn: &Connection, action: &str, detail: &str) -> rusqlite::Result<()> {
    conn.execute("INSERT INTO operator_note(action, detail) VALUES (?1, ?2)", [action, detail]).map(|_| ())
}

/// The notes that are not in the journal yet, oldest first.
/// # Errors
/// SQLite's.
pub fn notes(conn: &Connection) -> rusqlite::Result<Vec<OperatorNote>> {
    conn.prepare("SELECT id, action, detail FROM operator_note ORDER BY id LIMIT 100")?
        .query_map([], |row| Ok(OperatorNote { id: row.get(0)?, action: row.get(1)?, detail: row.get(2)? }))?
        .collect()
}

/// # Errors
/// SQLite's.
pub fn remove_note(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM operator_note WHERE id = ?1", [id]).map(|_| ())
}

/// Ends the sessions of a user as far as they are stored.
/// # Errors
/// SQLite's.
pub fn remove_sessions_of(conn: &Connection, user: &str) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM session WHERE user = ?1", [user]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_first_user_can_be_made_and_a_disabled_user_has_no_sessions() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        let mut anna = UserRow {
            name: "anna".into(),
            role: "admin".into(),
            hash: "h".into(),
            disabled: false,
            display_name: String::new(),
        };
        assert!(insert_first_user(&conn, &anna).unwrap());
        assert!(!insert_first_user(&conn, &UserRow { name: "ben".into(), ..anna.clone() }).unwrap());
        let session = SessionRow {
            token_hash: "t".into(),
            user: "anna".into(),
            role: "admin".into(),
            created_ms: 1,
            last_seen_ms: 1,
        };
        put_session(&conn, &session).unwrap();
        put_session(&conn, &SessionRow { last_seen_ms: 9, ..session }).unwrap();
        assert_eq!(sessions(&conn).unwrap()[0].last_seen_ms, 9);
        anna.disabled = true;
        assert!(update_user(&conn, &anna).unwrap());
        assert_eq!(sessions(&conn).unwrap(), []);
        remove_sessions(&conn, &["t".into()]).unwrap();
    }
}
