//! The readable page: operations grouped by tag, then the schemas they speak of.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::example::example;
use super::read::{list, members, text};
use super::schema::{definition, kind};
use crate::api::PUBLIC_TAG;

/// The page's only style; the content security policy allows it by its hash.
pub(super) const STYLE: &str = include_str!("page.css");

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation, and where it is.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    is: &'a Value,
}

type Groups<'a> = BTreeMap<&'a str, Vec<Operation<'a>>>;

impl<'a> Operation<'a> {
    /// Unique, since a document's operation ids are.
    fn anchor(&self) -> String {
        format!("operation-{}", text(self.is, "operationId"))
    }

    fn is_public(&self) -> bool {
        list(self.is, "tags").any(|tag| tag == PUBLIC_TAG)
    }

    /// What it is filed under: its first tag that says what it is about.
    fn group(&self) -> &'a str {
        list(self.is, "tags")
            .filter_map(Value::as_str)
            .find(|tag| *tag != PUBLIC_TAG)
            .unwrap_or("other")
    }
}

fn groups(document: &Value) -> Groups<'_> {
    let mut groups = Groups::new();
    for (path, item) in members(document, "paths") {
        for method in METHODS {
            if let Some(is) = item.get(method) {
                let operation = Operation { method, path, is };
                groups.entry(operation.group()).or_default().push(operation);
            }
        }
    }
    groups
}

/// The page made from an OpenAPI document.
pub(super) fn render(document: &Value) -> Markup {
    let info = document.get("info").unwrap_or(&Value::Null);
    let components = document.get("components").unwrap_or(&Value::Null);
    let groups = groups(document);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (text(info, "title")) " API" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#operations" { "Skip to the operations" }
                header {
                    h1 { (text(info, "title")) " API" }
                    p { (text(info, "description")) }
                    p {
                        "A refusal's body is a " a href="#schema-ProblemBody" { "problem" }
                        ", whose type tells programs which one it is."
                    }
                    p { "For programs: " a href="/openapi.json" { "the OpenAPI " (text(document, "openapi")) " document" } }
                }
                (contents(&groups))
                main #operations tabindex="-1" {
                    @for (name, operations) in &groups {
                        section aria-labelledby=(group_anchor(name)) {
                            h2 id=(group_anchor(name)) { (words(name)) }
                            @for operation in operations { (article(document, operation)) }
                        }
                    }
                    section aria-labelledby="schemas" {
                        h2 #schemas { "Schemas" }
                        @for (name, schema) in members(components, "schemas") { (definition(name, schema)) }
                    }
                }
            }
        }
    }
}

fn contents(groups: &Groups<'_>) -> Markup {
    html! {
        nav aria-label="Contents" {
            @for (name, operations) in groups {
                details {
                    summary { (words(name)) " (" (operations.len()) ")" }
                    ul {
                        @for operation in operations {
                            li { a href={ "#" (operation.anchor()) } { (text(operation.is, "summary")) } }
                        }
                    }
                }
            }
            p { a href="#schemas" { "Schemas" } }
        }
    }
}

fn article(document: &Value, operation: &Operation<'_>) -> Markup {
    let Operation { method, path, is } = operation;
    html! {
        article aria-labelledby=(operation.anchor()) {
            h3 id=(operation.anchor()) { (text(is, "summary")) }
            p.route { strong { (method.to_uppercase()) } " " code { (breakable(path)) } }
            p.token { @if operation.is_public() { "Needs no access token." } @else { "Needs an access token." } }
            @for paragraph in text(is, "description").split("\n\n").filter(|text| !text.is_empty()) {
                p { (paragraph) }
            }
            (parameters(is))
            @if let Some(body) = is.get("requestBody") {
                h4 { "Body" }
                (content(document, body))
            }
            (answers(document, is))
        }
    }
}

/// What comes back; the refusals, alike in shape and many, folded away.
fn answers(document: &Value, operation: &Value) -> Markup {
    let (refusals, answers): (Vec<_>, Vec<_>) =
        members(operation, "responses").partition(|(status, _)| status.starts_with(['4', '5']));
    html! {
        h4 { "Answers" }
        dl {
            @for (status, response) in answers {
                dt { (status) " " span.meaning { (text(response, "description")) } }
                dd { (content(document, response)) }
            }
        }
        details {
            summary { "Refusals (" (refusals.len()) ")" }
            ul {
                @for (status, response) in refusals {
                    li { strong { (status) } " " (text(response, "description")) }
                }
            }
        }
    }
}

fn parameters(operation: &Value) -> Markup {
    let mut parameters = list(operation, "parameters").peekable();
    if parameters.peek().is_none() {
        return html! {};
    }
    html! {
        h4 { "Parameters" }
        dl {
            @for parameter in parameters {
                dt {
                    code { (text(parameter, "name")) } " "
                    span.meaning { "in the " (text(parameter, "in")) @if required(parameter) { ", required" } }
                }
                dd {
                    p { (kind(parameter.get("schema").unwrap_or(&Value::Null))) }
                    p { (text(parameter, "description")) }
                }
            }
        }
    }
}

fn required(parameter: &Value) -> bool {
    parameter.get("required") == Some(&Value::Bool(true))
}

/// A body in each of its media types, with an example where there is one.
fn content(document: &Value, holder: &Value) -> Markup {
    html! {
        @for (media_type, content) in members(holder, "content") {
            p {
                code { (media_type) }
                @if let Some(schema) = content.get("schema") { ": " (kind(schema)) }
            }
            @if let Some(example) = example(document, content) {
                details {
                    summary { "Example" }
                    pre tabindex="0" { code { (example) } }
                }
            }
        }
    }
}

fn group_anchor(name: &str) -> String {
    format!("group-{}", name.replace(' ', "-"))
}

/// A tag as a heading.
fn words(tag: &str) -> String {
    let text = tag.replace(['-', '_'], " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A path that a narrow screen may break before each slash.
fn breakable(path: &str) -> Markup {
    html! {
        @for part in path.split_inclusive('/') { (part) wbr; }
    }
}
