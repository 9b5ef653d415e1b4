//! Secrets that people write into what they say reach the journal in no way.

use action_core::{OutcomeKind, Workflow};
use action_guard::{Decider, Guard, Journal, Mode, PrivateKey, StartOptions, WaitPolicy};
use serde_json::json;

use crate::fixtures::{self, actor, write};
use crate::guard_fixture::{Workbench, ana, done, hold, proposed, turn};
use crate::workflow_fixtures::{Fixture, fixture, open};

/// What somebody might paste, each with the same secret in it.
const WORDS: [&str; 17] = [
    "password=hunter2",
    "it said Bearer hunter2",
    "GET /pd?access_token=hunter2",
    "at ana:hunter2@pd-0:2379",
    "at http://ana:hunter2@pd-0:2379",
    "ghp_hunter2hunter2hunter2",
    "glpat-hunter2hunter2hunter2",
    "xoxb-1234567890-hunter2",
    "eyJhbGciOiJub25lIn0.hunter2.hunter2",
    "-----BEGIN PRIVATE KEY-----hunter2",
    "access_token%3Dhunter2",
    "mysql -phunter2",
    "curl -u root:hunter2 http://pd-0:2379",
    "it took --user ana:hunter2",
    "sk-ant-api03-hunter2hunter2hunter2",
    "pass\u{200b}word=hun\u{200b}ter2",
    "the password is hunter2",
];

async fn all_of(journal: &dyn Journal) -> String {
    let entries = journal.entries(0, usize::MAX).await.unwrap();
    journal.verify().await.unwrap();
    let records = entries
        .iter()
        .map(|entry| serde_json::to_string(&entry.record).unwrap());
    records.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn holds_no_secret(records: &str, said: usize) {
    assert!(!records.contains("hunter2"), "{records}");
    assert!(records.matches("[redacted]").count() >= said, "{records}");
}

#[tokio::test]
async fn what_people_decide_holds_no_secret() {
    for words in WORDS {
        let bench = Workbench::new().await;
        let guard: Guard = bench.guard();
        let (controls, ana) = (guard.controls(), ana());
        let by = Decider::claimed(&ana);
        controls.set_mode(Mode::Observe, by, words).await.unwrap();
        controls.set_mode(Mode::Execute, by, words).await.unwrap();
        let one = proposed(&guard, turn("x", 1).reason(words)).await;
        controls.reject(&one.id, &ana, words).await.unwrap();
        let one = proposed(&guard, turn("x", 1)).await;
        controls.cancel(&one.id, &ana, words).await.unwrap();
        let one = proposed(&guard, turn("x", 1)).await;
        guard.cancel(&one.id, &ana, words).await.unwrap();
        let held = done(&guard, hold("y")).await;
        guard
            .controls()
            .release(&held.id, &ana, words)
            .await
            .unwrap();
        controls.stop(&ana, words).await.unwrap();
        controls.reset(by, words).await.unwrap();
        holds_no_secret(&all_of(guard.journal()).await, 8);
    }
}

#[tokio::test]
async fn what_people_approve_and_resolve_holds_no_secret() {
    let bench = Workbench::new().await;
    let policy = r#"
version = 1
[[person]]
name = "user:ana"
key = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo="
[[rule]]
name = "people"
decision = "approve"
by = ["user:*"]
count = 1
ttl = "1m"
"#;
    let guard = bench.guard_under(policy.parse::<action_guard::Policy>().unwrap());
    let key = PrivateKey::parse_pem(
        "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----",
    );
    let (ana, key) = (ana(), key.unwrap());
    let one = proposed(&guard, turn("x", 1)).await;
    let reason = Some("password=hunter2".to_owned());
    let by = Decider::with_key(&ana, &key);
    guard
        .controls()
        .approve(&one.id, &one.plan_hash, by, reason)
        .await
        .unwrap();
    // What was signed is what was written: it still counts.
    let report = guard
        .execute(&one, &one.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    let lost = [
        fixtures::proposed("lost", "q", fixtures::allow()),
        fixtures::intent("lost"),
        fixtures::unknown("lost"),
    ];
    write(guard.journal(), lost).await.unwrap();
    let controls = guard.controls();
    let said = controls.resolve("lost", &ana, OutcomeKind::Applied, "token: hunter2");
    said.await.unwrap();
    holds_no_secret(&all_of(guard.journal()).await, 2);
}

#[tokio::test]
async fn what_is_said_of_workflows_holds_no_secret() {
    let fixture: Fixture = fixture().await;
    let ana = actor("user:ana");
    let mut document = open(&["a"]);
    document["steps"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({"id": "look", "confirm": "Look."}));
    let workflow = Workflow::read(&document).unwrap();
    let start = || {
        fixture
            .workflows
            .start(&workflow, &ana, StartOptions::default())
    };
    let id = start().await.unwrap().id.clone();
    fixture
        .workflows
        .run(&id, &ana, WaitPolicy::Now, &mut |_| {})
        .await
        .unwrap();
    let note = Some("password=hunter2".to_owned());
    fixture
        .workflows
        .confirm(&id, "look", Decider::claimed(&ana), note)
        .await
        .unwrap();
    fixture
        .workflows
        .resume(&id, &ana, "Bearer hunter2")
        .await
        .unwrap();
    fixture
        .workflows
        .cancel(&id, &ana, "token=hunter2")
        .await
        .unwrap();
    fixture
        .workflows
        .compensate(&id, &ana, "ana:hunter2@pd-0")
        .await
        .unwrap();
    holds_no_secret(&all_of(fixture.guard.journal()).await, 4);
}

#[tokio::test]
async fn who_is_called_by_a_mail_address_stays_named() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    for name in ["user:alice@example.com", "user:alice@corp"] {
        let alice = actor(name);
        let one = proposed(&guard, turn("x", 1)).await;
        let reason = format!("{name} wants something else");
        let status = guard.cancel(&one.id, &alice, &reason).await.unwrap();
        assert_eq!(status.cancel.as_ref().unwrap().by, alice);
    }
}
