//! How a change of a region's replicas is getting on, whichever it is.

use action_core::{Attribution, Cause, Evidence, Progress, Sent};
use pd_client::regions::Region;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{Observed, OperatorQuery};
use crate::facts::region::{RegionFacts, in_joint_state};
use crate::mutations::region::region_operator::gone;

/// A change that was asked for.
pub(crate) struct ReplicaChange<'a> {
    pub(crate) query: OperatorQuery<'a>,
    /// Whether the replicas are as they should be, and what to say then.
    pub(crate) done: &'a (dyn Fn(&Region, &RegionFacts) -> Option<String> + Sync),
    /// Whether the replicas show that it has begun, and how.
    pub(crate) half_done: &'a (dyn Fn(&RegionFacts) -> Option<String> + Sync),
}

/// What the region's replicas show.
enum Shows {
    /// They are as they should be.
    Done(String),
    /// They are those of before.
    Untouched,
    /// Something in between.
    Half(String),
    /// They have become others.
    Other,
}

impl ReplicaChange<'_> {
    pub(crate) async fn probe(
        &self,
        tikv: &Tikv,
        before: &RegionFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        // The operator first: the region is then at least as new as what its operator says.
        let id = self.query.region_id;
        let observed = Observed::on(tikv, &self.query, sent).await?;
        let region = tikv.pd.region(id.pd()).await.map_err(Error::Read)?;
        let source = format!("GET /pd/api/v1/region/id/{id}");
        let Some(region) = region else {
            return Ok(gone(id, vec![observed.evidence(id)]));
        };
        let now = RegionFacts::of(Some(&region));
        let evidence = vec![
            Evidence::new(source.as_str(), "peers", now.peers_text()),
            Evidence::new(source, "conf_ver", now.conf_ver),
            observed.evidence(id),
        ];
        let shows = self.shows(before, &region, &now);
        if let Shows::Done(summary) = shows {
            // Once ours has begun, PD's checkers may finish it: then it cannot be told whose it was.
            let by = if observed.ours_succeeded() {
                Attribution::Ours
            } else {
                Attribution::Undecided
            };
            return Ok(Progress::applied(by, summary, evidence));
        }
        if observed.ours_succeeded() {
            let summary = format!("it was done; by now the region has {}", now.peers_text());
            return Ok(Progress::applied(Attribution::Ours, summary, evidence));
        }
        if let Shows::Half(how) = shows {
            let stalled = if observed.ours.is_some() && observed.is_running() {
                Vec::new()
            } else {
                let (code, words) = observed.ending(sent);
                vec![Cause::new("half_moved", &*how), Cause::new(code, words)]
            };
            return Ok(Progress::Pending {
                summary: how,
                done: None,
                stalled,
                evidence,
            });
        }
        if !observed.is_over(tikv, sent).await? {
            let summary = format!(
                "the region has {}, which may still change",
                now.peers_text()
            );
            return Ok(Progress::pending(summary, evidence));
        }
        let (code, words) = observed.ending(sent);
        Ok(if let Shows::Untouched = shows {
            let text = format!("the region has {} as before: {words}", now.peers_text());
            Progress::not_applied(code, text, true, evidence)
        } else {
            let text = format!("the replicas have become {}: {words}", now.peers_text());
            Progress::not_applied("region_changed", text, false, evidence)
        })
    }

    fn shows(&self, before: &RegionFacts, region: &Region, now: &RegionFacts) -> Shows {
        let joint = region.peers.iter().any(in_joint_state);
        let changed = now.conf_ver > before.conf_ver;
        if let Some(summary) = (self.done)(region, now).filter(|_| changed && !joint) {
            return Shows::Done(summary);
        }
        if now.peers == before.peers {
            return Shows::Untouched;
        }
        match (self.half_done)(now) {
            Some(how) => Shows::Half(how),
            None if joint => Shows::Half(format!("half changed: {}", now.peers_text())),
            None => Shows::Other,
        }
    }
}
