//! The crate from outside: what every journal must do, several processes, and what databases do.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[macro_use]
mod databases;
mod clock;
mod lookup;
mod places;
mod postgres_server;
mod processes;
mod sqlite_files;

mod sqlite {
    use crate::places::SqlitePlace;

    action_guard::journal_tests!(Some(SqlitePlace::new()));
    action_guard::journal_damage_tests!(Some(SqlitePlace::new()));
}

mod postgres {
    use crate::places::PostgresPlace;

    action_guard::journal_tests!(PostgresPlace::new());
    action_guard::journal_damage_tests!(PostgresPlace::new());
}
