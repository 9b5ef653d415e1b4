//! A policy that is tightened and loosened while processes are at it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use action_guard::{Journal as _, Policy, Record, Rules as _};

use crate::adversary::asked::Asked;
use crate::adversary::child::Order;
use crate::adversary::fixture::{Death, Fixture};
use crate::adversary::random::Random;
use crate::adversary::tally::{Broken, Tally};

const ALLOWS: &str = "version = 1\n[[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
const DENIES: &str =
    "version = 1\n[[rule]]\nname = \"none\"\ndecision = \"deny\"\nreason = \"a test\"\n";

/// Where the policy of a run is.
pub(super) fn path(directory: &Path) -> PathBuf {
    let path = directory.join("policy.toml");
    put(&path, ALLOWS);
    path
}

/// Whoever reads it finds the old text or the new one.
fn put(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::rename(draft, path).unwrap();
}

fn version(text: &str) -> String {
    text.parse::<Policy>().unwrap().version().unwrap()
}

/// It is tightened and loosened at any moment. What comes to PD while nothing is allowed, and nobody
/// has a permit from before, was not allowed; and each intent names a policy that allowed it.
pub(super) async fn change(
    fixture: &Fixture,
    asked: &mut Vec<Asked>,
    deaths: [Death; 2],
    random: &mut Random,
    tally: &mut Tally,
) {
    let (first, second) = (asked[0].clone(), Asked::any(fixture, random));
    let run = |one: &Asked| Order::Run {
        action: one.name.to_owned(),
        parameters: one.parameters.clone(),
    };
    let process = |actor, death| {
        let orders = [&first, &second, &first].map(run);
        fixture.process(fixture.orders(actor, orders.to_vec()), death)
    };
    let processes = async {
        let [one, other] = deaths;
        tokio::join!(process("user:ana", one), process("agent:night", other));
    };
    let mut allowing = BTreeSet::from([version(ALLOWS)]);
    let policy = fixture.policy.clone().unwrap();
    let changes = async {
        let mut at = random.below(40);
        for turn in 0..1 + random.below(3) {
            fixture.after_requests(at).await;
            tighten(fixture, &policy).await;
            at += random.below(8);
            fixture.after_requests(at).await;
            fixture.log.deny(false);
            let text = format!("# {turn}\n{ALLOWS}");
            allowing.insert(version(&text));
            put(&policy, &text);
            at += 1 + random.below(30);
        }
        fixture.after_requests(at).await;
        tighten(fixture, &policy).await;
    };
    tokio::join!(processes, changes);
    asked.push(second);
    fixture.run("user:bob", &first, Death::None).await;
    for entry in fixture.entries().await {
        if let Record::Intent { id, intent } = &entry.record {
            let names = intent.policy.as_ref();
            if !names.is_some_and(|names| allowing.contains(names)) {
                tally.broke(Broken::Rule, format!("the intent of {id} names {names:?}"));
            }
        }
    }
}

/// Denies everything from now on. Nothing is claimed where somebody keeps a permit from before.
async fn tighten(fixture: &Fixture, policy: &Path) {
    put(policy, DENIES);
    let journal = fixture.journal();
    let nobody_sends = async {
        while !journal.senders().await.is_ok_and(|all| all.is_empty()) {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(5), nobody_sends)
        .await
        .is_ok()
    {
        fixture.proxies.settle().await;
        fixture.log.deny(true);
    }
}
