//! What lives on the stores' hosts besides them: members of PD, and other stores.

use std::collections::BTreeSet;
use std::net::IpAddr;

use action_core::Cause;
use pd_client::members::{Member, MemberHealth, Members};
use pd_client::stores::{Store, StoreState};

use crate::facts::bounded_text::bounded;
use crate::parameters::ids::StoreId;
use crate::stop_safety::going::Going;

/// So many are named.
const NAMED: usize = 32;

/// What goes down with the stores' hosts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Beside {
    pub(super) members: Vec<String>,
    pub(super) stores: Vec<StoreId>,
    pub(super) quorum_lost: Option<Cause>,
    /// An address says nothing of a host.
    pub(super) loopback: bool,
}

pub(super) fn beside(
    going: &Going,
    stores: &[Store],
    members: &Members,
    health: &[MemberHealth],
) -> Beside {
    let is_asked = |store: &&Store| {
        going.asked.contains(&store.id) && store.state_name != StoreState::Tombstone
    };
    let addresses = |store: &Store| {
        let all = [&store.address, &store.peer_address, &store.status_address];
        all.map(|address| host(address)).into_iter().flatten()
    };
    let all: BTreeSet<String> = stores.iter().filter(is_asked).flat_map(addresses).collect();
    let (loopback, hosts): (BTreeSet<String>, BTreeSet<String>) =
        all.into_iter().partition(|host| is_loopback(host));
    let others = stores.iter().filter(|store| going.stays(store.id));
    let on_hosts = |store: &&Store| addresses(store).any(|host| hosts.contains(&host));
    let stores = others.filter(on_hosts).map(|store| store.id.into());
    let goes = |member: &&Member| {
        let mut urls = member.client_urls.iter().chain(&member.peer_urls);
        urls.any(|url| host(url).is_some_and(|host| hosts.contains(&host)))
    };
    let gone: Vec<&Member> = members.members.iter().filter(goes).collect();
    let answers = |member: &Member| {
        let mut of_it = health
            .iter()
            .filter(|one| one.member_id == member.member_id);
        of_it.any(|one| one.health)
    };
    let stay = members.members.iter().filter(|member| !goes(member));
    let healthy = stay.filter(|member| answers(member)).count();
    let needed = members.members.len() / 2 + 1;
    let names = gone.iter().take(NAMED).map(|member| bounded(&member.name));
    let names: Vec<String> = names.collect();
    let quorum_lost = (!gone.is_empty() && healthy < needed).then(|| {
        let text = format!(
            "PD members on the same hosts would go down with them ({}): {healthy} of {} healthy members would be left, and PD needs {needed}",
            names.join(", "),
            members.members.len()
        );
        Cause::new("pd_quorum", text)
    });
    Beside {
        members: names,
        stores: stores.take(NAMED).collect(),
        quorum_lost,
        loopback: !loopback.is_empty(),
    }
}

/// The host of an address, or of a URL, in lower case.
fn host(address: &str) -> Option<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or_default();
    let host = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, _)| host)?,
        None => rest.rsplit_once(':').map_or(rest, |(host, _)| host),
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Every host calls itself so.
fn is_loopback(host: &str) -> bool {
    let by_address = host.parse::<IpAddr>();
    host == "localhost"
        || by_address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_from_addresses_and_urls() {
        for (given, expected) in [
            ("http://10.0.1.2:2379", Some("10.0.1.2")),
            ("https://PD-0.example:2379/", Some("pd-0.example")),
            ("tikv-3:20160", Some("tikv-3")),
            ("[fd00::3]:20160", Some("fd00::3")),
            ("http://[::1]:2379", Some("::1")),
            ("tikv-3", Some("tikv-3")),
            ("", None),
            (":20160", None),
        ] {
            assert_eq!(host(given).as_deref(), expected, "{given}");
        }
        for loopback in ["127.0.0.1", "127.0.1.1", "::1", "localhost", "0.0.0.0"] {
            assert!(is_loopback(loopback), "{loopback}");
        }
        assert!(!is_loopback("10.0.1.2") && !is_loopback("tikv-3"));
    }
}
