//! What reached the simulator.

use std::collections::BTreeMap;

/// How etcd, which every member embeds, is asked: a POST that changes nothing.
pub(crate) const ETCD_RANGE: &str = "/v3/kv/range";

/// A request that may have changed something: anything but a `GET`, a `HEAD` or a question to
/// etcd.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Write {
    /// Upper case.
    pub method: String,
    /// Relative to `/pd/api/v1`, with the query, as it was sent.
    pub path: String,
    /// The `X-Caller-ID` header.
    pub caller_id: Option<String>,
    /// As it was sent.
    pub body: String,
    /// Index of the member that was asked.
    pub member: usize,
}

/// Counts of all requests, and the writes themselves.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// By method and path, with numbers replaced by `*`.
    counts: BTreeMap<(String, String), usize>,
    pub(crate) writes: Vec<Write>,
}

impl Received {
    pub(crate) fn record(&mut self, request: Write) {
        let path = without_query(&request.path);
        let key = (request.method.clone(), pattern(path));
        *self.counts.entry(key).or_default() += 1;
        let is_read = matches!(request.method.as_str(), "GET" | "HEAD") || path == ETCD_RANGE;
        if !is_read {
            self.writes.push(request);
        }
    }

    /// Requests of the method at the path or below it.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        let wanted = pattern(path);
        self.counts
            .iter()
            .filter(|((m, path), _)| m == method && is_at_or_below(path, &wanted))
            .map(|(_, count)| count)
            .sum()
    }

    pub(crate) fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

/// Whether `path` is `base` or something below it.
pub(crate) fn is_at_or_below(path: &str, base: &str) -> bool {
    let path = without_query(path);
    path.strip_prefix(base.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

fn pattern(path: &str) -> String {
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| {
            let is_number = !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit());
            if is_number { "*" } else { segment }
        })
        .collect();
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Write {
        Write {
            method: method.to_owned(),
            path: path.to_owned(),
            caller_id: None,
            body: String::new(),
            member: 0,
        }
    }

    #[test]
    fn requests_are_counted_at_and_below_a_path() {
        let mut received = Received::default();
        received.record(request("GET", "/operators/12"));
        received.record(request("GET", "/operators?kind=leader"));
        received.record(request("POST", "/operators"));
        assert_eq!(received.count("GET", "/operators"), 2);
        assert_eq!(received.count("GET", "/operators/7"), 1);
        assert_eq!(received.count("POST", "/operators"), 1);
        assert_eq!(received.count("GET", "/operator"), 0);
        assert_eq!(received.writes.len(), 1);
    }
}
