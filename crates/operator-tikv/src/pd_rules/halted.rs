//! What halts all of PD's own scheduling.

use action_core::Cause;
use pd_client::config::ScheduleConfig;

use crate::cluster::Tikv;
use crate::error::Error;

/// What halts it. One read.
pub(crate) async fn halted(tikv: &Tikv, config: &ScheduleConfig) -> Result<Vec<Cause>, Error> {
    let recovery = tikv.pd.unsafe_recovery().await.map_err(Error::Read)?;
    let mut causes: Vec<_> = switched_off(config).into_iter().collect();
    if recovery.is_running() {
        let text = "an unsafe recovery is running, which halts all scheduling";
        causes.push(Cause::new("unsafe_recovery", text));
    }
    Ok(causes)
}

/// The switch for it.
pub(crate) fn switched_off(config: &ScheduleConfig) -> Option<Cause> {
    let is_on = config.halt_scheduling;
    is_on.then(|| Cause::new("scheduling_halted", "`halt-scheduling` is on"))
}
