//! Which proposal, workflow or record is meant by a part of an id, however long ago it was.

use action_guard::{FileJournal, Journal as _, Phase, Proposal, Record};
use serde_json::Value;

use crate::Cluster;

/// More proposals than the state keeps after they ended.
const MANY: u32 = 40;

/// A proposal that an agent asks for, and that waits for a person.
fn asked(cluster: &Cluster) -> String {
    let agent = ["--actor", "agent:night", "--yes", "-o", "json"];
    let json = cluster.run_transfer(&agent).ended(6).json();
    json["id"].as_str().unwrap().to_owned()
}

/// Begun in one millisecond, as many as are given, each cancelled at once.
fn id(number: u32) -> String {
    format!("0199f3c2-a7b4-7c11-8d2e-{number:012}")
}

/// Writes what became of proposals like the one that is open.
#[tokio::main(flavor = "current_thread")]
async fn cancelled(cluster: &Cluster, ids: Vec<String>) {
    let journal = FileJournal::open(cluster.state_dir()).unwrap();
    let state = journal.state().await.unwrap();
    let status = state.open.values().next().unwrap();
    for id in ids {
        let mut proposal: Proposal = status.proposal.clone();
        proposal.id.clone_from(&id);
        proposal.request.idempotency_key = None;
        let records = vec![
            Record::Proposed {
                proposal: Box::new(proposal),
                ruling: status.ruling.clone(),
            },
            Record::Cancelled {
                id,
                by: "user:ana".parse().unwrap(),
                reason: "not today".to_owned(),
            },
        ];
        let written = journal.commit(Box::new(move |_, _| Ok(records)));
        written.await.unwrap();
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn what_ended_long_ago_is_found_by_the_beginning_of_its_id() {
    let cluster = Cluster::start();
    let open = asked(&cluster);
    let first = "0188aaaa-bbbb-7c11-8d2e-000000000001".to_owned();
    let others = (0..MANY).map(id);
    cancelled(
        &cluster,
        std::iter::once(first.clone()).chain(others).collect(),
    );

    let listed = cluster.with_state(&["proposals", "list", "--all"]).ended(0);
    assert!(!listed.stdout.contains("0188aaaabbbb"), "{}", listed.stdout);
    for given in ["0188aaaabbbb", "0188AAAA", &first, "0188aaaa-bbbb-7"] {
        let shown = cluster.with_state(&["proposals", "show", given, "-o", "json"]);
        let json = shown.ended(0).json();
        assert_eq!(text(&json["proposal"]["id"]), first);
        assert_eq!(text(&json["phase"]), Phase::Cancelled.to_string());
        assert_eq!(text(&json["cancel"]["reason"]), "not today");
        let records = cluster.with_state(&["journal", "show", "--id", given, "-o", "json"]);
        let records = records.ended(0).json();
        assert_eq!(records["entries"].as_array().map(Vec::len), Some(2));
    }
    let words = ["approve", "0188aaaabbbb", "--plan", "0123456789ab"];
    cluster.with_state(&words).ended(3);

    // One that is kept at hand and one that is not: neither is chosen.
    let ambiguous = format!("{}-7c11-8d2e", &first[..8]);
    let cases = [&id(0)[..13], &id(0)[..24]];
    for given in cases {
        let shown = cluster.with_state(&["proposals", "show", given]).ended(2);
        let shown = shown
            .says("matches more than one proposal")
            .says("give more digits");
        assert!(
            shown.stderr.matches("transfer_leader").count() >= 10,
            "{}",
            shown.stderr
        );
        let records = cluster.with_state(&["journal", "show", "--id", given]);
        records.ended(2).says("matches more than one id");
    }
    let shown = cluster.with_state(&["proposals", "show", &id(0)]).ended(0);
    shown.shows(&id(0)).shows("cancelled");
    let unknown = cluster
        .with_state(&["proposals", "show", &ambiguous])
        .ended(2);
    unknown
        .says("not found")
        .says("`operator proposals list --all --pd ");
    let short = cluster
        .with_state(&["proposals", "show", &open[..7]])
        .ended(2);
    short.says("at least 8 of its digits");
}

#[test]
fn without_an_id_it_is_said_which_there_are_and_how_to_go_on() {
    let cluster = Cluster::start();
    for (words, none) in [
        (&["approve"][..], "no proposal to approve"),
        (&["reject"], "no proposal to reject"),
        (&["cancel"], "no proposal to cancel"),
        (&["undo"], "no proposal to undo"),
        (&["resolve"], "no proposal to resolve"),
        (&["release"], "no proposal to release"),
        (&["proposals", "run"], "no proposal to run"),
        (&["workflow", "resume"], "no workflow to resume"),
        (&["workflow", "cancel"], "no workflow to cancel"),
        (&["workflow", "confirm"], "no workflow to confirm"),
        (&["workflow", "compensate"], "no workflow to take back"),
        (&["workflow", "status"], "no workflow to show"),
    ] {
        cluster
            .with_state(words)
            .ended(2)
            .says(none)
            .says(" lists ");
    }
    let waiting = asked(&cluster).replace('-', "");
    let short = &waiting[..12];
    let state = cluster.state_dir();
    for (verb, ending) in [
        ("approve", ""),
        ("reject", " --reason TEXT"),
        ("cancel", " --reason TEXT"),
    ] {
        let said = cluster.with_state(&[verb]).ended(2);
        let said = said.says(&format!("{short}  transfer_leader "));
        said.says(&format!("operator {verb} {short}{ending} --pd "))
            .says(&format!(" --state-dir {state}` "));
    }
    cluster
        .with_state(&["reject", short])
        .ended(2)
        .says("--reason");
    cluster
        .run(&["drain_store", "--store-id", "2", "--yes"])
        .ended(0);
    let undo = cluster
        .with_state(&["undo"])
        .ended(2)
        .says("drain_store store_id=2: applied");
    undo.says("takes it back");
    cluster
        .with_state(&["release"])
        .ended(2)
        .says("drain_store store_id=2: applied");
}

#[test]
fn a_workflow_is_found_without_its_id() {
    let cluster = Cluster::start();
    let start = [
        "workflow",
        "start",
        "rolling_drain",
        "--store-ids",
        "2",
        "--detach",
    ];
    let refused = cluster.with_state(&start).ended(3);
    let refused = refused.says("nothing was started: cannot ask");
    refused.says("Step ").says("give `--yes`");
    cluster
        .with_state(&["workflow", "list"])
        .ended(0)
        .shows("No workflows.");
    let started = cluster.with_state(&[&start[..], &["--yes", "-o", "json"]].concat());
    let started = started.ended(0).json();
    let id = text(&started["flow"]["id"]).replace('-', "");
    let resume = cluster.with_state(&["workflow", "resume"]).ended(2);
    let resume = resume.says(&id[..12]).says("started by user:ana");
    resume.says(&format!("operator workflow resume {}", &id[..12]));
    let records = cluster
        .with_state(&["journal", "show", "--id", &id[..12]])
        .ended(0);
    records.shows("workflow").shows("started by user:ana");
    let other = cluster
        .with_state(&["workflow", "status", "0188aaaabbbb"])
        .ended(2);
    other.says("workflow `0188aaaabbbb` not found");
}

#[test]
fn a_state_directory_that_is_not_there_is_said_and_not_made() {
    let cluster = Cluster::start();
    let none = cluster.state.path().join("none");
    let none = none.to_str().unwrap();
    for words in [
        &["proposals", "list"][..],
        &["proposals", "show", "0199f3c2a7b4"],
        &["proposals", "run"],
        &["approve"],
        &["reject"],
        &["cancel"],
        &["undo", "--last"],
        &["resolve"],
        &["release"],
        &["mode"],
        &["kill-switch", "status"],
        &["token", "list"],
        &["workflow", "list"],
        &["workflow", "status"],
        &["journal", "show"],
    ] {
        let ended = cluster.operator(&[words, &["--state-dir", none]].concat());
        ended.ended(2).says("no state directory at ");
        assert!(!std::path::Path::new(none).exists(), "{words:?}");
    }
}
