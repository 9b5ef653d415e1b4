//! Which system something is about, for people.

use action_guard::Target;

/// What a system is called: its name, else its id.
pub(crate) fn called(target: Option<&Target>) -> String {
    let name = |target: &Target| target.cluster.clone();
    let called = target.map(|target| name(target).unwrap_or_else(|| target.system.clone()));
    called.unwrap_or_default()
}

/// Whether a list has to say which: where there are several systems, or where they have names.
pub(crate) fn is_told<'a>(targets: impl IntoIterator<Item = &'a Target>) -> bool {
    let mut targets = targets.into_iter();
    let Some(first) = targets.next() else {
        return false;
    };
    first.cluster.is_some()
        || targets.any(|other| other.cluster.is_some() || !other.is_same_system(first))
}
