//! What keeps a mutation from being carried out, where that is how it stands.

use action_guard::Standing;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

impl Failure {
    /// How a mutation stands of which nothing was sent, or which somebody else carries out.
    pub(crate) fn of_standing(standing: &Standing) -> Self {
        let text = standing.to_string();
        match (standing, standing.refusal()) {
            (_, Some(refusal)) => Self::of_refusal(&refusal),
            (Standing::RefusedByPlan { verdict, .. }, _) => {
                Self::new(Exit::of_verdict(verdict), "not_sent", text)
            }
            (Standing::Outdated { .. }, _) => Self::refused("drifted", text)
                .next("plan it again: the state it was planned for has changed"),
            (Standing::Waits(_), _) => Self::new(Exit::Waiting, "needs_approval", text),
            _ => Self::refused("refused", text),
        }
    }
}
