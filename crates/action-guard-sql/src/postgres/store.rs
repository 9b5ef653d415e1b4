//! The tables in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use action_guard::{ClockNote, Hash, Head};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::postgres::PgConnection;

use crate::failure::{Failure, Kind};
use crate::postgres::connect::Address;
use crate::store::{Begun, ClockRow, Line, Row, Store, noted, signed, unsigned};

/// Whoever writes holds the head's row, so that this level is as good as the strictest.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const TAKE_HEAD: &str = "SELECT seq, hash FROM journal_head WHERE id = 1 FOR UPDATE";
/// Asked once the head is held: what was there before is seen.
const NOW: &str = "SELECT EXISTS (SELECT 1 FROM journal_stop),
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const HEAD: &str = "SELECT seq, hash FROM journal_head WHERE id = 1";
const ADD: &str = "WITH added AS (
        INSERT INTO journal_lines (seq, about, line)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]))
    UPDATE journal_head SET seq = $4, hash = $5 WHERE id = 1";
const ADD_SEGMENT: &str = "INSERT INTO journal_segments (first) VALUES ($1)";
const LAST_SEGMENT: &str = "SELECT coalesce(max(first), 1) FROM journal_segments";
const LINES: &str =
    "SELECT seq, about, line FROM journal_lines WHERE seq > $1 ORDER BY seq LIMIT $2";
const LINES_ABOUT: &str =
    "SELECT seq, about, line FROM journal_lines WHERE about = $1 ORDER BY seq";
const CLOCK: &str = "SELECT up_ms, shows_ms FROM journal_clock WHERE boot = $1";
const NOTE_CLOCK: &str = "INSERT INTO journal_clock (boot, up_ms, shows_ms) VALUES ($1, $2, $3)
    ON CONFLICT (boot) DO UPDATE SET up_ms = excluded.up_ms, shows_ms = excluded.shows_ms";
/// The transaction that is at the head for longest, as far as it says who it is.
const HOLDER: &str = "SELECT format('%s at %s', nullif(application_name, ''),
        coalesce(host(client_addr), 'the server'))
    FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE relation = 'journal_head'::regclass AND mode = 'RowShareLock' AND granted
        AND pid <> pg_backend_pid()
    ORDER BY xact_start LIMIT 1";

/// How far the clocks of a host and of the database may be apart. Expiries and the times until
/// which a request may be on its way are compared by both.
const CLOCKS_APART: Duration = Duration::from_secs(5);

/// A connection to the tables of a schema.
pub(super) struct PostgresStore {
    address: Arc<Address>,
    connection: Option<PgConnection>,
}

impl PostgresStore {
    pub(super) fn new(address: Arc<Address>) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    async fn connected(&mut self) -> Result<&mut PgConnection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.address.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// The connection that has begun. A new one would write outside of any transaction.
    fn in_transaction(&mut self) -> Result<&mut PgConnection, Failure> {
        let none = || Failure::new("write", &self.address.name, "no transaction", Kind::Other);
        self.connection.as_mut().ok_or_else(none)
    }

    /// After a failure the connection goes, and its transaction with it.
    fn done<T>(&mut self, doing: &'static str, done: sqlx::Result<T>) -> Result<T, Failure> {
        let done = done.map_err(|error| self.address.failure(doing, error));
        if done.is_err() {
            self.connection = None;
        }
        done
    }

    async fn take_head(&mut self) -> Result<Begun, Failure> {
        let address = Arc::clone(&self.address);
        let connection = self.connected().await?;
        let begun = address.within(begin(connection)).await;
        let (asked, begun) = self.done("lock the head", begun)?;
        let apart = apart(asked, begun.now, Timestamp::now());
        if apart > CLOCKS_APART {
            self.abandon();
            let why = format!("the clocks of this host and the server differ by {apart:?}");
            return Err(Failure::new("decide", &address.name, why, Kind::Other));
        }
        Ok(begun)
    }

    async fn holder(&mut self) -> Option<String> {
        let address = Arc::clone(&self.address);
        let connection = self.connected().await.ok()?;
        let holder = sqlx::query_as::<_, (String,)>(HOLDER).fetch_optional(connection);
        let holder = address.within(holder).await;
        Some(self.done("find the writing process", holder).ok()??.0)
    }
}

/// Gives when the time was asked for, too.
async fn begin(connection: &mut PgConnection) -> sqlx::Result<(Timestamp, Begun)> {
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
    let head = sqlx::query_as(TAKE_HEAD)
        .fetch_one(&mut *connection)
        .await?;
    let asked = Timestamp::now();
    let (stopped, now): (bool, i64) = sqlx::query_as(NOW).fetch_one(connection).await?;
    let begun = Begun {
        head: head_of(head),
        stopped: stopped.then_some("the journal's database has the stop set"),
        now: Timestamp::from_millisecond(now)
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
    };
    Ok((asked, begun))
}

async fn add(
    connection: &mut PgConnection,
    lines: &[Line],
    head: Head,
    segment: bool,
) -> sqlx::Result<()> {
    let numbers: Vec<i64> = lines.iter().map(|line| signed(line.seq)).collect();
    let about: Vec<Option<&str>> = lines.iter().map(|line| line.about.as_deref()).collect();
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    sqlx::query(ADD)
        .bind(numbers)
        .bind(about)
        .bind(texts)
        .bind(signed(head.seq))
        .bind(head.hash.to_string())
        .execute(&mut *connection)
        .await?;
    if segment {
        sqlx::query(ADD_SEGMENT)
            .bind(signed(head.seq))
            .execute(connection)
            .await?;
    }
    Ok(())
}

fn head_of((seq, hash): (i64, String)) -> Head {
    // What is no hash equals none.
    Head::new(unsigned(seq), Hash::parse(&hash).unwrap_or_default())
}

/// How far another clock is from ours, which was read before and after.
fn apart(asked: Timestamp, theirs: Timestamp, answered: Timestamp) -> Duration {
    let behind = asked.duration_since(theirs);
    let ahead = theirs.duration_since(answered);
    let apart = behind.max(ahead).max(SignedDuration::ZERO);
    apart.unsigned_abs()
}

#[async_trait]
impl Store for PostgresStore {
    async fn begin(&mut self) -> Result<Begun, Failure> {
        let idle = self.connection.is_some();
        let mut begun = self.take_head().await;
        if idle && begun.as_ref().is_err_and(Failure::is_lost) {
            // Cut while nobody used it. Nothing was decided yet.
            begun = self.take_head().await;
        }
        match begun {
            Err(failure) if failure.wrote_nothing() => {
                let holder = self.holder().await;
                Err(match holder {
                    Some(holder) => failure.held_by(holder),
                    None => failure,
                })
            }
            begun => begun,
        }
    }

    async fn add(&mut self, lines: &[Line], head: Head, segment: bool) -> Result<(), Failure> {
        let address = Arc::clone(&self.address);
        let connection = self.in_transaction()?;
        let added = address.within(add(connection, lines, head, segment)).await;
        self.done("add records", added)
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        let address = Arc::clone(&self.address);
        let connection = self.in_transaction()?;
        let committed = sqlx::raw_sql("COMMIT").execute(connection);
        let committed = address.within(committed).await;
        self.done("commit", committed)?;
        Ok(())
    }

    async fn release(&mut self) {
        let address = Arc::clone(&self.address);
        if let Some(connection) = &mut self.connection {
            let released = sqlx::raw_sql("ROLLBACK").execute(connection);
            if address.within(released).await.is_err() {
                self.abandon();
            }
        }
    }

    fn abandon(&mut self) {
        self.connection = None;
    }

    async fn head(&mut self) -> Result<Head, Failure> {
        let address = Arc::clone(&self.address);
        let idle = self.connection.is_some();
        loop {
            let connection = self.connected().await?;
            let head = sqlx::query_as(HEAD).fetch_one(connection);
            let head = address.within(head).await;
            match self.done("read the head", head) {
                // Cut while nobody used it.
                Err(failure) if idle && failure.is_lost() => {}
                head => return head.map(head_of),
            }
        }
    }

    async fn last_segment(&mut self) -> Result<u64, Failure> {
        let address = Arc::clone(&self.address);
        let connection = self.connected().await?;
        let first = sqlx::query_as::<_, (i64,)>(LAST_SEGMENT).fetch_one(connection);
        let first = address.within(first).await;
        let (first,) = self.done("read the segments", first)?;
        Ok(unsigned(first))
    }

    async fn lines(&mut self, after: u64, limit: u32) -> Result<Vec<Line>, Failure> {
        let address = Arc::clone(&self.address);
        let connection = self.connected().await?;
        let rows = sqlx::query_as::<_, Row>(LINES)
            .bind(signed(after))
            .bind(i64::from(limit))
            .fetch_all(connection);
        let rows = address.within(rows).await;
        let rows = self.done("read records", rows)?;
        Ok(rows.into_iter().map(Line::row).collect())
    }

    async fn lines_about(&mut self, key: &str) -> Result<Vec<Line>, Failure> {
        let address = Arc::clone(&self.address);
        let connection = self.connected().await?;
        let rows = sqlx::query_as::<_, Row>(LINES_ABOUT)
            .bind(key)
            .fetch_all(connection);
        let rows = address.within(rows).await;
        let rows = self.done("read records", rows)?;
        Ok(rows.into_iter().map(Line::row).collect())
    }

    async fn clock_note(&mut self, boot: &str) -> Result<Option<ClockNote>, Failure> {
        let address = Arc::clone(&self.address);
        let connection = self.in_transaction()?;
        let row = sqlx::query_as::<_, ClockRow>(CLOCK)
            .bind(boot)
            .fetch_optional(connection);
        let row = address.within(row).await;
        let row = self.done("read the recorded clock", row)?;
        Ok(row.and_then(|row| noted(boot, row)))
    }

    async fn note_clock(&mut self, note: &ClockNote) -> Result<(), Failure> {
        let address = Arc::clone(&self.address);
        let connection = self.in_transaction()?;
        let done = sqlx::query(NOTE_CLOCK)
            .bind(note.boot())
            .bind(signed(note.up_ms()))
            .bind(note.shows_ms())
            .execute(connection);
        let done = address.within(done).await;
        self.done("record the clock", done)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::apart;

    #[test]
    fn clocks_are_apart_by_what_the_time_of_asking_does_not_explain() {
        let at = |seconds: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert_eq!(apart(at(10), at(12), at(13)), Duration::ZERO);
        assert_eq!(apart(at(10), at(3), at(13)), Duration::from_secs(7));
        assert_eq!(apart(at(10), at(15), at(13)), Duration::from_secs(2));
    }
}
