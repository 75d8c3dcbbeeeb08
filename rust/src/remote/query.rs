//! Requests as paths and query strings, as the service reads them.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The path with the field named in braces filled in; that field is removed from the request.
pub(super) fn path(template: &str, request: &mut Map<String, Value>) -> String {
    let Some((before, rest)) = template.split_once('{') else {
        return template.to_owned();
    };
    let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
    let value = request.remove(name).unwrap_or(Value::Null);
    format!("{before}{}{after}", quoted(&plain(&value)))
}

/// The fields as a query string with its question mark; empty for no fields.
///
/// A list is one parameter per item; a list of one whose item has a comma, begins with a bracket or is empty is written as JSON,
/// because the service takes such an item for more than one.
pub(super) fn query(request: &Map<String, Value>) -> String {
    let mut written = String::new();
    for (name, value) in request {
        match value {
            Value::Array(items) => match items.as_slice() {
                [Value::String(item)] if item.contains(',') || item.starts_with('[') || item.is_empty() => {
                    add(&mut written, name, &value.to_string());
                }
                items => items.iter().for_each(|item| add(&mut written, name, &plain(item))),
            },
            value => add(&mut written, name, &plain(value)),
        }
    }
    written
}

fn add(written: &mut String, name: &str, value: &str) {
    let mark = if written.is_empty() { '?' } else { '&' };
    let _ = write!(written, "{mark}{}={}", quoted(name), quoted(value)); // writing to a String cannot fail
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Percent-encoded but for what RFC 3986 leaves unreserved.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}"); // writing to a String cannot fail
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn the_id_goes_into_the_path_and_the_rest_into_the_query() {
        let mut request = fields(json!({"id": "a/b ü?", "limit": 3, "namespace": "x&y"}));
        assert_eq!(path("/memories/{id}/history", &mut request), "/memories/a%2Fb%20%C3%BC%3F/history");
        assert_eq!(query(&request), "?limit=3&namespace=x%26y");
        assert_eq!(path("/memories", &mut request), "/memories");
        assert_eq!(query(&Map::new()), "");
    }

    #[test]
    fn lists_are_repeated_unless_one_item_could_be_taken_for_more() {
        assert_eq!(query(&fields(json!({"tags": ["a", "b,c"]}))), "?tags=a&tags=b%2Cc");
        assert_eq!(query(&fields(json!({"tags": ["b,c"]}))), "?tags=%5B%22b%2Cc%22%5D");
        assert_eq!(query(&fields(json!({"tags": [""]}))), "?tags=%5B%22%22%5D");
        assert_eq!(query(&fields(json!({"include_ended": true}))), "?include_ended=true");
    }
}
