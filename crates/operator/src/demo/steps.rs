//! The steps of the demo. Each ends with what was proven, or with why it was not.

mod drains;
mod moves;

use std::pin::Pin;

use super::cluster::DemoCluster;
use super::printer::Printer;

/// One step.
pub(super) struct Step {
    pub(super) title: &'static str,
    /// What there is to see.
    pub(super) shows: &'static str,
    pub(super) play: Play,
}

type Played<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + 'a>>;
type Play = for<'a> fn(&'a mut DemoCluster, &'a mut Printer<'_>) -> Played<'a>;

pub(super) const ALL: [Step; 9] = [
    Step {
        title: "The stores",
        shows: "The stores of the cluster, as a table with a limit.",
        play: |cluster, printer| Box::pin(moves::stores(cluster, printer)),
    },
    Step {
        title: "A predicted refusal",
        shows: "The plan predicts that PD would reject it, and with which message; then PD is asked anyway.",
        play: |cluster, printer| Box::pin(moves::refusal(cluster, printer)),
    },
    Step {
        title: "A leader transfer",
        shows: "Planned, recorded, sent once, followed, and proven by the state of the region.",
        play: |cluster, printer| Box::pin(moves::transfer_leader(cluster, printer)),
    },
    Step {
        title: "A lost reply",
        shows: "PD accepts, but its answer is lost. Nothing is sent again: the region is checked.",
        play: |cluster, printer| Box::pin(moves::lost_reply(cluster, printer)),
    },
    Step {
        title: "A replica's move, approved",
        shows: "The policy requires a person's approval of exactly this plan: nothing is sent before.",
        play: |cluster, printer| Box::pin(moves::transfer_peer(cluster, printer)),
    },
    Step {
        title: "A drain",
        shows: "All leaders move off a store, with progress. The drain stays in force afterwards.",
        play: |cluster, printer| Box::pin(drains::drain(cluster, printer)),
    },
    Step {
        title: "A budget",
        shows: "A second drain exceeds a budget: the policy names it.",
        play: |cluster, printer| Box::pin(drains::budget(cluster, printer)),
    },
    Step {
        title: "Taking it back",
        shows: "Every report names its undo: the drain ends, the leader returns.",
        play: |cluster, printer| Box::pin(drains::undo(cluster, printer)),
    },
    Step {
        title: "The record",
        shows: "The intent of every send was on disk before it, and nothing was sent twice.",
        play: |cluster, printer| Box::pin(drains::record(cluster, printer)),
    },
];
