//! Whether PD's rule checker moves a leader away from where it was moved to.
//!
//! A store may lead by a rule for voters, while another rule wants the leader elsewhere, or a
//! follower there: PD accepts the transfer, and its checker then moves the leader.
//! `fixLooseMatchPeer` of `pkg/schedule/checker/rule_checker.go`, the same from 6.5 on.

use action_core::Cause;
use pd_client::regions::{Peer, PeerRole};
use pd_client::rules::RuleRole;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::region::can_lead;
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::{LeaderBlockers, MayLead};
use crate::pd_rules::placement_fit::{PlacementFit, RuleFit};
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::rule_checker::RuleChecker;

/// What the rule checker does when the replica on a store leads: four reads where it would move the
/// leader.
pub(crate) async fn moved_by_rules(
    tikv: &Tikv,
    at: &RegionSnapshot,
    blockers: &LeaderBlockers,
    to: StoreId,
) -> Result<Option<Cause>, Error> {
    let Some(fit) = PlacementFit::of(at, to) else {
        return Ok(None);
    };
    let moved = fit.rules().iter().find_map(|rule_fit| {
        let (desc, peer) = moved_by(at, blockers, rule_fit, to)?;
        Some((desc, peer, rule_fit.rule))
    });
    let Some((desc, heir, rule)) = moved else {
        return Ok(None);
    };
    let checker = RuleChecker::read(tikv, &at.config).await?;
    let Some(when) = checker.when() else {
        return Ok(None);
    };
    let wants = match rule.role {
        RuleRole::Leader => "the leader elsewhere",
        _ => "a follower there",
    };
    let text = format!(
        "PD's rule checker moves the leader to store {heir} (`{desc}`){when}: rule `{}` of group `{}` requires {wants}",
        bounded(&rule.id),
        bounded(&rule.group_id)
    );
    Ok(Some(Cause::new("rule_checker", text)))
}

/// The operator that one rule leads to, and who leads then.
fn moved_by<'a>(
    at: &'a RegionSnapshot,
    blockers: &LeaderBlockers,
    fit: &RuleFit<'a>,
    to: StoreId,
) -> Option<(&'static str, pd_client::StoreId)> {
    // Replicas that are missing come first, and leaders when there are enough.
    let wanted = usize::try_from(fit.rule.count).unwrap_or(usize::MAX);
    if fit.peers.len() < wanted {
        return None;
    }
    let may_lead = |peer: &Peer| {
        let store = at.serving(peer.store_id.into());
        let lets = blockers.lets_lead(store, at.rules.as_deref());
        can_lead(peer) && !matches!(lets, MayLead::No)
    };
    for peer in &fit.with_other_role {
        let leads = to == peer.store_id.into();
        let learns = peer.role == PeerRole::Learner;
        match fit.rule.role {
            RuleRole::Leader if !learns && !leads => {
                return may_lead(peer).then_some(("fix-leader-role", peer.store_id));
            }
            // The first that may lead, which may be the same: then nothing is built.
            RuleRole::Follower if leads => {
                let mut peers = at.region.peers.iter();
                let heir = peers.find(|peer| may_lead(peer))?;
                let is_other = to != heir.store_id.into();
                return is_other.then_some(("fix-follower-role", heir.store_id));
            }
            _ => {}
        }
    }
    None
}
