//! Schemas in words.

use maud::{Markup, html};
use serde_json::Value;

use super::read::{list, members, referenced, text};

/// The members of a schema that limit its values, and how they are said.
const LIMITS: [(&str, &str); 10] = [
    ("minLength", "at least this many characters: "),
    ("maxLength", "at most this many characters: "),
    ("minItems", "at least this many entries: "),
    ("maxItems", "at most this many entries: "),
    ("minimum", "at least "),
    ("maximum", "at most "),
    ("exclusiveMinimum", "more than "),
    ("exclusiveMaximum", "less than "),
    ("pattern", "like "),
    ("default", "unless told: "),
];

/// A schema of the document, under its name.
pub(super) fn definition(name: &str, schema: &Value) -> Markup {
    let anchor = anchor(name);
    html! {
        article aria-labelledby=(anchor) {
            h3 id=(anchor) { (name) }
            (described(schema))
            @if has_fields(schema) { (fields(schema)) } @else { p { (kind(schema)) } }
        }
    }
}

fn anchor(name: &str) -> String {
    format!("schema-{name}")
}

fn described(schema: &Value) -> Markup {
    html! {
        @for paragraph in text(schema, "description").split("\n\n").filter(|text| !text.is_empty()) {
            p { (paragraph) }
        }
    }
}

fn has_fields(schema: &Value) -> bool {
    schema.get("properties").is_some()
}

fn fields(schema: &Value) -> Markup {
    html! {
        dl {
            @for (name, field) in members(schema, "properties") {
                dt {
                    code { (name) }
                    @if list(schema, "required").any(|required| required == name) {
                        " " span.meaning { "required" }
                    }
                }
                dd {
                    p { (kind(field)) }
                    (described(field))
                }
            }
        }
    }
}

/// What a schema's values are, in one line; only a nested object takes more.
pub(super) fn kind(schema: &Value) -> Markup {
    if let Some(name) = referenced(schema) {
        return html! { a href={ "#" (anchor(name)) } { (name) } };
    }
    for (combination, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if schema.get(combination).is_some() {
            return joined(list(schema, combination).map(kind), between);
        }
    }
    let values = list(schema, "enum").chain(schema.get("const"));
    let mut values = values
        .map(|value| html! { code { (plain(value)) } })
        .peekable();
    if values.peek().is_some() {
        return joined(values, ", ");
    }
    html! {
        (types(schema))
        @let format = text(schema, "format");
        @if !format.is_empty() { " (" (format) ")" }
        @for (limit, words) in LIMITS {
            @if let Some(value) = schema.get(limit) { "; " (words) (plain(value)) }
        }
    }
}

/// The JSON types: one, or several where nothing is a value, too.
fn types(schema: &Value) -> Markup {
    let one = schema.get("type").filter(|kind| kind.is_string());
    let mut names = one
        .into_iter()
        .chain(list(schema, "type"))
        .filter_map(Value::as_str)
        .peekable();
    if names.peek().is_none() {
        return html! { "anything" };
    }
    joined(names.map(|name| of_type(name, schema)), " or ")
}

fn of_type(name: &str, schema: &Value) -> Markup {
    match name {
        "array" => match schema.get("items") {
            Some(entry) => html! { "list of " (kind(entry)) },
            None => html! { "list" },
        },
        "object" if has_fields(schema) => html! { "object: " (fields(schema)) },
        "object" => match schema
            .get("additionalProperties")
            .filter(|kind| kind.is_object())
        {
            Some(value) => html! { "object whose every member is " (kind(value)) },
            None => html! { "object" },
        },
        "null" => html! { "nothing" },
        "string" => html! { "text" },
        "boolean" => html! { "true or false" },
        "integer" => html! { "whole number" },
        other => html! { (other) },
    }
}

fn joined(parts: impl Iterator<Item = Markup>, between: &str) -> Markup {
    html! {
        @for (n, part) in parts.enumerate() {
            @if n > 0 { (between) }
            (part)
        }
    }
}

/// A value as it is read: text without its quotes.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
