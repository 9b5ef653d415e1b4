//! How a journal in a database is opened.

use std::time::Duration;

/// How a [`SqlJournal`](crate::SqlJournal) is opened.
#[derive(Debug, Clone)]
pub struct SqlOptions {
    pub(crate) segment_bytes: u64,
    pub(crate) lock_wait: Duration,
    #[cfg(feature = "postgres")]
    pub(crate) schema: String,
    #[cfg(feature = "postgres")]
    pub(crate) only_verified: bool,
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 4 * 1024 * 1024,
            lock_wait: Duration::from_secs(10),
            #[cfg(feature = "postgres")]
            schema: "action_guard".to_owned(),
            #[cfg(feature = "postgres")]
            only_verified: false,
        }
    }
}

impl SqlOptions {
    /// A checkpoint is written when there are so many bytes of records since the last one. Opening
    /// reads no more than that.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// How long a commit waits while others write.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// The schema of the tables in PostgreSQL; one database holds as many journals as it has
    /// schemas. Lower-case letters, digits and `_`.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Only a server on this machine, or one whose certificate and name are verified
    /// (`sslmode=verify-full`): whoever is on the way could otherwise read the journal and write to it.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn only_verified(mut self) -> Self {
        self.only_verified = true;
        self
    }
}
