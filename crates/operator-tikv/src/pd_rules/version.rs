//! What hangs on the version of PD.

use pd_client::Capability;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::pd_rules::stop::{Checked, undecided};

/// Whether PD's version does something; undecided when PD does not say which version it is. Only
/// asked where that decides.
pub(crate) async fn has(tikv: &Tikv, capability: Capability) -> Checked<bool> {
    let version = tikv.pd.version().await.map_err(Error::Read)?;
    version.has(capability).ok_or_else(|| {
        let text = format!(
            "PD reports the invalid version `{}`, and versions differ in this",
            bounded(version.as_str())
        );
        undecided("version_unknown", text)
    })
}
