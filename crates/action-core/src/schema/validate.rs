//! Checks a request against what an action declares.

use serde_json::{Map, Value};

use crate::schema::place::Place;
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::shape::{ParamDef, Shape, ValueType, in_backticks};
use crate::schema::validate_number;

/// A request can hold any number of mistakes; nobody reads more than these.
const MOST_PROBLEMS: usize = 100;

/// Checks a request and puts it in the declared types: all that is wrong with it at once, or an
/// object ready for serde.
///
/// What means the same is the same afterwards: an optional parameter that is `null` is absent,
/// `12.0` given for an integer is `12`, and a value in the other form that its parameter
/// [also accepts](Shape::also_accepts) is in the declared one. Defaults are not filled in.
///
/// No request at all, `null`, is an empty one.
///
/// # Errors
///
/// Every problem, parameters in declared order and unknown ones after them; the first hundred
/// if there are more.
pub fn validate(parameters: &[ParamDef], given: Value) -> Result<Map<String, Value>, Vec<Problem>> {
    let mut problems = Problems(Vec::new());
    let members = match given {
        Value::Null => object(parameters, Map::new(), Place::Root, &mut problems),
        Value::Object(members) => object(parameters, members, Place::Root, &mut problems),
        other => {
            let expected = "an object with the parameters as members";
            let kind = ProblemKind::WrongType;
            problems.push(Problem::with("", kind, &other, expected));
            Map::new()
        }
    };
    if problems.0.is_empty() {
        Ok(members)
    } else {
        Err(problems.0)
    }
}

/// Whether a value has a shape; checks a default.
pub(crate) fn fits(shape: &Shape, value: Value) -> Result<(), Problem> {
    let mut problems = Problems(Vec::new());
    checked(shape, value, Place::Root, &mut problems);
    problems.0.into_iter().next().map_or(Ok(()), Err)
}

struct Problems(Vec<Problem>);

impl Problems {
    fn push(&mut self, problem: Problem) {
        if self.0.len() < MOST_PROBLEMS {
            self.0.push(problem);
        }
    }

    /// Reports a value that is not of its shape.
    fn refuse(&mut self, shape: &Shape, place: Place<'_>, kind: ProblemKind, got: &Value) {
        let hint = match got {
            Value::String(text) => meant_by_text(shape, text),
            _ => None,
        };
        let place = place.to_string();
        self.push(Problem::with(&place, kind, got, shape.in_words()).hinting(hint));
    }
}

/// The members in their declared types, where they are; those left out with `null` are gone.
fn object(
    parameters: &[ParamDef],
    mut members: Map<String, Value>,
    at: Place<'_>,
    problems: &mut Problems,
) -> Map<String, Value> {
    let mut known = 0;
    for parameter in parameters {
        let place = Place::Member(&at, &parameter.name);
        match members.get_mut(&parameter.name) {
            None if parameter.required => {
                let place = place.to_string();
                problems.push(Problem::missing(&place, parameter.shape.in_words()));
            }
            None => {}
            // Models that must send every parameter send null for those they leave out.
            Some(Value::Null) if !parameter.required => {
                members.remove(&parameter.name);
            }
            Some(member) => {
                known += 1;
                if let Some(value) = checked(&parameter.shape, member.take(), place, problems) {
                    *member = value;
                }
            }
        }
    }
    if members.len() > known {
        report_unknown(parameters, &members, at, problems);
    }
    members
}

fn report_unknown(
    parameters: &[ParamDef],
    members: &Map<String, Value>,
    at: Place<'_>,
    problems: &mut Problems,
) {
    let is_unknown = |name: &str| parameters.iter().all(|parameter| parameter.name != name);
    let mut unknown: Vec<_> = members
        .iter()
        .filter(|(name, _)| is_unknown(name))
        .collect();
    unknown.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in unknown {
        let place = Place::Member(&at, name);
        problems.push(unknown_parameter(parameters, name, value, place));
    }
}

fn unknown_parameter(
    parameters: &[ParamDef],
    name: &str,
    value: &Value,
    place: Place<'_>,
) -> Problem {
    let known: Vec<&str> = parameters
        .iter()
        .map(|parameter| parameter.name.as_str())
        .collect();
    let expected = match known.as_slice() {
        [] => "no parameters".to_owned(),
        [only] => format!("only `{only}`"),
        _ => format!("only {}", in_backticks(&known)),
    };
    Problem::with(&place.to_string(), ProblemKind::Unknown, value, expected)
        .hinting(did_you_mean(name, known.iter().copied()))
}

/// The value in its declared type, or nothing when it is wrong and has been reported.
fn checked(
    shape: &Shape,
    value: Value,
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<Value> {
    let result = match (shape.kind, &value) {
        (ValueType::Boolean, Value::Bool(yes)) => Ok(Value::Bool(*yes)),
        (ValueType::Integer, Value::Number(number)) => validate_number::integer(shape, number),
        (ValueType::Number, Value::Number(number)) => validate_number::any(shape, number),
        (ValueType::Integer, Value::String(text))
            if shape.also_accepts == Some(ValueType::String) =>
        {
            validate_number::integer_in_text(shape, text)
        }
        (ValueType::String, Value::String(text)) => match check_text(shape, text) {
            Ok(()) => return Some(value),
            Err(kind) => Err(kind),
        },
        (ValueType::String, Value::Number(number))
            if shape.also_accepts == Some(ValueType::Integer) =>
        {
            validate_number::decimal_text(number).and_then(|text| {
                check_text(shape, &text)?;
                Ok(Value::String(text))
            })
        }
        (ValueType::Array, Value::Array(_)) => return array(shape, value, place, problems),
        (ValueType::Object, Value::Object(_)) => {
            let Value::Object(members) = value else {
                return None;
            };
            let members = object(&shape.properties, members, place, problems);
            return Some(Value::Object(members));
        }
        _ => Err(ProblemKind::WrongType),
    };
    match result {
        Ok(value) => Some(value),
        Err(kind) => {
            problems.refuse(shape, place, kind, &value);
            None
        }
    }
}

fn check_text(shape: &Shape, text: &str) -> Result<(), ProblemKind> {
    if !shape.choices.is_empty() && !shape.choices.iter().any(|choice| choice == text) {
        return Err(ProblemKind::OutOfRange);
    }
    if !has_length(text, shape.min_length, shape.max_length) {
        return Err(ProblemKind::OutOfRange);
    }
    if (shape.pattern.as_ref()).is_some_and(|pattern| !pattern.is_match(text)) {
        return Err(ProblemKind::Malformed);
    }
    Ok(())
}

/// JSON Schema counts characters, not bytes. A character has one to four of them: most texts need not be
/// counted.
fn has_length(text: &str, fewest: Option<u64>, most: Option<u64>) -> bool {
    let (fewest, most) = (fewest.unwrap_or(0), most.unwrap_or(u64::MAX));
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let bytes = count(text.len());
    (bytes / 4 >= fewest && bytes <= most) || (fewest..=most).contains(&count(text.chars().count()))
}

fn array(shape: &Shape, value: Value, place: Place<'_>, problems: &mut Problems) -> Option<Value> {
    let Value::Array(items) = value else {
        return None;
    };
    let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let too_few = shape.min_items.is_some_and(|fewest| count < fewest);
    let too_many = shape.max_items.is_some_and(|most| count > most);
    if too_few || too_many {
        let got = Value::Array(items);
        problems.refuse(shape, place, ProblemKind::OutOfRange, &got);
        return None;
    }
    let Some(item_shape) = &shape.items else {
        return Some(Value::Array(items));
    };
    let items: Vec<Option<Value>> = items
        .into_iter()
        .enumerate()
        .map(|(index, item)| checked(item_shape, item, Place::Item(&place, index), problems))
        .collect();
    items.into_iter().collect::<Option<_>>().map(Value::Array)
}

/// What text given for another value probably means.
fn meant_by_text(shape: &Shape, text: &str) -> Option<String> {
    if !shape.choices.is_empty() {
        return did_you_mean(text, shape.choices.iter().map(String::as_str));
    }
    let trimmed = text.trim();
    let number = !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_digit());
    match shape.kind {
        _ if number && trimmed != text => Some("leave out the spaces".to_owned()),
        ValueType::Integer | ValueType::Number if number && shape.also_accepts.is_none() => {
            Some("leave out the quotes".to_owned())
        }
        _ => None,
    }
}

fn did_you_mean<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    if given.len() > 80 {
        return None;
    }
    let distance = |name: &&str| strsim::damerau_levenshtein(&given.to_lowercase(), name);
    let nearest = known.min_by_key(distance)?;
    let near = distance(&nearest) <= 1 + nearest.len() / 4 || nearest.contains(given);
    (near && !given.is_empty()).then(|| format!("did you mean `{nearest}`?"))
}
