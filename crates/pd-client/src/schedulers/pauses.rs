//! Pausing schedulers and checkers for a time.
//!
//! Pauses live in the memory of the PD leader: they are gone when it changes.

use std::time::Duration;

use serde::Serialize;

use crate::client::Client;
use crate::config::whole_seconds;
use crate::error::{Error, InputError};
use crate::transport::{Accepted, Call};

impl Client {
    /// Pauses one scheduler from now on for this long, rounded up to seconds. Again, the time
    /// starts anew.
    ///
    /// `POST /schedulers/{name}`, all versions. A paused drain still keeps leaders away.
    ///
    /// # Errors
    /// [`Error::Pd`] that [`is_not_found`](crate::PdError::is_not_found), with status 500, when
    /// there is no such scheduler; [`InputError::Argument`] when the name is `all`, which PD
    /// takes for every scheduler, or would be another path.
    pub async fn pause_scheduler(&self, name: &str, time: Duration) -> Result<Accepted, Error> {
        let delay = whole_seconds("pause", time)?;
        self.delay(one_scheduler(name)?, delay).await
    }

    /// Lets one scheduler go on. Accepted too when it is not paused.
    ///
    /// `POST /schedulers/{name}`, all versions.
    ///
    /// # Errors
    /// As [`pause_scheduler`](Self::pause_scheduler).
    pub async fn resume_scheduler(&self, name: &str) -> Result<Accepted, Error> {
        self.delay(one_scheduler(name)?, 0).await
    }

    /// Pauses every scheduler from now on for this long, rounded up to seconds. Checkers, which
    /// replace replicas of dead stores, go on.
    ///
    /// `POST /schedulers/all`, all versions.
    pub async fn pause_all_schedulers(&self, time: Duration) -> Result<Accepted, Error> {
        let delay = whole_seconds("pause", time)?;
        self.delay(Call::post_empty("/schedulers/all"), delay).await
    }

    /// Lets every scheduler go on, whoever paused it.
    ///
    /// `POST /schedulers/all`, all versions.
    pub async fn resume_all_schedulers(&self) -> Result<Accepted, Error> {
        self.delay(Call::post_empty("/schedulers/all"), 0).await
    }

    /// Sends a pause in seconds, of which 0 is its end.
    pub(crate) async fn delay(&self, call: Call, delay: u64) -> Result<Accepted, Error> {
        #[derive(Serialize)]
        struct Pause {
            delay: u64,
        }

        self.write(call.with_body(&Pause { delay })?).await
    }
}

fn one_scheduler(name: &str) -> Result<Call, InputError> {
    if name == "all" {
        let problem = "for PD it means all schedulers, for which there is a separate call";
        return Err(InputError::argument("scheduler", name, problem));
    }
    Call::post_empty("/schedulers").name_segment("scheduler", name)
}
