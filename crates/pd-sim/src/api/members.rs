//! Members, version, health and the cluster's own facts.

use serde::Serialize;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::members::Member;
use crate::gotext::rfc3339;

pub(super) fn version(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        version: &'static str,
        build_time: &'static str,
        hash: &'static str,
        branch: &'static str,
    }
    Answer::ok(&Body {
        version: cluster.rows().number,
        build_time: "",
        hash: "",
        branch: "",
    })
}

pub(super) fn status(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        build_ts: &'static str,
        version: &'static str,
        git_hash: &'static str,
        start_timestamp: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        kernel_type: Option<&'static str>,
    }
    Answer::ok(&Body {
        build_ts: "None",
        version: cluster.rows().number,
        git_hash: "None",
        start_timestamp: cluster.process_start.unix_seconds(),
        kernel_type: cluster.rows().kernel_type.then_some("Classic"),
    })
}

pub(super) fn health(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Health<'a> {
        name: &'a str,
        member_id: u64,
        client_urls: [&'a str; 1],
        health: bool,
    }
    let all: Vec<Health<'_>> = cluster
        .members
        .list
        .iter()
        .enumerate()
        .filter(|(index, _)| !cluster.members.removed.contains(index))
        .map(|(index, member)| Health {
            name: &member.name,
            member_id: member.id,
            client_urls: [&member.client_url],
            health: !cluster.members.stopped.contains(&index),
        })
        .collect();
    Answer::ok(&all)
}

pub(super) fn ping(_: &mut Cluster, _: &Request<'_>) -> Answer {
    Answer::empty(200)
}

#[derive(Serialize)]
struct MemberBody<'a> {
    name: &'a str,
    member_id: u64,
    peer_urls: [&'a str; 1],
    client_urls: [&'a str; 1],
    #[serde(skip_serializing_if = "is_zero")]
    leader_priority: i64,
    deploy_path: &'static str,
    binary_version: &'static str,
    git_hash: &'static str,
}

/// What `GET /leader` says of it.
#[derive(Serialize)]
struct LeaderBody<'a> {
    name: &'a str,
    member_id: u64,
    peer_urls: [&'a str; 1],
    client_urls: [&'a str; 1],
}

fn is_zero(priority: &i64) -> bool {
    *priority == 0
}

fn body<'a>(cluster: &Cluster, member: &'a Member) -> MemberBody<'a> {
    MemberBody {
        name: &member.name,
        member_id: member.id,
        peer_urls: [&member.peer_url],
        client_urls: [&member.client_url],
        leader_priority: member.priority,
        deploy_path: "/deploy/bin",
        binary_version: cluster.rows().number,
        git_hash: "None",
    }
}

pub(super) fn members(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Header {
        cluster_id: u64,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        header: Header,
        members: Vec<MemberBody<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        leader: Option<MemberBody<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        etcd_leader: Option<MemberBody<'a>>,
    }
    let leader = cluster.members.leader();
    Answer::ok(&Body {
        header: Header {
            cluster_id: cluster.id,
        },
        members: cluster
            .members
            .list
            .iter()
            .enumerate()
            .filter(|(index, _)| !cluster.members.removed.contains(index))
            .map(|(_, member)| body(cluster, member))
            .collect(),
        leader: leader.map(|member| body(cluster, member)),
        etcd_leader: leader.map(|member| body(cluster, member)),
    })
}

pub(super) fn leader(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    let leader = cluster.members.leader().map(|member| LeaderBody {
        name: &member.name,
        member_id: member.id,
        peer_urls: [&member.peer_url],
        client_urls: [&member.client_url],
    });
    Answer::ok(&leader)
}

pub(super) fn resign(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    // The only member says yes and goes on.
    if cluster.members.list.len() > 1 {
        let next = cluster.members.next_alive();
        cluster.hand_over(next);
    }
    Answer::message(200, "The resign command is submitted.")
}

pub(super) fn transfer(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let name = request.segment(2);
    let Some(index) = cluster.members.named(name) else {
        return Answer::message(500, "no valid pd to transfer etcd leader");
    };
    if index != cluster.members.leader {
        cluster.hand_over(index);
    }
    Answer::message(200, "The transfer command is submitted.")
}

pub(super) fn set_property(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let name = request.segment(2);
    let Some(index) = cluster.members.named(name) else {
        return Answer::message(404, &format!("not found, pd: {name}"));
    };
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    if let Some(priority) = input.get("leader-priority") {
        let Some(priority) = priority.as_f64() else {
            return Answer::message(400, "bad format leader priority");
        };
        if let Some(member) = cluster.members.list.get_mut(index) {
            member.priority = priority as i64;
        }
    }
    Answer::message(200, "success")
}

pub(super) fn remove_named(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let name = request.segment(2);
    let Some(index) = cluster.members.named(name) else {
        return Answer::message(404, &format!("not found, pd: {name}"));
    };
    let text = format!("removed, pd: {name}");
    cluster.members.removed.insert(index);
    Answer::message(200, &text)
}

pub(super) fn remove_numbered(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let id = match request.id(2) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    let Some(index) = cluster.members.list.iter().position(|m| m.id == id) else {
        return Answer::message(500, "etcdserver: member not found");
    };
    cluster.members.removed.insert(index);
    Answer::message(200, &format!("removed, pd: {id}"))
}

pub(super) fn cluster(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        id: u64,
        max_peer_count: u64,
    }
    Answer::ok(&Body {
        id: cluster.id,
        max_peer_count: cluster.config.max_replicas(),
    })
}

pub(super) fn cluster_status(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        raft_bootstrap_time: String,
        is_initialized: bool,
        replication_status: &'static str,
    }
    Answer::ok(&Body {
        raft_bootstrap_time: cluster
            .bootstrapped
            .map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), rfc3339),
        is_initialized: cluster.is_bootstrapped(),
        replication_status: "",
    })
}

pub(super) fn min_resolved_ts(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        is_real_time: bool,
        min_resolved_ts: u64,
        persist_interval: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        stores_min_resolved_ts: Option<Option<()>>,
    }
    Answer::ok(&Body {
        is_real_time: true,
        min_resolved_ts: 0,
        persist_interval: "1s",
        stores_min_resolved_ts: cluster.rows().min_resolved_by_store.then_some(None),
    })
}
