//! What a person sees on a terminal and no program reads: weight, colour, and a count that goes on in one
//! place.

use std::process::Command;
use std::time::Duration;

use pd_sim::{Clock, Sim};

use crate::Cluster;
use crate::terminal::Terminal;

/// The command at a cluster, on a terminal that shows colour.
fn command(cluster: &Cluster, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command
        .args(["--pd", cluster.sim.endpoint()])
        .args(["--state-dir", cluster.state_dir()])
        .args(arguments)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .env("OPERATOR_ACTOR", "user:ana")
        .env("OPERATOR_SETTLE_FOR", "0s");
    command
}

/// What a refusal looks like, with something in the environment.
fn refusal(cluster: &Cluster, set: (&str, &str)) -> String {
    let region = cluster.first_region();
    let to = region.outside.to_string();
    let plan = ["plan", "transfer_leader", "--region-id", &region.id];
    let mut command = command(cluster, &[&plan[..], &["--to-store-id", &to]].concat());
    let mut terminal = Terminal::new();
    let mut child = terminal.run_wholly(command.env(set.0, set.1));
    let seen = terminal.read_to_the_end().to_owned();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{seen}");
    seen
}

#[test]
fn a_verdict_has_a_colour_and_its_words_wherever_a_terminal_shows_that() {
    let cluster = Cluster::start();
    let seen = refusal(&cluster, ("COLORTERM", "truecolor"));
    let verdict = "\u{1b}[1m\u{1b}[31mWould be rejected\u{1b}[0m (no_voter): region has no voter";
    assert!(seen.contains(verdict), "{seen:?}");
    for set in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let seen = refusal(&cluster, set);
        let verdict = "Would be rejected (no_voter): region has no voter";
        assert!(seen.contains(verdict), "{set:?}: {seen:?}");
        assert!(!seen.contains('\u{1b}'), "{set:?}: {seen:?}");
    }
    let piped = cluster.transfer("plan", cluster.first_region().outside, &[]);
    let piped = piped.ended(3);
    assert!(!piped.stdout.contains('\u{1b}') && !piped.stderr.contains('\u{1b}'));
}

/// Lines of the screen that count leaders.
fn counts(screen: &str) -> Vec<&str> {
    let lines = screen.lines();
    lines
        .filter(|line| line.contains("of 12 leaders"))
        .collect()
}

#[test]
fn a_count_goes_on_in_one_line_at_any_width() {
    for (width, later) in [(60, 60), (80, 200), (120, 60), (200, 80)] {
        let cluster = Cluster::from(Sim::builder().clock(Clock::Stepped));
        cluster.sim.advance(Duration::from_secs(60));
        let mut terminal = Terminal::of(width);
        let drain = ["run", "drain_store", "--store-id", "2", "--yes"];
        let mut child = terminal.run(&mut command(&cluster, &drain));
        let first = terminal.wait_until(|screen| !counts(screen).is_empty());
        assert_eq!(counts(&first).len(), 1, "{first}");
        terminal.resize(later, &child);
        cluster.sim.advance(Duration::from_millis(600));
        let begin = counts(&first)[0].to_owned();
        let next = terminal.wait_until(|screen| {
            let counts = counts(screen);
            !counts.is_empty() && counts != [begin.as_str()]
        });
        assert_eq!(counts(&next).len(), 1, "{width} to {later}:\n{next}");
        // Until it is done.
        while child.try_wait().unwrap().is_none() {
            cluster.sim.advance(Duration::from_secs(5));
            std::thread::yield_now();
        }
        assert!(child.wait().unwrap().success());
        terminal.read_to_the_end();
        let end = terminal.screen();
        assert!(counts(&end).is_empty(), "{width} to {later}:\n{end}");
    }
}
