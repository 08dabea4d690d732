//! Examples: those the document gives, and those that its fields' examples add up to.

use serde_json::{Map, Value};

use super::read::{list, members, referenced, text};

/// Schemas are not nested deeper than this, unless in themselves.
const MOST_DEPTH: usize = 8;

/// An example of a body, pretty-printed: its own, or one made of its fields'.
pub(super) fn example(document: &Value, content: &Value) -> Option<String> {
    let named = members(content, "examples").find_map(|(_, example)| example.get("value"));
    let given = content.get("example").or(named).cloned();
    let value = given.or_else(|| composed(document, content.get("schema")?, 0))?;
    match value {
        Value::String(text) => Some(text),
        value => serde_json::to_string_pretty(&value).ok(),
    }
}

/// None as soon as a required field has no example: half an example would mislead.
fn composed(document: &Value, schema: &Value, depth: usize) -> Option<Value> {
    if depth > MOST_DEPTH {
        return None;
    }
    let within = |schema: &Value| composed(document, schema, depth.saturating_add(1));
    if let Some(name) = referenced(schema) {
        return within(document.get("components")?.get("schemas")?.get(name)?);
    }
    let given = schema
        .get("example")
        .or_else(|| list(schema, "examples").next())
        .or_else(|| schema.get("const"))
        .or_else(|| list(schema, "enum").next());
    if let Some(given) = given {
        return Some(given.clone());
    }
    if schema.get("properties").is_some() {
        return object(schema, within);
    }
    if let Some(entry) = schema.get("items") {
        return within(entry).map(|entry| Value::Array(vec![entry]));
    }
    let alternative = list(schema, "oneOf").chain(list(schema, "anyOf"));
    alternative
        .filter(|alternative| text(alternative, "type") != "null")
        .find_map(within)
}

fn object(schema: &Value, example: impl Fn(&Value) -> Option<Value>) -> Option<Value> {
    let mut object = Map::new();
    for (name, field) in members(schema, "properties") {
        let required = list(schema, "required").any(|required| required == name);
        match example(field) {
            Some(value) => drop(object.insert(name.clone(), value)),
            None if required => return None,
            None => {}
        }
    }
    Some(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_without_an_example_is_given_its_fields() {
        let document = json!({"components": {"schemas": {
            "Colour": {"type": "string", "enum": ["red", "blue"]},
            "Box": {"type": "object", "required": ["name", "colours"], "properties": {
                "name": {"type": "string", "example": "first"},
                "colours": {"type": "array", "items": {"$ref": "#/components/schemas/Colour"}},
                "note": {"type": ["string", "null"]},
            }},
            "Endless": {"type": "object", "required": ["next"], "properties": {
                "next": {"$ref": "#/components/schemas/Endless"},
            }},
        }}});
        let of = |name: &str| {
            let content = json!({"schema": {"$ref": format!("#/components/schemas/{name}")}});
            example(&document, &content).map(|text| serde_json::from_str::<Value>(&text).unwrap())
        };
        assert_eq!(
            of("Box"),
            Some(json!({"name": "first", "colours": ["red"]}))
        );
        assert_eq!(of("Endless"), None);
        assert_eq!(of("Absent"), None);
    }

    #[test]
    fn a_given_example_comes_first_and_text_is_shown_as_it_is() {
        let content = json!({"example": "a=b&c=d", "schema": {"example": {"not": "this"}}});
        assert_eq!(example(&Value::Null, &content).as_deref(), Some("a=b&c=d"));
        let content = json!({"examples": {"one": {"value": {"a": 1}}}});
        assert_eq!(
            example(&Value::Null, &content).as_deref(),
            Some("{\n  \"a\": 1\n}")
        );
    }
}
