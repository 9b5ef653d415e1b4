//! What differs between PD versions, as data.

/// The PD release whose answers the simulator gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// 6.5.12.
    V6_5,
    /// 7.5.7.
    V7_5,
    /// 8.5.7.
    V8_5,
    /// The development line after 9.0 beta.
    V9_0,
}

/// How a region that does not exist is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingRegion {
    /// 200 with a region whose id is 0.
    ZeroObject,
    /// 404 with a message.
    NotFound,
}

/// One column of the table of differences.
#[derive(Debug)]
pub(crate) struct Rows {
    /// As `GET /version` prints it.
    pub(crate) number: &'static str,
    /// Whether handlers' messages carry a `[PD:module:Name]` prefix.
    pub(crate) prefixed_errors: bool,
    /// Whether `POST /operators` before bootstrap panics.
    pub(crate) unbootstrapped_operator_panics: bool,
    /// A region that is not there.
    pub(crate) missing_region: MissingRegion,
    /// What empty filtered lists are: `null` or `[]`.
    pub(crate) empty_list_is_null: bool,
    /// The comma before `timeout` in operator texts.
    pub(crate) operator_comma: &'static str,
    /// Status of a scheduler that could not be added.
    pub(crate) add_scheduler_refused: u16,
    /// Message when evict-leader's `store_id` is not a number.
    pub(crate) evict_store_not_a_number: &'static str,
    /// Description of the operators evict-leader makes.
    pub(crate) evict_desc: &'static str,
    /// Description of the operators grant-leader makes.
    pub(crate) grant_desc: &'static str,
    /// Description of the operators balance-leader makes.
    pub(crate) balance_leader_desc: &'static str,
    /// Largest batch evict-leader takes; `None` where it has no batch.
    pub(crate) evict_batch_max: Option<u64>,
    /// Whether an empty `DELETE /operators` exists.
    pub(crate) delete_all_operators: bool,
    /// Whether one half of a merge that ends takes the other along.
    pub(crate) merge_halves_end_together: bool,
    /// Whether TTL changes have messages of their own.
    pub(crate) ttl_messages: bool,
    /// Status of a redirect to a cleaned path.
    pub(crate) redirect_status: u16,
    /// Whether redirector messages carry a prefix.
    pub(crate) prefixed_redirects: bool,
    /// Whether `GET /status` names a kernel type.
    pub(crate) kernel_type: bool,
    /// Whether the `kind` bit mask has an affinity bit.
    pub(crate) affinity_kind: bool,
    /// Status of diagnostics for a scheduler that has none.
    pub(crate) undiagnosable_status: u16,
    /// Message after a store's weight or limit changed: `weight`/`limit` or `label`.
    pub(crate) names_what_changed: bool,
    /// Names of the schedulers a fresh cluster runs.
    pub(crate) default_schedulers: &'static [&'static str],
    /// Whether regions have key-value and columnar sizes.
    pub(crate) kv_sizes: bool,
    /// Whether stores show that they take no leaders.
    pub(crate) shows_leader_pause: bool,
    /// Whether `GET /stores/check` exists.
    pub(crate) stores_by_name: bool,
    /// Whether `GET /regions/store/{id}` takes a `type`.
    pub(crate) region_types: bool,
    /// A label that denies scheduling holds leaders on a store that is being drained.
    pub(crate) deny_label_holds_drain: bool,
    /// A rule that lacks a peer may get the place of one that another rule takes.
    pub(crate) swaps_fits: bool,
    /// Whether hot statistics count processor time.
    pub(crate) hot_cpu: bool,
    /// Whether a range's start key comes before its end key.
    pub(crate) start_key_first: bool,
    /// What differs from 8.5's schedule configuration.
    pub(crate) schedule: &'static [(&'static str, ItemChange)],
    /// Further fields after the schedulers in the schedule configuration.
    pub(crate) after_schedulers: &'static [(&'static str, Option<&'static str>)],
    /// Whether the schedule configuration has a limit for stores to come.
    pub(crate) default_store_limit: bool,
    /// Whether store limits are refused where they are not rates.
    pub(crate) limit_versions: bool,
    /// Whether nobody may set the label `engine`, and removing a store counts TiKV only.
    pub(crate) engine_label_is_reserved: bool,
    /// Whether the witness and slow-trend schedulers exist.
    pub(crate) witness_schedulers: bool,
    /// Whether split-bucket exists.
    pub(crate) split_bucket_scheduler: bool,
    /// Whether balance-range exists, and hot-region schedulers exclude each other.
    pub(crate) range_scheduler: bool,
    /// Largest batch balance-leader takes.
    pub(crate) balance_leader_batch_max: i64,
    /// Whether the progress of a store being emptied is seen at PD's next look only.
    pub(crate) progress_is_late: bool,
}

/// How an item of the schedule configuration differs from 8.5's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ItemChange {
    Absent,
    Is(u64),
    Off,
    Named(&'static str),
}

const SCHEDULERS_6_5: &[&str] = &[
    "balance-region-scheduler",
    "balance-leader-scheduler",
    "balance-hot-region-scheduler",
    "split-bucket-scheduler",
];
const SCHEDULERS_7_5: &[&str] = &[
    "balance-region-scheduler",
    "balance-leader-scheduler",
    "balance-hot-region-scheduler",
];
const SCHEDULERS_SINCE_8_5_5: &[&str] = &[
    "balance-region-scheduler",
    "balance-leader-scheduler",
    "balance-hot-region-scheduler",
    "evict-slow-store-scheduler",
    "evict-stopping-store-scheduler",
];

const SCHEDULE_6_5: &[(&str, ItemChange)] = &[
    ("max-merge-region-size", ItemChange::Is(20)),
    ("max-merge-region-keys", ItemChange::Is(200_000)),
    (
        "switch-witness-interval",
        // Misspelt in that release.
        ItemChange::Named("swtich-witness-interval"),
    ),
    ("witness-schedule-limit", ItemChange::Absent),
    ("affinity-schedule-limit", ItemChange::Absent),
    ("split-scatter-schedule-limit", ItemChange::Absent),
    ("enable-heartbeat-breakdown-metrics", ItemChange::Absent),
    ("enable-heartbeat-concurrent-runner", ItemChange::Absent),
    ("max-movable-hot-peer-size", ItemChange::Absent),
    ("enable-diagnostic", ItemChange::Off),
    (
        "slow-store-evicting-affected-store-ratio-threshold",
        ItemChange::Absent,
    ),
    ("store-limit-version", ItemChange::Absent),
    ("patrol-region-worker-count", ItemChange::Absent),
    ("max-affinity-merge-region-size", ItemChange::Absent),
];
const SCHEDULE_7_5: &[(&str, ItemChange)] = &[
    ("max-merge-region-size", ItemChange::Is(20)),
    ("max-merge-region-keys", ItemChange::Is(200_000)),
    ("affinity-schedule-limit", ItemChange::Absent),
    ("split-scatter-schedule-limit", ItemChange::Absent),
    ("enable-heartbeat-breakdown-metrics", ItemChange::Absent),
    ("enable-heartbeat-concurrent-runner", ItemChange::Absent),
    ("patrol-region-worker-count", ItemChange::Absent),
    ("max-affinity-merge-region-size", ItemChange::Absent),
];

const V6_5: Rows = Rows {
    number: "v6.5.12",
    prefixed_errors: false,
    merge_halves_end_together: false,
    swaps_fits: false,
    unbootstrapped_operator_panics: false,
    operator_comma: "，",
    undiagnosable_status: 400,
    default_schedulers: SCHEDULERS_6_5,
    witness_schedulers: false,
    stores_by_name: false,
    schedule: SCHEDULE_6_5,
    after_schedulers: &[
        ("schedulers-payload", None),
        ("store-limit-mode", Some("manual")),
    ],
    ..V7_5
};

const V7_5: Rows = Rows {
    number: "v7.5.7",
    empty_list_is_null: true,
    evict_desc: "evict-leader",
    grant_desc: "grant-leader",
    balance_leader_desc: "balance-leader",
    evict_batch_max: None,
    delete_all_operators: false,
    ttl_messages: false,
    redirect_status: 301,
    prefixed_redirects: false,
    affinity_kind: false,
    names_what_changed: false,
    limit_versions: false,
    range_scheduler: false,
    default_schedulers: SCHEDULERS_7_5,
    region_types: false,
    deny_label_holds_drain: true,
    hot_cpu: false,
    start_key_first: true,
    schedule: SCHEDULE_7_5,
    after_schedulers: &[("schedulers-payload", None)],
    ..V8_5
};

const V8_5: Rows = Rows {
    number: "v8.5.7",
    prefixed_errors: true,
    unbootstrapped_operator_panics: true,
    missing_region: MissingRegion::ZeroObject,
    empty_list_is_null: false,
    operator_comma: ", ",
    add_scheduler_refused: 500,
    evict_store_not_a_number: "missing store id",
    evict_desc: "evict-leader-scheduler",
    grant_desc: "grant-leader-scheduler",
    balance_leader_desc: "balance-leader-scheduler",
    evict_batch_max: Some(10),
    delete_all_operators: true,
    merge_halves_end_together: true,
    ttl_messages: true,
    redirect_status: 307,
    prefixed_redirects: true,
    kernel_type: false,
    affinity_kind: true,
    undiagnosable_status: 500,
    names_what_changed: true,
    default_schedulers: SCHEDULERS_SINCE_8_5_5,
    kv_sizes: false,
    shows_leader_pause: false,
    stores_by_name: true,
    region_types: true,
    deny_label_holds_drain: false,
    swaps_fits: true,
    hot_cpu: true,
    start_key_first: false,
    schedule: &[],
    after_schedulers: &[],
    default_store_limit: false,
    limit_versions: true,
    witness_schedulers: true,
    split_bucket_scheduler: true,
    range_scheduler: true,
    balance_leader_batch_max: 10,
    engine_label_is_reserved: false,
    progress_is_late: false,
};

const V9_0: Rows = Rows {
    number: "v9.0.0",
    missing_region: MissingRegion::NotFound,
    add_scheduler_refused: 400,
    evict_store_not_a_number: "please input a right store id",
    evict_batch_max: Some(100),
    kernel_type: true,
    kv_sizes: true,
    shows_leader_pause: true,
    schedule: &[("split-scatter-schedule-limit", ItemChange::Is(4))],
    default_store_limit: true,
    engine_label_is_reserved: true,
    split_bucket_scheduler: false,
    balance_leader_batch_max: 100,
    progress_is_late: true,
    ..V8_5
};

impl Version {
    /// The number as `GET /version` prints it, such as `v8.5.7`.
    pub fn number(self) -> &'static str {
        self.rows().number
    }

    pub(crate) fn rows(self) -> &'static Rows {
        match self {
            Self::V6_5 => &V6_5,
            Self::V7_5 => &V7_5,
            Self::V8_5 => &V8_5,
            Self::V9_0 => &V9_0,
        }
    }
}
