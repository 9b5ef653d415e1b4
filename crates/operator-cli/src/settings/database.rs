//! A journal in a database, for processes on several machines.

use std::fmt;
use std::sync::{Arc, OnceLock};

use action_guard::Journal;
#[cfg(feature = "postgres")]
use action_guard::JournalError;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// The variable by which its address is given: it may hold a password.
const VARIABLE: &str = "OPERATOR_JOURNAL";

/// The address of a PostgreSQL database that has the journal. It may hold a password, and is not shown.
#[derive(Clone)]
pub(crate) struct Database {
    url: String,
    /// It is opened once: to the journal each opening is another process.
    opened: Arc<OnceLock<Arc<dyn Journal>>>,
}

impl From<String> for Database {
    fn from(url: String) -> Self {
        let opened = Arc::default();
        Self { url, opened }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database(…)")
    }
}

impl Database {
    /// Refuses what is no address of a database, and a password that whoever lists processes sees.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| self.url.starts_with(scheme))
        {
            let text = "`--journal` is not the address of a PostgreSQL database";
            return Err(Failure::usage(text).next(
                "write it as `postgres://HOST/DATABASE?user=NAME&sslmode=verify-full`; a journal in files is in \
                 `--state-dir`",
            ));
        }
        if self.has_password() && self.is_argument() {
            let text = "`--journal` holds a password, which whoever lists processes sees";
            return Err(Failure::usage(text).next(format!(
                "give it in {VARIABLE} or the config file, or the password in ~/.pgpass, and change it"
            )));
        }
        Ok(())
    }

    fn has_password(&self) -> bool {
        let (_, rest) = self.url.split_once("://").unwrap_or_default();
        let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
        user.contains(':') || self.url.to_ascii_lowercase().contains("password")
    }

    /// Whether it was given on the command line.
    fn is_argument(&self) -> bool {
        let mut arguments = std::env::args_os();
        arguments.any(|given| given.to_string_lossy().contains(&self.url))
    }

    /// The flag by which another command finds it, where it was one of this command.
    pub(super) fn flag(&self) -> Option<String> {
        self.is_argument().then(|| self.url.clone())
    }

    /// What people are told of where it is.
    pub(crate) fn shown(&self) -> String {
        let (_, rest) = self.url.split_once("://").unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let host = host.split(['/', '?']).next().unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        match host.bytes().all(is_plain) {
            true => format!("a PostgreSQL database on {host}"),
            false => "a PostgreSQL database".to_owned(),
        }
    }

    /// The journal in it, made if there is none yet.
    pub(crate) fn open(&self) -> Result<Arc<dyn Journal>, Failure> {
        if let Some(opened) = self.opened.get() {
            return Ok(Arc::clone(opened));
        }
        check_address(&self.url)?;
        let opened = opened(&self.url).map_err(|error| {
            let text = format!(
                "cannot use the journal in the database, so this command sends nothing: {error}"
            );
            Failure::new(Exit::Failed, "journal", text)
                .next(format!("see `--journal`, {VARIABLE} and the server"))
        })?;
        Ok(Arc::clone(self.opened.get_or_init(|| opened)))
    }
}

/// Refuses an address that no server need be asked about.
#[cfg(feature = "postgres")]
fn check_address(url: &str) -> Result<(), Failure> {
    let (url, options) = options(url);
    options.check_address(&url).map_err(|error| {
        let why = match &error {
            JournalError::Store { source } => source.to_string(),
            other => action_core::report(other),
        };
        Failure::usage(format!("invalid `--journal`: {why}"))
            .next("write it as `postgres://HOST/DATABASE?user=NAME&sslmode=verify-full`")
    })
}

#[cfg(not(feature = "postgres"))]
fn check_address(_: &str) -> Result<(), Failure> {
    Ok(())
}

/// The address as the server knows it, and how it is opened.
#[cfg(feature = "postgres")]
fn options(url: &str) -> (String, action_guard_sql::SqlOptions) {
    let (url, schema) = without_schema(url);
    let options = action_guard_sql::SqlJournal::options().only_verified();
    match schema {
        Some(schema) => (url, options.schema(schema)),
        None => (url, options),
    }
}

/// Opens it. It has a thread of its own with all that it waits for: who opens it only waits.
#[cfg(feature = "postgres")]
fn opened(url: &str) -> Result<Arc<dyn Journal>, String> {
    let (url, options) = options(url);
    let open = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let opened = runtime.block_on(options.postgres(&url));
        opened.map_err(|error| action_core::report(&error))
    };
    let thread = std::thread::Builder::new().spawn(open);
    let thread = thread.map_err(|error| error.to_string())?;
    let ended = || "what opens it has ended".to_owned();
    let journal = thread.join().map_err(|_| ended())??;
    Ok(Arc::new(journal))
}

#[cfg(not(feature = "postgres"))]
fn opened(_: &str) -> Result<Arc<dyn Journal>, String> {
    Err("this program is built without databases".to_owned())
}

/// The address as the server knows it, and the schema, which is ours to know.
#[cfg(feature = "postgres")]
fn without_schema(url: &str) -> (String, Option<String>) {
    let Some((before, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let (ours, theirs): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|one| one.starts_with("schema="));
    let schema = ours.first().and_then(|one| one.strip_prefix("schema="));
    let query = theirs.join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    (format!("{before}{mark}{query}"), schema.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::Database;

    fn database(url: &str) -> Database {
        Database::from(url.to_owned())
    }

    #[test]
    fn nothing_of_a_password_is_shown() {
        for url in [
            "postgres://ana:s3cret@db-1:5432/work",
            "postgres://ana:s3c/ret@db-1/work",
            "postgres://ana:s3c?ret@db-1/work",
            "postgres://ana@db-1/work?password=s3cret",
            "postgres://s3c@ret:s3c@db-1/work",
        ] {
            let database = database(url);
            let shown = format!("{} {database:?}", database.shown());
            assert!(!shown.contains("s3c") && !shown.contains("ret"), "{shown}");
            assert!(database.has_password(), "{url}");
        }
        assert!(!database("postgres://ana@db-1/work").has_password());
        let shown = database("postgres://ana@db-1:5432/work").shown();
        assert_eq!(shown, "a PostgreSQL database on db-1:5432");
    }

    #[test]
    fn what_is_no_database_is_refused_and_not_shown() {
        for url in ["", "sqlite:x", "/var/lib/s3cret", "mysql://ana:s3cret@db"] {
            let refused = database(url).check().unwrap_err();
            assert!(!refused.message().contains("s3cret"), "{url}");
        }
        database("postgresql://ana@db-1/work").check().unwrap();
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn the_schema_is_taken_out_of_the_address() {
        let check = |url: &str, server: &str, schema: Option<&str>| {
            let (found, ours) = super::without_schema(url);
            assert_eq!((&*found, ours.as_deref()), (server, schema), "{url}");
        };
        check("postgres://db/work", "postgres://db/work", None);
        check("postgres://db/w?schema=a", "postgres://db/w", Some("a"));
        check(
            "postgres://db/w?sslmode=verify-full&schema=a",
            "postgres://db/w?sslmode=verify-full",
            Some("a"),
        );
    }
}
