//! Asking for confirmation before something is sent or started.

use action_core::{ActionDefinition, Risk, printable};
use action_guard::Proposal;

use crate::arguments::Confirm;
use crate::terminal::failure::Failure;
use crate::terminal::prompt::{self, Answer, Word};
use crate::terminal::values::text_of;

/// Asks, unless the command line said yes: for more than `y` where the risk is high.
pub(crate) async fn confirmed(
    definition: &ActionDefinition,
    proposal: &Proposal,
    confirm: &Confirm,
) -> Result<(), Failure> {
    let name = printable(&definition.name);
    let target = target_of(definition, proposal);
    let target = target.as_deref().map(printable);
    let cluster = proposal.cluster.as_ref();
    let cluster = cluster.map_or_else(String::new, |name| {
        format!(" in cluster {}", printable(name))
    });
    let on = target.as_ref().map(|target| format!(" on {target}"));
    let what = format!("This runs `{name}`{}{cluster}.", on.unwrap_or_default());
    let word = match (definition.risk, &target) {
        (Some(Risk::Low | Risk::Medium), _) => Word::Yes,
        (_, Some(target)) => Word::This(target),
        (_, None) => Word::This(&name),
    };
    asked(&what, word, confirm.yes, "nothing was sent").await
}

/// What a mutation acts on, by the first of its parameters that is an id: `store 4`.
fn target_of(definition: &ActionDefinition, proposal: &Proposal) -> Option<String> {
    let mut parameters = definition.parameters.iter();
    let (kind, value) = parameters.find_map(|parameter| {
        let kind = parameter.name.strip_suffix("_id")?;
        let value = proposal.request.parameters.get(&parameter.name)?;
        Some((kind.replace('_', " "), text_of(value)))
    })?;
    Some(format!("{kind} {value}"))
}

/// Asks for a word, unless the command line said yes. Whatever else is said, this is so then.
pub(crate) async fn asked(
    what: &str,
    word: Word<'_>,
    yes: bool,
    otherwise: &str,
) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let refused = |why: &str| Failure::refused("not_confirmed", format!("{otherwise}: {why}"));
    match prompt::ask(what, word).await {
        Answer::Yes => Ok(()),
        Answer::No => Err(refused("not confirmed")),
        Answer::Interrupted => Err(Failure::interrupted(otherwise)),
        Answer::Nobody => Err(refused(
            "cannot ask for confirmation, because stdin is not a terminal",
        )
        .next("review the plan, then give `--yes`")),
    }
}
