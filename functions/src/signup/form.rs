//! Signups from a partner's form in a browser. Every answer is a page that people can read, or leads to
//! one that the partner has allow-listed.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::id::FormId;
use domain::partner::{Partner, form_field};
use domain::signup::{Answers, Channel, Fault, MAX_FIELDS, SignupDetails};
use platform::form::FormTokenError;
use serde::Serialize;
use store::{Key, PartnerForm, Versioned};
use utoipa::ToSchema;

use super::page::{self, FormPage};
use super::{Sent, take_in};
use crate::body::{IdempotencyKey, digest, read_bytes};
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::problem::Problem;

const NOT_OPENED_HERE: &str = "Please look through what you entered and send it once more.";
const OPENED_LONG_AGO: &str =
    "The form was open for a long time. Please look through it and send it once more.";

/// Refusals after which the form is shown again: what it says then, and whether with the token it came
/// with, because the signup may have been taken in.
const SHOWN_AGAIN: [(&str, &str, bool); 3] = [
    (
        "key-reused",
        "We have received this form before. Send it once more only if it now says something else.",
        false,
    ),
    (
        "too-many-requests",
        "Too many forms have been sent in this hour. Please send it once more in the next hour.",
        false,
    ),
    (
        "unavailable",
        "We are very busy. Please wait a moment and send it once more.",
        true,
    ),
];

/// What a form carries in its `form_token` field.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FormTokenView {
    /// For the field `form_token`. Good for one signup, for 24 hours.
    #[schema(example = "1795300000000.00112233445566778899aabbccddeeff.3q2-7w")]
    token: String,
}

/// Get a form token
///
/// For a script in the page that shows the form. Only pages of the partner's origins are answered.
#[utoipa::path(get, path = "/v1/forms/{form}/token", tags = ["signups", crate::api::PUBLIC_TAG],
    params(("form" = FormId, Path), ("Origin" = String, Header, description = "Sent by the browser")),
    responses((status = 200, body = FormTokenView, example = json!({
        "token": "1795300000000.00112233445566778899aabbccddeeff.3q2-7w"
    })), (status = 403, description = "Not one of the partner's origins"))
)]
pub(super) async fn show_form_token(
    State(context): State<Shared>,
    Path(form): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, partner) = partner_of(&context, &form).await?;
    let origin = headers
        .get(header::ORIGIN)
        .filter(|origin| {
            let origin = origin.to_str().ok();
            origin.is_some_and(|origin| partner.value.settings.allows_origin(origin))
        })
        .ok_or_else(wrong_origin)?;
    let token = fresh_token(&context, &partner.value);
    let mut response = Json(FormTokenView { token }).into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Submit the form
///
/// Straight from a browser. Leads to the page that the field `redirect` names by its id, where the
/// partner has allow-listed one; otherwise to a page of ours. What cannot be accepted is shown in a page
/// with every field named and what was typed kept.
#[utoipa::path(post, path = "/v1/forms/{form}/signups", tags = ["signups", crate::api::PUBLIC_TAG],
    params(("form" = FormId, Path), ("Origin" = String, Header, description = "Sent by the browser")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        example = json!("form_token=1795300000000.00112233445566778899aabbccddeeff.3q2-7w&redirect=thanks&given_name=Rosa&family_name=Marchetti&email=rosa%40example.org")),
    responses(
        (status = 200, description = "Received", content_type = "text/html", body = String),
        (status = 303, description = "Received; on to the partner's page"),
        (status = 403, description = "Sent from a page of another origin", content_type = "text/html", body = String),
        (status = 404, description = "No such form", content_type = "text/html", body = String),
        (status = 422, description = "The form again, with what is to be put right", content_type = "text/html", body = String),
        (status = 429, description = "Too many signups in this hour", content_type = "text/html", body = String),
    )
)]
pub(super) async fn submit_form(
    State(context): State<Shared>,
    Path(form): Path<String>,
    request: Request,
) -> Response {
    let submitted = submit(&context, &form, request).await;
    submitted.unwrap_or_else(page::refused)
}

async fn submit(context: &Context, form: &str, request: Request) -> Result<Response, Problem> {
    let (id, partner) = partner_of(context, form).await?;
    let (parts, body) = request.into_parts();
    require_origin(&parts, &partner.value)?;
    require_form(&parts.headers)?;
    let bytes = read_bytes(Request::new(body)).await?;
    let submission = Submission::read(&bytes, &partner.value)?;
    let (nonce, details) = match submission.check(context, &partner.value) {
        Ok(checked) => checked,
        Err(rejected) => {
            let token = fresh_token(context, &partner.value);
            return Ok(submission.again(&partner.value, &rejected, &token));
        }
    };
    if submission.honeypot_filled {
        return Ok(submission.received(&partner.value));
    }
    let key = IdempotencyKey {
        digest: digest("POST", parts.uri.path(), &bytes),
        key: nonce,
    };
    let sent = Sent {
        channel: Channel::Form,
        sender: &id.to_string(),
        key: &key,
    };
    match take_in(context, &partner, sent, &details).await {
        Ok(_) => Ok(submission.received(&partner.value)),
        Err(problem) => submission.not_taken(context, &partner.value, problem),
    }
}

/// A form's partner; a paused one has no form.
async fn partner_of(
    context: &Context,
    form: &str,
) -> Result<(FormId, Versioned<Partner>), Problem> {
    let id: FormId = form.parse().map_err(|_| Problem::not_found())?;
    let form = context.store.get::<PartnerForm>(&Key::form(id)).await?;
    let form = form.ok_or_else(Problem::not_found)?.value;
    let partner = context
        .store
        .get::<Partner>(&Key::partner(form.partner))
        .await?;
    partner
        .filter(|partner| partner.value.is_active())
        .map(|partner| (id, partner))
        .ok_or_else(Problem::not_found)
}

fn fresh_token(context: &Context, partner: &Partner) -> String {
    let nonce = context.ids.random_bytes();
    context.key.forms().issue(partner.id, context.now(), &nonce)
}

/// The page that posts must be of one of the partner's origins, or be the one this service showed.
fn require_origin(parts: &Parts, partner: &Partner) -> Result<(), Problem> {
    let text = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let origin = text(header::ORIGIN).ok_or_else(wrong_origin)?;
    let own_host = text(header::HOST).or(parts.uri.authority().map(|authority| authority.as_str()));
    let is_own = origin
        .split_once("://")
        .is_some_and(|(_, host)| own_host == Some(host));
    if is_own || partner.settings.allows_origin(origin) {
        Ok(())
    } else {
        Err(wrong_origin())
    }
}

fn wrong_origin() -> Problem {
    let title = "This form cannot be sent from that page";
    Problem::new(StatusCode::FORBIDDEN, "origin-not-allowed", title)
}

fn require_form(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    if kind.is_some_and(|kind| {
        kind.trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }) {
        return Ok(());
    }
    let title = "This address reads forms alone";
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-a-form",
        title,
    ))
}

/// What a browser sent.
#[derive(Debug, Default)]
struct Submission {
    token: Option<String>,
    redirect: Option<String>,
    honeypot_filled: bool,
    answers: Answers,
}

/// Why the form is shown again.
#[derive(Debug)]
struct Rejected {
    status: StatusCode,
    notice: Option<&'static str>,
    faults: Vec<Fault>,
}

impl Submission {
    fn read(bytes: &[u8], partner: &Partner) -> Result<Self, Problem> {
        let mut read = Self::default();
        for (place, (name, typed)) in form_urlencoded::parse(bytes).enumerate() {
            if place >= MAX_FIELDS {
                return Err(Problem::malformed(format!("more than {MAX_FIELDS} fields")));
            }
            match &*name {
                form_field::TOKEN => read.token = Some(typed.into_owned()),
                form_field::REDIRECT => read.redirect = Some(typed.into_owned()),
                form_field::HONEYPOT => read.honeypot_filled |= !typed.trim().is_empty(),
                // Browsers send buttons and whatever else the page holds: what is no field is let be.
                name => {
                    if let Some(field) = partner.settings.field_called(name) {
                        read.answers.add(field, typed);
                    }
                }
            }
        }
        Ok(read)
    }

    /// The token's nonce and what the answers say.
    fn check(
        &self,
        context: &Context,
        partner: &Partner,
    ) -> Result<(String, SignupDetails), Rejected> {
        let now = context.now();
        let token = self.token.as_deref().unwrap_or_default();
        let token = context.key.forms().verify(token, partner.id, now);
        let details = self.answers.read(now);
        match (token, details) {
            (Ok(token), Ok(details)) => Ok((token.nonce, details)),
            (token, details) => Err(Rejected {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                notice: token.err().map(|error| match error {
                    FormTokenError::Forged => NOT_OPENED_HERE,
                    FormTokenError::Expired | FormTokenError::Early => OPENED_LONG_AGO,
                }),
                faults: details.err().unwrap_or_default(),
            }),
        }
    }

    /// The form again, with what was typed.
    fn again(&self, partner: &Partner, rejected: &Rejected, token: &str) -> Response {
        let page = FormPage {
            settings: &partner.settings,
            answers: &self.answers,
            faults: &rejected.faults,
            notice: rejected.notice,
            token,
            redirect: self.redirect.as_deref(),
        };
        page.answer(rejected.status)
    }

    /// The answer to a form that was in order and could not be taken in.
    fn not_taken(
        &self,
        context: &Context,
        partner: &Partner,
        problem: Problem,
    ) -> Result<Response, Problem> {
        let shown = SHOWN_AGAIN.iter().find(|(kind, ..)| problem.is(kind));
        let Some((_, notice, keeps_token)) = shown else {
            return Err(problem);
        };
        let rejected = Rejected {
            status: problem.status(),
            notice: Some(notice),
            faults: Vec::new(),
        };
        let token = match &self.token {
            Some(token) if *keeps_token => token.clone(),
            _ => fresh_token(context, partner),
        };
        let page = self.again(partner, &rejected, &token);
        Ok(page::instead_of(problem, page))
    }

    /// The answer to every signup that was received, or seems to have been.
    ///
    /// INVARIANT: a redirect leads to an allow-listed address or nowhere.
    fn received(&self, partner: &Partner) -> Response {
        let target = self
            .redirect
            .as_deref()
            .and_then(|id| partner.settings.redirect(id));
        match target.and_then(|url| HeaderValue::from_str(url).ok()) {
            Some(url) => (StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response(),
            None => page::thanks(&partner.settings.name),
        }
    }
}
