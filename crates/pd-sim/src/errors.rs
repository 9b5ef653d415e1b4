//! PD's error texts.

use serde_json::Value as Json;

use crate::version::Rows;

pub(crate) const NOT_BOOTSTRAPPED: &str =
    "[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first";
pub(crate) const SCHEDULER_NOT_FOUND: &str =
    "[PD:scheduler:ErrSchedulerNotFound]scheduler not found";
pub(crate) const SCHEDULER_EXISTED: &str = "[PD:scheduler:ErrSchedulerExisted]scheduler existed";
pub(crate) const SCHEDULE_CONFIG_NOT_EXIST: &str =
    "[PD:scheduler:ErrScheduleConfigNotExist]the config does not exist";
pub(crate) const WRONG_SCHEDULER_ID: &str =
    "[PD:scheduler:ErrSchedulerConfig]wrong scheduler config id";
/// After five seconds, of a member that does not answer; here at once.
pub(crate) const MOVE_LEADER: &str = "[PD:etcd:ErrEtcdMoveLeader]etcdserver: request timed out, \
     leader transfer took too long: etcdserver: request timed out, leader transfer took too long";
/// What a handler that dereferences nothing prints; the stack follows.
pub(crate) const NIL_PANIC: &str =
    "PANIC: runtime error: invalid memory address or nil pointer dereference\n";

/// A message with the code in front, where the version writes it.
fn coded(rows: &Rows, code: &str, message: &str) -> String {
    if rows.prefixed_errors {
        format!("[PD:{code}]{message}")
    } else {
        message.to_owned()
    }
}

pub(crate) fn operator_not_found(rows: &Rows) -> String {
    coded(rows, "operator:ErrOperatorNotFound", "operator not found")
}

pub(crate) fn add_operator(rows: &Rows) -> String {
    coded(
        rows,
        "operator:ErrAddOperator",
        "failed to add operator, maybe already have one",
    )
}

pub(crate) fn region_not_found(rows: &Rows, region_id: u64) -> String {
    coded(
        rows,
        "region:ErrRegionNotFound",
        &format!("region {region_id} not found"),
    )
}

pub(crate) fn region_abnormal(rows: &Rows, region_id: u64) -> String {
    coded(
        rows,
        "region:ErrRegionAbnormalPeer",
        &format!("region {region_id} has abnormal peer"),
    )
}

pub(crate) fn not_adjacent(rows: &Rows) -> String {
    coded(
        rows,
        "region:ErrRegionNotAdjacent",
        "two regions are not adjacent",
    )
}

/// Nothing to scatter. Only from 9.0 on the text has a code.
pub(crate) fn empty_region(rows: &Rows) -> String {
    if rows.default_store_limit {
        "[PD:scatter:ErrEmptyRegion]empty region".to_owned()
    } else {
        "empty region".to_owned()
    }
}

/// The only region to scatter is not there.
pub(crate) fn scatter_region_missing(rows: &Rows, region_id: u64) -> String {
    if rows.default_store_limit {
        region_not_found(rows, region_id)
    } else if rows.range_scheduler {
        "region not found".to_owned()
    } else {
        empty_region(rows)
    }
}

/// Where an operator or a scheduler names a store that is not there.
pub(crate) fn store_not_found(store_id: u64) -> String {
    format!("[PD:core:ErrStoreNotFound]store {store_id} not found")
}

/// `GET /store/{id}` of a store that is not there.
pub(crate) fn no_such_store(rows: &Rows, store_id: u64) -> String {
    coded(
        rows,
        "core:ErrStoreNotFound",
        &format!("store {store_id} not found"),
    )
}

pub(crate) fn store_removed(store_id: u64) -> String {
    format!("[PD:core:ErrStoreRemoved]store {store_id} has been removed")
}

pub(crate) fn store_destroyed(store_id: u64) -> String {
    format!("[PD:core:ErrStoreDestroyed]store {store_id} has been physically destroyed")
}

pub(crate) fn store_unhealthy(store_id: u64) -> String {
    format!("[PD:core:ErrStoreUnhealthy]store {store_id} is unhealthy")
}

pub(crate) fn leader_transfer_paused(store_id: u64) -> String {
    format!("[PD:core:ErrPauseLeaderTransfer]store {store_id} is paused for leader transfer")
}

/// Go's text for an integer that does not parse, and the reason.
pub(crate) fn not_a_number(function: &str, text: &str) -> String {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let reason = if is_number {
        "value out of range"
    } else {
        "invalid syntax"
    };
    format!("strconv.{function}: parsing {text:?}: {reason}")
}

/// What Go says a decoded JSON value is, when it is converted to something else.
pub(crate) fn go_dynamic_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "nil",
        Json::Bool(_) => "bool",
        Json::Number(_) => "float64",
        Json::String(_) => "string",
        Json::Array(_) => "[]interface {}",
        Json::Object(_) => "map[string]interface {}",
    }
}

/// A key in hex as PD keeps it, in upper case; or Go's words for what is wrong with it.
pub(crate) fn go_hex(text: &str) -> Result<String, String> {
    if let Some(bad) = text.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!(
            "encoding/hex: invalid byte: U+{:04X} {bad:?}",
            u32::from(bad)
        ));
    }
    if text.len() % 2 == 1 {
        return Err("encoding/hex: odd length hex string".to_owned());
    }
    Ok(text.to_ascii_uppercase())
}

/// Go's words for a regular expression that is none, for the mistakes people make.
pub(crate) fn go_bad_regex(text: &str) -> String {
    let what = match text.find(['[', '(', '*', '+', '?']) {
        Some(at) if text[at..].starts_with('[') => {
            format!("missing closing ]: `{}`", &text[at..])
        }
        Some(at) if text[at..].starts_with('(') => format!("missing closing ): `{text}`"),
        Some(at) => format!(
            "missing argument to repetition operator: `{}`",
            &text[at..=at]
        ),
        None => format!("unexpected ): `{text}`"),
    };
    format!("error parsing regexp: {what}")
}
