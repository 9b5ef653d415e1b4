//! What an answer rests on and PD does not know yet, as after its process starts.

use pd_client::config::Config;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::counts::{Completeness, completeness};
use crate::facts::schedulers::{NOT_LOADED, are_loaded};
use crate::facts::traces::PdProcess;

/// What PD does not know yet. An answer that found nothing while there is some has not found that
/// there is nothing.
pub(crate) struct KnownYet {
    /// What PD knows once stores and regions have reported, a line each.
    pub(crate) not_yet: Vec<String>,
    /// What it would know by now if it were told.
    pub(crate) overdue: Option<String>,
}

impl KnownYet {
    /// What stores and regions report, under the process that leads PD: two reads, or none.
    pub(crate) async fn of_reports(
        tikv: &Tikv,
        process: Option<&PdProcess>,
        stores: &[Store],
    ) -> Result<Self, Error> {
        let line = |text| format!("what stores and regions report: {text}");
        let (not_yet, overdue) = match completeness(tikv, process, stores).await? {
            Completeness::Complete => (Vec::new(), None),
            Completeness::NotYet(text) => (vec![line(text)], None),
            Completeness::Overdue(text) => (Vec::new(), Some(line(text))),
        };
        Ok(Self { not_yet, overdue })
    }

    /// What stores and regions report, and schedulers. Five reads at most.
    pub(crate) async fn of_scheduling(
        tikv: &Tikv,
        (config, stores): (&Config, &[Store]),
    ) -> Result<Self, Error> {
        let process = PdProcess::read(tikv).await?;
        let known = Self::of_reports(tikv, process.as_ref(), stores).await?;
        let are_loaded = are_loaded(&tikv.pd, &config.schedule).await;
        Ok(known.with_schedulers(are_loaded.map_err(Error::Read)?))
    }

    /// The same, and whether PD has loaded its schedulers.
    pub(crate) fn with_schedulers(mut self, are_loaded: bool) -> Self {
        if !are_loaded {
            let text = format!("drains and paused schedulers: {NOT_LOADED}");
            self.not_yet.push(text);
        }
        self
    }
}
