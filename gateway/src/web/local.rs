//! The local operator: whoever may read a file of a running station on its own machine may look at it without signing in.
//!
//! ```text
//!   start ──► <data_dir>/local-token (0600, 256 random bits, another one at each start) ◄── read ── `status`, `events`
//! ```
//! It only looks (role viewer, GET), and only from this machine, never through a proxy. A sign-in that carries it is counted apart from
//! those of its address. Nothing of it is stored but the file, so
//! that a stolen copy is worth nothing after the next start.

use super::accounts::Session;
use super::routes::Role;
use super::token;
use axum::http::{HeaderMap, header};
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The file in the data folder.
pub const FILE: &str = "local-token";

/// What the file holds.
pub struct LocalToken(String);

impl LocalToken {
    /// Makes a new one and leaves it in the folder; the old one is worth nothing from then on.
    /// # Errors
    /// Those of the file.
    pub fn leave_in(folder: &Path) -> io::Result<Self> {
        let made = Self(token::hex_token::<32>());
        let draft = folder.join(format!("{FILE}.new"));
        // left by a start that was killed in between
        let _ = std::fs::remove_file(&draft);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        writeln!(file, "{}", made.0)?;
        std::fs::rename(&draft, folder.join(FILE))?;
        Ok(made)
    }

    /// What the command line reads, to be sent as `Authorization: Bearer …`.
    /// # Errors
    /// Those of the file: there is none before the first start, others may not read it.
    pub fn found_in(folder: &Path) -> io::Result<String> {
        std::fs::read_to_string(folder.join(FILE)).map(|text| text.trim().to_owned())
    }

    /// The session of a request that carries it.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        token::same(given, &self.0).then(|| Session {
            user: "local".into(),
            display_name: String::new(),
            roles: vec![Role::Viewer],
            csrf: String::new(),
            demo: false,
            terminal: String::new(),
            key: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_owners_alone_and_another_start_makes_another_token() {
        let folder = tempfile::tempdir().unwrap();
        LocalToken::leave_in(folder.path()).unwrap();
        let first = LocalToken::found_in(folder.path()).unwrap();
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!((first.len(), mode & 0o777), (64, 0o600));
        std::fs::write(folder.path().join("local-token.new"), "left over").unwrap();
        let second = LocalToken::leave_in(folder.path()).unwrap();
        assert_ne!(LocalToken::found_in(folder.path()).unwrap(), first);
        let headers =
            |token: &str| HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);
        assert!(second.session(&headers(&first)).is_none(), "the old one is worth nothing");
        let now = LocalToken::found_in(folder.path()).unwrap();
        assert_eq!(second.session(&headers(&now)).unwrap().roles, [Role::Viewer]);
        assert!(second.session(&HeaderMap::new()).is_none());
    }
}
