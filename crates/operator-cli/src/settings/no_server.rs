//! No gate, where the program is built without.

/// No gate.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Server {}

impl Server {
    pub(crate) fn is_given(&self) -> bool {
        false
    }

    pub(crate) fn flags(&self, _: bool) -> Vec<String> {
        Vec::new()
    }
}
