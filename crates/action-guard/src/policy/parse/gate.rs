//! Reading `[[gate]]`: a name, and the key by which it vouches for browser sessions.

use crate::identity::PublicKey;
use crate::policy::GateKey;
use crate::policy::section::Section;

pub(super) fn gate(section: Section<'_>) -> Option<(usize, GateKey)> {
    let offset = section.offset;
    let name = section.required("name").map(|name| name.value.to_owned());
    let key = |text: &str| PublicKey::parse(text).map_err(|error| format!("invalid key: {error}"));
    let key = section.read(section.required("key"), key);
    section.finish();
    let gate = GateKey {
        name: name?,
        key: key?,
    };
    Some((offset, gate))
}
