//! Three servers that answer as the members of a real cluster did, recorded of etcd 3.4.23. Only
//! addresses differ.

use operator_etcd::{Etcd, MemberId};
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) const CLUSTER: &str = "7779735013363539452";

/// The same in hexadecimal, as etcd's log has it.
pub(crate) const CLUSTER_HEX: &str = "6bf72bc69e33ddfc";

/// Ids of m1, m2 and m3. m2 led.
pub(crate) const IDS: [&str; 3] = [
    "13152839298909674728",
    "8384158469671582799",
    "15329577739042336205",
];

/// A cluster of three, m2 leading.
pub(crate) struct Fake {
    pub(crate) members: Vec<MockServer>,
}

pub(crate) fn id(decimal: &str) -> MemberId {
    let id: u64 = decimal.parse().unwrap();
    format!("{id:x}").parse().unwrap()
}

pub(crate) fn header(member: usize) -> Value {
    json!({"cluster_id": CLUSTER, "member_id": IDS[member], "revision": "6", "raft_term": "2"})
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let mut fake = Self {
            members: Vec::new(),
        };
        for _ in IDS {
            fake.members.push(MockServer::start().await);
        }
        let list = fake.list();
        for (member, server) in fake.members.iter().enumerate() {
            let mut list = list.clone();
            list["header"] = header(member);
            answer(server, "/v3/cluster/member/list", 200, list).await;
            let status = json!({"header": header(member), "version": "3.4.23",
                "dbSize": "20480", "leader": IDS[1], "raftIndex": "8", "raftTerm": "2",
                "raftAppliedIndex": "8", "dbSizeInUse": "16384"});
            answer(server, "/v3/maintenance/status", 200, status).await;
        }
        fake
    }

    /// The members without a header.
    pub(crate) fn list(&self) -> Value {
        let member = |at: usize| {
            json!({"ID": IDS[at], "name": format!("m{}", at + 1),
                "peerURLs": ["http://127.0.0.1:1"], "clientURLs": [self.members[at].uri()]})
        };
        json!({"members": [member(1), member(0), member(2)]})
    }

    /// The cluster, reached by m1.
    pub(crate) fn etcd(&self) -> Etcd {
        Etcd::at(&self.members[0].uri()).unwrap()
    }

    /// How often a path was asked for, of all members.
    pub(crate) async fn asked(&self, wanted: &str) -> usize {
        let mut count = 0;
        for server in &self.members {
            let requests = server.received_requests().await.unwrap();
            count += requests
                .iter()
                .filter(|one| one.url.path() == wanted)
                .count();
        }
        count
    }
}

/// From now on this path is answered so, whatever it was before.
pub(crate) async fn answer(server: &MockServer, at: &str, status: u16, body: Value) {
    Mock::given(path(at))
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .with_priority(next_priority())
        .mount(server)
        .await;
}

/// Nobody is there any more.
pub(crate) async fn silence(server: &MockServer) {
    answer(server, "/v3/maintenance/status", 500, json!("gone")).await;
}

/// The mock that was mounted last is the first to answer.
fn next_priority() -> u8 {
    use std::sync::atomic::{AtomicU8, Ordering};
    static NEXT: AtomicU8 = AtomicU8::new(250);
    NEXT.fetch_sub(1, Ordering::Relaxed).max(1)
}

/// A refusal as the gateway writes it.
pub(crate) fn refusal(words: &str, code: u32) -> Value {
    json!({"error": words, "message": words, "code": code})
}
