//! Signals while a mutation is followed, and at the question before it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use action_core::Outcome;
use action_guard::{FileJournal, Journal as _, Record};
use pd_sim::{Clock, Sim};

use crate::Cluster;
#[cfg(unix)]
use crate::terminal::Terminal;

#[test]
#[cfg(unix)]
fn an_interrupted_mutation_goes_on_and_is_recovered() {
    // Nothing happens to what PD accepts until the clock is moved.
    let cluster = Cluster::from(Sim::builder().clock(Clock::Stepped));
    let region = cluster.first_region();
    let mut child = Command::new(env!("CARGO_BIN_EXE_operator"))
        .args([
            "--pd",
            cluster.sim.endpoint(),
            "run",
            "transfer_leader",
            "--yes",
        ])
        .args([
            "--state-dir",
            cluster.state_dir(),
            "--region-id",
            &region.id,
        ])
        .args(["--to-store-id", &region.follower.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("accepted") {
        line.clear();
        assert_ne!(
            stderr.read_line(&mut line).unwrap(),
            0,
            "it ended before PD accepted"
        );
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(
        rest.contains("continues") && rest.contains("operator recover"),
        "{rest}"
    );

    cluster.sim.advance(Duration::from_secs(5));
    let recover = ["recover", "--state-dir", cluster.state_dir(), "-o", "json"];
    let json = cluster.operator(&recover).ended(0).json();
    assert_eq!(json["recovered"][0]["outcome"]["result"], "applied");
    assert_eq!(cluster.sim.writes().len(), 1);
}

/// What is not known to be in force, and may be, is the last thing that was done all the same.
#[test]
#[cfg(unix)]
fn what_may_be_in_force_is_what_is_taken_back_last() {
    for how in [
        "it is in progress and may be in force",
        "its outcome is unknown and it may be in force",
    ] {
        let cluster = Cluster::from(Sim::builder().clock(Clock::Stepped));
        cluster.sim.advance(Duration::from_secs(60));
        let limit = ["run", "set_leader_schedule_limit", "--limit", "9", "--yes"];
        let limit = [&limit[..], &["--state-dir", cluster.state_dir()]].concat();
        cluster.operator(&limit).ended(0);
        let drain = ["run", "drain_store", "--store-id", "2", "--yes"];
        let mut child = asked(&cluster, &drain)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("accepted") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "not accepted");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if how.starts_with("its outcome") {
            outcome_is_unknown(cluster.state_dir());
        }
        assert_eq!(cluster.sim.evicting(), [2]);
        let undo = [
            "undo",
            "--last",
            "--yes",
            "--state-dir",
            cluster.state_dir(),
        ];
        cluster
            .operator(&undo)
            .ended(0)
            .says("taking back proposal ")
            .says(&format!("(drain_store store_id=2): {how}"));
        assert!(cluster.sim.evicting().is_empty());
        // And then what was done before it.
        cluster
            .operator(&undo)
            .ended(0)
            .says("(set_leader_schedule_limit limit=9): it was applied");
    }
}

/// Somebody looked what became of what a dead process sent, and could not tell.
#[tokio::main(flavor = "current_thread")]
async fn outcome_is_unknown(state_dir: &str) {
    let journal = FileJournal::open(state_dir).unwrap();
    let state = journal.state().await.unwrap();
    let status = state.unsettled().next().unwrap();
    let id = status.proposal.id.clone();
    let from = status.owner.clone().unwrap();
    let outcome = Outcome::unknown("deadline", "not seen", "look again", Vec::new());
    let records = vec![
        Record::Adopted {
            id: id.clone(),
            from,
        },
        Record::Outcome {
            id,
            outcome,
            undo: None,
        },
    ];
    let written = journal.commit(Box::new(move |_, _| Ok(records)));
    written.await.unwrap();
}

/// Nothing is proposed before the answer: what is killed there can call nothing off.
#[test]
#[cfg(unix)]
fn a_command_killed_at_the_question_leaves_nothing_behind() {
    let cluster = Cluster::start();
    let records = || {
        let head = cluster.with_state(&["journal", "show", "-o", "json"]);
        head.ended(0).json()["entries"].as_array().map(Vec::len)
    };
    let kill_at_the_question = |arguments: &[&str], question: &str| {
        let before = records();
        let mut terminal = Terminal::new();
        let mut child = terminal.run(&mut asked(&cluster, arguments));
        terminal.wait_for(question);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(records(), before, "{arguments:?}");
    };
    let drain = ["run", "drain_store", "--store-id", "2"];
    kill_at_the_question(&drain, "Type `store 2`");
    let waited_for = [&drain[..], &["--actor", "agent:night", "--wait", "1h"]].concat();
    kill_at_the_question(&waited_for, "Type `store 2`");
    let start = ["workflow", "start", "rolling_drain", "--store-ids", "2"];
    kill_at_the_question(&start, "Type `start`");
    assert_eq!(cluster.sim.writes(), []);

    cluster.run_transfer(&["--yes"]).ended(0);
    kill_at_the_question(&["undo", "--last"], "[y/N]");
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
#[cfg(unix)]
fn what_changes_while_a_person_reads_the_plan_is_not_sent() {
    let cluster = Cluster::start();
    let set = ["run", "set_leader_schedule_limit", "--limit"];
    let mut terminal = Terminal::new();
    let mut child = terminal.run(&mut asked(&cluster, &[&set[..], &["9"]].concat()));
    terminal.wait_for("Continue? [y/N]");
    cluster
        .operator(
            &[
                &set[..],
                &["6", "--yes", "--state-dir", cluster.state_dir()],
            ]
            .concat(),
        )
        .ended(0);
    terminal.types("y");
    terminal.wait_for("the state changed since it was planned");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(cluster.sim.writes().len(), 1);
    let list = cluster.with_state(&["proposals", "list", "-o", "json"]);
    let json = list.ended(0).json();
    assert_eq!(
        json["proposals"].as_array().map(Vec::len),
        Some(0),
        "{json}"
    );
}

/// The command, where a person is asked.
#[cfg(unix)]
fn asked(cluster: &Cluster, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command
        .args(["--pd", cluster.sim.endpoint()])
        .args(arguments)
        .args(["--state-dir", cluster.state_dir()])
        .env("OPERATOR_ACTOR", "user:ana")
        .env("OPERATOR_SETTLE_FOR", "0s");
    command
}

/// Whatever ends it at the question, nobody can carry out later what was not agreed to.
#[test]
#[cfg(unix)]
fn a_signal_at_the_question_calls_the_proposal_off() {
    let cluster = Cluster::start();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut terminal = Terminal::new();
        let drain = ["run", "drain_store", "--store-id", "2"];
        let mut child = terminal.run(&mut asked(&cluster, &drain));
        terminal.wait_for("Type `store 2`");
        let kill = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        let list = cluster.with_state(&["proposals", "list", "-o", "json"]);
        let json = list.ended(0).json();
        assert_eq!(
            json["proposals"].as_array().map(Vec::len),
            Some(0),
            "{signal}: {json}"
        );
    }
    assert_eq!(cluster.sim.writes(), []);
}
