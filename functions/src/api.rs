//! The whole API: every family's routes, and the OpenAPI document made from them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::{Extension, Router};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
    Required, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::caller::{BEHALF_HEADER, INSTRUCTION_HEADER};
use crate::context::Shared;
use crate::problem::{Problem, ProblemBody};
use crate::safety::Emergency;
use crate::{
    activation, audit, authority, calendar, candidate_review, client, conversation, correction,
    cover, docs, due_row, engagement, import, inbox, invitation, match_request, membership,
    on_call, partner, person, proposal, safety, schedule, signup, staff, support_worker, terms,
    ticket, visit, visit_change,
};

/// The routes of one family.
pub type Routes = fn() -> OpenApiRouter<Shared>;

/// Every family by name, in the order of the story.
pub const FAMILIES: &[(&str, Routes)] = &[
    ("docs", docs::router),
    ("partner", partner::router),
    ("signup", signup::router),
    ("activation", activation::router),
    ("person", person::router),
    ("correction", correction::router),
    ("staff", staff::router),
    ("client", client::router),
    ("authority", authority::router),
    ("membership", membership::router),
    ("support-worker", support_worker::router),
    ("import", import::router),
    ("match-request", match_request::router),
    ("candidate-review", candidate_review::router),
    ("invitation", invitation::router),
    ("engagement", engagement::router),
    ("conversation", conversation::router),
    ("terms", terms::router),
    ("proposal", proposal::router),
    ("visit", visit::router),
    ("visit-change", visit_change::router),
    ("schedule", schedule::router),
    ("calendar", calendar::router),
    ("on-call", on_call::router),
    ("cover", cover::router),
    ("safety", safety::router),
    ("ticket", ticket::router),
    ("inbox", inbox::router),
    ("audit", audit::router),
    ("due-row", due_row::router),
];

/// The tags of operations that are called without an access token.
pub const PUBLIC_TAG: &str = "public";

/// The tags of families in which clients and support workers act: staff can do it for them when told to.
const TOLD_TAGS: [&str; 10] = [
    "match requests",
    "candidate review",
    "invitations",
    "engagements",
    "conversation",
    "terms",
    "proposals",
    "visits",
    "visit changes",
    "cover",
];

/// One family as a service of its own: what its Lambda function runs.
pub fn family(routes: Routes, context: Shared) -> Router {
    let (router, _) = routes().split_for_parts();
    finished(router, context)
}

/// All families merged, as the local host runs them, with the document that describes them.
pub fn all(context: Shared) -> (Router, OpenApi) {
    let (router, document) = merged();
    (finished(router, context), document)
}

/// The OpenAPI 3.1 document of all families.
#[must_use]
pub fn document() -> OpenApi {
    merged().1
}

fn merged() -> (Router<Shared>, OpenApi) {
    let start = OpenApiRouter::with_openapi(front_matter());
    let routes = FAMILIES
        .iter()
        .fold(start, |all, (_, routes)| all.merge(routes()));
    let (router, mut document) = routes.split_for_parts();
    complete(&mut document);
    (router, document)
}

/// Adds what every answer has, those to unknown routes included: an answer is what it says it is, and
/// is kept by nobody on the way unless it says so itself.
fn finished(router: Router<Shared>, context: Shared) -> Router {
    let emergency = Emergency::of(&context.deployment);
    router
        .with_state(context)
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            let title = "This cannot be done here in this way";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", title)
        })
        // For whatever has to say it, however a request is refused.
        .layer(Extension(emergency))
        .layer(SetResponseHeaderLayer::overriding(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
}

fn front_matter() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Rapport")
        .version("1")
        .description(Some(
            "From a signup to a booked visit with a support worker the client chose. Every POST takes an \
             Idempotency-Key; every edit an If-Match; every refusal is an RFC 9457 problem.",
        ))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// Adds what holds for every operation, so that no handler has to repeat it: the token, the headers
/// that make an act happen once, and the refusals that any operation can give.
fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    components
        .schemas
        .insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    let mut schemas = Vec::new();
    ProblemBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for item in document.paths.paths.values_mut() {
        for (is_post, operation) in operations(item) {
            complete_operation(operation, is_post);
        }
    }
}

fn operations(item: &mut PathItem) -> Vec<(bool, &mut Operation)> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    let all = [
        (false, get),
        (false, put),
        (true, post),
        (false, delete),
        (false, patch),
    ];
    all.into_iter()
        .filter_map(|(is_post, operation)| Some((is_post, operation.as_mut()?)))
        .collect()
}

const TOLD_HOW: &str = "Only by staff who do it for a client or a support worker on their spoken instruction: how and \
                        when they were told. It is recorded as such, and whoever told them is notified";
const TOLD_BY_WHOM: &str =
    "With On-Instruction, for what is done in an engagement: who told staff, `clt_…` or `wrk_…`";

fn complete_operation(operation: &mut Operation, is_post: bool) {
    let public = operation.tags.iter().flatten().any(|tag| tag == PUBLIC_TAG);
    if !public {
        operation.security = Some(vec![SecurityRequirement::new("token", ["rapport"])]);
        refuse(operation, 401, "No valid access token");
        refuse(operation, 403, "Not yours to do");
        if is_post {
            let description = "Fresh for each act, the same for each repetition; kept for 14 days";
            operation
                .parameters
                .get_or_insert_default()
                .push(required_header("Idempotency-Key", description).into());
            refuse(operation, 409, "Not as things stand");
        }
    }
    let told = |tag: &String| TOLD_TAGS.contains(&tag.as_str());
    if is_post && operation.tags.iter().flatten().any(told) {
        for (name, description) in [
            (INSTRUCTION_HEADER, TOLD_HOW),
            (BEHALF_HEADER, TOLD_BY_WHOM),
        ] {
            let mut header = required_header(name, description);
            header.required = Required::False;
            operation
                .parameters
                .get_or_insert_default()
                .push(header.into());
        }
    }
    let is_edit = !is_post && operation.request_body.is_some();
    if is_edit {
        let description = "The ETag that the edit was made against";
        operation
            .parameters
            .get_or_insert_default()
            .push(required_header("If-Match", description).into());
        refuse(operation, 409, "Not as things stand");
    }
    if takes_header(operation, "If-Match") {
        refuse(operation, 412, "Changed since");
        refuse(operation, 428, "No If-Match");
    }
    if operation.request_body.is_some() {
        refuse(operation, 413, "Too large a body");
        refuse(operation, 415, "A body of another media type");
        refuse(operation, 422, "Fields that cannot be accepted, each named");
    }
    refuse(operation, 400, "Malformed");
    refuse(operation, 404, "Absent, or invisible to the caller");
    refuse(operation, 429, "Too many requests");
    refuse(operation, 503, "Busy: send the same request again");
    describe_responses(operation);
}

/// Gives every response the description that OpenAPI asks for: its status in words, unless it has one.
fn describe_responses(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let status = status.parse::<StatusCode>().ok();
            let words = status.and_then(|status| status.canonical_reason());
            response.description = words.unwrap_or("The answer").to_owned();
        }
    }
}

fn takes_header(operation: &Operation, name: &str) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == name))
}

fn required_header(name: &str, description: &str) -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(
            ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String),
        ))
        .build()
}

fn refuse(operation: &mut Operation, status: u16, description: &str) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ProblemBody::name())))
        .build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build();
    operation
        .responses
        .responses
        .entry(status.to_string())
        .or_insert_with(|| response.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_a_function_binary_of_its_name() {
        let manifest = include_str!("../Cargo.toml");
        for (family, _) in FAMILIES {
            let declared =
                format!("[[bin]]\nname = \"{family}\"\nrequired-features = [\"lambda\"]");
            assert!(
                manifest.contains(&declared),
                "functions/Cargo.toml lacks {declared}"
            );
        }
    }

    #[test]
    fn every_operation_without_a_body_shows_an_example_of_its_answer() {
        let document = serde_json::to_value(document()).unwrap();
        let mut lacking = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if !operation["requestBody"].is_null() {
                    continue;
                }
                let answers = operation["responses"].as_object().unwrap();
                let kept = answers.iter().filter(|(status, _)| status.starts_with('2'));
                let json = kept.filter_map(|(_, answer)| answer["content"].get("application/json"));
                let shown = |content: &serde_json::Value| {
                    content.get("example").is_some() || content.get("examples").is_some()
                };
                if !json.clone().all(shown) {
                    lacking.push(format!("{method} {path}"));
                }
            }
        }
        assert!(lacking.is_empty(), "{lacking:#?}");
    }

    #[test]
    fn words_in_the_document_are_codes_as_they_cross_http() {
        let document = serde_json::to_value(document()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let code = |word: &str| {
            let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            word.chars().all(allowed)
        };
        for (name, schema) in schemas {
            for word in schema["enum"].as_array().into_iter().flatten() {
                let word = word.as_str().unwrap();
                assert!(code(word), "{word:?} in {name} is no code");
            }
        }
    }
}
