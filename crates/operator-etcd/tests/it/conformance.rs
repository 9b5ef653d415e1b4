//! The promises of every subject, tried for each action on a fake cluster.

use action_core::testing::{Example, FakeSystem, assert_conforms};
use async_trait::async_trait;
use operator_etcd::Etcd;
use serde_json::{Value, json};
use system_http::testing::{FakeAnswer, FakeApi, FakeRequest, FakeServer};

use crate::fake::refusal;

/// The revision of the keys.
const REVISION: u64 = 6;

/// A cluster as its members answer: words and codes of etcd 3.4.23.
struct Cluster {
    id: u64,
    members: Vec<Member>,
    leader: u64,
    /// Whose alarm is on.
    alarm: Option<u64>,
    /// Revisions before this are gone.
    compacted: u64,
}

struct Member {
    id: u64,
    name: String,
    peer_url: String,
    client_url: String,
    is_learner: bool,
    /// Free space in its database, bytes.
    free: u64,
}

impl Cluster {
    /// Three voters, the second of which leads, and perhaps a learner; one for each origin.
    fn new(origins: &[String]) -> Self {
        let member = |(at, origin): (usize, &String)| Member {
            id: at as u64 + 10,
            name: format!("m{at}"),
            peer_url: format!("http://127.0.0.1:{}", at + 1),
            client_url: origin.clone(),
            is_learner: at == 3,
            free: 4096,
        };
        Self {
            id: 7,
            members: origins.iter().enumerate().map(member).collect(),
            leader: 11,
            alarm: Some(10),
            compacted: 0,
        }
    }

    fn header(&self, member: u64) -> Value {
        json!({"cluster_id": self.id.to_string(), "member_id": member.to_string(),
            "revision": REVISION.to_string(), "raft_term": "2"})
    }

    fn listed(&self) -> Value {
        let listed = self.members.iter().map(|one| {
            json!({"ID": one.id.to_string(), "name": one.name, "isLearner": one.is_learner,
                "peerURLs": [one.peer_url], "clientURLs": [one.client_url]})
        });
        listed.collect()
    }

    fn member(&mut self, body: &Value, key: &str) -> Option<&mut Member> {
        let id: u64 = body[key].as_str()?.parse().ok()?;
        self.members.iter_mut().find(|one| one.id == id)
    }

    fn asked(&mut self, path: &str, at: usize, body: &Value) -> Result<Value, (u16, Value)> {
        let not_found = || refused(404, "etcdserver: member not found", 5);
        let header = self.header(self.members[at].id);
        match path {
            "/v3/maintenance/status" => {
                let free = self.members[at].free;
                return Ok(json!({"header": header, "version": "3.4.23",
                    "dbSize": (16_384 + free).to_string(), "dbSizeInUse": "16384",
                    "leader": self.leader.to_string(), "raftIndex": "8", "raftTerm": "2",
                    "raftAppliedIndex": "8"}));
            }
            "/v3/maintenance/alarm" if body["action"] == "DEACTIVATE" => self.alarm = None,
            "/v3/maintenance/alarm" => {
                let alarm = |id: u64| json!({"memberID": id.to_string(), "alarm": "NOSPACE"});
                let alarms: Vec<Value> = self.alarm.map(alarm).into_iter().collect();
                return Ok(json!({"alarms": alarms}));
            }
            "/v3/maintenance/transfer-leadership" => match self.member(body, "targetID") {
                Some(one) if !one.is_learner => self.leader = one.id,
                _ => return Err(refused(412, "etcdserver: bad leader transferee", 9)),
            },
            "/v3/maintenance/defragment" => self.members[at].free = 0,
            "/v3/cluster/member/add" => return self.added(header, body),
            "/v3/cluster/member/promote" => {
                self.member(body, "ID").ok_or_else(not_found)?.is_learner = false;
            }
            "/v3/cluster/member/remove" => {
                let id = self.member(body, "ID").ok_or_else(not_found)?.id;
                self.members.retain(|one| one.id != id);
            }
            "/v3/kv/range" if number(body) < self.compacted => return Err(compacted()),
            "/v3/kv/compaction" => match number(body) {
                wanted if wanted > REVISION => {
                    let words = "etcdserver: mvcc: required revision is a future revision";
                    return Err(refused(400, words, 11));
                }
                wanted if wanted <= self.compacted => return Err(compacted()),
                wanted => self.compacted = wanted,
            },
            _ => {}
        }
        Ok(json!({"header": header, "members": self.listed()}))
    }

    fn added(&mut self, header: Value, body: &Value) -> Result<Value, (u16, Value)> {
        let peer_url = body["peerURLs"][0].as_str().unwrap().to_owned();
        if self.members.iter().any(|one| one.peer_url == peer_url) {
            return Err(refused(412, "etcdserver: Peer URLs already exists", 9));
        }
        self.members.push(Member {
            id: 99,
            name: String::new(),
            peer_url,
            client_url: String::new(),
            is_learner: true,
            free: 0,
        });
        Ok(json!({"header": header, "member": {"ID": "99"}, "members": self.listed()}))
    }
}

fn number(body: &Value) -> u64 {
    body["revision"].as_str().unwrap().parse().unwrap()
}

fn compacted() -> (u16, Value) {
    let words = "etcdserver: mvcc: required revision has been compacted";
    refused(400, words, 11)
}

fn refused(status: u16, words: &str, code: u32) -> (u16, Value) {
    (status, refusal(words, code))
}

/// Whether a request changes something.
pub(crate) fn is_write(request: &FakeRequest) -> bool {
    let reads = [
        "/v3/cluster/member/list",
        "/v3/kv/range",
        "/v3/maintenance/status",
    ];
    let asks = request.path == "/v3/maintenance/alarm" && !request.body.contains("DEACTIVATE");
    !asks && !reads.contains(&request.path.as_str())
}

impl FakeApi for Cluster {
    fn is_write(&self, request: &FakeRequest) -> bool {
        is_write(request)
    }

    fn answer(&mut self, request: &FakeRequest) -> FakeAnswer {
        let body = serde_json::from_str(&request.body).unwrap();
        let (status, answer) = match self.asked(&request.path, request.server, &body) {
            Ok(answer) => (200, answer),
            Err(refused) => refused,
        };
        FakeAnswer::new(status, answer.to_string())
    }
}

struct FakeEtcd(FakeServer<Cluster>);

#[async_trait]
impl FakeSystem for FakeEtcd {
    type Subject = Etcd;

    async fn start(action: &str) -> Self {
        let members = match action {
            "promote_member" => 4,
            _ => 3,
        };
        let server = FakeServer::start_several(members, Cluster::new);
        Self(server.await.unwrap())
    }

    async fn connect(&self) -> Etcd {
        Etcd::at(self.0.origin()).unwrap()
    }

    fn example(&self, action: &str) -> Example {
        let member = |id| json!({"member_id": id});
        match action {
            "move_leader" => {
                Example::new(json!({"to_member_id": "a"})).rejected(json!({"to_member_id": "1"}))
            }
            "add_learner_member" => Example::new(json!({"peer_url": "http://127.0.0.1:9"}))
                .rejected(json!({"peer_url": "http://127.0.0.1:1"})),
            "promote_member" => Example::new(member("d")).rejected(member("1")),
            "remove_member" => Example::new(member("a")).rejected(member("1")),
            "disarm_alarm" => {
                Example::new(json!({"member_id": "a", "alarm": "nospace"})).never_rejected()
            }
            "defragment_member" => Example::new(member("a")).rejected(member("1")),
            "compact" => Example::new(json!({"revision": 6})).rejected(json!({"revision": 7})),
            "member_status" => Example::new(member("a")),
            "safe_to_stop" => Example::new(json!({"member_ids": ["a"]})),
            _ => Example::new(json!({})),
        }
    }

    async fn state(&self) -> Value {
        self.0
            .with(|cluster| json!({"members": cluster.listed(), "leader": cluster.leader}))
    }

    fn writes(&self) -> u64 {
        self.0.writes()
    }

    fn lose_next_request(&self) {
        self.0.lose_next_request();
    }

    fn lose_next_answer(&self) {
        self.0.lose_next_answer();
    }

    fn become_another(&self) {
        self.0.with(|cluster| cluster.id += 1);
    }
}

#[tokio::test]
async fn every_action_keeps_its_promises() {
    assert_conforms::<FakeEtcd>().await;
}
