//! All regions, page by page.

use std::collections::BTreeSet;

use action_core::Cause;
use pd_client::StoreId;
use pd_client::regions::Region;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded_key;
use crate::facts::counts::Completeness;
use crate::stop_safety::answer::StopSafety;
use crate::stop_safety::snapshot::StopSnapshot;
use crate::stop_safety::verdict::{Basis, Found};

impl StopSnapshot {
    /// Whether these stores can go down, by every region: one read for each 1,024 of them, whose
    /// memory is that of one page.
    pub(crate) async fn by_scan(
        &self,
        tikv: &Tikv,
        asked: BTreeSet<StoreId>,
        most: usize,
    ) -> Result<StopSafety, Error> {
        let going = self.going(asked);
        let mut found = Found::beginning(self, &going, most);
        found.basis = Basis::AllRegions;
        if !matches!(self.counts, Completeness::NotYet(_)) {
            let scan = tikv.pd.scan_regions("", "");
            let mut scan = scan.map_err(|error| Error::Read(error.into()))?;
            let mut keys = Keys::default();
            while let Some(page) = scan.next_page().await.map_err(Error::Read)? {
                for region in &page {
                    keys.pass(region);
                    found.tally.add(region, &going);
                }
            }
            found.undecided.extend(keys.ended());
        }
        found.finished(self, tikv, &going).await
    }
}

/// How far the scan has come, and where it found no region.
#[derive(Default)]
struct Keys {
    /// Where the next region begins; `None` behind the last.
    next: Next,
    holes: u64,
    first_hole: Option<String>,
}

#[derive(Default)]
enum Next {
    #[default]
    Start,
    Key(String),
    Nothing,
}

impl Keys {
    fn pass(&mut self, region: &Region) {
        let is_hole = match &self.next {
            Next::Start => !region.start_key.is_empty(),
            Next::Key(key) => region.start_key > *key,
            Next::Nothing => false,
        };
        if is_hole {
            self.hole();
        }
        // A region that was seen before, as part of another, does not take it back.
        self.next = match &self.next {
            _ if region.end_key.is_empty() => Next::Nothing,
            Next::Key(key) if *key > region.end_key => return,
            Next::Nothing => return,
            _ => Next::Key(region.end_key.clone()),
        };
    }

    fn hole(&mut self) {
        self.holes += 1;
        let from = match &self.next {
            Next::Key(key) => key.as_str(),
            _ => "",
        };
        self.first_hole.get_or_insert_with(|| bounded_key(from));
    }

    fn ended(mut self) -> Option<Cause> {
        if !matches!(self.next, Next::Nothing) {
            self.hole();
        }
        let from = self.first_hole?;
        let text = format!(
            "PD showed no region for {} key ranges, the first from key `{from}`, as happens just after a split: try again",
            self.holes
        );
        Some(Cause::new("keys_without_region", text))
    }
}
