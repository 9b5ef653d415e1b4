//! What decides about merges, read once.

use std::num::NonZeroU16;

use pd_client::region_labels::RegionLabelRule;
use pd_client::regions::Region;
use pd_client::rules::Rule;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::traces::PdProcess;
use crate::observations::why::question::Moving;

/// What decides about merges and is not read.
pub(super) const NOT_READ: [&str; 3] = [
    "whether the region or the next one is hot or was split recently: PD does not merge such regions",
    "whether the previous region could be merged with: only the next one was checked",
    "whether the two regions hold keys of different tables, if `enable-cross-table-merge` is off",
];

/// What decides about merges.
pub(super) struct MergeSnapshot {
    pub(super) pd: Option<PdProcess>,
    pub(super) next: Option<Region>,
    pub(super) labels: Vec<RegionLabelRule>,
    pub(super) rules: Vec<Rule>,
}

impl MergeSnapshot {
    /// Two reads, and three more where a region was named.
    pub(super) async fn read(
        tikv: &Tikv,
        what: Moving,
        region: Option<&Region>,
    ) -> Result<Option<Self>, Error> {
        if what != Moving::Merges {
            return Ok(None);
        }
        let mut merge = Self {
            pd: PdProcess::read(tikv).await?,
            next: None,
            labels: Vec::new(),
            rules: Vec::new(),
        };
        if let Some(region) = region
            && !region.end_key.is_empty()
        {
            let pd = &tikv.pd;
            let next = pd
                .regions_between(&region.end_key, "", NonZeroU16::MIN)
                .await;
            merge.next = next.map_err(Error::Read)?.into_iter().next();
            merge.labels = pd.region_label_rules().await.map_err(Error::Read)?;
            merge.rules = pd.rules().await.map_err(Error::Read)?.unwrap_or_default();
        }
        Ok(Some(merge))
    }
}
