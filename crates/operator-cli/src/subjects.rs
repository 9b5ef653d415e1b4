//! The kinds of systems that this command operates, and which of them is meant.

use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use action_core::{ActionDefinition, SettingDef, SubjectKind};

use crate::program::program;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// One kind, with what is derived from its declaration.
pub(crate) struct Kind {
    pub(crate) subject: SubjectKind,
    pub(crate) settings: Vec<SettingDef>,
    definitions: OnceLock<Vec<ActionDefinition>>,
}

impl Kind {
    /// What can be done, without a system to do it to. Derived when it is first asked for.
    pub(crate) fn definitions(&self) -> &[ActionDefinition] {
        self.definitions.get_or_init(|| self.subject.definitions())
    }

    /// The setting that says where such a system is.
    pub(crate) fn address(&self) -> Option<&SettingDef> {
        let mut settings = self.settings.iter();
        settings.find(|setting| setting.name == self.subject.address)
    }
}

static KINDS: LazyLock<Result<Vec<Kind>, String>> = LazyLock::new(|| {
    let kinds = program().subjects.iter();
    let kinds = kinds.map(|subject| {
        let settings = subject.settings().map_err(|error| error.to_string())?;
        Ok(Kind {
            subject: subject.clone(),
            settings,
            definitions: OnceLock::new(),
        })
    });
    kinds.collect()
});

/// Which kind is meant, once that is known.
static MEANT: Mutex<Option<&'static Kind>> = Mutex::new(None);

/// All kinds; none where one of them is not well declared, which [`check`] says.
pub(crate) fn kinds() -> &'static [Kind] {
    KINDS.as_ref().map_or(&[], Vec::as_slice)
}

/// The kind of this name.
pub(crate) fn named(name: &str) -> Option<&'static Kind> {
    kinds().iter().find(|kind| kind.subject.name == name)
}

/// Refuses kinds that cannot be in one command line.
pub(crate) fn check() -> Result<(), Failure> {
    let bug = |text: String| Failure::new(Exit::Bug, "subjects", text);
    let kinds = KINDS.as_ref().map_err(|problem| bug(problem.clone()))?;
    for (at, kind) in kinds.iter().enumerate() {
        let before = kinds.iter().take(at);
        for other in before {
            if other.subject.name == kind.subject.name {
                let text = format!("two subjects have the name `{}`", kind.subject.name);
                return Err(bug(text));
            }
            let clash = kind.settings.iter().find(|one| {
                let same_name = |other: &&SettingDef| other.name == one.name;
                other
                    .settings
                    .iter()
                    .find(same_name)
                    .is_some_and(|other| other != *one)
            });
            if let Some(clash) = clash {
                let (name, one, other) = (&clash.name, kind.subject.name, other.subject.name);
                let text = format!(
                    "the subjects `{other}` and `{one}` both have a setting `{name}` with different meanings"
                );
                return Err(bug(text));
            }
        }
    }
    Ok(())
}

/// Decides which kind is meant: from then on only its actions are there. What a record is about decides
/// it anew.
pub(crate) fn choose(kind: Option<&'static Kind>) {
    *MEANT.lock().unwrap_or_else(PoisonError::into_inner) = kind;
}

/// The kind that is meant: the one that was chosen, or the only one there is.
pub(crate) fn meant() -> Option<&'static Kind> {
    let only = || match kinds() {
        [kind] => Some(kind),
        _ => None,
    };
    let meant = *MEANT.lock().unwrap_or_else(PoisonError::into_inner);
    meant.or_else(only)
}

/// What can be done: the actions of the kind that is meant; of several kinds, all, by names such as
/// `tikv.list_stores`.
pub(crate) fn definitions() -> &'static [ActionDefinition] {
    static QUALIFIED: LazyLock<Vec<ActionDefinition>> = LazyLock::new(|| {
        let of_kind = |kind: &'static Kind| {
            kind.definitions().iter().map(|definition| {
                let mut definition = definition.clone();
                definition.name = qualified(kind, &definition.name);
                definition
            })
        };
        kinds().iter().flat_map(of_kind).collect()
    });
    match meant() {
        Some(kind) => kind.definitions(),
        None => &QUALIFIED,
    }
}

/// What can be done to systems of any kind, by the names that policies have.
pub(crate) fn of_all_kinds() -> &'static [ActionDefinition] {
    static ALL: LazyLock<Vec<ActionDefinition>> = LazyLock::new(|| {
        kinds()
            .iter()
            .flat_map(|kind| kind.definitions().to_vec())
            .collect()
    });
    match kinds() {
        [kind] => kind.definitions(),
        _ => &ALL,
    }
}

/// What an action is called where several kinds have actions.
pub(crate) fn qualified(kind: &Kind, action: &str) -> String {
    format!("{}.{action}", kind.subject.name)
}

/// The kind and the action that a qualified name means.
pub(crate) fn of_qualified(name: &str) -> Option<(&'static Kind, &str)> {
    let (kind, action) = name.split_once('.')?;
    Some((named(kind)?, action))
}

/// Who answers requests, as sentences name it.
pub(crate) fn who_answers() -> &'static str {
    meant().map_or("the system", |kind| kind.subject.answers)
}
