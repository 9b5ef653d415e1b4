//! The tables in SQLite.

use std::sync::Arc;
use std::time::Duration;

use action_guard::{ClockNote, Hash, Head, JournalError};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::failure::{Failure, Kind};
use crate::sqlite::directory::{Directory, Identity, make_private};
use crate::store::{
    Begun, ClockRow, LAYOUT, Line, Row, Store, noted, other_layout, signed, unsigned,
};

const HEAD_TABLE: &str = "
CREATE TABLE IF NOT EXISTS journal_head (
    id INTEGER PRIMARY KEY CHECK (id = 1), layout INTEGER NOT NULL,
    seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
";
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS journal_lines (
    seq INTEGER PRIMARY KEY, about TEXT, line TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS journal_lines_about ON journal_lines (about) WHERE about IS NOT NULL;
CREATE TABLE IF NOT EXISTS journal_segments (first INTEGER PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS journal_clock (
    boot TEXT PRIMARY KEY, up_ms INTEGER NOT NULL, shows_ms INTEGER NOT NULL) STRICT;
";
const FIRST_HEAD: &str =
    "INSERT INTO journal_head (id, layout, seq, hash) VALUES (1, ?, 0, ?) ON CONFLICT DO NOTHING";
const HEAD: &str = "SELECT seq, hash FROM journal_head WHERE id = 1";
const ADD: &str = "INSERT INTO journal_lines (seq, about, line) VALUES (?, ?, ?)";
const MOVE_HEAD: &str = "UPDATE journal_head SET seq = ?, hash = ? WHERE id = 1";
const ADD_SEGMENT: &str = "INSERT INTO journal_segments (first) VALUES (?)";
const LAST_SEGMENT: &str = "SELECT coalesce(max(first), 1) FROM journal_segments";
const LINES: &str = "SELECT seq, about, line FROM journal_lines WHERE seq > ? ORDER BY seq LIMIT ?";
const LINES_ABOUT: &str = "SELECT seq, about, line FROM journal_lines WHERE about = ? ORDER BY seq";
const CLOCK: &str = "SELECT up_ms, shows_ms FROM journal_clock WHERE boot = ?";
const NOTE_CLOCK: &str =
    "INSERT OR REPLACE INTO journal_clock (boot, up_ms, shows_ms) VALUES (?, ?, ?)";

/// A connection to the database in a directory.
pub(super) struct SqliteStore {
    name: Arc<str>,
    directory: Directory,
    lock_wait: Duration,
    connection: Option<SqliteConnection>,
    /// The file that the connection has open.
    file: Option<Identity>,
}

impl SqliteStore {
    pub(super) fn new(name: &Arc<str>, directory: &Directory, lock_wait: Duration) -> Self {
        Self {
            name: Arc::clone(name),
            directory: directory.clone(),
            lock_wait,
            connection: None,
            file: None,
        }
    }

    /// Makes the tables if there are none.
    pub(super) async fn prepare(&mut self) -> Result<(), JournalError> {
        make_private(&self.directory.database())?;
        let doing = "create the tables";
        let mode = sqlx::query_as::<_, (String,)>("PRAGMA journal_mode")
            .fetch_one(self.connected().await?)
            .await;
        let (mode,) = self.done(doing, mode)?;
        if mode != "wal" {
            let why = format!("the file system supports journal mode `{mode}` only, not `wal`");
            return Err(Failure::new(doing, &self.name, why, Kind::Other).into());
        }
        let made = make_tables(self.connected().await?).await;
        let layout = self.done(doing, made)?;
        if let Some(why) = other_layout(layout) {
            return Err(Failure::new("use the tables", &self.name, why, Kind::Other).into());
        }
        self.directory.sync()
    }

    async fn connected(&mut self) -> Result<&mut SqliteConnection, Failure> {
        let failed = failure("open the database", &self.name, self.lock_wait);
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connection = SqliteConnectOptions::new()
                    .filename(self.directory.database())
                    // Not created here: a database that was taken away is not silently begun anew.
                    .create_if_missing(false)
                    .journal_mode(SqliteJournalMode::Wal)
                    // Without it a commit in this mode is lost when the power is cut.
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(self.lock_wait)
                    .disable_statement_logging()
                    .connect()
                    .await
                    .map_err(failed)?;
                self.file = self.directory.identity().ok();
                connection
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// The connection that has begun. A new one would write outside of any transaction.
    fn in_transaction(&mut self) -> Result<&mut SqliteConnection, Failure> {
        let none = || Failure::new("write", &self.name, "no transaction", Kind::Other);
        self.connection.as_mut().ok_or_else(none)
    }

    /// A file that is open stays when its name is taken away; what is written to it then, nobody
    /// finds.
    fn still_there(&mut self) -> Result<(), Failure> {
        if self.connection.is_none() || self.file == self.directory.identity().ok() {
            return Ok(());
        }
        self.abandon();
        let why = "the file was removed or replaced while in use";
        Err(Failure::new("continue", &self.name, why, Kind::Other))
    }

    /// After a failure the connection goes, and its transaction with it.
    fn done<T>(&mut self, doing: &'static str, done: sqlx::Result<T>) -> Result<T, Failure> {
        let done = done.map_err(failure(doing, &self.name, self.lock_wait));
        if done.is_err() {
            self.abandon();
        }
        done
    }
}

async fn make_tables(connection: &mut SqliteConnection) -> sqlx::Result<i32> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(HEAD_TABLE).execute(&mut *transaction).await?;
    sqlx::query(FIRST_HEAD)
        .bind(LAYOUT)
        .bind(Hash::ZERO.to_string())
        .execute(&mut *transaction)
        .await?;
    let (layout,): (i32,) = sqlx::query_as("SELECT layout FROM journal_head")
        .fetch_one(&mut *transaction)
        .await?;
    if other_layout(layout).is_none() {
        sqlx::raw_sql(TABLES).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(layout)
}

async fn add(
    connection: &mut SqliteConnection,
    lines: &[Line],
    head: Head,
    segment: bool,
) -> sqlx::Result<()> {
    for line in lines {
        sqlx::query(ADD)
            .bind(signed(line.seq))
            .bind(&line.about)
            .bind(&line.text)
            .execute(&mut *connection)
            .await?;
    }
    if segment {
        sqlx::query(ADD_SEGMENT)
            .bind(signed(head.seq))
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query(MOVE_HEAD)
        .bind(signed(head.seq))
        .bind(head.hash.to_string())
        .execute(&mut *connection)
        .await?;
    Ok(())
}

async fn read_head(connection: &mut SqliteConnection) -> sqlx::Result<Head> {
    let (seq, hash): (i64, String) = sqlx::query_as(HEAD).fetch_one(connection).await?;
    // What is no hash equals none.
    Ok(Head::new(
        unsigned(seq),
        Hash::parse(&hash).unwrap_or_default(),
    ))
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&mut self) -> Result<Begun, Failure> {
        let connection = self.connected().await?;
        let begun = sqlx::raw_sql("BEGIN IMMEDIATE").execute(connection).await;
        self.done("write", begun)?;
        let head = self.head().await?;
        // In doubt it is stopped.
        let stopped = self.directory.is_stopped().unwrap_or(true);
        Ok(Begun {
            head,
            stopped: stopped.then_some("the file KILL is in the state directory"),
            now: to_millisecond(Timestamp::now()),
        })
    }

    async fn add(&mut self, lines: &[Line], head: Head, segment: bool) -> Result<(), Failure> {
        let connection = self.in_transaction()?;
        let added = add(connection, lines, head, segment).await;
        self.done("add records", added)
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        let connection = self.in_transaction()?;
        let committed = sqlx::raw_sql("COMMIT").execute(connection).await;
        self.done("commit", committed)?;
        Ok(())
    }

    async fn release(&mut self) {
        if let Some(connection) = &mut self.connection {
            let released = sqlx::raw_sql("ROLLBACK").execute(connection).await;
            if released.is_err() {
                self.abandon();
            }
        }
    }

    fn abandon(&mut self) {
        self.connection = None;
    }

    async fn head(&mut self) -> Result<Head, Failure> {
        self.still_there()?;
        let connection = self.connected().await?;
        let head = read_head(connection).await;
        self.done("read the head", head)
    }

    async fn last_segment(&mut self) -> Result<u64, Failure> {
        let connection = self.connected().await?;
        let first = sqlx::query_as::<_, (i64,)>(LAST_SEGMENT)
            .fetch_one(connection)
            .await;
        let (first,) = self.done("read the segments", first)?;
        Ok(unsigned(first))
    }

    async fn lines(&mut self, after: u64, limit: u32) -> Result<Vec<Line>, Failure> {
        let connection = self.connected().await?;
        let rows = sqlx::query_as::<_, Row>(LINES)
            .bind(signed(after))
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await;
        let rows = self.done("read records", rows)?;
        Ok(rows.into_iter().map(Line::row).collect())
    }

    async fn lines_about(&mut self, key: &str) -> Result<Vec<Line>, Failure> {
        let connection = self.connected().await?;
        let rows = sqlx::query_as::<_, Row>(LINES_ABOUT)
            .bind(key)
            .fetch_all(connection)
            .await;
        let rows = self.done("read records", rows)?;
        Ok(rows.into_iter().map(Line::row).collect())
    }

    async fn clock_note(&mut self, boot: &str) -> Result<Option<ClockNote>, Failure> {
        let connection = self.in_transaction()?;
        let row = sqlx::query_as::<_, ClockRow>(CLOCK)
            .bind(boot)
            .fetch_optional(connection)
            .await;
        let row = self.done("read the recorded clock", row)?;
        Ok(row.and_then(|row| noted(boot, row)))
    }

    async fn note_clock(&mut self, note: &ClockNote) -> Result<(), Failure> {
        let connection = self.in_transaction()?;
        let done = sqlx::query(NOTE_CLOCK)
            .bind(note.boot())
            .bind(signed(note.up_ms()))
            .bind(note.shows_ms())
            .execute(connection)
            .await;
        self.done("record the clock", done)?;
        Ok(())
    }
}

/// What SQLite said, by its primary result codes.
fn failure(
    doing: &'static str,
    name: &Arc<str>,
    waited: Duration,
) -> impl FnOnce(sqlx::Error) -> Failure {
    const BUSY: i32 = 5;
    const READ_ONLY: i32 = 8;
    const FULL: i32 = 13;
    let name = Arc::clone(name);
    move |error| {
        let code = error.as_database_error().and_then(|error| {
            let code = error.code()?;
            code.parse::<i32>().ok()
        });
        let kind = match code.map(|code| code & 0xff) {
            Some(BUSY) => Kind::Held {
                by: "another process".to_owned(),
                waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            },
            Some(READ_ONLY | FULL) => Kind::Full,
            _ => Kind::Other,
        };
        Failure::new(doing, &name, error, kind)
    }
}

/// To the millisecond, as it is shown.
fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
