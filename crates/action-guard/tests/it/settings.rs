//! Lasting effects whose undo is the same action with the value of before.

use action_core::{Undo, Verdict};
use action_guard::{Journal as _, MemoryJournal, Mode, Proposal, Record};
use serde_json::json;

use crate::fixtures::{allow, applied, intent, mode, proposal, write};

/// A setting, which stays in force until it is set again.
fn setting(id: &str, value: u64, before: u64) -> Proposal {
    let mut proposal = proposal(id, "limit");
    proposal.request.parameters = json!({"dial": "limit", "value": value});
    proposal.lasting_effect = Some("limit".to_owned());
    proposal.plan.verdict = Verdict::WouldProceed;
    let back = json!({"action": "turn", "name": "turn", "undo": "action",
        "parameters": {"dial": "limit", "value": before}});
    proposal.undo = serde_json::from_value::<Undo>(back).unwrap();
    proposal
}

async fn carried_out(journal: &MemoryJournal, proposal: Proposal) {
    let id = proposal.id.clone();
    let proposed = Record::Proposed {
        proposal: Box::new(proposal),
        ruling: allow(),
    };
    for record in [proposed, intent(&id), applied(&id)] {
        write(journal, [record]).await.unwrap();
    }
}

async fn in_force(journal: &MemoryJournal) -> Vec<String> {
    let state = journal.state().await.unwrap();
    state.effects.keys().cloned().collect()
}

#[tokio::test]
async fn a_setting_that_is_set_back_leaves_nothing_in_force() {
    let journal = MemoryJournal::new();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    carried_out(&journal, setting("a", 9, 4)).await;
    assert_eq!(in_force(&journal).await, ["a"]);
    let mut back = setting("b", 4, 9);
    back.undoes = Some("a".to_owned());
    carried_out(&journal, back).await;
    assert!(in_force(&journal).await.is_empty());
}

#[tokio::test]
async fn settings_on_top_of_each_other_are_set_back_one_by_one() {
    let journal = MemoryJournal::new();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    carried_out(&journal, setting("a", 9, 4)).await;
    carried_out(&journal, setting("b", 11, 9)).await;
    assert_eq!(in_force(&journal).await, ["a", "b"]);
    // By hand, which is as good as by name.
    carried_out(&journal, setting("c", 9, 11)).await;
    assert_eq!(in_force(&journal).await, ["a"]);
    carried_out(&journal, setting("d", 4, 9)).await;
    assert!(in_force(&journal).await.is_empty());
}
