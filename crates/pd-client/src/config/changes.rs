//! Changing the configuration, one item at a time.
//!
//! PD applies the items of one request one by one in any order and keeps those before a bad one:
//! a request of several is neither done nor undone when it fails. Hence one item per call. PD up
//! to 8.5 stores the whole section with each change, so that one of two changes at the same time
//! can get lost: read back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::MAX_ID;
use crate::transport::{Accepted, Call};

impl Client {
    /// Sets one item. Setting it to what it is changes nothing and is accepted.
    ///
    /// `POST /config`, all versions. A name that PD does not know is refused; the sections' own
    /// paths, which this does not use, accept and ignore it.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 400: no such item, a value PD does not take, or an override with
    /// a time to live ([`is_overridden`](crate::PdError::is_overridden)).
    pub async fn set_config(
        &self,
        key: &str,
        value: impl Into<ConfigValue>,
    ) -> Result<Accepted, Error> {
        let body = one_item(key, value.into())?;
        self.write(Call::post("/config", &body)?).await
    }

    /// Overrides one item for a time, over a change of PD's leader. The override is in force and
    /// not shown by the calls that read configuration, only by
    /// [`config_overrides`](Self::config_overrides); while it is there the item cannot be set.
    ///
    /// `POST /config?ttlSecond=…`, all versions, for a few items of `schedule` only, by their full
    /// names such as `schedule.leader-schedule-limit`. The time is rounded up to seconds; PD makes
    /// it at least five.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 400 for an item that cannot be overridden. PD does not look at
    /// the value: [`InputError::Argument`] when it is not a number or a flag.
    pub async fn set_config_for(
        &self,
        key: &str,
        value: impl Into<ConfigValue>,
        time: Duration,
    ) -> Result<Accepted, Error> {
        let value = value.into();
        if !matches!(value, ConfigValue::Whole(_) | ConfigValue::Flag(_)) {
            let problem = "items that can be overridden are whole numbers and flags";
            return Err(InputError::argument("override", &format!("{value:?}"), problem).into());
        }
        let body = one_item(key, value)?;
        let call = Call::post("/config", &body)?.query(
            "ttlSecond",
            whole_seconds("time to live", time)?.to_string(),
        );
        self.write(call).await
    }

    /// Ends an override before its time. Accepted too when there is none.
    ///
    /// `POST /config?ttlSecond=0`, all versions.
    pub async fn clear_config_ttl(&self, key: &str) -> Result<Accepted, Error> {
        // PD wants a value and does not use it.
        let body = one_item(key, ConfigValue::Whole(0))?;
        self.write(Call::post("/config", &body)?.query("ttlSecond", "0"))
            .await
    }
}

/// A value as PD wants it: numbers as numbers, everything else as text.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ConfigValue {
    /// A limit or a size, 0 to 2^53 − 1; PD reads larger ones as another number.
    Whole(u64),
    /// A share.
    Ratio(f64),
    /// On or off, which PD wants as text.
    Flag(bool),
    /// A time, which PD wants as text such as `30m0s`.
    Time(Duration),
    /// A word, or a list with commas.
    Text(String),
}

impl From<u64> for ConfigValue {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<f64> for ConfigValue {
    fn from(value: f64) -> Self {
        Self::Ratio(value)
    }
}

impl From<bool> for ConfigValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<Duration> for ConfigValue {
    fn from(value: Duration) -> Self {
        Self::Time(value)
    }
}

impl From<&str> for ConfigValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl Serialize for ConfigValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(value) => serializer.serialize_u64(*value),
            Self::Ratio(value) => serializer.serialize_f64(*value),
            Self::Flag(true) => serializer.serialize_str("true"),
            Self::Flag(false) => serializer.serialize_str("false"),
            // Go takes any decimal number of any unit.
            Self::Time(value) => serializer.collect_str(&format_args!("{}ms", value.as_millis())),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}

fn one_item(key: &str, value: ConfigValue) -> Result<BTreeMap<&str, ConfigValue>, InputError> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let refuse = |problem| Err(InputError::argument("configuration item", key, problem));
    if key.is_empty() || key.len() > 128 || !key.bytes().all(is_safe) {
        return refuse("write a name such as `schedule.leader-schedule-limit`");
    }
    match value {
        ConfigValue::Whole(number) if number > MAX_ID => Err(InputError::argument(
            "value of a configuration item",
            &number.to_string(),
            "PD reads numbers above 2^53 − 1 as 64-bit floats and rounds them",
        )),
        ConfigValue::Ratio(number) if !number.is_finite() => Err(InputError::argument(
            "value of a configuration item",
            &number.to_string(),
            "use a finite number",
        )),
        value => Ok(BTreeMap::from([(key, value)])),
    }
}

/// Whole seconds, rounded up: 0 would take back instead of set.
pub(crate) fn whole_seconds(what: &'static str, time: Duration) -> Result<u64, InputError> {
    let seconds = time
        .as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0));
    let refuse = |problem| Err(InputError::argument(what, &format!("{time:?}"), problem));
    match seconds {
        0 => refuse("it is zero, which PD treats as its end"),
        // PD makes nanoseconds of it, in a signed 64-bit number.
        1..=9_000_000_000 => Ok(seconds),
        _ => refuse("it is longer than PD can count"),
    }
}
