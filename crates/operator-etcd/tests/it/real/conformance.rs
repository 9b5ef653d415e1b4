//! The promises of every subject, tried on real members, with requests and answers lost before them.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use action_core::testing::{Broken, Example, FakeSystem, conformance_of};
use action_core::{ActionRegistry, Observation};
use async_trait::async_trait;
use operator_etcd::{Etcd, ListMembers, Members};
use serde_json::{Value, json};
use system_http::testing::{FakeAnswer, FakeApi, FakeRequest, FakeServer};

use crate::conformance::is_write;
use crate::real::cluster::{Cluster, a_moment, moment, post};

thread_local! {
    /// The cluster of the test, for all checks one after the other.
    static CLUSTER: RefCell<Option<Arc<Cluster>>> = const { RefCell::new(None) };
}

/// What stands before each member: it passes on what it is asked, and names itself for the member.
struct Before {
    members: Vec<String>,
    origins: Vec<String>,
    is_another: bool,
}

impl FakeApi for Before {
    fn is_write(&self, request: &FakeRequest) -> bool {
        is_write(request)
    }

    fn answer(&mut self, request: &FakeRequest) -> FakeAnswer {
        let member = &self.members[request.server];
        let (mut status, mut body) = post(member, &request.path, &request.body);
        // For a while after a change of members etcd takes no other, which no plan can read.
        while body.contains("unhealthy cluster") || request.path.ends_with("add") && status == 404 {
            std::thread::park_timeout(Duration::from_millis(100));
            (status, body) = post(member, &request.path, &request.body);
        }
        for (member, origin) in self.members.iter().zip(&self.origins) {
            body = body.replace(&format!("\"{member}\""), &format!("\"{origin}\""));
        }
        if self.is_another {
            body = body.replace("\"cluster_id\":\"", "\"cluster_id\":\"1");
        }
        FakeAnswer::new(status, body)
    }
}

struct RealEtcd {
    server: FakeServer<Before>,
    cluster: Arc<Cluster>,
    members: Members,
    revision: u64,
}

impl RealEtcd {
    /// Does it beside what is tried, as soon as etcd takes it.
    async fn done(cluster: &Cluster, action: &str, parameters: Value) {
        let mut registry = ActionRegistry::new();
        registry.register(cluster.etcd()).unwrap();
        while registry
            .invoke_unguarded(action, parameters.clone())
            .await
            .is_err()
        {
            a_moment().await;
        }
    }
}

#[async_trait]
impl FakeSystem for RealEtcd {
    type Subject = Etcd;

    async fn start(action: &str) -> Self {
        let cluster = CLUSTER.with_borrow(|cluster| cluster.clone().unwrap());
        let members = cluster.until(|seen| seen.leader.is_some()).await;
        for learner in members.members.iter().filter(|one| one.learner) {
            let learner = json!({"member_id": learner.member_id});
            Self::done(&cluster, "remove_member", learner).await;
        }
        if action == "remove_member" {
            let new = json!({"peer_url": "http://127.0.0.1:1"});
            Self::done(&cluster, "add_learner_member", new).await;
        }
        cluster.put();
        let newest = post(&cluster.endpoints[0], "/v3/maintenance/status", "{}").1;
        let newest: Value = serde_json::from_str(&newest).unwrap();
        let revision = newest["header"]["revision"].as_str().unwrap();
        let members = cluster.until(|seen| seen.leader.is_some()).await;
        let before = |origins: &[String]| Before {
            members: cluster.endpoints.clone(),
            origins: origins.to_vec(),
            is_another: false,
        };
        Self {
            server: FakeServer::start_several(3, before).await.unwrap(),
            members,
            revision: revision.parse().unwrap(),
            cluster,
        }
    }

    async fn connect(&self) -> Etcd {
        Etcd::at(self.server.origin()).unwrap()
    }

    fn example(&self, action: &str) -> Example {
        let mut members = self.members.members.iter();
        match action {
            "move_leader" => {
                let is_follower = |id| Some(id) != self.members.leader;
                let to = members.find(|one| is_follower(one.member_id)).unwrap();
                Example::new(json!({"to_member_id": to.member_id}))
                    .rejected(json!({"to_member_id": "1"}))
            }
            "add_learner_member" => {
                let there = &members.next().unwrap().peer_urls[0];
                Example::new(json!({"peer_url": "http://127.0.0.1:1"}))
                    .rejected(json!({"peer_url": there}))
            }
            "remove_member" => {
                let learner = members.find(|one| one.learner).unwrap().member_id;
                Example::new(json!({"member_id": learner})).rejected(json!({"member_id": "1"}))
            }
            _ => Example::new(json!({"revision": self.revision}))
                .rejected(json!({"revision": self.revision + 1_000})),
        }
    }

    async fn state(&self) -> Value {
        let members = (ListMembers {})
            .observe(&self.cluster.etcd())
            .await
            .unwrap();
        let ids = members.members.iter().map(|one| one.member_id);
        json!({"leader": members.leader, "members": ids.collect::<Vec<_>>()})
    }

    fn writes(&self) -> u64 {
        self.server.writes()
    }

    fn lose_next_request(&self) {
        self.server.lose_next_request();
    }

    fn lose_next_answer(&self) {
        self.server.lose_next_answer();
    }

    fn become_another(&self) {
        self.server.with(|before| before.is_another = true);
    }

    /// What was passed on was answered: nothing is on its way for as long as etcd may take.
    async fn pass(&self, time: Duration) {
        moment(time.min(Duration::from_millis(50))).await;
    }
}

#[tokio::test]
async fn what_can_be_repeated_keeps_its_promises() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    CLUSTER.set(Some(Arc::new(cluster)));
    for action in [
        "move_leader",
        "add_learner_member",
        "remove_member",
        "compact",
    ] {
        let broken = conformance_of::<RealEtcd>(&[action]).await;
        let shown: Vec<String> = broken.iter().map(Broken::to_string).collect();
        assert!(broken.is_empty(), "{}", shown.join("\n"));
    }
    CLUSTER.set(None);
}
