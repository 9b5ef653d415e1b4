//! One look around: which system it is, what it shows at a glance, and what the journal says.

use std::cell::OnceCell;
use std::sync::Arc;

use action_core::{ActionDefinition, Catalogue};
use action_guard::{Journal, State};
use serde_json::{Value, json};

#[cfg(feature = "proxy")]
use crate::gate::Gate;
use crate::settings::Global;
use crate::terminal::failure::Failure;

/// Where it is looked.
pub(super) trait Look {
    /// Where that is, for people.
    fn place(&self) -> String;

    /// Which system it is, in its own words.
    async fn identity(&self) -> Result<String, Failure>;

    async fn observe(&self, definition: &ActionDefinition) -> Result<Value, Failure>;

    async fn journal(&self) -> Result<Decided, Failure>;
}

/// What people and agents have decided and asked for, as the journal has it.
pub(super) struct Decided {
    pub(super) state: Arc<State>,
    /// Whether everything is stopped by other means than a record.
    pub(super) kill_file: bool,
}

/// What was found in one round. What could not be found says why.
pub(super) struct Round {
    pub(super) journal: Result<Decided, String>,
    pub(super) system: Result<String, String>,
    pub(super) values: Vec<(ActionDefinition, Result<Value, String>)>,
}

/// Looks once. Of a system that does not say who it is nothing more is asked.
pub(super) async fn look_around(look: &impl Look, shown: &[&'static ActionDefinition]) -> Round {
    let said = |failure: Failure| failure.message().to_owned();
    let journal = look.journal().await.map_err(said);
    let system = look.identity().await.map_err(said);
    let mut values = Vec::new();
    if system.is_ok() {
        for definition in shown {
            let value = look.observe(definition).await.map_err(said);
            values.push(((*definition).clone(), value));
        }
    }
    Round {
        journal,
        system,
        values,
    }
}

/// The system itself, and the journal of this machine.
pub(super) struct Here<'g> {
    global: &'g Global,
    catalogue: Catalogue,
    /// Any of its actions: by it the system is known.
    one: &'static str,
    journal: OnceCell<Arc<dyn Journal>>,
}

impl<'g> Here<'g> {
    pub(super) async fn new(
        global: &'g Global,
        definitions: &'static [ActionDefinition],
    ) -> Result<Self, Failure> {
        Ok(Self {
            global,
            catalogue: global.connection.registry().await?.catalogue(),
            one: definitions.first().map_or("", |one| one.name.as_str()),
            journal: OnceCell::new(),
        })
    }

    /// The journal; none where nothing was ever asked for. To look makes no directory.
    fn opened(&self) -> Result<Option<&Arc<dyn Journal>>, Failure> {
        if let Some(journal) = self.journal.get() {
            return Ok(Some(journal));
        }
        let state = &self.global.state;
        if state.state_dir.is_none() && !state.directory()?.exists() {
            return Ok(None);
        }
        let journal = state.journal_to_read()?;
        Ok(Some(self.journal.get_or_init(|| journal)))
    }
}

impl Look for Here<'_> {
    fn place(&self) -> String {
        self.global.connection.called()
    }

    async fn identity(&self) -> Result<String, Failure> {
        let system = self.catalogue.identity(self.one).await?;
        self.global.connection.check_system(&system)?;
        Ok(system)
    }

    async fn observe(&self, definition: &ActionDefinition) -> Result<Value, Failure> {
        Ok(self.catalogue.observe(&definition.name, json!({})).await?)
    }

    async fn journal(&self) -> Result<Decided, Failure> {
        let Some(journal) = self.opened()? else {
            return Ok(Decided {
                state: Arc::default(),
                kill_file: false,
            });
        };
        Ok(Decided {
            state: journal.state().await?,
            kill_file: journal.is_stopped().await?,
        })
    }
}

/// A gate, which asks the system and has the journal.
#[cfg(feature = "proxy")]
pub(super) struct There<'g> {
    pub(super) gate: &'g Gate,
    pub(super) global: &'g Global,
}

#[cfg(feature = "proxy")]
impl Look for There<'_> {
    fn place(&self) -> String {
        let cluster = self.gate.cluster(self.global);
        let cluster = cluster.map_or("", |cluster| cluster.called());
        format!("{cluster} at {}", self.gate.address())
    }

    async fn identity(&self) -> Result<String, Failure> {
        let system = self.gate.cluster(self.global)?.system.clone();
        self.global.connection.check_system(&system)?;
        Ok(system)
    }

    async fn observe(&self, definition: &ActionDefinition) -> Result<Value, Failure> {
        let name = gate_client::segment(&definition.name);
        let path = self
            .gate
            .path(self.global, &format!("observations/{name}"))?;
        self.gate.look(&path, &json!({})).await
    }

    async fn journal(&self) -> Result<Decided, Failure> {
        let seen = self.gate.seen().await?;
        Ok(Decided {
            state: Arc::new(seen.state),
            kill_file: seen.kill_file,
        })
    }
}
