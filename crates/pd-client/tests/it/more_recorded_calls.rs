//! Which of the client's calls sends a recorded request, of those that are made more rarely.

use std::num::NonZeroU16;
use std::time::Duration;

use pd_client::hotspots::HotKind;
use pd_client::operators::{NewOperator, SplitPolicy};
use pd_client::regions::{RegionCheck, RoleOnStore};
use pd_client::{Accepted, Client, Error};
use serde_json::Value;

use crate::recordings::Step;
use crate::{operating_calls, region, store};

/// Makes the call that sends this request, if the client has one. Says how many things it read.
pub(crate) async fn call(pd: &Client, step: &Step) -> Option<Result<usize, Error>> {
    let known = match step.request.method.as_str() {
        "GET" => read(pd, step).await,
        "POST" => change(pd, step).await.map(|result| {
            result.map(|accepted| {
                assert!(accepted.message.ends_with('.'), "{}", accepted.message);
                1
            })
        }),
        _ => None,
    };
    match known {
        None => operating_calls::call(pd, step).await,
        known => known,
    }
}

async fn read(pd: &Client, step: &Step) -> Option<Result<usize, Error>> {
    let (path, query) = step
        .request
        .path
        .split_once('?')
        .unwrap_or((&step.request.path, ""));
    Some(match (path, query) {
        ("/status", _) => pd.status().await.map(|status| {
            assert!(status.version.starts_with('v') && status.started.is_some());
            1
        }),
        ("/stores/progress", _) => {
            let progress = pd.store_progress(store(step.path_id('=')?)).await;
            progress.map(|progress| usize::from(progress.is_some()))
        }
        ("/regions/key", "key=&limit=100") => {
            let hundred = NonZeroU16::new(100)?;
            let regions = pd.regions_between("", "", hundred).await;
            regions.map(|regions| {
                assert_eq!(regions[0].start_key, "");
                regions.len()
            })
        }
        (path, "type=leader") if path.starts_with("/regions/store/") => {
            let id = store(path.rsplit('/').next()?.parse().ok()?);
            let led = pd.regions_of_store_as(id, RoleOnStore::Leader).await;
            led.map(|regions| regions.len())
        }
        ("/regions/check/miss-peer", _) => check(pd, RegionCheck::MissPeer).await,
        ("/regions/check/down-peer", _) => check(pd, RegionCheck::DownPeer).await,
        ("/hotspot/regions/write", _) => hot(pd, HotKind::Write).await,
        ("/hotspot/regions/read", _) => hot(pd, HotKind::Read).await,
        ("/hotspot/stores", _) => pd.hot_stores().await.map(|hot| {
            assert_eq!(hot.bytes_write_rate.len(), hot.query_read_rate.len());
            hot.bytes_write_rate.len()
        }),
        (path, _) if path.starts_with("/schedulers/diagnostic/") => {
            let diagnostic = pd.scheduler_diagnostic(path.rsplit('/').next()?).await;
            diagnostic.map(|diagnostic| {
                assert!(diagnostic.at.is_some() && !diagnostic.status.is_empty());
                1
            })
        }
        _ => return None,
    })
}

async fn check(pd: &Client, check: RegionCheck) -> Result<usize, Error> {
    pd.regions_in_check(check).await.map(|found| found.len())
}

async fn hot(pd: &Client, kind: HotKind) -> Result<usize, Error> {
    pd.hot_regions(kind, &[]).await.map(|hot| {
        assert!(hot.as_peer.values().all(Option::is_some));
        hot.as_peer.len()
    })
}

async fn change(pd: &Client, step: &Step) -> Option<Result<Accepted, Error>> {
    let (path, body) = (step.request.path.as_str(), &step.request.body);
    if let Some(name) = path
        .strip_prefix("/schedulers/")
        .filter(|name| *name != "all")
    {
        return Some(match body["delay"].as_u64()? {
            0 => pd.resume_scheduler(name).await,
            delay => pd.pause_scheduler(name, Duration::from_secs(delay)).await,
        });
    }
    let id = || step.id("region_id").map(region);
    Some(match (path, body["name"].as_str()) {
        ("/operators", Some("add-peer")) => {
            pd.add_operator(NewOperator::AddPeer {
                region_id: id()?,
                store_id: store(step.id("store_id")?),
            })
            .await
        }
        ("/operators", Some("split-region")) if body["policy"] == "approximate" => {
            pd.add_operator(NewOperator::SplitRegion {
                region_id: id()?,
                policy: SplitPolicy::Approximate,
                keys: Vec::new(),
            })
            .await
        }
        ("/operators", Some("merge-region")) => {
            let source = region(step.id("source_region_id")?);
            let target = region(step.id("target_region_id")?);
            pd.add_operator(NewOperator::MergeRegion { source, target })
                .await
        }
        ("/operators", Some("scatter-region")) => {
            pd.add_operator(NewOperator::ScatterRegion {
                region_id: id()?,
                group: None,
            })
            .await
        }
        ("/config", _) => {
            let (key, value) = only(body)?;
            pd.set_config(key, value).await
        }
        ("/config?ttlSecond=5", _) => {
            let (key, value) = only(body)?;
            pd.set_config_for(key, value, Duration::from_secs(5)).await
        }
        _ => return None,
    })
}

/// The one item of a body.
fn only(body: &Value) -> Option<(&str, u64)> {
    let (key, value) = body.as_object()?.iter().next()?;
    Some((key, value.as_u64()?))
}
