//! What the policy says to the actor that is served, before anything is asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use action_core::ActionDefinition;
use action_guard::policy::{AlwaysDenied, Weighed};
use action_guard::{GuardError, Request, State};
use rmcp::model::CallToolResult;
use serde_json::Value;
use tokio::time::timeout;

use crate::desk::Desk;
use crate::errors;
use crate::own_tools::ExplainPolicyParameters;
use crate::read_answers::{self, ActionRuling, InTheWay, PolicyAnswer};

/// How long a list of tools waits for a system to say which it is.
const SYSTEM_WITHIN: Duration = Duration::from_secs(2);

impl Desk {
    /// The mutations under the ceiling that the policy denies this actor whatever is asked, at any time
    /// and in any mode.
    pub(crate) async fn hidden(&self) -> BTreeSet<String> {
        let mut hidden = BTreeSet::new();
        let Ok(state) = self.guard.state().await else {
            return hidden;
        };
        let catalogue = self.guard.catalogue();
        for definition in self.mutations(catalogue.definitions()) {
            let name = &definition.name;
            if self.denies_by_name(name, &state).await.is_some() {
                hidden.insert(name.clone());
            }
        }
        hidden
    }

    /// Whether the policy denies an action without exception; `None` where it cannot be asked.
    pub(crate) async fn always_denied(&self, action: &str, state: &State) -> Option<AlwaysDenied> {
        let says = |system: &str| {
            self.guard
                .always_denied(action, system, &self.actor, state)
                .ok()
        };
        match says("")? {
            AlwaysDenied::PerSystem => {
                let system = timeout(SYSTEM_WITHIN, self.system_of(action)).await;
                says(&system.ok()?.ok()?)
            }
            known => Some(known),
        }
    }

    /// The rule by which what is asked for by an action's own name is denied without exception, and why. By
    /// its name nothing is taken back.
    pub(crate) async fn denies_by_name(
        &self,
        action: &str,
        state: &State,
    ) -> Option<(String, String)> {
        match self.always_denied(action, state).await? {
            AlwaysDenied::By { rule, reason } | AlwaysDenied::ButTakingBack { rule, reason } => {
                Some((rule, reason))
            }
            _ => None,
        }
    }

    fn mutations<'d>(
        &self,
        all: impl Iterator<Item = &'d ActionDefinition>,
    ) -> impl Iterator<Item = &'d ActionDefinition> {
        all.filter(|definition| definition.is_mutation() && self.ceiling.covers(definition))
    }

    /// `explain_policy`: what the policy would say now, of one mutation or of all under the ceiling.
    pub(crate) async fn explain_policy(&self, asked: ExplainPolicyParameters) -> CallToolResult {
        if let Some(why) = asked
            .action
            .as_deref()
            .and_then(|action| self.not_ruled(action))
        {
            return errors::refused(&why);
        }
        match self.explained(&asked).await {
            Ok(explained) => read_answers::into_result(&explained, self.most),
            Err(failure) => errors::failed(&failure),
        }
    }

    /// Why the policy is not what decides about an action here.
    fn not_ruled(&self, action: &str) -> Option<String> {
        let catalogue = self.guard.catalogue();
        let definition = catalogue.definition(action)?;
        if !definition.is_mutation() {
            return Some(format!(
                "`{action}` only reads: the policy applies to mutations only"
            ));
        }
        (!self.ceiling.covers(definition)).then(|| {
            format!(
                "the risk of `{action}` is higher than this server allows, whatever the policy says: leave it to a person"
            )
        })
    }

    async fn explained(&self, asked: &ExplainPolicyParameters) -> Result<PolicyAnswer, GuardError> {
        let state = self.guard.state().await?;
        let catalogue = self.guard.catalogue();
        let mut answer = PolicyAnswer {
            actor: self.actor.to_string(),
            policy_hash: self.guard.rules_version(),
            ..PolicyAnswer::default()
        };
        let mut systems = BTreeSet::new();
        match &asked.action {
            None => {
                for definition in self.mutations(catalogue.definitions()) {
                    let system = self.system_of(&definition.name).await?;
                    let name = &definition.name;
                    let weighed = self
                        .guard
                        .weighed(name, &system, &self.actor, None, &state)?;
                    systems.insert(system);
                    self.add(&mut answer, definition, weighed, &state).await;
                }
            }
            Some(name) => {
                let given = asked.arguments.clone().unwrap_or_default();
                let request = Request::new(name.clone(), Value::Object(given), &self.actor);
                let draft = match (self.guard.draft(request).await, &asked.arguments) {
                    (Ok(draft), _) => Some(draft),
                    (Err(failure), Some(_)) => {
                        answer.unplanned = Some(failure.report());
                        None
                    }
                    (Err(_), None) => None,
                };
                let plan = draft.as_ref().map(|draft| &draft.proposal().plan);
                let system = self.system_of(name).await?;
                let mut weighed = self
                    .guard
                    .weighed(name, &system, &self.actor, plan, &state)?;
                systems.insert(system);
                if let Some(draft) = &draft {
                    weighed.ruling = draft.ruling().clone();
                }
                answer.rules = weighed.rules.drain(..).map(Into::into).collect();
                if let Some(definition) = catalogue.definition(name) {
                    self.add(&mut answer, definition, weighed, &state).await;
                }
            }
        }
        answer.in_the_way = self.in_the_way(&systems, &state).await;
        Ok(answer)
    }

    async fn add(
        &self,
        answer: &mut PolicyAnswer,
        definition: &ActionDefinition,
        weighed: Weighed,
        state: &State,
    ) {
        for budget in weighed.budgets {
            let budget = budget.into();
            if !answer.budgets.contains(&budget) {
                answer.budgets.push(budget);
            }
        }
        let always = self.denies_by_name(&definition.name, state).await;
        answer.actions.push(ActionRuling {
            action: definition.name.clone(),
            risk: definition.risk,
            policy: serde_json::to_value(&weighed.ruling).unwrap_or_default(),
            always_denied: always.is_some(),
        });
    }

    /// Why nothing is sent now, whatever the policy says.
    async fn in_the_way(&self, systems: &BTreeSet<String>, state: &State) -> Vec<InTheWay> {
        let mut in_the_way = Vec::new();
        let mut add = |what: &'static str, why: String| {
            let found = InTheWay { what, why };
            if !in_the_way.contains(&found) {
                in_the_way.push(found);
            }
        };
        for system in systems {
            if let Some(killed) = state.killed_on(system) {
                let why = format!("stopped by `{}`: {}", killed.by, killed.reason);
                add("kill_switch", why);
            }
            if let Some(observing) = self.guard.observing(state, system) {
                add("mode", observing.to_string());
            }
        }
        if state.killed.is_none() && self.guard.journal().is_stopped().await.unwrap_or(true) {
            add("kill_switch", "the kill switch is set".to_owned());
        }
        if let Some(problem) = self.guard.rules_problem() {
            add("policy", problem);
        }
        in_the_way
    }
}
