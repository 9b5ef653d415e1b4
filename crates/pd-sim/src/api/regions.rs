//! Reading regions.

use serde::Serialize;

use crate::api::answer::{Answer, Nothing};
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::region::{Peer, Region, Role};
use crate::cluster::store::StoreState;
use crate::errors;
use crate::version::{MissingRegion, Rows};

#[derive(Default, Serialize)]
struct RegionBody<'a> {
    id: u64,
    start_key: &'a str,
    end_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<EpochBody>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    peers: Vec<PeerBody>,
    leader: PeerBody,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    down_peers: Vec<DownPeer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pending_peers: Vec<PeerBody>,
    cpu_usage: u64,
    written_bytes: u64,
    read_bytes: u64,
    written_keys: u64,
    read_keys: u64,
    approximate_size: i64,
    approximate_keys: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_kv_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_columnar_kv_size: Option<i64>,
}

#[derive(Serialize)]
struct EpochBody {
    #[serde(skip_serializing_if = "is_zero")]
    conf_ver: u64,
    #[serde(skip_serializing_if = "is_zero")]
    version: u64,
}

#[derive(Default, Serialize)]
struct PeerBody {
    role_name: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_learner: bool,
    #[serde(skip_serializing_if = "is_zero")]
    id: u64,
    #[serde(skip_serializing_if = "is_zero")]
    store_id: u64,
    #[serde(skip_serializing_if = "is_zero")]
    role: u64,
}

#[derive(Serialize)]
struct DownPeer {
    down_seconds: u64,
    peer: PeerBody,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl From<&Peer> for PeerBody {
    fn from(peer: &Peer) -> Self {
        let (role, role_name) = match peer.role {
            Role::Voter => (0, "Voter"),
            Role::Learner => (1, "Learner"),
            Role::IncomingVoter => (2, "IncomingVoter"),
            Role::DemotingVoter => (3, "DemotingVoter"),
        };
        Self {
            role_name,
            is_learner: peer.role == Role::Learner,
            id: peer.id,
            store_id: peer.store_id,
            role,
        }
    }
}

impl<'a> RegionBody<'a> {
    fn new(region: &'a Region, rows: &Rows) -> Self {
        let body = |store_id: &u64| region.peer_on(*store_id).map(PeerBody::from);
        Self {
            id: region.id,
            start_key: &region.start_key,
            end_key: &region.end_key,
            epoch: Some(EpochBody {
                conf_ver: region.epoch.conf_ver,
                version: region.epoch.version,
            }),
            peers: region.peers.iter().map(PeerBody::from).collect(),
            leader: region.leader_peer().map(PeerBody::from).unwrap_or_default(),
            down_peers: region
                .down
                .iter()
                .filter_map(|(store_id, seconds)| {
                    Some(DownPeer {
                        down_seconds: *seconds,
                        peer: body(store_id)?,
                    })
                })
                .collect(),
            pending_peers: region.pending.iter().filter_map(body).collect(),
            cpu_usage: region.flow.cpu,
            written_bytes: region.flow.written_bytes,
            read_bytes: region.flow.read_bytes,
            written_keys: region.flow.written_keys,
            read_keys: region.flow.read_keys,
            approximate_size: region.size,
            approximate_keys: region.keys,
            approximate_kv_size: rows.kv_sizes.then_some(0),
            approximate_columnar_kv_size: rows.kv_sizes.then_some(0),
        }
    }
}

#[derive(Serialize)]
struct RegionsBody<'a> {
    count: usize,
    regions: Vec<RegionBody<'a>>,
}

fn list<'a>(cluster: &Cluster, regions: impl Iterator<Item = &'a Region>) -> Answer {
    let rows = cluster.rows();
    let regions: Vec<RegionBody<'_>> = regions
        .map(|region| RegionBody::new(region, rows))
        .collect();
    Answer::data(&RegionsBody {
        count: regions.len(),
        regions,
    })
}

fn one(cluster: &Cluster, region: Option<&Region>, missing: &str) -> Answer {
    match (region, cluster.rows().missing_region) {
        (Some(region), _) => Answer::data(&RegionBody::new(region, cluster.rows())),
        (None, MissingRegion::ZeroObject) => Answer::data(&RegionBody::default()),
        (None, MissingRegion::NotFound) => Answer::message(404, missing),
    }
}

pub(super) fn by_id(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    match request.id(2) {
        Ok(0) if cluster.rows().missing_region == MissingRegion::NotFound => {
            Answer::json(400, &Nothing {})
        }
        Ok(id) => {
            let missing = errors::region_not_found(cluster.rows(), id);
            one(cluster, cluster.regions.get(id), &missing)
        }
        Err(answer) => answer,
    }
}

pub(super) fn all(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    list(cluster, cluster.regions.scan_from(""))
}

pub(super) fn scan(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let limit = match limit_of(request) {
        Ok(limit) if limit <= 0 => usize::MAX,
        Ok(limit) => usize::try_from(limit).unwrap_or(usize::MAX).min(MAX_LIMIT),
        Err(answer) => return answer,
    };
    let takes_hex = cluster.rows().region_types;
    let key = |name| {
        key_of(
            request.query_bytes(name).unwrap_or_default(),
            request,
            takes_hex,
        )
    };
    let keys = key("key").and_then(|start| Ok((start, key("end_key")?)));
    let (start, end) = match keys {
        Ok(keys) => keys,
        Err(answer) => return answer,
    };
    let in_range = |region: &&Region| end.is_empty() || *region.start_key < *end;
    list(
        cluster,
        cluster
            .regions
            .scan_from(&start)
            .take_while(in_range)
            .take(limit),
    )
}

const DEFAULT_LIMIT: i64 = 16;
const MAX_LIMIT: usize = 10_240;

fn limit_of(request: &Request<'_>) -> Result<i64, Answer> {
    request.query("limit").map_or(Ok(DEFAULT_LIMIT), |text| {
        text.parse()
            .map_err(|_| Answer::message(400, &errors::not_a_number("Atoi", text)))
    })
}

/// A key from the URL, as upper-case hex: raw bytes unless the request says it is hex.
fn key_of(given: &[u8], request: &Request<'_>, takes_hex: bool) -> Result<String, Answer> {
    if !takes_hex || request.query("format") != Some("hex") {
        return Ok(given.iter().map(|byte| format!("{byte:02X}")).collect());
    }
    let text = String::from_utf8_lossy(given);
    errors::go_hex(&text).map_err(|text| Answer::message(400, &text))
}

pub(super) fn count(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        count: usize,
        regions: Option<()>,
    }
    Answer::ok(&Body {
        count: cluster.regions.len(),
        regions: None,
    })
}

/// What lies between regions: `GetRangeHoles` of `pkg/core/region.go`.
pub(super) fn range_holes(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    let (mut holes, mut last) = (Vec::new(), String::new());
    for region in cluster.regions.scan_from("") {
        if *last != *region.start_key {
            holes.push([last, region.start_key.to_string()]);
        }
        last = region.end_key.to_string();
    }
    if !last.is_empty() {
        holes.push([last, String::new()]);
    }
    Answer::ok(&holes)
}

pub(super) fn of_store(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let store_id = match request.id(2) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    let wanted = request
        .query("type")
        .filter(|_| cluster.rows().region_types)
        .unwrap_or("all");
    if !["all", "leader", "follower", "learner", "witness", "pending"].contains(&wanted) {
        return Answer::message(400, &format!("unknown sub tree region type {wanted}"));
    }
    let found = cluster.regions.on(store_id).filter(|region| {
        let Some(peer) = region.peer_on(store_id) else {
            return false;
        };
        match wanted {
            "leader" => region.leader == Some(store_id),
            "follower" => peer.is_voter() && region.leader != Some(store_id),
            "learner" => !peer.is_voter(),
            "pending" => region.pending.contains(&store_id),
            "witness" => false,
            _ => true,
        }
    });
    list(cluster, found)
}

pub(super) fn check(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let kind = request.segment(2);
    if !CHECKS.contains(&kind) {
        return Answer::not_found();
    }
    list(cluster, found_by(cluster, kind))
}

/// What regions are checked for.
pub(super) const CHECKS: [&str; 9] = [
    "miss-peer",
    "extra-peer",
    "pending-peer",
    "down-peer",
    "learner-peer",
    "empty-region",
    "offline-peer",
    "oversized-region",
    "undersized-region",
];

/// The regions that a check finds.
pub(super) fn found_by<'a>(
    cluster: &'a Cluster,
    kind: &str,
) -> impl Iterator<Item = &'a Region> + use<'a> {
    let kind = CHECKS.into_iter().find(|known| *known == kind);
    let limit = |name| i64::try_from(cluster.config.limit(name, cluster.now)).unwrap_or(i64::MAX);
    let mergeable_size = limit("max-merge-region-size");
    let mergeable_keys = limit("max-merge-region-keys");
    cluster
        .regions
        .iter()
        .filter(move |region| match kind.unwrap_or_default() {
            "miss-peer" => region.peers.len() < wanted_replicas(cluster, region),
            "extra-peer" => region.peers.len() > wanted_replicas(cluster, region),
            "pending-peer" => !region.pending.is_empty(),
            "down-peer" => !region.down.is_empty(),
            "learner-peer" => region.peers.iter().any(|peer| !peer.is_voter()),
            "empty-region" => region.size <= 1,
            // By TiKV's defaults: 144 MiB or 1.44 million keys is too much; too little is what
            // merges.
            "oversized-region" => region.size >= 144 || region.keys >= 1_440_000,
            "undersized-region" => {
                region.size <= mergeable_size
                    && region.keys <= mergeable_keys
                    && region.is_healthy()
            }
            "offline-peer" => region.peers.iter().any(|peer| {
                let store = cluster.stores.get(&peer.store_id);
                store.is_some_and(|store| store.state == StoreState::Offline)
            }),
            _ => false,
        })
}

/// How many replicas a region should have: what its rules ask for, and none where it spans their
/// borders.
fn wanted_replicas(cluster: &Cluster, region: &Region) -> usize {
    if cluster.config.placement_rules_are_on() {
        let rules = cluster.rules_for(region).unwrap_or_default();
        rules.iter().map(|rule| rule.count).sum()
    } else {
        usize::try_from(cluster.config.max_replicas()).unwrap_or(usize::MAX)
    }
}
