//! `operator --server`: the same command at a state directory and at a gate says the same, with the
//! same exit code.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::thread;

use serde_json::Value;

use crate::harness::{Finished, command, finished, operator};
use crate::mcp_at_gate::{BOB, BOB_PUBLIC, serve};
use crate::serve::Place;

/// People are allowed to move leaders; for a limit Bob agrees.
const RULES: &str = "[[rule]]\nname = \"limits\"\naction = \"set_leader_schedule_limit\"\ndecision = \"approve\"\n\
                     by = [\"user:bob\"]\ncount = 1\nttl = \"30m\"\n\
                     [[rule]]\nname = \"people\"\nactor = \"user:*\"\ndecision = \"allow\"\n\
                     [[rule]]\nname = \"agents\"\nproven_by = \"token\"\ndecision = \"allow\"\n";

/// A cluster, and how it is operated: by its files, or through a gate.
struct Side {
    place: Place,
    gate: Option<(Child, String)>,
}

impl Side {
    fn new(is_gate: bool) -> Self {
        let place = Place::new();
        let policy = fs::read_to_string(place.path("policy.toml")).unwrap();
        let (head, _) = policy.split_once("[[rule]]").unwrap();
        let people = format!("[[person]]\nname = \"user:bob\"\nkey = \"{BOB_PUBLIC}\"\n");
        fs::write(place.path("policy.toml"), format!("{head}{people}{RULES}")).unwrap();
        fs::write(place.path("bob.pem"), BOB).unwrap();
        let gate = is_gate.then(|| serve(&place, "127.0.0.1:0"));
        Self { place, gate }
    }

    fn url(&self) -> String {
        format!("http://{}", self.gate.as_ref().unwrap().1)
    }

    /// Ana's command, or Bob's.
    fn by(&self, who: &str, arguments: &[&str]) -> Finished {
        let mut command = command();
        let key = self.place.path(if who == "user:bob" {
            "bob.pem"
        } else {
            "key.pem"
        });
        command
            .args(arguments)
            .args(["--actor", who, "--sign-with", &key]);
        match &self.gate {
            Some(_) => command.args(["--server", &self.url()]),
            None => command.args(self.place.files()),
        };
        // What is set for all is said without a cluster.
        if ![
            "mode",
            "kill-switch",
            "pause",
            "resume",
            "journal",
            "token",
            "session",
            "recover",
        ]
        .contains(&arguments[0])
        {
            command.args(["--cluster", "prod"]);
        }
        finished(&mut command)
    }

    /// A text without what differs from one journal to another, and from one place to another.
    fn told(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if self.gate.is_some() {
            text = text.replace(&self.url(), "PLACE");
        }
        text = text.replace(self.place.0.state_dir(), "PLACE");
        for flag in [
            "--server PLACE",
            "--state-dir PLACE",
            "--policy-file PLACE/policy.toml",
            "--config PLACE/config.toml",
            "--sign-with PLACE/key.pem",
            "--sign-with PLACE/bob.pem",
            // Who signs at a gate is named in what is to be copied.
            "--actor user:ana",
            "--actor user:bob",
        ] {
            text = text.replace(&format!(" {flag}"), "");
        }
        let text = text
            .replace(" (identity claimed)", "")
            .replace(" (identity signed)", "");
        // That it is opened is of the gate alone.
        let lines = text.lines().filter(|line| !line.contains("gate opened"));
        // Nor does a state directory know since when something is so.
        let lines = lines.filter(|line| !line.contains("First seen by the gate"));
        let lines = lines.map(|line| {
            let words: Vec<String> = line.split_whitespace().map(without_ids).collect();
            let line = words.join(" ");
            // What is cut is cut by its length, which times have their part in.
            match line.split_once("createAt") {
                Some((begin, _)) => begin.to_owned(),
                None => line,
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if let Some((process, _)) = &mut self.gate {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A word in which ids, hashes and numbers are all the same.
fn without_ids(word: &str) -> String {
    let (mut shown, mut run) = (String::new(), String::new());
    let flush = |run: &mut String, shown: &mut String| {
        let is_id = run.len() >= 12 && run.contains(|at: char| at.is_ascii_digit());
        match is_id {
            true => shown.push_str("ID"),
            false => {
                let digits = run.split(|at: char| at.is_ascii_digit());
                let parts: Vec<&str> = digits.collect();
                let is_number = parts.len() > 1;
                shown.push_str(&parts.concat());
                if is_number {
                    shown.push('#');
                }
            }
        }
        run.clear();
    };
    for character in word.chars() {
        if character.is_ascii_hexdigit() || character == '-' {
            run.push(character);
        } else {
            flush(&mut run, &mut shown);
            shown.push(character);
        }
    }
    flush(&mut run, &mut shown);
    shown
}

/// The same command on both sides: what it says and its exit code are the same.
#[track_caller]
fn same(sides: &[Side; 2], who: &str, line: &[&str], code: i32) -> [Finished; 2] {
    let each = sides.each_ref().map(|side| {
        // The ids of one side are not those of the other.
        let line: Vec<String> = line.iter().map(|word| filled(side, word)).collect();
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        side.by(who, &line).ended(code)
    });
    let [here, there] = sides.each_ref();
    assert_eq!(
        here.told(&each[0].stdout),
        there.told(&each[1].stdout),
        "{line:?}"
    );
    // How it gets on is told in less detail.
    let local = here.told(&each[0].stderr);
    for told in there.told(&each[1].stderr).lines() {
        assert!(
            local.lines().any(|known| known == told),
            "{line:?}: {told}\nin:\n{local}"
        );
    }
    each
}

/// `LAST` is the proposal that was asked for last, and `THIRD` the third record that both have.
fn filled(side: &Side, word: &str) -> String {
    match word {
        "LAST" => {
            let listed = side.by("user:ana", &["proposals", "list", "--all", "-o", "json"]);
            let listed = listed.ended(0).json();
            let all = listed["proposals"].as_array().unwrap();
            all.last().unwrap()["proposal"]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        }
        // A gate's first one is that it was opened.
        "THIRD" => (3 + usize::from(side.gate.is_some())).to_string(),
        "FLOW" => {
            let listed = side.by("user:ana", &["workflow", "list", "-o", "json"]);
            let listed = listed.ended(0).json();
            let all = listed["workflows"].as_array().unwrap();
            all.last().unwrap()["flow"]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        }
        "FILE" => side.place.path("work.toml"),
        "PLAN" => {
            let id = filled(side, "LAST");
            let shown = side.by("user:ana", &["proposals", "show", &id, "-o", "json"]);
            shown.ended(0).json()["proposal"]["plan_hash"]
                .as_str()
                .unwrap()
                .to_owned()
        }
        word => word.to_owned(),
    }
}

#[test]
fn every_command_says_the_same_at_a_state_directory_and_at_a_gate() {
    let sides = [Side::new(false), Side::new(true)];
    let region = sides[0].place.0.first_region();
    assert_eq!(region.id, sides[1].place.0.first_region().id);
    let to = region.follower.to_string();
    let transfer = [
        "transfer_leader",
        "--region-id",
        &region.id,
        "--to-store-id",
        &to,
    ];
    let with = |verb: &'static str, more: &[&'static str]| [&[verb], &transfer[..], more].concat();
    let limit = ["run", "set_leader_schedule_limit", "--limit", "7"];
    let other = ["run", "set_leader_schedule_limit", "--limit", "9"];
    let ana = "user:ana";
    for (who, line, code) in [
        (ana, vec!["mode"], 0),
        (ana, vec!["mode", "observe", "--reason", "off"], 0),
        (ana, with("plan", &[]), 0),
        (ana, vec!["plan", "list_stores"], 2),
        (ana, vec!["plan", "transfer_leader", "--region-id", "x"], 2),
        (ana, with("run", &["--yes"]), 3),
        (ana, vec!["mode", "execute", "--reason", "on"], 0),
        (ana, vec!["run", "list_stores"], 0),
        (ana, vec!["run", "get_store", "--store-id", "77"], 0),
        (ana, vec!["run", "get_store"], 2),
        (ana, with("run", &[]), 3),
        (ana, with("run", &["--lease", "1h"]), 2),
        (ana, with("run", &["--yes", "--reason", "balance"]), 0),
        (ana, vec!["proposals", "list", "--all"], 0),
        (ana, vec!["proposals", "show", "LAST"], 0),
        (ana, vec!["proposals", "show", "0000"], 2),
        (ana, vec!["undo", "LAST", "--yes"], 0),
        (ana, with("run", &["--yes"]), 0),
        (ana, with("run", &["--yes"]), 0),
        (ana, vec!["undo", "LAST", "--yes"], 3),
        (ana, limit.to_vec(), 6),
        (ana, vec!["proposals", "list"], 0),
        (ana, vec!["approve"], 2),
        (ana, vec!["proposals", "run", "LAST", "--yes"], 6),
        (ana, vec!["approve", "LAST", "--plan", "PLAN"], 3),
        ("user:bob", vec!["approve", "LAST"], 3),
        (
            "user:bob",
            vec!["approve", "LAST", "--plan", "000000000000"],
            3,
        ),
        (
            "user:bob",
            vec![
                "approve",
                "LAST",
                "--plan",
                "PLAN",
                "--reason",
                "looks right",
            ],
            0,
        ),
        ("user:bob", vec!["proposals", "run", "LAST", "--yes"], 3),
        (ana, vec!["proposals", "run", "LAST", "--yes"], 0),
        (ana, vec!["proposals", "run", "LAST", "--yes"], 3),
        (ana, vec!["undo", "LAST", "--yes"], 6),
        ("user:bob", vec!["reject", "LAST", "--reason", "not now"], 0),
        ("user:bob", vec!["reject", "LAST", "--reason", "not now"], 3),
        (ana, other.to_vec(), 6),
        (ana, vec!["cancel", "LAST", "--reason", "never mind"], 0),
        (ana, vec!["kill-switch", "status"], 0),
        (ana, vec!["kill-switch", "reset", "--reason", "x"], 3),
        (ana, vec!["kill-switch", "on", "--reason", "smoke"], 0),
        (ana, vec!["kill-switch", "status"], 0),
        (ana, with("run", &["--yes"]), 3),
        (ana, vec!["kill-switch", "reset", "--reason", "over"], 0),
        (ana, vec!["mode"], 0),
        (
            ana,
            vec!["pause", "agent:night", "--for", "2h", "--reason", "wild"],
            0,
        ),
        (ana, vec!["mode"], 0),
        (ana, vec!["kill-switch", "status"], 0),
        (
            ana,
            vec!["pause", "agent:night", "--for", "1h", "--reason", "x"],
            3,
        ),
        (ana, vec!["pause", "user:bob", "--reason", "x"], 2),
        (ana, vec!["resume", "agent:night", "--reason", "well"], 0),
        (ana, vec!["resume", "agent:night", "--reason", "well"], 3),
        (ana, vec!["doctor"], 7),
        (ana, vec!["why", "--region-id", &region.id], 0),
        (ana, vec!["journal", "show"], 0),
        (
            ana,
            vec!["journal", "show", "--limit", "2", "--after", "THIRD"],
            0,
        ),
        (ana, vec!["journal", "show", "--id", "LAST"], 0),
        (ana, vec!["token", "list"], 0),
        (ana, vec!["actions", "show", "transfer_leader"], 0),
    ] {
        same(&sides, who, &line, code);
    }
    let wrote = sides.each_ref().map(|side| side.place.0.sim.writes());
    assert_eq!(wrote[0].len(), wrote[1].len());
}

/// A leader is moved, somebody looks, it is moved back, and a limit is set that Bob agrees to.
const WORK: &str = r#"
title = "Work"

[[steps]]
id = "lead"
action = "transfer_leader"
parameters = { region_id = REGION, to_store_id = "STORE" }

[[steps]]
id = "look"
confirm = "Look at it."

[[steps]]
id = "back"
undo = "lead"

[[steps]]
id = "limit"
action = "set_leader_schedule_limit"
parameters = { limit = 6 }
"#;

/// At a state directory the command goes on with a workflow, and at a gate the gate does.
#[test]
fn workflows_say_the_same_at_a_state_directory_and_at_a_gate() {
    let sides = [Side::new(false), Side::new(true)];
    let region = sides[0].place.0.first_region();
    let work = WORK
        .replace("REGION", &region.id.to_string())
        .replace("STORE", &region.follower.to_string());
    for side in &sides {
        fs::write(side.place.path("work.toml"), &work).unwrap();
    }
    let (ana, bob) = ("user:ana", "user:bob");
    let start = [
        "workflow", "start", "--file", "FILE", "--reason", "disk", "--yes",
    ];
    let why = ["--reason", "x"];
    for (who, line, code) in [
        (ana, vec!["mode", "execute", "--reason", "on"], 0),
        (ana, vec!["workflow", "list"], 0),
        (ana, vec!["workflow", "status", "00000000"], 2),
        (ana, vec!["workflow", "show", "--file", "FILE"], 0),
        (ana, start.to_vec(), 6),
        (ana, vec!["workflow", "list"], 0),
        (ana, vec!["workflow", "status", "FLOW"], 0),
        (ana, vec!["workflow", "resume", "FLOW"], 6),
        (ana, vec!["workflow", "confirm", "FLOW", "lead"], 3),
        (
            ana,
            vec!["workflow", "confirm", "FLOW", "look", "--note", "seen"],
            0,
        ),
        (ana, vec!["workflow", "resume", "FLOW"], 6),
        (bob, vec!["approve", "LAST", "--plan", "PLAN"], 0),
        (ana, vec!["workflow", "resume", "FLOW"], 0),
        (
            ana,
            [&["workflow", "resume", "FLOW", "--retry"], &why[..]].concat(),
            3,
        ),
        (ana, [&["workflow", "cancel", "FLOW"], &why[..]].concat(), 3),
        (
            ana,
            [&["workflow", "compensate", "FLOW"], &why[..]].concat(),
            6,
        ),
        (bob, vec!["reject", "LAST", "--reason", "stays"], 0),
        (ana, vec!["workflow", "status", "FLOW"], 0),
        (ana, start.to_vec(), 6),
        (ana, [&["workflow", "cancel", "FLOW"], &why[..]].concat(), 0),
        (ana, vec!["recover"], 0),
        (ana, [&["resolve", "LAST", "applied"], &why[..]].concat(), 3),
        (ana, [&["release", "LAST"], &why[..]].concat(), 3),
        (ana, [&["release", "000000"], &why[..]].concat(), 2),
    ] {
        same(&sides, who, &line, code);
    }
    let wrote = sides.each_ref().map(|side| side.place.0.sim.writes());
    assert_eq!(wrote[0].len(), wrote[1].len());
}

/// What is only recorded at a state directory is carried on by a gate.
#[test]
fn a_gate_carries_on_what_is_started_without_anybody_waiting() {
    let side = Side::new(true);
    let ana = "user:ana";
    side.by(ana, &["mode", "execute", "--reason", "on"])
        .ended(0);
    let region = side.place.0.first_region();
    let work = WORK
        .replace("REGION", &region.id.to_string())
        .replace("STORE", &region.follower.to_string());
    fs::write(side.place.path("work.toml"), work).unwrap();
    let file = side.place.path("work.toml");
    let started = side.by(
        ana,
        &["workflow", "start", "--file", &file, "--detach", "--yes"],
    );
    started.ended(0);
    let flow = filled(&side, "FLOW");
    let waits = side.by(ana, &["workflow", "resume", &flow]).ended(6);
    waits.shows("look waits for a person");
    assert_eq!(side.place.0.sim.writes().len(), 1);
    let shown = side.by(
        ana,
        &["proposals", "show", &filled(&side, "LAST"), "-o", "json"],
    );
    let shown = shown.ended(0).json();
    assert_eq!(shown["intent"]["by"]["actor"], "system", "{shown}");
    assert_eq!(shown["proposal"]["request"]["actor"], ana);
}

/// What is shown before the question names the proposal that there is after it.
#[test]
fn what_is_shown_to_take_it_back_takes_it_back() {
    for is_gate in [false, true] {
        let side = Side::new(is_gate);
        side.by("user:ana", &["mode", "execute", "--reason", "on"])
            .ended(0);
        let region = side.place.0.first_region();
        let to = region.follower.to_string();
        let transfer = ["--region-id", &region.id, "--to-store-id", &to];
        let run = [&["run", "transfer_leader", "--yes", "-v"], &transfer[..]].concat();
        let done = side.by("user:ana", &run).ended(0);
        let id = filled(&side, "LAST");
        let short = &id.replace('-', "")[..12];
        done.says(&format!(" undo {short}"))
            .says("take it back with");
        let undone = side.by("user:ana", &["undo", &id, "--yes"]).ended(0);
        assert!(!undone.stderr.contains("calls it"), "{}", undone.stderr);
    }
}

/// Somebody on the gate's host has put a `KILL` file there.
#[test]
fn a_stop_by_hand_is_seen_and_ended_at_a_gate() {
    let sides = [Side::new(false), Side::new(true)];
    for side in &sides {
        // What it writes down when it is opened is there, and not the first record after the file.
        side.by("user:ana", &["mode"]).ended(0);
        fs::write(side.place.0.state.path().join("KILL"), "").unwrap();
    }
    let ana = "user:ana";
    let [_, there] = same(&sides, ana, &["kill-switch", "status"], 0);
    there.shows("by a `KILL` file");
    same(&sides, ana, &["mode"], 0);
    same(
        &sides,
        ana,
        &["kill-switch", "reset", "--reason", "over"],
        0,
    );
    same(&sides, ana, &["kill-switch", "status"], 0);
    same(&sides, ana, &["mode", "execute", "--reason", "on"], 0);
}

/// What programs read has the same members, too.
#[test]
fn data_has_the_same_members_at_both() {
    let sides = [Side::new(false), Side::new(true)];
    let region = sides[0].place.0.first_region();
    let to = region.follower.to_string();
    let transfer = [
        "transfer_leader",
        "--region-id",
        &region.id,
        "--to-store-id",
        &to,
    ];
    let members = |finished: &Finished| -> Vec<String> {
        let json: Value = serde_json::from_str(&finished.stdout).unwrap();
        json.as_object().unwrap().keys().cloned().collect()
    };
    for line in [
        [&["plan"], &transfer[..]].concat(),
        [&["run", "--yes"], &transfer[..]].concat(),
        vec!["proposals", "list"],
        vec!["kill-switch", "status"],
    ] {
        let line = [&line[..], &["-o", "json"]].concat();
        let [here, there] = sides
            .each_ref()
            .map(|side| side.by("user:ana", &line).ended(0));
        assert_eq!(members(&here), members(&there), "{line:?}");
    }
}

/// Without a terminal nobody is asked, and an agent by its token is who it is.
#[test]
fn an_agent_works_at_a_gate_by_its_token() {
    let side = Side::new(true);
    let secret = side.place.token("agent:night");
    let region = side.place.0.first_region();
    let to = region.follower.to_string();
    let gate = ["--server", &side.url(), "--cluster", "prod"];
    let night = |arguments: &[&str]| {
        let mut command = command();
        command
            .env("OPERATOR_TOKEN", &secret)
            .args(arguments)
            .args(gate);
        finished(&mut command)
    };
    let transfer = [
        "run",
        "transfer_leader",
        "--region-id",
        &region.id,
        "--to-store-id",
        &to,
    ];
    let done = night(&[&transfer[..], &["--yes"]].concat()).ended(0);
    assert!(!format!("{}{}", done.stdout, done.stderr).contains(&secret));
    let listed = night(&["proposals", "list", "--all"]).ended(0);
    let listed = listed.shows("agent:night");
    assert!(!listed.stdout.contains("--actor"), "{}", listed.stdout);
    // What is for people.
    night(&["kill-switch", "on", "--reason", "x"])
        .ended(3)
        .says("a person with a proven identity is required");
    night(&["mode", "observe"])
        .ended(3)
        .says("a person with a proven identity is required");
    night(&["token", "list"]).ended(3);
    night(&["journal", "head"]).ended(3);
    night(&["journal", "show"]).ended(0).shows("proposed");
    let offered = night(&["actions", "list"])
        .ended(0)
        .shows("transfer_leader");
    assert!(
        !offered.stdout.contains("drain_store"),
        "{}",
        offered.stdout
    );
}

#[test]
fn what_a_gate_is_not_asked_for_says_what_to_do_instead() {
    let side = Side::new(true);
    for line in [
        vec!["reap"],
        vec!["journal", "verify"],
        vec!["policy", "check"],
        vec!["undo", "--last"],
    ] {
        side.by("user:ana", &line)
            .ended(2)
            .says("does not work with `--server`");
    }
    side.by("user:mallory", &["mode"])
        .ended(3)
        .says("did not accept the credentials");
    // Nothing but a gate is looked for.
    let elsewhere = |more: &[&str]| {
        let mut command = command();
        command.args(["mode"]).args(more);
        finished(&mut command)
    };
    elsewhere(&["--server", &side.url()])
        .ended(2)
        .says("--sign-with");
    let key = side.place.path("key.pem");
    let nowhere = ["--server", "http://127.0.0.1:1", "--sign-with", &key];
    elsewhere(&nowhere).ended(5).says("nothing was sent");
    let far = [
        "--server",
        "http://gate.example.com:7070",
        "--sign-with",
        &key,
    ];
    elsewhere(&far).ended(2).says("without TLS");
    elsewhere(&["--token-file", "x"]).ended(2).says("--server");
    let mut by_variable = command();
    by_variable
        .env("OPERATOR_SERVER", side.url())
        .env("OPERATOR_SIGN_WITH", &key);
    finished(by_variable.arg("mode"))
        .ended(0)
        .shows("execute in http://");
}

/// What stands between the command and its gate, and loses the answers to the first requests for a path
/// that ends so.
fn losing(gate: &str, path: &'static str, mut times: usize) -> String {
    let lost = move |target: &str, answer: Vec<u8>| {
        let is_lost = times > 0 && target.ends_with(path);
        times -= usize::from(is_lost);
        (!is_lost).then_some(answer)
    };
    between(gate, lost)
}

/// The same, and writes one text for another of the same length into all that the gate answers.
fn altering(gate: &str, text: String, other: String) -> String {
    assert_eq!(text.len(), other.len());
    between(gate, move |_, answer| {
        let answer = String::from_utf8(answer).unwrap();
        Some(answer.replace(&text, &other).into_bytes())
    })
}

/// What stands between, and does so with each answer to a request for a target.
fn between(
    gate: &str,
    mut passed_on: impl FnMut(&str, Vec<u8>) -> Option<Vec<u8>> + Send + 'static,
) -> String {
    let (listener, gate) = (TcpListener::bind("127.0.0.1:0").unwrap(), gate.to_owned());
    let at = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for host in listener.incoming() {
            let (mut host, mut there) = (host.unwrap(), TcpStream::connect(&gate).unwrap());
            let request = read(&mut host);
            there.write_all(&request).unwrap();
            let answer = read(&mut there);
            let head = String::from_utf8_lossy(&request);
            let target = head.split(' ').nth(1).unwrap_or_default();
            let target = target.split('?').next().unwrap_or_default();
            if let Some(answer) = passed_on(target, answer) {
                let _ = host.write_all(&answer);
            }
        }
    });
    at
}

/// One request or answer, by its length.
fn read(from: &mut TcpStream) -> Vec<u8> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && from.read(&mut byte).unwrap_or(0) > 0 {
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body).unwrap();
    request.extend(body);
    request
}

/// Nothing is done twice, and it is told what came of it.
#[test]
fn where_an_answer_is_lost_it_is_asked_how_it_stands() {
    for (path, times, code, says) in [
        ("/proposals", 1, 0, "Applied"),
        ("/execute", 1, 0, "Applied"),
        ("/execute", usize::MAX, 0, "Applied"),
        ("/proposals", usize::MAX, 4, ""),
    ] {
        let side = Side::new(true);
        let gate = &side.gate.as_ref().unwrap().1;
        let between = losing(gate, path, times);
        let region = side.place.0.first_region();
        let to = region.follower.to_string();
        let transfer = [
            "run",
            "transfer_leader",
            "--region-id",
            &region.id,
            "--to-store-id",
            &to,
        ];
        let (key, url) = (side.place.path("key.pem"), format!("http://{between}"));
        let at = [
            "--server",
            &url,
            "--cluster",
            "prod",
            "--sign-with",
            &key,
            "--yes",
        ];
        let mut command = command();
        let done = finished(command.args(transfer).args(at))
            .ended(code)
            .shows(says);
        let asked = side.by("user:ana", &["proposals", "list", "--all", "-o", "json"]);
        let asked = asked.ended(0).json();
        assert_eq!(
            asked["proposals"].as_array().unwrap().len(),
            1,
            "{path} {times}"
        );
        let sent = side.place.0.sim.writes().len();
        assert_eq!(sent, usize::from(code == 0), "{path} {times}");
        if path == "/execute" {
            done.says("checking its state");
        }
    }
}

/// What is signed is what was read: a plan that somebody on the way has altered is not.
#[test]
fn a_plan_that_is_not_the_one_of_its_hash_is_not_approved() {
    let side = Side::new(true);
    let asked = [
        "run",
        "set_leader_schedule_limit",
        "--limit",
        "5",
        "--yes",
        "-o",
        "json",
    ];
    let asked = side.by("user:ana", &asked).ended(6).json();
    let id = asked["id"].as_str().unwrap();
    let gate = &side.gate.as_ref().unwrap().1;
    let limit = |limit: &str| format!("\"limit\":{limit}");
    let url = format!("http://{}", altering(gate, limit("5"), limit("6")));
    let key = side.place.path("bob.pem");
    let at = |words: &[&str]| {
        let mut command = command();
        command
            .args(words)
            .args(["--server", &url, "--cluster", "prod"]);
        finished(command.args(["--actor", "user:bob", "--sign-with", &key]))
    };
    let shown = at(&["proposals", "show", id, "-o", "json"]).ended(0).json();
    assert_eq!(shown["proposal"]["request"]["parameters"]["limit"], 6);
    let hash = shown["proposal"]["plan_hash"].as_str().unwrap();
    let approve = ["approve", id, "--plan", hash];
    at(&approve).ended(3).says("nothing was signed");
    side.by("user:bob", &approve).ended(0);
}

/// What only looks has no outcome, and another proposal than the requested one that was asked for is not called off.
#[test]
fn a_gate_that_does_not_answer_or_answers_of_something_else_is_told_as_that() {
    let side = Side::new(true);
    let gate = &side.gate.as_ref().unwrap().1;
    let key = side.place.path("key.pem");
    let at = |between: &str, words: &[&str]| {
        let mut command = command();
        let url = format!("http://{between}");
        command
            .args(words)
            .args(["--server", &url, "--cluster", "prod"]);
        finished(command.args(["--actor", "user:ana", "--sign-with", &key]))
    };
    let limit = |limit| {
        [
            "run",
            "set_leader_schedule_limit",
            "--limit",
            limit,
            "--yes",
        ]
    };
    for (path, words) in [
        ("/state", &["proposals", "list"][..]),
        (
            "/plan",
            &["plan", "set_leader_schedule_limit", "--limit", "5"],
        ),
        ("/drafts", &limit("5")),
        ("/list_stores", &["run", "list_stores"]),
    ] {
        let lost = at(&losing(gate, path, 1), words).ended(5);
        lost.says("was lost").says("only reads");
    }
    let first = at(gate, &[&limit("5")[..], &["-o", "json"]].concat())
        .ended(6)
        .json();
    let other = at(
        gate,
        &[
            "proposals",
            "show",
            first["id"].as_str().unwrap(),
            "-o",
            "json",
        ],
    );
    let other = other.ended(0).json()["proposal"].to_string();
    let lying = between(gate, move |target, answer| {
        if !target.ends_with("/proposals") {
            return Some(answer);
        }
        let text = String::from_utf8(answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut body: Value = serde_json::from_str(body).unwrap();
        body["proposal"] = serde_json::from_str(&other).unwrap();
        let body = body.to_string();
        let lines = head
            .lines()
            .filter(|line| !line.to_lowercase().starts_with("content-length"));
        let head = lines.collect::<Vec<_>>().join("\r\n");
        Some(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes())
    });
    at(&lying, &limit("6"))
        .ended(4)
        .says("another proposal than the requested one");
    let all = at(gate, &["proposals", "list", "--all", "-o", "json"])
        .ended(0)
        .json();
    let all = all["proposals"].as_array().unwrap();
    assert!(
        all.len() == 2 && all.iter().all(|one| one["phase"] == "needs_approval"),
        "{all:#?}"
    );
}

/// What a process on the gate's host enables with a policy of its own, the gate does not send by, and says so.
#[test]
fn what_a_local_process_enables_is_not_sent_by_and_is_said() {
    let side = Side::new(true);
    let state = side.place.0.state_dir();
    let local = |arguments: &[&str]| {
        let place = ["--state-dir", state, "--actor", "user:mallory"];
        operator(&[arguments, &place[..]].concat()).ended(0)
    };
    side.by("user:ana", &["kill-switch", "on", "--reason", "wait"])
        .ended(0);
    local(&["kill-switch", "reset", "--reason", "go"]);
    local(&["mode", "execute", "--reason", "go"]);
    let region = side.place.0.first_region();
    let to = region.follower.to_string();
    let transfer = [
        "run",
        "transfer_leader",
        "--region-id",
        &region.id,
        "--to-store-id",
        &to,
    ];
    let ran = side.by("user:ana", &[&transfer[..], &["--yes"]].concat());
    ran.ended(3)
        .says("`user:mallory` set the mode to execute and that is not proven");
    assert_eq!(side.place.0.sim.writes(), []);
    side.by("user:ana", &["mode"])
        .ended(0)
        .says("prod: nothing is sent, because `user:mallory` set the mode");
    side.by("user:ana", &["mode", "execute", "--reason", "go"])
        .ended(0);
    side.by("user:ana", &[&transfer[..], &["--yes"]].concat())
        .ended(0);
}

/// The secret of a token stays where it is made, also when the gate is far away.
#[test]
fn a_token_is_made_and_revoked_at_a_gate() {
    let side = Side::new(true);
    let key = side.place.path("key.pem");
    let url = side.url();
    let make = |by: &str, key: &str| {
        let mut command = command();
        let whose = [
            "--actor",
            "agent:night",
            "--cluster",
            "prod",
            "--sign-with",
            key,
        ];
        let what = ["--up-to", "low", "--expires", "1h", "--server", &url];
        command.args(["token", "create"]).args(whose).args(what);
        finished(command.env("OPERATOR_ACTOR", by))
    };
    let made = make("user:ana", &key).ended(0);
    let secret = made.stdout.trim().to_owned();
    assert!(secret.starts_with("opgt_"), "{}", made.stdout);
    made.says("user:ana is responsible for it");
    make("user:ana", &side.place.path("bob.pem")).ended(3);
    let night = |arguments: &[&str]| {
        let mut command = command();
        command.env("OPERATOR_TOKEN", &secret).args(arguments);
        finished(command.args(["--server", &url, "--cluster", "prod"]))
    };
    night(&["proposals", "list"]).ended(0);
    let listed = side.by("user:bob", &["token", "list", "-o", "json"]);
    let listed = listed.ended(0).json();
    let id = listed["tokens"][0]["made"]["id"].as_str().unwrap();
    side.by("user:bob", &["token", "revoke", id, "--reason", "leaked"])
        .ended(0)
        .shows("is revoked");
    night(&["proposals", "list"]).ended(3);
    side.by("user:bob", &["token", "revoke", "no", "--reason", "x"])
        .ended(2);
    side.by("user:bob", &["session", "list"])
        .ended(0)
        .shows("Nobody is logged in");
    side.by("user:bob", &["session", "end", "no", "--reason", "x"])
        .ended(2);
    // And the secret is nowhere in the gate's journal.
    let journal = side.place.operator(&["journal", "show", "-o", "jsonl"]);
    assert!(!journal.ended(0).stdout.contains(&secret));
}

/// Where the answer to what is decided is lost, the command that is printed shows what became of it.
#[test]
fn where_the_answer_to_a_decision_is_lost_the_next_command_shows_what_became_of_it() {
    let create = [
        "token",
        "create",
        "--cluster",
        "prod",
        "--up-to",
        "low",
        "--expires",
        "1h",
        "--actor",
    ];
    let token = [&create[..], &["agent:night"]].concat();
    let mode = ["mode", "observe", "--reason", "x", "--actor", "user:ana"];
    let pause = [
        "pause",
        "agent:night",
        "--reason",
        "x",
        "--actor",
        "user:ana",
    ];
    for (path, line, next) in [
        ("/tokens", &token[..], "`operator token list"),
        ("/api/v1/mode", &mode, "`operator mode"),
        ("/pause", &pause, "`operator mode"),
    ] {
        let side = Side::new(true);
        let between = losing(&side.gate.as_ref().unwrap().1, path, 1);
        let (key, url) = (side.place.path("key.pem"), format!("http://{between}"));
        let mut command = command();
        command.env("OPERATOR_ACTOR", "user:ana").args(line);
        let lost = finished(command.args(["--server", &url, "--sign-with", &key]));
        lost.ended(4).says("was lost").says(next);
        let journal = side.place.operator(&["journal", "show"]).ended(0).stdout;
        let is_there = ["token created", "observe, by user:ana", "agent paused"];
        let found = is_there.iter().filter(|one| journal.contains(**one));
        assert_eq!(found.count(), 1, "{path}: {journal}");
    }
    let side = Side::new(true);
    let person = [&create[..], &["user:ana"]].concat();
    let mut command = command();
    let key = side.place.path("key.pem");
    command
        .args(person)
        .args(["--server", &side.url(), "--sign-with", &key]);
    finished(command.env("OPERATOR_ACTOR", "user:ana"))
        .ended(2)
        .says("`user:ana` is not an agent")
        .says("--actor agent:NAME");
}
