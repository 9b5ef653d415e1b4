//! What happened around each recording: what the recorder waited for, what PD did by itself, and
//! which steps cannot be compared because of it.

use pd_sim::Version;

/// One recording and its circumstances.
pub(crate) struct Scenario {
    pub(crate) recording: &'static str,
    pub(crate) version: Version,
    /// Milliseconds that pass before a step.
    pub(crate) schedule: &'static [(&'static str, u64)],
    /// Where region labels wanted splits that the recorder's stores never executed.
    pub(crate) split_keys: &'static [&'static str],
    /// What the balancing schedulers did in the background, and before which step. It shows in
    /// epochs, in the ids of later peers and in who leads.
    pub(crate) background: &'static [(&'static str, Background)],
    /// Steps whose `region_score` is not compared: PD computes it from a moving average of the
    /// available space, over heartbeats that were not recorded.
    pub(crate) smoothed_scores: &'static [&'static str],
    /// Steps that are not compared, and why.
    pub(crate) not_covered: &'static [(&'static str, &'static str)],
}

/// Something PD did by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Background {
    /// balance-region moved a peer.
    Moved { region: u64, from: u64, to: u64 },
    /// balance-leader moved a leader.
    Led { region: u64, to: u64 },
    /// A drain moved a leader, to one of the stores it might: left to chance.
    Leads { region: u64, store: u64 },
}

const fn leads(region: u64, store: u64) -> Background {
    Background::Leads { region, store }
}

const fn moved(region: u64, from: u64, to: u64) -> Background {
    Background::Moved { region, from, to }
}

/// The recorder's waits, which are the same in all recordings.
const SCHEDULE: &[(&str, u64)] = &[
    // The checkers find what the labels want split.
    ("stores", 1_500),
    // A leader transfer is one step of 200 ms.
    ("tl-op-after", 200),
    // A move is four.
    ("tp-op-after", 800),
    // Cancelled when the learner is there and the joint state has been asked for.
    ("half-moved-cancel", 300),
    ("half-moved-op-12s", 12_000),
    ("half-moved-first-region-cancel", 300),
    ("half-moved-first-region-op-12s", 12_000),
    ("split-op-after", 3_000),
    // Two dozen leaders leave two stores.
    ("ev-records", 3_000),
];

/// As [`SCHEDULE`], with a checker that was quick enough to see the half-moved region.
const SCHEDULE_QUICK_CHECKER: &[(&str, u64)] = &[
    ("stores", 1_500),
    ("tl-op-after", 200),
    ("tp-op-after", 800),
    ("half-moved-cancel", 300),
    ("half-moved-op-cancelled", 50),
    ("half-moved-op-12s", 12_000),
    ("half-moved-first-region-cancel", 300),
    ("half-moved-first-region-op-12s", 12_000),
    ("split-op-after", 3_000),
    ("ev-records", 3_000),
];

const FIRST_AND_LAST_REGION: &[&str] = &[
    "7200000000000000FB",
    "7200000100000000FB",
    "7800000000000000FB",
    "7800000100000000FB",
];
const LAST_REGION: &[&str] = &["7800000000000000FB", "7800000100000000FB"];

pub(crate) const PD_8_5: Scenario = Scenario {
    recording: "pd-v8.5.7",
    version: Version::V8_5,
    schedule: SCHEDULE,
    split_keys: FIRST_AND_LAST_REGION,
    background: &[
        ("half-moved-op-12s", moved(237, 4, 2)),
        ("half-moved-first-region-op-12s", moved(77, 4, 1)),
    ],
    smoothed_scores: &[],
    not_covered: &[],
};

pub(crate) const PD_9_0: Scenario = Scenario {
    recording: "pd-v9.0-dev",
    version: Version::V9_0,
    schedule: SCHEDULE,
    split_keys: LAST_REGION,
    background: &[
        ("half-moved-op-12s", moved(93, 4, 1)),
        ("half-moved-first-region-op-12s", moved(193, 4, 5)),
        ("ev-records", moved(21, 1, 2)),
        ("writeflow", leads(201, 4)),
        ("writeflow", leads(21, 4)),
        ("writeflow", leads(129, 3)),
    ],
    smoothed_scores: &["ev-store"],
    not_covered: &[(
        "ev-records",
        "the recorder asked in the middle of the drain: which leaders had left is left to chance",
    )],
};

pub(crate) const PD_7_5: Scenario = Scenario {
    recording: "pd-v7.5.7",
    version: Version::V7_5,
    schedule: SCHEDULE_QUICK_CHECKER,
    split_keys: FIRST_AND_LAST_REGION,
    background: &[
        ("half-moved-op-12s", moved(89, 4, 3)),
        ("half-moved-first-region-op-12s", moved(57, 4, 2)),
        ("writeflow", leads(137, 4)),
    ],
    smoothed_scores: &["ev-store"],
    not_covered: &[],
};

pub(crate) const PD_6_5: Scenario = Scenario {
    recording: "pd-v6.5.12",
    version: Version::V6_5,
    schedule: SCHEDULE_QUICK_CHECKER,
    split_keys: &[],
    background: &[
        ("half-moved-first-region-op-12s", moved(153, 4, 1)),
        ("ev-ok", Background::Led { region: 21, to: 1 }),
        ("reg-store", leads(9, 3)),
        ("reg-store", leads(21, 4)),
        ("reg-store", leads(129, 3)),
    ],
    smoothed_scores: &["ev-store"],
    not_covered: &[],
};
