//! The matrix: one line per operation, one column per actor.

use std::collections::BTreeSet;

use rapport_tests::answer::Answer;
use rapport_tests::document::{Document, Operation};
use rapport_tests::world::{Caller, World};
use reqwest::{Method, RequestBuilder};

use crate::household::Household;

/// What is expected, in a table of text that is its own legend.
const MATRIX: &str = include_str!("matrix.txt");

struct Line {
    method: String,
    /// As in the document; what follows `?` is sent along.
    path: String,
    query: String,
    cells: Vec<(&'static str, &'static str)>,
}

fn lines() -> Vec<Line> {
    let mut lines = MATRIX
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let actors: Vec<&str> = lines.next().unwrap().split_whitespace().skip(1).collect();
    let line = |line: &'static str| {
        let mut words = line.split_whitespace();
        let method = words.next().unwrap().to_owned();
        let target = words.next().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let cells: Vec<_> = actors.iter().copied().zip(words).collect();
        assert_eq!(cells.len(), actors.len(), "a cell is missing: {line}");
        Line {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            cells,
        }
    };
    lines.map(line).collect()
}

#[test]
fn every_operation_has_its_line_and_every_line_its_operation() {
    let declared: Vec<(String, String)> = lines()
        .into_iter()
        .map(|line| (line.method, line.path))
        .collect();
    let once: BTreeSet<_> = declared.iter().cloned().collect();
    assert_eq!(once.len(), declared.len(), "an operation has two lines");
    let there: BTreeSet<_> = Document::published()
        .operations()
        .iter()
        .map(|operation| (operation.method.clone(), operation.path.clone()))
        .collect();
    let undeclared: Vec<_> = there.difference(&once).collect();
    let gone: Vec<_> = once.difference(&there).collect();
    assert!(
        undeclared.is_empty() && gone.is_empty(),
        "without a line in authorisation/matrix.txt: {undeclared:#?}\nno operations any more: {gone:#?}"
    );
}

// Two halves, so that two cores walk them side by side.

#[tokio::test]
async fn everybody_may_do_what_the_even_lines_say_and_nothing_else() {
    walk(lines().into_iter().step_by(2)).await;
}

#[tokio::test]
async fn everybody_may_do_what_the_odd_lines_say_and_nothing_else() {
    walk(lines().into_iter().skip(1).step_by(2)).await;
}

async fn walk(lines: impl Iterator<Item = Line>) {
    let world = World::start().await;
    let document = Document::published();
    let mut wrong = Vec::new();
    let mut household = Household::settle(&world, &document).await;
    // While working on one of them, `RAPPORT_MATRIX` names the lines to be walked: those whose path holds it.
    let only = std::env::var("RAPPORT_MATRIX").unwrap_or_default();
    for mut line in lines {
        if !line.path.contains(&only) {
            continue;
        }
        let operation = document.operation(&line.method, &line.path);
        // The other test says which operations are not there.
        let Some(operation) = operation else { continue };
        if household.is_changed() {
            household = Household::settle(&world, &document).await;
        }
        // Those who are refused first: nothing has been done yet that they might not find any more.
        line.cells.sort_by_key(|(_, expected)| *expected == "ok");
        for (actor, expected) in line.cells {
            let mut answer = call(&household, &document, operation, &line.query, actor).await;
            if class(&answer) != expected && household.is_changed() {
                // What somebody else did may be in the way.
                household = Household::settle(&world, &document).await;
                answer = call(&household, &document, operation, &line.query, actor).await;
            }
            if operation.method != "GET" && answer.status() < 300 {
                household.has_changed();
            }
            if class(&answer) != expected {
                let (method, path, text) = (&line.method, &line.path, answer.text());
                let status = answer.status();
                wrong.push(format!(
                    "{method} {path} by {actor}: {status}, not {expected}\n    {text}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cells are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Done, or not done for a reason that only those who may do it come to hear.
fn class(answer: &Answer) -> String {
    match answer.status() {
        200..=399 | 409 | 412 => "ok".to_owned(),
        refused => refused.to_string(),
    }
}

async fn call(
    household: &Household<'_>,
    document: &Document,
    operation: &Operation,
    query: &str,
    actor: &str,
) -> Answer {
    let path = household.path(&operation.path, actor);
    let target = if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    };
    let subject = household.subject(actor);
    let caller: Caller<'_> = match actor {
        "nobody" => household.world().nobody(),
        _ => household.world().as_(&subject),
    };
    let method: Method = operation.method.parse().unwrap();
    let body = document.example_body(operation);
    let finish = |mut request: RequestBuilder| {
        if operation.asks_for("If-Match") {
            request = request.header("if-match", "\"1\"");
        }
        if operation.asks_for("Idempotency-Key") {
            request = request.header("idempotency-key", household.fresh_key());
        }
        if operation.asks_for("Origin") {
            request = request.header("origin", "https://www.northside.example");
        }
        match body {
            Some(body) if body.media_type == "application/json" => {
                request.json(&household.in_terms_of_it(body.value))
            }
            Some(body) if body.media_type == "text/csv" => {
                let file = body.value.as_str().unwrap_or_default().to_owned();
                request.header("content-type", "text/csv").body(file)
            }
            Some(body) => request.header("content-type", body.media_type).body(""),
            None => request,
        }
    };
    caller.ask(method, &target, finish).await
}
