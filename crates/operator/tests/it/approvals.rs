//! `operator proposals`, `approve`, `reject`, `cancel` and `undo`.

use serde_json::Value;

use crate::Cluster;
use crate::harness::Finished;

/// A key that OpenSSL made for these tests, and its public half.
const ALICE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----
";
const ALICE_PUBLIC: &str = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=";

/// Asks for a transfer as an agent, who may not send it alone.
fn asked(cluster: &Cluster, more: &[&str]) -> (Finished, u64) {
    let agent = ["--actor", "agent:night", "--yes", "-o", "json"];
    let follower = cluster.first_region().follower;
    let ran = cluster.run_transfer(&[&agent[..], more].concat());
    (ran, follower)
}

fn leader(cluster: &Cluster) -> Option<u64> {
    cluster.sim.leader_of(cluster.sim.region_ids()[0])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn an_agent_waits_for_a_person_whatever_it_says_on_its_command_line() {
    let cluster = Cluster::start();
    let (ran, follower) = asked(&cluster, &[]);
    let json = ran.ended(6).says("operator approve").json();
    let (id, plan) = (text(&json["id"]), text(&json["plan_hash"]));
    assert_eq!(
        (&json["sent"], &json["phase"]),
        (&Value::Bool(false), &"needs_approval".into())
    );

    let run = ["proposals", "run", id, "--yes", "--actor", "agent:night"];
    cluster.with_state(&run).ended(6).says("not approved");
    let own = ["approve", id, "--plan", plan, "--actor", "agent:night"];
    cluster
        .with_state(&own)
        .ended(3)
        .says("somebody else must approve");
    let agent = ["approve", id, "--plan", plan, "--actor", "agent:day"];
    cluster
        .with_state(&agent)
        .ended(3)
        .says("only a person (`user:…`) can");
    cluster.with_state(&["approve", id, "--yes"]).ended(2);
    cluster
        .with_state(&["approve", id])
        .ended(3)
        .says("Relies on")
        .says(&format!("--plan {}", &plan[..12]));
    cluster
        .with_state(&["approve", id, "--plan", &plan[..11]])
        .ended(2);
    cluster
        .with_state(&["approve", id, "--plan", "0123456789ab"])
        .ended(3)
        .says("nothing was approved");
    assert_eq!(cluster.sim.writes(), []);

    cluster
        .with_state(&["approve", id, "--plan", &plan[..12], "--reason", "fine"])
        .ended(0)
        .shows("approved")
        .shows("identity claimed");
    cluster
        .with_state(&["proposals", "list"])
        .ended(0)
        .shows("approved")
        .shows("agent:night");
    cluster
        .with_state(&["proposals", "show", &id[24..]])
        .ended(0)
        .shows("user:ana (identity claimed)")
        .shows("needs 1 approval from user:*");
    // What was allowed to the agent is carried out by nobody else.
    cluster
        .with_state(&run[..4])
        .ended(3)
        .says("only `agent:night`");
    assert_eq!(cluster.sim.writes(), []);
    cluster.with_state(&run).ended(0).shows("Applied");
    assert_eq!(leader(&cluster), Some(follower));
    assert_eq!(cluster.sim.writes().len(), 1);
    cluster.with_state(&run).ended(3).says("applied");
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn a_waiting_run_goes_on_when_a_person_agrees() {
    let cluster = Cluster::start();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| asked(&cluster, &["--wait", "60s"]));
        let json = loop {
            let list = cluster
                .with_state(&["proposals", "list", "-o", "json"])
                .ended(0)
                .json();
            if let Some(life) = list["proposals"].get(0) {
                break life.clone();
            }
        };
        let proposal = &json["proposal"];
        let (id, plan) = (text(&proposal["id"]), text(&proposal["plan_hash"]));
        cluster
            .with_state(&["approve", id, "--plan", plan])
            .ended(0);
        let (ran, _) = waiting.join().unwrap();
        assert_eq!(ran.ended(0).json()["outcome"]["result"], "applied");
    });
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn what_is_rejected_or_cancelled_is_not_sent() {
    let cluster = Cluster::start();
    for verb in ["reject", "cancel"] {
        let id = text(&asked(&cluster, &[]).0.ended(6).json()["id"]).to_owned();
        cluster.with_state(&[verb, &id]).ended(2).says("--reason");
        cluster.with_state(&[verb, &id, "--reason", "no"]).ended(0);
        cluster
            .with_state(&["proposals", "run", &id, "--yes"])
            .ended(3);
        cluster
            .with_state(&["approve", &id, "--plan", "0123456789ab"])
            .ended(3);
    }
    cluster
        .with_state(&["proposals", "list"])
        .ended(0)
        .shows("No open proposals");
    cluster
        .with_state(&["proposals", "list", "--all"])
        .ended(0)
        .shows("rejected")
        .shows("cancelled");
    assert_eq!(cluster.sim.writes(), []);
}

#[test]
fn an_approval_is_void_when_what_it_relies_on_has_changed() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let json = asked(&cluster, &[]).0.ended(6).json();
    let (id, plan) = (text(&json["id"]), text(&json["plan_hash"]));
    cluster
        .with_state(&["approve", id, "--plan", plan])
        .ended(0);
    // Somebody else is faster: the leader is on another store now.
    let peers = cluster.sim.peers(region.id.parse().unwrap());
    let third = peers
        .iter()
        .map(|peer| peer.store_id)
        .find(|store| ![region.leader, region.follower].contains(store))
        .unwrap();
    cluster.transfer("run", third, &["--yes"]).ended(0);
    let changed = format!("was \"{}\" and is now \"{third}\"", region.leader);
    cluster
        .with_state(&["proposals", "run", id, "--yes", "--actor", "agent:night"])
        .ended(3)
        .says(&changed);
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn an_approval_that_must_be_signed_is_proven_or_nothing() {
    let cluster = Cluster::start();
    let file = |name: &str, text: &str| {
        let path = cluster.state.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let policy = format!(
        "version = 1\nrequire_signed = [\"approve\"]\n[[person]]\nname = \"user:alice\"\n\
         key = \"{ALICE_PUBLIC}\"\n[[rule]]\nname = \"all\"\ndecision = \"approve\"\n\
         by = \"user:*\"\nttl = \"5m\"\n"
    );
    let (policy, key) = (file("policy.toml", &policy), file("alice.pem", ALICE));
    let json = asked(&cluster, &["--policy-file", &policy])
        .0
        .ended(6)
        .json();
    let (id, plan) = (text(&json["id"]), text(&json["plan_hash"]));
    let approve = ["approve", id, "--plan", plan, "--policy-file", &policy];
    cluster
        .with_state(&[&approve[..], &["--actor", "user:bob"]].concat())
        .ended(3)
        .says("not proven");
    let alice = [&approve[..], &["--actor", "user:alice"]].concat();
    cluster
        .with_state(&alice)
        .ended(3)
        .says("a signature is required");
    cluster
        .with_state(&[&alice[..], &["--sign-with", &key]].concat())
        .ended(0)
        .shows("identity signed");
    let run = [
        "proposals",
        "run",
        id,
        "--yes",
        "--actor",
        "agent:night",
        "--policy-file",
        &policy,
        "-o",
        "jsonl",
    ];
    let ran = cluster.with_state(&run).ended(0);
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines.iter().any(|line| line["event"] == "intent"),
        "{lines:?}"
    );
    assert_eq!(lines.last().unwrap()["outcome"]["result"], "applied");
    let show = ["proposals", "show", id, "-o", "json"];
    let json = cluster.with_state(&show).ended(0).json();
    assert_eq!(json["approvals"][0]["identity"], "signed");
}

#[test]
fn a_lasting_effect_is_taken_back_by_its_id() {
    let cluster = Cluster::start();
    let drain = ["drain_store", "--store-id", "2", "--yes", "-o", "json"];
    let json = cluster.run(&drain).ended(0).json();
    assert_eq!(cluster.sim.evicting(), [2]);
    // Agents leave one lasting effect at a time, by the built-in policy.
    let second = ["drain_store", "--store-id", "3", "--actor", "agent:night"];
    cluster.run(&second).ended(6);
    let policy = "version = 1\n[[rule]]\nname = \"all\"\ndecision = \"allow\"\n\
        [[budget]]\nname = \"one\"\nlasting = 1\n";
    let path = cluster.state.path().join("policy.toml");
    std::fs::write(&path, policy).unwrap();
    let second = ["drain_store", "--store-id", "3", "--yes"];
    cluster
        .run(&[&second[..], &["--policy-file", path.to_str().unwrap()]].concat())
        .ended(3)
        .says("budget")
        .says("lasting effects in force");
    assert_eq!(cluster.sim.evicting(), [2]);
    let id = text(&json["id"]);
    cluster.with_state(&["undo", id]).ended(3).says("--yes");
    cluster
        .with_state(&["undo", id, "--yes"])
        .ended(0)
        .shows("Applied");
    assert_eq!(cluster.sim.evicting(), [] as [u64; 0]);
    cluster.with_state(&["undo", id, "--yes"]).ended(3);
    cluster
        .with_state(&["undo", "nothing-like-it", "--yes"])
        .ended(2);
}

#[test]
fn of_many_processes_one_carries_out_what_was_approved() {
    let cluster = Cluster::start();
    let json = asked(&cluster, &[]).0.ended(6).json();
    let (id, plan) = (text(&json["id"]), text(&json["plan_hash"]));
    cluster
        .with_state(&["approve", id, "--plan", plan])
        .ended(0);
    let line = ["proposals", "run", id, "--yes", "--actor", "agent:night"];
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let run = || cluster.with_state(&line).code;
        let running: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        1,
        "{codes:?}"
    );
    assert_eq!(
        codes.iter().filter(|code| **code == 3).count(),
        7,
        "{codes:?}"
    );
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn without_an_id_it_is_said_which_there_are() {
    let cluster = Cluster::start();
    for verb in [
        &["approve"][..],
        &["undo"],
        &["proposals", "run"],
        &["undo", "--last"],
    ] {
        cluster.with_state(verb).ended(2);
    }
    let json = asked(&cluster, &[]).0.ended(6).json();
    let (id, plan) = (text(&json["id"]), text(&json["plan_hash"]));
    let short: String = id.chars().filter(|one| *one != '-').take(12).collect();
    cluster
        .with_state(&["approve"])
        .ended(2)
        .says(&short)
        .says("transfer_leader region_id=");
    cluster
        .with_state(&["proposals", "run"])
        .ended(2)
        .says("no proposal to run");
    cluster
        .with_state(&["approve", &short, "--plan", plan])
        .ended(0);
    cluster
        .with_state(&["proposals", "run"])
        .ended(2)
        .says(&short);
    cluster
        .with_state(&["proposals", "run", &short, "--actor", "agent:night"])
        .ended(3)
        .says("--yes");
    cluster
        .with_state(&[
            "proposals",
            "run",
            &short,
            "--yes",
            "--actor",
            "agent:night",
        ])
        .ended(0);
    cluster.with_state(&["undo"]).ended(2).says(&short);
    cluster
        .with_state(&["undo", "--last", "--yes"])
        .ended(0)
        .shows("Applied");
    cluster.with_state(&["undo", "--last", "--yes"]).ended(2);
    assert_eq!(cluster.sim.writes().len(), 2);
}

#[test]
fn what_is_not_confirmed_leaves_no_proposal_behind() {
    let cluster = Cluster::start();
    cluster.run_transfer(&[]).ended(3);
    cluster
        .with_state(&["proposals", "list"])
        .ended(0)
        .shows("No open proposals");
}
