//! A cluster of three processes on loopback, gone with the test.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use action_core::{ActionRegistry, Observation};
use action_guard::{
    Actor, Decider, Guard, MemoryJournal, Mode, Proposal, Report, Request, Standing,
};
use operator_etcd::{Etcd, ListMembers, MemberId, Members};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Cluster {
    processes: Vec<Child>,
    pub(crate) endpoints: Vec<String>,
    directory: TempDir,
}

impl Cluster {
    /// Three members of which one leads; `None` where there is no etcd to test against.
    pub(crate) async fn start() -> Option<Self> {
        let program = std::env::var_os("ETCD_PROGRAM_TEST")?;
        let directory = tempfile::tempdir().unwrap();
        let ports = free_ports(6);
        let url = |at: usize| format!("http://127.0.0.1:{}", ports[at]);
        let all: Vec<_> = (0..3).map(|at| format!("m{at}={}", url(at + 3))).collect();
        let all = all.join(",");
        let member = |at: usize| {
            let name = format!("m{at}");
            let data = directory.path().join(&name);
            member(&program, &name, data.as_os_str(), &url(at), &url(at + 3))
                .args([
                    "--initial-cluster",
                    &all,
                    "--initial-cluster-token",
                    &url(3),
                ])
                .spawn()
                .unwrap()
        };
        let cluster = Self {
            processes: (0..3).map(member).collect(),
            endpoints: (0..3).map(url).collect(),
            directory,
        };
        cluster
            .until(|seen| seen.leader.is_some() && seen.members.iter().all(|one| one.answers))
            .await;
        Some(cluster)
    }

    /// Starts a fourth member, which was added at this address.
    pub(crate) async fn start_fourth(&mut self, peer: &str) {
        let program = std::env::var_os("ETCD_PROGRAM_TEST").unwrap();
        let members = self.until(|members| members.members.len() == 4).await;
        let all = members.members.iter().map(|one| {
            let name = if one.name.is_empty() { "m3" } else { &one.name };
            format!("{name}={}", one.peer_urls[0])
        });
        let all = all.collect::<Vec<_>>().join(",");
        let client = format!("http://127.0.0.1:{}", free_ports(1)[0]);
        let data = self.directory.path().join("m3");
        let process = member(&program, "m3", data.as_os_str(), &client, peer)
            .args(["--initial-cluster", &all])
            .args(["--initial-cluster-state", "existing"])
            .spawn();
        self.processes.push(process.unwrap());
    }

    pub(crate) fn etcd(&self) -> Etcd {
        let etcd = Etcd::at(&self.endpoints.join(",")).unwrap();
        let (read, write) = (Duration::from_secs(2), Duration::from_secs(2));
        etcd.with_timeouts(read, write)
    }

    pub(crate) async fn guard(&self) -> Guarded {
        let mut registry = ActionRegistry::new();
        registry.register(self.etcd()).unwrap();
        let guard = Guard::new(registry, MemoryJournal::default()).settle_for(Duration::ZERO);
        let actor: Actor = "user:test".parse().unwrap();
        let by = Decider::claimed(&actor);
        let controls = guard.controls();
        controls.set_mode(Mode::Execute, by, "test").await.unwrap();
        Guarded(guard)
    }

    /// The members, when they are as they are waited for.
    pub(crate) async fn until(&self, is_so: impl Fn(&Members) -> bool) -> Members {
        loop {
            if let Ok(members) = (ListMembers {}).observe(&self.etcd()).await
                && is_so(&members)
            {
                return members;
            }
            a_moment().await;
        }
    }

    pub(crate) async fn leader(&self) -> MemberId {
        let members = self.until(|members| members.leader.is_some()).await;
        members.leader.unwrap()
    }

    /// Another member than the leader.
    pub(crate) async fn follower(&self) -> MemberId {
        self.followers().await[0]
    }

    /// All members but the leader.
    pub(crate) async fn followers(&self) -> Vec<MemberId> {
        let members = self.until(|members| members.leader.is_some()).await;
        let ids = members.members.iter().map(|one| one.member_id);
        ids.filter(|id| Some(*id) != members.leader).collect()
    }

    /// Writes a key, `a`, by the gateway.
    pub(crate) fn put(&self) {
        let body = r#"{"key":"YQ==","value":"YQ=="}"#;
        let answer = post(&self.endpoints[0], "/v3/kv/put", body);
        assert_eq!(answer.0, 200, "{answer:?}");
    }

    /// The same, by where they are.
    pub(crate) async fn process(&self, id: MemberId) -> u32 {
        let members = self.until(|members| !members.members.is_empty()).await;
        let mut members = members.members.iter();
        let name = &members.find(|one| one.member_id == id).unwrap().name;
        let at: usize = name.trim_start_matches('m').parse().unwrap();
        self.processes[at].id()
    }

    /// `STOP`, `CONT` or `KILL`, to a member's process.
    pub(crate) async fn signal(&self, signal: &str, id: MemberId) {
        self::signal(signal, self.process(id).await);
    }
}

/// What a member answers, status and body.
pub(crate) fn post(endpoint: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.0\r\nContent-Type: application/json");
    write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), body.to_owned())
}

/// The same, to a process.
pub(crate) fn signal(signal: &str, process: u32) {
    let mut kill = Command::new("kill");
    let status = kill.args([&format!("-{signal}"), &process.to_string()]);
    assert!(status.status().unwrap().success());
    // A thread that runs may go on for a moment after it was told to stop.
    while signal == "STOP" && !is_stopped(process) {
        std::thread::yield_now();
    }
}

/// Whether no thread of a process runs.
fn is_stopped(process: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"));
    threads.unwrap().all(|thread| {
        let stat = std::fs::read_to_string(thread.unwrap().path().join("stat"));
        // The state follows the name, which is in parentheses.
        let stat = stat.unwrap_or_default();
        let state = stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest.starts_with('T'));
        state.unwrap_or(true)
    })
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Between two looks at processes of others.
pub(crate) async fn a_moment() {
    moment(Duration::from_millis(200)).await;
}

/// The same, so long.
pub(crate) async fn moment(time: Duration) {
    let mut looks = tokio::time::interval(time);
    looks.tick().await;
    looks.tick().await;
}

/// A guard over a cluster that may change it.
pub(crate) struct Guarded(Guard);

impl Guarded {
    pub(crate) async fn propose(&self, action: &str, parameters: Value) -> Proposal {
        let request = Request::new(action, parameters, "user:test");
        match self.0.propose(request).await.unwrap() {
            Standing::Allowed(proposal) | Standing::RefusedByPlan { proposal, .. } => proposal,
            other => unreachable!("{other:?}"),
        }
    }

    pub(crate) async fn execute(&self, proposal: &Proposal) -> Report {
        let actor = proposal.requester().unwrap();
        let executed = self.0.execute(proposal, &actor, &mut |_| {}).await;
        let report = executed.and_then(Standing::into_report);
        report.unwrap()
    }
}

fn member(
    program: &OsString,
    name: &str,
    data: &std::ffi::OsStr,
    client: &str,
    peer: &str,
) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--name", name, "--data-dir"])
        .arg(data)
        .args(["--listen-client-urls", client])
        .args(["--advertise-client-urls", client])
        .args(["--listen-peer-urls", peer])
        .args(["--initial-advertise-peer-urls", peer])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

pub(crate) fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<_> = (0..count)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let ports = listeners.iter().map(|one| one.local_addr().unwrap().port());
    ports.collect()
}
