//! Schedulers and checkers that are paused or gone, and the maintenance lock.

use pd_client::checkers::Checker;
use pd_client::config::Config;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::pd_clock::PdTime;
use crate::observations::doctor::leftovers::Leftovers;
use crate::observations::findings;
use crate::observations::list_schedulers;

/// The checkers that every version has.
const CHECKERS: [Checker; 6] = [
    Checker::Rule,
    Checker::Replica,
    Checker::JointState,
    Checker::Learner,
    Checker::Merge,
    Checker::Split,
];

pub(super) async fn find(tikv: &Tikv, config: &Config, found: &mut Leftovers) -> Result<(), Error> {
    let pd = &tikv.pd;
    let paused = pd.paused_schedulers().await.map_err(Error::Read)?;
    let now = PdTime::now(tikv);
    let paused = paused
        .iter()
        .map(|one| findings::paused_scheduler(one, now));
    found.findings.extend(paused);
    let removed = list_schedulers::removed(&config.schedule);
    let removed = removed.iter().map(|name| findings::removed_scheduler(name));
    found.findings.extend(removed);
    found
        .findings
        .extend(findings::left_schedulers(&config.schedule, |_| true));
    for checker in CHECKERS {
        let status = pd.checker_status(checker).await.map_err(Error::Read)?;
        if status.paused {
            found
                .findings
                .push(findings::paused_checker(checker.name()));
        }
    }
    let task = pd.maintenance().await.map_err(Error::Read)?;
    found
        .findings
        .extend(task.as_ref().map(findings::maintenance));
    Ok(())
}
