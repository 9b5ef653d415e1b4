//! Members, version, health and the cluster's own facts.

use serde::Serialize;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::members::Member;
use crate::errors::MOVE_LEADER;
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
        .map(|(index, member)| Health {
            name: &member.name,
            member_id: member.id,
            client_urls: [&member.client_url],
            health: !cluster.members.stopped.contains(&index),
        })
        .collect();
    Answer::ok(&all)
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
            .map(|member| body(cluster, member))
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

pub(super) fn transfer(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let name = request.segment(2);
    let Some(index) = cluster.members.named(name) else {
        return Answer::message(500, "no valid pd to transfer etcd leader");
    };
    if cluster.members.stopped.contains(&index) {
        return Answer::message(500, MOVE_LEADER);
    }
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
