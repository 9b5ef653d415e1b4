//! TiKV and a real etcd side by side in one state directory.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use action_core::{Observation as _, Subject as _};
use operator_etcd::{Etcd, ListMembers, Members};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::two_systems::{Systems, at, limit};

/// Three members, gone with the test.
struct Cluster {
    processes: Vec<Child>,
    endpoints: String,
    id: String,
    _directory: TempDir,
}

impl Cluster {
    /// `None` where there is no etcd to test against.
    async fn start() -> Option<Self> {
        let program = std::env::var_os("ETCD_PROGRAM_TEST")?;
        let directory = TempDir::new().unwrap();
        let ports = free_ports(6);
        let url = |at: usize| format!("http://127.0.0.1:{}", ports[at]);
        let all: Vec<_> = (0..3).map(|at| format!("m{at}={}", url(at + 3))).collect();
        let member = |at: usize| {
            let (client, peer) = (url(at), url(at + 3));
            Command::new(&program)
                .args(["--name", &format!("m{at}"), "--data-dir"])
                .arg(directory.path().join(format!("m{at}")))
                .args(["--listen-client-urls", &client])
                .args(["--advertise-client-urls", &client])
                .args(["--listen-peer-urls", &peer])
                .args(["--initial-advertise-peer-urls", &peer])
                .args(["--initial-cluster", &all.join(",")])
                .args(["--initial-cluster-token", &url(3)])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let mut cluster = Self {
            processes: (0..3).map(member).collect(),
            endpoints: (0..3).map(url).collect::<Vec<_>>().join(","),
            id: String::new(),
            _directory: directory,
        };
        cluster.members().await;
        cluster.id = cluster.etcd().identity().await.unwrap();
        Some(cluster)
    }

    fn etcd(&self) -> Etcd {
        Etcd::at(&self.endpoints).unwrap()
    }

    /// Its members, once all answer and one leads.
    async fn members(&self) -> Members {
        let etcd = self.etcd();
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        loop {
            looks.tick().await;
            if let Ok(seen) = (ListMembers {}).observe(&etcd).await
                && seen.leader.is_some()
                && seen.members.iter().all(|member| member.answers)
            {
                return seen;
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<_> = (0..count)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let ports = listeners.iter();
    ports.map(|one| one.local_addr().unwrap().port()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tikv_and_etcd_are_changed_from_one_state_directory() {
    let Some(etcd) = Cluster::start().await else {
        return;
    };
    let systems = Systems::start().await;
    let (old, new) = (systems.etcd.uri(), etcd.endpoints.clone());
    systems.configure(|text| {
        text.replace(&old, &new)
            .replace("6bf72bc69e33ddfc", &etcd.id)
    });
    systems
        .shows(&["mode", "execute", "--reason", "a test"])
        .await;
    let members = etcd.members().await;
    let leader = members.leader.unwrap().to_string();
    let ids = members.members.iter().map(|one| one.member_id.to_string());
    let other = ids.into_iter().find(|id| *id != leader).unwrap();
    let lead = ["run", "move_leader", "--to-member-id", &other, "--yes"];
    // What is stopped for one system leaves the other running.
    let on = ["kill-switch", "on", "--reason", "a test"];
    systems.shows(&at(&on, "prod")).await;
    let moved = systems.shows(&at(&lead, "meta")).await;
    assert_eq!(moved["outcome"]["result"], "applied", "{moved}");
    systems.ends(3, &at(&limit("3"), "prod")).await;
    let over = ["kill-switch", "reset", "--reason", "a test"];
    systems.shows(&at(&over, "prod")).await;
    let execute = ["mode", "execute", "--reason", "a test"];
    systems.shows(&at(&execute, "prod")).await;
    systems.shows(&at(&limit("3"), "prod")).await;
    // By its id alone, to the system of its record.
    let id = moved["id"].as_str().unwrap();
    let undo = ["undo", id, "--yes"];
    let told = systems.ends(3, &at(&undo, "prod")).await;
    assert!(told.contains("it belongs to cluster `meta`"), "{told}");
    systems.shows(&undo).await;
    assert_eq!(etcd.members().await.leader.unwrap().to_string(), leader);
    let shown = systems.shows(&["journal", "show", "--id", id]).await;
    let its = json!({"subject": "etcd", "cluster": "meta", "system": etcd.id});
    for entry in shown["entries"].as_array().unwrap() {
        assert_eq!(entry["target"], its, "{entry}");
    }
    let known: Vec<Value> = systems.shows(&["journal", "show"]).await["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["target"]["cluster"].clone())
        .collect();
    assert!(known.contains(&json!("prod")) && known.contains(&json!("meta")));
}
