//! Several systems in one journal: what they are called, and what is said of each.

use std::sync::Arc;
use std::time::Duration;

use action_core::OutcomeKind;
use action_guard::{
    CommitError, Controls, Decider, FileJournal, Guard, GuardError, Journal, Mode, ModeError,
    NameClash, Phase, Policy, Refusal, Report, Standing, Target,
};

use crate::guard_fixture::{Workbench, ana, done, execute, proposed, turn};
use crate::test_subject::{Dial, Hold, Sends, Server, registry_that};

fn named(name: &str, system: &str) -> Target {
    Target::new("dials", system).named(name)
}

/// Is another system from now on.
fn becomes(bench: &Workbench, system: &str) {
    is_called(&bench.server, system);
}

fn is_called(server: &Server, system: &str) {
    let identity = Dial {
        by: system.to_owned(),
        ..Dial::default()
    };
    server.turn_by_hand("identity", identity);
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
    let proposal = proposed(&bench.guard(), turn("x", 4)).await;
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
    let proposal = proposed(&bench.guard().clusters([other]), turn("x", 5)).await;
    assert_eq!(proposal.cluster.as_deref(), Some("prod"));
}

/// Two systems over one journal.
struct Two {
    bench: Workbench,
    other: Server,
}

impl Two {
    async fn new() -> Self {
        let two = Self {
            bench: Workbench::new().await,
            other: Server::start(),
        };
        is_called(&two.bench.server, "7");
        is_called(&two.other, "8");
        two
    }

    fn prod(&self) -> Guard {
        self.prod_that(Sends::default())
    }

    fn prod_that(&self, sends: Sends) -> Guard {
        let guard = self.bench.guard_that(sends);
        guard.clusters([named("prod", "7"), named("spare", "8")])
    }

    fn spare(&self) -> Guard {
        let journal = FileJournal::open(self.bench.directory.path()).unwrap();
        let registry = registry_that(self.other.address, Sends::default());
        let guard = Guard::new(registry, journal).settle_for(Duration::ZERO);
        guard.clusters([named("prod", "7"), named("spare", "8")])
    }

    /// Those of `prod` alone.
    fn of_prod(&self) -> Controls {
        self.prod().controls().of_cluster(named("prod", "7"))
    }

    async fn set(&self, controls: &Controls, mode: Mode) -> Result<(), ModeError> {
        let by = ana();
        controls
            .set_mode(mode, Decider::claimed(&by), "a test")
            .await
    }
}

fn is_sent(done: &Result<Report, GuardError>) -> bool {
    matches!(done, Ok(report) if report.outcome.result == OutcomeKind::Applied)
}

fn why(done: Result<Report, GuardError>) -> Refusal {
    match done {
        Err(GuardError::Refused(refusal)) => refusal,
        other => unreachable!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_stop_of_one_system_leaves_the_others_running() {
    let two = Two::new().await;
    let (prod, spare) = (two.prod(), two.spare());
    let (of_prod, of_spare) = (
        proposed(&prod, turn("x", 3)).await,
        proposed(&spare, turn("x", 3)).await,
    );
    let stop = two.of_prod().stop(&ana(), "smoke").await.unwrap();
    let cancelled: Vec<_> = stop.cancelled.iter().map(|it| &it.proposal.id).collect();
    assert_eq!(cancelled, [&of_prod.id]);
    assert!(is_sent(&execute(&spare, &of_spare).await));
    let killed = |refusal: &Refusal| match refusal {
        Refusal::Killed { cluster, .. } => cluster.clone(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(killed(&refused(&prod).await).as_deref(), Some("prod"));
    let by = ana();
    two.of_prod()
        .reset(Decider::claimed(&by), "over")
        .await
        .unwrap();
    let proposal = proposed(&prod, turn("x", 4)).await;
    let refusal = why(execute(&prod, &proposal).await);
    let cluster = "prod".to_owned();
    assert_eq!(refusal, Refusal::ClusterObserving { cluster });
    two.set(&two.of_prod(), Mode::Execute).await.unwrap();
    let proposal = proposed(&prod, turn("x", 4)).await;
    assert!(is_sent(&execute(&prod, &proposal).await));
}

#[tokio::test]
async fn what_is_stopped_for_all_is_stopped_for_each() {
    let two = Two::new().await;
    let prod = two.prod();
    two.set(&prod.controls(), Mode::Observe).await.unwrap();
    two.set(&two.of_prod(), Mode::Execute).await.unwrap();
    let proposal = proposed(&prod, turn("x", 3)).await;
    let refusal = why(execute(&prod, &proposal).await);
    assert_eq!(refusal, Refusal::Observing);
    prod.controls().stop(&ana(), "smoke").await.unwrap();
    let set = two.set(&two.of_prod(), Mode::Execute).await.unwrap_err();
    assert!(
        matches!(
            &set,
            ModeError::Commit(CommitError::Refused(Refusal::Killed { cluster: None, .. }))
        ),
        "{set:?}"
    );
    // There is nothing to reset for one system where all are stopped.
    let by = ana();
    let reset = two.of_prod().reset(Decider::claimed(&by), "over").await;
    assert!(
        matches!(&reset, Err(CommitError::Refused(Refusal::NotKilled))),
        "{reset:?}"
    );
}

/// Between its intent and its first byte.
#[tokio::test]
async fn right_before_the_send_only_a_stop_of_its_system_counts() {
    for (stopped, phase) in [("7", Phase::NotApplied), ("8", Phase::Applied)] {
        let two = Two::new().await;
        let hold = Hold::new();
        let guard = two.prod_that(Sends {
            before_permit: Some(Arc::clone(&hold)),
            ..Sends::default()
        });
        let proposal = proposed(&guard, turn("x", 3)).await;
        let id = proposal.id.clone();
        let run = tokio::spawn({
            let guard = guard.clone();
            async move { execute(&guard, &proposal).await }
        });
        hold.is_reached().await;
        let controls = guard.controls().of_cluster(Target::new("dials", stopped));
        let stop = controls.stop(&ana(), "smoke").await.unwrap();
        assert_eq!(stop.still_sending, []);
        hold.let_go();
        run.await.unwrap().unwrap();
        let status = guard.proposal_status(&id).await.unwrap();
        assert_eq!(status.phase, phase, "{stopped}");
    }
}

#[tokio::test]
async fn rules_and_budgets_are_about_systems_by_name() {
    let two = Two::new().await;
    let policy = r#"
        version = 1
        [[rule]]
        name = "not in production"
        system = "prod*"
        action = "hold_dial"
        decision = "deny"
        [[rule]]
        name = "all else"
        decision = "allow"
        [[budget]]
        name = "one in production"
        subject = "dials"
        system = ["prod"]
        actions = 1
        per = "1h"
    "#;
    let policy: Arc<Policy> = Arc::new(policy.parse().unwrap());
    let (prod, spare) = (
        two.prod().rules(policy.clone()),
        two.spare().rules(policy.clone()),
    );
    let hold = |dial| crate::guard_fixture::hold(dial);
    assert!(matches!(
        prod.propose(hold("y")).await,
        Ok(Standing::Denied { .. })
    ));
    done(&spare, hold("y")).await;
    for value in [3, 4, 5] {
        done(&spare, turn("x", value)).await;
    }
    done(&prod, turn("x", 3)).await;
    // Without a config file, too: the journal knows its name.
    let nameless = two.bench.guard_under(Arc::unwrap_or_clone(policy));
    let denied = nameless.propose(turn("x", 4)).await;
    assert!(
        matches!(
            &denied,
            Ok(Standing::Denied { rule, .. }) if rule.contains("one in production")
        ),
        "{denied:?}"
    );
}
