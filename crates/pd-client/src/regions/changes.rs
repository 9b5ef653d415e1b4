//! Scattering and splitting many regions at once, and having some looked at first.

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::RegionId;
use crate::regions::checked_key;
use crate::transport::{Accepted, Call};

impl Client {
    /// Has the replicas and leaders of regions put where their group has few. PD answers when it
    /// has made the operators, which it may try several times.
    ///
    /// `POST /regions/scatter`, all versions. Takes up to the time of a list.
    ///
    /// # Errors
    /// [`InputError`] when there is nothing to scatter or a key is not hexadecimal; [`Error::Pd`]
    /// with status 500 when a region does not exist or cannot be scattered.
    pub async fn scatter_regions(&self, request: &ScatterRegions) -> Result<Scattered, Error> {
        let call = Call::post("/regions/scatter", &ScatterBody::new(request)?)?.slow();
        self.write_for(call).await?.json()
    }

    /// Has regions split at these keys, in hexadecimal, and waits for it.
    ///
    /// `POST /regions/split`, all versions. PD waits up to a minute for each try; this takes up to
    /// the time of a list, and then the effect is unknown.
    ///
    /// # Errors
    /// [`InputError`] when there is no key or one is not hexadecimal.
    pub async fn split_regions(
        &self,
        keys: &[impl AsRef<str>],
        retry_limit: Option<u32>,
    ) -> Result<SplitRegions, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            split_keys: Vec<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_limit: Option<u32>,
        }

        if keys.is_empty() {
            return Err(InputError::argument("split keys", "", "name at least one").into());
        }
        let split_keys = keys.iter().map(|key| checked_key(key.as_ref()));
        let body = Body {
            split_keys: split_keys.collect::<Result<_, _>>()?,
            retry_limit,
        };
        let call = Call::post("/regions/split", &body)?.slow();
        self.write_for(call).await?.json()
    }

    /// Has checkers look at the regions of a range before others. Keys are hexadecimal, empty for
    /// the first and for the end. At most 256 regions.
    ///
    /// `POST /regions/accelerate-schedule`, all versions. It makes no operators by itself.
    ///
    /// # Errors
    /// [`InputError::Key`] when a key is not hexadecimal.
    pub async fn accelerate_schedule(
        &self,
        start_key: &str,
        end_key: &str,
    ) -> Result<Accepted, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            start_key: &'a str,
            end_key: &'a str,
        }

        let body = Body {
            start_key: checked_key(start_key)?,
            end_key: checked_key(end_key)?,
        };
        self.write(Call::post("/regions/accelerate-schedule", &body)?)
            .await
    }
}

/// Which regions to scatter, and among which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScatterRegions {
    /// Which regions.
    pub target: ScatterTarget,
    /// The name of those they are to be even with; without, all scattered ones.
    pub group: Option<String>,
    /// How often PD tries a region; 5 unless told.
    pub retry_limit: Option<u32>,
}

/// Which regions to scatter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScatterTarget {
    /// These.
    Regions(Vec<RegionId>),
    /// Those of a range of keys in hexadecimal, empty for the first and for the end.
    Range {
        /// Its first key.
        start_key: String,
        /// The key after its last.
        end_key: String,
    },
}

#[derive(Serialize)]
struct ScatterBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_key: Option<&'a str>,
    /// The operator of the same purpose calls it `region_ids`.
    #[serde(skip_serializing_if = "Option::is_none")]
    regions_id: Option<&'a [RegionId]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_limit: Option<u32>,
}

impl<'a> ScatterBody<'a> {
    fn new(request: &'a ScatterRegions) -> Result<Self, InputError> {
        let mut body = Self {
            start_key: None,
            end_key: None,
            regions_id: None,
            group: request.group.as_deref(),
            retry_limit: request.retry_limit,
        };
        match &request.target {
            ScatterTarget::Regions(regions) if regions.is_empty() => {
                return Err(InputError::argument("regions", "", "name at least one"));
            }
            ScatterTarget::Regions(regions) => body.regions_id = Some(regions),
            ScatterTarget::Range { start_key, end_key } => {
                body.start_key = Some(checked_key(start_key)?);
                body.end_key = Some(checked_key(end_key)?);
            }
        }
        Ok(body)
    }
}

/// How a scatter went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Scattered {
    /// Share of the regions that were dealt with, 0 to 100.
    pub processed_percentage: u64,
}

/// How a split went.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct SplitRegions {
    /// Share of the keys that regions were split at, 0 to 100.
    pub processed_percentage: u64,
    /// The regions that came of it.
    #[serde(default, deserialize_with = "crate::lenient::null_is_default")]
    pub regions_id: Vec<RegionId>,
}
