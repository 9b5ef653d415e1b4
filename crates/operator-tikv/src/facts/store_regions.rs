//! The regions of a store, and whether PD lists as many as it says there are.
//!
//! PD counts a store's regions in the tree that it lists them from (`GetStoreRegionCount` and
//! `GetStoreRegionsByTypeInSubTree` of `pkg/core/region.go`), so that the two differ by what came
//! and went between two reads. From a list of less than half nothing is concluded.

use pd_client::regions::Region;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;

/// All regions that a store holds a replica of, as PD lists them.
pub(crate) struct StoreRegions {
    pub(crate) regions: Vec<Region>,
    /// Why the list proves nothing about what is not in it.
    pub(crate) unlisted: Option<String>,
}

impl StoreRegions {
    /// One read, of all regions of the store.
    pub(crate) async fn read(tikv: &Tikv, store: &Store) -> Result<Self, Error> {
        let regions = tikv.pd.regions_of_store(store.id).await;
        let regions = regions.map_err(Error::Read)?;
        let unlisted = unlisted(store, store.status.region_count, regions.len());
        Ok(Self { regions, unlisted })
    }
}

/// Why a list of a store's regions proves nothing about what is not in it: by PD's count there are
/// far more.
pub(crate) fn unlisted(store: &Store, counted: u64, listed: usize) -> Option<String> {
    let is_far_less = (listed as u64).saturating_mul(2) < counted;
    is_far_less.then(|| {
        let id = store.id;
        format!("PD reports {counted} regions on store {id} but lists {listed} of them")
    })
}
