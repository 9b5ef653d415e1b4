//! Which folders each crate has, from the lowest: the law that `floors.rs` holds it to.

/// One crate.
pub(crate) struct House {
    pub(crate) name: &'static str,
    /// Its rooms, from the lowest floor. Rooms of one floor do not know each other.
    pub(crate) floors: &'static [&'static [&'static str]],
    /// Modules that import each other all the same.
    pub(crate) circles: &'static [Circle],
}

/// Modules that import each other, and why that is right.
pub(crate) struct Circle {
    pub(crate) between: &'static [&'static str],
    #[expect(dead_code, reason = "read by people")]
    pub(crate) why: &'static str,
}

pub(crate) const HOUSES: &[House] = &[
    House {
        name: "action-core",
        floors: &[
            &["bounded_text", "printable", "unique_json", "values"],
            &["redacted"],
            &["schema"],
            &["error", "tool_json"],
            &["declare"],
            &["actions_page", "catalogue"],
            &["registry"],
            &["connect", "testing", "workflow"],
            &["lib"],
        ],
        circles: &[],
    },
    House {
        name: "system-http",
        floors: &[
            &["deadline", "error", "origin", "testing"],
            &["certificates", "permit"],
            &["transport"],
            &["body", "gate"],
            &["connection", "connections", "no_tls", "tls"],
            &["exchange"],
            &["one_write"],
            &["lib"],
        ],
        circles: &[Circle {
            between: &["connection", "connections", "no_tls", "tls"],
            why: "a connection that was read from goes back to those that are idle, and TLS wraps the stream that a connection is made of",
        }],
    },
    House {
        name: "gate-client",
        floors: &[&["place"], &["client"], &["lib"]],
        circles: &[],
    },
    House {
        name: "subject-http",
        floors: &[
            &["call", "error", "permit", "settings"],
            &["client"],
            &["lib"],
        ],
        circles: &[],
    },
    House {
        name: "pd-client",
        floors: &[
            &["ids", "lenient", "refusal", "time"],
            &["clock", "error"],
            &["endpoint"],
            &["client", "transport"],
            &["version"],
            &[
                "builder",
                "cluster",
                "gauges",
                "hotspots",
                "affinity",
                "maintenance",
                "unsafe_recovery",
                "members",
                "regions",
                "stores",
            ],
            &["config", "operators", "region_labels", "rules"],
            &["checkers", "schedulers"],
            &["lib"],
        ],
        circles: &[Circle {
            between: &["builder", "client", "cluster", "members", "transport"],
            why: "a client is asked for through its builder, and the transport that it asks with finds PD's leader and the cluster's id by calls of its own",
        }],
    },
    House {
        name: "pd-sim",
        floors: &[
            &["clock", "drip", "received", "settings", "version", "wire"],
            &["errors", "fault", "gotext"],
            &["cluster"],
            &["api", "sim"],
            &["inspect", "placement_rule", "scenario", "store_metrics"],
            &["server"],
            &["builder", "control"],
            &["lib"],
        ],
        circles: &[Circle {
            between: &[
                "api",
                "builder",
                "cluster",
                "control",
                "server",
                "sim",
                "store_metrics",
            ],
            why: "one simulated cluster in parts: its state, the routes that read and change it, and the handle by which tests do",
        }],
    },
    House {
        name: "prom-client",
        floors: &[&["error", "sample"], &["client"], &["lib"]],
        circles: &[],
    },
    House {
        name: "action-guard",
        floors: &[
            &["failpoint", "identity"],
            &["proposal"],
            &["state"],
            &["records"],
            &["policy"],
            &["fold", "journal"],
            &["guard", "testing"],
            &["workflows"],
            &["lib"],
        ],
        circles: &[],
    },
    House {
        name: "action-guard-sql",
        floors: &[
            &["failure", "options"],
            &["store"],
            &["postgres", "sqlite", "tail"],
            &["reader"],
            &["writer"],
            &["journal"],
            &["lib"],
        ],
        circles: &[],
    },
    House {
        name: "operator-tikv",
        floors: &[
            &["error", "parameters", "seen_process", "send_permit"],
            &["last_look"],
            &["cluster"],
            &["facts", "settings"],
            &["evidence", "pd_rules"],
            &["stop_safety"],
            &["mutations"],
            &["observations"],
            &["runbooks", "workflows"],
            &["catalogue", "outcomes"],
            &["lib"],
        ],
        circles: &[Circle {
            between: &[
                "mutations/region/merge_regions",
                "mutations/region/split_region",
            ],
            why: "each takes the other back",
        }],
    },
    House {
        name: "operator-etcd",
        floors: &[
            &["ids"],
            &["wire"],
            &["error"],
            &["cluster"],
            &["facts"],
            &["alarms"],
            &["mutations"],
            &["observations"],
            &["catalogue"],
            &["lib"],
        ],
        circles: &[],
    },
    House {
        name: "operator-cli",
        floors: &[
            &["terminal"],
            &["program"],
            &["flags", "ids", "subjects"],
            &["settings"],
            &["arguments", "call", "gate", "session"],
            &["reports"],
            &["lookup"],
            &["verbs"],
            &["cli"],
            &["lib"],
        ],
        circles: &[],
    },
    House {
        name: "operator",
        floors: &[&["demo", "sim"], &["main"]],
        circles: &[],
    },
];
