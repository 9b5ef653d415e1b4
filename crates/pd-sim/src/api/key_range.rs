//! Key ranges as schedulers' settings show them.

use serde::Serialize;

use crate::cluster::Cluster;

/// The one range there is; whose key comes first depends on the version.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
pub(super) enum KeyRange {
    #[serde(rename_all = "kebab-case")]
    EndFirst {
        end_key: &'static str,
        start_key: &'static str,
    },
    #[serde(rename_all = "kebab-case")]
    StartFirst {
        start_key: &'static str,
        end_key: &'static str,
    },
}

pub(super) fn whole_range(cluster: &Cluster) -> [KeyRange; 1] {
    let (start_key, end_key) = ("", "");
    [if cluster.rows().start_key_first {
        KeyRange::StartFirst { start_key, end_key }
    } else {
        KeyRange::EndFirst { end_key, start_key }
    }]
}
