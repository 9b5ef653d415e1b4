//! What is in the way of one region.

use action_core::Finding;
use pd_client::region_labels::RegionLabel;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::stores::StoreState;
use serde_json::Value;

use crate::cluster::Tikv;
use crate::facts::bounded_text::bounded;
use crate::facts::region::{can_lead, in_joint_state, is_healthy, named_peers, role_name};
use crate::facts::store::state_text;
use crate::mutations::region::RemovePeer;
use crate::observations::findings::{CONFIG, too_few_stores};
use crate::observations::reasons::{self, Reason};
use crate::observations::why::nowhere::nowhere;
use crate::observations::why::snapshot::{AskedRegion, WhySnapshot};
use crate::observations::why::source::holds_all;
use crate::observations::why::staying;
use crate::pd_rules::affinity::{LIMIT, is_in_place, voters, wants};
use crate::pd_rules::leadership::GRANT_LEADER;
use crate::pd_rules::majority::majority_lost;
use crate::pd_rules::room::unsatisfiable::unsatisfiable;

pub(super) fn findings(snapshot: &WhySnapshot) -> Vec<Finding> {
    match &snapshot.region {
        None => Vec::new(),
        Some((_, Some(region))) => of(snapshot, region),
        Some((id, None)) => {
            let text = format!("there is no region {id}");
            let source = format!("GET /pd/api/v1/region/id/{id}");
            let found = reasons::REGION_NOT_FOUND.found(format!("region/{id}"), text);
            vec![found.seen(source, "region", Value::Null)]
        }
    }
}

fn of(snapshot: &WhySnapshot, about: &AskedRegion) -> Vec<Finding> {
    let region = &about.region;
    let mut findings = about_leader(snapshot, region);
    let lost = majority_lost(region, &snapshot.stores);
    let has_majority = lost.is_none();
    findings.extend(lost.map(|lost| {
        let text = format!("region {}: {}", region.id, lost.text);
        let all: Vec<&Peer> = region.peers.iter().collect();
        found(
            reasons::MAJORITY_LOST,
            region,
            text,
            "peers",
            named_peers(&all),
        )
    }));
    findings.extend(of_replicas(snapshot, region));
    findings.extend(denied(about));
    findings.extend(grouped(snapshot, about));
    findings.extend(operator(snapshot, region));
    findings.extend(rules(snapshot, about));
    // Without a majority nothing goes anywhere.
    if snapshot.to.is_none() && snapshot.merge.is_none() && has_majority {
        let emptied = stays(snapshot, &findings);
        let is_held = emptied.iter().any(holds_all);
        findings.extend(emptied);
        findings.extend(nowhere(snapshot, about, is_held));
    }
    findings
}

/// What keeps its replicas on stores that PD empties, but for what is told already.
fn stays(snapshot: &WhySnapshot, told: &[Finding]) -> Vec<Finding> {
    let is_told = |one: &Finding| {
        let mut told = told.iter();
        told.any(|other| other.code == one.code && other.about == one.about)
    };
    let emptied = staying::findings(snapshot).into_iter();
    emptied.filter(|one| !is_told(one)).collect()
}

/// Replicas that are not as they should be.
fn of_replicas(snapshot: &WhySnapshot, region: &Region) -> Vec<Finding> {
    let mut findings = Vec::new();
    let joint: Vec<&Peer> = region
        .peers
        .iter()
        .filter(|peer| in_joint_state(peer))
        .collect();
    if !joint.is_empty() {
        let text = format!(
            "region {} is in a joint state between two sets of voters",
            region.id
        );
        findings.push(found(
            reasons::JOINT_STATE,
            region,
            text,
            "joint",
            named_peers(&joint),
        ));
    }
    let pending: Vec<&Peer> = region.pending_peers.iter().collect();
    if !pending.is_empty() {
        let text = format!(
            "{} of region {} has not caught up",
            named_peers(&pending),
            region.id
        );
        findings.push(found(
            reasons::PEER_PENDING,
            region,
            text,
            "pending",
            named_peers(&pending),
        ));
    }
    findings.extend(on_removed_stores(snapshot, region));
    let is_removed = |peer: &&Peer| snapshot.store(peer.store_id).is_none();
    let down = region.down_peers.iter().map(|down| &down.peer);
    let down: Vec<&Peer> = down.filter(|peer| !is_removed(peer)).collect();
    if !down.is_empty() {
        let text = format!(
            "{} of region {} does not respond",
            named_peers(&down),
            region.id
        );
        findings.push(found(
            reasons::PEER_DOWN,
            region,
            text,
            "down",
            named_peers(&down),
        ));
    }
    findings
}

/// The label that keeps PD from scheduling it.
fn denied(about: &AskedRegion) -> Option<Finding> {
    let region = &about.region;
    let mut labels = about.labels.iter();
    labels.any(RegionLabel::denies_scheduling).then(|| {
        let text = format!("a label denies scheduling region {}", region.id);
        let source = format!("GET /pd/api/v1/region/id/{}/labels", region.id);
        let denied = reasons::LABEL_DENIES.found(format!("region/{}", region.id), text);
        denied.seen(source, "schedule", "deny")
    })
}

/// The affinity group that the region belongs to: nothing balances it.
fn grouped(snapshot: &WhySnapshot, about: &AskedRegion) -> Option<Finding> {
    let (region, group) = (&about.region, about.group.as_ref()?);
    let leader = region.leader.map(|leader| leader.store_id.into());
    let limit = snapshot.config.schedule.affinity_schedule_limit;
    let is_left = limit.unwrap_or(0) == 0 && !is_in_place(group, leader, &voters(&region.peers));
    let left = match is_left {
        true => format!("; nothing moves the region there, because `{LIMIT}` is 0"),
        false => String::new(),
    };
    let text = format!("region {}: {}{left}", region.id, wants(group));
    let id = bounded(&group.id);
    let source = format!("GET /pd/api/v2/affinity-groups/{id}");
    let found = reasons::AFFINITY_GROUP.found(format!("region/{}", region.id), text);
    Some(
        found
            .seen(source, "phase", bounded(&group.phase))
            .seen(CONFIG, LIMIT, limit),
    )
}

/// Replicas on stores that do not come back, with what removes each where its plan would go ahead.
fn on_removed_stores<'a>(
    snapshot: &'a WhySnapshot,
    region: &'a Region,
) -> impl Iterator<Item = Finding> + 'a {
    let id = region.id;
    let is_voter = |peer: &&Peer| matches!(peer.role, PeerRole::Voter | PeerRole::IncomingVoter);
    let voters = region.peers.iter().filter(is_voter);
    let answers =
        |peer: &&Peer| snapshot.store(peer.store_id).is_some() && is_healthy(region, peer);
    let has_majority = 2 * voters.clone().filter(answers).count() > voters.count();
    let is_changeable = has_majority
        && region.leader.is_some()
        && !region.peers.iter().any(in_joint_state)
        && snapshot
            .operators
            .iter()
            .all(|one| one.region_id != Some(id));
    let removed = region.peers.iter();
    let removed = removed.filter(|peer| snapshot.store(peer.store_id).is_none());
    removed.map(move |peer| {
        let store = peer.store_id;
        let role = role_name(peer.role);
        let text =
            format!("region {id} has a {role} on store {store}, which is a tombstone or gone");
        let reason = reasons::PEER_ON_REMOVED_STORE;
        let lost = found(reason, region, text, "store_id", store.get().to_string());
        match is_changeable {
            true => lost.fixed_by::<Tikv, _>(&RemovePeer {
                region_id: id.into(),
                store_id: store.into(),
            }),
            false => lost,
        }
    })
}

fn about_leader(snapshot: &WhySnapshot, region: &Region) -> Vec<Finding> {
    let mut findings: Vec<Finding> = leader(snapshot, region).into_iter().collect();
    if snapshot.what.leaders() {
        findings.extend(granted(snapshot, region));
    }
    findings
}

fn leader(snapshot: &WhySnapshot, region: &Region) -> Option<Finding> {
    let Some(leader) = &region.leader else {
        let text = format!("region {} has no leader", region.id);
        let reason = reasons::REGION_WITHOUT_LEADER;
        return Some(found(reason, region, text, "leader", Value::Null));
    };
    let state = snapshot
        .store(leader.store_id)
        .map(|store| &store.state_name);
    let is_heard_of = matches!(state, Some(StoreState::Up | StoreState::Offline));
    (!is_heard_of).then(|| {
        let state = state.map_or_else(|| "gone".to_owned(), state_text);
        let text = format!(
            "store {} leads region {} and is {state}",
            leader.store_id, region.id
        );
        let reason = reasons::LEADER_SILENT;
        let id = leader.store_id.get().to_string();
        found(reason, region, text, "leader_store_id", id)
    })
}

/// The store that `grant-leader` gives the region's leader, or holds it on.
fn granted(snapshot: &WhySnapshot, region: &Region) -> Option<Finding> {
    let (id, leader) = (region.id, region.leader?.store_id);
    let mut stores = snapshot.leader_blockers.granted();
    let holds = |store: &pd_client::StoreId| region.peer_on(*store).is_some_and(can_lead);
    let store = stores.find(holds)?;
    let text = if store == leader {
        format!("`{GRANT_LEADER}` holds the leader of region {id} on store {store}")
    } else {
        format!("`{GRANT_LEADER}` moves the leader of region {id} to store {store}")
    };
    let reason = reasons::LEADERS_GRANTED;
    let leader = leader.get().to_string();
    Some(found(reason, region, text, "leader_store_id", leader))
}

fn operator(snapshot: &WhySnapshot, region: &Region) -> Option<Finding> {
    let mut operators = snapshot.operators.iter();
    let running = operators.find(|one| one.region_id == Some(region.id))?;
    let text = format!(
        "operator `{}` is running on region {}: {}",
        bounded(&running.desc),
        region.id,
        bounded(&running.brief)
    );
    let source = format!("GET /pd/api/v1/operators/{}", region.id);
    let reason = reasons::OPERATOR_IN_THE_WAY;
    let found = reason.found(format!("region/{}", region.id), text);
    Some(found.seen(source, "operator", bounded(&running.raw)))
}

/// A region whose replicas are not where its rules want them.
fn rules(snapshot: &WhySnapshot, about: &AskedRegion) -> Option<Finding> {
    let region = &about.region;
    let fit = about.fit.as_ref()?;
    let unsatisfied = fit.rule_fits.iter().filter(|one| {
        one.peers.len() as u64 != one.rule.count || !one.peers_different_role.is_empty()
    });
    let names: Vec<String> = unsatisfied
        .take(8)
        .map(|one| bounded(&format!("{}/{}", one.rule.group_id, one.rule.id)))
        .collect();
    let orphans: Vec<&Peer> = fit.orphan_peers.iter().collect();
    let lacks_stores = lacks_stores(snapshot, about);
    // Replicas that no store is there for stay missing, which is told of the rule.
    if orphans.is_empty() && (names.is_empty() || lacks_stores) {
        return None;
    }
    let mut texts = Vec::new();
    if !names.is_empty() {
        texts.push(format!(
            "rules that are not satisfied: {}",
            names.join(", ")
        ));
    }
    if !orphans.is_empty() {
        texts.push(format!(
            "replicas that no rule requires: {}",
            named_peers(&orphans)
        ));
    }
    let text = format!("region {}: {}", region.id, texts.join("; "));
    let source = format!("GET /pd/api/v1/config/rules/region/{}/detail", region.id);
    let mut found = reasons::RULES_UNSATISFIED.found(format!("region/{}", region.id), text);
    if lacks_stores {
        found = found.next(
            "PD keeps extra replicas until every placement rule is satisfied: add stores for the rule that lacks replicas, or find out who set it.",
        );
    }
    Some(found.seen(source.clone(), "unsatisfied_rules", names).seen(
        source,
        "orphan_peers",
        named_peers(&orphans),
    ))
}

/// Whether there are too few stores for what the region's rules ask for.
fn lacks_stores(snapshot: &WhySnapshot, about: &AskedRegion) -> bool {
    let (config, stores) = (&snapshot.config, &snapshot.stores[..]);
    let rules = about.rules.as_deref();
    too_few_stores(config, stores).is_some() || !unsatisfiable(rules, config, stores).is_empty()
}

fn found(
    reason: Reason,
    region: &Region,
    text: String,
    fact: &str,
    value: impl Into<Value>,
) -> Finding {
    let source = format!("GET /pd/api/v1/region/id/{}", region.id);
    let found = reason.found(format!("region/{}", region.id), text);
    found.seen(source, fact, value)
}
