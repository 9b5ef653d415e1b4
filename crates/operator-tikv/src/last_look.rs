//! What those that follow mutations saw when they last looked, so that a look reads what is big only
//! where it needs it anew.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pd_client::config::Config;
use pd_client::stores::Store;
use pd_client::{Client, StoreId};

use crate::error::Error;

/// What keeps a change from getting on is told by a reading that is no older.
const HOLDS: Duration = Duration::from_secs(10);

/// The configuration and the stores that are not tombstones: about 800 kB of JSON for a thousand stores.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) config: Config,
    pub(crate) stores: Vec<Store>,
}

/// What was seen last; the same for all clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastLook(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    cluster: Option<(Instant, Arc<Cluster>)>,
    /// How much there was left on a store.
    left: BTreeMap<StoreId, u64>,
    /// Which store had yet to report, for what is being drained.
    waits_for: BTreeMap<StoreId, StoreId>,
}

impl LastLook {
    /// The configuration and the stores as they were read ten seconds ago or later: two reads, or none.
    /// No proof goes by them.
    pub(crate) async fn cluster(&self, pd: &Client) -> Result<Arc<Cluster>, Error> {
        let known = self.seen(|seen| seen.cluster.clone());
        if let Some((_, cluster)) = known.filter(|(read, _)| read.elapsed() < HOLDS) {
            return Ok(cluster);
        }
        let cluster = Arc::new(Cluster {
            config: pd.config().await.map_err(Error::Read)?,
            stores: pd.stores().await.map_err(Error::Read)?,
        });
        let read = (Instant::now(), Arc::clone(&cluster));
        self.seen(|seen| seen.cluster = Some(read));
        Ok(cluster)
    }

    /// Whether there is less left on a store than there was at the last look: what moves is not held
    /// up.
    pub(crate) fn is_less(&self, store: StoreId, left: u64) -> bool {
        let last = self.seen(|seen| seen.left.insert(store, left));
        last.is_some_and(|last| left < last)
    }

    /// The store that had to report first, when the drain of a store was last looked at.
    pub(crate) fn waits_for(&self, drained: StoreId) -> Option<StoreId> {
        self.seen(|seen| seen.waits_for.get(&drained).copied())
    }

    /// Keeps which store has to report first.
    pub(crate) fn now_waits_for(&self, drained: StoreId, silent: Option<StoreId>) {
        self.seen(|seen| match silent {
            Some(silent) => seen.waits_for.insert(drained, silent),
            None => seen.waits_for.remove(&drained),
        });
    }

    fn seen<T>(&self, what: impl FnOnce(&mut Seen) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
