//! Placement rules and labels of key ranges, and what they make PD do.

use std::time::Duration;

use pd_sim::{PlacementRule, Role, RuleRole, Version};
use serde_json::{Value as Json, json};

use crate::http::{CREATED, delete, get, json_of, operator, post, says, send, start, start_with};

#[tokio::test]
async fn a_follower_rule_keeps_the_leader_away() {
    let sim = start().await;
    sim.set_labels(3, [("disk", "slow")]);
    sim.set_rules([
        PlacementRule::new("fast", RuleRole::Voter, 2).label_not_in("disk", ["slow"]),
        PlacementRule::new("slow", RuleRole::Follower, 1).label_in("disk", ["slow"]),
    ])
    .expect("rules");
    let region = sim.region_ids()[0];
    let body = json!({"name": "transfer-leader", "region_id": region, "to_store_id": 3});
    let not_allowed = "cannot create operator: target leader is not allowed";
    assert_eq!(operator(&sim, &body).await, (500, not_allowed.to_owned()));
    sim.advance(Duration::from_secs(60));
    assert_eq!(sim.leader_count(3), 0);
}

#[tokio::test]
async fn a_learner_rule_adds_learners() {
    let sim = start_with(|builder| builder.tiflash_stores(1)).await;
    let rule = json!({
        "group_id": "tiflash", "id": "r1", "role": "learner", "count": 1,
        "label_constraints": [{"key": "engine", "op": "in", "values": ["tiflash"]}]
    });
    says(
        &post(&sim, "/config/rule", &rule.to_string()).await,
        200,
        "\"Update rule successfully.\"\n",
    );
    sim.advance(Duration::from_secs(1_200));
    for region in sim.region_ids() {
        let peers = sim.peers(region);
        let on_tiflash: Vec<Role> = peers
            .iter()
            .filter(|peer| peer.store_id == 6)
            .map(|peer| peer.role)
            .collect();
        assert_eq!(on_tiflash, [Role::Learner], "{region}: {peers:?}");
        assert_eq!(peers.len(), 4, "{region}: {peers:?}");
    }
}

#[tokio::test]
async fn rules_are_checked_in_pds_words() {
    let sim = start().await;
    let content = "[PD:placement:ErrRuleContent]invalid rule content, ";
    let cases = [
        (json!({}), "group ID should not be empty"),
        (json!({"group_id": "g"}), "ID should not be empty"),
        (json!({"group_id": "g", "id": "r"}), "invalid role "),
        (
            json!({"group_id": "g", "id": "r", "role": "voter"}),
            "invalid count 0",
        ),
        (
            json!({"group_id": "g", "id": "r", "role": "leader", "count": 2}),
            "define multiple leaders by count 2",
        ),
        (
            json!({"group_id": "g", "id": "r", "role": "voter", "count": 1,
                "label_constraints": [{"key": "zone", "op": "in", "values": ["nowhere"]}]}),
            "rule 'r' from rule group 'g' can not match any store",
        ),
    ];
    for (rule, what) in cases {
        let answer = post(&sim, "/config/rule", &rule.to_string()).await;
        says(&answer, 400, &format!("{:?}\n", format!("{content}{what}")));
    }
    says(
        &delete(&sim, "/config/rule/pd/default").await,
        500,
        "\"[PD:placement:ErrBuildRuleList]build rule list failed, no rule left\"\n",
    );
}

#[tokio::test]
async fn rules_are_read_by_group_region_key_and_name() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let default = json!([{
        "group_id": "pd", "id": "default", "start_key": "", "end_key": "",
        "role": "voter", "is_witness": false, "count": 3
    }]);
    for path in [
        "/config/rules".to_owned(),
        "/config/rules/group/pd".to_owned(),
        format!("/config/rules/region/{region}"),
        "/config/rules/key/74".to_owned(),
    ] {
        assert_eq!(json_of(&sim, &path).await, default, "{path}");
    }
    says(
        &get(&sim, "/config/rule/pd/nope").await,
        404,
        "\"[PD:placement:ErrRuleNotFound]rule not found\"\n",
    );
    says(&get(&sim, "/config/rule_group/nope").await, 404, "null\n");
    let fit = json_of(&sim, &format!("/config/rules/region/{region}/detail")).await;
    assert_eq!(
        fit["rule-fits"][0]["peers"].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(fit["orphan-peers"], Json::Null);
    let bundle = json_of(&sim, "/config/placement-rule/pd").await;
    assert_eq!(bundle["rules"], default);
}

#[tokio::test]
async fn without_placement_rules_their_paths_are_412() {
    let sim = start().await;
    let off = r#"{"enable-placement-rules":"false"}"#;
    assert_eq!(post(&sim, "/config", off).await.status, 200);
    says(
        &get(&sim, "/config/rules").await,
        412,
        "\"[PD:placement:ErrPlacementDisabled]placement rules feature is disabled\"\n",
    );
}

#[tokio::test]
async fn max_replicas_follows_the_default_rule_and_leads_it() {
    let sim = start().await;
    assert_eq!(
        post(&sim, "/config/replicate", r#"{"max-replicas":5}"#)
            .await
            .status,
        200
    );
    assert_eq!(json_of(&sim, "/config/rule/pd/default").await["count"], 5);
    let rule = json!({"group_id": "pd", "id": "default", "role": "voter", "count": 1});
    post(&sim, "/config/rule", &rule.to_string()).await;
    assert_eq!(json_of(&sim, "/config/replicate").await["max-replicas"], 1);
    sim.advance(Duration::from_secs(600));
    for region in sim.region_ids() {
        assert_eq!(sim.peers(region).len(), 1);
    }
}

#[tokio::test]
async fn a_rules_border_splits_regions() {
    let sim = start().await;
    let border = "7480000000000000FF0500000000000000F8";
    sim.set_rules([
        PlacementRule::new("low", RuleRole::Voter, 3).range("", border),
        PlacementRule::new("high", RuleRole::Voter, 3).range(border, ""),
    ])
    .expect("rules");
    let before = sim.region_ids().len();
    sim.advance(Duration::from_secs(5));
    assert_eq!(sim.region_ids().len(), before + 1);
}

#[tokio::test]
async fn denied_regions_are_not_balanced_but_administrators_may() {
    let sim = start_with(|builder| builder.balance_leader(true)).await;
    for region in sim.region_ids() {
        if sim.peers(region).iter().any(|peer| peer.store_id == 1) {
            sim.set_leader(region, 1);
        }
    }
    let rule = json!({
        "id": "deny", "labels": [{"key": "schedule", "value": "deny"}],
        "rule_type": "key-range", "data": [{"start_key": "", "end_key": ""}]
    });
    says(
        &post(&sim, "/config/region-label/rule", &rule.to_string()).await,
        200,
        "\"Update region label rule successfully.\"\n",
    );
    sim.advance(Duration::from_secs(30));
    assert_eq!(sim.leader_count(1), 36);
    let region = sim.region_ids()[0];
    says(
        &get(&sim, &format!("/region/id/{region}/label/schedule")).await,
        200,
        "\"deny\"\n",
    );
    let body = json!({"name": "transfer-leader", "region_id": region, "to_store_id": 2});
    assert_eq!(operator(&sim, &body).await, (200, CREATED.to_owned()));
    says(
        &delete(&sim, "/config/region-label/rule/deny").await,
        200,
        "Delete rule successfully.",
    );
    sim.advance(Duration::from_secs(60));
    assert!(sim.leader_count(1) < 36);
}

#[tokio::test]
async fn a_label_ends_with_its_time() {
    let sim = start().await;
    let rule = json!({
        "id": "deny", "labels": [{"key": "schedule", "value": "deny", "ttl": "1m"}],
        "rule_type": "key-range", "data": [{"start_key": "", "end_key": ""}]
    });
    post(&sim, "/config/region-label/rule", &rule.to_string()).await;
    let path = "/config/region-label/rule/deny";
    assert_eq!(get(&sim, path).await.status, 200);
    sim.advance(Duration::from_secs(61));
    says(&get(&sim, path).await, 404, "null\n");
    assert_eq!(get(&sim, "/config/region-label/rules").await.text(), "[]\n");
}

#[tokio::test]
async fn label_rules_are_patched_and_asked_for_by_id() {
    let sim = start().await;
    let rule = |id: &str| {
        json!({
            "id": id, "labels": [{"key": "a", "value": "b"}],
            "rule_type": "key-range", "data": [{"start_key": "74", "end_key": "75"}]
        })
    };
    let patch = json!({"sets": [rule("one"), rule("two/2")], "deletes": []});
    let path = "/config/region-label/rules";
    let answer = send(&sim, "PATCH", path, &patch.to_string()).await;
    says(
        &answer.expect("an answer"),
        200,
        "\"Update region label rules successfully.\"\n",
    );
    let path = "/config/region-label/rules/ids";
    let some = send(&sim, "GET", path, r#"["two/2","nope"]"#).await;
    let some: Json = serde_json::from_str(&some.expect("an answer").text()).expect("JSON");
    assert_eq!(some[0]["id"], "two/2");
    assert_eq!(some.as_array().map(Vec::len), Some(1));
    let bad = json!({"id": "x", "labels": [], "rule_type": "key-range", "data": []});
    says(
        &post(&sim, "/config/region-label/rule", &bad.to_string()).await,
        400,
        "\"[PD:region:ErrRegionRuleContent]invalid region rule content, no region labels\"\n",
    );
    let path = "/config/region-label/rule/nope";
    says(
        &delete(&sim, path).await,
        404,
        "\"[PD:region:ErrRegionRuleNotFound]region label rule not found for id nope\"\n",
    );
}

#[tokio::test]
async fn a_region_that_spans_rules_cannot_be_operated() {
    let sim = start_with(|builder| builder.version(Version::V8_5).executes_splits(false)).await;
    let border = "7480000000000000FF0500000000000000F8";
    sim.set_rules([
        PlacementRule::new("low", RuleRole::Voter, 3).range("", border),
        PlacementRule::new("high", RuleRole::Voter, 3).range(border, ""),
    ])
    .expect("rules");
    let last = *sim.region_ids().last().expect("a region");
    let leader = sim.leader_of(last).expect("a leader");
    let to = sim
        .peers(last)
        .iter()
        .map(|peer| peer.store_id)
        .find(|store_id| *store_id != leader)
        .expect("a follower");
    let body = json!({"name": "transfer-leader", "region_id": last, "to_store_id": to});
    let text = "cannot build operator for region match no placement rule";
    assert_eq!(operator(&sim, &body).await, (500, text.to_owned()));
}

/// A group that comes later and overrides leaves only its own rules.
#[tokio::test]
async fn a_group_that_overrides_hides_those_before_it() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let rule = json!({
        "group_id": "own", "id": "five", "role": "voter", "count": 5, "start_key": "",
        "end_key": ""
    });
    post(&sim, "/config/rule", &rule.to_string()).await;
    let of_region = format!("/config/rules/region/{region}");
    let hold = json_of(&sim, &of_region).await;
    assert_eq!(hold.as_array().map(Vec::len), Some(2), "{hold}");
    let group = r#"{"id":"own","index":7,"override":true}"#;
    let updated = "\"Update rule group successfully.\"\n";
    says(&post(&sim, "/config/rule_group", group).await, 200, updated);
    let expected = json!({"id": "own", "index": 7, "override": true});
    assert_eq!(json_of(&sim, "/config/rule_group/own").await, expected);
    assert_eq!(json_of(&sim, &of_region).await[0]["group_id"], "own");
    let hold = json_of(&sim, &of_region).await;
    assert_eq!(hold.as_array().map(Vec::len), Some(1), "{hold}");
    let deleted = "\"Delete rule group successfully.\"\n";
    says(&delete(&sim, "/config/rule_group/own").await, 200, deleted);
    let hold = json_of(&sim, &of_region).await;
    assert_eq!(hold.as_array().map(Vec::len), Some(2), "{hold}");
}
