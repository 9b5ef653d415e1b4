//! Merging and splitting regions by request.

use serde_json::Value as Json;

use crate::cluster::Cluster;
use crate::cluster::new_operator::{Input, Refusal, not_a_list, number};
use crate::cluster::operator::{Kind, Operator};
use crate::cluster::plan::Plan;
use crate::cluster::region::{Region, Role};
use crate::cluster::step::{SplitPolicy, Step};
use crate::errors;

impl Cluster {
    pub(super) fn merge_region(&mut self, input: &Input) -> Result<Vec<Operator>, Refusal> {
        let source_id = number(input, "source_region_id", "missing region id")?;
        let target_id = number(
            input,
            "target_region_id",
            "invalid target region id to merge to",
        )?;
        let (source, target) = (self.region(source_id)?, self.region(target_id)?);
        self.check_merge(&source, &target)?;
        // From 9.0 on an administrator's merge or split is counted as nothing else.
        let mut kind = if self.rows().default_store_limit {
            Kind::ADMIN
        } else {
            Kind::ADMIN.with(Kind::MERGE)
        };
        let mut steps = Vec::new();
        let same_stores = source.peers.len() == target.peers.len()
            && source.peers.iter().all(|peer| {
                target
                    .peer_on(peer.store_id)
                    .is_some_and(|other| other.is_voter() == peer.is_voter())
            });
        if !same_stores {
            let peers: Vec<(u64, Role)> =
                target.peers.iter().map(|p| (p.store_id, p.role)).collect();
            let matching = Plan::new("", &source).set_peers(&peers).build(self, kind)?;
            kind = matching.kind;
            steps = matching.steps;
        }
        let merge = |passive| Step::Merge {
            source: source_id,
            target: target_id,
            target_start: target.start_key.clone(),
            target_end: target.end_key.clone(),
            passive,
        };
        steps.push(merge(false));
        let brief = format!("merge: region {source_id} to {target_id}");
        let desc = "admin-merge-region";
        let mut active = Operator::new(desc, brief.clone(), &source, kind, steps, self.now);
        let mut passive = Operator::new(desc, brief, &target, kind, vec![merge(true)], self.now);
        passive.timeout = active.timeout;
        active.related = Some(target_id);
        passive.related = Some(source_id);
        Ok(vec![active, passive])
    }

    pub(super) fn split(&mut self, input: &Input) -> Result<Operator, Refusal> {
        let region_id = number(input, "region_id", "missing region id")?;
        let Some(policy_name) = input.get("policy").and_then(Json::as_str) else {
            return Err(Refusal::Input("missing split policy".to_owned()));
        };
        let mut keys = Vec::new();
        if let Some(given) = input.get("keys") {
            for key in given.as_array().ok_or_else(|| not_a_list(given))? {
                let Some(key) = key.as_str() else {
                    return Err(Refusal::Input("bad format keys".to_owned()));
                };
                keys.push(key.to_owned());
            }
        }
        let region = self.region(region_id)?;
        let Some(policy) = SplitPolicy::parse(policy_name) else {
            return Err(format!("check policy {policy_name} is not supported").into());
        };
        if policy != SplitPolicy::UseKey {
            keys.clear();
        }
        for key in &mut keys {
            if key.len() % 2 == 1 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(format!("split key {key} is not in hex format").into());
            }
            key.make_ascii_uppercase();
        }
        if region.in_joint_state() {
            return Err("cannot split region which is in joint state"
                .to_owned()
                .into());
        }
        Ok(self.split_operator("admin-split-region", &region, Kind::ADMIN, policy, keys))
    }

    fn check_merge(&self, source: &Region, target: &Region) -> Result<(), Refusal> {
        for region in [source, target] {
            if !self.is_normal(region) {
                return Err(errors::region_abnormal(self.rows(), region.id).into());
            }
        }
        let touch = |left: &Region, right: &Region| {
            left.end_key == right.start_key && !left.end_key.is_empty()
        };
        if !touch(source, target) && !touch(target, source) {
            return Err(errors::not_adjacent(self.rows()).into());
        }
        if source.in_joint_state() || target.in_joint_state() {
            let text = "cannot merge regions which are in joint state";
            return Err(text.to_owned().into());
        }
        Ok(())
    }
}
