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
        shows: "What there is, as a table with a bound.",
        play: |cluster, printer| Box::pin(moves::stores(cluster, printer)),
    },
    Step {
        title: "A refusal, foretold",
        shows: "The plan says that PD would refuse and in which words; then PD is asked anyway.",
        play: |cluster, printer| Box::pin(moves::refusal(cluster, printer)),
    },
    Step {
        title: "A leader transfer",
        shows: "Planned, recorded, sent once, followed, and proven by what the region says.",
        play: |cluster, printer| Box::pin(moves::transfer_leader(cluster, printer)),
    },
    Step {
        title: "A lost reply",
        shows: "PD accepts, its answer gets lost. Nothing is sent again: the region is looked at.",
        play: |cluster, printer| Box::pin(moves::lost_reply(cluster, printer)),
    },
    Step {
        title: "A replica's move, approved",
        shows: "The policy wants a person for this one plan: until then nothing is sent.",
        play: |cluster, printer| Box::pin(moves::transfer_peer(cluster, printer)),
    },
    Step {
        title: "A drain",
        shows: "All leaders leave a store, counted as they go. The drain stays in force after.",
        play: |cluster, printer| Box::pin(drains::drain(cluster, printer)),
    },
    Step {
        title: "A budget",
        shows: "A second drain is one too many: the policy names what decides.",
        play: |cluster, printer| Box::pin(drains::budget(cluster, printer)),
    },
    Step {
        title: "Taking it back",
        shows: "Every report names what takes it back: the drain ends, the leader returns.",
        play: |cluster, printer| Box::pin(drains::undo(cluster, printer)),
    },
    Step {
        title: "The record",
        shows: "Every send had its intent on disk before, and nothing was sent twice.",
        play: |cluster, printer| Box::pin(drains::record(cluster, printer)),
    },
];
