//! Scans over any number of regions.

use std::num::NonZeroU16;
use std::pin::pin;

use futures_util::StreamExt;
use pd_client::regions::RegionScan;
use pd_client::{Client, Error, ErrorClass};
use pd_sim::{Fault, Version};

use crate::replay::Replay;
use crate::simulated_pd;

fn size(regions: u16) -> NonZeroU16 {
    NonZeroU16::new(regions).unwrap()
}

async fn ids(scan: RegionScan) -> Vec<u64> {
    let mut stream = pin!(scan.into_stream());
    let mut ids = Vec::new();
    while let Some(region) = stream.next().await {
        ids.push(region.unwrap().id.get());
    }
    ids
}

#[tokio::test]
async fn a_scan_sees_every_region_once_in_any_version() {
    for version in [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0] {
        let (sim, pd) = simulated_pd(version, |builder| builder).await;
        let whole = ids(pd.scan_regions("", "").unwrap()).await;
        let mut sorted = whole.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, sim.region_ids());
        for page in [1, 7, 60, 10_240, u16::MAX] {
            let scan = pd.scan_regions("", "").unwrap().page_size(size(page));
            assert_eq!(ids(scan).await, whole, "{version:?} {page}");
        }
        let all = pd.regions_between("", "", size(60)).await.unwrap();
        let (start, end) = (&all[10].start_key, &all[20].start_key);
        let part = pd.scan_regions(&start.to_lowercase(), end).unwrap();
        assert_eq!(ids(part.page_size(size(3))).await, whole[10..20]);
    }
}

#[tokio::test]
async fn pages_are_asked_for_only_when_they_are_wanted() {
    let (sim, pd) = simulated_pd(Version::V8_5, |builder| builder).await;
    let mut scan = pd.scan_regions("", "").unwrap().page_size(size(7));
    assert_eq!(sim.received("GET", "/regions/key"), 0);
    assert_eq!(scan.next_page().await.unwrap().unwrap().len(), 7);
    assert_eq!(sim.received("GET", "/regions/key"), 1);
    let mut stream = pin!(scan.into_stream());
    for _ in 0..7 {
        stream.next().await.unwrap().unwrap();
    }
    assert_eq!(sim.received("GET", "/regions/key"), 2);
}

#[tokio::test]
async fn a_page_that_failed_is_asked_for_again() {
    let (sim, pd) = simulated_pd(Version::V8_5, |builder| builder).await;
    let mut scan = pd.scan_regions("", "").unwrap().page_size(size(50));
    scan.next_page().await.unwrap();
    sim.fault(Fault::garbage("GET", "/regions/key"));
    assert!(scan.next_page().await.is_err());
    assert_eq!(scan.next_page().await.unwrap().unwrap().len(), 10);
    assert_eq!(scan.next_page().await.unwrap(), None);
    assert_eq!(scan.next_page().await.unwrap(), None);
}

#[tokio::test]
async fn a_stream_ends_after_its_first_error() {
    let (sim, pd) = simulated_pd(Version::V8_5, |builder| builder).await;
    sim.fault(Fault::garbage("GET", "/regions/key").always());
    let mut stream = pin!(pd.scan_regions("", "").unwrap().into_stream());
    assert!(stream.next().await.unwrap().is_err());
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn an_answer_that_does_not_go_on_ends_the_scan_with_an_error() {
    let stuck = r#"{"count":1,"regions":[{"id":9,"start_key":"74","end_key":"75"}]}"#;
    let pd = Replay::new(200, &[], stuck).client();
    let mut scan = pd.scan_regions("", "").unwrap();
    assert_eq!(scan.next_page().await.unwrap().unwrap().len(), 1);
    let error = scan.next_page().await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    // No regions at all are the end.
    let pd = Replay::new(200, &[], "{\"count\":0,\"regions\":null}").client();
    let mut scan = pd.scan_regions("74", "75").unwrap();
    assert_eq!(scan.next_page().await.unwrap(), None);
}

#[test]
fn a_range_that_is_none_is_refused() {
    let pd = Client::new("pd:1").unwrap();
    for (start, end) in [("75", "74"), ("74", "74"), ("7", ""), ("", "zz")] {
        let error = Error::from(pd.scan_regions(start, end).err().unwrap());
        assert_eq!(error.class(), ErrorClass::Input, "{start} {end}");
    }
}
