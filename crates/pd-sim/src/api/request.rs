//! One request, taken apart.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::api::answer::{Answer, Nothing};
use crate::errors::not_a_number;

/// A request below `/pd/api/v1`.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// Decoded, without the prefix.
    pub(crate) path: String,
    /// Values are bytes: keys need not be text.
    pub(crate) query: Vec<(String, Vec<u8>)>,
    pub(crate) body: &'a [u8],
}

impl Request<'_> {
    /// The path's segment at `index`.
    pub(crate) fn segment(&self, index: usize) -> &str {
        self.path.split('/').nth(index + 1).unwrap_or_default()
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.queries(name).next()
    }

    pub(crate) fn queries<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.query
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| std::str::from_utf8(value).unwrap_or_default())
    }

    /// A value that need not be text.
    pub(crate) fn query_bytes(&self, name: &str) -> Option<&[u8]> {
        let mut named = self.query.iter().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value.as_slice())
    }

    /// The id in the path; if it is none, the answer most handlers give.
    pub(crate) fn id(&self, index: usize) -> Result<u64, Answer> {
        let text = self.segment(index);
        text.parse()
            .map_err(|_| Answer::message(400, &not_a_number("ParseUint", text)))
    }

    /// The store id in the path; store handlers answer with an object.
    pub(crate) fn store_id(&self, index: usize) -> Result<u64, Answer> {
        let text = self.segment(index);
        text.parse().map_err(|_| {
            Answer::error_object("input", &not_a_number("ParseUint", text), Nothing {})
        })
    }

    /// The body as an object; `null` is an empty one.
    pub(crate) fn object(&self) -> Result<Map<String, Json>, Answer> {
        match self.json()? {
            Json::Object(object) => Ok(object),
            Json::Null => Ok(Map::new()),
            other => Err(wrong_type(
                go_kind(&other),
                "Go value of type map[string]interface {}",
                1,
                "",
                "",
            )),
        }
    }

    pub(crate) fn json(&self) -> Result<Json, Answer> {
        serde_json::from_slice(self.body).map_err(|error| syntax_error(self.body, &error).into())
    }

    /// Like [`Request::object`], for handlers that report bad JSON as a plain message.
    pub(crate) fn object_or_message(&self) -> Result<Map<String, Json>, Answer> {
        match serde_json::from_slice(self.body) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(Json::Null) => Ok(Map::new()),
            Ok(other) => Err(Answer::message(
                400,
                &format!(
                    "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                    go_kind(&other)
                ),
            )),
            Err(error) => Err(Answer::message(400, &syntax_error(self.body, &error).text)),
        }
    }
}

/// JSON that does not parse, in Go's words.
struct SyntaxError {
    text: String,
    offset: usize,
}

impl From<SyntaxError> for Answer {
    fn from(error: SyntaxError) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct SyntaxData {
            offset: usize,
        }
        let SyntaxError { text, offset } = error;
        Self::error_object("input", &text, SyntaxData { offset })
    }
}

fn syntax_error(body: &[u8], error: &serde_json::Error) -> SyntaxError {
    let lines_before = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    let offset = (lines_before + error.column()).min(body.len());
    let text = if error.is_eof() {
        "unexpected end of JSON input".to_owned()
    } else {
        let found = offset
            .checked_sub(1)
            .and_then(|index| body.get(index))
            .map_or('?', |byte| char::from(*byte));
        format!("invalid character {found:?} {}", go_context(error, found))
    };
    SyntaxError { text, offset }
}

/// Where Go's scanner says it was when it met a character it did not expect.
fn go_context(error: &serde_json::Error, found: char) -> &'static str {
    let text = error.to_string();
    let says = |what: &str| text.starts_with(what);
    if says("key must be a string") || (says("trailing comma") && found == '}') {
        "looking for beginning of object key string"
    } else if says("expected `:`") {
        "after object key"
    } else if says("expected `,` or `}`") {
        "after object key:value pair"
    } else if says("expected `,` or `]`") {
        "after array element"
    } else if says("trailing characters") {
        "after top-level value"
    } else {
        "looking for beginning of value"
    }
}

/// JSON of the wrong type, as Go's decoder reports it.
pub(crate) fn wrong_type(
    value: &str,
    target: &str,
    offset: usize,
    go_struct: &str,
    field: &str,
) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct TypeData<'a> {
        value: &'a str,
        #[serde(rename = "Type")]
        go_type: Nothing,
        offset: usize,
        #[serde(rename = "Struct")]
        go_struct: &'a str,
        field: &'a str,
    }
    Answer::error_object(
        "input",
        &format!("json: cannot unmarshal {value} into {target}"),
        TypeData {
            value,
            go_type: Nothing {},
            offset,
            go_struct,
            field,
        },
    )
}

/// What Go calls a JSON value of this kind.
pub(crate) fn go_kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// Undoes percent-encoding; `+` is a space in queries.
pub(crate) fn percent_decode(text: &str, plus_is_space: bool) -> String {
    String::from_utf8_lossy(&percent_decoded(text, plus_is_space)).into_owned()
}

fn percent_decoded(text: &str, plus_is_space: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' if plus_is_space => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits = [ahead.next(), ahead.next()]
                    .map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
                if let [Some(high), Some(low)] = digits {
                    bytes.push((high * 16 + low) as u8);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            other => bytes.push(other),
        }
    }
    bytes
}

/// The pairs of a query string.
pub(crate) fn parse_query(query: &str) -> Vec<(String, Vec<u8>)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key, true), percent_decoded(value, true))
        })
        .collect()
}
