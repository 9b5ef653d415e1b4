//! `operator serve`: the gate to the clusters of the config file.

mod log;
mod reload;
#[cfg(unix)]
mod socket;
mod trust;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use action_core::{DurationText, Risk, printable, report};
use action_guard::{Guard, Journal};
use clap::{Arg, ArgAction, ArgMatches, Command};
use operator_mcp::Ceiling;
use operator_server::{Gate, GateError, Options, Trust, TrustError};
use serde_json::json;
use tokio::net::TcpListener;

use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::interrupt::{Reloads, interrupted};
use crate::terminal::output::Output;
use crate::verbs::serve::trust::Sources;

/// Looking more often than this would be all that it does.
const SHORTEST_LOOK: Duration = Duration::from_millis(100);

pub(crate) fn command() -> Command {
    Command::new("serve")
        .about("Serve the clusters of the config file over HTTP, to agents with tokens")
        .after_help(
            "This process alone holds the keys: run it as a user whose files no agent can read or write. \
             Agents come with tokens (`token create`); people approve by their signatures. What is only \
             claimed, also by what others wrote into the journal, lets nothing through. It needs a policy \
             file that lists people with their keys. Certificates and `[serve]` of the config file are \
             read again when they change, and at SIGHUP.",
        )
        .arg(
            Arg::new("listen")
                .long("listen")
                .value_name("ADDRESS")
                .default_value("127.0.0.1:7070")
                .value_parser(clap::value_parser!(SocketAddr))
                .help("Address to listen on: IP and port; port 0 picks a free one"),
        )
        .arg(
            Arg::new("host")
                .long("host")
                .value_name("NAME")
                .action(ArgAction::Append)
                .help("Host name under which it is reached, besides loopback"),
        )
        .arg(
            Arg::new("up-to")
                .long("up-to")
                .value_name("RISK")
                .value_parser(["low", "medium", "high"])
                .help("Also accept mutations, up to this risk"),
        )
        .arg(file("gate-certificate").help(
            "Certificate for TLS, followed by its intermediates (PEM)",
        ))
        .arg(file("gate-key").help("Private key of that certificate (PEM)"))
        .arg(
            Arg::new("metrics-listen")
                .long("metrics-listen")
                .value_name("ADDRESS")
                .value_parser(clap::value_parser!(SocketAddr))
                .help("Address that serves `/metrics` for Prometheus, without authentication"),
        )
        .arg(log::level())
        .arg(
            Arg::new("look-every")
                .long("look-every")
                .value_name("TIME")
                .value_parser(clap::value_parser!(DurationText))
                .default_value("30s")
                .help("Between two looks at what a gate left open, and at leases that are over"),
        )
        .arg(
            Arg::new("plain-http-beyond-loopback")
                .long("plain-http-beyond-loopback")
                .action(ArgAction::SetTrue)
                .help("Listen without TLS on a network where others can read and use the tokens"),
        )
}

fn file(name: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    log::begin(matches);
    let reloads = Reloads::new();
    let sources = Sources { matches, global };
    let trust = sources.load()?;
    let (gate, names) = opened(sources, &trust).await?;
    let address = matches.get_one::<SocketAddr>("listen").copied();
    let address = address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 7070)));
    let (listener, address) = bound(&gate, address).await?;
    let figures = match matches.get_one::<SocketAddr>("metrics-listen") {
        Some(address) => Some(bound(&gate, *address).await?),
        None => None,
    };
    let scheme = if trust.identity.is_some() {
        "https"
    } else {
        "http"
    };
    let figures_at = figures.as_ref().map(|(_, address)| address.to_string());
    let shown = json!({
        "listening": address.to_string(), "scheme": scheme, "clusters": names, "metrics": figures_at,
        "url": trust.url,
    });
    output.show(&shown, || {
        let serves = format!("serves {} at {scheme}://{address}", names.join(", "));
        match &trust.url {
            Some(url) => format!("{serves}, for people at {url}"),
            None => serves,
        }
    });
    for warning in gate.warnings().await {
        output.note(&format!("warning: {}", printable(&warning)));
    }
    let links = links(&gate, sources, &trust)?;
    let reloading = reload::keep(&gate, sources, trust, reloads, output);
    tokio::select! {
        served = serve(&gate, listener, figures) => served.map_err(failed)?,
        () = reloading => {}
        () = links => {}
    }
    Ok(Exit::Done)
}

/// Makes links for the users of this host, if some were listed at the start. Never ends.
#[cfg(unix)]
fn links(
    gate: &Gate,
    sources: Sources<'_>,
    trust: &Trust,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let bound = match trust.local_users.is_empty() {
        true => None,
        false => {
            let given = sources.global.serve()?.link_socket;
            let path = given.map_or_else(
                || Ok::<_, Failure>(sources.global.state.directory()?.join("link.sock")),
                Ok,
            );
            Some(socket::Socket::bind(path?)?)
        }
    };
    let gate = gate.clone();
    Ok(async move {
        if let Some((listener, _socket)) = bound {
            gate.serve_links(listener, std::future::pending()).await;
        }
        std::future::pending().await
    })
}

/// There are no such sockets here.
#[cfg(not(unix))]
fn links(_: &Gate, _: Sources<'_>, _: &Trust) -> Result<impl Future<Output = ()> + use<>, Failure> {
    Ok(std::future::pending())
}

/// A place to listen at, and its address.
async fn bound(gate: &Gate, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| failed(GateError::Listen(error)))?;
    let address = listener.local_addr();
    let address = address.map_err(|error| failed(GateError::Listen(error)))?;
    gate.may_listen(&address).map_err(failed)?;
    Ok((listener, address))
}

/// Serves until this process is told to end.
async fn serve(
    gate: &Gate,
    listener: TcpListener,
    figures: Option<(TcpListener, SocketAddr)>,
) -> Result<(), GateError> {
    let serving = gate.clone().serve(listener, interrupted());
    let Some((figures, _)) = figures else {
        return serving.await;
    };
    let figures = gate.clone().serve_metrics(figures, interrupted());
    tokio::try_join!(serving, figures).map(drop)
}

/// The gate to all clusters of the config file, and what they are called.
async fn opened(sources: Sources<'_>, trust: &Trust) -> Result<(Gate, Vec<String>), Failure> {
    let Sources { matches, global } = sources;
    let policy = global.state.policy()?;
    if !policy.is_file {
        let text = "no policy file: a gate needs a policy that lists people with their keys";
        return Err(Failure::usage(text).next("give `--policy-file FILE`"));
    }
    let ceiling = match matches.get_one::<String>("up-to").map(String::as_str) {
        None => Ceiling::ReadOnly,
        Some("low") => Ceiling::UpTo(Risk::Low),
        Some("medium") => Ceiling::UpTo(Risk::Medium),
        Some(_) => Ceiling::UpTo(Risk::High),
    };
    let mut options = Options::default();
    let hosts = matches.get_many::<String>("host").unwrap_or_default();
    options.hosts.extend(hosts.cloned());
    let own = trust.url.iter().filter_map(|url| host_of(url));
    options.hosts.extend(own.map(str::to_owned));
    options.plain_beyond_loopback = matches.get_flag("plain-http-beyond-loopback");
    if let Some(every) = matches.get_one::<DurationText>("look-every") {
        options.keep_up_every = every.duration().max(SHORTEST_LOOK);
    }
    options.check_every = check_every(global.serve()?.check_every.as_deref())?;
    let journal: Arc<dyn Journal> = global.state.journal()?;
    let mut gate = Gate::new(options).trusting(trust).map_err(unusable)?;
    let targets = global.connection.all_clusters()?;
    for target in &targets {
        let registry = global.to(target)?.connection.registry().await?;
        let guard = Guard::over(registry, Arc::clone(&journal)).rules(Arc::clone(&policy.rules));
        let guard = global.state.patient(guard);
        gate = gate
            .cluster(target.clone(), guard, ceiling)
            .map_err(failed)?;
    }
    let names = targets.iter().map(|target| target.called().to_owned());
    Ok((gate, names.collect()))
}

/// Between two looks at what should not be so, unless the config file says otherwise.
const CHECK_EVERY: Duration = Duration::from_mins(5);

/// Looking more often than this would be a load of its own.
const SHORTEST_CHECK: Duration = Duration::from_secs(1);

/// What `check_every` of the config file says.
fn check_every(given: Option<&str>) -> Result<Option<Duration>, Failure> {
    let every = match given {
        None => return Ok(Some(CHECK_EVERY)),
        Some("off") => return Ok(None),
        Some(text) => text.parse::<DurationText>(),
    };
    let every = every.map_err(|error| {
        let failure = Failure::usage(format!("`check_every` in `[serve]`: {error}"));
        failure.next("give a duration such as `5m`, or `off`")
    })?;
    Ok(Some(every.duration().max(SHORTEST_CHECK)))
}

/// The host of an address, without its port.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.trim_end_matches('/');
    let host = match rest.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => rest,
    };
    Some(host.trim_start_matches('[').trim_end_matches(']'))
}

fn unusable(error: TrustError) -> Failure {
    let failure = Failure::usage(report(&error));
    let is_of_login = |what: &str| what.contains("session") || what.contains("issuer");
    match error {
        TrustError::Known { .. } => failure,
        TrustError::Pem { what, .. } if is_of_login(what) => failure,
        _ => failure.next("`--gate-certificate` and `--gate-key`, or `[serve.tls]` of the config file, name the files"),
    }
}

fn failed(error: GateError) -> Failure {
    let exit = match error {
        GateError::Plain(_) | GateError::NoCluster => Exit::Usage,
        _ => Exit::Failed,
    };
    Failure::new(exit, "serve", report(&error))
}
