//! What people decide at a gate: they sign here, where their key is, what they have read.

use action_core::{printable, redacted};
use action_guard::{
    Actor, Approval, Mode, Pause, PrivateKey, Proof, ProposalStatus, Ruling, Sender,
};
use clap::ArgMatches;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::given_reason;
use crate::gate::{Gate, LOST, Seen};
use crate::lookup::Known;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::verbs::kill_switch::Met;
use crate::verbs::{approve, kill_switch, mode, pause};

/// By how much the clock of a gate may be behind ours.
const CLOCK: SignedDuration = SignedDuration::from_secs(30);

/// `approve`: whoever brings it, the person whose key signs it approves.
pub(super) async fn approve(
    gate: &Gate,
    matches: &ArgMatches,
    (as_given, global): (&Global, &Global),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let state = gate.seen().await?.state;
    let found = approve::chosen("approve", matches, &Known::there(&state)).await?;
    let Some(key) = as_given.state.key()? else {
        let text = "no key to sign the approval with";
        return Err(
            Failure::refused("not_proven", text).next("give your key with `--sign-with FILE`")
        );
    };
    if !found.proposal.is_as_hashed() {
        let text = "nothing was signed: the plan's hash does not match the plan that the gate shows, or a secret was removed from it";
        return Err(Failure::refused("other_plan", text).next(
            "review and approve it on the gate's host, and check for a proxy that changes answers",
        ));
    }
    let by = as_given.state.actor()?;
    let plan = approve::seen(&found, &state, matches, global).await?;
    let mut approval = Approval::new(by.clone(), plan, until(&found));
    // What is signed is what is written.
    let reason = matches.get_one::<String>("reason");
    approval.reason = reason.map(|reason| redacted(reason).into_owned());
    let id = &found.proposal.id;
    let approval = approval.signed(id, &key);
    let path = format!("/api/v1/proposals/{}/approve", gate_client::segment(id));
    let status: ProposalStatus = gate.post(&path, &json!(approval)).await?;
    approve::show(&status, (&by, "signed"), &state, global, output);
    Ok(Exit::Done)
}

/// When an agreement that is made now is over: a little before the rule that asks for it says, as the
/// gate's clock may be behind.
fn until(status: &ProposalStatus) -> Timestamp {
    let whole = status.proposal.expires_at;
    let Ruling::Approve { ttl_ms, .. } = &status.ruling else {
        return whole;
    };
    let ttl = SignedDuration::from_millis(i64::try_from(*ttl_ms).unwrap_or(i64::MAX));
    let ttl = ttl.checked_sub(CLOCK.min(ttl / 4)).unwrap_or(ttl);
    let until = Timestamp::now().checked_add(ttl);
    until.map_or(whole, |until| until.min(whole))
}

/// `reject` and `cancel`.
pub(super) async fn call_off(
    verb: &str,
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let state = gate.seen().await?.state;
    let found = approve::chosen(verb, matches, &Known::there(&state)).await?;
    let id = gate_client::segment(&found.proposal.id);
    let why = json!({ "reason": given_reason(matches) });
    let path = format!("/api/v1/proposals/{id}/{verb}");
    let status: ProposalStatus = gate.post(&path, &why).await?;
    let by = global.state.actor()?;
    approve::show(&status, (&by, gate.how_proven()), &state, global, output);
    Ok(Exit::Done)
}

/// `mode`.
pub(super) async fn mode(
    gate: &Gate,
    matches: &ArgMatches,
    (as_given, global): (&Global, &Global),
    output: &mut Output,
) -> Result<Exit, Failure> {
    if let Some(mode) = matches.get_one::<String>("mode") {
        let only = global.connection.only()?;
        let sign = |by: &Actor, key: &PrivateKey, after, now| {
            Proof::of_mode(Mode::Execute, only.as_ref(), by, after, now, key)
        };
        let proof = match mode.as_str() {
            "execute" => proof(gate, as_given, sign).await?,
            _ => None,
        };
        let body = json!({
            "mode": mode,
            "cluster": only.as_ref().map(|target| target.called()),
            "reason": given_reason(matches),
            "proof": proof,
        });
        let set = gate.post::<Value>("/api/v1/mode", &body).await;
        set.map_err(|failure| failure.or_looked_up("mode", "shows what it is"))?;
    }
    let Seen { state, kill_file } = gate.seen().await?;
    mode::show(&state, kill_file, ("gate", gate.address()), output);
    let shown: Value = gate.get("/api/v1/mode").await?;
    for (cluster, why) in shown["unverified"].as_object().into_iter().flatten() {
        let why = why.as_str().unwrap_or_default();
        output.note(&format!("{}: {}", printable(cluster), printable(why)));
    }
    Ok(Exit::Done)
}

/// `kill-switch`.
pub(super) async fn kill_switch(
    gate: &Gate,
    matches: &ArgMatches,
    (as_given, global): (&Global, &Global),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let only = global.connection.only()?;
    let body = |reason: &str| {
        let cluster = only.as_ref().map(|target| target.called());
        json!({ "cluster": cluster, "reason": reason })
    };
    match matches.subcommand() {
        Some(("on", matches)) => {
            let body = body(given_reason(matches));
            let met = match gate.post::<Met>("/api/v1/kill-switch", &body).await {
                // What is stopped twice is stopped.
                Err(lost) if lost.code() == LOST => {
                    output.note(&format!("{}: sending the stop again", lost.message()));
                    gate.post("/api/v1/kill-switch", &body).await?
                }
                met => met?,
            };
            let place = ("gate", gate.address());
            return Ok(kill_switch::stopped(&met, only.as_ref(), place, output));
        }
        Some(("reset", matches)) => {
            let mut body = body(given_reason(matches));
            let sign = |by: &Actor, key: &PrivateKey, after, now| {
                Proof::of_reset(only.as_ref(), by, after, now, key)
            };
            let reset = async |body: &mut Value| {
                body["proof"] = json!(proof(gate, as_given, sign).await?);
                let path = "/api/v1/kill-switch/reset";
                gate.post::<Value>(path, body).await.map_err(stop_looked_up)
            };
            let mut done = reset(&mut body).await;
            // A stop by hand is written down by the first who is about it: what was signed before that is
            // about an older switch.
            if done.as_ref().is_err_and(|it| it.code() == "not_proven")
                && gate.seen().await?.kill_file
            {
                done = reset(&mut body).await;
            }
            done?;
        }
        _ => {}
    }
    let Seen { state, kill_file } = gate.seen().await?;
    kill_switch::show_status(&state, kill_file, output);
    Ok(Exit::Done)
}

/// A pause, and who may still send.
#[derive(Deserialize)]
struct Paused {
    pause: Pause,
    #[serde(default)]
    still_sending: Vec<Sender>,
}

/// The path of what is done about an agent.
fn of_agent(agent: &Actor, what: &str) -> String {
    format!(
        "/api/v1/agents/{}/{what}",
        gate_client::segment(agent.as_str())
    )
}

/// `pause`.
pub(super) async fn pause(
    gate: &Gate,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let agent = pause::named(matches)?;
    let seconds = pause::seconds(matches)?;
    let body = json!({ "reason": given_reason(matches), "for_seconds": seconds });
    let path = of_agent(&agent, "pause");
    let paused = gate.post::<Paused>(&path, &body);
    let Paused {
        pause,
        still_sending,
    } = paused.await.map_err(pause_looked_up)?;
    Ok(pause::show(&pause, &still_sending, output))
}

/// `resume`.
pub(super) async fn resume(
    gate: &Gate,
    matches: &ArgMatches,
    as_given: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let agent = pause::named(matches)?;
    let state = gate.seen().await?.state;
    let last = state.pause_of(agent.as_str()).map_or(0, |pause| pause.seq);
    let key = as_given.state.key()?;
    let proof = match &key {
        Some(key) => {
            let (by, now) = (as_given.state.actor()?, Timestamp::now());
            Some(Proof::of_resume(&agent, &by, last, now, key))
        }
        None => None,
    };
    let body = json!({ "reason": given_reason(matches), "proof": proof });
    let path = of_agent(&agent, "resume");
    let resumed = gate.post::<Value>(&path, &body);
    resumed.await.map_err(pause_looked_up)?;
    pause::show_resumed(&agent, output);
    Ok(Exit::Done)
}

/// Where the answer was lost: what says whether it is so.
fn stop_looked_up(failure: Failure) -> Failure {
    failure.or_looked_up("kill-switch status", "shows whether the stop is set")
}

fn pause_looked_up(failure: Failure) -> Failure {
    failure.or_looked_up("mode", "shows which agents are paused")
}

/// What proves a switch that allows sends again, where there is a key to sign it with.
async fn proof(
    gate: &Gate,
    as_given: &Global,
    sign: impl FnOnce(&Actor, &PrivateKey, u64, Timestamp) -> Proof,
) -> Result<Option<Proof>, Failure> {
    let Some(key) = as_given.state.key()? else {
        return Ok(None);
    };
    let by = as_given.state.actor()?;
    let after = gate.seen().await?.state.last_switch;
    Ok(Some(sign(&by, &key, after, Timestamp::now())))
}
