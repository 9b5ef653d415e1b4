//! The systems that this command operates: the one place that chooses them.

use action_core::{ActionDefinition, ActionRegistry, Subject as _};
use operator_tikv::Tikv;

use crate::settings::connection::Connection;
use crate::terminal::failure::Failure;

/// What can be done, without a system to do it to.
pub(crate) fn definitions() -> Vec<ActionDefinition> {
    Tikv::actions().definitions().cloned().collect()
}

/// The systems that this command operates. Nothing is sent yet.
pub(crate) fn registry(connection: &Connection) -> Result<ActionRegistry, Failure> {
    let mut registry = ActionRegistry::new();
    let mut tikv = Tikv::new(connection.client()?);
    if let Some(prometheus) = connection.prometheus()? {
        tikv = tikv.with_prometheus(prometheus);
    }
    registry.register(tikv)?;
    Ok(registry)
}
