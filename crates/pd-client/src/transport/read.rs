//! Where reads are asked.
//!
//! A read may be asked of every endpoint. Told to wait for an answer, it is asked of all of them
//! again and again, with pauses in between that grow and are never the same, until its deadline.

use std::sync::atomic::Ordering;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorClass, InputError};
use crate::transport::exchange::Exchange;
use crate::transport::route::LONGEST;
use crate::transport::{Answer, Call, Failure};

/// How a client reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    /// How long a read is tried; without, every endpoint is asked once.
    pub(crate) deadline: Option<Duration>,
    /// Who is asked.
    pub(crate) asks: Asks,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Every endpoint, until one answers.
    #[default]
    Everyone,
    /// The leader.
    Leader,
}

/// How one round over the endpoints ended.
enum Round {
    /// With an answer, or a refusal that another endpoint would only repeat.
    Decided(Result<Answer, Error>),
    /// With nothing, and another round may have more luck.
    Open,
}

/// Pauses between rounds: 0.1 to 0.2 s, then longer up to 1 to 2 s.
fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .with_jitter()
        .build()
}

impl Client {
    /// Asks the endpoint that answered last, then each other one, once, within twice the time-out
    /// of the call; or again and again until the deadline that was set for reads.
    pub(crate) async fn read(&self, call: Call) -> Result<Answer, Error> {
        let time = self.time_for(call.cost());
        let limit = self
            .reading
            .deadline
            .map_or(time * 2, |limit| limit.min(LONGEST));
        let deadline = Instant::now() + limit;
        let mut best = MostInformative::default();
        let mut pauses = pauses();
        loop {
            let round = match self.reading.asks {
                Asks::Everyone => self.ask_everyone(&call, deadline, &mut best).await,
                Asks::Leader => self.ask_leader(&call, deadline, &mut best).await,
            };
            if let Round::Decided(result) = round {
                return result;
            }
            let pause = self.reading.deadline.and_then(|_| pauses.next());
            match pause {
                Some(pause) if Instant::now() + pause < deadline => sleep(pause).await,
                _ => return Err(best.into_error()),
            }
        }
    }

    /// Reads again, with pauses that grow, until what was read will do or so much time is over, and
    /// gives what was read last. It reads once at least.
    ///
    /// For what PD does not know yet: it was just started, or has a new leader.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(pd: pd_client::Client) -> Result<(), pd_client::Error> {
    /// let loaded = |names: &Vec<String>| !names.is_empty();
    /// let read = |pd: pd_client::Client| async move { pd.schedulers().await };
    /// let names = pd.read_until(Duration::from_secs(20), read, loaded).await?;
    /// println!("{} schedulers", names.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The first error of a reading.
    pub async fn read_until<T, F>(
        &self,
        limit: Duration,
        read: impl Fn(Self) -> F,
        will_do: impl Fn(&T) -> bool,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let deadline = Instant::now() + limit.min(LONGEST);
        let mut pauses = pauses();
        loop {
            let found = read(self.clone()).await?;
            let pause = pauses.next().unwrap_or_default();
            if will_do(&found) || Instant::now() + pause >= deadline {
                return Ok(found);
            }
            sleep(pause).await;
        }
    }

    /// Asks the configured endpoints, and, when none of them answers, the other members.
    async fn ask_everyone(
        &self,
        call: &Call,
        deadline: Instant,
        best: &mut MostInformative,
    ) -> Round {
        if let Round::Decided(result) = self.ask_configured(call, deadline, best).await {
            return Round::Decided(result);
        }
        for member in self.other_members() {
            if self.is_of_cluster(&member).await
                && let Round::Decided(result) = self.ask(&member, call, deadline, best).await
            {
                return Round::Decided(result);
            }
        }
        Round::Open
    }

    /// Asks each configured endpoint once, beginning with the one that answered last.
    async fn ask_configured(
        &self,
        call: &Call,
        deadline: Instant,
        best: &mut MostInformative,
    ) -> Round {
        let endpoints = &self.shared.endpoints;
        let first = self.shared.preferred.load(Ordering::Relaxed);
        for turn in 0..endpoints.len() {
            let index = (first + turn) % endpoints.len();
            match self.ask(&endpoints[index], call, deadline, best).await {
                Round::Open => {}
                Round::Decided(result) => {
                    if result.is_ok() {
                        self.shared.preferred.store(index, Ordering::Relaxed);
                        self.refresh_members(&endpoints[index]).await;
                    }
                    return Round::Decided(result);
                }
            }
        }
        Round::Open
    }

    /// Asks the leader at its own addresses. Whatever goes wrong, it is looked for anew then.
    async fn ask_leader(
        &self,
        call: &Call,
        deadline: Instant,
        best: &mut MostInformative,
    ) -> Round {
        let addresses = match self.find_leader(deadline).await {
            Ok(addresses) => addresses,
            Err(error) => {
                best.keep(error);
                return Round::Open;
            }
        };
        for address in &addresses {
            if let Round::Decided(result) = self.ask(address, call, deadline, best).await {
                return Round::Decided(result);
            }
        }
        self.shared.known_leader().take();
        Round::Open
    }

    /// The answer of the members of whom it is known, for the search for a leader.
    pub(super) async fn ask_for_members(&self, deadline: Instant) -> Result<Answer, Error> {
        let call = Call::point("/members");
        let mut best = MostInformative::default();
        match self.ask_configured(&call, deadline, &mut best).await {
            Round::Decided(result) => result,
            Round::Open => Err(best.into_error()),
        }
    }

    async fn ask(
        &self,
        endpoint: &Endpoint,
        call: &Call,
        deadline: Instant,
        best: &mut MostInformative,
    ) -> Round {
        let remaining = deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Round::Open;
        }
        let time = self.time_for(call.cost()).min(remaining);
        match Exchange::new(self, endpoint, call).read(time).await {
            Ok(answer) => Round::Decided(Ok(answer)),
            Err(Failure {
                error,
                another_may_answer,
            }) if another_may_answer || self.may_ask_later(&error) => {
                best.keep(error);
                Round::Open
            }
            Err(failure) => Round::Decided(Err(failure.error)),
        }
    }

    /// Too many requests are fewer a moment later, for who has the time.
    fn may_ask_later(&self, error: &Error) -> bool {
        self.reading.deadline.is_some()
            && matches!(error, Error::Pd(refusal) if refusal.is_rate_limited())
    }
}

/// The most informative error of those that came.
#[derive(Default)]
struct MostInformative(Option<Error>);

impl MostInformative {
    fn keep(&mut self, error: Error) {
        if informative(&error) > self.0.as_ref().map_or(0, informative) {
            self.0 = Some(error);
        }
    }

    fn into_error(self) -> Error {
        self.0.unwrap_or_else(|| InputError::NoEndpoint.into())
    }
}

/// How informative an error is when every endpoint failed: an answer most, silence least.
fn informative(error: &Error) -> u8 {
    match error.class() {
        ErrorClass::NotSent => 1,
        ErrorClass::Unanswered => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        let taken: Vec<_> = pauses().take(12).collect();
        for (index, pause) in taken.iter().enumerate() {
            let least =
                Duration::from_millis(100 * (1 << index.min(4))).min(Duration::from_secs(1));
            assert!(*pause >= least && *pause <= least * 2, "{taken:?}");
        }
        assert!(
            taken[5..].windows(2).any(|two| two[0] != two[1]),
            "{taken:?}"
        );
    }
}
