//! Everything that is read to tell why something does not move, once.

use action_core::Cause;
use pd_client::affinity::AffinityGroup;
use pd_client::checkers::Checker;
use pd_client::config::{Config, ScheduleConfig};
use pd_client::maintenance::MaintenanceTask;
use pd_client::members::MemberHealth;
use pd_client::operators::Operator;
use pd_client::region_labels::RegionLabel;
use pd_client::regions::Region;
use pd_client::rules::{RegionFit, Rule};
use pd_client::schedulers::{
    EvictLeaderConfig, PausedScheduler, SchedulerDiagnostic, SchedulerKind,
};
use pd_client::stores::Store;
use pd_client::unsafe_recovery::UnsafeRecovery;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::known_yet::KnownYet;
use crate::facts::pd_clock::PdTime;
use crate::facts::settings_in_force::{self, Overrides};
use crate::observations::list_schedulers;
use crate::observations::why::drained::{Drained, drained};
use crate::observations::why::emptied::{Emptied, is_emptied};
use crate::observations::why::merge_snapshot::{MergeSnapshot, NOT_READ};
use crate::observations::why::offers::Offers;
use crate::observations::why::question::{Moving, Why};
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::affinity::group_of;
use crate::pd_rules::drain::batch_of_zero;
use crate::pd_rules::leadership::LeaderBlockers;
use crate::pd_rules::patrol::{Patrol, led};
use crate::pd_rules::replica_takers::ReplicaTakers;
use crate::pd_rules::room;
use crate::pd_rules::rule_checker;
use crate::pd_rules::stop::known_by_version;

/// What was read.
pub(super) struct WhySnapshot {
    pub(super) what: Moving,
    pub(super) config: Config,
    /// `None` where PD's etcd could not be asked.
    pub(super) overrides: Option<Overrides>,
    /// All but tombstones.
    pub(super) stores: Vec<Store>,
    pub(super) leader_blockers: LeaderBlockers,
    pub(super) paused: Vec<PausedScheduler>,
    pub(super) removed: Vec<String>,
    pub(super) paused_checkers: Vec<Checker>,
    pub(super) operators: Vec<Operator>,
    pub(super) maintenance: Option<MaintenanceTask>,
    pub(super) recovery: UnsafeRecovery,
    /// How the members of PD are.
    pub(super) health: Vec<MemberHealth>,
    pub(super) region: Option<(RegionId, Option<AskedRegion>)>,
    pub(super) from: Option<(StoreId, Option<Store>)>,
    pub(super) to: Option<(StoreId, Option<Store>)>,
    /// What keeps the last regions on a store that is being drained.
    pub(super) blocked: Vec<Cause>,
    /// That drains move nothing, where leaders of a drained store were asked about.
    pub(super) drain_batch: Option<Cause>,
    /// What would make leaders or replicas leave a store that nothing asks to.
    pub(super) offers: Offers,
    /// What is left on stores that PD empties.
    pub(super) emptied: Vec<Emptied>,
    /// The rules, where a store is drained or is to take something of any region; `None` when rules
    /// are switched off.
    pub(super) rules: Option<Vec<Rule>>,
    /// What decides about merges, where they were asked about.
    pub(super) merge: Option<MergeSnapshot>,
    /// What PD says of the scheduler that spreads replicas, where that was asked and it says.
    pub(super) diagnosis: Option<SchedulerDiagnostic>,
    /// How PD's checkers go round.
    pub(super) patrol: Patrol,
    pub(super) now: Option<PdTime>,
    /// What PD does not know yet.
    pub(super) known: KnownYet,
}

/// The region that was asked about.
pub(super) struct AskedRegion {
    pub(super) region: Region,
    /// The rules that hold for it; `None` when rules are switched off.
    pub(super) rules: Option<Vec<Rule>>,
    /// How its replicas fit them.
    pub(super) fit: Option<RegionFit>,
    /// Its labels.
    pub(super) labels: Vec<RegionLabel>,
    /// The affinity group that it belongs to and that has its stores.
    pub(super) group: Option<AffinityGroup>,
}

/// How many reads tell what keeps leaders from stores: the drains, and each scheduler that may.
const LEADER_BLOCKER_READS: usize = 5;

impl WhySnapshot {
    pub(super) async fn read(tikv: &Tikv, asked: &Why) -> Result<Self, Error> {
        let pd = &tikv.pd;
        let config = pd.config().await.map_err(Error::Read)?;
        let stores = pd.stores().await.map_err(Error::Read)?;
        let paused_checkers = paused_checkers(tikv, asked.what, &config).await?;
        let leader_blockers = LeaderBlockers::read(tikv, &config, LEADER_BLOCKER_READS).await?;
        let from = named(tikv, &stores, asked.from_store_id).await?;
        let cluster = (&config, &stores[..]);
        let drained = drained(asked, from.as_ref(), &leader_blockers);
        let drained = Drained::read(tikv, drained, cluster, &leader_blockers).await?;
        let Drained { mut rules, blocked } = drained;
        let region = match asked.region_id {
            Some(id) => Some((id, AskedRegion::read(tikv, &config.schedule, id).await?)),
            None => None,
        };
        let about = region.as_ref().and_then(|(_, region)| region.as_ref());
        let known = about.map(|asked| &asked.region);
        let drains = leader_blockers.drains.as_ref();
        let drains = drains.filter(|drains| is_about_drain(asked, known, drains));
        let drain_batch = known_by_version(batch_of_zero(tikv, drains).await)?;
        let merge = MergeSnapshot::read(tikv, asked.what, known).await?;
        let operators = pd.operators().await.map_err(Error::Read)?;
        let store = from.as_ref().and_then(|(_, store)| store.as_ref());
        let fitted = about.map(|about| (&about.region, about.fit.as_ref()));
        let emptied = Emptied::read(tikv, asked, (store, fitted), cluster, &operators).await?;
        if asked.to_store_id.is_some() && asked.region_id.is_none() && rules.is_none() {
            rules = room::rules(tikv, &config).await?;
        }
        let overrides = settings_in_force::overrides(tikv).await;
        let in_force = overrides.as_ref();
        let offers = Offers::read(tikv, asked, store, cluster, &leader_blockers, in_force);
        Ok(Self {
            known: KnownYet::of_scheduling(tikv, cluster).await?,
            what: asked.what,
            offers: offers.await?,
            overrides,
            leader_blockers,
            paused: pd.paused_schedulers().await.map_err(Error::Read)?,
            removed: list_schedulers::removed(&config.schedule),
            paused_checkers,
            operators,
            maintenance: pd.maintenance().await.map_err(Error::Read)?,
            recovery: pd.unsafe_recovery().await.map_err(Error::Read)?,
            health: pd.health().await.map_err(Error::Read)?,
            merge,
            drain_batch,
            diagnosis: diagnosis(tikv, asked).await,
            region,
            from,
            blocked,
            emptied,
            rules,
            to: named(tikv, &stores, asked.to_store_id).await?,
            patrol: Patrol::read(tikv, &config, led(&stores)).await?,
            now: PdTime::now(tikv),
            config,
            stores,
        })
    }

    /// The store with this id, unless it is a tombstone.
    pub(super) fn store(&self, id: pd_client::StoreId) -> Option<&Store> {
        self.stores.iter().find(|store| store.id == id)
    }

    /// What decides whether a store is given replicas.
    pub(super) fn takers(&self) -> ReplicaTakers<'_> {
        ReplicaTakers::under(&self.config.schedule, self.overrides.as_ref())
    }

    pub(super) fn is_draining(&self, id: pd_client::StoreId) -> bool {
        let drains = self.leader_blockers.drains.as_ref();
        drains.is_some_and(|drains| drains.stores.contains_key(&id))
    }

    /// Whether nothing was named.
    pub(super) fn is_about_all(&self) -> bool {
        self.region.is_none() && self.from.is_none() && self.to.is_none()
    }

    /// Whether a replica of the region that was asked about is on a store that is being emptied: the
    /// rule checker moves it.
    pub(super) fn is_on_emptied(&self) -> bool {
        let region = self.region.as_ref().and_then(|(_, region)| region.as_ref());
        let mut emptied = self.stores.iter().filter(|store| is_emptied(store));
        region.is_some_and(|asked| emptied.any(|store| asked.region.peer_on(store.id).is_some()))
    }

    /// Whether what was asked about is a store that is being emptied and not drained.
    pub(super) fn is_emptied(&self) -> bool {
        matches!(&self.from, Some((_, Some(store)))
            if is_emptied(store) && !self.is_draining(store.id))
    }

    /// What could not be read, and what has no cause where none was found that holds for all.
    pub(super) fn unknown(&self, is_explained: bool) -> Vec<String> {
        let mut unknown: Vec<String> = self.known.overdue.iter().cloned().collect();
        if self.overrides.is_none() {
            let what = "whether temporary overrides (TTL) change the limits in force: cannot read PD's etcd";
            unknown.push(what.to_owned());
        }
        if self.region.is_some() {
            unknown.push(
                "whether TiKV itself refuses, for example because of a gap in its log".to_owned(),
            );
        }
        if self.what.replicas() {
            let what = "how much of a store's limit for replicas is used: PD does not show it";
            unknown.push(what.to_owned());
        }
        unknown.extend(self.merge.iter().flat_map(|_| NOT_READ.map(str::to_owned)));
        let emptied = self.emptied.iter();
        unknown.extend(emptied.flat_map(|one| one.unknown(is_explained)));
        unknown
    }
}

impl AskedRegion {
    async fn read(
        tikv: &Tikv,
        schedule: &ScheduleConfig,
        id: RegionId,
    ) -> Result<Option<Self>, Error> {
        let pd = &tikv.pd;
        let Some(region) = pd.region(id.pd()).await.map_err(Error::Read)? else {
            return Ok(None);
        };
        let fit = match pd.region_fit(id.pd()).await {
            Err(error) if error.is_not_found() => return Ok(None),
            fit => fit.map_err(Error::Read)?,
        };
        let rules = fit.as_ref().map(|fit| {
            let fits = fit.rule_fits.iter();
            fits.map(|one| one.rule.clone()).collect()
        });
        let labels = pd.labels_of_region(id.pd()).await.map_err(Error::Read)?;
        Ok(Some(Self {
            region,
            rules,
            fit,
            group: group_of(tikv, schedule, &labels).await?,
            labels,
        }))
    }
}

/// Whether leaders were asked about that a drain is to move.
fn is_about_drain(asked: &Why, region: Option<&Region>, drains: &EvictLeaderConfig) -> bool {
    let is_drained = |id| drains.stores.contains_key(&id);
    let drained = match (asked.from_store_id, region.and_then(|region| region.leader)) {
        (Some(id), _) => is_drained(id.pd()),
        (None, Some(leader)) => is_drained(leader.store_id),
        (None, None) => asked.region_id.is_none() && asked.to_store_id.is_none(),
    };
    asked.what.leaders() && drained
}

/// The checkers that do what was asked about and are paused.
async fn paused_checkers(
    tikv: &Tikv,
    what: Moving,
    config: &Config,
) -> Result<Vec<Checker>, Error> {
    let checkers: &[Checker] = match (what, rule_checker::of(config)) {
        (Moving::Leaders, _) => &[],
        (Moving::Merges, _) => &[Checker::Merge],
        (_, Checker::Rule) => &[Checker::Rule, Checker::JointState],
        // The learner checker is asked where rules are off, too.
        _ => &[Checker::Replica, Checker::JointState, Checker::Learner],
    };
    let mut paused = Vec::new();
    for checker in checkers {
        if rule_checker::is_paused(&tikv.pd, *checker).await? {
            paused.push(*checker);
        }
    }
    Ok(paused)
}

/// What PD says of the scheduler that spreads replicas; `None` where it does not say, as in 6.5.
async fn diagnosis(tikv: &Tikv, asked: &Why) -> Option<SchedulerDiagnostic> {
    let is_asked =
        asked.what.replicas() && asked.from_store_id.is_none() && asked.region_id.is_none();
    let name = SchedulerKind::BalanceRegion.name();
    match is_asked {
        true => tikv.pd.scheduler_diagnostic(name).await.ok(),
        false => None,
    }
}

/// A store that was named; it may be a tombstone, which the list leaves out.
async fn named(
    tikv: &Tikv,
    stores: &[Store],
    id: Option<StoreId>,
) -> Result<Option<(StoreId, Option<Store>)>, Error> {
    let Some(id) = id else {
        return Ok(None);
    };
    let listed = stores.iter().find(|store| store.id == id.pd()).cloned();
    let store = match listed {
        Some(store) => Some(store),
        None => tikv.pd.store(id.pd()).await.map_err(Error::Read)?,
    };
    Ok(Some((id, store)))
}
