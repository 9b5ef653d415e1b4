//! Making two answers comparable: only what differs from run to run is taken out.

use regex::Regex;

/// Takes out times, durations and what counts from them.
pub(crate) fn without_times(body: &str) -> String {
    const RULES: [(&str, &str); 8] = [
        // Operators' times, with their monotonic offset.
        (
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC m=[+-]\d+\.\d{9}",
            "<time>",
        ),
        // How long a recorded operator ran.
        (r"duration:[0-9.hmsµn]+\)", "duration:<duration>)"),
        // RFC 3339, but not the year 1 and the 1970 that mean "never".
        (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r#""last_heartbeat": \d{19}"#, r#""last_heartbeat": <time>"#),
        (r#""uptime": "[0-9.hmsµn]+""#, r#""uptime": "<duration>""#),
        (r#""timestamp": \d{10}"#, r#""timestamp": <time>"#),
        (
            r#""start_timestamp": \d{10}"#,
            r#""start_timestamp": <time>"#,
        ),
        // The body of a redirect keeps no trace of the port.
        (r"http://127\.0\.0\.1:\d{5}/", "<endpoint>/"),
    ];
    let mut text = body.to_owned();
    for (pattern, replacement) in RULES {
        let pattern = Regex::new(pattern).expect("a pattern");
        text = pattern.replace_all(&text, replacement).into_owned();
    }
    text
}

/// The same list whatever the order of its elements: PD keeps them in a map.
pub(crate) fn sorted(body: &str) -> String {
    let mut elements: Vec<String> = serde_json::from_str(body).expect("a list of texts");
    elements.sort_unstable();
    elements.join("\n")
}

/// Takes out which of the allowed stores a leader was evicted to, after checking that it is one.
pub(crate) fn without_chosen_targets(body: &str) -> String {
    let brief = Regex::new(r"to one in \[([0-9 ]+)\], or to (\d+) \(for").expect("a pattern");
    for captures in brief.captures_iter(body) {
        let allowed: Vec<&str> = captures[1].split(' ').collect();
        assert!(allowed.contains(&&captures[2]), "{}", &captures[0]);
    }
    let step = Regex::new(r"(?<list>or) to \d+ \(for|(?<step>leader from store \d+) to store \d+")
        .expect("a pattern");
    step.replace_all(body, "$list$step to <choice>")
        .into_owned()
}

/// Stores by id, where PD listed them in another order; byte for byte within each store.
pub(crate) fn in_store_order(body: &str) -> String {
    let separator = "\n    },\n    {\n";
    let (head, rest) = body.split_once("    {\n").expect("a list of stores");
    let (stores, tail) = rest.rsplit_once("\n    }\n").expect("a list of stores");
    let mut stores: Vec<&str> = stores.split(separator).collect();
    stores.sort_unstable();
    format!("{head}    {{\n{}\n    }}\n{tail}", stores.join(separator))
}

/// Takes out the scores.
pub(crate) fn without_region_scores(body: &str) -> String {
    let score = Regex::new(r#""region_score": [0-9.]+"#).expect("a pattern");
    score
        .replace_all(body, r#""region_score": <score>"#)
        .into_owned()
}

/// Regions by id, where PD lists them as they lie in a map; byte for byte within each region.
pub(crate) fn in_region_order(body: &str) -> String {
    let (head, rest) = body.split_once('[').expect("a list of regions");
    let (list, tail) = rest.rsplit_once(']').expect("a list of regions");
    let mut regions: Vec<&str> = list.split("},{\"id\":").collect();
    if let Some(first) = regions.first_mut() {
        *first = first.strip_prefix("{\"id\":").unwrap_or(first);
    }
    if let Some(last) = regions.last_mut() {
        *last = last.strip_suffix('}').unwrap_or(last);
    }
    regions.sort_unstable();
    format!("{head}[{}]{tail}", regions.join("\n"))
}
