//! What the state, the mode, the rules or a person do not allow, and the way on.

use action_guard::Refusal;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

impl Failure {
    /// What the state, the mode, the rules or a person do not allow, and the way on.
    pub(super) fn of_refusal(refusal: &Refusal) -> Self {
        Self::of_refused(refusal.code(), refusal.to_string(), refusal.cluster())
    }

    /// The same by the code of a refusal, its words, and the one cluster that it is about.
    pub(crate) fn of_refused(code: &str, text: String, cluster: Option<&str>) -> Self {
        let failure = match code {
            "policy" => {
                let text = format!("not sent: {text}");
                return Self::new(Exit::Usage, code, text)
                    .command("policy check", "lists all problems of the policy");
            }
            "unknown_proposal" => Self::new(Exit::Usage, code, text),
            "not_killed" | "not_paused" | "not_a_person" | "key_used" | "plan_outdated" => {
                return Self::refused("refused", text);
            }
            _ => Self::refused(code, text),
        };
        match (code, cluster) {
            ("observing", None) => failure.command(
                "mode execute --reason TEXT",
                "allows changes: a person does that",
            ),
            ("observing", Some(cluster)) => failure.command(
                format!("mode execute --cluster {cluster} --reason TEXT"),
                "allows changes to this cluster",
            ),
            ("other_policy", _) => failure.next(
                "give all gates on this journal the same policy file, or end those that have another",
            ),
            ("paused", _) => failure.command(
                "resume AGENT --reason TEXT",
                "ends the pause: a person does that",
            ),
            ("killed", None) => failure.command(
                "kill-switch status",
                "shows who set it; `kill-switch reset` ends it",
            ),
            ("killed", Some(cluster)) => failure.command(
                format!("kill-switch reset --cluster {cluster} --reason TEXT"),
                "ends it; the mode of the cluster is then observe",
            ),
            ("denied", _) => {
                failure.command("policy explain ACTION", "shows how the policy decides")
            }
            ("not_proven", _) => failure.next("sign it with `--sign-with FILE`"),
            ("unknown_proposal", _) => failure.command("proposals list", "lists open proposals"),
            ("clock_ahead", _) => {
                failure.command("clock confirm --reason TEXT", "confirms the time")
            }
            ("clock_set_back", _) => {
                failure.command("clock confirm --reason TEXT", "confirms the time")
            }
            ("whose_unknown", _) => failure.command("proposals list", "lists what is in force"),
            ("too_many_open", _) => {
                failure.command("proposals list", "lists them; `cancel ID` cancels one")
            }
            _ => failure,
        }
    }
}
