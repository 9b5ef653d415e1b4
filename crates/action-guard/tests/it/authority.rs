//! Who may do what in somebody's name: workflows of several actors, releases, leases and undos.

use std::time::Duration;

use action_core::{Undo, Workflow};
use action_guard::{
    Actor, Decider, Guard, GuardError, MemoryJournal, Mode, Phase, Policy, PrivateKey, Record,
    Refusal, Ruling, Standing, StartOptions, WaitPolicy, Waiting,
};
use serde_json::{Value, json};

use crate::fixtures::{actor, allow, mode, write};
use crate::guard_fixture::{Asked as _, Workbench, ana, done, hold, proposed, turn};
use crate::workflow_fixtures::{Fixture, fixture, fixture_under, open};

/// People may; agents ask people.
const AGENTS_ASK: &str = r#"
version = 1

[[rule]]
name = "agents ask"
actor = "agent:*"
decision = "approve"
by = ["user:*"]
count = 1
ttl = "1m"

[[rule]]
name = "people may"
actor = "user:*"
decision = "allow"
"#;

fn confirm_then_open(by: Value) -> Value {
    json!({
        "title": "open b when somebody has looked",
        "steps": [
            {"id": "look", "confirm": "Look at b.", "by": by},
            {"id": "open-b", "action": "open_valve", "parameters": {"valve": "b"}},
        ],
    })
}

async fn start(fixture: &Fixture, document: &Value, by: &Actor) -> String {
    let workflow = Workflow::read(document).unwrap();
    let started = fixture
        .workflows
        .start(&workflow, by, StartOptions::default());
    started.await.unwrap().id.clone()
}

async fn run(fixture: &Fixture, id: &str, by: &Actor) -> action_guard::FlowRun {
    let workflows = &fixture.workflows;
    workflows
        .run(id, by, WaitPolicy::UntilPeople, &mut |_| {})
        .await
        .unwrap()
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T, impl Into<GuardError>>) -> Refusal {
    let Err(error) = result.map_err(Into::into) else {
        unreachable!("not refused");
    };
    let GuardError::Refused(refusal) = error else {
        unreachable!("not refused: {error}");
    };
    refusal
}

#[tokio::test]
async fn an_agent_alone_sends_nothing_with_the_authority_of_a_person() {
    let fixture = fixture_under(Some(AGENTS_ASK)).await;
    let (ana, agent) = (actor("user:ana"), actor("agent:x"));
    let mut document = confirm_then_open(json!([]));
    document["steps"][0].as_object_mut().unwrap().remove("by");
    let id = start(&fixture, &document, &ana).await;
    run(&fixture, &id, &agent).await;
    let confirmed = fixture
        .workflows
        .confirm(&id, "look", Decider::claimed(&agent), None);
    let refused = refusal(confirmed.await);
    assert!(matches!(refused, Refusal::NotAPerson { .. }), "{refused}");
    let confirmed = fixture
        .workflows
        .confirm(&id, "look", Decider::claimed(&ana), None);
    confirmed.await.unwrap();

    // The agent goes on with it: the step is ruled on for both, and the stricter decides.
    let waits = run(&fixture, &id, &agent).await;
    let [Waiting::Approval { proposal, .. }] = &waits.next_steps.waiting[..] else {
        unreachable!("{waits:?}");
    };
    assert!(fixture.plant.sent().is_empty());
    let status = fixture.guard.proposal_status(proposal).await.unwrap();
    assert_eq!(status.proposal.request.actor, "user:ana");
    let rulings = &status.proposal.rulings;
    let said: Vec<_> = rulings
        .iter()
        .map(|ruled| (ruled.actor.as_str(), ruled.ruling.rule()))
        .collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].0 == "user:ana" && said[0].1.starts_with("people may"),
        "{said:?}"
    );
    assert!(
        said[1].0 == "agent:x" && said[1].1.starts_with("agents ask"),
        "{said:?}"
    );
    assert!(matches!(status.ruling, Ruling::Approve { .. }));

    // Neither of the two agrees to it; somebody else does, and then it is sent, once.
    let controls = fixture.guard.controls();
    let hash = &status.proposal.plan_hash;
    let own = controls
        .approve(proposal, hash, Decider::claimed(&ana), None)
        .await;
    assert!(own.is_err(), "{own:?}");
    let ben = actor("user:ben");
    controls
        .approve(proposal, hash, Decider::claimed(&ben), None)
        .await
        .unwrap();
    run(&fixture, &id, &agent).await;
    assert_eq!(fixture.plant.sent(), ["open b"]);
    fixture.guard.journal().verify().await.unwrap();
}

#[tokio::test]
async fn what_was_ruled_on_for_others_is_proposed_again_for_who_goes_on() {
    let fixture = fixture_under(Some(crate::workflow_fixtures::PEOPLE)).await;
    let (ana, agent, ben) = (actor("user:ana"), actor("agent:x"), actor("user:ben"));
    let id = start(&fixture, &open(&["a"]), &ana).await;
    let waits = run(&fixture, &id, &ana).await;
    let [
        Waiting::Approval {
            proposal: first, ..
        },
    ] = &waits.next_steps.waiting[..]
    else {
        unreachable!("{waits:?}");
    };
    let hash = fixture
        .guard
        .proposal_status(first)
        .await
        .unwrap()
        .proposal
        .plan_hash
        .clone();
    let controls = fixture.guard.controls();
    controls
        .approve(first, &hash, Decider::claimed(&ben), None)
        .await
        .unwrap();
    // What ana was allowed the agent does not carry out.
    let waits = run(&fixture, &id, &agent).await;
    let [
        Waiting::Approval {
            proposal: second, ..
        },
    ] = &waits.next_steps.waiting[..]
    else {
        unreachable!("{waits:?}");
    };
    assert_ne!(first, second);
    assert!(fixture.plant.sent().is_empty());
    let first = fixture.guard.proposal_status(first).await.unwrap();
    assert_eq!(first.phase, Phase::Cancelled);
    let second = fixture.guard.proposal_status(second).await.unwrap();
    assert!(second.proposal.request.may_be_carried_out_by(&agent));
    // And when ana goes on herself, nobody is asked for the agent.
    let waits = run(&fixture, &id, &ana).await;
    let [
        Waiting::Approval {
            proposal: third, ..
        },
    ] = &waits.next_steps.waiting[..]
    else {
        unreachable!("{waits:?}");
    };
    let third = fixture.guard.proposal_status(third).await.unwrap();
    assert!(third.proposal.rulings.is_empty());
    fixture.guard.journal().verify().await.unwrap();
}

#[tokio::test]
async fn who_lets_it_go_on_is_ruled_on_too() {
    let fixture = fixture_under(Some(AGENTS_ASK)).await;
    let (ana, agent) = (actor("user:ana"), actor("agent:x"));
    let id = start(&fixture, &open(&["a"]), &ana).await;
    fixture
        .plant
        .next([crate::test_workflow_subject::Becomes::Refused]);
    run(&fixture, &id, &ana).await;
    assert_eq!(fixture.plant.sent(), ["open a"]);
    let flow = fixture
        .workflows
        .resume(&id, &agent, "again")
        .await
        .unwrap();
    assert_eq!(flow.resumed_by.as_ref(), Some(&agent));
    // Whoever carries it out: the agent wanted it.
    let waits = run(&fixture, &id, &ana).await;
    assert!(
        matches!(waits.next_steps.waiting[..], [Waiting::Approval { .. }]),
        "{waits:?}"
    );
    assert_eq!(fixture.plant.sent(), ["open a"]);
}

#[tokio::test]
async fn a_confirmation_names_who_may_give_it() {
    let fixture = fixture().await;
    let (ana, dba) = (actor("user:ana"), actor("user:DBA-1"));
    let id = start(&fixture, &confirm_then_open(json!(["user:dba-*"])), &ana).await;
    let waits = run(&fixture, &id, &ana).await;
    assert!(
        matches!(&waits.next_steps.waiting[..], [Waiting::Confirmation { by, .. }] if by == &["user:dba-*"]),
        "{waits:?}"
    );
    let other = fixture
        .workflows
        .confirm(&id, "look", Decider::claimed(&ana), None)
        .await;
    assert!(matches!(refusal(other), Refusal::Flow { .. }));
    fixture
        .workflows
        .confirm(&id, "look", Decider::claimed(&dba), None)
        .await
        .unwrap();
    let wrong = Workflow::read(&confirm_then_open(json!(["agent:*"])));
    assert!(
        wrong
            .unwrap_err()
            .to_string()
            .contains("people can confirm")
    );
}

const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----";

#[tokio::test]
async fn a_person_with_a_key_confirms_with_it() {
    let policy = r#"
version = 1
[[person]]
name = "user:dba"
key = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo="
[[rule]]
name = "all"
decision = "allow"
"#;
    let fixture = fixture_under(Some(policy)).await;
    let dba = actor("user:dba");
    let id = start(&fixture, &confirm_then_open(json!(["user:*"])), &dba).await;
    run(&fixture, &id, &dba).await;
    let claimed = fixture
        .workflows
        .confirm(&id, "look", Decider::claimed(&dba), None)
        .await;
    assert!(matches!(refusal(claimed), Refusal::NotProven { .. }));
    let key = PrivateKey::parse_pem(KEY).unwrap();
    let note = Some("I looked".to_owned());
    let signed = fixture
        .workflows
        .confirm(&id, "look", Decider::with_key(&dba, &key), note);
    signed.await.unwrap();
}

#[tokio::test]
async fn the_steps_of_a_workflow_are_planned_before_it_is_started() {
    let fixture = fixture_under(Some(AGENTS_ASK)).await;
    let workflow = Workflow::read(&open(&["a", "b"])).unwrap();
    let planned = fixture
        .workflows
        .preview(&workflow, &actor("agent:x"))
        .await
        .unwrap();
    assert_eq!(planned.len(), 2);
    for one in &planned {
        assert!(one.proposal.is_some() && one.unplanned.is_none());
        assert!(
            matches!(one.ruling, Some(Ruling::Approve { .. })),
            "{one:?}"
        );
    }
    let state = fixture.guard.state().await.unwrap();
    assert!(state.open.is_empty() && state.flows.is_empty());
}

#[tokio::test]
async fn only_who_asked_for_it_or_a_person_releases_an_effect() {
    let fixture = Workbench::new().await;
    let guard = fixture.guard();
    let held = done(&guard, hold("x")).await;
    for other in ["agent:other", "system"] {
        let refused = refusal(
            guard
                .controls()
                .release(&held.id, &actor(other), "mine now")
                .await,
        );
        assert!(matches!(refused, Refusal::NotTheirs { .. }), "{refused}");
        // Not even when it is written past the guard.
        let record = Record::Released {
            id: held.id.clone(),
            by: actor(other),
            reason: "mine now".to_owned(),
        };
        assert!(write(guard.journal(), [record]).await.is_err());
    }
    assert_eq!(guard.state().await.unwrap().effects.len(), 1);
    guard
        .controls()
        .release(&held.id, &actor("agent:Night"), "it is gone")
        .await
        .unwrap();
    let held = done(&guard, hold("y")).await;
    guard
        .controls()
        .release(&held.id, &ana(), "ben has it")
        .await
        .unwrap();
    assert!(guard.state().await.unwrap().effects.is_empty());
}

#[tokio::test]
async fn a_release_is_ruled_on_as_taking_it_back_would_be() {
    let fixture = Workbench::new().await;
    let policy: Policy = r#"
version = 1
[[rule]]
name = "hold"
action = "hold_dial"
decision = "allow"
[[rule]]
name = "agents ask before they let go"
actor = "agent:*"
decision = "approve"
by = ["user:ana"]
count = 1
ttl = "1m"
[[rule]]
name = "carl may not"
actor = "user:carl"
decision = "deny"
"#
    .parse()
    .unwrap();
    let guard = fixture.guard_under(policy);
    let held = done(&guard, hold("x")).await;
    for other in ["agent:night", "user:carl", "user:ben"] {
        let refused = refusal(
            guard
                .controls()
                .release(&held.id, &actor(other), "no")
                .await,
        );
        assert!(
            matches!(refused, Refusal::Denied { .. }),
            "{other}: {refused}"
        );
    }
    let refused = refusal(
        guard
            .controls()
            .release(&held.id, &actor("agent:night"), "no")
            .await,
    );
    assert!(refused.to_string().contains("user:ana"), "{refused}");
}

/// Where people must agree to take it back, one of those people gives it up, and nobody else.
#[tokio::test]
async fn what_takes_an_approval_to_take_back_is_given_up_by_who_could_approve() {
    let fixture = Workbench::new().await;
    let policy: Policy = r#"
version = 1
[[rule]]
name = "letting go"
action = "release_dial"
decision = "approve"
by = ["user:ana"]
ttl = "1m"
[[rule]]
name = "all else"
decision = "allow"
"#
    .parse()
    .unwrap();
    let guard = fixture.guard_under(policy);
    let held = done(&guard, hold("x")).await;
    for other in ["user:ben", "agent:night"] {
        let controls = guard.controls();
        let refused = refusal(controls.release(&held.id, &actor(other), "no").await);
        assert_eq!(
            refused.to_string(),
            "denied by rule `letting go (rule, line 3)`: taking it back needs approval from user:ana, and so does giving it up",
            "{other}"
        );
    }
    let controls = guard.controls();
    controls
        .release(&held.id, &ana(), "it is gone")
        .await
        .unwrap();
    assert!(guard.state().await.unwrap().effects.is_empty());
}

#[tokio::test]
async fn a_lease_that_nobody_would_act_on_is_refused() {
    let fixture = Workbench::new().await;
    let policy = |system: &str| -> Policy {
        format!(
            "version = 1\n[[rule]]\nname = \"system\"\nactor = \"system\"\ndecision = \"{system}\"\n\
             [[rule]]\nname = \"all\"\ndecision = \"allow\"\n"
        )
        .parse()
        .unwrap()
    };
    let leased = hold("x").lease(Duration::from_secs(60));
    let guard = fixture.guard_under(policy("deny"));
    let refused = refusal(guard.propose(leased.clone()).await);
    assert!(
        matches!(refused, Refusal::LeaseNotReaped { .. }),
        "{refused}"
    );
    proposed(&guard, hold("x")).await;
    proposed(&guard, turn("y", 3).lease(Duration::from_secs(60))).await;
    proposed(&fixture.guard_under(policy("allow")), leased).await;
}

#[tokio::test]
async fn an_undo_of_what_was_never_sent_says_so() {
    let fixture = Workbench::new().await;
    let guard = fixture.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let error = guard
        .propose_undo(&proposal.id, &ana(), "back")
        .await
        .unwrap_err();
    assert!(matches!(error, GuardError::NothingToUndo { .. }), "{error}");
    assert!(
        error.to_string().contains("never sent: it is approved"),
        "{error}"
    );
    guard.cancel(&proposal.id, &ana(), "no").await.unwrap();
    let error = guard
        .propose_undo(&proposal.id, &ana(), "back")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("never sent: it is cancelled"),
        "{error}"
    );
}

/// Records that somebody wrote by hand, with a chain that is right.
#[tokio::test]
async fn a_forged_record_does_not_make_an_undo_send_what_it_says() {
    let fixture = Workbench::new().await;
    let journal = MemoryJournal::new();
    let forger = journal.another_instance();
    let guard = Guard::new(
        crate::test_subject::registry(fixture.server.address),
        journal,
    );
    write(&forger, [mode(Mode::Execute)]).await.unwrap();
    let mut planned = guard.propose(hold("x")).await.unwrap().asked();
    planned.id = "forged".to_owned();
    planned.undo = serde_json::from_value::<Undo>(json!({
        "undo": "action", "name": "turn_dial", "parameters": {"dial": "z", "value": 99},
    }))
    .unwrap();
    let plan = planned.plan.clone();
    let forged = [
        Record::Proposed {
            proposal: Box::new(planned.clone()),
            ruling: allow(),
        },
        crate::fixtures::intent_of("forged", plan),
        crate::fixtures::applied("forged"),
    ];
    write(&forger, forged).await.unwrap();
    let undo = guard.state().await.unwrap().effects["forged"].undo.clone();
    assert!(matches!(undo, Undo::Action { name, .. } if name == "turn_dial"));
    fixture.server.turn_by_hand(
        "x",
        crate::test_subject::Dial {
            held: true,
            ..Default::default()
        },
    );
    let undo = guard.propose_undo("forged", &ana(), "back").await;
    match undo {
        Ok(undo) => assert_eq!(undo.asked().request.action, "release_dial"),
        Err(GuardError::ChangedSince { .. } | GuardError::NoUndo { .. }) => {}
        Err(other) => unreachable!("{other}"),
    }
}

/// What is carried out by others too is ruled on for each, and that comes back with it; of rulings
/// that are as strict, the one on who asked is named.
#[tokio::test]
async fn each_who_carries_it_out_is_ruled_on_and_who_asked_is_named_first() {
    let fixture = Workbench::new().await;
    let guard = fixture.guard();
    let for_both = turn("x", 4).carried_out_by(&ana());
    let proposal = proposed(&guard, for_both.clone()).await;
    let actors: Vec<_> = proposal.rulings.iter().map(|ruled| &*ruled.actor).collect();
    assert_eq!(actors, ["agent:night", "user:ana"]);
    let status = guard.proposal_status(&proposal.id).await.unwrap();
    assert_eq!(status.proposal.rulings, proposal.rulings);

    let policy: Policy = "version = 1\n\
        [[rule]]\nname = \"no agents\"\nactor = \"agent:*\"\ndecision = \"deny\"\n\
        [[rule]]\nname = \"no people\"\nactor = \"user:*\"\ndecision = \"deny\"\n"
        .parse()
        .unwrap();
    let denied = fixture.guard_under(policy).propose(for_both).await.unwrap();
    assert!(
        matches!(&denied, Standing::Denied { rule, .. } if rule.contains("no agents")),
        "{denied:?}"
    );
}
