//! Starting a simulator.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::net::TcpListener;

use crate::clock::{Clock, Time};
use crate::cluster::Cluster;
use crate::cluster::labels::first_keyspace;
use crate::cluster::members::Member;
use crate::fault::Faults;
use crate::received::Received;
use crate::server::{self, Shared, State};
use crate::settings::Settings;
use crate::sim::{Error, Sim};
use crate::version::Version;

/// What a [`Sim`] is started from.
///
/// The default is one member of PD 8.5, bootstrapped, with five stores and sixty regions of three
/// voters, on a real clock.
#[derive(Debug, Clone)]
pub struct Builder {
    version: Version,
    clock: Clock,
    seed: u64,
    stores: u64,
    tiflash_stores: u64,
    regions: u64,
    recorded: Option<(String, String)>,
    start: Option<SystemTime>,
    bootstrapped: bool,
    cluster_id: Option<u64>,
    members: usize,
    first_member: Option<Member>,
    first_id: Option<u64>,
    labeler_split_keys: Vec<String>,
    keyspace_labels: bool,
    control: bool,
    port: u16,
    settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            version: Version::V8_5,
            clock: Clock::Real,
            seed: 0,
            stores: 5,
            tiflash_stores: 0,
            regions: 60,
            recorded: None,
            start: None,
            bootstrapped: true,
            cluster_id: None,
            members: 1,
            first_member: None,
            first_id: None,
            labeler_split_keys: Vec::new(),
            keyspace_labels: false,
            control: false,
            port: 0,
            settings: Settings::default(),
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $($field:ident).+;)*) => {
        impl Builder {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, $name: $type) -> Self {
                    self.$($field).+ = $name.into();
                    self
                }
            )*
        }
    };
}

setters! {
    /// The PD release to behave like.
    version: Version => version;
    /// What moves time.
    clock: Clock => clock;
    /// Decides every choice PD makes at random.
    seed: u64 => seed;
    /// How many stores there are: ids from 1.
    stores: u64 => stores;
    /// How many TiFlash stores there are besides, empty at first: the ids after the others'.
    tiflash_stores: u64 => tiflash_stores;
    /// How many regions there are, three voters each, leaders spread evenly.
    regions: u64 => regions;
    /// What time it is at the start; now, by default.
    start_time: SystemTime => start;
    /// Whether the cluster is bootstrapped; see [`Sim::bootstrap`].
    bootstrapped: bool => bootstrapped;
    /// The cluster's id.
    cluster_id: u64 => cluster_id;
    /// The next id PD allocates.
    next_id: u64 => first_id;
    /// Time between two heartbeats of a store. PD's default is 10 s.
    heartbeat_interval: Duration => settings.heartbeat_interval;
    /// Time from a command to a store until the heartbeat that shows it done; 200 ms by default.
    step_latency: Duration => settings.step_latency;
    /// How long a new learner stays pending; not at all by default.
    snapshot_latency: Duration => settings.snapshot_latency;
    /// Time between two patrols of the checkers; 1 s by default.
    checker_interval: Duration => settings.checker_interval;
    /// Time between two rounds of the schedulers; 200 ms by default.
    ///
    /// A drain moves up to three leaders a round, plus what the steps take: twelve leaders at 2 s a round and a batch of 3 are gone in about 8 s.
    evict_interval: Duration => settings.evict_interval;
    /// Whether balance-leader brings leaders back to stores that have few; off by default.
    balance_leader: bool => settings.balance_leader;
    /// Whether stores split regions when asked; they do by default.
    ///
    /// If they do not, split operators stay running until they time out.
    executes_splits: bool => settings.executes_splits;
    /// Whether there is the label rule of the first keyspace, as every cluster has it from 7.1
    /// on; off by default. Its borders split the first and the last region.
    keyspace_labels: bool => keyspace_labels;
    /// Whether `/sim/control` is served, through which another process scripts the simulator; off
    /// by default.
    ///
    /// A `POST` there carries one command: `{"fault": {"effect": "lose_reply", "method": "POST",
    /// "path": "/operators"}}`, `{"clear_faults": {}}`, `{"advance": {"ms": 5000}}`,
    /// `{"change_leader": {"election_ms": 13000, "outage": "redirect_failed"}}` or
    /// `{"store": {"id": 3, "stuck": true}}`. A `GET` reports what was received.
    control: bool => control;
    /// The first member's port on 127.0.0.1; further members have the next ones. By default the
    /// system chooses.
    port: u16 => port;
}

impl Builder {
    /// Takes stores and regions from what a PD answered: the bodies of `GET /stores` and of a
    /// region list.
    #[must_use]
    pub fn from_recorded(mut self, stores_body: &str, regions_body: &str) -> Self {
        self.recorded = Some((stores_body.to_owned(), regions_body.to_owned()));
        self
    }

    /// How many members there are, each with an endpoint of its own; all but the leader forward.
    #[must_use]
    pub fn members(mut self, members: usize) -> Self {
        self.members = members.max(1);
        self
    }

    /// What `GET /members` says about the first member, which leads.
    #[must_use]
    pub fn first_member(mut self, name: &str, id: u64, peer_url: &str, client_url: &str) -> Self {
        self.first_member = Some(Member {
            name: name.to_owned(),
            id,
            peer_url: peer_url.to_owned(),
            client_url: client_url.to_owned(),
            priority: 0,
        });
        self
    }

    /// Keys, in hex, at which region labels want regions split: the checker makes
    /// `labeler-split-region` operators for regions that hold one.
    #[must_use]
    pub fn labeler_split_keys<'a>(mut self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        self.labeler_split_keys = keys.into_iter().map(str::to_ascii_uppercase).collect();
        self
    }

    /// Starts serving on ports the system chooses.
    ///
    /// # Errors
    ///
    /// When no port can be had, or when a recorded state is not what PD answers.
    pub async fn start(self) -> Result<Sim, Error> {
        let start = self.start.map_or_else(Time::wall, Time::from);
        let mut cluster = self.cluster(start)?;
        let mut listeners = Vec::new();
        let mut endpoints = Vec::new();
        for index in 0..self.members {
            let port = match self.port {
                0 => 0,
                first => u16::try_from(index).map_or(0, |index| first.saturating_add(index)),
            };
            let bind = |source| Error::Bind { source };
            let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(bind)?;
            let endpoint = format!("http://{}", listener.local_addr().map_err(bind)?);
            cluster.members.list.push(member(index, &endpoint));
            endpoints.push(endpoint);
            listeners.push(listener);
        }
        if let (Some(shown), Some(first)) = (self.first_member, cluster.members.list.first_mut()) {
            *first = shown;
        }
        let shared = Shared::new(State {
            cluster,
            faults: Faults::default(),
            received: Received::default(),
            control: self.control,
            real: (self.clock == Clock::Real).then(|| (Instant::now(), start)),
        });
        let tasks = listeners
            .into_iter()
            .enumerate()
            .map(|(index, listener)| {
                tokio::spawn(server::listen(Arc::clone(&shared), listener, index))
            })
            .collect();
        let ticker =
            (self.clock == Clock::Real).then(|| tokio::spawn(server::tick(Arc::clone(&shared))));
        Ok(Sim::new(shared, endpoints, tasks, ticker))
    }

    /// The cluster at the start, without its members.
    fn cluster(&self, start: Time) -> Result<Cluster, Error> {
        let mut cluster = Cluster::new(self.version, self.settings.clone(), start, self.seed);
        match &self.recorded {
            None => cluster.populate(self.stores, self.tiflash_stores, self.regions),
            Some((stores, regions)) => cluster
                .load(stores, regions)
                .map_err(|source| Error::Recorded { source })?,
        }
        cluster.bootstrapped = self.bootstrapped.then_some(start);
        cluster.id = self.cluster_id.unwrap_or(cluster.id);
        if self.keyspace_labels {
            let rule = first_keyspace(!cluster.rows().kv_sizes);
            cluster.labels.rules.insert(rule.id.clone(), rule);
        }
        if !self.labeler_split_keys.is_empty() {
            cluster
                .labeler_split_keys
                .clone_from(&self.labeler_split_keys);
            cluster.check_everything();
        }
        if let Some(id) = self.first_id {
            cluster.set_next_id(id);
        }
        Ok(cluster)
    }
}

fn member(index: usize, endpoint: &str) -> Member {
    Member {
        name: format!("pd{index}"),
        id: 2_556_065_158_137_864_467 + index as u64 * 1_000_003,
        peer_url: endpoint.to_owned(),
        client_url: endpoint.to_owned(),
        priority: 0,
    }
}
