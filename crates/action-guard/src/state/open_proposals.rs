//! Proposals that have not ended, and what every mutation asks of all of them, kept beside them: who
//! proposes or sends does not walk over those that wait.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::proposal::Phase;
use crate::state::ProposalStatus;

/// Proposals that have not ended, by id. They are written down as a map; the rest follows from that.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(
    from = "BTreeMap<String, Arc<ProposalStatus>>",
    into = "BTreeMap<String, Arc<ProposalStatus>>"
)]
pub struct OpenProposals {
    all: BTreeMap<String, Arc<ProposalStatus>>,
    /// Those that were sent, or may have been.
    in_flight: BTreeSet<String>,
    /// The others, by when it is too late to send them.
    waiting: BTreeSet<(Timestamp, String)>,
    /// How many of the others there are.
    counts: BTreeMap<Asker, usize>,
}

/// Whose proposals wait, and whether they take something back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asker {
    takes_back: bool,
    /// In lower case: people write one name in more than one way.
    actor: String,
}

impl Asker {
    fn of(status: &ProposalStatus) -> Self {
        Self {
            takes_back: status.proposal.undoes.is_some(),
            actor: status.proposal.request.actor.to_ascii_lowercase(),
        }
    }
}

/// It is read as the map that it is; only what is below changes it.
impl Deref for OpenProposals {
    type Target = BTreeMap<String, Arc<ProposalStatus>>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl OpenProposals {
    /// Those that were sent, or may have been, and whose outcome is not known.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = &Arc<ProposalStatus>> {
        self.in_flight.iter().filter_map(|id| self.all.get(id))
    }

    /// How many wait at a time of those that take something back, or of the others: of all, and of
    /// one who asks.
    pub(crate) fn count_waiting(
        &self,
        takes_back: bool,
        actor: &str,
        now: Timestamp,
    ) -> (usize, usize) {
        let actor = actor.to_ascii_lowercase();
        let (mut all, mut theirs) = (0, 0);
        let mut count = |asker: &Asker, change: &dyn Fn(usize) -> usize| {
            if asker.takes_back == takes_back {
                all = change(all);
                if asker.actor == actor {
                    theirs = change(theirs);
                }
            }
        };
        for (asker, counted) in &self.counts {
            count(asker, &|sum| sum + counted);
        }
        // What expired does not wait; it is dropped with the next proposal.
        for status in self.expired(now).filter_map(|id| self.all.get(id)) {
            count(&Asker::of(status), &|sum| sum.saturating_sub(1));
        }
        (all, theirs)
    }

    /// Those that nobody has sent in time.
    pub(crate) fn expired(&self, now: Timestamp) -> impl Iterator<Item = &String> {
        let expired = self.waiting.iter().take_while(move |(at, _)| *at <= now);
        expired.map(|(_, id)| id)
    }

    pub(crate) fn insert(&mut self, status: Arc<ProposalStatus>) {
        let id = status.proposal.id.clone();
        if status.phase.is_unsent() {
            self.waiting
                .insert((status.proposal.expires_at, id.clone()));
            *self.counts.entry(Asker::of(&status)).or_default() += 1;
        } else {
            self.in_flight.insert(id.clone());
        }
        self.all.insert(id, status);
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Arc<ProposalStatus>> {
        let status = self.all.remove(id)?;
        if !self.in_flight.remove(id) {
            self.no_longer_waits(&status);
        }
        Some(status)
    }

    /// Says that one is being sent.
    pub(crate) fn send(&mut self, id: &str) -> Option<&mut ProposalStatus> {
        let status = Arc::clone(self.all.get(id)?);
        if self.in_flight.insert(id.to_owned()) {
            self.no_longer_waits(&status);
        }
        drop(status);
        let status = self.get_mut(id)?;
        status.phase = Phase::Executing;
        Some(status)
    }

    /// One, to change it in what is not kept beside it: neither who asked for it, nor until when it
    /// may be sent, nor whether it [was](Self::send).
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut ProposalStatus> {
        self.all.get_mut(id).map(Arc::make_mut)
    }

    fn no_longer_waits(&mut self, status: &ProposalStatus) {
        let proposal = &status.proposal;
        (self.waiting).remove(&(proposal.expires_at, proposal.id.clone()));
        let asker = Asker::of(status);
        if let Some(count) = self.counts.get_mut(&asker) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&asker);
            }
        }
    }
}

impl PartialEq for OpenProposals {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl From<BTreeMap<String, Arc<ProposalStatus>>> for OpenProposals {
    fn from(all: BTreeMap<String, Arc<ProposalStatus>>) -> Self {
        let mut open = Self::default();
        for status in all.into_values() {
            open.insert(status);
        }
        open
    }
}

impl From<OpenProposals> for BTreeMap<String, Arc<ProposalStatus>> {
    fn from(open: OpenProposals) -> Self {
        open.all
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::proposal::Ruling;
    use crate::testing::fixtures::proposal;

    fn waiting(id: &str, actor: &str, undoes: Option<&str>, until: Timestamp) -> ProposalStatus {
        let mut proposal = proposal(id, "x");
        actor.clone_into(&mut proposal.request.actor);
        proposal.undoes = undoes.map(str::to_owned);
        proposal.expires_at = until;
        let rule = "a test".to_owned();
        ProposalStatus::new(proposal, Ruling::Allow { rule }, 1, Timestamp::UNIX_EPOCH)
    }

    /// Holds what is kept beside them against what a walk over all says.
    #[track_caller]
    fn check(open: &OpenProposals, now: Timestamp, mine: usize) {
        let all: Vec<&ProposalStatus> = open.values().map(|status| &**status).collect();
        for (actor, takes_back) in [("agent:Night", false), ("agent:night", true)] {
            let waits = |status: &&&ProposalStatus| {
                let undoes = status.proposal.undoes.is_some();
                status.phase_at(now).is_unsent() && undoes == takes_back
            };
            let is_theirs = |status: &&&ProposalStatus| {
                let by = &status.proposal.request.actor;
                by.eq_ignore_ascii_case(actor)
            };
            let waiting = all.iter().filter(waits);
            let expected = (waiting.clone().count(), waiting.filter(is_theirs).count());
            assert_eq!(open.count_waiting(takes_back, actor, now), expected);
        }
        assert_eq!(open.count_waiting(false, "agent:night", now).1, mine);
        let in_flight = all.iter().filter(|status| status.phase.is_in_flight());
        assert_eq!(open.in_flight().count(), in_flight.count());
        let expired = all
            .iter()
            .filter(|status| status.phase_at(now) == Phase::Expired);
        assert_eq!(open.expired(now).count(), expired.count());
        let read: OpenProposals =
            serde_json::from_str(&serde_json::to_string(open).unwrap()).unwrap();
        let kept = |open: &OpenProposals| {
            let OpenProposals {
                all: _,
                in_flight,
                waiting,
                counts,
            } = open.clone();
            (in_flight, waiting, counts)
        };
        assert_eq!(kept(&read), kept(open));
    }

    #[test]
    fn what_is_kept_beside_them_is_what_they_say() {
        let now = Timestamp::from_second(1_000).unwrap();
        let at = |seconds| now + SignedDuration::from_secs(seconds);
        let mut open = OpenProposals::default();
        for (id, by, undoes, until) in [
            ("a", "agent:night", None, at(1)),
            ("b", "agent:NIGHT", None, at(2)),
            ("c", "agent:day", None, at(1)),
            ("d", "agent:night", Some("z"), at(1)),
            ("e", "agent:night", None, at(0)),
        ] {
            open.insert(Arc::new(waiting(id, by, undoes, until)));
        }
        check(&open, now, 2);
        check(&open, at(1), 1);
        assert!(
            open.send("a")
                .is_some_and(|sent| sent.phase == Phase::Executing)
        );
        check(&open, now, 1);
        for id in ["a", "b", "d", "e"] {
            assert!(open.remove(id).is_some());
            check(&open, now, usize::from(id == "a"));
        }
        assert_eq!(open.keys().collect::<Vec<_>>(), ["c"]);
        assert!(open.remove("a").is_none() && open.send("a").is_none());
        check(&open, now, 0);
    }
}
