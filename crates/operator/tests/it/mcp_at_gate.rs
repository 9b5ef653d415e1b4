//! `operator mcp --server`: a gate's tools over pipes, with a token and nothing else.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use pd_sim::{Clock, Sim};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Cluster;
use crate::harness::{Finished, operator};
use crate::mcp::Host;
use crate::serve::Place;

/// A key that OpenSSL made for these tests, and its public half.
pub(crate) const BOB: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIPxoCMiShyT5ZjF9keAuTHDApjd0zKi9ezuEqVSV/I1v
-----END PRIVATE KEY-----
";
pub(crate) const BOB_PUBLIC: &str = "MCowBQYDK2VwAyEAgW062XXspFR08rOGtGB/d0jqni/AEtwc7HhJwWRepgU=";

/// What a gate is asked with in the era without sessions.
fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "a host", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

/// A gate, and the token of an agent for it.
struct Gate {
    place: Place,
    process: Child,
    at: String,
    secret: String,
    /// Nothing is in it: what a host's machine has.
    elsewhere: TempDir,
}

impl Gate {
    /// Whatever agents ask for is decided by this rule; Bob approves.
    fn new(place: Place, decision: &str) -> Self {
        let policy = fs::read_to_string(place.path("policy.toml")).unwrap();
        let (head, _) = policy.split_once("[[rule]]").unwrap();
        let rules = format!(
            "{head}[[person]]\nname = \"user:bob\"\nkey = \"{BOB_PUBLIC}\"\n\
             [[rule]]\nname = \"agents\"\nproven_by = \"token\"\n{decision}\n"
        );
        fs::write(place.path("policy.toml"), rules).unwrap();
        fs::write(place.path("bob.pem"), BOB).unwrap();
        let secret = place.token("agent:night");
        let (process, at) = serve(&place, "127.0.0.1:0");
        let elsewhere = TempDir::new().unwrap();
        Self {
            place,
            process,
            at,
            secret,
            elsewhere,
        }
    }

    fn that_allows() -> Self {
        Self::new(Place::new(), "decision = \"allow\"")
    }

    fn host(&self) -> Host {
        let mut host = host_at(&self.at, &self.secret, &self.elsewhere);
        host.initialize();
        host
    }

    fn sim(&self) -> &Sim {
        &self.place.0.sim
    }

    fn transfer(&self) -> Value {
        let region = self.place.0.first_region();
        json!({"region_id": region.id, "to_store_id": region.follower.to_string()})
    }

    /// Bob looks, and agrees, in a process of his own.
    fn approve(&self, waits: &Value) -> Finished {
        let id = waits["proposal_id"].as_str().unwrap();
        let hash = waits["plan"]["plan_hash"].as_str().unwrap();
        let key = self.place.path("bob.pem");
        let words = ["approve", id, "--plan", hash, "--reason", "looks right"];
        let who = ["--actor", "user:bob", "--sign-with", &key];
        self.place.operator(&[&words[..], &who].concat())
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn serve(place: &Place, listen: &str) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_operator"))
        .args([
            "serve", "--listen", listen, "--up-to", "medium", "-o", "jsonl",
        ])
        .args(place.files())
        .env_remove("OPERATOR_CLUSTER")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("OPERATOR_SETTLE_FOR", "0s")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let shown: Value = serde_json::from_str(&line).unwrap();
    let at = shown["listening"].as_str().unwrap().to_owned();
    (child, at)
}

/// A host's server, where nothing is but a token.
fn host_at(at: &str, secret: &str, elsewhere: &TempDir) -> Host {
    Host::of(
        Command::new(env!("CARGO_BIN_EXE_operator"))
            .args([
                "mcp",
                "--server",
                &format!("http://{at}"),
                "--cluster",
                "prod",
            ])
            .env_clear()
            .env("HOME", elsewhere.path())
            .env("OPERATOR_TOKEN", secret),
    )
}

fn said(answer: &Value) -> Value {
    let text = answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or("null");
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_agent_asks_waits_and_is_approved_through_a_gate_in_both_eras() {
    for is_modern in [false, true] {
        let by_bob = "decision = \"approve\"\nby = [\"user:bob\"]\ncount = 1\nttl = \"30m\"";
        let gate = Gate::new(Place::new(), by_bob);
        let mut host = host_at(&gate.at, &gate.secret, &gate.elsewhere);
        let params = |params: Value| match is_modern {
            true => modern(params),
            false => params,
        };
        if !is_modern {
            host.initialize();
        }
        let listed = host.ask("tools/list", params(json!({})));
        let tools = listed["result"]["tools"].as_array().unwrap();
        assert!(
            tools.iter().any(|tool| tool["name"] == "transfer_leader"),
            "{listed}"
        );
        let mut call = |tool: &str, arguments: Value| {
            let asked = params(json!({"name": tool, "arguments": arguments}));
            said(&host.ask("tools/call", asked))
        };
        assert_eq!(
            call("list_stores", json!({}))["stores"]
                .as_array()
                .unwrap()
                .len(),
            5
        );
        let waits = call("transfer_leader", gate.transfer());
        assert_eq!(waits["standing"], "waits_for_approval", "{waits}");
        let proposal = json!({"proposal_id": waits["proposal_id"]});
        gate.approve(&waits).ended(0);
        let done = call("execute_proposal", proposal.clone());
        assert_eq!(done["standing"], "applied", "{done}");
        let undo = call("undo", proposal.clone());
        assert_eq!(undo["standing"], "waits_for_approval", "{undo}");
        gate.approve(&undo).ended(0);
        let undone = call(
            "execute_proposal",
            json!({"proposal_id": undo["proposal_id"]}),
        );
        assert_eq!(undone["standing"], "applied", "{undone}");
        assert_eq!(call("get_proposal", proposal)["standing"], "taken_back");
        assert_eq!(gate.sim().writes().len(), 2);
        let by = "agent:night (identity proven by token";
        gate.place.operator(&["journal", "show"]).ended(0).shows(by);
        assert_eq!(host.end().0, Some(0));
        let left = fs::read_dir(gate.elsewhere.path()).unwrap().count();
        assert_eq!(left, 0, "nothing is left beside the agent");
    }
}

/// What a gate says of itself goes to who asked, while it goes on.
#[test]
fn progress_is_told_and_a_call_that_is_called_off_is_not_answered() {
    let place = Place::of(Cluster::from(Sim::builder().clock(Clock::Stepped)));
    let gate = Gate::new(place, "decision = \"allow\"");
    let mut host = gate.host();
    let call = json!({
        "name": "transfer_leader", "arguments": gate.transfer(), "_meta": {"progressToken": "here"},
    });
    let id = host.begin("tools/call", call);
    let told = host.next().unwrap();
    assert_eq!(told["method"], "notifications/progress", "{told}");
    assert_eq!(told["params"]["progressToken"], "here", "{told}");
    // What is called off before that is not sent.
    while gate.sim().writes().is_empty() {
        thread::yield_now();
    }
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id},
    });
    host.write(&cancel.to_string());
    let pinged = host.begin("ping", json!({}));
    loop {
        let next = host.next().unwrap();
        assert_ne!(next["id"], id, "{next}");
        if next["id"] == pinged {
            break;
        }
    }
    assert_eq!(gate.sim().writes().len(), 1, "what was sent is followed");
    assert_eq!(host.end().0, Some(0));
}

#[test]
fn a_gate_that_begins_anew_is_asked_again_only_when_the_host_calls_again() {
    let mut gate = Gate::that_allows();
    let mut host = gate.host();
    assert!(host.call("list_stores", json!({}))["stores"].is_array());
    gate.stop();
    let away = host.ask("tools/list", json!({}));
    assert_eq!(away["error"]["data"]["kind"], "not_reached", "{away}");
    let at = gate.at.clone();
    (gate.process, gate.at) = serve(&gate.place, &at);
    let over = host.ask(
        "tools/call",
        json!({"name": "transfer_leader", "arguments": gate.transfer()}),
    );
    assert_eq!(over["error"]["data"]["kind"], "session_over", "{over}");
    assert_eq!(gate.sim().writes().len(), 0);
    let moved = host.call("transfer_leader", gate.transfer());
    assert_eq!(moved["standing"], "applied", "{moved}");
    assert_eq!(gate.sim().writes().len(), 1);
    assert_eq!(host.end().0, Some(0));
}

#[test]
fn a_gate_that_is_not_there_yet_a_wrong_token_and_another_cluster_are_told_in_words() {
    let mut gate = Gate::that_allows();
    let hello = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"},
    });
    let mut wrong = host_at(&gate.at, "opgt_wrong", &gate.elsewhere);
    for (method, params) in [
        ("initialize", hello.clone()),
        ("tools/list", modern(json!({}))),
        ("initialize", hello.clone()),
    ] {
        let refused = wrong.ask(method, params);
        assert_eq!(
            refused["error"]["data"]["kind"], "unauthorized",
            "{refused}"
        );
        let words = refused["error"]["message"].as_str().unwrap();
        assert!(
            words.contains("token") && words.contains("Nothing was done"),
            "{words}"
        );
        assert!(!words.contains("opgt_wrong"));
    }
    assert_eq!(wrong.end().0, Some(0));
    let mut other = Host::of(
        Command::new(env!("CARGO_BIN_EXE_operator"))
            .args([
                "mcp",
                "--server",
                &format!("http://{}", gate.at),
                "--cluster",
                "a b/../prod",
            ])
            .env_clear()
            .env("OPERATOR_TOKEN", &gate.secret),
    );
    let refused = other.ask("initialize", hello);
    assert_eq!(refused["error"]["data"]["kind"], "not_found", "{refused}");
    assert_eq!(other.end().0, Some(0));
    // One that is started later is found.
    gate.stop();
    let mut host = host_at(&gate.at, &gate.secret, &gate.elsewhere);
    let away = host.ask("tools/list", modern(json!({})));
    assert_eq!(away["error"]["data"]["kind"], "not_reached", "{away}");
    let at = gate.at.clone();
    (gate.process, gate.at) = serve(&gate.place, &at);
    host.initialize();
    assert!(host.call("list_stores", json!({}))["stores"].is_array());
}

/// What a stand-in for a gate was asked: method and path, head, body.
#[derive(Debug, Clone)]
struct Asked {
    line: String,
    head: String,
    body: String,
}

/// Answers each request by what is made of it, and keeps it. `None` is no answer, after all was read.
struct StandIn {
    at: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    fn new(answer: impl Fn(&Asked) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read(&mut stream) else {
                    continue;
                };
                kept.lock().unwrap().push(request.clone());
                if let Some(answer) = answer(&request) {
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
        });
        Self { at, asked }
    }

    fn asked(&self, what: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        let them = asked
            .iter()
            .filter(|asked| asked.line.starts_with(what) || asked.body.contains(what));
        them.cloned().collect()
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let line = head.lines().next()?.to_owned();
    let body = String::from_utf8(body).ok()?;
    Some(Asked {
        line,
        head: lower,
        body,
    })
}

fn http(status: &str, form: &str, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\nContent-Type: {form}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
}

/// A request's answer, in the form of the protocol.
fn answered(asked: &Asked, result: Value) -> Option<String> {
    let request: Value = serde_json::from_str(&asked.body).unwrap();
    let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
    http("200 OK", "application/json", &answer.to_string())
}

#[test]
fn a_lost_answer_is_told_and_its_request_is_sent_once() {
    let elsewhere = TempDir::new().unwrap();
    let gate = StandIn::new(|asked| match asked.body.contains("\"tools/call\"") {
        true => None,
        false => answered(
            asked,
            json!({"tools": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}),
        ),
    });
    let mut host = host_at(&gate.at, "opgt_x", &elsewhere);
    let call = modern(json!({"name": "drain_store", "arguments": {"store_id": "4"}}));
    let lost = host.ask("tools/call", call);
    assert_eq!(lost["error"]["data"]["kind"], "lost", "{lost}");
    let words = lost["error"]["message"].as_str().unwrap();
    assert!(
        words.contains("the same call") && words.contains("`get_proposal`"),
        "{words}"
    );
    assert!(host.ask("tools/list", modern(json!({})))["result"].is_object());
    let sent = gate.asked("\"tools/call\"");
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].line, "POST /mcp/prod HTTP/1.1");
    for header in [
        "authorization: bearer opgt_x\r\n",
        "mcp-protocol-version: 2026-07-28\r\n",
        "mcp-method: tools/call\r\n",
        "mcp-name: drain_store\r\n",
    ] {
        assert!(sent[0].head.contains(header), "{}", sent[0].head);
    }
    assert_eq!(host.end().0, Some(0));
}

#[test]
fn an_answer_that_breaks_off_in_a_session_is_told_and_the_session_is_ended_at_the_end() {
    let elsewhere = TempDir::new().unwrap();
    let gate = StandIn::new(|asked| {
        if asked.line.starts_with("GET") {
            return http("405 Method Not Allowed", "text/plain", "");
        }
        if asked.body.contains("\"tools/call\"") {
            // The stream ends before the answer.
            return http("200 OK", "text/event-stream", ": wait\n\n");
        }
        if asked.body.contains("\"initialize\"") {
            let server = json!({"name": "operator", "version": "1"});
            let result =
                json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": server});
            return answered(asked, result)
                .map(|answer| answer.replacen("\r\n", "\r\nMcp-Session-Id: s-1\r\n", 1));
        }
        match asked.line.starts_with("DELETE") {
            true => http("204 No Content", "text/plain", ""),
            false => http("202 Accepted", "text/plain", ""),
        }
    });
    let mut host = host_at(&gate.at, "opgt_x", &elsewhere);
    host.initialize();
    let call = json!({"name": "drain_store", "arguments": {"store_id": "4"}});
    let lost = host.ask("tools/call", call);
    assert_eq!(lost["error"]["data"]["kind"], "lost", "{lost}");
    assert!(
        lost["error"]["message"]
            .as_str()
            .unwrap()
            .contains("the same call"),
        "{lost}"
    );
    assert_eq!(host.end().0, Some(0));
    let sent = gate.asked("\"tools/call\"");
    assert_eq!(sent.len(), 1);
    assert!(
        sent[0].head.contains("mcp-session-id: s-1\r\n"),
        "{}",
        sent[0].head
    );
    assert!(
        sent[0]
            .head
            .contains("mcp-protocol-version: 2025-11-25\r\n"),
        "{}",
        sent[0].head
    );
    let deleted = gate.asked("DELETE /mcp/prod");
    assert_eq!(deleted.len(), 1);
    assert!(deleted[0].head.contains("mcp-session-id: s-1\r\n"));
}

#[test]
fn whatever_a_gate_answers_is_told_and_the_next_request_is_asked() {
    let elsewhere = TempDir::new().unwrap();
    let problem = |detail: &str| json!({"code": "x", "detail": detail}).to_string();
    let answers = [
        (
            "429 Too Many Requests",
            "application/problem+json",
            problem("too many requests per minute"),
            "too_many",
            "Wait a minute",
        ),
        (
            "503 Service Unavailable",
            "text/plain",
            "the server is shutting down".to_owned(),
            "unavailable",
            "the same call",
        ),
        (
            "502 Bad Gateway",
            "text/html",
            "<p>nginx</p>".to_owned(),
            "unavailable",
            "the same call",
        ),
        (
            "403 Forbidden",
            "application/problem+json",
            problem("no page may ask\u{7}"),
            "refused",
            "Nothing was done",
        ),
        (
            "307 Temporary Redirect",
            "text/plain",
            String::new(),
            "refused",
            "Redirects are not followed",
        ),
        (
            "200 OK",
            "text/html",
            "<p>hello</p>".to_owned(),
            "not_understood",
            "the same call",
        ),
        (
            "200 OK",
            "application/json",
            "{\"jsonrpc\": ".to_owned(),
            "not_understood",
            "the same call",
        ),
        (
            "200 OK",
            "application/json",
            "[]".to_owned(),
            "not_understood",
            "the same call",
        ),
        (
            "200 OK",
            "application/json",
            json!({"jsonrpc": "2.0", "id": 4711, "result": {}}).to_string(),
            "not_understood",
            "an answer to another request",
        ),
        (
            "200 OK",
            "text/event-stream",
            format!(
                "data: {}\n\n",
                json!({"jsonrpc": "2.0", "id": 4711, "result": {}})
            ),
            "lost",
            "the same call",
        ),
        (
            "202 Accepted",
            "text/plain",
            String::new(),
            "not_understood",
            "not an answer to a request",
        ),
    ];
    let given = answers.clone();
    let next = Mutex::new(given.into_iter());
    let gate = StandIn::new(move |_| {
        let (status, form, body, ..) = next.lock().unwrap().next()?;
        http(status, form, &body)
    });
    let mut host = host_at(&gate.at, "opgt_x", &elsewhere);
    for (status, form, _, kind, words) in answers {
        let asked = host.ask(
            "tools/call",
            modern(json!({"name": "undo", "arguments": {}})),
        );
        assert_eq!(
            asked["error"]["data"]["kind"], kind,
            "{status} {form}: {asked}"
        );
        let message = asked["error"]["message"].as_str().unwrap();
        assert!(
            message.contains(words) && !message.contains(['<', '\u{7}']),
            "{message}"
        );
    }
    assert_eq!(host.end().0, Some(0));
    assert_eq!(gate.asked("POST").len(), 11);
}

/// What is in the file when it is asked, or was in it last: tokens of issuers are good for minutes.
#[test]
fn a_token_is_read_from_its_file_again() {
    let elsewhere = TempDir::new().unwrap();
    let list = json!({"tools": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"});
    let gate = StandIn::new(move |asked| answered(asked, list.clone()));
    let file = elsewhere.path().join("token");
    fs::write(&file, "a.first.token\n").unwrap();
    let mut host = Host::of(
        Command::new(env!("CARGO_BIN_EXE_operator"))
            .args(["mcp", "--server", &format!("http://{}", gate.at)])
            .args(["--cluster", "prod", "--token-file"])
            .arg(&file)
            .env_clear(),
    );
    let mut list = || assert!(host.ask("tools/list", modern(json!({})))["result"].is_object());
    list();
    fs::write(&file, "a.second.token\n").unwrap();
    list();
    fs::remove_file(&file).unwrap();
    list();
    let sent = gate.asked("POST");
    let tokens = sent.iter().map(|asked| {
        let token = asked.head.split("authorization: bearer ").nth(1);
        token.and_then(|rest| rest.lines().next()).unwrap()
    });
    let tokens: Vec<&str> = tokens.collect();
    assert_eq!(
        tokens,
        ["a.first.token", "a.second.token", "a.second.token"]
    );
    assert_eq!(host.end().0, Some(0));
}

#[test]
fn what_is_of_this_machine_says_nothing_to_a_gate() {
    let at = ["mcp", "--server", "http://127.0.0.1:1", "--cluster", "prod"];
    for given in [
        &["--policy-file", "p"][..],
        &["--state-dir", "s"],
        &["--up-to", "low"],
        &["--read-only"],
        &["--actor", "agent:night"],
        &["--pd", "http://127.0.0.1:1"],
        &["--cluster-id", "7"],
        &["--sign-with", "k"],
        &["--config", "c"],
        &["--answer-within", "5s"],
    ] {
        operator(&[&at[..], given].concat())
            .ended(2)
            .says(given[0])
            .says("has no effect with `--server`");
    }
    operator(&at).ended(2).says("OPERATOR_TOKEN");
    operator(&at[..3]).ended(2).says("--cluster NAME");
    operator(&["mcp", "--token-file", "t"])
        .ended(2)
        .says("--server");
    let place = TempDir::new().unwrap();
    let token = place.path().join("token");
    fs::write(&token, "opgt_x\n").unwrap();
    let token = token.to_str().unwrap();
    for (address, token, why) in [
        (
            "http://gate.example.com:7070",
            "/dev/null",
            "no token for the gate",
        ),
        (
            "http://gate.example.com:7070",
            "/dev/zero",
            "too long for a token",
        ),
        ("http://gate.example.com:7070", token, "without TLS"),
        ("gate/x", token, "leave out the path"),
    ] {
        let server = ["mcp", "--server", address, "--cluster", "prod"];
        let wrong = [&server[..], &["--token-file", token]].concat();
        operator(&wrong).ended(2).says(why);
    }
}

#[test]
fn the_entry_of_a_host_has_the_file_of_the_token_and_no_token() {
    let words = [
        "mcp",
        "--print-config",
        "codex",
        "--server",
        "https://gate:7070",
        "--cluster",
        "prod",
    ];
    let files = [
        "--token-file",
        "token",
        "--ca-file",
        "/etc/ca.pem",
        "-o",
        "table",
    ];
    let printed = operator(&[&words[..], &files].concat()).ended(0).stdout;
    let read: toml::Table = printed.parse().unwrap();
    let arguments = read["mcp_servers"]["operator"]["args"].as_array().unwrap();
    let arguments: Vec<&str> = arguments.iter().map(|one| one.as_str().unwrap()).collect();
    let token = std::path::absolute("token").unwrap();
    let given = [
        "mcp",
        "--server",
        "https://gate:7070",
        "--cluster",
        "prod",
        "--token-file",
    ];
    let wanted = [
        &given[..],
        &[token.to_str().unwrap(), "--ca-file", "/etc/ca.pem"],
    ]
    .concat();
    assert_eq!(arguments, wanted);
}
