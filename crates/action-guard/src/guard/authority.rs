//! What the rules say for each of those who are at a proposal, and who may give an effect up.

use std::sync::Arc;

use action_core::{ActionDefinition, Undo};
use jiff::{SignedDuration, Timestamp};

use crate::guard::Guard;
use crate::guard::trust::{Listed, Trust};
use crate::identity::Actor;
use crate::policy::{Rules, matches_actor};
use crate::proposal::{NO_RULE, Phase, Proposal, Refusal, Ruled, Ruling};
use crate::state::{ProposalStatus, State};

/// The rules as they are now, to decide one thing by.
pub(crate) fn rules_now(rules: &Arc<dyn Rules>) -> Arc<dyn Rules> {
    rules.snapshot().unwrap_or_else(|| Arc::clone(rules))
}

/// The same, to send by: nothing is sent by an older version while the newer one is wrong.
pub(crate) fn rules_to_send_by(rules: &Arc<dyn Rules>) -> Result<Arc<dyn Rules>, Refusal> {
    // What goes wrong after this look was right when it was taken.
    match rules.problem() {
        Some(problem) => Err(Refusal::RulesWrong { problem }),
        None => Ok(rules_now(rules)),
    }
}

/// What the rules say of a proposal: for who asks, and for each who carries it out beside them. The
/// strictest is the proposal's, the first of several; all of them are kept in it.
pub(crate) fn rule_for_each(
    rules: &dyn Rules,
    proposal: &mut Proposal,
    definition: &ActionDefinition,
    state: &State,
    now: Timestamp,
) -> Ruling {
    let mut strictest = rules.rule(proposal, definition, state, now);
    if proposal.request.carried_out_by.is_empty() {
        return strictest;
    }
    let mut rulings = vec![Ruled::new(&proposal.request.actor, strictest.clone())];
    for who in &proposal.request.carried_out_by {
        let theirs = rules.rule(&asked_by(proposal, who), definition, state, now);
        rulings.push(Ruled::new(who.as_str(), theirs.clone()));
        if theirs.strictness() > strictest.strictness() {
            strictest = theirs;
        }
    }
    proposal.rulings = rulings;
    strictest
}

/// Whether the rules allow it still, asked as `allow` asks, for each of them.
pub(crate) fn allow_for_each(
    status: &ProposalStatus,
    (trust, listed): (Trust, &Listed),
    now: Timestamp,
    allow: impl Fn(&ProposalStatus) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let status = &*trust.counting(listed, status, now)?;
    allow(status)?;
    for who in &status.proposal.request.carried_out_by {
        let mut theirs = status.clone();
        theirs.proposal = asked_by(&status.proposal, who);
        allow(&theirs)?;
    }
    Ok(())
}

/// The same as if somebody else had asked for it alone.
fn asked_by(proposal: &Proposal, who: &Actor) -> Proposal {
    let mut theirs = proposal.clone();
    who.as_str().clone_into(&mut theirs.request.actor);
    theirs.request.proven_by = who.proven_by().clone();
    theirs.request.carried_out_by.clear();
    theirs
}

/// Refuses a lease that nothing could act on when it ends.
pub(crate) fn check_lease(
    rules: &dyn Rules,
    proposal: &Proposal,
    undo: Option<&ActionDefinition>,
    system: &Actor,
    state: &State,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (Some(lease), Some(definition)) = (proposal.request.lease_ms, undo) else {
        return Ok(());
    };
    let lease = SignedDuration::from_millis(i64::try_from(lease).unwrap_or(i64::MAX));
    let ends = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
    let ruling = rules.rule_taking_back(definition, system, &proposal.system, state, ends);
    match ruling {
        Ruling::Deny { rule, reason } => Err(Refusal::LeaseNotReaped { rule, reason }),
        _ => Ok(()),
    }
}

impl Guard {
    /// Why a newer version of the rules is not in force, if there is one that is wrong. Nothing is
    /// sent meanwhile.
    #[must_use]
    pub fn rules_problem(&self) -> Option<String> {
        self.rules.problem()
    }
}

/// Refuses to let somebody give up an effect who may not: it is neither theirs nor are they a
/// person, or the rules would not let them take it back. Where people must agree to take it back,
/// one of them gives it up; who asked for it cannot alone.
pub(crate) fn may_release(
    rules: &Arc<dyn Rules>,
    definitions: &[ActionDefinition],
    id: &str,
    by: &Actor,
    state: &State,
    now: Timestamp,
) -> Result<(), Refusal> {
    let effect = state.effects.get(id);
    let effect = effect.ok_or_else(|| Refusal::NotOurs { id: id.to_owned() })?;
    // What is about to be sent, or is followed, would be in force with nobody to take it back.
    if let Some(status) = state
        .open
        .get(id)
        .filter(|status| status.phase == Phase::Executing)
    {
        return Err(Refusal::Phase {
            id: id.to_owned(),
            phase: status.phase,
            wanted: "released",
        });
    }
    if !by.is_user() && !by.as_str().eq_ignore_ascii_case(&effect.actor) {
        return Err(Refusal::NotTheirs {
            id: effect.id.clone(),
            by: by.clone(),
            owner: effect.actor.clone(),
        });
    }
    let action = match &effect.undo {
        Undo::Action { name, .. } => name,
        _ => &effect.action,
    };
    let definition = definitions.iter().find(|known| known.name == *action);
    let definition = definition.ok_or_else(|| Refusal::Denied {
        rule: NO_RULE.to_owned(),
        reason: format!("unknown action `{action}`, which takes it back"),
    })?;
    match rules.rule_taking_back(definition, by, &effect.system, state, now) {
        Ruling::Allow { .. } => Ok(()),
        Ruling::Deny { rule, reason } => Err(Refusal::Denied { rule, reason }),
        Ruling::Approve {
            rule, by: people, ..
        } => {
            let is_among = |pattern: &String| matches_actor(pattern, by.as_str());
            if by.is_user() && (people.is_empty() || people.iter().any(is_among)) {
                return Ok(());
            }
            let people = match people.is_empty() {
                true => "a person".to_owned(),
                false => people.join(", "),
            };
            let reason =
                format!("taking it back needs approval from {people}, and so does giving it up");
            Err(Refusal::Denied { rule, reason })
        }
    }
}
