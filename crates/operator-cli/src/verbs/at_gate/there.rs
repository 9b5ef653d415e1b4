//! The desk at a gate: what is proposed and carried out there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use action_core::{Outcome, OutcomeKind, REDACTED};
use action_guard::{
    Answer, Event, Phase, Proposal, ProposalStatus, Request, Ruling, Standing, State,
    plan_difference,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::gate::{Gate, LOST};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::note;
use crate::verbs::desk::{Desk, Drafted};

/// How long a gate is asked to wait for something to change, before it is asked again.
const WAIT: Duration = Duration::from_secs(20);

/// How often it is asked how something stands that it does not say, and how long that waits between.
const LOOKS: usize = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// What is planned at a gate, and not proposed.
pub(super) struct Draft {
    what: What,
    drafted: Planned,
}

/// What is asked for.
enum What {
    Action { path: String, body: Value },
    Undo { id: String, reason: String },
}

#[derive(Deserialize)]
struct Planned {
    proposal: Proposal,
    ruling: Ruling,
    may_be_sent: bool,
}

impl Drafted for Draft {
    fn proposal(&self) -> &Proposal {
        &self.drafted.proposal
    }

    fn ruling(&self) -> &Ruling {
        &self.drafted.ruling
    }
}

/// A proposal, and how it stands.
#[derive(Deserialize)]
struct Stands {
    standing: Standing,
    #[serde(flatten)]
    status: ProposalStatus,
}

pub(super) struct There<'g>(pub(super) &'g Gate);

impl There<'_> {
    /// Plans a mutation, by the body of its request.
    pub(super) async fn draft(&self, body: Value, global: &Global) -> Result<Draft, Failure> {
        let path = self.0.path(global, "")?;
        self.drafted(What::Action { path, body }).await
    }

    /// Plans what takes a proposal back.
    pub(super) async fn draft_undo(&self, id: &str, reason: &str) -> Result<Draft, Failure> {
        let (id, reason) = (id.to_owned(), reason.to_owned());
        self.drafted(What::Undo { id, reason }).await
    }

    async fn drafted(&self, what: What) -> Result<Draft, Failure> {
        let drafted = match &what {
            What::Action { path, body } => self.0.look(&format!("{path}drafts"), body).await?,
            What::Undo { id, reason } => {
                let path = format!("{}/undo/draft", of(id));
                self.0.look(&path, &json!({ "reason": reason })).await?
            }
        };
        Ok(Draft { what, drafted })
    }

    async fn stands(&self, id: &str, wait: Duration) -> Result<Stands, Failure> {
        let seconds = wait.as_secs();
        let path = format!("{}?wait_seconds={seconds}", of(id));
        self.0.get(&path).await
    }

    /// How it stands that was or may have been begun: the gate is asked again where it does not say.
    async fn found_out(&self, id: &str, wait: Duration) -> Result<Stands, Failure> {
        for _ in 0..LOOKS {
            match self.stands(id, wait).await {
                Ok(found) => return Ok(found),
                Err(failure) => note(&format!("{}: asking again", failure.message())),
            }
            tokio::time::sleep(PAUSE).await;
        }
        let text = format!(
            "outcome unknown: the gate at {} was asked to run proposal {id}, but its answer was lost",
            self.0.address()
        );
        Err(Failure::new(Exit::Unknown, LOST, text).command(
            "proposals list --all",
            "shows the outcome once the gate answers",
        ))
    }
}

/// The path of a proposal.
fn of(id: &str) -> String {
    format!("/api/v1/proposals/{}", gate_client::segment(id))
}

impl Desk for There<'_> {
    type Draft = Draft;

    async fn state(&self) -> Result<Arc<State>, Failure> {
        Ok(Arc::new(self.0.seen().await?.state))
    }

    async fn status(&self, id: &str) -> Result<Arc<ProposalStatus>, Failure> {
        Ok(Arc::new(self.stands(id, Duration::ZERO).await?.status))
    }

    async fn may_be_sent(&self, draft: &Draft) -> Result<bool, Failure> {
        Ok(draft.drafted.may_be_sent)
    }

    /// The gate plans anew: where that is another plan than the one that was shown, it is called off.
    async fn propose(&self, draft: &Draft) -> Result<Option<Standing>, Failure> {
        let own = &draft.proposal().id;
        let proposed: Result<Stands, Failure> = match &draft.what {
            // Nothing else has the id of the draft: asked again with it, it is the same proposal.
            What::Action { path, body } => {
                let path = format!("{path}proposals");
                let mut body = body.clone();
                body["draft"] = json!(own);
                self.0.post_by_key(&path, &body, own).await
            }
            What::Undo { id, reason } => {
                let path = format!("{}/undo", of(id));
                let body = json!({ "reason": reason, "draft": own });
                self.0.post(&path, &body).await
            }
        };
        let Stands { standing, status } = match proposed {
            Err(failure) if failure.code() == "plan_outdated" => return Ok(None),
            proposed => proposed?,
        };
        if !is_asked_for(&draft.proposal().request, &status.proposal.request) {
            let text = "nothing was cancelled: the gate answered with another proposal than the requested one";
            return Err(Failure::new(Exit::Unknown, "not_understood", text)
                .command("proposals list", "lists the proposals"));
        }
        let is_open = matches!(standing, Standing::Allowed(_) | Standing::Waits(_));
        let shown = &draft.proposal().plan;
        if is_open && !plan_difference(shown, &status.proposal.plan).is_empty() {
            let why = "its plan differs from the one that was shown";
            self.call_off(&status.proposal.id, why).await;
            return Ok(None);
        }
        let known = &status.proposal.id;
        if is_open && known != own {
            note(&format!(
                "the gate calls it proposal {known}, and not {own}"
            ));
        }
        Ok(Some(standing))
    }

    async fn draft_again(&self, draft: Draft) -> Result<Draft, Failure> {
        self.drafted(draft.what).await
    }

    async fn execute(
        &self,
        proposal: &Proposal,
        watch: &mut (dyn FnMut(Event) + Send),
    ) -> Result<Standing, Failure> {
        let id = &proposal.id;
        let path = format!("{}/execute?wait_seconds={}", of(id), WAIT.as_secs());
        let mut told = Told::default();
        let asked: Result<Stands, Failure> = self.0.post(&path, &json!({})).await;
        let mut stands = match asked {
            Err(lost) if lost.code() == LOST => {
                note(&format!("{}: checking its state", lost.message()));
                let found = self.found_out(id, Duration::ZERO).await?;
                if let Standing::Allowed(_) = found.standing {
                    let text = format!("proposal {id} is approved; nothing was sent");
                    return Err(Failure::new(Exit::Unreachable, LOST, text));
                }
                found
            }
            asked => asked?,
        };
        loop {
            told.tell(&stands.status, watch);
            match stands.standing {
                // Asked and not begun yet, or under way.
                Standing::InProgress(_) | Standing::Allowed(_) => {
                    stands = self.found_out(id, WAIT).await?;
                }
                standing => return Ok(standing),
            }
        }
    }

    async fn call_off(&self, id: &str, why: &str) {
        let path = format!("{}/cancel", of(id));
        let called: Result<Value, Failure> = self.0.post(&path, &json!({ "reason": why })).await;
        drop(called);
    }

    async fn wait(&self, id: &str, at_most: Duration) {
        let begun = Instant::now();
        let waited = self.stands(id, WAIT.min(at_most)).await;
        // A gate that does not wait, or does not answer, is not asked more often than this.
        let least = Duration::from_millis(200).min(at_most);
        if waited.is_err() || begun.elapsed() < least {
            tokio::time::sleep(least.saturating_sub(begun.elapsed())).await;
        }
    }

    async fn is_sent(&self, id: &str, _: usize) -> bool {
        match self.status(id).await {
            Ok(status) => status.intent.is_some(),
            Err(_) => true,
        }
    }

    fn later(&self, id: &str, global: &Global) -> String {
        let command = global.own_command(&["proposals", "show", id]);
        format!("the gate follows it; `{command}` shows the outcome")
    }
}

/// Whether this is the request that was asked for, but for secrets, which a journal does not keep.
fn is_asked_for(asked: &Request, recorded: &Request) -> bool {
    let is_kept = |(name, value): (&String, &Value)| {
        let asked = asked.parameters.get(name);
        value == REDACTED || asked == Some(value)
    };
    let (given, kept) = (
        asked.parameters.as_object(),
        recorded.parameters.as_object(),
    );
    asked.action == recorded.action
        && given.map(Map::len) == kept.map(Map::len)
        && kept.into_iter().flatten().all(is_kept)
}

/// What was told of how a proposal gets on.
#[derive(Default)]
struct Told {
    intent: bool,
    answer: bool,
    outcome: bool,
}

impl Told {
    /// Tells what is new, as it is seen where it is carried out.
    fn tell(&mut self, status: &ProposalStatus, watch: &mut (dyn FnMut(Event) + Send)) {
        if let Some(intent) = &status.intent
            && !std::mem::replace(&mut self.intent, true)
        {
            let attempt = intent.attempt.clone();
            watch(Event::Intent { attempt });
        }
        if let Some(answer) = &status.answer
            && !std::mem::replace(&mut self.answer, true)
        {
            match answer {
                Answer::Accepted { accepted, .. } => watch(Event::Accepted(accepted.clone())),
                Answer::Unclear { error, .. } => {
                    let error = error.clone();
                    watch(Event::Unanswered { error });
                }
                _ => {}
            }
        }
        if let Some(outcome) = ended(status)
            && !std::mem::replace(&mut self.outcome, true)
        {
            watch(Event::Outcome(outcome.clone()));
        }
    }
}

fn ended(status: &ProposalStatus) -> Option<&Outcome> {
    let is_over = status.phase != Phase::Executing;
    let outcome = status.outcome.as_ref().filter(|_| is_over)?;
    (outcome.result != OutcomeKind::Unknown || status.phase == Phase::Unknown).then_some(outcome)
}
