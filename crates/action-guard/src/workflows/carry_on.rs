//! Goes on with a workflow for others, as a gate does that has no authority of its own in it.

use action_core::Work;
use jiff::Timestamp;

use crate::guard::token_scope::still_counts;
use crate::guard::trust::not_proven;
use crate::guard::{GuardError, rules_now};
use crate::identity::Target;
use crate::proposal::Refusal;
use crate::state::{Flow, State};
use crate::workflows::Workflows;
use crate::workflows::event::WatchFlow;
use crate::workflows::next_steps::Ready;
use crate::workflows::run::{FlowRun, WaitPolicy};
use crate::workflows::throttle::Runner;

impl Workflows {
    /// Goes on with a workflow for who started it, who wants it taken back, and who let it go on last: as a
    /// gate, which has no authority of its own in it. Each is looked at again at each step: whether they are
    /// paused, and whether they could still prove who they are as they did; who could not stops it. The
    /// records name them, and the gate beside them. What was approved for them stays so.
    ///
    /// # Errors
    /// As [`run`](Self::run); also where the guard is not that of a [gate](crate::Guard::only_proven).
    pub async fn carry_on(
        &self,
        id: &str,
        wait_policy: WaitPolicy,
        watch: WatchFlow<'_>,
    ) -> Result<FlowRun, GuardError> {
        let by = &self.at_it(id, &self.guard.trust.itself()).await?;
        if !by.is_gate() {
            return Err(not_proven(by.clone()).into());
        }
        self.go_on(id, by, wait_policy, watch).await
    }

    /// Whether a step is not done because somebody by whose authority it would be is not known any more:
    /// then it has failed, and what was proposed for it is called off.
    pub(super) async fn is_stopped_for(
        &self,
        flow: &Flow,
        ready: &Ready,
        state: &State,
        runner: &mut Runner,
        watch: WatchFlow<'_>,
    ) -> Result<bool, GuardError> {
        let Err(refusal) = self.are_still_known(flow, ready, state) else {
            return Ok(false);
        };
        let (proposal, back) = match ready {
            Ready::Execute { proposal, back, .. } => (state.open.get(proposal), *back),
            Ready::TakeBack { .. } => (None, true),
            _ => (None, false),
        };
        let proposal = proposal.map(|status| &status.proposal);
        let (step, refusal) = (ready.step(), refusal.into());
        self.trouble(flow, step, refusal, proposal, back, runner, watch)
            .await?;
        Ok(true)
    }

    /// Refuses a step where one of those by whose authority it is done could not prove any more who they are
    /// as they did, or may not ask for it.
    fn are_still_known(&self, flow: &Flow, ready: &Ready, state: &State) -> Result<(), Refusal> {
        let rules = rules_now(&self.guard.rules);
        // What takes a step back is another action, which is looked at with its intent.
        let is_back = matches!(
            ready,
            Ready::TakeBack { .. } | Ready::Execute { back: true, .. }
        );
        for who in flow.asked_by() {
            still_counts(
                &*rules,
                who.as_str(),
                who.proven_by(),
                state,
                Timestamp::now(),
            )?;
            if let Some(Work::Action { name, .. } | Work::Observe { name, .. }) =
                flow.work(ready.step())
                && !is_back
                && let Some(system) = flow.systems.get(name)
            {
                let subject = self.guard.definition(name).ok();
                let subject = subject.map_or_else(String::new, |found| found.subject.clone());
                let target = Target::new(subject, system);
                let target = self.guard.called(target, state).map_err(Refusal::Name)?;
                self.guard.listed.may_ask(who, &target, name)?;
            }
        }
        Ok(())
    }
}
