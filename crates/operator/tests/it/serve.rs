//! `operator serve`: the gate, as an agent with a token meets it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::{Value, json};

use crate::Cluster;
use crate::harness::{Finished, operator};

/// A key that OpenSSL made for these tests, and its public half.
pub(crate) const ANA: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----
";
const ANA_PUBLIC: &str = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=";

/// A simulated cluster, and the files of a gate to it.
pub(crate) struct Place(pub(crate) Cluster);

impl Place {
    pub(crate) fn new() -> Self {
        Self::of(Cluster::start())
    }

    pub(crate) fn of(cluster: Cluster) -> Self {
        let place = Self(cluster);
        let sim = &place.0.sim;
        let (pd, id) = (sim.endpoint(), sim.cluster_id());
        let config =
            format!("[clusters.prod]\nsubject = \"tikv\"\npd = \"{pd}\"\ncluster_id = \"{id}\"\n");
        let policy = format!(
            "version = 1\n[[person]]\nname = \"user:ana\"\nkey = \"{ANA_PUBLIC}\"\n\
             [[rule]]\nname = \"agents\"\nproven_by = \"token\"\ndecision = \"allow\"\n"
        );
        for (name, text) in [
            ("config.toml", &*config),
            ("policy.toml", &policy),
            ("key.pem", ANA),
        ] {
            fs::write(place.path(name), text).unwrap();
        }
        place.execute();
        place
    }

    /// Ana sets the mode to execute, and signs that.
    pub(crate) fn execute(&self) {
        let key = self.path("key.pem");
        let by = ["--actor", "user:ana", "--sign-with", &key];
        let mode = ["mode", "execute", "--reason", "a test"];
        self.operator(&[&mode[..], &by].concat()).ended(0);
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.state.path().join(name).display().to_string()
    }

    /// The secret of a token that Ana makes for an agent.
    pub(crate) fn token(&self, agent: &str) -> String {
        let key = self.path("key.pem");
        let create = ["token", "create", "--actor", agent, "--cluster", "prod"];
        let more = ["--up-to", "medium", "--expires", "1d", "--sign-with", &key];
        let made = self.operator(&[&create[..], &more].concat()).ended(0);
        made.stdout.trim().to_owned()
    }

    pub(crate) fn files(&self) -> [String; 6] {
        let [config, policy] = ["config.toml", "policy.toml"].map(|name| self.path(name));
        let state = self.0.state_dir().to_owned();
        let flags = ["--config", "--policy-file", "--state-dir"].map(str::to_owned);
        let [one, two, three] = flags;
        [one, config, two, policy, three, state]
    }

    pub(crate) fn operator(&self, arguments: &[&str]) -> Finished {
        let files = self.files();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        operator(&[arguments, &files].concat())
    }

    fn serve(&self) -> Served {
        self.serve_at("127.0.0.1:0")
    }

    pub(crate) fn serve_at(&self, listen: &str) -> Served {
        let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
        command
            .args(["serve", "--listen", listen])
            .args(self.files());
        Served::by(&mut command)
    }
}

pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) at: String,
    metrics: String,
    /// What it says of itself.
    pub(crate) shown: Value,
    stderr: BufReader<ChildStderr>,
}

impl Served {
    /// Begins to serve, as the rest of this command says.
    pub(crate) fn by(command: &mut Command) -> Self {
        let mut child = command
            .args(["--up-to", "medium", "-o", "jsonl"])
            .args(["--metrics-listen", "127.0.0.1:0"])
            .env_remove("OPERATOR_CLUSTER")
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .env("OPERATOR_SETTLE_FOR", "0s")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let shown: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(shown["clusters"], json!(["prod"]));
        let at = shown["listening"].as_str().unwrap().to_owned();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let metrics = shown["metrics"].as_str().unwrap().to_owned();
        Self {
            child,
            at,
            metrics,
            shown,
            stderr,
        }
    }

    pub(crate) fn tell(&self, signal: &str) {
        let process = self.child.id().to_string();
        let told = Command::new("kill").args([signal, &process]).status();
        assert!(told.unwrap().success());
    }

    /// Reads what it says until this.
    pub(crate) fn says(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let read = self.stderr.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended without saying `{text}`");
        }
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        secret: &str,
        body: &str,
    ) -> (String, String) {
        let mut stream = TcpStream::connect(&self.at).unwrap();
        let (at, length) = (&self.at, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {secret}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].to_owned(), body.to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn an_agent_with_a_token_moves_a_leader_and_the_journal_says_how_it_was_proven() {
    let place = Place::new();
    let secret = place.token("agent:night");
    let mut served = place.serve();
    let region = place.0.first_region();
    let parameters = json!({"region_id": region.id, "to_store_id": region.follower.to_string()});
    let parameters = json!({"action": "transfer_leader", "parameters": parameters}).to_string();
    let proposals = "/api/v1/clusters/prod/proposals";
    assert_eq!(
        served.ask("POST", proposals, "opgt_no", &parameters).0,
        "401"
    );
    assert_eq!(place.0.sim.writes(), []);
    let (status, asked) = served.ask("POST", proposals, &secret, &parameters);
    assert_eq!(status, "201", "{asked}");
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let id = asked["proposal"]["id"].as_str().unwrap();
    let (status, done) = served.ask(
        "POST",
        &format!("/api/v1/proposals/{id}/execute"),
        &secret,
        "",
    );
    assert_eq!(status, "200", "{done}");
    assert!(done.contains("\"phase\":\"applied\""), "{done}");
    assert_eq!(place.0.sim.writes().len(), 1);
    let by = "agent:night (identity proven by token";
    place.operator(&["journal", "show"]).ended(0).shows(by);
    place
        .operator(&["proposals", "show", id])
        .ended(0)
        .shows(by)
        .shows("created by user:ana");
    let shown = place
        .operator(&["proposals", "show", id, "-o", "json"])
        .ended(0)
        .json();
    assert_eq!(shown["requester_identity"], "token");
    served.tell("-TERM");
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn it_is_not_opened_where_it_would_protect_nothing() {
    let place = Place::new();
    let far = ["serve", "--listen", "0.0.0.0:0"];
    place.operator(&far).ended(2).says("without TLS");
    let config = place.path("config.toml");
    let state = place.0.state_dir();
    let anywhere = ["serve", "--listen", "127.0.0.1:0", "--state-dir", state];
    operator(&[&anywhere[..], &["--config", &config]].concat())
        .ended(2)
        .says("a policy that lists people");
    let policy = place.path("policy.toml");
    operator(&[&anywhere[..], &["--policy-file", &policy]].concat())
        .ended(2)
        .says("no cluster to serve");
}

/// Figures are at a place of their own, for whoever asks, and name nobody.
#[test]
fn figures_are_served_at_a_listener_of_their_own() {
    let place = Place::new();
    let secret = place.token("agent:night");
    let served = place.serve_at("127.0.0.1:0");
    assert_eq!(served.ask("GET", "/api/v1/mode", &secret, "").0, "200");
    assert_eq!(served.ask("GET", "/metrics", &secret, "").0, "404");
    let ask = |path: &str, more: &str| {
        let mut stream = TcpStream::connect(&served.metrics).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}\r\n",
            served.metrics
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let page = ask("/metrics", "");
    for line in [
        "content-type: text/plain; version=0.0.4",
        "operator_gate_requests_total{status=\"2xx\"} 1",
        "operator_gate_requests_total{status=\"4xx\"} 1",
        "operator_gate_journal_readable 1",
        "operator_gate_stopped{cluster=\"prod\"} 0",
        "operator_gate_executes{cluster=\"prod\"} 1",
        "operator_gate_proposals_open{cluster=\"prod\",phase=\"needs_approval\"} 0",
        "operator_gate_effects_overdue{cluster=\"prod\"} 0",
    ] {
        assert!(
            page.contains(&format!("{line}\n")) || page.contains(&format!("{line}\r\n")),
            "{line}: {page}"
        );
    }
    assert!(!page.contains("night") && !page.contains(&secret), "{page}");
    place
        .operator(&["kill-switch", "on", "--reason", "smoke"])
        .ended(0);
    assert!(ask("/metrics", "").contains("operator_gate_stopped{cluster=\"prod\"} 1\n"));
    for (path, more) in [
        ("/api/v1/mode", ""),
        ("/metrics", "Cookie: x\r\n"),
        ("/metrics", "Origin: http://evil.example\r\n"),
    ] {
        let refused = ask(path, more);
        assert!(
            !refused.starts_with("HTTP/1.1 200"),
            "{path} {more}: {refused}"
        );
    }
    let here = ["serve", "--listen", "127.0.0.1:0"];
    let far = [&here[..], &["--metrics-listen", "0.0.0.0:0"]].concat();
    place.operator(&far).ended(2).says("without TLS");
}
