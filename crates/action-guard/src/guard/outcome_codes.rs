//! Codes that any mutation can end with, whatever the subject: what each means, and the next safe
//! step.
//!
//! `docs/outcomes.md` is written from them and from the subject's own, by `cargo xtask docs`.

/// Code, what it ends as, what it means, and the next safe step.
pub const GUARD_OUTCOMES: &[(&str, &str, &str, &str)] = &[
    (
        "stopped",
        "not applied",
        "Sends were stopped when it was to be sent: the kill switch, mode observe, or a journal that could not be read.",
        "Ask who stopped sends and why; propose it again afterwards.",
    ),
    (
        "late",
        "not applied",
        "The time to send it was over before it could be sent.",
        "Propose it again.",
    ),
    (
        "denied",
        "not applied",
        "The policy in force when it was to be sent does not allow it, or its file had become wrong.",
        "Read the rule or the mistake that is named; propose it again where the policy allows it.",
    ),
    (
        "outdated",
        "not applied",
        "Another proposal has changed the same since this one was planned.",
        "Look at the other proposal, then plan anew.",
    ),
    (
        "not_ours",
        "not applied",
        "Another process has taken the proposal over, or the journal has no open intent of it.",
        "Look at the proposal: the process that has it goes on with it.",
    ),
    (
        "sent_before",
        "not applied",
        "A second send of one attempt was asked for and refused.",
        "Report it: it is a bug of the subject.",
    ),
    (
        "not_sent",
        "not applied",
        "Nothing left this machine.",
        "Look at the network and at the system's addresses, then send it again.",
    ),
    (
        "taken_back",
        "not applied",
        "An undo took it back before it was done.",
        "Nothing is left to do; the undo's own outcome says what it found.",
    ),
    (
        "overtaken",
        "not applied",
        "An undo was carried out, and the request that it takes back arrived after it.",
        "Undo the first proposal anew.",
    ),
    (
        "resolved",
        "not applied",
        "A person said that it did not happen.",
        "Nothing is left to do.",
    ),
    (
        "deadline",
        "unknown",
        "Its time was over, and what was read last did not decide it.",
        "Nothing is sent again: `recover` probes it anew.",
    ),
    (
        "cannot_probe",
        "unknown",
        "The system could not be read.",
        "Look at the network and at the system, then `recover`.",
    ),
    (
        "cancelled",
        "not applied, or unknown",
        "It was called off: before it was sent, or while it was followed.",
        "If it was sent, `recover` finds how it ended.",
    ),
    (
        "taken_over",
        "unknown",
        "An undo is taking it back and says how both end.",
        "Look at the undo's proposal.",
    ),
    (
        "other_system",
        "not applied, or unknown",
        "What answers is another system than the one that was planned for, so its readings prove nothing.",
        "Look at the addresses; `recover` where the planned system can be reached.",
    ),
    (
        "parameters_redacted",
        "unknown",
        "Its parameters held a secret, which is written nowhere, so it cannot be probed.",
        "Look at the system, then `resolve` the proposal.",
    ),
];
