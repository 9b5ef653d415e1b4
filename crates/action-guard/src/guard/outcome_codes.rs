//! Codes that any mutation can end with, whatever the subject: what each means, and the next safe
//! step.
//!
//! `docs/outcomes.md` is written from them and from the subject's own, by `cargo xtask docs`.

/// Code, what it ends as, what it means, and the next safe step.
pub const GUARD_OUTCOMES: &[(&str, &str, &str, &str)] = &[
    (
        "stopped",
        "not applied",
        "Sending was stopped before it was sent: by the kill switch, by mode observe, or because the journal could not be read.",
        "Ask who stopped sending and why; propose it again afterwards.",
    ),
    (
        "paused",
        "not applied",
        "The agent that asked for it, or that carried it out, was paused before it was sent.",
        "Ask who paused the agent and why; propose it again once a person has resumed it.",
    ),
    (
        "other_policy",
        "not applied",
        "Another gate on the same journal works by another policy, so that none of them sends.",
        "Give all gates on this journal the same policy file, or end those that have another; then propose it again.",
    ),
    (
        "late",
        "not applied",
        "Its time limit for sending passed before it could be sent.",
        "Propose it again.",
    ),
    (
        "denied",
        "not applied",
        "The policy in force at the time of sending does not allow it, or the policy file was invalid.",
        "Read the rule or the error that is named; propose it again where the policy allows it.",
    ),
    (
        "outdated",
        "not applied",
        "Another proposal changed the same resource after this one was planned.",
        "See the other proposal, then plan again.",
    ),
    (
        "not_ours",
        "not applied",
        "Another process took over the proposal, or the journal has no open intent for it.",
        "See the proposal: the process that owns it continues with it.",
    ),
    (
        "sent_before",
        "not applied",
        "A second send of the same attempt was requested and refused.",
        "Report it: it is a bug in the subject.",
    ),
    (
        "not_sent",
        "not applied",
        "Nothing left this machine.",
        "Check the network and the system's addresses, then send it again.",
    ),
    (
        "taken_back",
        "not applied",
        "An undo took it back before it was done.",
        "Nothing to do; the outcome of the undo says what it found.",
    ),
    (
        "overtaken",
        "not applied",
        "An undo was run, and the request that it takes back arrived after it.",
        "Undo the first proposal again.",
    ),
    (
        "resolved",
        "not applied",
        "A person recorded that it did not happen.",
        "Nothing to do.",
    ),
    (
        "deadline",
        "unknown",
        "It timed out, and the last reading did not decide the outcome.",
        "Nothing is sent again; `recover` probes it again.",
    ),
    (
        "cannot_probe",
        "unknown",
        "The system could not be read.",
        "Check the network and the system, then run `recover`.",
    ),
    (
        "cancelled",
        "not applied, or unknown",
        "It was cancelled before it was sent, or while it was followed.",
        "If it was sent, `recover` finds the outcome.",
    ),
    (
        "taken_over",
        "unknown",
        "An undo is taking it back, and records both outcomes.",
        "See the proposal of the undo.",
    ),
    (
        "other_system",
        "not applied, or unknown",
        "The system that answers is not the one that was planned for, so its state proves nothing.",
        "Check the addresses; run `recover` where the planned system can be reached.",
    ),
    (
        "parameters_redacted",
        "unknown",
        "Its parameters contained a secret; secrets are not recorded, so it cannot be probed.",
        "Check the system, then `resolve` the proposal.",
    ),
];
