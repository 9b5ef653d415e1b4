//! `POST /operators`: what PD checks, in its order, and what it says when it refuses.

use serde_json::{Map, Value as Json};

use crate::cluster::Cluster;
use crate::cluster::operator::{Kind, Operator};
use crate::cluster::plan::Plan;
use crate::cluster::region::{Region, Role};
use crate::cluster::store::StoreState;
use crate::errors;

mod merge_split;

/// Why no operator was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: the request lacks something.
    Input(String),
    /// 500: PD will not.
    Refused(String),
    /// 500: the handler panicked, with this text.
    Panicked(String),
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self::Refused(text)
    }
}

/// What `POST /operators` answers when it does not refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// `The operator is created.`, even where nothing had to be done.
    Created,
    /// scatter-regions reports a percentage, or what was wrong.
    Percentage { percentage: usize, error: String },
}

type Input = Map<String, Json>;

impl Cluster {
    pub(crate) fn create_operator(&mut self, input: &Input) -> Result<Admitted, Refusal> {
        let Some(name) = input.get("name").and_then(Json::as_str) else {
            return Err(Refusal::Input("missing operator name".to_owned()));
        };
        let operators = match name {
            "transfer-leader" => vec![self.transfer_leader(input)?],
            "transfer-region" => vec![self.transfer_region(input)?],
            "transfer-peer" => vec![self.transfer_peer(input)?],
            "add-peer" => vec![self.add_peer(input, "admin-add-peer", Role::Voter)?],
            "add-learner" => vec![self.add_peer(input, "admin-add-learner", Role::Learner)?],
            "remove-peer" => vec![self.remove_peer(input)?],
            "merge-region" => self.merge_region(input)?,
            "split-region" => vec![self.split(input)?],
            "scatter-region" => match self.scatter_region(input)? {
                Some(operator) => vec![operator],
                None => return Ok(Admitted::Created),
            },
            "scatter-regions" => return self.scatter_regions(input),
            _ => return Err(Refusal::Input("unknown operator".to_owned())),
        };
        if self.add_operators(operators) {
            Ok(Admitted::Created)
        } else {
            Err(errors::add_operator(self.rows()).into())
        }
    }

    fn transfer_leader(&mut self, input: &Input) -> Result<Operator, Refusal> {
        let region_id = number(input, "region_id", "missing region id")?;
        let to = number(
            input,
            "to_store_id",
            "missing store id to transfer leader to",
        )?;
        let region = self.region(region_id)?;
        if region.voter_on(to).is_none() {
            return Err(format!("region has no voter in store {to}").into());
        }
        let plan = Plan::in_any_state("admin-transfer-leader", &region).set_leader(to);
        Ok(plan.build(self, Kind::ADMIN)?)
    }

    fn transfer_region(&mut self, input: &Input) -> Result<Operator, Refusal> {
        let region_id = number(input, "region_id", "missing region id")?;
        let Some(stores) = go_uints(input.get("to_store_ids")) else {
            return Err(Refusal::Input(
                "invalid store ids to transfer region to".to_owned(),
            ));
        };
        if stores.is_empty() {
            return Err(Refusal::Input(
                "missing store ids to transfer region to".to_owned(),
            ));
        }
        let region = self.region(region_id)?;
        let roles: Vec<&str> = input
            .get("peer_roles")
            .and_then(Json::as_array)
            .map(|roles| roles.iter().filter_map(Json::as_str).collect())
            .unwrap_or_default();
        if roles.len() != stores.len() {
            return Err(
                "transfer region without peer role is not supported when placement rules enabled"
                    .to_owned()
                    .into(),
            );
        }
        for store_id in &stores {
            self.check_target(*store_id)?;
        }
        if roles.iter().filter(|role| **role == "leader").count() > 1 {
            return Err("region cannot have multiple leaders".to_owned().into());
        }
        if !roles.iter().any(|role| matches!(*role, "leader" | "voter")) {
            return Err("region need at least 1 voter or leader".to_owned().into());
        }
        let peers: Vec<(u64, Role)> = stores
            .iter()
            .zip(&roles)
            .map(|(store_id, role)| match *role {
                "learner" => (*store_id, Role::Learner),
                _ => (*store_id, Role::Voter),
            })
            .collect();
        let mut plan = Plan::new("admin-move-region", &region).set_peers(&peers);
        if let Some((leader, _)) = stores
            .iter()
            .zip(&roles)
            .find(|(_, role)| **role == "leader")
        {
            plan = plan.set_leader(*leader);
        }
        Ok(plan.build(self, Kind::ADMIN)?)
    }

    fn transfer_peer(&mut self, input: &Input) -> Result<Operator, Refusal> {
        let region_id = number(input, "region_id", "missing region id")?;
        let from = number(
            input,
            "from_store_id",
            "invalid store id to transfer peer from",
        )?;
        let to = number(input, "to_store_id", "invalid store id to transfer peer to")?;
        let region = self.region(region_id)?;
        let Some(old) = region.peer_on(from) else {
            return Err(format!("region has no peer in store {from}").into());
        };
        self.check_target(to)?;
        let plan = Plan::new("admin-move-peer", &region)
            .remove_peer(from)
            .add_peer(to, old.role);
        Ok(plan.build(self, Kind::ADMIN)?)
    }

    fn add_peer(&mut self, input: &Input, desc: &str, role: Role) -> Result<Operator, Refusal> {
        let region_id = number(input, "region_id", "missing region id")?;
        let store_id = number(input, "store_id", "invalid store id to transfer peer to")?;
        let region = self.region(region_id)?;
        if region.peer_on(store_id).is_some() {
            return Err(format!("region already has peer in store {store_id}").into());
        }
        self.check_target(store_id)?;
        let plan = Plan::new(desc, &region).add_peer(store_id, role);
        Ok(plan.build(self, Kind::ADMIN)?)
    }

    fn remove_peer(&mut self, input: &Input) -> Result<Operator, Refusal> {
        let region_id = number(input, "region_id", "missing region id")?;
        let store_id = number(input, "store_id", "invalid store id to transfer peer to")?;
        let region = self.region(region_id)?;
        if region.peer_on(store_id).is_none() {
            return Err(format!("region has no peer in store {store_id}").into());
        }
        let plan = Plan::new("admin-remove-peer", &region).remove_peer(store_id);
        Ok(plan.build(self, Kind::ADMIN)?)
    }

    /// Nothing is created for a region that is spread well enough.
    fn scatter_region(&mut self, input: &Input) -> Result<Option<Operator>, Refusal> {
        let region = self.region(number(input, "region_id", "missing region id")?)?;
        if self.is_hot(region.id) {
            return Err(format!("region {} is a hot region", region.id).into());
        }
        let group = input.get("group").and_then(Json::as_str);
        Ok(self.scatter(&region, group.unwrap_or_default())?)
    }

    /// Whatever goes wrong is told inside of a success.
    fn scatter_regions(&mut self, input: &Input) -> Result<Admitted, Refusal> {
        let Some(ids) = go_uints(input.get("region_ids")) else {
            return Err(Refusal::Input("region_ids is invalid".to_owned()));
        };
        let text = |field: &str| input.get(field).and_then(Json::as_str).unwrap_or_default();
        let regions = match (text("start_key"), text("end_key")) {
            ("", _) | (_, "") => self.regions_to_scatter(&ids),
            (start, end) => self.regions_between(start, end),
        };
        Ok(match regions {
            Ok((regions, missing)) => Admitted::Percentage {
                percentage: self.scatter_all(&regions, missing, text("group")),
                error: String::new(),
            },
            Err(error) => Admitted::Percentage {
                percentage: 0,
                error,
            },
        })
    }

    fn region(&self, region_id: u64) -> Result<Region, Refusal> {
        if !self.is_bootstrapped() {
            return Err(if self.rows().unbootstrapped_operator_panics {
                Refusal::Panicked(errors::NIL_PANIC.to_owned())
            } else {
                Refusal::Refused(errors::NOT_BOOTSTRAPPED.to_owned())
            });
        }
        self.regions
            .get(region_id)
            .cloned()
            .ok_or_else(|| errors::region_not_found(self.rows(), region_id).into())
    }

    fn check_target(&self, store_id: u64) -> Result<(), Refusal> {
        match self.stores.get(&store_id) {
            None => Err(errors::store_not_found(store_id).into()),
            Some(store) if store.state == StoreState::Tombstone => {
                Err(errors::store_removed(store_id).into())
            }
            Some(store) if store.is_unhealthy(self.now) => {
                Err(errors::store_unhealthy(store_id).into())
            }
            Some(_) => Ok(()),
        }
    }
}

/// PD reads every number as a float and casts it: 89.5 is 89 and -1 is 2^64 - 1.
pub(crate) fn go_uint(number: f64) -> u64 {
    if number < 0.0 {
        (number as i64) as u64
    } else if number >= 18_446_744_073_709_551_616.0 {
        1 << 63
    } else {
        number as u64
    }
}

/// A list of numbers, each read as [`go_uint`] does.
pub(crate) fn go_uints(json: Option<&Json>) -> Option<Vec<u64>> {
    json?
        .as_array()?
        .iter()
        .map(|id| id.as_f64().map(go_uint))
        .collect()
}

/// What Go says when `keys` is not a list.
fn not_a_list(found: &Json) -> Refusal {
    let found = errors::go_dynamic_type(found);
    Refusal::Panicked(format!(
        "PANIC: interface conversion: interface {{}} is {found}, not []interface {{}}\n"
    ))
}

fn number(input: &Input, field: &str, missing: &str) -> Result<u64, Refusal> {
    input
        .get(field)
        .and_then(Json::as_f64)
        .map(go_uint)
        .ok_or_else(|| Refusal::Input(missing.to_owned()))
}
