//! `operator top`, on a terminal that a test sits at.

use std::process::{Child, Command};

use pd_sim::Fault;
use rustix::process::{Pid, Signal, kill_process};

use crate::Cluster;
use crate::harness::operator;
use crate::mcp_at_gate::serve;
use crate::serve::Place;
use crate::terminal::Terminal;

/// The command, looking again as soon as it has looked.
fn command(cluster: &Cluster) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command
        .args(["--pd", cluster.sim.endpoint()])
        .args(["--state-dir", cluster.state_dir()])
        .args(["top", "--every", "100ms"])
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .env("OPERATOR_ACTOR", "user:ana");
    command
}

/// Leaves by a key, and what it looked like is gone.
fn leaves(terminal: &mut Terminal, mut child: Child, keys: &str, code: i32) {
    terminal.presses(keys);
    // Who does not read keeps it from writing.
    terminal.read_to_the_end();
    assert_eq!(child.wait().unwrap().code(), Some(code), "{keys:?}");
    assert!(!terminal.is_taken() && terminal.shows_cursor());
    assert_eq!(terminal.screen().trim(), "");
}

#[test]
fn what_there_is_is_shown_at_any_width_and_as_it_changes() {
    let cluster = Cluster::start();
    for width in [60, 80, 120, 200] {
        let mut terminal = Terminal::of(width);
        let child = terminal.run_wholly(&mut command(&cluster));
        let system = ["5 stores", "0 operators", "0 drains"];
        let ours = ["mode: execute", "0 open proposals", "0 in force", "? shows"];
        let screen = terminal.wait_until(|screen| {
            let all = system.iter().chain(&ours);
            all.clone().all(|text| screen.contains(text)) && screen.contains("tikv-5")
        });
        assert!(terminal.is_taken() && !terminal.shows_cursor());
        let longest = screen.lines().map(|line| line.chars().count()).max();
        assert!(longest.unwrap() <= usize::from(width), "{screen}");
        for (column, from) in [("LEADER COUNT", 60), ("DRAINING", 80), ("TIFLASH", 200)] {
            assert_eq!(screen.contains(column), width >= from, "{width}:\n{screen}");
        }
        leaves(&mut terminal, child, "q", 0);
    }
}

#[test]
fn what_changes_is_shown_without_a_key() {
    let cluster = Cluster::start();
    let mut terminal = Terminal::of(120);
    let child = terminal.run_wholly(&mut command(&cluster));
    terminal.wait_until(|screen| screen.contains("0 drains"));
    let drain = ["drain_store", "--store-id", "2", "--yes"];
    cluster.run(&drain).ended(0);
    terminal.wait_until(|screen| {
        let shown = ["1 drain,", "1 in force", "evict-leader/2"];
        shown.iter().all(|text| screen.contains(text))
    });
    let stop = ["kill-switch", "on", "--reason", "what is it doing?"];
    cluster.with_state(&stop).ended(0);
    terminal.wait_until(|screen| screen.contains("stopped by user:ana: what is it doing?"));
    terminal.resize(60, &child);
    terminal.wait_until(|screen| {
        let fits = screen.lines().all(|line| line.chars().count() <= 60);
        fits && screen.contains("tikv-5") && screen.contains("1 in force")
    });
    leaves(&mut terminal, child, "\u{1b}", 0);
}

#[test]
fn lists_are_sorted_and_looked_at_alone() {
    let cluster = Cluster::start();
    let mut terminal = Terminal::of(120);
    let child = terminal.run_wholly(&mut command(&cluster));
    let first = terminal.wait_until(|screen| screen.contains("tikv-5"));
    let at = |screen: &str, store: &str| screen.lines().position(|line| line.contains(store));
    assert!(at(&first, "tikv-1") < at(&first, "tikv-5"), "{first}");
    terminal.presses("sr");
    terminal
        .wait_until(|screen| screen.contains('▼') && at(screen, "tikv-5") < at(screen, "tikv-1"));
    terminal.presses("\t\r");
    terminal.wait_until(|screen| screen.contains("▸ 0 operators") && !screen.contains("stores"));
    terminal.presses("?");
    terminal.wait_until(|screen| screen.contains("sort by the next column"));
    terminal.presses("q");
    terminal.wait_until(|screen| !screen.contains("sort by the next column"));
    leaves(&mut terminal, child, "\u{3}", 130);
}

#[test]
fn what_is_shown_has_its_age_when_nobody_answers() {
    let cluster = Cluster::start();
    let mut terminal = Terminal::of(120);
    let child = terminal.run_wholly(&mut command(&cluster));
    terminal.wait_until(|screen| screen.contains("PD answered"));
    cluster
        .sim
        .fault(Fault::close_before_reading("GET", "/").always());
    let screen = terminal.wait_until(|screen| screen.contains("what is shown is"));
    assert!(screen.contains("5 stores"), "{screen}");
    // Whoever ends it from outside gets the terminal back, too.
    cluster.sim.clear_faults();
    terminal.wait_until(|screen| screen.contains("PD answered"));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    leaves(&mut terminal, child, "", 130);
}

/// The gate asks the system, and has the journal.
#[test]
fn a_gate_is_looked_at_as_well() {
    let place = Place::new();
    let (mut gate, address) = serve(&place, "127.0.0.1:0");
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command
        .args([
            "--server",
            &format!("http://{address}"),
            "--cluster",
            "prod",
        ])
        .args(["--actor", "user:ana", "--sign-with", &place.path("key.pem")])
        .arg("top")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("TERM", "xterm-256color");
    let mut terminal = Terminal::of(120);
    let child = terminal.run_wholly(&mut command);
    terminal.wait_until(|screen| {
        let shown = [
            &*format!("prod at http://{address}"),
            "5 stores",
            "0 drains",
        ];
        shown.iter().all(|text| screen.contains(text))
    });
    leaves(&mut terminal, child, "q", 0);
    gate.kill().unwrap();
    gate.wait().unwrap();
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let top = operator(&["--pd", "http://127.0.0.1:1", "top"]).ended(2);
    top.says("needs a terminal").says("--watch -o jsonl");
}
