//! What PD's leader counts itself and publishes for Prometheus.

use pd_client::gauges::Gauges;

use crate::cluster::Tikv;
use crate::error::Error;

/// What PD's leader counts; `None` when its own address cannot be reached or it has not counted
/// yet. One read, of a text of hundreds of kB on a large cluster.
pub(crate) async fn gauges(tikv: &Tikv) -> Option<Gauges> {
    let gauges = tikv.pd.gauges().await.map_err(Error::Read).ok()?;
    (!gauges.config.is_empty()).then_some(gauges)
}
