//! Which rule decides, and what budgets count.

use action_guard::policy::{AlwaysDenied, Answer, Ask, Usage};
use action_guard::{Journal, MemoryJournal, Mode, Policy, ProvenBy};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::fixtures::{allow, applied, intent, mode, proposed, write};

use super::{Case, NOON, action, at, moves, usage, used};

fn policy(text: &str) -> Policy {
    format!("version = 1\n{text}").parse().unwrap()
}

fn rule(name: &str, rest: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\n{rest}\n")
}

#[test]
fn without_a_rule_the_answer_is_no() {
    Case::of("split_region", "user:alice").says(&Policy::default(), "deny", "");
    Case::of("split_region", "user:alice").says(&policy(""), "deny", "");
}

#[test]
fn the_first_rule_that_matches_decides_and_not_the_most_specific() {
    let text = rule(
        "all transfers",
        "action = \"transfer_*\"\ndecision = \"deny\"",
    ) + &rule(
        "leaders",
        "action = \"transfer_leader\"\ndecision = \"allow\"",
    );
    Case::of("transfer_leader", "user:alice").says(&policy(&text), "deny", "all transfers");
    let text = rule(
        "leaders",
        "action = \"transfer_leader\"\ndecision = \"allow\"",
    ) + &rule(
        "all transfers",
        "action = \"transfer_*\"\ndecision = \"deny\"",
    );
    Case::of("transfer_leader", "user:alice").says(&policy(&text), "allow", "leaders");
    Case::of("transfer_peer", "user:alice").says(&policy(&text), "deny", "all transfers");
}

#[test]
fn a_rule_can_ask_how_it_was_proven_who_asks() {
    let definition = action("drain_store", "high", "lasting");
    let ask = Ask::new(&definition, "agent:night", "7", at(NOON));
    let token = ProvenBy::Token {
        id: "t1".to_owned(),
        made_by: "user:ana".to_owned(),
    };
    let (certificate, issuer) = ("0a".repeat(32), "corp".to_owned());
    let owner = None;
    let mtls = ProvenBy::Mtls { certificate, owner };
    let owner = None;
    let oidc = ProvenBy::Oidc { issuer, owner };
    let check = |selector: &str, expected: [bool; 6]| {
        let policy = policy(&rule("it", &format!("{selector}\ndecision = \"allow\"")));
        let proofs = [
            &ProvenBy::Claimed,
            &token,
            &mtls,
            &oidc,
            &ProvenBy::Signature,
            &ProvenBy::Gate,
        ];
        let allows = proofs.map(|proven_by| {
            let decision = policy.decide(&ask.proven_by(proven_by), &Usage::default());
            decision.answer == Answer::Allow
        });
        assert_eq!(allows, expected, "{selector}");
    };
    check("", [true; 6]);
    check(
        "proven_by = \"claimed\"",
        [true, false, false, false, false, false],
    );
    check(
        "proven_by = [\"token\", \"signature\"]",
        [false, true, false, false, true, false],
    );
    check(
        "proven_by = [\"oidc\", \"mtls\"]",
        [false, false, true, true, false, false],
    );
    check(
        "proven_by = \"gate\"",
        [false, false, false, false, false, true],
    );
    let policy = policy(&rule(
        "it",
        "proven_by = \"signature\"\ndecision = \"allow\"",
    ));
    let why = |proven_by| {
        let explained = policy.explain(&ask.proven_by(proven_by), &Usage::default());
        explained
            .rules
            .into_iter()
            .find_map(|rule| rule.because)
            .unwrap()
    };
    assert_eq!(
        why(&ProvenBy::Claimed),
        "the identity is claimed, not proven"
    );
    assert_eq!(why(&token), "the identity is proven by token");
}

#[test]
fn every_part_of_a_selector_must_hold() {
    let check = |selector: &str, matches: bool| {
        let policy = policy(&rule("it", &format!("{selector}\ndecision = \"allow\"")));
        let (answer, by) = if matches {
            ("allow", "it")
        } else {
            ("deny", "")
        };
        Case::of("drain_store", "agent:night").says(&policy, answer, by);
    };
    check("action = [\"x\", \"drain_*\"]", true);
    check("action = \"drain\"", false);
    check("subject = \"tikv\"", true);
    check("subject = \"etcd\"", false);
    check("system = \"7\"", true);
    check("system = \"8\"", false);
    check("actor = \"agent:*\"", true);
    check("actor = \"user:*\"", false);
    check("risk = [\"medium\", \"high\"]", true);
    check("risk = \"low\"", false);
    check("effect = \"lasting\"", true);
    check("effect = \"one_shot\"", false);
    check("reversible = true", true);
    check("reversible = false", false);
    check("takes_back = false", true);
    check("takes_back = true", false);
    check("window = { from = \"11:00\", to = \"12:01\" }", true);
    check("window = { from = \"11:00\", to = \"12:00\" }", false);
    check("window = { days = [\"tue\"] }", true);
    check(
        "window = [{ days = [\"mon\"] }, { days = [\"tue\"], from = \"12:00\", to = \"13:00\" }]",
        true,
    );
    check("action = \"drain_*\"\nrisk = \"low\"", false);
}

#[test]
fn an_explanation_says_what_speaks_against_each_rule_and_how_budgets_stand() {
    let text = rule("people", "actor = \"user:*\"\ndecision = \"allow\"")
        + &rule(
            "nights",
            "window = { from = \"22:00\", to = \"06:00\" }\ndecision = \"allow\"",
        )
        + &rule(
            "agents",
            "actor = \"agent:*\"\ndecision = \"approve\"\nby = \"user:*\"\nttl = \"5m\"",
        )
        + "[[budget]]\nname = \"one\"\nlasting = 1\n";
    let policy = policy(&text);
    let definition = action("drain_store", "high", "lasting");
    let plan = moves(3, 0, &["zone=a"]);
    let ask = Ask::new(&definition, "agent:night", "7", at(NOON)).plan(&plan);
    let explained = policy.explain(&ask, &Usage::default());
    let because: Vec<_> = explained
        .rules
        .iter()
        .map(|rule| rule.because.as_deref())
        .collect();
    assert_eq!(
        because,
        [
            Some("actor is `agent:night`"),
            Some("it is outside 22:00-06:00 UTC"),
            None,
        ]
    );
    let standing = &explained.budgets[0];
    assert_eq!(
        (standing.would_be, standing.most, standing.line),
        (1, 1, 16)
    );
    assert_eq!(
        explained.decision.decided_by.to_string(),
        "agents (rule, line 10)"
    );
    let Answer::Approve {
        by,
        count,
        ttl_ms,
        signed,
        ..
    } = explained.decision.answer
    else {
        unreachable!("it approves");
    };
    assert_eq!(
        (by, count, ttl_ms, signed),
        (vec!["user:*".to_owned()], 1, 300_000, false)
    );
}

#[test]
fn a_budget_never_keeps_a_lasting_effect_in_force() {
    let text = rule("all", "decision = \"allow\"")
        + "[[budget]]\nname = \"none\"\nactions = 0\nper = \"1h\"\nleaders = 0\nfailure_domains = 0\n";
    let policy = policy(&text);
    let taking_back = Case {
        takes_back: true,
        plan: moves(100, 0, &["zone=a"]),
        ..Case::of("stop_drain", "agent:night")
    };
    taking_back.says(&policy, "allow", "all");
    Case::of("stop_drain", "agent:night").says(&policy, "deny", "none");
}

#[test]
fn a_budget_is_refused_when_what_it_counts_is_not_kept_any_more() {
    let text = rule("all", "decision = \"allow\"")
        + "[[budget]]\nname = \"hour\"\nactions = 5000\nper = \"1h\"\n";
    let policy = policy(&text);
    for (complete, answer, by) in [
        ("2026-11-24T11:30:00Z", "deny", "hour"),
        ("2026-11-24T10:30:00Z", "allow", "all"),
    ] {
        let mut known = Usage::default();
        known.complete_since = Some(at(complete));
        let case = Case {
            usage: known,
            ..Case::of("split_region", "agent:night")
        };
        case.says(&policy, answer, by);
    }
}

#[test]
fn failure_domains_of_two_systems_are_not_one() {
    let text =
        rule("all", "decision = \"allow\"") + "[[budget]]\nname = \"one\"\nfailure_domains = 1\n";
    let policy = policy(&text);
    let plan = moves(1, 0, &["zone=a"]);
    let mut elsewhere = used(
        "drain_store",
        "user:bob",
        NOON,
        false,
        true,
        &moves(1, 0, &["zone=b"]),
    );
    elsewhere.system = "8";
    let case = Case {
        usage: usage(vec![elsewhere]),
        plan,
        ..Case::of("transfer_leader", "user:alice")
    };
    case.says(&policy, "allow", "all");
}

/// What was sent exactly when the window began is out of it, and so is a journal that is kept
/// exactly since then.
#[test]
fn a_budgets_window_begins_after_its_first_moment() {
    let text = rule("all", "decision = \"allow\"")
        + "[[budget]]\nname = \"hour\"\nactions = 1\nper = \"1h\"\n";
    let policy = policy(&text);
    for (sent_at, answer, by) in [
        ("2026-11-24T11:00:00Z", "allow", "all"),
        ("2026-11-24T11:00:00.001Z", "deny", "hour"),
    ] {
        let sent = used(
            "drain_store",
            "agent:night",
            sent_at,
            false,
            false,
            &moves(1, 0, &[]),
        );
        let mut case = Case::of("split_region", "agent:night");
        case.usage = usage(vec![sent]);
        case.usage.complete_since = Some(at("2026-11-24T11:00:00Z"));
        case.says(&policy, answer, by);
    }
}

#[test]
fn what_moves_nothing_is_not_held_up_by_what_others_move() {
    let text = rule("all", "decision = \"allow\"") + "[[budget]]\nname = \"five\"\nleaders = 5\n";
    let moving = used(
        "drain_store",
        "agent:night",
        NOON,
        true,
        false,
        &moves(9, 0, &[]),
    );
    for (leaders, answer, by) in [(0, "allow", "all"), (1, "deny", "five")] {
        let case = Case {
            usage: usage(vec![moving.clone()]),
            plan: moves(leaders, 0, &[]),
            ..Case::of("transfer_leader", "agent:night")
        };
        case.says(&policy(&text), answer, by);
    }
}

/// In motion or in force, and neither takes both.
#[test]
fn a_failure_domain_counts_as_long_as_anything_goes_on_in_it() {
    let text =
        rule("all", "decision = \"allow\"") + "[[budget]]\nname = \"one\"\nfailure_domains = 1\n";
    for (in_motion, in_force, answer, by) in [
        (true, false, "deny", "one"),
        (false, true, "deny", "one"),
        (true, true, "deny", "one"),
        (false, false, "allow", "all"),
    ] {
        let plan = moves(1, 0, &["zone=b"]);
        let other = used("drain_store", "user:bob", NOON, in_motion, in_force, &plan);
        let case = Case {
            usage: usage(vec![other]),
            plan: moves(1, 0, &["zone=a"]),
            ..Case::of("transfer_leader", "user:alice")
        };
        case.says(&policy(&text), answer, by);
    }
}

proptest! {
    #[test]
    fn no_more_than_the_budget_is_ever_in_motion(wishes in prop::collection::vec((1_u64..200, any::<bool>()), 0..40)) {
        let text = rule("all", "decision = \"allow\"") + "[[budget]]\nname = \"b\"\nleaders = 500\n";
        let policy = policy(&text);
        let definition = action("transfer_leader", "medium", "one_shot");
        let mut usage = Usage::default();
        for (leaders, ends) in wishes {
            let plan = moves(leaders, 0, &[]);
            let ask = Ask::new(&definition, "agent:a", "7", at(NOON)).plan(&plan);
            if policy.decide(&ask, &usage).answer == Answer::Allow {
                usage.used.push(used("transfer_leader", "agent:a", NOON, true, false, &plan));
            }
            let moving: u64 = usage.used.iter().map(|used| used.impact[0].value).sum();
            prop_assert!(moving <= 500);
            if ends && !usage.used.is_empty() {
                usage.used.remove(0);
            }
        }
    }
}

#[test]
fn one_name_counts_once_however_it_is_written() {
    let text = rule("all", "decision = \"allow\"")
        + "[[budget]]\nname = \"night\"\nactor = \"agent:night\"\nactions = 1\nper = \"1h\"\n";
    for (before, now) in [
        ("agent:Night", "agent:night"),
        ("agent:night", "agent:NIGHT"),
    ] {
        let sent = used("drain_store", before, NOON, false, false, &moves(1, 0, &[]));
        let mut case = Case::of("drain_store", now);
        case.usage = usage(vec![sent]);
        case.says(&policy(&text), "deny", "night");
    }
    let text = rule("night", "actor = \"agent:Night\"\ndecision = \"deny\"")
        + &rule("all", "decision = \"allow\"");
    Case::of("drain_store", "agent:nighT").says(&policy(&text), "deny", "night");
}

/// By the state of a journal: when it was sent, and whether it still goes on, is of one mutation.
#[tokio::test]
async fn what_was_sent_counts_once() {
    let journal = MemoryJournal::new();
    let begun = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
    ];
    write(&journal, begun).await.unwrap();
    for (ends, in_motion) in [(None, true), (Some(applied("a")), false)] {
        write(&journal, ends).await.unwrap();
        let state = journal.state().await.unwrap();
        let usage = Usage::of(&state, Timestamp::now());
        let [used] = &usage.used[..] else {
            unreachable!("it counts {} times", usage.used.len());
        };
        assert_eq!((used.action, used.actor), ("turn", "agent:night"));
        assert_eq!((used.in_motion, used.in_force), (in_motion, false));
        assert_eq!(used.at, state.activity.first().unwrap().at);
    }
}

/// What `agent:night` is said of `drain_store` on a system that may be known: by which rule it is denied
/// without exception.
#[track_caller]
fn always(rules: &[&str], system: &str, expected: &str) {
    let named = rules.iter().enumerate();
    let text: String = named
        .map(|(at, rest)| rule(&format!("r{at}"), rest))
        .collect();
    let definition = action("drain_store", "high", "lasting");
    let ask = Ask::new(&definition, "agent:night", system, at(NOON));
    let said = match policy(&text).always_denied(&ask) {
        AlwaysDenied::By { rule, .. } => rule,
        AlwaysDenied::No => "no".to_owned(),
        other => format!("{other:?}"),
    };
    assert!(said.starts_with(expected), "{rules:?}: {said}");
}

#[test]
fn only_what_no_time_and_no_request_is_allowed_is_always_denied() {
    let allow = "action = \"drain_*\"\ndecision = \"allow\"";
    let deny = "actor = \"agent:*\"\ndecision = \"deny\"";
    let at_night = "window = { from = \"22:00\", to = \"06:00\" }";
    let allow_at_night = format!("{at_night}\n{allow}");
    let deny_at_night = format!("{at_night}\ndecision = \"deny\"");
    let back = "takes_back = true\ndecision = \"allow\"";
    let approve =
        "action = \"drain_*\"\ndecision = \"approve\"\nby = [\"user:*\"]\ncount = 1\nttl = \"1h\"";
    let on_prod = "system = \"prod\"\ndecision = \"allow\"";
    let people = "actor = \"user:*\"\ndecision = \"allow\"";
    always(&[], "7", "no rule matches");
    always(&[people], "7", "no rule matches");
    always(&[deny], "7", "r0 (rule, line");
    always(&[people, deny, allow], "7", "r1 (rule, line");
    always(&[allow, deny], "7", "no");
    always(&[approve, deny], "7", "no");
    always(&[&allow_at_night, deny], "7", "no");
    always(&[back, deny], "7", "ButTakingBack { rule: \"r1 (rule");
    always(&[back], "7", "ButTakingBack { rule: \"no rule");
    always(&[back, allow], "7", "no");
    always(&[back, on_prod], "", "PerSystem");
    always(&[&deny_at_night, allow], "7", "no");
    always(&[&deny_at_night, deny], "7", "r1");
    always(&[on_prod, deny], "7", "r1");
    always(&[on_prod, deny], "prod", "no");
    always(&[on_prod, deny], "", "PerSystem");
    always(&[deny, on_prod], "", "r0");
}

/// Taking back is never out of budget.
#[test]
fn a_budget_that_leaves_nothing_denies_without_exception() {
    let definition = action("drain_store", "high", "lasting");
    for (bound, system, expected) in [
        (
            "actions = 0\nper = \"1h\"",
            "7",
            "ButTakingBack { rule: \"none (budget, line",
        ),
        ("lasting = 0", "7", "ButTakingBack"),
        ("lasting = 0\naction = \"move_*\"", "7", "No"),
        ("lasting = 0\nsystem = \"prod\"", "7", "No"),
        ("lasting = 0\nsystem = \"prod\"", "prod", "ButTakingBack"),
        ("lasting = 0\nsystem = \"prod\"", "", "PerSystem"),
        ("actions = 1\nper = \"1h\"", "7", "No"),
        ("leaders = 0", "7", "No"),
    ] {
        let allow = rule("all", "decision = \"allow\"");
        let text = format!("{allow}\n[[budget]]\nname = \"none\"\n{bound}\n");
        let ask = Ask::new(&definition, "agent:night", system, at(NOON));
        let said = format!("{:?}", policy(&text).always_denied(&ask));
        assert!(said.starts_with(expected), "{bound}: {said}");
    }
}
