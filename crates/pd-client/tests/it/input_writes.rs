//! Changes that are refused before anything is sent.

use std::time::Duration;

use pd_client::checkers::Checker;
use pd_client::operators::{NewOperator, SplitPolicy, TargetRole};
use pd_client::stores::LimitKind;
use pd_client::{Client, Error, ErrorClass};

use crate::replay::Replay;
use crate::{region, store};

/// Refused before anything is sent.
#[track_caller]
fn refused<T>(call: impl AsyncFnOnce(Client) -> Result<T, Error>, words: &str) {
    let replay = Replay::new(200, &[], "\"done\"");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let error = runtime.block_on(call(replay.client())).err().unwrap();
    assert_eq!(error.class(), ErrorClass::Input, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(replay.asked().is_empty());
}

#[test]
fn what_pd_would_misread_is_not_sent() {
    let second = Duration::from_secs(1);
    for name in ["../stores/remove-tombstone", "a%2Fb", "", "..", "a/b"] {
        refused(
            async |pd| pd.pause_scheduler(name, second).await,
            "scheduler",
        );
        refused(async |pd| pd.resume_scheduler(name).await, "scheduler");
        refused(async |pd| pd.scheduler_diagnostic(name).await, "scheduler");
        refused(async |pd| pd.transfer_pd_leader(name).await, "member");
        refused(async |pd| pd.set_leader_priority(name, 1).await, "member");
    }
    refused(
        async |pd| pd.pause_scheduler("all", second).await,
        "all schedulers",
    );
    refused(
        async |pd| pd.pause_scheduler("a", Duration::ZERO).await,
        "zero",
    );
    refused(
        async |pd| pd.pause_checker(Checker::Rule, Duration::MAX).await,
        "longer than PD can count",
    );
    refused(async |pd| pd.set_config("", 1).await, "write a name");
    refused(async |pd| pd.set_config("a b", 1).await, "write a name");
    refused(
        async |pd| pd.set_config("a", 1 << 53).await,
        "64-bit floats",
    );
    refused(async |pd| pd.set_config("a", f64::NAN).await, "finite");
    refused(
        async |pd| pd.set_config_for("a", 1, Duration::ZERO).await,
        "zero",
    );
    refused(
        async |pd| pd.set_config_for("a", 0.5, second).await,
        "whole numbers and flags",
    );
}

#[test]
fn what_pd_would_misread_of_stores_is_not_sent() {
    refused(
        async |pd| pd.set_store_labels(store(1), &[]).await,
        "at least one",
    );
    refused(
        async |pd| pd.set_store_labels(store(1), &[("zone", "")]).await,
        "deletion",
    );
    refused(
        async |pd| {
            pd.set_store_labels(store(1), &[("a", "x"), ("a", "y")])
                .await
        },
        "twice",
    );
    refused(
        async |pd| pd.delete_store_label(store(1), "").await,
        "empty",
    );
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        refused(
            async |pd| pd.set_store_weight(store(1), 1.0, weight).await,
            "region weight",
        );
    }
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refused(
            async |pd| pd.set_store_limit(store(1), LimitKind::AddPeer, rate).await,
            "more than 0",
        );
    }
}

#[test]
fn what_pd_would_misread_of_operators_is_not_sent() {
    let region_id = region(1);
    let split = |policy, keys: &[&str]| NewOperator::SplitRegion {
        region_id,
        policy,
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    };
    let transfer = |targets| NewOperator::TransferRegion { region_id, targets };
    let (leader, voter) = (TargetRole::Leader, TargetRole::Voter);
    let (source, target) = (region_id, region_id);
    for (operator, words) in [
        (NewOperator::MergeRegion { source, target }, "neighbour"),
        (split(SplitPolicy::UseKey, &[]), "at least one"),
        (split(SplitPolicy::UseKey, &["zz"]), "hexadecimal"),
        (split(SplitPolicy::Scan, &["74"]), "only policy `usekey`"),
        (transfer(vec![]), "at least one"),
        (transfer(vec![(store(1), voter); 2]), "once"),
        (
            transfer(vec![(store(1), leader), (store(2), leader)]),
            "the leader",
        ),
    ] {
        refused(async |pd| pd.add_operator(operator).await, words);
    }
}
