//! Which proposal is meant by its id or by a part of it: among all that ever were.

use std::sync::Arc;

use action_guard::{Controls, ProposalStatus, State};
use jiff::Timestamp;

use crate::ids;
use crate::lookup::what;
use crate::reports::proposal;
use crate::terminal::failure::Failure;

/// How many proposals are listed at most where several are meant.
const MOST_LISTED: usize = 10;

/// How long an id is.
const WHOLE: usize = 36;

/// Where proposals are looked up.
#[derive(Clone, Copy)]
pub(crate) struct Known<'s> {
    state: &'s State,
    /// The journal, where it is at hand: it has what ended long ago.
    controls: Option<&'s Controls>,
}

/// A proposal that may be meant.
struct Candidate {
    id: String,
    /// Of an effect whose proposal ended long ago, a gate does not tell it.
    status: Option<Arc<ProposalStatus>>,
}

impl<'s> Known<'s> {
    /// Those of a journal, and its state.
    pub(crate) fn here(controls: &'s Controls, state: &'s State) -> Self {
        let controls = Some(controls);
        Self { state, controls }
    }

    /// Those that a gate tells.
    #[cfg(feature = "proxy")]
    pub(crate) fn there(state: &'s State) -> Self {
        let controls = None;
        Self { state, controls }
    }

    pub(crate) fn state(&self) -> &'s State {
        self.state
    }

    /// The proposal that is meant: by its id, or by the beginning or the end of it.
    pub(crate) async fn find(&self, given: &str) -> Result<Arc<ProposalStatus>, Failure> {
        if let Some(status) = self.state.proposal_status(given) {
            return Ok(Arc::clone(status));
        }
        let found = self.only(given).await?;
        let status = found.and_then(|found| found.status);
        status.ok_or_else(|| self.not_found(given))
    }

    /// The id that is meant.
    pub(crate) async fn id(&self, given: &str) -> Result<String, Failure> {
        if self.state.effects.contains_key(given) || self.state.proposal_status(given).is_some() {
            return Ok(given.to_owned());
        }
        let found = self.only(given).await?;
        match found {
            Some(found) => Ok(found.id),
            // What ended long ago a gate knows by its whole id.
            None if self.controls.is_none() && given.len() == WHOLE => Ok(given.to_owned()),
            None => Err(self.not_found(given)),
        }
    }

    /// The proposal that is meant, where only some can be; without an id it is said which.
    pub(crate) async fn choose(
        &self,
        given: Option<&str>,
        verb: &'static str,
        can_be: impl Fn(&ProposalStatus) -> bool,
    ) -> Result<Arc<ProposalStatus>, Failure> {
        match given {
            Some(given) => self.find(given).await,
            None => Err(self.unnamed(verb, can_be)),
        }
    }

    /// That none is named, and which could be.
    pub(crate) fn unnamed(
        &self,
        verb: &'static str,
        can_be: impl Fn(&ProposalStatus) -> bool,
    ) -> Failure {
        let all = self.state.ended.iter().chain(self.state.open.values());
        let found: Vec<_> = all.filter(|status| can_be(status)).cloned().collect();
        if found.is_empty() {
            let text = format!("no proposal to {}", spoken(verb));
            return Failure::usage(text).command("proposals list --all", "lists all proposals");
        }
        let lines = found.iter().rev().map(|status| self.line(status));
        let text = format!("no proposal named; these are the ones to {}:", spoken(verb));
        let failure = Failure::usage(text).lines(lines.collect());
        let command = match found.as_slice() {
            [status] => {
                let id = ids::short_of(&status.proposal.id, self.state);
                let requester = &status.proposal.request.actor;
                let is_of_agent = verb == "proposals run" && requester.starts_with("agent:");
                let by = is_of_agent.then(|| format!(" --actor {requester}"));
                format!("{}{}", ending(verb, &id), by.unwrap_or_default())
            }
            _ => ending(verb, "ID"),
        };
        failure.command(command, does(verb))
    }

    /// The only one that is meant; none at all is no failure.
    async fn only(&self, given: &str) -> Result<Option<Candidate>, Failure> {
        if ids::is_too_short(given) {
            let text = format!(
                "`{given}` is too short for an id: give at least {} of its digits",
                ids::SHORTEST
            );
            return Err(Failure::usage(text).command("proposals list --all", "lists the proposals"));
        }
        let mut found = self.candidates(given).await?;
        if found.len() < 2 {
            return Ok(found.pop());
        }
        let all: Vec<&str> = found.iter().map(|found| found.id.as_str()).collect();
        let lines = found.iter().take(MOST_LISTED).map(|one| {
            let id = ids::short(&one.id, all.iter().copied().chain(ids::known(self.state)));
            one.status.as_ref().map_or_else(
                || format!("{id}  an effect in force"),
                |status| about(&id, status),
            )
        });
        let text = format!("`{given}` matches more than one proposal:");
        let failure = Failure::usage(text).lines(lines.collect());
        Err(failure.next("give more digits of the id"))
    }

    /// All that may be meant, at least as many as are listed.
    async fn candidates(&self, given: &str) -> Result<Vec<Candidate>, Failure> {
        let all = self.state.open.values().chain(&self.state.ended);
        let all = all.filter(|status| ids::fits(&status.proposal.id, given));
        let mut found: Vec<Candidate> = all.map(Candidate::of).collect();
        if let (Some(controls), Some(beginning)) = (self.controls, ids::with_dashes(given)) {
            for status in controls.recorded(&beginning, MOST_LISTED + 1).await? {
                if found.iter().all(|known| known.id != status.proposal.id) {
                    found.push(Candidate::of(&Arc::new(status)));
                }
            }
        }
        let effects = self.state.effects.keys();
        for id in effects.filter(|id| ids::fits(id, given)) {
            if found.iter().all(|known| known.id != *id) {
                let id = id.clone();
                found.push(Candidate { id, status: None });
            }
        }
        Ok(found)
    }

    fn not_found(&self, given: &str) -> Failure {
        let where_ = match self.controls {
            Some(_) => "",
            None => " among the open and recently ended proposals of the gate",
        };
        let text = format!("proposal `{given}` not found{where_}");
        Failure::usage(text).command("proposals list --all", "lists the proposals")
    }

    fn line(&self, status: &ProposalStatus) -> String {
        about(&ids::short_of(&status.proposal.id, self.state), status)
    }
}

impl Candidate {
    fn of(status: &Arc<ProposalStatus>) -> Self {
        Self {
            id: status.proposal.id.clone(),
            status: Some(Arc::clone(status)),
        }
    }
}

/// A proposal in a line.
fn about(id: &str, status: &ProposalStatus) -> String {
    let phase = status.phase_at(Timestamp::now());
    let asked_by = proposal::asked_by(&status.proposal.request);
    format!("{id}  {}: {phase}, requested by {asked_by}", what(status))
}

/// A verb as it is said of a proposal.
fn spoken(verb: &str) -> &str {
    verb.strip_prefix("proposals ").unwrap_or(verb)
}

/// What a verb does with a proposal.
fn does(verb: &str) -> &'static str {
    match verb {
        "approve" => "approves it",
        "reject" => "rejects it",
        "cancel" => "cancels it",
        "undo" => "takes it back",
        "resolve" => "records its outcome",
        "release" => "gives up its effect",
        _ => "runs it",
    }
}

/// The command that does it, with what else it must be given.
fn ending(verb: &'static str, id: &str) -> String {
    match verb {
        "reject" | "cancel" | "release" => format!("{verb} {id} --reason TEXT"),
        "resolve" => format!("{verb} {id} applied --reason TEXT"),
        _ => format!("{verb} {id}"),
    }
}
