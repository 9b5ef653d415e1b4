//! Invariants: what is breached, about what, and since when.

use std::time::Duration;

use operator_tikv::{CheckInvariants, Invariants, SinceSource};
use pd_sim::Version;
use serde_json::json;

use crate::metrics::{look, prometheus, with, with_addresses};
use crate::{VERSIONS, altered_store, stepped, tikv};

/// What is breached: which invariant, about what, whether it counts, and what tells since when.
fn breaches(found: &Invariants) -> Vec<(&str, &str, bool, SinceSource)> {
    let all = found.breaches.iter();
    all.map(|one| {
        let (invariant, about) = (one.invariant.as_str(), one.about.as_str());
        (invariant, about, one.violated, one.since_source)
    })
    .collect()
}

#[tokio::test]
async fn a_healthy_cluster_holds() {
    for version in VERSIONS {
        let sim = stepped(version).members(3).start().await.unwrap();
        let found = look(&sim, &tikv(&sim), CheckInvariants::default(), 7).await;
        assert!(
            !found.violated && found.breaches.is_empty(),
            "{version:?}: {found:#?}"
        );
        assert!(
            found.unknown[0].contains("no Prometheus"),
            "{:?}",
            found.unknown
        );
    }
}

#[tokio::test]
async fn a_silent_store_is_judged_by_its_last_heartbeat() {
    for version in VERSIONS {
        for (age_s, violated) in [(25, false), (90, true), (7_200, true)] {
            let sim = stepped(version).members(3).start().await.unwrap();
            sim.set_heartbeat_age(2, Duration::from_secs(age_s));
            let found = look(&sim, &tikv(&sim), CheckInvariants::default(), 7).await;
            let expected = (
                "store_heard_of",
                "store/2",
                violated,
                SinceSource::Heartbeat,
            );
            assert_eq!(breaches(&found), [expected], "{version:?} {age_s}");
            assert_eq!(found.violated, violated);
        }
    }
    // PD calls it disconnected only after 20 s.
    let sim = stepped(Version::V8_5).members(3).start().await.unwrap();
    sim.set_heartbeat_age(2, Duration::from_secs(18));
    let strict = CheckInvariants {
        heartbeat_s: 15,
        ..CheckInvariants::default()
    };
    let found = look(&sim, &tikv(&sim), strict, 7).await;
    let expected = ("heartbeat", "store/2", true, SinceSource::Heartbeat);
    assert_eq!(breaches(&found), [expected]);
}

#[tokio::test]
async fn a_full_disk_counts_at_once() {
    let sim = stepped(Version::V8_5).members(3).start().await.unwrap();
    altered_store(&sim, 3, |store| {
        store["status"]["capacity"] = json!("100GiB");
        store["status"]["available"] = json!("29GiB");
    })
    .await;
    let found = look(&sim, &tikv(&sim), CheckInvariants::default(), 7).await;
    assert_eq!(
        breaches(&found),
        [("disk", "store/3", true, SinceSource::Now)]
    );
    assert!((found.breaches[0].value - 71.0).abs() < 0.1, "{found:?}");
}

/// Without a time from the cluster, an earlier answer tells since when.
#[tokio::test]
async fn what_has_no_time_is_judged_by_the_earlier_answer() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let first = look(&sim, &tikv(&sim), CheckInvariants::default(), 7).await;
        assert_eq!(
            breaches(&first),
            [("members", "cluster", false, SinceSource::Now)]
        );
        assert!(!first.violated && first.seen.len() == 1, "{first:?}");

        sim.advance(Duration::from_secs(61));
        let again = CheckInvariants {
            previous: first.seen.clone(),
            ..CheckInvariants::default()
        };
        let second = look(&sim, &tikv(&sim), again, 7).await;
        let expected = ("members", "cluster", true, SinceSource::Previous);
        assert_eq!(breaches(&second), [expected], "{version:?}");
        assert_eq!((second.violated, &second.seen), (true, &first.seen));
    }
}

#[tokio::test]
async fn leaders_on_one_store_are_out_of_balance() {
    let sim = stepped(Version::V8_5)
        .members(3)
        .regions(100)
        .start()
        .await
        .unwrap();
    for id in sim.region_ids() {
        if sim.peers(id).iter().any(|peer| peer.store_id == 1) {
            sim.set_leader(id, 1);
        }
    }
    let patient = CheckInvariants::default();
    let found = look(&sim, &tikv(&sim), patient, 7).await;
    assert!(!found.violated, "{found:?}");
    let at_once = CheckInvariants {
        grace_s: 0,
        ..CheckInvariants::default()
    };
    let found = look(&sim, &tikv(&sim), at_once, 7).await;
    let first = breaches(&found)[0];
    assert_eq!(
        (first.0, first.1, first.2),
        ("leader_balance", "store/1", true)
    );
    assert!(found.violated);
}

#[tokio::test]
async fn slow_writes_are_judged_by_prometheus() {
    let sim = stepped(Version::V8_5).members(3).start().await.unwrap();
    let (one, two) = with_addresses(&sim).await;
    let server = prometheus(vec![
        // All the time: one; now: both.
        ("min_over_time", vec![(one.clone(), 0.2)]),
        (
            "histogram_quantile",
            vec![(one.clone(), 0.25), (two.clone(), 0.12)],
        ),
    ])
    .await;
    let found = look(&sim, &with(&sim, &server), CheckInvariants::default(), 7).await;
    let expected = [
        ("write_p99", "store/1", true, SinceSource::Prometheus),
        ("write_p99", "store/2", false, SinceSource::Prometheus),
    ];
    assert_eq!(breaches(&found), expected);
    assert!(found.violated && found.unknown.is_empty());
    let requests = server.received_requests().await.unwrap();
    let asked: Vec<String> = requests
        .iter()
        .flat_map(|request| {
            request
                .url
                .query_pairs()
                .map(|(_, query)| query.into_owned())
        })
        .collect();
    assert!(asked[0].ends_with("> 0.1"), "{asked:?}");
    assert!(asked[1].contains("[60s:15s]"), "{asked:?}");
}
