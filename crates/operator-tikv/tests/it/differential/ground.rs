//! A PD that requests are planned against and sent to.

use action_core::{ActionError, ActionRegistry, Attempt, Plan, Verdict};
use operator_tikv::Tikv;
use pd_client::Client;
use serde_json::Value;

use super::tally::{Outcome, Tally};

pub(super) struct Ground {
    pub(super) pd: Client,
    pub(super) registry: ActionRegistry,
}

impl Ground {
    pub(super) fn new(endpoints: &str) -> Self {
        let pd = Client::new(endpoints).unwrap();
        let mut registry = ActionRegistry::new();
        registry.register(Tikv::new(pd.clone())).unwrap();
        Self { pd, registry }
    }

    pub(super) async fn plan(&self, name: &str, parameters: &Value, told: &str) -> Plan {
        let plan = self.registry.plan(name, parameters.clone()).await;
        plan.unwrap_or_else(|error| unreachable!("{told}: {}", error.report()))
    }

    /// Plans, sends, and counts whether the two agree. Gives the plan if PD accepted.
    pub(super) async fn compare(
        &self,
        name: &'static str,
        parameters: Value,
        told: &str,
        tally: &mut Tally,
    ) -> Option<Plan> {
        let plan = self.plan(name, &parameters, told).await;
        if matches!(plan.verdict, Verdict::NotAskedFor { .. }) {
            tally.count(name, Outcome::Ours);
            return None;
        }
        let attempt = Attempt::untracked();
        let answer = self
            .registry
            .send(name, parameters.clone(), &plan.before, &attempt)
            .await;
        let accepted = answer.is_ok();
        let refusal = answer.as_ref().err().map(words);
        let mut outcome = agreement(&plan.verdict, answer, told);
        // A living cluster may have changed meanwhile; what PD refused has changed nothing.
        if let (Outcome::Differs(_), Some(words)) = (&outcome, refusal) {
            let again = self.plan(name, &parameters, told).await;
            if matches!(&again.verdict, Verdict::WouldReject { text, .. } if *text == words) {
                outcome = Outcome::Overtaken;
            }
        }
        tally.count(name, outcome);
        accepted.then_some(plan)
    }
}

/// What PD says when what is asked for is so already.
fn is_already_so(words: &str) -> bool {
    words == "no operator step is built"
        || words.starts_with("region already has peer in store ")
        || words.starts_with("region has no peer in store ")
        // The suffixed delete of a drain that there is not says no more than `null`.
        || words.is_empty()
}

fn agreement(
    verdict: &Verdict,
    answer: Result<action_core::Accepted, ActionError>,
    told: &str,
) -> Outcome {
    let refusal = answer.as_ref().err().map(words);
    let refusal = refusal.as_deref();
    match (verdict, refusal) {
        (Verdict::Undecided { causes }, _) => Outcome::Undecided(causes[0].code.clone()),
        (Verdict::WouldReject { text, .. }, Some(words)) if text == words => Outcome::Refused,
        (Verdict::NoOp { .. }, None) => Outcome::NothingToDo,
        (Verdict::NoOp { .. }, Some(words)) if is_already_so(words) => Outcome::NothingToDo,
        (
            Verdict::WouldProceed
            | Verdict::WouldDisplace { .. }
            | Verdict::AcceptedButWillNotProgress { .. },
            None,
        ) => Outcome::Accepted,
        _ => {
            let said = refusal.map_or_else(|| "accepted".to_owned(), |words| format!("{words:?}"));
            Outcome::Differs(format!("{told}\n  planned {verdict:?}\n  PD: {said}"))
        }
    }
}

/// PD's words, without the code in front.
fn words(error: &ActionError) -> String {
    let text = error.report();
    let inner = text.strip_prefix('[').and_then(|text| text.split_once(']'));
    match inner {
        Some((code, rest)) if code.starts_with("PD:") => rest.to_owned(),
        _ if text.ends_with("without a message") => String::new(),
        _ => text,
    }
}
