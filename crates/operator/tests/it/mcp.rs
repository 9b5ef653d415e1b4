//! `operator mcp` over pipes, as a host runs it; and as one that breaks the rules.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use pd_sim::{Clock, Fault, Sim};
use serde_json::{Value, json};

use crate::{Cluster, operator};

/// A server, and its pipes.
pub(crate) struct Host {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    last: u64,
}

impl Host {
    fn start(cluster: &Cluster, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
        command
            .args(["mcp", "--pd", cluster.sim.endpoint()])
            .args(["--state-dir", cluster.state_dir()])
            .args(more)
            .env_remove("OPERATOR_ACTOR");
        Self::of(&mut command)
    }

    /// A command that serves.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .env("OPERATOR_SETTLE_FOR", "0s")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self {
            stdin: child.stdin.take(),
            stdout,
            child,
            last: 0,
        }
    }

    /// The same, after the handshake of the older protocol.
    fn initialized(cluster: &Cluster, more: &[&str]) -> Self {
        let mut host = Self::start(cluster, more);
        host.initialize();
        host
    }

    pub(crate) fn initialize(&mut self) {
        let client = json!({"name": "a host", "version": "1"});
        let hello =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
        let answer = self.ask("initialize", hello);
        assert_eq!(
            answer["result"]["serverInfo"]["name"], "operator",
            "{answer}"
        );
        self.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
    }

    pub(crate) fn write(&mut self, line: &str) {
        // A server that is gone takes nothing more, which the test then sees.
        let stdin = self.stdin.as_mut().unwrap();
        let _ = stdin.write_all(line.as_bytes());
        let _ = stdin.write_all(b"\n");
        let _ = stdin.flush();
    }

    /// Asks, without waiting for an answer. The request's number.
    pub(crate) fn begin(&mut self, method: &str, params: Value) -> u64 {
        self.last += 1;
        let id = self.last;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.write(&request.to_string());
        id
    }

    /// The next message: each line of stdout is one, and nothing else is written there.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).unwrap();
        (read > 0).then(|| serde_json::from_str(&line).unwrap())
    }

    pub(crate) fn answer_to(&mut self, id: u64) -> Value {
        loop {
            let message = self.next().unwrap();
            if message["id"] == id {
                return message;
            }
        }
    }

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        self.answer_to(id)
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or("null");
        serde_json::from_str(text).unwrap()
    }

    /// Closes stdin, and waits for the end: the exit code and what was written to stderr.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stderr)
    }
}

fn transfer(cluster: &Cluster) -> Value {
    let region = cluster.first_region();
    json!({"region_id": region.id, "to_store_id": region.follower.to_string()})
}

/// Agents may do it at once.
fn free(cluster: &Cluster) -> String {
    let path = cluster.state.path().join("policy.toml");
    let rules = "version = 1\n[[rule]]\nname = \"all\"\naction = \"*\"\ndecision = \"allow\"\n";
    std::fs::write(&path, rules).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn nothing_is_changed_unless_that_is_asked_for() {
    let cluster = Cluster::start();
    let mut host = Host::initialized(&cluster, &[]);
    let listed = host.ask("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap().clone();
    assert!(tools.iter().any(|tool| tool["name"] == "list_stores"));
    for tool in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
    }
    let refused = host.ask(
        "tools/call",
        json!({"name": "transfer_leader", "arguments": transfer(&cluster)}),
    );
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("transfer_leader"),
        "{refused}"
    );
    let stores = host.call("list_stores", json!({}));
    assert_eq!(stores["stores"].as_array().unwrap().len(), 5);
    let (code, stderr) = host.end();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(cluster.sim.writes().len(), 0);
}

#[test]
fn what_waits_is_approved_by_a_person_in_another_process() {
    let cluster = Cluster::start();
    let mut host = Host::initialized(&cluster, &["--up-to", "high"]);
    let waits = host.call("transfer_leader", transfer(&cluster));
    assert_eq!(waits["standing"], "waits_for_approval", "{waits}");
    let id = waits["proposal_id"].as_str().unwrap().to_owned();
    let how = waits["approval"]["how"].as_str().unwrap().to_owned();
    let words: Vec<&str> = how.split(' ').skip(1).collect();
    assert_eq!(words.last(), Some(&id.as_str()), "{how}");
    let seen = waits["plan"]["plan_hash"].as_str().unwrap();
    operator(&[&words[..], &["--plan", seen, "--reason", "looks right"]].concat()).ended(0);
    let done = host.call("execute_proposal", json!({"proposal_id": id}));
    assert_eq!(done["standing"], "applied", "{done}");
    let shown = cluster
        .with_state(&["proposals", "show", &id, "-o", "json"])
        .ended(0);
    assert_eq!(shown.json()["proposal"]["request"]["actor"], "agent:mcp");
    assert_eq!(cluster.sim.writes().len(), 1);
    assert_eq!(host.end().0, Some(0));
}

#[test]
fn no_person_is_lent_to_an_agent() {
    let cluster = Cluster::start();
    for name in ["user:ana", "system"] {
        let lent = cluster.with_state(&["mcp", "--actor", name]);
        lent.ended(2)
            .says("is not an agent")
            .says("--actor agent:NAME");
    }
}

#[test]
fn each_host_is_told_what_goes_into_its_configuration() {
    let cluster = Cluster::start();
    for host in [
        "claude-code",
        "claude-desktop",
        "codex",
        "cursor",
        "goose",
        "vscode",
        "zed",
    ] {
        let words = [
            "mcp",
            "--print-config",
            host,
            "--up-to",
            "low",
            "--actor",
            "agent:night",
        ];
        let printed = cluster.with_state(&words).ended(0).stdout;
        let command: String = match host {
            "codex" => {
                let read: toml::Table = printed.parse().unwrap();
                let entry = &read["mcp_servers"]["operator"];
                assert_eq!(entry["args"][0].as_str(), Some("mcp"));
                entry["command"].as_str().unwrap().to_owned()
            }
            "goose" => {
                let line = printed
                    .lines()
                    .find_map(|line| line.trim().strip_prefix("cmd: "));
                serde_json::from_str(line.unwrap()).unwrap()
            }
            _ => {
                let read: Value = serde_json::from_str(&printed).unwrap();
                let group = match host {
                    "vscode" => "servers",
                    "zed" => "context_servers",
                    _ => "mcpServers",
                };
                let entry = &read[group]["operator"];
                let args: Vec<&str> = entry["args"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one.as_str().unwrap())
                    .collect();
                assert_eq!(
                    args[..5],
                    ["mcp", "--up-to", "low", "--actor", "agent:night"]
                );
                assert!(
                    args.contains(&cluster.state_dir()) && args.contains(&cluster.sim.endpoint()),
                    "{args:?}"
                );
                entry["command"].as_str().unwrap().to_owned()
            }
        };
        assert_eq!(command, env!("CARGO_BIN_EXE_operator"), "{host}");
    }
}

#[test]
fn a_host_that_goes_in_the_middle_leaves_an_outcome_to_find() {
    // Nothing happens to what PD accepts until the clock is moved.
    let cluster = Cluster::from(Sim::builder().clock(Clock::Stepped));
    let policy = free(&cluster);
    let mut host = Host::initialized(
        &cluster,
        &[
            "--up-to",
            "high",
            "--policy-file",
            &policy,
            "--answer-within",
            "1s",
        ],
    );
    let begun = host.call("transfer_leader", transfer(&cluster));
    assert_eq!(begun["standing"], "in_progress", "{begun}");
    let (_, stderr) = host.end();
    assert!(!stderr.contains("panicked"), "{stderr}");
    cluster.sim.advance(Duration::from_secs(5));
    // The next server finds the outcome, and says it to who asked.
    let mut next = Host::initialized(&cluster, &["--up-to", "high", "--policy-file", &policy]);
    let done = loop {
        let asked = json!({"proposal_id": begun["proposal_id"], "wait_seconds": 10});
        let looked = next.call("get_proposal", asked);
        if looked["standing"] != "in_progress" {
            break looked;
        }
    };
    assert_eq!(done["standing"], "applied", "{done}");
    assert_eq!(cluster.sim.writes().len(), 1, "one request");
    assert_eq!(next.end().0, Some(0));
}

/// What a host wanted that went away before it was sent is not sent behind its back.
#[test]
fn what_was_not_sent_when_the_host_went_is_not_sent() {
    let cluster = Cluster::start();
    let policy = free(&cluster);
    let mut host = Host::initialized(&cluster, &["--up-to", "high", "--policy-file", &policy]);
    // Each answer takes so long that the host is gone before a plan is made.
    let slow = Fault::slow("GET", "", Duration::from_millis(300));
    cluster.sim.fault(slow.always());
    host.begin(
        "tools/call",
        json!({"name": "transfer_leader", "arguments": transfer(&cluster)}),
    );
    assert_eq!(host.end().0, Some(0));
    assert_eq!(cluster.sim.writes().len(), 0);
}

#[test]
fn a_password_is_not_printed_into_a_configuration() {
    let words = [
        "mcp",
        "--print-config",
        "codex",
        "--pd",
        "http://ana:s3cr3t@127.0.0.1:1",
    ];
    let refused = operator(&words).ended(2).says("password");
    assert!(!refused.stdout.contains("s3cr3t") && !refused.stderr.contains("s3cr3t"));
}

#[test]
fn a_host_that_breaks_the_rules_breaks_nothing_else() {
    let cluster = Cluster::start();
    let policy = free(&cluster);
    let mut host = Host::initialized(&cluster, &["--up-to", "high", "--policy-file", &policy]);
    // No such tool, no arguments, arguments of the wrong kind and far too many of them.
    for (tool, arguments) in [
        ("no_such_tool", json!({})),
        ("transfer_leader", json!(null)),
    ] {
        let answer = host.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        let is_error = answer["error"].is_object() || answer["result"]["isError"] == true;
        assert!(is_error, "{answer}");
    }
    let many = host.call(
        "transfer_leader",
        json!({"region_id": "x".repeat(10_000_000)}),
    );
    assert_eq!(many["error"]["kind"], "invalid_input");
    assert!(many.to_string().len() < 50_000, "its words are cut");
    // The same two hundred times at once, and a few of them called off.
    let asked = transfer(&cluster);
    let call = json!({"name": "transfer_leader", "arguments": asked});
    let ids: Vec<u64> = (0..200)
        .map(|_| host.begin("tools/call", call.clone()))
        .collect();
    for id in ids.iter().step_by(7) {
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        host.write(&cancel.to_string());
    }
    let last = host.begin("ping", json!({}));
    host.answer_to(last);
    // Nonsense between the lines.
    host.write("{\"jsonrpc\": \"2.0\", \"id\": 7, \"met");
    host.write("\u{0}\u{1}\u{2} not JSON at all");
    let (_, stderr) = host.end();
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(
        cluster.sim.writes().len() <= 1,
        "{}",
        cluster.sim.writes().len()
    );
    cluster.with_state(&["recover"]).ended(0);
    cluster.with_state(&["journal", "verify"]).ended(0);
}

#[test]
fn nonsense_from_the_beginning_ends_it_without_a_panic() {
    let cluster = Cluster::start();
    let mut host = Host::start(&cluster, &[]);
    host.write("hello?");
    let (code, stderr) = host.end();
    assert_ne!(code, Some(101), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// Steps that were not begun when the host went are begun by nobody before somebody goes on with them.
#[test]
fn a_workflow_is_left_where_it_was_when_the_host_goes_and_gone_on_with_by_the_next() {
    let cluster = Cluster::from(Sim::builder().clock(Clock::Stepped));
    let policy = free(&cluster);
    let flags = [
        "--up-to",
        "high",
        "--policy-file",
        &policy,
        "--answer-within",
        "1s",
    ];
    let mut host = Host::initialized(&cluster, &flags);
    let moved =
        json!({"id": "move", "action": "transfer_leader", "parameters": transfer(&cluster)});
    let drain = json!({"id": "drain", "action": "drain_store", "parameters": {"store_id": "5"}});
    let document = json!({"title": "move a leader, then drain", "steps": [moved, drain]});
    let begun = host.call("start_workflow", json!({ "document": document }));
    assert_eq!(begun["standing"], "in_progress", "{begun}");
    let (_, stderr) = host.end();
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_eq!(cluster.sim.writes().len(), 1);
    cluster.sim.advance(Duration::from_secs(5));
    let mut next = Host::initialized(&cluster, &flags);
    let id = &begun["workflow_id"];
    let left = loop {
        let looked = next.call(
            "get_workflow",
            json!({"workflow_id": id, "wait_seconds": 10}),
        );
        if looked["standing"] != "in_progress" {
            break looked;
        }
    };
    assert_eq!(left["standing"], "ready", "{left}");
    assert_eq!(
        cluster.sim.writes().len(),
        1,
        "looking at it begins nothing"
    );
    next.call("start_workflow", json!({ "workflow_id": id }));
    assert_eq!(cluster.sim.writes().len(), 2);
    assert_eq!(next.end().0, Some(0));
}

/// It would be found out once the store is drained.
#[test]
fn a_workflow_whose_undo_the_policy_denies_is_not_begun() {
    let cluster = Cluster::start();
    let policy = free(&cluster);
    let deny = "[[rule]]\nname = \"no\"\naction = \"stop_drain\"\ndecision = \"deny\"\n";
    let rules = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(
        &policy,
        rules.replace("[[rule]]", &format!("{deny}[[rule]]")),
    )
    .unwrap();
    let mut host = Host::initialized(&cluster, &["--up-to", "high", "--policy-file", &policy]);
    let drain = json!({"id": "drain", "action": "drain_store", "parameters": {"store_id": "5"}});
    let back = json!({"id": "back", "undo": "drain"});
    let document = json!({"title": "there and back", "steps": [drain, back]});
    let refused = host.call("start_workflow", json!({ "document": document }));
    let text = refused["error"]["message"].as_str().unwrap();
    assert!(
        text.contains("`stop_drain`") && text.contains("step `back`"),
        "{text}"
    );
    assert_eq!(cluster.sim.writes(), []);
    assert_eq!(host.end().0, Some(0));
}

/// What was done of it, and its id, are told also where nothing goes on.
#[test]
fn a_workflow_that_is_held_up_is_shown() {
    let cluster = Cluster::start();
    let policy = free(&cluster);
    let mut host = Host::initialized(&cluster, &["--up-to", "high", "--policy-file", &policy]);
    let limit = |id: &str, limit: u8| json!({"id": id, "action": "set_leader_schedule_limit", "parameters": {"limit": limit}});
    let steps = json!([limit("one", 5), {"id": "seen", "confirm": "look"}, limit("two", 6)]);
    let document = json!({"title": "two limits", "steps": steps});
    let waits = host.call("start_workflow", json!({ "document": document }));
    assert_eq!(waits["standing"], "waits_for_confirmation", "{waits}");
    let id = &waits["workflow_id"];
    let confirm = ["workflow", "confirm", id.as_str().unwrap(), "seen"];
    let under = ["--policy-file", &policy];
    cluster
        .with_state(&[&confirm[..], &under].concat())
        .ended(0);
    std::fs::write(&policy, "version = 1\nbro").unwrap();
    let held_up = host.call("start_workflow", json!({ "workflow_id": id }));
    assert_eq!(&held_up["workflow_id"], id, "{held_up}");
    assert_eq!(held_up["steps"][0]["standing"], "done", "{held_up}");
    let summary = held_up["summary"].as_str().unwrap();
    assert!(
        summary.contains("1 of 3") || summary.contains("2 of 3"),
        "{summary}"
    );
    assert!(
        summary.contains("it is stopped: ") && summary.contains("policy"),
        "{summary}"
    );
    assert_eq!(cluster.sim.writes().len(), 1);
    assert_eq!(host.end().0, Some(0));
}

/// What a runbook calls is there, and nothing else stands in backticks.
#[test]
fn runbooks_name_tools_that_there_are_and_reasons_are_those_of_the_docs() {
    let cluster = Cluster::start();
    let mut host = Host::initialized(&cluster, &["--up-to", "high"]);
    let listed = host.ask("tools/list", json!({}));
    let tools: Vec<&str> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    let prompts = host.ask("prompts/list", json!({}));
    let prompts = prompts["result"]["prompts"].as_array().unwrap().clone();
    assert_eq!(prompts.len(), 3);
    for prompt in &prompts {
        let name = prompt["name"].as_str().unwrap();
        let asked = match name {
            "drain_store_for_maintenance" => json!({"store_id": "4"}),
            _ => json!({"region_id": "7"}),
        };
        let got = host.ask("prompts/get", json!({"name": name, "arguments": asked}));
        let text = got["result"]["messages"][0]["content"]["text"]
            .as_str()
            .unwrap();
        assert!(
            !text.contains('{'),
            "{name}: all parameters are filled in: {text}"
        );
        let called: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        for tool in &called {
            assert!(tools.contains(tool), "{name}: there is no `{tool}`");
        }
        for step in ["plan", "undo", "execute_proposal"] {
            assert!(called.contains(&step), "{name}: {step}");
        }
        let docs = format!(
            "{}/../../docs/runbooks/{name}.md",
            env!("CARGO_MANIFEST_DIR")
        );
        let docs = std::fs::read_to_string(docs).unwrap();
        assert_eq!(
            docs.lines().last(),
            got_last(text, &asked).as_deref(),
            "{name}"
        );
    }
    let wrong = json!({"name": "drain_store_for_maintenance", "arguments": {"store_id": "four"}});
    let wrong = host.ask("prompts/get", wrong);
    assert!(
        wrong["error"]["message"]
            .as_str()
            .unwrap()
            .contains("`store_id`"),
        "{wrong}"
    );
    let read = host.ask("resources/read", json!({"uri": "operator://reasons"}));
    let reasons = read["result"]["contents"][0]["text"].as_str().unwrap();
    let docs = include_str!("../../../../docs/reasons.md");
    let generated = docs.lines().nth(2).unwrap();
    assert_eq!(docs.replacen(&format!("{generated}\n\n"), "", 1), reasons);
    assert_eq!(host.end().0, Some(0));
}

/// The last line of a runbook as the docs have it, where parameters have their names.
fn got_last(text: &str, asked: &Value) -> Option<String> {
    let mut last = text.lines().last()?.to_owned();
    for (name, value) in asked.as_object()? {
        last = last.replace(
            &format!("{name} {}", value.as_str()?),
            &format!("{name} {{{name}}}"),
        );
    }
    Some(last)
}

/// Whoever waits for an answer gets one, also to what cannot be read.
#[test]
fn what_cannot_be_read_is_answered_where_it_has_an_id() {
    let cluster = Cluster::start();
    let mut host = Host::initialized(&cluster, &[]);
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let call = |id: &str, argument: &str| {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{\"name\":\"plan\",\
             \"arguments\":{{\"a\":{argument}}}}}}}"
        )
    };
    for (line, id, code) in [
        (call("71", &deep), json!(71), -32700),
        (call("\"x\"", "\"\\ud800\""), json!("x"), -32700),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":72,\"method\":5}".to_owned(),
            json!(72),
            -32600,
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":73}".to_owned(),
            json!(73),
            -32600,
        ),
    ] {
        host.write(&line);
        let answer = host.next().unwrap();
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&id, &json!(code)),
            "{answer}"
        );
    }
    // What nobody waits for is left out.
    host.write("{\"jsonrpc\":\"2.0\",\"method\":\"window/logMessage\",\"params\":{}}");
    host.write("not JSON");
    for (method, params, code) in [
        ("tasks/get", json!({"taskId": 5}), -32602),
        ("tools/call", json!({"name": 5}), -32602),
        ("prompts/get", json!([]), -32600),
        ("no/such", json!({}), -32601),
    ] {
        let answer = host.ask(method, params);
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    assert_eq!(host.ask("ping", json!({}))["result"], json!({}));
    assert_eq!(host.end().0, Some(0));
}
