//! Rule books that were in force, so that a replay judges each time with the rules of that time.
//!
//! ```text
//!   rule_book: from_seq (entry that put it in force first) ‖ last_seq (… last) ‖ hash of the configuration ‖ digest of the body
//!              ‖ body = gzip( JSON of rules::BookParts )
//! ```
//! Written in the transaction of that entry. Only what the rules need: no address, no user name of a broker, no secret. The same
//! configuration with the same book is one row, however often it comes back; under another program version or profile it may be
//! another book, and coming back to the first one then is a third row. The ones longest out of force go first, and are counted.

use super::{StoreError, commit};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rules::RuleBook;
use rules::book::BookParts;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::sync::Arc;

pub(super) const SCHEMA_STEP: &str = "
CREATE TABLE rule_book(from_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, hash TEXT NOT NULL, digest TEXT NOT NULL,
  body BLOB NOT NULL, UNIQUE(hash, digest));
";

/// Without the constraint: a book that comes back after another one of its hash is a row of its own.
pub(super) const MORE_THAN_ONCE_STEP: &str = "
CREATE TABLE rule_book_again(from_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, hash TEXT NOT NULL,
  digest TEXT NOT NULL, body BLOB NOT NULL);
INSERT INTO rule_book_again SELECT from_seq, last_seq, hash, digest, body FROM rule_book;
DROP TABLE rule_book;
ALTER TABLE rule_book_again RENAME TO rule_book;
";

/// Version of records.db that has the table.
pub(super) const SINCE: i64 = 4;

/// A revision a day for most of a year …
const BOOKS_MAX: i64 = 256;
/// … and of the largest site (20,000 points, 1.5 MB) some twenty.
const BYTES_MAX: i64 = 32 << 20;
/// A body that says it is larger when unpacked is damaged: the largest site has a tenth of it.
const UNPACKED_MAX: u64 = 512 << 20;
/// Key in `meta` of the number of books that went.
const DROPPED: &str = "rule_books_dropped";

/// A book in the form in which it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBook {
    hash: String,
    digest: String,
    body: Arc<[u8]>,
}

impl KeptBook {
    /// `hash` is that of its configuration. A site of 20,000 points takes half a second.
    #[must_use]
    pub fn of(book: &RuleBook, hash: &str) -> Self {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut packed, book.parts()).expect("a book has finite numbers and texts only");
        let body = packed.finish().expect("memory takes what is written");
        let digest = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { hash: hash.to_owned(), digest, body: body.into() }
    }

    /// In the place of every book on file.
    #[cfg(test)]
    pub(crate) fn stands_for_all_in(&self, conn: &Connection) {
        conn.execute(
            "UPDATE rule_book SET hash = ?1, digest = ?2, body = ?3",
            params![self.hash, self.digest, &*self.body],
        )
        .unwrap();
    }
}

/// In force from entry `seq` on. A journal that was salvaged without its end counts anew from an earlier entry: books of entries that
/// are no longer there, or of others under the same number, go.
pub(super) fn keep(tx: &Transaction<'_>, seq: i64, book: &KeptBook) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM rule_book WHERE from_seq >= ?1", [seq])?;
    tx.execute("UPDATE rule_book SET last_seq = ?1 WHERE last_seq > ?1", [seq])?;
    // the newest of its hash only: an older one would be hidden behind the one that came between
    let known = "UPDATE rule_book SET last_seq = ?1 WHERE hash = ?2 AND digest = ?3 \
                 AND from_seq = (SELECT MAX(from_seq) FROM rule_book WHERE hash = ?2)";
    if tx.execute(known, params![seq, book.hash, book.digest])? > 0 {
        return Ok(());
    }
    let row = params![seq, book.hash, book.digest, &*book.body];
    tx.execute("INSERT INTO rule_book VALUES (?1, ?1, ?2, ?3, ?4)", row)?;
    make_room(tx)
}

fn make_room(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let over = "WITH newest AS (SELECT from_seq, ROW_NUMBER() OVER w AS n, SUM(LENGTH(body)) OVER w AS bytes FROM rule_book \
                WINDOW w AS (ORDER BY last_seq DESC)) \
                DELETE FROM rule_book WHERE from_seq IN (SELECT from_seq FROM newest WHERE n > 1 AND (n > ?1 OR bytes > ?2))";
    let gone = tx.execute(over, params![BOOKS_MAX, BYTES_MAX])? as u64;
    if gone > 0 {
        commit::set_meta(tx, DROPPED, &(dropped(tx)? + gone).to_string())?;
    }
    Ok(())
}

fn dropped(conn: &Connection) -> rusqlite::Result<u64> {
    Ok(commit::meta(conn, DROPPED)?.and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// The books on file, for reading.
#[derive(Debug)]
pub struct Books {
    /// None where an earlier version wrote the file.
    conn: Option<Connection>,
}

impl Books {
    pub(super) fn of(conn: Connection, version: i64) -> Self {
        Self { conn: Some(conn).filter(|_| version >= SINCE) }
    }

    /// The row of the book that entry `seq` put in force under this hash.
    /// # Errors
    /// SQLite's.
    pub fn row(&self, hash: &str, seq: u64) -> Result<Option<i64>, StoreError> {
        let Some(conn) = &self.conn else { return Ok(None) };
        let newest = "SELECT MAX(from_seq) FROM rule_book WHERE hash = ?1 AND from_seq <= ?2";
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        Ok(conn.query_row(newest, params![hash, seq], |row| row.get(0))?)
    }

    /// Its book; none where it cannot be read any more.
    /// # Errors
    /// SQLite's.
    pub fn read(&self, row: i64) -> Result<Option<RuleBook>, StoreError> {
        let Some(conn) = &self.conn else { return Ok(None) };
        let body = "SELECT body FROM rule_book WHERE from_seq = ?1";
        let body: Option<Vec<u8>> = conn.query_row(body, [row], |row| row.get(0)).optional()?;
        Ok(body.and_then(|body| unpack(&body)))
    }

    /// How many books were in force and are no longer kept.
    /// # Errors
    /// SQLite's.
    pub fn dropped(&self) -> Result<u64, StoreError> {
        Ok(self.conn.as_ref().map_or(Ok(0), dropped)?)
    }
}

/// The newest book of this hash, where it is another one than the present: the same is not unpacked.
pub(super) fn last(conn: &Connection, hash: &str, present: &KeptBook) -> rusqlite::Result<Option<RuleBook>> {
    let newest = "SELECT digest, body FROM rule_book WHERE hash = ?1 ORDER BY last_seq DESC LIMIT 1";
    let row: Option<(String, Vec<u8>)> =
        conn.query_row(newest, [hash], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let other = row.filter(|(digest, _)| hash != present.hash || *digest != present.digest);
    Ok(other.and_then(|(_, body)| unpack(&body)))
}

fn unpack(body: &[u8]) -> Option<RuleBook> {
    let mut text = Vec::new();
    GzDecoder::new(body).take(UNPACKED_MAX).read_to_end(&mut text).ok()?;
    let parts: BookParts = serde_json::from_slice(&text).ok()?;
    RuleBook::kept(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn book(text: &str) -> RuleBook {
        let checked = config::site_from_text("site.toml", text, |_| {});
        checked.value.unwrap_or_else(|| panic!("{:?}", checked.diagnostics)).book
    }

    const MINIMAL: &str = include_str!("../../examples/minimal-site.toml");

    #[test]
    fn every_example_comes_back_as_the_same_book() {
        let demo = include_str!("../../examples/demo-site.toml");
        let others =
            [include_str!("../../examples/cold-store-site.toml"), include_str!("../../examples/mine-site.toml")];
        for text in [MINIMAL, demo].into_iter().chain(others) {
            let book = book(text);
            let kept = KeptBook::of(&book, "h");
            let back = unpack(&kept.body).unwrap();
            assert_eq!(back.parts(), book.parts());
            assert_eq!(KeptBook::of(&back, "h"), kept);
        }
    }

    #[test]
    fn a_book_from_before_a_stricter_check_is_read_again() {
        let book = book(include_str!("../../examples/demo-site.toml"));
        let mut parts = book.parts().clone();
        parts.suppressions[0].max = std::time::Duration::from_secs(48 * 3600);
        assert!(RuleBook::build(parts.clone()).is_err(), "more than 24 h is refused today");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut packed, &parts).unwrap();
        assert_eq!(unpack(&packed.finish().unwrap()).unwrap().parts(), &parts);
    }

    #[test]
    fn nothing_but_the_rules_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("canary-file");
        std::fs::write(&secret, "canary-secret").unwrap();
        std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let mqtt = format!(
            "\n[mqtt]\nhost = \"127.0.0.1\"\nusername = \"canary-user\"\npassword_file = \"{}\"\n",
            secret.display()
        );
        let text = format!("{MINIMAL}{mqtt}");
        let checked = config::site_from_text("site.toml", &text, |_| {});
        let site = checked.value.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        assert!(format!("{:?}", site.mqtt).contains("canary-user"), "it is in force: {:?}", site.mqtt);
        let mut kept = String::new();
        GzDecoder::new(&*KeptBook::of(&site.book, "h").body).read_to_string(&mut kept).unwrap();
        assert!(kept.contains("GT-101") && !kept.contains("canary") && !kept.contains("127.0.0.1"), "{kept}");
    }

    #[test]
    fn a_book_that_comes_back_is_one_row_and_the_longest_out_of_force_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = super::super::open_beside(folder.path()).unwrap();
        let book = book(MINIMAL);
        let of = |n: i64| KeptBook { hash: format!("h{n}"), ..KeptBook::of(&book, "h") };
        let mut keep_one = |seq: i64, kept: &KeptBook| {
            let tx = conn.transaction().unwrap();
            keep(&tx, seq, kept).unwrap();
            tx.commit().unwrap();
        };
        (1..=BOOKS_MAX).for_each(|n| keep_one(n, &of(n)));
        keep_one(1000, &of(1));
        keep_one(1001, &of(1001));
        let rows: i64 = conn.query_row("SELECT COUNT(*) FROM rule_book", [], |row| row.get(0)).unwrap();
        assert_eq!((rows, dropped(&conn).unwrap()), (BOOKS_MAX, 1));
        let books = Books::of(conn, SINCE);
        let kept = |hash: &str, seq| books.row(hash, seq).unwrap();
        assert_eq!(
            [kept("h1", 1000), kept("h1", 1), kept("h2", 2000), kept("h3", 3)],
            [Some(1), Some(1), None, Some(3)]
        );
        assert_eq!(kept("h1001", 1000), None, "not in force yet");
        assert!(books.read(1).unwrap().is_some() && books.read(2).unwrap().is_none());
    }

    #[test]
    fn a_book_that_comes_back_behind_another_one_of_its_hash_is_found_again_and_a_salvaged_journal_counts_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = super::super::open_beside(folder.path()).unwrap();
        let kept = KeptBook::of(&book(MINIMAL), "h");
        let of = |digest: &str| KeptBook { digest: digest.into(), ..kept.clone() };
        let mut keep_at = |seq: i64, digest: &str| {
            let tx = conn.transaction().unwrap();
            keep(&tx, seq, &of(digest)).unwrap();
            tx.commit().unwrap();
        };
        for (seq, digest) in [(1, "a"), (5, "b"), (9, "a"), (12, "a"), (20, "c")] {
            keep_at(seq, digest);
        }
        // the entries from 7 on are lost, and another one has that number
        keep_at(7, "d");
        let rows = "SELECT from_seq, last_seq, digest FROM rule_book ORDER BY from_seq";
        let mut select = conn.prepare(rows).unwrap();
        let rows = select.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
        let rows: Vec<(i64, i64, String)> = rows.map(Result::unwrap).collect();
        assert_eq!(rows, [(1, 1, "a".into()), (5, 5, "b".into()), (7, 7, "d".into())]);
    }

    #[test]
    fn a_damaged_book_is_none() {
        assert!(unpack(b"").is_none() && unpack(&[0x1f, 0x8b, 8, 0]).is_none());
    }
}
