//! Policies that come and go between any two steps, and between the plan, the intent and the send of
//! one: what is sent is what a policy allows that is there then.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use action_guard::{
    Decider, Event, Guard, GuardError, MemoryJournal, Phase, Policy, PolicyFile, Proposal, Record,
    Refusal, Report, Request, Rules as _, Standing,
};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use crate::fixtures::actor;
use crate::test_workflow_subject::Plant;
use crate::workflow_fixtures::execute;

const ACTORS: [&str; 5] = [
    "user:ana",
    "user:Ana",
    "user:ben",
    "user:carl",
    "agent:night",
];

/// What somebody tries.
#[derive(Debug, Clone)]
enum Try {
    Policy(Says),
    Propose {
        id: usize,
        by: usize,
    },
    Approve {
        id: usize,
        by: usize,
    },
    /// Carries it out; another policy comes after the plan, and before the send.
    Run {
        id: usize,
        after_plan: Option<Says>,
        before_send: Option<Says>,
    },
}

/// A policy, said simply.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Allows,
    Denies,
    DeniesAgents,
    /// So many of those whose names begin so.
    Asks(usize, &'static [&'static str]),
    /// There is a file, and it is no policy.
    IsWrong,
    /// There is no file.
    IsGone,
}

const POLICIES: [Says; 8] = [
    Says::Allows,
    Says::Denies,
    Says::DeniesAgents,
    Says::Asks(1, &["user:"]),
    Says::Asks(2, &["user:a", "user:b"]),
    Says::Asks(1, &["user:carl"]),
    Says::IsWrong,
    Says::IsGone,
];

impl Says {
    /// Its text; `turn` makes each another one. `None` when there is no file.
    fn text(self, turn: usize) -> Option<String> {
        let rules = match self {
            Self::Allows => rule("all", "allow", ""),
            Self::Denies => rule("none", "deny", ""),
            Self::DeniesAgents => {
                let none = rule("no agents", "deny", "actor = \"agent:*\"\n");
                none + &rule("all", "allow", "")
            }
            Self::Asks(count, among) => {
                let among: Vec<_> = among.iter().map(|name| format!("{name}*")).collect();
                let more = format!("by = {among:?}\ncount = {count}\nttl = \"1h\"\n");
                rule("people", "approve", &more)
            }
            Self::IsWrong => rule("all", "alow", ""),
            Self::IsGone => return None,
        };
        Some(format!("# {turn}\nversion = 1\n{rules}"))
    }

    fn is_valid(self) -> bool {
        !matches!(self, Self::IsWrong | Self::IsGone)
    }

    /// Whether it lets be sent what somebody asked for, and these have agreed to.
    fn lets(self, by: usize, agreed: &[usize]) -> bool {
        match self {
            Self::Allows => true,
            Self::DeniesAgents => !ACTORS[by].starts_with("agent:"),
            Self::Asks(count, among) => {
                let of_them = agreed.iter().filter(|who| is_among(among, **who));
                of_them.count() >= count
            }
            Self::Denies | Self::IsWrong | Self::IsGone => false,
        }
    }
}

fn rule(name: &str, decision: &str, more: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\ndecision = \"{decision}\"\n{more}")
}

fn is_among(among: &[&str], who: usize) -> bool {
    let name = ACTORS[who].to_ascii_lowercase();
    among.iter().any(|begins| name.starts_with(begins))
}

fn is_same(one: usize, other: usize) -> bool {
    ACTORS[one].eq_ignore_ascii_case(ACTORS[other])
}

/// The file, and what the model knows of it.
#[derive(Clone)]
struct InFile(Arc<Mutex<InForce>>);

struct InForce {
    path: PathBuf,
    turn: usize,
    now: Says,
    /// The last valid one: it decides what is proposed.
    decides: Says,
    hash: Option<String>,
}

impl InFile {
    fn put(&self, says: Says) {
        let mut held = self.held();
        held.turn += 1;
        held.now = says;
        match says.text(held.turn) {
            Some(text) => {
                std::fs::write(&held.path, &text).unwrap();
                let policy = text.parse::<Policy>();
                assert_eq!(policy.is_ok(), says.is_valid(), "{text}");
                if let Ok(policy) = policy {
                    held.decides = says;
                    held.hash = policy.version();
                }
            }
            None => {
                let _ = std::fs::remove_file(&held.path);
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, InForce> {
        self.0.lock().unwrap()
    }
}

/// One proposal, as the model sees it.
#[derive(Debug)]
struct Asked {
    proposal: Proposal,
    by: usize,
    /// What the policy said when it was proposed: who is asked does not change any more.
    said: Says,
    agreed: Vec<usize>,
    phase: Phase,
    /// The policy that its intent must name.
    intent: Option<String>,
}

struct Machine {
    guard: Guard,
    plant: Plant,
    policy: InFile,
    asked: BTreeMap<usize, Asked>,
    sent: Vec<String>,
    _directory: TempDir,
}

impl Machine {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.toml");
        let policy = InFile(Arc::new(Mutex::new(InForce {
            path: path.clone(),
            turn: 0,
            now: Says::Allows,
            decides: Says::Allows,
            hash: None,
        })));
        policy.put(Says::Allows);
        let plant = Plant::new();
        let guard = Guard::new(plant.registry(), MemoryJournal::new()).settle_for(Duration::ZERO);
        let definitions = guard.catalogue().definitions().cloned().collect();
        let file = PolicyFile::open(path, definitions).unwrap();
        let guard = guard.rules(Arc::new(file));
        execute(&guard).await;
        Self {
            guard,
            plant,
            policy,
            asked: BTreeMap::new(),
            sent: Vec::new(),
            _directory: directory,
        }
    }

    async fn does(&mut self, one: &Try) {
        match *one {
            Try::Policy(says) => {
                self.policy.put(says);
                // It is read for a decision: what is valid for a moment that nobody sees is not.
                let _ = self.guard.rules_problem();
            }
            Try::Propose { id, by } => self.propose(id, by).await,
            Try::Approve { id, by } => self.approve(id, by).await,
            Try::Run {
                id,
                after_plan,
                before_send,
            } => self.run(id, after_plan, before_send).await,
        }
    }

    async fn propose(&mut self, id: usize, by: usize) {
        if self.asked.contains_key(&id) {
            return;
        }
        let valve = json!({"valve": format!("v{id}")});
        let request = Request::new("open_valve", valve, ACTORS[by]);
        let proposed = self.guard.propose(request).await;
        let said = self.policy.held().decides;
        let phase = match said {
            Says::Asks(..) => Phase::NeedsApproval,
            said if said.lets(by, &[]) => Phase::Approved,
            _ => {
                let denied = matches!(&proposed, Ok(Standing::Denied { .. }));
                assert!(denied, "{said:?}: {proposed:?}");
                return;
            }
        };
        let new = Asked {
            proposal: proposed.unwrap().into_proposal().unwrap(),
            by,
            said,
            agreed: Vec::new(),
            phase,
            intent: None,
        };
        self.asked.insert(id, new);
    }

    async fn approve(&mut self, id: usize, by: usize) {
        let Some(asked) = self.asked.get_mut(&id) else {
            return;
        };
        let may = match asked.said {
            Says::Asks(_, among) => {
                asked.phase == Phase::NeedsApproval
                    && ACTORS[by].starts_with("user:")
                    && !is_same(by, asked.by)
                    && !asked.agreed.iter().any(|other| is_same(by, *other))
                    && is_among(among, by)
            }
            _ => false,
        };
        let (who, seen) = (actor(ACTORS[by]), &asked.proposal.plan_hash);
        let controls = self.guard.controls();
        let decider = Decider::claimed(&who);
        let approved = controls
            .approve(&asked.proposal.id, seen, decider, None)
            .await;
        assert_eq!(approved.is_ok(), may, "{asked:?} by {who}: {approved:?}");
        if may {
            asked.agreed.push(by);
            if asked.said.lets(asked.by, &asked.agreed) {
                asked.phase = Phase::Approved;
            }
        }
    }

    async fn run(&mut self, id: usize, after_plan: Option<Says>, before_send: Option<Says>) {
        let Some(asked) = self.asked.get_mut(&id) else {
            return;
        };
        if let Some(says) = before_send {
            let policy = self.policy.clone();
            self.plant.lock().before_permit = Some(Box::new(move || policy.put(says)));
        }
        // What the policy is right before the intent, as the model sees it.
        let (policy, mut planned) = (self.policy.clone(), None);
        let mut watch = |event| {
            if let Event::Replanned(_) = event {
                after_plan.into_iter().for_each(|says| policy.put(says));
                let held = policy.held();
                planned = Some((held.now, held.hash.clone()));
            }
        };
        let by = asked.proposal.requester().unwrap();
        let done = self.guard.execute(&asked.proposal, &by, &mut watch).await;
        // Left when nothing came so far as to ask for a permit.
        self.plant.lock().before_permit = None;
        let may_begin = asked.phase == Phase::Approved;
        match planned {
            Some((now, hash)) if may_begin && now.lets(asked.by, &asked.agreed) => {
                asked.intent = hash;
                let at_send = before_send.unwrap_or(now);
                let sends = at_send.lets(asked.by, &asked.agreed);
                asked.phase = match sends {
                    true => Phase::Applied,
                    false => Phase::NotApplied,
                };
                if sends {
                    self.sent.push(format!("open v{id}"));
                }
                let report = done.unwrap().into_report().unwrap();
                let wanted = (!sends).then_some("denied");
                assert_eq!(code(&report), wanted, "{asked:?}: {report:?}");
            }
            // What is denied is over; what cannot be decided waits for a policy that can.
            Some((now, _)) if may_begin && now.is_valid() => {
                asked.phase = Phase::Cancelled;
                let denied = matches!(done, Ok(Standing::Denied { .. }));
                assert!(denied, "{asked:?}: {done:?}");
            }
            Some(_) if may_begin => {
                let wrong = matches!(done, Err(GuardError::Refused(Refusal::RulesWrong { .. })));
                assert!(wrong, "{asked:?}: {done:?}");
            }
            // It was not planned again: how it stands is told, and nothing is sent.
            _ => {
                let standing = done.unwrap();
                let is_so = match asked.phase {
                    Phase::NeedsApproval => matches!(standing, Standing::Waits(_)),
                    Phase::Cancelled => matches!(standing, Standing::Cancelled { .. }),
                    Phase::Applied => matches!(standing, Standing::Applied(_)),
                    _ => matches!(standing, Standing::NotApplied(_)),
                };
                assert!(planned.is_none() && is_so, "{asked:?}: {standing:?}");
            }
        }
    }

    /// All that is there is what the model says.
    async fn check(&self) {
        assert_eq!(self.plant.sent(), self.sent);
        let state = self.guard.state().await.unwrap();
        for asked in self.asked.values() {
            let status = state.proposal_status(&asked.proposal.id).unwrap();
            assert_eq!(status.phase, asked.phase, "{asked:?}");
            let named = status.intent.as_ref().map(|intent| intent.policy.clone());
            assert_eq!(named, asked.intent.clone().map(Some), "{asked:?}");
        }
    }
}

fn code(report: &Report) -> Option<&str> {
    report.outcome.code.as_deref()
}

fn attempts() -> impl Strategy<Value = Vec<Try>> {
    let (id, by) = (0_usize..4, 0..ACTORS.len());
    let says = prop::sample::select(&POLICIES[..]);
    let sometimes = || prop::option::weighted(0.3, prop::sample::select(&POLICIES[..]));
    let one = prop_oneof![
        4 => says.prop_map(Try::Policy),
        4 => (id.clone(), by.clone()).prop_map(|(id, by)| Try::Propose { id, by }),
        7 => (id.clone(), by).prop_map(|(id, by)| Try::Approve { id, by }),
        4 => (id, sometimes(), sometimes())
            .prop_map(|(id, after_plan, before_send)| Try::Run { id, after_plan, before_send }),
    ];
    prop::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::cases(150, 5_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_policy_comes_when_what_is_sent_is_what_it_allows(attempts in attempts()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut machine = Machine::start().await;
            for one in &attempts {
                machine.does(one).await;
                machine.check().await;
            }
            let entries = machine.guard.journal().entries(0, usize::MAX).await.unwrap();
            let intents = entries.iter().filter(|entry| matches!(entry.record, Record::Intent { .. }));
            let begun = machine.asked.values().filter(|asked| asked.intent.is_some());
            assert_eq!(intents.count(), begun.count());
            machine.guard.journal().verify().await.unwrap();
        });
    }
}
