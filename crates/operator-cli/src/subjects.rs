//! The systems that this command operates: the one place that chooses them.

use std::sync::LazyLock;
use std::time::Duration;

use action_core::{ActionDefinition, ActionRegistry, Subject as _};
use operator_tikv::Tikv;

use crate::settings::connection::Connection;
use crate::terminal::failure::Failure;

/// PD has loaded its schedulers this long after its start, where regions report every few seconds.
const WAITS: Duration = Duration::from_secs(20);

/// What can be done, without a system to do it to. Derived when it is first asked for.
pub(crate) fn definitions() -> &'static [ActionDefinition] {
    static DEFINITIONS: LazyLock<Vec<ActionDefinition>> =
        LazyLock::new(|| Tikv::actions().into_definitions().collect());
    &DEFINITIONS
}

/// The systems that this command operates. Nothing is sent yet.
pub(crate) fn registry(connection: &Connection) -> Result<ActionRegistry, Failure> {
    let mut registry = ActionRegistry::new();
    let mut tikv = Tikv::new(connection.client()?).waiting(WAITS);
    if let Some(interval) = connection.region_heartbeat() {
        tikv = tikv.with_region_heartbeat_interval(interval);
    }
    if let Some(prometheus) = connection.prometheus()? {
        tikv = tikv.with_prometheus(prometheus);
    }
    registry.register(tikv)?;
    Ok(registry)
}
