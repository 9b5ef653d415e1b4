//! The address of a server: connections to it, and the tables they find.

use std::io;
use std::net::IpAddr;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use action_guard::{Hash, JournalError};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::failure::{Failure, Kind};
use crate::options::SqlOptions;
use crate::store::{LAYOUT, other_layout};

/// How long an answer is waited for, beside the wait for a lock.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// What a session calls itself, before its instance.
pub(super) const NAME: &str = "action-guard ";

/// Held while tables are made. Any number would do; this is `journals` in ASCII.
const MAKING_TABLES: i64 = 0x6a6f_7572_6e61_6c73;

const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS journal_head (
        id smallint PRIMARY KEY CHECK (id = 1), layout int NOT NULL,
        seq bigint NOT NULL, hash text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS journal_lines (
        seq bigint PRIMARY KEY, about text, line text NOT NULL)",
    "CREATE INDEX IF NOT EXISTS journal_lines_about ON journal_lines (about)
        WHERE about IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS journal_clock (
        boot text PRIMARY KEY, up_ms bigint NOT NULL, shows_ms bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS journal_segments (first bigint PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS journal_stop (
        id smallint PRIMARY KEY CHECK (id = 1), at timestamptz NOT NULL DEFAULT now())",
];
const FIRST_HEAD: &str = "INSERT INTO journal_head (id, layout, seq, hash) VALUES (1, $1, 0, $2)
    ON CONFLICT DO NOTHING";
const FOUND: &str = "SELECT to_regclass('journal_stop') IS NOT NULL";
const SERVER: &str = "SELECT current_setting('fsync'), pg_is_in_recovery()";

/// How the server is reached.
pub(crate) struct Address {
    /// What messages call it; without the password.
    pub(super) name: Arc<str>,
    pub(super) schema: String,
    options: PgConnectOptions,
    pub(super) lock_wait: Duration,
}

impl Address {
    pub(super) fn new(
        url: &str,
        instance: &str,
        options: &SqlOptions,
    ) -> Result<Self, JournalError> {
        let refused = |why: String| JournalError::Store { source: why.into() };
        let schema = options.schema.clone();
        if !is_schema(&schema) {
            return Err(refused(format!(
                "invalid schema name `{}`: use 1 to 63 lower-case letters, digits and `_`, not beginning with a digit or `pg_`",
                action_core::printable(&schema)
            )));
        }
        // The address may hold a password: it is never shown.
        let address = PgConnectOptions::from_str(url).map_err(|error| {
            refused(format!("invalid address of a PostgreSQL database: {error}"))
        })?;
        if options.only_verified && !is_verified(&address) {
            return Err(refused(format!(
                "`{}` is another machine and would not be verified: add `sslmode=verify-full` to \
                 the address",
                action_core::printable(address.get_host())
            )));
        }
        let name = format!(
            "schema `{schema}` of `{}` on `{}:{}`",
            address.get_database().unwrap_or(address.get_username()),
            address.get_host(),
            address.get_port(),
        );
        let wait = format!("{}ms", options.lock_wait.as_millis().max(1));
        let options_of_session = [
            ("search_path", schema.as_str()),
            ("lock_timeout", &wait),
            // Durable, whatever the database's default is.
            ("synchronous_commit", "on"),
            // Who hangs in a transaction, or is gone without a word, keeps nobody waiting.
            ("idle_in_transaction_session_timeout", "60s"),
            ("tcp_keepalives_idle", "15"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        ];
        let address = address
            .application_name(&format!("{NAME}{instance}"))
            .options(options_of_session)
            .disable_statement_logging();
        Ok(Self {
            name: name.into(),
            schema,
            options: address,
            lock_wait: options.lock_wait,
        })
    }

    pub(super) async fn connect(&self) -> Result<PgConnection, Failure> {
        let connected = self.within(self.options.connect()).await;
        connected.map_err(|error| self.failure("connect", error))
    }

    /// Waits for an answer, and not for ever.
    pub(super) async fn within<T>(
        &self,
        answer: impl Future<Output = sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        let longest = LONGEST_WAIT.saturating_add(self.lock_wait);
        let answered = tokio::time::timeout(longest, answer).await;
        answered.unwrap_or_else(|_| {
            let why = format!("timed out after {longest:?}");
            Err(sqlx::Error::Io(io::Error::new(
                io::ErrorKind::TimedOut,
                why,
            )))
        })
    }

    /// Makes the tables if there are none, and looks whether the server can be relied on.
    pub(super) async fn prepare(&self) -> Result<(), Failure> {
        let mut connection = self.connect().await?;
        let server = self
            .within(sqlx::query_as(SERVER).fetch_one(&mut connection))
            .await;
        let (fsync, replica): (String, bool) =
            server.map_err(|error| self.failure("check the server", error))?;
        self.reliable(&fsync, replica)?;
        let layout = self.within(self.tables(&mut connection)).await;
        let layout = layout.map_err(|error| self.failure("create the tables", error))?;
        if let Some(why) = other_layout(layout) {
            return Err(Failure::new("use the tables", &self.name, why, Kind::Other));
        }
        let _ = connection.close().await;
        Ok(())
    }

    /// What the server said, by SQLSTATE.
    pub(super) fn failure(&self, doing: &'static str, error: sqlx::Error) -> Failure {
        let database = error.as_database_error();
        let code = database.and_then(|error| error.code().map(|code| code.into_owned()));
        let kind = match code.as_deref() {
            // Lock not available in time.
            Some("55P03") => Kind::Held {
                by: "another process".to_owned(),
                waited_ms: u64::try_from(self.lock_wait.as_millis()).unwrap_or(u64::MAX),
            },
            // Disk full, read-only transaction, insufficient privilege.
            Some("53100" | "25006" | "42501") => Kind::Full,
            // The server goes down, or has ended this session.
            Some(code) if code.starts_with("57P") || code.starts_with("08") => Kind::Lost,
            Some(_) => Kind::Other,
            None => match error {
                sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => Kind::Lost,
                _ => Kind::Other,
            },
        };
        Failure::new(doing, &self.name, error, kind)
    }

    fn reliable(&self, fsync: &str, replica: bool) -> Result<(), Failure> {
        let why = if fsync != "on" {
            format!("the server has `fsync` {fsync}: what it reports as written may be lost")
        } else if replica {
            "the server is a standby: it is read-only and may lag".to_owned()
        } else {
            return Ok(());
        };
        Err(Failure::new("rely on it", &self.name, why, Kind::Other))
    }

    async fn tables(&self, connection: &mut PgConnection) -> sqlx::Result<i32> {
        let (found,): (bool,) = sqlx::query_as(FOUND).fetch_one(&mut *connection).await?;
        // Who finds them needs no right to make them.
        if !found {
            let mut making = connection.begin().await?;
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(MAKING_TABLES)
                .execute(&mut *making)
                .await?;
            // Checked: letters, digits and `_`.
            let schema = format!("CREATE SCHEMA IF NOT EXISTS {}", self.schema);
            sqlx::raw_sql(AssertSqlSafe(schema))
                .execute(&mut *making)
                .await?;
            for table in TABLES {
                sqlx::raw_sql(*table).execute(&mut *making).await?;
            }
            sqlx::query(FIRST_HEAD)
                .bind(LAYOUT)
                .bind(Hash::ZERO.to_string())
                .execute(&mut *making)
                .await?;
            making.commit().await?;
        }
        let (layout,) = sqlx::query_as("SELECT layout FROM journal_head")
            .fetch_one(connection)
            .await?;
        Ok(layout)
    }
}

/// Whether nobody else can be taken for the server: it is on this machine, or shows a certificate for its
/// name.
fn is_verified(address: &PgConnectOptions) -> bool {
    let host = address.get_host();
    let host_is_here = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.starts_with('/'),
    };
    let by_socket = address.get_socket().is_some();
    host_is_here || by_socket || matches!(address.get_ssl_mode(), PgSslMode::VerifyFull)
}

fn is_schema(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("pg_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_a_plain_name() {
        for name in ["action_guard", "_", "a1"] {
            assert!(is_schema(name), "{name}");
        }
        for name in ["", "1a", "pg_x", "A", "a b", "a\"", "a;drop", "ä"] {
            assert!(!is_schema(name), "{name}");
        }
        assert!(!is_schema(&"x".repeat(64)));
    }

    #[test]
    fn another_machine_is_verified_where_that_is_wanted() {
        let options = SqlOptions::default().only_verified();
        for url in [
            "postgres://ana:secret@127.0.0.1/work",
            "postgres://ana:secret@localhost/work",
            "postgres://ana:secret@[::1]/work",
            "postgres:///work?host=/run/postgresql",
            "postgres://ana:secret@db-1/work?sslmode=verify-full",
        ] {
            assert!(Address::new(url, "0190", &options).is_ok(), "{url}");
        }
        for mode in [
            "",
            "?sslmode=prefer",
            "?sslmode=require",
            "?sslmode=verify-ca",
        ] {
            let url = format!("postgres://ana:secret@db-1/work{mode}");
            let refused = Address::new(&url, "0190", &options).err().unwrap();
            let refused = action_core::report(&refused);
            assert!(refused.contains("verify-full"), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[track_caller]
    fn address(url: &str) -> Address {
        let options = SqlOptions::default();
        Address::new(url, "0190", &options).unwrap()
    }

    #[test]
    fn a_server_that_forgets_is_not_relied_on() {
        let address = address("postgres://ana:secret@db-1:5433/work");
        assert!(address.reliable("on", false).is_ok());
        for (fsync, replica, why) in [("off", false, "`fsync` off"), ("on", true, "standby")] {
            let refused = address.reliable(fsync, replica).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
            assert!(refused.contains("`work` on `db-1:5433`"), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        let options = SqlOptions::default();
        let refused = Address::new("postgres://ana:secret@db-1:port/work", "0190", &options);
        let refused = action_core::report(&refused.err().unwrap());
        assert!(refused.contains("invalid address"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }
}
