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
        ("version", "`1`", "version of this format; required"),
        (
            "require_signed",
            "texts",
            "decisions that must be signed: `approve`, `mode`, `kill_reset`",
        ),
        ("person", "tables", "people and their keys"),
        (
            "gate",
            "tables",
            "gates and the keys with which they sign browser sessions",
        ),
        (
            "rule",
            "tables",
            "rules, from top to bottom; the first match decides",
        ),
        (
            "budget",
            "tables",
            "limits for everything that is allowed or approved",
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
        ("name", "`user:NAME`", "the person's name; required"),
        ("key", "text", "the person's public key for signatures"),
    ],
    tables: &[],
};

const RULE: Keys = Keys {
    what: "a rule",
    keys: &[
        (
            "name",
            "text",
            "name, shown where the rule decided; required",
        ),
        ("action", "patterns", "actions it applies to"),
        ("subject", "patterns", "kinds of systems"),
        (
            "system",
            "patterns",
            "systems, by the name or id of the cluster",
        ),
        ("actor", "patterns", "requesters it applies to"),
        (
            "proven_by",
            "texts",
            "how the requester's identity was proven: `claimed` (not proven), `token`, `mtls`, `oidc`, `signature`, or `gate` for actions of the gate itself",
        ),
        ("risk", "texts", "risks: `low`, `medium`, `high`"),
        ("effect", "text", "`one_shot` or `lasting`"),
        (
            "reversible",
            "true or false",
            "whether an action can take it back",
        ),
        (
            "takes_back",
            "true or false",
            "whether it takes back a lasting effect of ours",
        ),
        (
            "window",
            "tables",
            "time window in which it applies; always if absent",
        ),
        ("decision", "text", "`allow`, `approve` or `deny`; required"),
        (
            "by",
            "patterns",
            "with `approve`: who may approve, each `user:…`; required there",
        ),
        (
            "count",
            "1 to 100",
            "with `approve`: number of approvals; default 1",
        ),
        (
            "ttl",
            "duration, 366d at most",
            "with `approve`: lifetime of an approval; required there",
        ),
        (
            "approval_proven_by",
            "texts",
            "with `approve`: how the approver's identity must be proven: `claimed`, `signature`, `oidc`, `link`; default `claimed` and `signature`, so browser sessions count only where named",
        ),
        ("reason", "text", "reason, shown to the requester"),
    ],
    tables: &[("window", &WINDOW)],
};

const WINDOW: Keys = Keys {
    what: "a window",
    keys: &[
        ("days", "texts", "`mon` to `sun`; default every day"),
        ("from", "`HH:MM`, UTC", "start; with `to`"),
        (
            "to",
            "`HH:MM`, UTC",
            "end, at most `24:00`; on the next day if earlier than `from`; with `from`",
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
            "name, shown where the budget refuses; required",
        ),
        ("action", "patterns", "actions it counts"),
        ("actor", "patterns", "whose"),
        ("subject", "patterns", "kinds of systems it counts"),
        (
            "system",
            "patterns",
            "systems it counts, by the name or id of the cluster",
        ),
        ("actions", "number", "sends within `per`"),
        ("per", "duration, 24h at most", "with `actions`"),
        (
            "lasting",
            "number",
            "lasting effects in force at the same time",
        ),
        ("leaders", "number", "leaders in motion at the same time"),
        ("regions", "number", "regions in motion at the same time"),
        ("moved_mib", "MiB", "data in motion at the same time"),
        (
            "failure_domains",
            "number",
            "failure domains of one system with changes in motion or in force",
        ),
    ],
    tables: &[],
};
