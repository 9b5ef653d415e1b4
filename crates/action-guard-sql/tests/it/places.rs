//! Where the tests keep their journals.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use action_core::BoxError;
use action_guard::Journal;
use action_guard::testing::{Damage, Place};
use action_guard_sql::{SqlJournal, SqlOptions};
use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// A place whose journals tests open as what they are.
#[async_trait]
pub(crate) trait SqlPlace: Place {
    async fn open_with(&self, options: SqlOptions) -> SqlJournal;

    /// Does something to the tables, by statements that both databases know.
    async fn sql(&self, statement: &str);

    /// What the example `share` is told, and its environment.
    fn words(&self) -> (String, Vec<(&'static str, String)>);
}

/// What every place of these does.
fn statement(damage: Damage) -> String {
    match damage {
        Damage::Change(seq) => format!(
            "UPDATE journal_lines SET line = replace(line, 'a test', 'a lie!') WHERE seq = {seq}"
        ),
        Damage::Remove(seq) => format!("DELETE FROM journal_lines WHERE seq = {seq}"),
        other => unreachable!("{other:?}"),
    }
}

#[derive(Debug)]
pub(crate) struct SqlitePlace(TempDir);

impl SqlitePlace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Not there before a journal makes it.
    pub(crate) fn directory(&self) -> PathBuf {
        self.0.path().join("state")
    }
}

pub(crate) async fn sqlite_connection(directory: &Path) -> SqliteConnection {
    let database = directory.join("journal.sqlite");
    SqliteConnection::connect(&format!("sqlite://{}", database.display()))
        .await
        .unwrap()
}

#[async_trait]
impl Place for SqlitePlace {
    async fn open(&self) -> Result<Arc<dyn Journal>, BoxError> {
        Ok(Arc::new(SqlJournal::sqlite(self.directory()).await?))
    }

    async fn damage(&self, damage: Damage) -> Result<(), BoxError> {
        self.sql(&statement(damage)).await;
        Ok(())
    }
}

#[async_trait]
impl SqlPlace for SqlitePlace {
    async fn open_with(&self, options: SqlOptions) -> SqlJournal {
        options.sqlite(self.directory()).await.unwrap()
    }

    async fn sql(&self, statement: &str) {
        let mut connection = sqlite_connection(&self.directory()).await;
        let done = sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
        assert!(done.rows_affected() > 0, "{statement}");
        connection.close().await.unwrap();
    }

    fn words(&self) -> (String, Vec<(&'static str, String)>) {
        (self.directory().display().to_string(), Vec::new())
    }
}

/// A schema of its own in the database of `DATABASE_URL`.
#[derive(Debug)]
pub(crate) struct PostgresPlace {
    pub(crate) url: String,
    pub(crate) schema: String,
}

impl PostgresPlace {
    /// `None`, and says why, when there is no server to test against.
    pub(crate) fn new() -> Option<Self> {
        static SAID: Once = Once::new();
        let skip = |why: &str| {
            // Past what the test harness captures.
            SAID.call_once(|| {
                let _ = writeln!(
                    std::io::stderr(),
                    "tests against PostgreSQL are skipped: {why}"
                );
            });
            None
        };
        let Ok(url) = std::env::var("DATABASE_URL") else {
            return skip("DATABASE_URL is not set");
        };
        if !is_local(&url) {
            return skip("DATABASE_URL is not of a PostgreSQL server on a loopback address");
        }
        let schema = format!("test_{}", Uuid::now_v7().simple());
        Some(Self { url, schema })
    }

    pub(crate) fn options(&self) -> SqlOptions {
        SqlJournal::options().schema(&self.schema)
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }
}

fn is_local(url: &str) -> bool {
    let Ok(options) = url.parse::<sqlx::postgres::PgConnectOptions>() else {
        return false;
    };
    let host = options.get_host();
    let loopback = host
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback());
    url.starts_with("postgres") && (loopback || host == "localhost" || host.starts_with('/'))
}

#[async_trait]
impl Place for PostgresPlace {
    async fn open(&self) -> Result<Arc<dyn Journal>, BoxError> {
        Ok(Arc::new(self.options().postgres(&self.url).await?))
    }

    async fn damage(&self, damage: Damage) -> Result<(), BoxError> {
        self.sql(&statement(damage)).await;
        Ok(())
    }

    async fn end(&self) {
        let mut connection = self.connection().await;
        let drop = format!("DROP SCHEMA {} CASCADE", self.schema);
        sqlx::raw_sql(AssertSqlSafe(drop))
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

#[async_trait]
impl SqlPlace for PostgresPlace {
    async fn open_with(&self, options: SqlOptions) -> SqlJournal {
        let options = options.schema(&self.schema);
        options.postgres(&self.url).await.unwrap()
    }

    async fn sql(&self, statement: &str) {
        let mut connection = self.connection().await;
        let path = format!("SET search_path TO {}", self.schema);
        sqlx::raw_sql(AssertSqlSafe(path))
            .execute(&mut connection)
            .await
            .unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
        assert!(done.rows_affected() > 0, "{statement}");
    }

    fn words(&self) -> (String, Vec<(&'static str, String)>) {
        (self.url.clone(), vec![("SCHEMA", self.schema.clone())])
    }
}
