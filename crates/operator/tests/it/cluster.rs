//! A simulated cluster beside the command.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use action_guard::{Actor, Controls, Decider, FileJournal, Mode, Unrestricted};
use pd_sim::{Builder, Sim};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::harness::{Finished, operator};

/// A simulated cluster, and a directory for the journal.
pub(crate) struct Cluster {
    pub(crate) sim: Sim,
    pub(crate) state: TempDir,
    runtime: Runtime,
}

/// A region and stores around it.
pub(crate) struct RegionStores {
    pub(crate) id: String,
    pub(crate) leader: u64,
    /// Holds a replica and does not lead.
    pub(crate) follower: u64,
    /// Holds no replica.
    pub(crate) outside: u64,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::from(Sim::builder())
    }

    pub(crate) fn from(builder: Builder) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let state = TempDir::new().unwrap();
        runtime.block_on(may_send(state.path()));
        Self {
            sim: runtime.block_on(builder.start()).unwrap(),
            state,
            runtime,
        }
    }

    /// Asks PD itself to delete something, as somebody else would.
    pub(crate) fn delete(&self, path: &str) {
        let host = self.sim.endpoint().trim_start_matches("http://");
        let mut connection = TcpStream::connect(host).unwrap();
        let head = format!("DELETE {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        connection.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    pub(crate) fn state_dir(&self) -> &str {
        self.state.path().to_str().unwrap()
    }

    /// Runs the command against this cluster.
    pub(crate) fn operator(&self, arguments: &[&str]) -> Finished {
        let mut all = vec!["--pd", self.sim.endpoint()];
        all.extend(arguments);
        operator(&all)
    }

    /// The same with its own journal.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let mut all = vec!["run", "--state-dir", self.state_dir()];
        all.extend(arguments);
        self.operator(&all)
    }

    /// Any command with its own journal.
    pub(crate) fn with_state(&self, arguments: &[&str]) -> Finished {
        self.operator(&[arguments, &["--state-dir", self.state_dir()]].concat())
    }

    /// The same with a journal of somebody else.
    pub(crate) fn by_somebody_else(&self, arguments: &[&str]) -> Finished {
        let theirs = TempDir::new().unwrap();
        self.runtime.block_on(may_send(theirs.path()));
        let state_dir = ["--state-dir", theirs.path().to_str().unwrap()];
        self.operator(&[arguments, &state_dir[..]].concat())
    }

    /// `plan` or `run` of a transfer of the first region's leader, with its own journal.
    pub(crate) fn transfer(&self, verb: &str, to: u64, more: &[&str]) -> Finished {
        let (region, to) = (self.first_region().id, to.to_string());
        let transfer = [
            verb,
            "transfer_leader",
            "--region-id",
            &region,
            "--to-store-id",
            &to,
        ];
        self.with_state(&[&transfer[..], more].concat())
    }

    /// The same to a follower, which can be done.
    pub(crate) fn run_transfer(&self, more: &[&str]) -> Finished {
        self.transfer("run", self.first_region().follower, more)
    }

    pub(crate) fn first_region(&self) -> RegionStores {
        let region = self.sim.region_ids()[0];
        let leader = self.sim.leader_of(region).unwrap();
        let peers: Vec<u64> = self
            .sim
            .peers(region)
            .iter()
            .map(|peer| peer.store_id)
            .collect();
        RegionStores {
            id: region.to_string(),
            leader,
            follower: *peers.iter().find(|store| **store != leader).unwrap(),
            outside: (1..=5).find(|store| !peers.contains(store)).unwrap(),
        }
    }
}

/// Sets the mode of a state directory to execute, as a person would.
async fn may_send(state: &Path) {
    let journal = FileJournal::open(state).unwrap();
    let controls = Controls::new(Arc::new(journal), Arc::new(Unrestricted));
    let person: Actor = "user:ana".parse().unwrap();
    let set = controls.set_mode(Mode::Execute, Decider::claimed(&person), "a test");
    set.await.unwrap();
}
