//! The operator controller: one operator per region, run step by step, remembered when ended.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::cluster::operator::{Kind, Level, Operator, Status};
use crate::cluster::step::{On, Step};
use crate::cluster::tikv::Command;

/// A command is sent again after this long without progress.
const RESEND_FAST: Duration = Duration::from_secs(2);
const RESEND_SLOW: Duration = Duration::from_secs(5);

impl Cluster {
    /// Starts operators together, or buries all of them as cancelled.
    pub(crate) fn add_operators(&mut self, operators: Vec<Operator>) -> bool {
        if !operators.iter().all(|operator| self.admits(operator)) {
            for operator in operators {
                self.bury(operator, Status::Canceled);
            }
            return false;
        }
        for mut operator in operators {
            let region_id = operator.region_id;
            if let Some(displaced) = self.operators.remove(&region_id) {
                self.bury(displaced, Status::Replaced);
            }
            self.charge_stores(&operator);
            operator.status = Status::Started;
            operator.started = Some(self.now);
            self.operators.insert(region_id, operator);
            self.advance_steps(region_id);
            self.send_current_step(region_id);
        }
        true
    }

    /// PD's forgetting of an operator: what stores were told they still do.
    pub(crate) fn cancel_operator(&mut self, region_id: u64) -> bool {
        let Some(operator) = self.operators.remove(&region_id) else {
            return false;
        };
        self.end(operator, Status::Canceled);
        true
    }

    /// How many running operators count as `kind`.
    pub(crate) fn count_operators(&self, kind: Kind) -> u64 {
        self.operators
            .values()
            .filter(|operator| operator.kind.counted_as() == kind)
            .count() as u64
    }

    /// A heartbeat of the region's leader has arrived.
    pub(crate) fn region_heartbeat(&mut self, region_id: u64) {
        if self.held.regions {
            return;
        }
        self.unchecked.insert(region_id);
        self.dispatch(region_id, true);
    }

    /// The regular heartbeats of regions that have an operator.
    pub(crate) fn heartbeat_busy_regions(&mut self) {
        let busy: Vec<u64> = self
            .operators
            .keys()
            .copied()
            .filter(|region_id| self.is_led_by_a_live_store(*region_id))
            .collect();
        for region_id in busy {
            self.region_heartbeat(region_id);
        }
    }

    fn is_led_by_a_live_store(&self, region_id: u64) -> bool {
        let leader = self.regions.get(region_id).and_then(|region| region.leader);
        leader
            .and_then(|store_id| self.stores.get(&store_id))
            .is_some_and(|store| !store.stuck)
    }

    /// Looks at all running operators: time-outs, and commands that got no answer.
    pub(crate) fn push_operators(&mut self) {
        let now = self.now;
        let due: Vec<u64> = self
            .operators
            .values()
            .filter(|operator| operator.resend <= now || operator.is_timed_out(now))
            .map(|operator| operator.region_id)
            .collect();
        for region_id in due {
            self.dispatch(region_id, false);
        }
    }

    fn admits(&self, operator: &Operator) -> bool {
        let epoch_matches = self
            .regions
            .get(operator.region_id)
            .is_some_and(|region| region.epoch == operator.epoch);
        let is_higher = self
            .operators
            .get(&operator.region_id)
            .is_none_or(|running| operator.level > running.level);
        // Operators by request never wait, and are refused all the same when none may.
        let may_wait = self
            .config
            .limit("scheduler-max-waiting-operator", self.now)
            > 0;
        epoch_matches && is_higher && may_wait && !self.exceeds_store_limit(operator)
    }

    fn dispatch(&mut self, region_id: u64, from_heartbeat: bool) {
        self.advance_steps(region_id);
        let Some(operator) = self.operators.get(&region_id) else {
            return;
        };
        let end = match self.regions.get(region_id) {
            None => Some(Status::Canceled),
            Some(_) if operator.current_step >= operator.steps.len() => Some(Status::Success),
            Some(_) if operator.is_timed_out(self.now) => Some(Status::Timeout),
            Some(region) => {
                let grown = region
                    .epoch
                    .conf_ver
                    .saturating_sub(operator.epoch.conf_ver);
                let step = &operator.steps[operator.current_step];
                let stale = from_heartbeat
                    && (step.is_stale(region)
                        || self.has_lost_target(step)
                        || grown > operator.conf_ver_changed(region));
                stale.then_some(Status::Canceled)
            }
        };
        if let Some(status) = end {
            if let Some(operator) = self.operators.remove(&region_id) {
                self.end(operator, status);
            }
        } else {
            self.send_current_step(region_id);
        }
    }

    /// The store a step goes to is not there any more, or has been silent for too long.
    fn has_lost_target(&self, step: &Step) -> bool {
        let (Step::AddLearner(On { store_id: to, .. }) | Step::TransferLeader { to, .. }) = step
        else {
            return false;
        };
        let max_down_time = self.config.duration("max-store-down-time");
        self.stores
            .get(to)
            .is_none_or(|store| store.down_time(self.now) > max_down_time)
    }

    fn advance_steps(&mut self, region_id: u64) {
        let (Some(operator), Some(region)) = (
            self.operators.get_mut(&region_id),
            self.regions.get(region_id),
        ) else {
            return;
        };
        while operator
            .steps
            .get(operator.current_step)
            .is_some_and(|step| step.is_finished(region))
        {
            operator.current_step += 1;
            operator.step_finished = Some(self.now);
        }
    }

    fn send_current_step(&mut self, region_id: u64) {
        let now = self.now;
        let Some(operator) = self.operators.get_mut(&region_id) else {
            return;
        };
        let Some(step) = operator.steps.get(operator.current_step) else {
            return;
        };
        operator.resend = now
            + match step {
                Step::AddLearner(_) | Step::RemovePeer(_) | Step::Split { .. } => RESEND_SLOW,
                _ => RESEND_FAST,
            };
        if let Some(command) = Command::of(step) {
            self.send_command(region_id, command);
        }
    }

    /// Ends an operator and, of a merge, the other half, as PD does from 7.5 on
    /// (`removeRelatedMergeOperator` of `operator_controller.go`).
    fn end(&mut self, operator: Operator, status: Status) {
        let together = self.rows().merge_halves_end_together;
        let related = operator.related.filter(|_| together);
        self.bury(operator, status);
        if let Some(other) = related
            && let Some(half) = self.operators.remove(&other)
        {
            self.bury(half, Status::Canceled);
        }
    }

    fn bury(&mut self, mut operator: Operator, status: Status) {
        operator.status = status;
        operator.finished = Some(self.now);
        if let Some(ended) = &mut self.ended {
            ended.push(operator.clone());
        }
        self.records.insert(operator.region_id, operator);
    }
}

impl Operator {
    /// Whether the operator displaces checkers' and schedulers' ones.
    pub(crate) fn is_urgent(&self) -> bool {
        self.level == Level::Urgent
    }
}

impl Cluster {
    /// The region's running operator, else the last one that ended and is still remembered.
    pub(crate) fn operator_of(&self, region_id: u64) -> Option<&Operator> {
        self.operators.get(&region_id).or_else(|| {
            self.records
                .get(&region_id)
                .filter(|record| self.is_remembered(record))
        })
    }
}
