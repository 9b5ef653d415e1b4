//! Numbers, without loss and whatever features `serde_json` is built with.

use serde_json::{Number, Value};

use crate::schema::problem::ProblemKind;
use crate::schema::shape::Shape;

/// The largest integer that a 64-bit float and its neighbours tell apart, 2^53 − 1.
const LARGEST_SAFE_INTEGER: i128 = (1 << 53) - 1;

/// An integer in its usual form: JSON Schema takes `12.0` for one, serde does not.
pub(super) fn integer(shape: &Shape, number: &Number) -> Result<Value, ProblemKind> {
    within(shape, exact(number)?)
}

/// Decimal text for an integer, written the one usual way.
pub(super) fn integer_in_text(shape: &Shape, text: &str) -> Result<Value, ProblemKind> {
    let usual = text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.is_empty()
        && (text == "0" || !text.starts_with('0'));
    if !usual {
        return Err(ProblemKind::Malformed);
    }
    let integer = text.parse().map_err(|_| ProblemKind::OutOfRange)?;
    within(shape, integer)
}

/// An integer as decimal text.
pub(super) fn decimal_text(number: &Number) -> Result<String, ProblemKind> {
    match exact(number)? {
        negative if negative < 0 => Err(ProblemKind::OutOfRange),
        integer => Ok(integer.to_string()),
    }
}

/// Any number.
pub(super) fn any(shape: &Shape, number: &Number) -> Result<Value, ProblemKind> {
    let value = number.as_f64().filter(|value| value.is_finite());
    let value = value.ok_or(ProblemKind::OutOfRange)?;
    let bound = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_f64);
    let below = bound(&shape.minimum).is_some_and(|minimum| value < minimum);
    let above = bound(&shape.maximum).is_some_and(|maximum| value > maximum);
    if below || above {
        return Err(ProblemKind::OutOfRange);
    }
    Ok(Value::Number(number.clone()))
}

/// Whether a number is an integer, and which.
fn exact(number: &Number) -> Result<i128, ProblemKind> {
    if let Some(integer) = number.as_i64() {
        return Ok(integer.into());
    }
    if let Some(integer) = number.as_u64() {
        return Ok(integer.into());
    }
    let float = number.as_f64().ok_or(ProblemKind::OutOfRange)?;
    if float.fract() != 0.0 {
        return Err(ProblemKind::WrongType);
    }
    // Larger floats stand for several integers.
    if float.abs() > LARGEST_SAFE_INTEGER as f64 {
        return Err(ProblemKind::OutOfRange);
    }
    Ok(float as i128)
}

fn within(shape: &Shape, integer: i128) -> Result<Value, ProblemKind> {
    let bound = |bound: &Option<Number>| bound.as_ref().and_then(|bound| exact(bound).ok());
    let below = bound(&shape.minimum).is_some_and(|minimum| integer < minimum);
    let above = bound(&shape.maximum).is_some_and(|maximum| integer > maximum);
    if below || above {
        return Err(ProblemKind::OutOfRange);
    }
    if let Ok(integer) = i64::try_from(integer) {
        return Ok(integer.into());
    }
    let integer = u64::try_from(integer).map_err(|_| ProblemKind::OutOfRange)?;
    Ok(integer.into())
}
