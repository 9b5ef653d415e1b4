//! The keys of a policy: what may stand in which table, and what it says.
//!
//! Nothing else is read, and `docs/operating.md` lists these.

/// A table of a policy.
pub(crate) struct Keys {
    /// As people call it.
    pub(crate) what: &'static str,
    /// Each key, its value, and what it says.
    pub(crate) keys: &'static [(&'static str, &'static str, &'static str)],
    /// Keys that hold tables, and what may stand in those.
    pub(crate) tables: &'static [(&'static str, &'static Keys)],
}

pub(crate) const POLICY: Keys = Keys {
    what: "a policy",
    keys: &[
        ("version", "`1`", "the version of this format; required"),
        (
            "require_signed",
            "texts",
            "what must be signed: `approve`, `mode`, `kill_reset`",
        ),
        ("person", "tables", "people, for their keys"),
        (
            "gate",
            "tables",
            "gates, for the keys by which they vouch for browser sessions",
        ),
        (
            "rule",
            "tables",
            "rules, from top to bottom: the first that matches decides",
        ),
        (
            "budget",
            "tables",
            "bounds for all that is allowed or approved",
        ),
    ],
    tables: &[
        ("person", &PERSON),
        ("gate", &GATE),
        ("rule", &RULE),
        ("budget", &BUDGET),
    ],
};

const GATE: Keys = Keys {
    what: "a gate",
    keys: &[
        ("name", "text", "what it is called; required"),
        (
            "key",
            "text",
            "the public half of the `session_key` in its config file; required",
        ),
    ],
    tables: &[],
};

const PERSON: Keys = Keys {
    what: "a person",
    keys: &[
        ("name", "`user:NAME`", "who it is; required"),
        (
            "key",
            "text",
            "the public half of the key that this person signs with",
        ),
    ],
    tables: &[],
};

const RULE: Keys = Keys {
    what: "a rule",
    keys: &[
        (
            "name",
            "text",
            "what it is called where it decided; required",
        ),
        ("action", "patterns", "which actions it is about"),
        ("subject", "patterns", "which kinds of system"),
        (
            "system",
            "patterns",
            "which systems, by a cluster's name or id",
        ),
        ("actor", "patterns", "whose requests"),
        (
            "proven_by",
            "texts",
            "how it was proven who asks: `claimed` (not at all), `token`, `mtls`, `oidc`, `signature`, or `gate` for what a gate does by itself",
        ),
        ("risk", "texts", "which risks: `low`, `medium`, `high`"),
        ("effect", "text", "`one_shot` or `lasting`"),
        (
            "reversible",
            "true or false",
            "whether there is an action that takes it back",
        ),
        (
            "takes_back",
            "true or false",
            "whether it takes back a lasting effect that is ours",
        ),
        ("window", "tables", "when it holds; always unless given"),
        ("decision", "text", "`allow`, `approve` or `deny`; required"),
        (
            "by",
            "patterns",
            "with `approve`: who may approve, each `user:…`; required there",
        ),
        (
            "count",
            "1 to 100",
            "with `approve`: how many must approve; 1 unless given",
        ),
        (
            "ttl",
            "duration, 366d at most",
            "with `approve`: how long an approval is good; required there",
        ),
        (
            "approval_proven_by",
            "texts",
            "with `approve`: how it must be proven who approves: `claimed`, `signature`, `oidc`, `link`; the first two unless given, as a browser session counts only where it is named",
        ),
        ("reason", "text", "what the one who asked is told"),
    ],
    tables: &[("window", &WINDOW)],
};

const WINDOW: Keys = Keys {
    what: "a window",
    keys: &[
        ("days", "texts", "`mon` to `sun`; every day unless given"),
        ("from", "`HH:MM`, UTC", "when it begins; with `to`"),
        (
            "to",
            "`HH:MM`, UTC",
            "when it ends, `24:00` at the latest, on the next day where that is earlier; with `from`",
        ),
    ],
    tables: &[],
};

const BUDGET: Keys = Keys {
    what: "a budget",
    keys: &[
        (
            "name",
            "text",
            "what it is called where it refuses; required",
        ),
        ("action", "patterns", "which actions it counts"),
        ("actor", "patterns", "whose"),
        ("subject", "patterns", "on which kinds of system"),
        (
            "system",
            "patterns",
            "on which systems, by a cluster's name or id",
        ),
        ("actions", "number", "sends within `per`"),
        ("per", "duration, 24h at most", "with `actions`"),
        ("lasting", "number", "lasting effects in force at a time"),
        ("leaders", "number", "leaders in motion at a time"),
        ("regions", "number", "regions in motion at a time"),
        ("moved_mib", "MiB", "data in motion at a time"),
        (
            "failure_domains",
            "number",
            "of one system, touched by what is in motion or in force",
        ),
    ],
    tables: &[],
};
