//! What the rules would say, before anything is asked for.

use action_core::Plan;
use jiff::Timestamp;

use crate::guard::Guard;
use crate::guard::authority::rules_now;
use crate::guard::error::GuardError;
use crate::identity::{Actor, Target};
use crate::policy::{AlwaysDenied, Ask, Rules, Weighed};
use crate::state::State;

impl Guard {
    /// What the rules say of an action by somebody on a system, by this state, and how they come to that.
    /// With a plan it is what they would say of a proposal of it; without, quantities are not counted.
    /// Reads nothing but the rules.
    ///
    /// # Errors
    /// When there is no such action, or nobody's word is taken here for who asks.
    #[expect(clippy::result_large_err, reason = "as all calls of the guard")]
    pub fn weighed(
        &self,
        action: &str,
        system: &str,
        by: &Actor,
        plan: Option<&Plan>,
        state: &State,
    ) -> Result<Weighed, GuardError> {
        self.asking(action, system, by, plan, state, |rules, ask| {
            rules.weigh(ask, state)
        })
    }

    /// Whether the rules deny an action to somebody on a system whatever it is given, at any time and in
    /// any mode. An empty system is one that is not known.
    ///
    /// # Errors
    /// As [`weighed`](Self::weighed).
    #[expect(clippy::result_large_err, reason = "as all calls of the guard")]
    pub fn always_denied(
        &self,
        action: &str,
        system: &str,
        by: &Actor,
        state: &State,
    ) -> Result<AlwaysDenied, GuardError> {
        self.asking(action, system, by, None, state, |rules, ask| {
            rules.always_denied(ask)
        })
    }

    /// The rules that are in force, as the text that they were read from, if they were.
    #[must_use]
    pub fn rules_text(&self) -> Option<std::sync::Arc<str>> {
        rules_now(&self.rules).text()
    }

    /// Which rules are in force: the hash of their text, if they have one.
    #[must_use]
    pub fn rules_version(&self) -> Option<String> {
        rules_now(&self.rules).version()
    }

    #[expect(clippy::result_large_err, reason = "as all calls of the guard")]
    fn asking<T>(
        &self,
        action: &str,
        system: &str,
        by: &Actor,
        plan: Option<&Plan>,
        state: &State,
        ask: impl FnOnce(&dyn Rules, &Ask<'_>) -> T,
    ) -> Result<T, GuardError> {
        let definition = self.definition(action)?;
        let by = self.trust.known(by)?;
        let target = Target::new(&definition.subject, system);
        let named = self.called(target, state).map(|target| target.cluster);
        let cluster = named.ok().flatten();
        let asked = Ask::new(&definition, by.as_str(), system, Timestamp::now());
        let mut asked = asked.proven_by(by.proven_by()).cluster(cluster.as_deref());
        if let Some(plan) = plan {
            asked = asked.plan(plan);
        }
        Ok(ask(&*rules_now(&self.rules), &asked))
    }
}
