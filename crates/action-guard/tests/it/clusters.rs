//! Several systems in one journal: what they are called, and what is said of each.

use action_guard::{FileJournal, Guard, GuardError, Journal, NameClash, Refusal, Target};

use crate::guard_fixture::{Workbench, done, turn};
use crate::test_subject::Dial;

fn named(name: &str, system: &str) -> Target {
    Target::new("dials", system).named(name)
}

/// Is another system from now on.
fn becomes(bench: &Workbench, system: &str) {
    let identity = Dial {
        by: system.to_owned(),
        ..Dial::default()
    };
    bench.server.turn_by_hand("identity", identity);
}

async fn refused(guard: &Guard) -> Refusal {
    match guard.propose(turn("x", 5)).await {
        Err(GuardError::Refused(refusal)) => refusal,
        other => unreachable!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn each_record_about_a_system_says_which() {
    let bench = Workbench::new().await;
    becomes(&bench, "7");
    let names = [named("spare", "8"), named("prod", "7")];
    done(&bench.guard().clusters(names), turn("x", 3)).await;
    let journal = FileJournal::open(bench.directory.path()).unwrap();
    let entries = journal.entries(1, 100).await.unwrap();
    assert!(entries.len() > 3, "{entries:?}");
    for entry in &entries {
        assert_eq!(entry.target, Some(named("prod", "7")), "{entry:?}");
    }
    // The journal knows the name from then on.
    let proposal = bench.guard().propose(turn("x", 4)).await.unwrap();
    assert_eq!(proposal.cluster.as_deref(), Some("prod"));
    assert_eq!(proposal.subject, "dials");
}

#[tokio::test]
async fn a_name_stays_with_its_system() {
    let bench = Workbench::new().await;
    becomes(&bench, "7");
    done(&bench.guard().clusters([named("prod", "7")]), turn("x", 3)).await;
    becomes(&bench, "8");
    let refusal = refused(&bench.guard().clusters([named("prod", "8")])).await;
    let expected = NameClash::OtherSystem {
        cluster: "prod".to_owned(),
        known: "7".to_owned(),
        found: "8".to_owned(),
    };
    assert_eq!(refusal, Refusal::Name(expected));
}

#[tokio::test]
async fn a_system_has_one_name() {
    let bench = Workbench::new().await;
    becomes(&bench, "7");
    done(&bench.guard().clusters([named("prod", "7")]), turn("x", 3)).await;
    let refusal = refused(&bench.guard().clusters([named("blue", "7")])).await;
    let expected = NameClash::OtherName {
        system: "7".to_owned(),
        known: "prod".to_owned(),
        found: "blue".to_owned(),
    };
    assert_eq!(refusal, Refusal::Name(expected));
    // A system of another kind may have the same id.
    let other = Target::new("lamps", "7").named("blue");
    let proposed = bench.guard().clusters([other]).propose(turn("x", 5)).await;
    assert_eq!(proposed.unwrap().cluster.as_deref(), Some("prod"));
}
