//! A gate's tools over stdin and stdout, for hosts that start a server: with a token and nothing else.

mod events;
mod gate;
mod pump;
mod trouble;

use std::sync::Arc;

use gate_client::{Place, Who};

use crate::lines::Lines;
use crate::proxy::gate::Gate;
use crate::proxy::pump::Pump;

/// What a host says goes to a gate, each message once, and what that answers comes back. Both eras of the
/// protocol go through as they are.
pub struct Proxy {
    gate: Arc<Gate>,
}

impl Proxy {
    /// A proxy to one cluster of the gate at a place, for who has what proves them. Nothing is asked yet.
    #[must_use]
    pub fn new(place: Place, cluster: &str, who: Who) -> Self {
        Self {
            gate: Arc::new(Gate::new(place, cluster, who)),
        }
    }

    /// Serves the client at stdin and stdout until it is gone, and then ends its session at the gate.
    pub async fn serve_stdio(self) {
        Pump::new(Lines::stdio(), self.gate).run().await;
    }
}
