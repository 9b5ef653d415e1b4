//! Regions: ranges of keys with their replicas.

use serde::{Deserialize, Deserializer};

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::{self, PeerId, RegionId, StoreId};
use crate::lenient::null_is_default;
use crate::transport::{Answer, Call};

pub use lists::{RegionCheck, RoleOnStore};
pub use scan::RegionScan;

mod lists;
mod scan;

impl Client {
    /// One region; `None` when there is none with this id, in whichever way this version of PD
    /// says so.
    ///
    /// `GET /region/id/{id}`, all versions.
    pub async fn region(&self, id: RegionId) -> Result<Option<Region>, Error> {
        match self.read(Call::point("/region/id").segment(id)).await {
            Ok(answer) => {
                answer
                    .json()
                    .or_else(|error| match answer.json::<Option<RegionStub>>() {
                        Ok(None | Some(RegionStub { id: None, .. })) => Ok(None),
                        _ => Err(error),
                    })
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The region that holds a key, given as PD shows keys: hexadecimal, empty for the first.
    ///
    /// `GET /regions/key?key=…&limit=1`, all versions. The call PD has for this reads a key in
    /// hexadecimal only since 7.5, and before takes the digits themselves for the key.
    ///
    /// # Errors
    /// [`InputError::Key`] when the text is not hexadecimal.
    pub async fn region_by_key(&self, key: &str) -> Result<Option<Region>, Error> {
        let bytes = unhexed(key)?;
        let call = Call::point("/regions/key")
            .query("key", bytes)
            .query("limit", "1");
        let found = read_regions(&self.read(call).await?)?;
        let region = found.into_iter().next();
        Ok(region.filter(|region| region.contains(key)))
    }

    /// How many regions there are.
    ///
    /// `GET /regions/count`, all versions.
    pub async fn region_count(&self) -> Result<u64, Error> {
        // The list beside it is `null` here.
        #[derive(Deserialize)]
        struct Counted {
            count: u64,
        }

        let answer: Counted = self.read(Call::point("/regions/count")).await?.json()?;
        Ok(answer.count)
    }

    /// Ranges of keys of which PD knows no region: where each begins and ends, in upper-case
    /// hexadecimal, an empty end for the end of all keys. None are given where PD knows no region at
    /// all.
    ///
    /// `GET /regions/range-holes`, all versions. PD goes through all regions for it.
    pub async fn range_holes(&self) -> Result<Vec<[String; 2]>, Error> {
        self.read(Call::point("/regions/range-holes")).await?.json()
    }
}

/// The regions of a list. PD writes the list, also an empty one, and how long it is:
/// `MarshalRegionsInfoJSON` of `pkg/response/region.go`, before 8 of `server/api/region.go`.
fn read_regions(answer: &Answer) -> Result<Vec<Region>, Error> {
    #[derive(Deserialize)]
    struct Regions {
        count: u64,
        #[serde(deserialize_with = "null_is_default")]
        regions: Vec<Region>,
    }

    let Regions { count, regions } = answer.json()?;
    answer.counted(count, regions)
}

/// What PD always writes. The id is 0 in the object that stands for no region; 6.5.0 and 7.1.0 write
/// `null` instead (`GetRegionByID` of `server/api/region.go`).
#[derive(Deserialize)]
struct RegionStub {
    #[serde(deserialize_with = "ids::optional")]
    id: Option<RegionId>,
    #[serde(rename = "start_key")]
    _start_key: String,
    #[serde(rename = "end_key")]
    _end_key: String,
}

/// A region.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Region {
    /// Its id.
    pub id: RegionId,
    /// Its first key in upper-case hexadecimal, empty when unbounded.
    pub start_key: String,
    /// The key after its last, likewise.
    pub end_key: String,
    /// Its epoch.
    #[serde(default)]
    pub epoch: RegionEpoch,
    /// Its replicas.
    #[serde(default, deserialize_with = "null_is_default")]
    pub peers: Vec<Peer>,
    /// The replica that leads; `None` while PD knows of none.
    #[serde(default, deserialize_with = "optional_peer")]
    pub leader: Option<Peer>,
    /// Replicas that do not answer their leader.
    #[serde(default, deserialize_with = "null_is_default")]
    pub down_peers: Vec<DownPeer>,
    /// Replicas that lag behind.
    #[serde(default, deserialize_with = "null_is_default")]
    pub pending_peers: Vec<Peer>,
    /// How busy TiKV says it keeps the CPU.
    #[serde(default)]
    pub cpu_usage: u64,
    /// Bytes written in the last heartbeat interval.
    #[serde(default)]
    pub written_bytes: u64,
    /// Bytes read in the last heartbeat interval.
    #[serde(default)]
    pub read_bytes: u64,
    /// Keys written in the last heartbeat interval.
    #[serde(default)]
    pub written_keys: u64,
    /// Keys read in the last heartbeat interval.
    #[serde(default)]
    pub read_keys: u64,
    /// Size in MiB; 0 until it is known.
    #[serde(default)]
    pub approximate_size: i64,
    /// Number of keys; 0 until it is known.
    #[serde(default)]
    pub approximate_keys: i64,
}

impl Region {
    /// The replica on a store.
    #[must_use]
    pub fn peer_on(&self, store_id: StoreId) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.store_id == store_id)
    }

    /// Whether a key, in hexadecimal of either case, is in its range.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        // Hexadecimal of one case sorts as the bytes do.
        let key = key.to_ascii_uppercase();
        key >= self.start_key && (self.end_key.is_empty() || key < self.end_key)
    }
}

/// How often a region has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RegionEpoch {
    /// Grows with each change of replicas.
    pub conf_ver: u64,
    /// Grows with each split and merge.
    pub version: u64,
}

/// A replica of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "PeerAnswer")]
#[non_exhaustive]
pub struct Peer {
    /// Its id.
    pub id: PeerId,
    /// The store it is on.
    pub store_id: StoreId,
    /// Its part in the region. PD leaves out `Voter`.
    pub role: PeerRole,
    /// Whether it holds the log only.
    pub is_witness: bool,
}

#[derive(Deserialize)]
struct PeerAnswer {
    id: PeerId,
    store_id: StoreId,
    role: Option<PeerRole>,
    /// What old stores report instead of a role.
    #[serde(default)]
    is_learner: bool,
    #[serde(default)]
    is_witness: bool,
}

impl From<PeerAnswer> for Peer {
    fn from(answer: PeerAnswer) -> Self {
        let by_flag = match answer.is_learner {
            true => PeerRole::Learner,
            false => PeerRole::Voter,
        };
        Self {
            id: answer.id,
            store_id: answer.store_id,
            role: answer.role.unwrap_or(by_flag),
            is_witness: answer.is_witness,
        }
    }
}

/// A replica's part in its region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerRole {
    /// Votes.
    #[default]
    Voter,
    /// Follows without a vote.
    Learner,
    /// Becomes a voter when the joint state is left.
    IncomingVoter,
    /// Becomes a learner when the joint state is left.
    DemotingVoter,
    /// A role this client does not know yet.
    Other(u64),
}

impl<'de> Deserialize<'de> for PeerRole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match u64::deserialize(deserializer)? {
            0 => Self::Voter,
            1 => Self::Learner,
            2 => Self::IncomingVoter,
            3 => Self::DemotingVoter,
            other => Self::Other(other),
        })
    }
}

/// A replica that does not answer its leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[non_exhaustive]
pub struct DownPeer {
    /// The replica.
    pub peer: Peer,
    /// Seconds since it answered last.
    #[serde(default)]
    pub down_seconds: u64,
}

/// A leader, which PD prints without ids when there is none.
fn optional_peer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Peer>, D::Error> {
    #[derive(Deserialize)]
    struct MaybePeer {
        #[serde(default, deserialize_with = "ids::optional")]
        id: Option<PeerId>,
        #[serde(default, deserialize_with = "ids::optional")]
        store_id: Option<StoreId>,
        #[serde(default)]
        role: PeerRole,
        #[serde(default)]
        is_witness: bool,
    }

    let peer = Option::<MaybePeer>::deserialize(deserializer)?;
    Ok(peer.and_then(
        |MaybePeer {
             id,
             store_id,
             role,
             is_witness,
         }| {
            Some(Peer {
                id: id?,
                store_id: store_id?,
                role,
                is_witness,
            })
        },
    ))
}

/// A key that is hexadecimal, as it was given.
pub(crate) fn checked_key(key: &str) -> Result<&str, InputError> {
    unhexed(key).map(|_| key)
}

/// The bytes of a key in hexadecimal of either case.
fn unhexed(key: &str) -> Result<Vec<u8>, InputError> {
    let refuse = || InputError::Key {
        given: key.chars().take(40).collect(),
    };
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    key.as_bytes()
        .chunks(2)
        .map(|digits| pair(digits).ok_or_else(refuse))
        .collect()
}
