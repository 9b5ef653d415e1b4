//! A policy that is wrong is refused, with the place of everything that is wrong.

use action_guard::Policy;
use action_guard::policy::Known;
use proptest::prelude::*;

use super::actions;

/// All problems of a policy, each as `line:column message`.
fn problems(text: &str) -> Vec<String> {
    let error = text.parse::<Policy>().unwrap_err();
    let problems = error.problems().iter();
    problems
        .map(|problem| format!("{}:{} {}", problem.line, problem.column, problem.message))
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(problems(text), expected, "{text}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    check(
        r#"
[[rule]]
name = "a"
acton = "drain_store"
risk = "hi"
reversible = "yes"
decision = "alow"

[[rule]]
name = "a"
actor = 5
window = { from = "22:00", until = "06:00" }
decision = "approve"
by = ["agent:boss"]
count = 0
"#,
        &[
            "1:1 missing version: a policy begins with `version = 1`",
            "4:1 unknown key `acton` in a rule; did you mean `action`?",
            "5:8 unknown risk `hi`: use low, medium or high",
            "6:14 `reversible` of a rule must be true or false",
            "7:12 invalid decision: use `allow`, `approve` or `deny`; did you mean `allow`?",
            "9:1 a rule needs `ttl`",
            "11:9 `actor` of a rule must be a string or a list of strings, none of them empty",
            "12:10 a window needs both `from` and `to`, or neither",
            "12:28 unknown key `until` in a window; known are `days`, `from`, `to`",
            "14:7 only people can approve: use a pattern that begins with `user:`",
            "15:9 invalid `count`: use 1 to 100",
        ],
    );
}

#[test]
fn a_proof_that_there_is_not_is_refused() {
    check(
        "version = 1\n[[rule]]\nname = \"a\"\nproven_by = [\"tokens\"]\ndecision = \"allow\"\n",
        &[
            "4:14 unknown proof of identity `tokens`: use `claimed`, `token`, `mtls`, `oidc`, `signature`, `gate`; did you mean `token`?",
        ],
    );
}

/// Nobody agrees twice, so that a rule that wants more than it names is never met.
#[test]
fn more_agreements_than_people_are_refused() {
    let rule = |by: &str, count: u32| {
        format!(
            "version = 1\n[[rule]]\nname = \"a\"\ndecision = \"approve\"\nby = [{by}]\n\
             count = {count}\nttl = \"1h\"\n"
        )
    };
    for (by, count, named) in [
        ("\"user:ana\"", 2, "one person, `user:ana`"),
        ("\"user:ana\", \"user:Ana\"", 2, "one person, `user:ana`"),
        ("\"user:ana\", \"user:ben\"", 3, "2 people"),
    ] {
        let problems = problems(&rule(by, count));
        let begins = format!("6:9 `count` is {count}, but `by` names {named}:");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(&begins), "{problems:?}");
    }
    for (by, count) in [
        ("\"user:ana\"", 1),
        ("\"user:ana\", \"user:ben\"", 2),
        ("\"user:*\"", 2),
        ("\"user:ana\", \"user:night-?\"", 3),
    ] {
        rule(by, count).parse::<Policy>().unwrap();
    }
}

#[test]
fn mistakes_that_would_change_a_meaning_are_refused() {
    let version = "version = 1\n";
    let check = |text: &str, expected: &str| {
        let text = format!("{version}{text}");
        let problems = problems(&text);
        assert!(
            problems.iter().any(|problem| problem == expected),
            "{expected}: {problems:?}"
        );
    };
    check(
        "rules = []",
        "2:1 unknown key `rules` in a policy; did you mean `rule`?",
    );
    check(
        "[[rule]]\nname = \"all\"\ndecision = \"deny\"\n[[rule]]\nname = \"b\"\nrisk = \"low\"\ndecision = \"allow\"",
        "5:1 rule `b` never decides: rule `all` above it matches everything",
    );
    check(
        "[[rule]]\nname = \"a\"\nrisk = \"low\"\ndecision = \"deny\"\n[[rule]]\nname = \"a\"\ndecision = \"allow\"",
        "6:1 duplicate rule `a`",
    );
    check(
        "[[rule]]\nname = \"a\"\ndecision = \"allow\"\nby = \"user:x\"",
        "2:1 `by` needs `decision = \"approve\"`",
    );
    check(
        "[[rule]]\nname = \"a\"\naction = []\ndecision = \"allow\"",
        "4:10 `action` of a rule is an empty list, which matches nothing",
    );
    check(
        "[[budget]]\nname = \"b\"\nlasting = -1",
        "4:11 `lasting` of a budget must be a whole number of 0 or more",
    );
    check(
        "[[budget]]\nname = \"b\"\nactions = 3",
        "2:1 a budget needs both `actions` and `per`, or neither",
    );
    check(
        "[[budget]]\nname = \"b\"\nactions = 3\nper = \"25h\"",
        "5:7 invalid duration `25h` for `per`: use 90s, 15m or 1h30m, from 1s to 1d",
    );
    check(
        "[[person]]\nname = \"agent:x\"",
        "3:8 invalid name of a person: use `user:NAME`",
    );
    check(
        "[[person]]\nname = \"user:x\"\nkey = \"AAAA\"",
        "4:7 invalid key: it is not an ed25519 key; create one with `openssl genpkey -algorithm ed25519`",
    );
    check(
        "require_signed = [\"approve\"]",
        "2:19 no `[[person]]` has a `key`, so nobody can sign",
    );
    check(
        "require_signed = [\"aprove\"]",
        "2:19 `aprove` cannot be signed: use approve, mode or kill_reset",
    );
    check("[[gate]]\nname = \"a\"", "2:1 a gate needs `key`");
    check(
        "[[gate]]\nname = \"a\"\nkey = \"AAAA\"",
        "4:7 invalid key: it is not an ed25519 key; create one with `openssl genpkey -algorithm ed25519`",
    );
    let approve = "[[rule]]\nname = \"a\"\nby = \"user:*\"\nttl = \"5m\"\ndecision = \"approve\"\n";
    check(
        &format!("{approve}approval_proven_by = \"oidcc\""),
        "7:22 unknown proof of an approver's identity `oidcc`: use `claimed`, `signature`, `oidc`, `link`; did you mean `oidc`?",
    );
}

#[test]
fn what_would_hold_always_or_nearly_is_refused() {
    let rule = |selector: &str, expected: &[&str]| {
        let text = format!("version = 1\n[[rule]]\nname = \"a\"\n{selector}decision = \"allow\"");
        check(&text, expected);
    };
    let always = "4:10 an empty window: give `days`, or `from` and `to`, or leave `window` out";
    rule("window = {}\n", &[always]);
    rule(
        "window = []\n",
        &["4:10 `window` of a rule is an empty list: leave it out"],
    );
    rule(
        "window = [{ days = \"mon\" }, {}]\n",
        &["4:29 an empty window: give `days`, or `from` and `to`, or leave `window` out"],
    );
    rule(
        "window = { days = \"mon\", from = \"10:00\", to = \"10:00\" }\n",
        &[
            "4:10 an empty window from `10:00` to `10:00`: leave out `from` and `to` for whole days, or `window` for always",
        ],
    );
    rule(
        "window = { from = \"24:00\", to = \"06:00\" }\n",
        &["4:19 only `to` can be `24:00`: use `00:00` for the start of a day"],
    );
    for length in [
        "999999999h",
        "366d1s",
        "15ms",
        "0s",
        "99999999999999999999d",
    ] {
        let right = "use 90s, 15m or 1h30m, from 1s to";
        check(
            &format!(
                "version = 1\n[[rule]]\nname = \"a\"\ndecision = \"approve\"\nby = \"user:*\"\nttl = \"{length}\""
            ),
            &[&format!(
                "6:7 invalid duration `{length}` for `ttl`: {right} 366d"
            )],
        );
        check(
            &format!("version = 1\n[[budget]]\nname = \"a\"\nactions = 1\nper = \"{length}\""),
            &[&format!(
                "5:7 invalid duration `{length}` for `per`: {right} 1d"
            )],
        );
    }
    let whole_day = "version = 1\n[[rule]]\nname = \"a\"\nwindow = { from = \"00:00\", to = \"24:00\" }\ndecision = \"allow\"";
    assert_eq!(whole_day.parse::<Policy>().map(|_| ()), Ok(()));
}

/// What is given, and says nothing, is told as that and not as missing.
#[test]
fn what_is_empty_or_of_another_type_is_told_once() {
    let of_rule = |lines: &str, expected: &[&str]| {
        let text = format!("version = 1\n[[rule]]\n{lines}");
        check(&text, expected);
    };
    of_rule(
        "name = \" \"\ndecision = \"deny\"",
        &["3:8 `name` of a rule is empty"],
    );
    of_rule(
        "name = 5\ndecision = \"deny\"",
        &["3:8 `name` of a rule must be a string"],
    );
    of_rule("decision = \"deny\"", &["2:1 a rule needs `name`"]);
    of_rule(
        "name = \"a\"\nactor = [\"\", \"user:a\"]\ndecision = \"deny\"",
        &["4:10 `actor` of a rule must be a string or a list of strings, none of them empty"],
    );
    let approve = "name = \"a\"\ndecision = \"approve\"\nttl = \"1m\"\n";
    of_rule(
        approve,
        &["2:1 a rule with `decision = \"approve\"` needs `by`, such as `by = [\"user:*\"]`"],
    );
    of_rule(
        &format!("{approve}by = []"),
        &["6:6 `by` of a rule is an empty list, which matches nothing"],
    );
}

#[test]
fn a_policy_is_as_long_as_it_may_be_and_no_longer() {
    let text = |length: usize| {
        let start = "version = 1\n#";
        start.to_owned() + &"x".repeat(length - start.len())
    };
    assert!(text(1 << 20).parse::<Policy>().is_ok());
    for longer in [1, 2] {
        let error = text((1 << 20) + longer).parse::<Policy>().unwrap_err();
        assert!(error.to_string().contains("longer than 1 MiB"), "{error}");
    }
}

#[test]
fn what_is_not_toml_is_told_by_its_place() {
    let problems = problems("version = 1\n[[rule]\nname = \"a\"");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("2:"), "{problems:?}");
    check(
        "version = 2",
        &["1:11 unsupported policy version 2: use version 1"],
    );
    check(
        "version = \"1\"",
        &["1:11 `version` of a policy must be a whole number of 0 or more"],
    );
}

#[test]
fn a_pattern_that_matches_no_action_is_found() {
    let text = "version = 1\n[[rule]]\nname = \"a\"\naction = [\"drain_*\", \"transfer_leadr\"]\ndecision = \"deny\"\n";
    let policy: Policy = text.parse().unwrap();
    let error = policy.check_actions(&actions()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 4, column 22: `transfer_leadr` matches no action; did you mean `transfer_leader`?"
    );
}

#[test]
fn a_pattern_that_can_match_nobody_is_refused() {
    let check = |actor: &str, expected: &str| {
        for part in [
            format!("[[rule]]\nname = \"a\"\nactor = \"{actor}\"\ndecision = \"deny\""),
            format!("[[budget]]\nname = \"a\"\nactor = \"{actor}\"\nlasting = 1"),
        ] {
            let problems = problems(&format!("version = 1\n{part}"));
            let found = problems
                .iter()
                .any(|problem| problem.starts_with("4:9 ") && problem.contains(expected));
            assert!(found, "{actor}: {problems:?}");
        }
    };
    check("agnet:*", "did you mean `agent`?");
    check("agent/*", "did you mean `agent:*`?");
    check("Agent:*", "did you mean `agent`?");
    check("\u{430}gent:*", "(U+0430)");
    check("nobody", "use `agent:NAME`");
    let by = "version = 1\n[[rule]]\nname = \"a\"\ndecision = \"approve\"\nby = \"user:\u{430}na\"\nttl = \"1m\"";
    assert!(problems(by)[0].contains("(U+0430)"));
}

#[test]
fn a_rule_that_can_match_no_mutation_is_found() {
    let check = |selector: &str, expected: &str| {
        let text =
            format!("version = 1\n[[rule]]\nname = \"a\"\n{selector}\ndecision = \"deny\"\n");
        let policy: Policy = text.parse().unwrap();
        let said = policy
            .check_actions(&actions())
            .map_err(|error| error.to_string());
        match expected {
            "" => assert_eq!(said, Ok(()), "{selector}"),
            _ => assert!(said.as_ref().unwrap_err().contains(expected), "{said:?}"),
        }
    };
    check(
        "subject = \"tikvv\"",
        "line 4, column 11: `tikvv` matches no subject; did you mean `tikv`?",
    );
    check("subject = \"TiKV\"", "");
    check(
        "action = \"drain_*\"\nrisk = \"low\"",
        "rule `a` never matches: there is no mutation that is of risk low",
    );
    check("action = \"Drain_Store\"\nrisk = \"high\"", "");
    check(
        "effect = \"lasting\"\nrisk = [\"low\", \"medium\"]",
        "never matches",
    );
    check("action = \"split_region\"\nreversible = false", "");
    check("action = \"drain_store\"\nreversible = true", "");
    check(
        "action = \"split_region\"\nreversible = true",
        "rule `a` never matches: there is no mutation that is reversible",
    );
    check(
        "action = \"drain_store\"\nreversible = false",
        "rule `a` never matches: there is no mutation that is not reversible",
    );
    check("action = \"split_region\"\neffect = \"one_shot\"", "");
    check(
        "action = \"split_region\"\neffect = \"lasting\"",
        "rule `a` never matches: there is no mutation that is of effect lasting",
    );
}

#[test]
fn a_budget_that_can_count_no_mutation_is_found() {
    let check = |bounds: &str, expected: &str| {
        let text = format!(
            "version = 1\n[[rule]]\nname = \"a\"\ndecision = \"allow\"\n\
             [[budget]]\nname = \"b\"\n{bounds}\n"
        );
        let policy: Policy = text.parse().unwrap();
        let said = policy
            .check_actions(&actions())
            .map_err(|error| error.to_string());
        match expected {
            "" => assert_eq!(said, Ok(()), "{bounds}"),
            _ => assert!(said.as_ref().unwrap_err().contains(expected), "{said:?}"),
        }
    };
    check("lasting = 1", "");
    check("action = \"drain_*\"\nlasting = 1", "");
    check("action = \"split_region\"\nregions = 1", "");
    check(
        "action = \"split_region\"\nregions = 1\nlasting = 1",
        "line 5, column 1: `lasting` of budget `b` has no effect: it matches no mutation with a lasting effect",
    );
    check("action = [\"split_region\", \"drain_*\"]\nlasting = 1", "");
}

#[test]
fn what_is_only_known_later_is_a_warning() {
    let text = r#"
version = 1
[[person]]
name = "user:ana"
[[rule]]
name = "a"
actor = ["agent:nigth", "agent:*", "user:ANA", "system"]
system = ["8", "7*", "*"]
decision = "approve"
by = ["user:ana", "user:bne"]
ttl = "1m"
[[budget]]
name = "b"
actor = "agent:Night"
lasting = 1
"#;
    let policy: Policy = text.parse().unwrap();
    let definitions = actions();
    let (systems, actors) = (["7".to_owned()], ["agent:night".to_owned()]);
    let known = Known::actions(&definitions)
        .systems(&systems)
        .actors(&actors);
    let warnings: Vec<_> = policy.check(&known).unwrap();
    let said: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "line 7, column 10: no known actor matches `agent:nigth`; did you mean `agent:night`?",
            "line 8, column 11: no known system matches `8`; did you mean `7`?",
            "line 10, column 19: no known actor matches `user:bne`; did you mean `user:ana`?",
        ]
    );
}

/// Texts that are nearly policies.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "version = 1\n",
        "[[rule]]\n",
        "[[budget]]\n",
        "[[person]]\n",
        "name = ",
        "action = ",
        "risk = ",
        "decision = ",
        "by = ",
        "count = ",
        "ttl = ",
        "window = ",
        "actions = ",
        "per = ",
        "lasting = ",
        "\"allow\"\n",
        "\"approve\"\n",
        "\"deny\"\n",
        "\"user:*\"\n",
        "\"15m\"\n",
        "\"1h\"\n",
        "1\n",
        "-1\n",
        "{ from = \"22:00\", to = \"06:00\" }\n",
        "[\"a\", \"b\"]\n",
        "\"\u{1b}[31m\"\n",
        "[",
        "]",
        "{",
        "\"",
        "é\n",
        "require_signed = ",
        "key = ",
        "\"low\"\n",
        "9999999999999999999999\n",
        "0x10\n",
        "true\n",
        "1979-05-27\n",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_a_policy_or_an_error_that_can_be_shown(text in prop_oneof![nearly(), any::<String>()]) {
        if let Err(error) = text.parse::<Policy>() {
            prop_assert!(!error.problems().is_empty());
            let lines = text.split('\n').count();
            for problem in error.problems() {
                prop_assert!(1 <= problem.line && problem.line <= lines, "{problem}");
                prop_assert!(!problem.to_string().chars().any(action_core::is_unprintable));
            }
        }
    }
}
