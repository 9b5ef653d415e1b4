//! The workflow that drains stores one after the other, as it is made.

use action_core::{ActionError, ActionRegistry, Work, Workflow};
use operator_tikv::Tikv;
use pd_sim::{Sim, Version};
use serde_json::{Value, json};

use crate::{VERSIONS, request, stepped, tikv};

/// Five stores: 1 and 2 in zone a, 3 in zone b, the others nowhere.
async fn zones(version: Version) -> Sim {
    let sim = stepped(version).regions(50).start().await.unwrap();
    // So few leaders are less than PD tolerates by default.
    assert!(sim.set_schedule("tolerant-size-ratio", 1.0));
    let labels = request(&sim, "POST", "/config", r#"{"location-labels": "zone"}"#).await;
    assert_eq!(labels, 200);
    for (store, zone) in [(1, "a"), (2, "a"), (3, "b")] {
        let path = format!("/store/{store}/label");
        let body = format!(r#"{{"zone": "{zone}"}}"#);
        assert_eq!(request(&sim, "POST", &path, &body).await, 200);
    }
    sim
}

async fn make(sim: &Sim, parameters: Value) -> Result<Workflow, ActionError> {
    let mut registry = ActionRegistry::new();
    registry.register::<Tikv>(tikv(sim)).unwrap();
    let document = registry.observe("rolling_drain", parameters).await?;
    Ok(Workflow::read_for(&document, &registry).unwrap())
}

#[track_caller]
fn check_refused(made: Result<Workflow, ActionError>, code: &str, words: &str) {
    let error = made.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.report().contains(words), "{error}");
}

#[tokio::test]
async fn stores_of_a_domain_come_one_after_the_other_on_four_versions() {
    for version in VERSIONS {
        let sim = zones(version).await;
        let workflow = make(&sim, json!({"label": "zone=a"})).await.unwrap();
        let ids: Vec<&str> = workflow.steps.iter().map(|step| step.id.as_str()).collect();
        let expected = [
            "calm-1",
            "safe-1",
            "drain-1",
            "verified-1",
            "still-safe-1",
            "work-1",
            "up-1",
            "stop-1",
            "back-1",
            "calm-2",
            "safe-2",
            "drain-2",
            "verified-2",
            "still-safe-2",
            "work-2",
            "up-2",
            "stop-2",
            "back-2",
        ];
        assert_eq!(ids, expected);
        for (before, step) in workflow.steps.iter().zip(&workflow.steps[1..]) {
            assert_eq!(step.needs, std::slice::from_ref(&before.id));
        }
        let back = workflow.step("back-2").unwrap();
        let leaders = sim.leader_count(2);
        let enough = (leaders * 80).div_ceil(100);
        let Work::Observe { until, .. } = back.work() else {
            unreachable!("{back:?}");
        };
        let seen = |leaders: u64| json!({"store": {"leader_count": leaders, "draining": false}});
        assert!(
            until
                .iter()
                .all(|condition| condition.check(&seen(enough)).is_ok())
        );
        assert!(
            until
                .iter()
                .any(|condition| condition.check(&seen(enough - 1)).is_err())
        );
        assert!(
            sim.writes()
                .iter()
                .all(|write| !write.path.contains("schedulers"))
        );
    }
}

/// PD brings no more leaders back than its balance, and nobody waits for those.
#[tokio::test]
async fn as_many_leaders_are_waited_for_as_pd_brings() {
    let sim = zones(Version::V8_5).await;
    let title = async || {
        let workflow = make(&sim, json!({"store_ids": ["2"]})).await.unwrap();
        workflow.step("back-2").unwrap().title.clone().unwrap()
    };
    assert_eq!(title().await, "8 of 10 leaders are back on store 2");
    // Stores may differ by eight of ten: PD's own tolerance.
    assert!(sim.set_schedule("tolerant-size-ratio", 0.0));
    let balanced = " leaders are back on store 2, as far as PD's balancing moves them back";
    assert_eq!(title().await, format!("2 of 10{balanced}"));
    // It leads more than its share.
    assert!(sim.set_schedule("tolerant-size-ratio", 1.0));
    let holds = |id: &u64| sim.peers(*id).iter().any(|peer| peer.store_id == 2);
    for id in sim.region_ids().iter().filter(|id| holds(id)) {
        sim.set_leader(*id, 2);
    }
    assert_eq!(title().await, format!("8 of 30{balanced}"));
    assert!(sim.set_schedule("leader-schedule-limit", 0));
    assert_eq!(title().await, format!("0 of 30{balanced}"));
}

#[tokio::test]
async fn none_is_made_for_a_store_that_is_not_safe_to_stop() {
    let sim = zones(Version::V8_5).await;
    let holds = |id: &u64| sim.peers(*id).iter().any(|peer| peer.store_id == 2);
    let ids = sim.region_ids();
    let id = *ids.iter().find(|id| holds(id)).unwrap();
    let other = sim.peers(id).into_iter().find(|peer| peer.store_id != 2);
    sim.set_pending(id, other.unwrap().store_id, true);
    let given = json!({"store_ids": ["2"]});
    let words = "1 region would lose its majority, such as";
    check_refused(make(&sim, given).await, "not_safe_to_stop", words);
    let given = json!({"store_ids": ["2"], "if_not_safe": "go_on"});
    let workflow = make(&sim, given).await.unwrap();
    let title =
        "Drain one store of zone=a, one after the other, whether or not they are safe to stop";
    assert_eq!(workflow.title, title);
    assert!(workflow.step("safe-2").is_none());
    let Work::Confirm { .. } = workflow.step("work-2").unwrap().work() else {
        unreachable!();
    };
}

/// PD has not heard who leads: nobody knows what may be stopped.
#[tokio::test]
async fn none_is_made_before_it_is_known() {
    let sim = zones(Version::V8_5).await;
    let id = sim.region_ids()[0];
    sim.set_leader(id, 0);
    let made = make(&sim, json!({"store_ids": ["2"]})).await;
    check_refused(made, "not_safe_to_stop", "not known yet");
}

#[tokio::test]
async fn stores_of_several_domains_are_not_drained_together() {
    let sim = zones(Version::V8_5).await;
    let both = make(&sim, json!({"store_ids": ["2", "3"]})).await;
    check_refused(both, "several_domains", "zone=a, zone=b");
    let one = make(&sim, json!({"store_ids": ["2", "1"]})).await.unwrap();
    assert_eq!(one.title, "Drain 2 stores of zone=a, one after the other");
    assert_eq!(one.steps[0].id, "calm-2");
}

#[tokio::test]
async fn nothing_is_drained_while_another_domain_is() {
    let sim = zones(Version::V8_5).await;
    let body = r#"{"name": "evict-leader-scheduler", "store_id": 3}"#;
    assert_eq!(request(&sim, "POST", "/schedulers", body).await, 200);
    let other = make(&sim, json!({"label": "zone=a"})).await;
    check_refused(
        other,
        "other_domain_drained",
        "store 3 of zone=b is being drained",
    );
    let own = make(&sim, json!({"label": "zone=b"})).await;
    check_refused(own, "drained_already", "store 3 is already being drained");
}

#[tokio::test]
async fn what_is_asked_for_must_be_there_and_make_sense() {
    let sim = zones(Version::V8_5).await;
    check_refused(
        make(&sim, json!({"label": "zone=c"})).await,
        "no_store",
        "zone=c",
    );
    check_refused(
        make(&sim, json!({"store_ids": ["77"]})).await,
        "no_store",
        "there is no store 77; PD has stores 1, 2, 3, 4, 5",
    );
    for wrong in [
        json!({}),
        json!({"label": "zone=a", "store_ids": ["1"]}),
        json!({"label": "zone"}),
        json!({"store_ids": []}),
        json!({"store_ids": ["1", 1]}),
        json!({"label": "zone=a", "leaders_back_percent": 0}),
        json!({"label": "zone=a", "lease_hours": 200}),
    ] {
        let error = make(&sim, wrong.clone()).await.unwrap_err();
        assert_eq!(error.code(), "invalid_parameters", "{wrong}: {error}");
    }
}
