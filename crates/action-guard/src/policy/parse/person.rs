//! Reading `[[person]]`: a name, and the key that proves it.

use crate::identity::{Actor, PublicKey};
use crate::policy::Person;
use crate::policy::section::{Section, Source};

pub(super) fn person<'s>(source: &'s Source<'s>, section: Section<'s>) -> Option<(usize, Person)> {
    let offset = section.offset;
    let name = section.required("name");
    let name_offset = name.as_ref().map_or(offset, |name| name.offset);
    let actor = |text: &str| text.parse::<Actor>().map_err(|error| error.to_string());
    let name = section.read(name, actor);
    if name.as_ref().is_some_and(|name| !name.is_user()) {
        source.wrong(name_offset, "invalid name of a person: use `user:NAME`");
    }
    let key = |text: &str| PublicKey::parse(text).map_err(|error| format!("invalid key: {error}"));
    let key = section.read(section.text("key"), key);
    section.finish();
    let person = Person { name: name?, key };
    Some((offset, person))
}
