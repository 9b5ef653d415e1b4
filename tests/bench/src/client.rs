//! `pd-client` beside reqwest, hyper and serde_json. The simulated PD is a process of its own.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use pd_client::regions::Region;
use pd_client::stores::{Store, StoreStatus};
use pd_client::{Client, RegionId};
use pd_sim::Sim;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Failed;
use crate::go_client::GoClient;
use crate::measure::{TURNS, compared, compared_costs, cost};
use crate::report::{Budget, Curve, Report};

/// Stays until its standard input ends.
pub(crate) fn serve(runtime: &Runtime, regions: u64, stores: u64) -> Result<(), Failed> {
    let sim = Sim::builder().stores(stores).regions(regions);
    let sim = runtime.block_on(sim.start())?;
    print(&format!("{} {}", sim.endpoint(), sim.region_ids()[0]))?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(())
}

fn print(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{line}")
}

/// A simulated PD in a process of its own, so that its CPU is not ours.
pub(crate) struct Served {
    child: Child,
    pub(crate) endpoint: String,
    region: u64,
}

impl Served {
    pub(crate) fn start(regions: u64, stores: u64) -> Result<Self, Failed> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", &regions.to_string(), &stores.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let (endpoint, region) = line.trim().split_once(' ').ok_or(NOT_PD)?;
        Ok(Self {
            endpoint: endpoint.to_owned(),
            region: region.parse()?,
            child,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/pd/api/v1{path}", self.endpoint)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends by itself when its input does; one that does not is told.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const NOT_PD: &str = "the simulated PD did not answer as it should";

/// Reads of one region in one run.
const REQUESTS: usize = 2_000;
/// The same, where one waits for the other: else a run is shorter than what the machine does beside
/// it.
const REQUESTS_ALONE: usize = 10_000;

pub(crate) fn measure(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    let pd = Served::start(60, 5)?;
    points(runtime, &pd, report)?;
    drop(pd);
    stores(runtime, report)?;
    scans(runtime, report)
}

/// Reads of one region, so many at a time.
fn points(runtime: &Runtime, pd: &Served, report: &mut Report) -> Result<(), Failed> {
    // With several threads, which of them is woken differs from one answer to the next, by more than
    // anything that is measured here.
    let one_thread = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for at_once in [1, 16, 64] {
        let (runtime, requests) = match at_once {
            1 => (&one_thread, REQUESTS_ALONE),
            _ => (runtime, REQUESTS),
        };
        let client = Client::new(&pd.endpoint)?;
        let id = RegionId::new(pd.region)?;
        let url = pd.url(&format!("/region/id/{id}"));
        let http = reqwest::Client::builder().no_proxy().build()?;
        let found = runtime.block_on(client.region(id))?;
        if found.is_none() || found != runtime.block_on(read(&http, &url)) {
            return Err(NOT_PD.into());
        }
        let ours = || {
            let client = client.clone();
            runtime.block_on(spread(at_once, requests, move |_| {
                let client = client.clone();
                async move {
                    black_box(client.region(id).await.is_ok());
                }
            }));
        };
        let theirs = || {
            let (http, url) = (http.clone(), url.clone());
            runtime.block_on(spread(at_once, requests, move |_| {
                let (http, url) = (http.clone(), url.clone());
                async move {
                    if let Ok(answer) = http.get(&url).send().await
                        && let Ok(body) = answer.bytes().await
                    {
                        black_box(serde_json::from_slice::<Region>(&body).is_ok());
                    }
                }
            }));
        };
        report.row(
            format!("one region, {at_once} at a time"),
            "reqwest and serde_json",
            Budget::Wall(1.0 / 0.95),
            requests as u64,
            compared(ours, theirs),
        );
        let address: Arc<str> = pd.endpoint.trim_start_matches("http://").into();
        let path = format!("/pd/api/v1/region/id/{id}");
        let connections = runtime.block_on(connections(&address, at_once))?;
        let connections = Arc::new(connections);
        let theirs = || {
            let (connections, path) = (Arc::clone(&connections), path.clone());
            let address = Arc::clone(&address);
            runtime.block_on(spread(at_once, requests, move |worker| {
                let (connections, path) = (Arc::clone(&connections), path.clone());
                let address = Arc::clone(&address);
                async move {
                    if let Some(connection) = connections.get(worker) {
                        black_box(fetched(&mut *connection.lock().await, &address, &path).await);
                    }
                }
            }));
        };
        report.row(
            format!("one region, {at_once} at a time"),
            "hyper and serde_json",
            Budget::Wall(1.0 / 0.8),
            requests as u64,
            compared(ours, theirs),
        );
        if let Some(mut go) = GoClient::given(&pd.endpoint)? {
            let order = format!("point {id} {requests} {at_once}");
            go.carry_out(&order)?;
            report.row(
                format!("one region, {at_once} at a time"),
                "PD's Go client",
                Budget::None,
                requests as u64,
                compared_costs(TURNS, || cost(&mut || ours()), || go.costs(&order)),
            );
        }
        report.fact(
            format!("99th percentile of one region, {at_once} at a time"),
            format!(
                "{:.0} µs",
                runtime.block_on(slowest(&client, id, at_once, requests)) * 1e6
            ),
        );
    }
    Ok(())
}

/// By what a region is read.
pub(crate) enum By {
    Ours,
    Hyper,
    Reqwest,
}

/// One region read so many times, one after the other, for whoever counts.
pub(crate) fn repeated(runtime: &Runtime, by: By, times: u64) -> Result<(), Failed> {
    let pd = Served::start(60, 5)?;
    let id = RegionId::new(pd.region)?;
    let client = Client::new(&pd.endpoint)?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let (url, path) = (
        pd.url(&format!("/region/id/{id}")),
        format!("/pd/api/v1/region/id/{id}"),
    );
    let address = pd.endpoint.trim_start_matches("http://");
    runtime.block_on(async {
        let [connection] = &mut connections(address, 1).await?[..] else {
            return Err(NOT_PD.into());
        };
        let connection = connection.get_mut();
        for _ in 0..times {
            let found = match by {
                By::Ours => client.region(id).await?,
                By::Hyper => fetched(connection, address, &path).await,
                By::Reqwest => read(&http, &url).await,
            };
            black_box(found.ok_or(NOT_PD)?);
        }
        Ok(())
    })
}

/// So many workers, which share the requests.
async fn spread<F, W>(workers: usize, requests: usize, work: F)
where
    F: Fn(usize) -> W + Clone + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let mut tasks = JoinSet::new();
    for worker in 0..workers {
        let work = work.clone();
        tasks.spawn(async move {
            for _ in 0..requests / workers {
                work(worker).await;
            }
        });
    }
    tasks.join_all().await;
}

type Connection = tokio::sync::Mutex<SendRequest<Empty<Bytes>>>;

async fn connections(address: &str, count: usize) -> Result<Vec<Connection>, Failed> {
    let mut all = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        all.push(tokio::sync::Mutex::new(sender));
    }
    Ok(all)
}

async fn fetched(
    connection: &mut SendRequest<Empty<Bytes>>,
    host: &str,
    path: &str,
) -> Option<Region> {
    connection.ready().await.ok()?;
    let request = Request::get(path).header("host", host).body(Empty::new());
    let answer = connection.send_request(request.ok()?).await.ok()?;
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    serde_json::from_slice(&body).ok()
}

/// Of a hundred reads the one but slowest, in seconds.
async fn slowest(client: &Client, id: RegionId, at_once: usize, requests: usize) -> f64 {
    let mut tasks = JoinSet::new();
    for _ in 0..at_once {
        let client = client.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            for _ in 0..requests / at_once {
                let begun = Instant::now();
                black_box(client.region(id).await.is_ok());
                times.push(begun.elapsed().as_secs_f64());
            }
            times
        });
    }
    let mut times: Vec<f64> = tasks.join_all().await.into_iter().flatten().collect();
    times.sort_by(f64::total_cmp);
    times
        .get(times.len() * 99 / 100)
        .copied()
        .unwrap_or(f64::NAN)
}

#[derive(Deserialize)]
struct Stores {
    stores: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    store: Store,
    status: StoreStatus,
}

#[derive(Deserialize)]
struct Page {
    regions: Vec<Region>,
}

/// All stores, beside reading the same bytes.
fn stores(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for count in [3, 30, 300, 1_000] {
        let pd = Served::start(60, count)?;
        let client = Client::new(&pd.endpoint)?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = pd.url("/stores");
        let runs = 20_000 / count.max(100);
        let listed = || runtime.block_on(client.stores()).ok();
        let bare = || {
            let all = runtime.block_on(read::<Stores>(&http, &url))?.stores;
            let with_status = |one: Listed| {
                let mut store = one.store;
                store.status = one.status;
                store
            };
            Some(all.into_iter().map(with_status).collect::<Vec<Store>>())
        };
        let len = |all: Option<Vec<Store>>| all.map_or(0, |all| all.len() as u64);
        if len(listed()) != count || len(bare()) != count {
            return Err(NOT_PD.into());
        }
        let compared = compared(
            || (0..runs).all(|_| black_box(listed()).is_some()),
            || (0..runs).all(|_| black_box(bare()).is_some()),
        );
        ours.push((count as f64, compared.ours.wall / runs as f64 * 1e3));
        theirs.push((count as f64, compared.reference.wall / runs as f64 * 1e3));
        let budget = if count == 1_000 {
            Budget::Wall(1.3)
        } else {
            Budget::None
        };
        report.row(
            format!("{count} stores"),
            "reqwest and serde_json",
            budget,
            runs,
            compared,
        );
    }
    report.curve(Curve {
        file: "stores",
        title: "Reading all stores",
        x: "stores",
        y: "ms",
        lines: vec![("stores()", ours), ("reqwest and serde_json", theirs)],
    });
    Ok(())
}

async fn read<T: for<'a> Deserialize<'a>>(http: &reqwest::Client, url: &str) -> Option<T> {
    let body = http.get(url).send().await.ok()?.bytes().await.ok()?;
    serde_json::from_slice(&body).ok()
}

/// All regions, in pages, beside a loop over the same pages.
fn scans(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    let most = std::env::var("BENCH_REGIONS")
        .ok()
        .and_then(|text| text.parse().ok());
    let most: usize = most.unwrap_or(1_000_000);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for count in [10, 1_000, 100_000, 1_000_000] {
        if count > most {
            break;
        }
        let pd = Served::start(count as u64, 5)?;
        let client = Client::new(&pd.endpoint)?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let before = resident_kib();
        let scan = || {
            let mut pages = client.scan_regions("", "").ok()?.page_size(PAGE);
            let mut seen = 0;
            while let Some(page) = runtime.block_on(pages.next_page()).ok()? {
                seen += page.len();
            }
            Some(seen)
        };
        let bare = || {
            let (mut key, mut seen) = (String::new(), 0);
            loop {
                let path = format!("/regions/key?key={}&limit={PAGE}", percent(&key));
                let page: Page = runtime.block_on(read(&http, &pd.url(&path)))?;
                seen += page.regions.len();
                key.clone_from(&page.regions.last()?.end_key);
                if key.is_empty() {
                    return Some(seen);
                }
            }
        };
        if scan() != Some(count) || bare() != Some(count) {
            return Err(NOT_PD.into());
        }
        if count == most.min(1_000_000) {
            report.fact(
                format!("memory that a scan of {count} regions leaves"),
                format!("{} KiB more", resident_kib().saturating_sub(before)),
            );
        }
        // The long ones take long enough.
        let (turns, budget) = match count {
            100_000.. => (1, Budget::Wall(1.3)),
            _ => (TURNS, Budget::None),
        };
        let what = format!("scan of {count} regions");
        let compared = compared_costs(turns, || cost(&mut || scan()), || cost(&mut || bare()));
        ours.push((count as f64, compared.ours.wall));
        theirs.push((count as f64, compared.reference.wall));
        report.row(&what, "a loop over the same pages", budget, 1, compared);
        if let Some(mut go) = GoClient::given(&pd.endpoint)? {
            let order = format!("scan {PAGE}");
            go.carry_out(&order)?;
            let compared = compared_costs(turns, || cost(&mut || scan()), || go.costs(&order));
            report.row(&what, "PD's Go client", Budget::None, 1, compared);
        }
    }
    report.curve(Curve {
        file: "scan",
        title: "Reading all regions",
        x: "regions",
        y: "seconds",
        lines: vec![
            ("scan_regions()", ours),
            ("a loop over the same pages", theirs),
        ],
    });
    Ok(())
}

const PAGE: NonZeroU16 = NonZeroU16::new(1_024).unwrap();

/// A key of PD's, in hexadecimal, as its bytes in a query.
fn percent(hex: &str) -> String {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|two| format!("%{}", String::from_utf8_lossy(two)))
        .collect()
}

/// KiB of this process that are in memory.
pub(crate) fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let digits = line.unwrap_or_default().split_whitespace().next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
