//! Signups that a partner's server sends, signed.

use std::collections::BTreeMap;
use std::fmt;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use domain::id::PartnerId;
use domain::invalid::Findings;
use domain::partner::{Partner, PartnerSettings};
use domain::signup::{Answers, Channel, Field, MAX_FIELDS, SignupDetails};
use platform::signature::{RequestSignature, SignatureError};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use store::{Key, Versioned};
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Sent, take_in};
use crate::body::{IdempotencyKey, digest, read_bytes, read_json, require_json};
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::problem::Problem;

/// A signup's fields, by our names or by the partner's.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct SignupFields(BTreeMap<String, Typed>);

/// What stands in one field.
#[derive(Debug)]
struct Typed(Vec<String>);

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyTyped;

        impl<'de> Visitor<'de> for AnyTyped {
            type Value = Typed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, true, false, null or a list of text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Typed, E> {
                Ok(Typed(vec![text.to_owned()]))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Typed, E> {
                Ok(Typed(vec![truth.to_string()]))
            }

            fn visit_unit<E>(self) -> Result<Typed, E> {
                Ok(Typed(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Typed, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = list.next_element()? {
                    all.push(text);
                }
                Ok(Typed(all))
            }
        }

        deserializer.deserialize_any(AnyTyped)
    }
}

impl PartialSchema for SignupFields {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let start = ObjectBuilder::new()
            .description(Some(
                "The signup's fields. A partner whose settings give a field another name uses that name.",
            ))
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        let all = Field::ALL.into_iter().fold(start, |object, field| {
            let meaning = Some(field.meaning());
            match field {
                Field::Guardian => {
                    let truth = ObjectBuilder::new().schema_type(Type::Boolean);
                    object.property(field.code(), truth.description(meaning))
                }
                Field::Scopes => {
                    let list = ArrayBuilder::new().items(text());
                    object.property(field.code(), list.description(meaning))
                }
                _ => object.property(field.code(), text().description(meaning)),
            }
        });
        all.into()
    }
}

impl ToSchema for SignupFields {}

/// That a signup was received: the same, whoever it is about.
#[derive(Debug, Serialize, ToSchema)]
struct SignupReceived {
    /// The signature id that the signup was sent with.
    #[schema(example = "order-4711")]
    reference: String,
}

/// Send a signup
///
/// From a partner's server. The signature's id is the idempotency key, so a signup may be sent again
/// until it is answered. The answer is the same whether or not anybody in it is known here already; the
/// person who is to activate the account is mailed a link.
#[utoipa::path(post, path = "/v1/partners/{partner}/signups", tags = ["signups", crate::api::PUBLIC_TAG],
    params(
        ("partner" = PartnerId, Path),
        ("Rapport-Signature-Id" = String, Header, description = "Fresh for each signup: 1 to 64 of A-Z a-z 0-9 _ -"),
        ("Rapport-Signature-Timestamp" = String, Header, description = "Unix seconds, at most five minutes off"),
        ("Rapport-Signature" = String, Header,
            description = "`v1=` and the hexadecimal HMAC-SHA256 of `id.timestamp.body` under the partner's secret"),
    ),
    request_body(content = SignupFields, example = json!({
        "signup_for": "representative", "given_name": "Rosa", "family_name": "Marchetti",
        "birth_date": "1941-05-30", "address": "4 Elm Court, Northside", "representative_given_name": "Elena",
        "representative_family_name": "Marchetti", "representative_email": "elena@example.org",
        "relationship": "daughter", "guardian": false, "scopes": ["details", "match_requests"],
        "about": "Would like company on walks."
    })),
    responses((status = 202, body = SignupReceived), (status = 401, description = "No signature that holds"))
)]
pub(super) async fn send_signup(
    State(context): State<Shared>,
    Path(partner): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read_bytes(Request::new(body)).await?;
    let (partner, signature) = authenticate(&context, &partner, &parts, &bytes).await?;
    require_json(&parts.headers, &bytes)?;
    let details = read(&partner.value.settings, read_json(&bytes)?, &context)?;
    let key = IdempotencyKey {
        digest: digest("POST", parts.uri.path(), &bytes),
        key: signature.id,
    };
    let sent = Sent {
        channel: Channel::Server,
        sender: &partner.value.id.to_string(),
        key: &key,
    };
    let done = take_in(&context, &partner, sent, &details).await;
    // An id used for another body is a replay, and answered as every other signature that does not hold.
    let done = done.map_err(|problem| {
        if problem.is("key-reused") {
            Problem::signature_refused()
        } else {
            problem
        }
    })?;
    let view = SignupReceived { reference: key.key };
    Ok(done.answer(StatusCode::ACCEPTED, Json(view)))
}

/// The active partner who signed this request.
async fn authenticate(
    context: &Context,
    partner: &str,
    parts: &Parts,
    body: &[u8],
) -> Result<(Versioned<Partner>, RequestSignature), Problem> {
    let partner = match partner.parse() {
        Ok(id) => context.store.get::<Partner>(&Key::partner(id)).await?,
        Err(_) => None,
    };
    let partner = partner.filter(|partner| partner.value.is_active());
    let live: Vec<_> = partner
        .iter()
        .flat_map(|partner| {
            let id = partner.value.id;
            let numbers = partner.value.keys.live.iter();
            numbers.map(move |number| context.key.partner_secret(id, *number))
        })
        .collect();
    // Of two values, which one counts is for nobody to choose: a header that is there twice is none.
    let header = |name: &str| {
        let mut values = parts.headers.get_all(name).iter();
        let only = values.next().filter(|_| values.next().is_none())?;
        only.to_str().ok()
    };
    let checked = RequestSignature::from_headers(header).and_then(|signature| {
        signature.verify(body, &live, context.now())?;
        Ok(signature)
    });
    match (checked, partner) {
        (Ok(signature), Some(partner)) => Ok((partner, signature)),
        (checked, _) => {
            let error = checked.err().unwrap_or(SignatureError::Mismatch);
            tracing::info!(%error, "signature refused");
            Err(Problem::signature_refused())
        }
    }
}

fn read(
    settings: &PartnerSettings,
    SignupFields(fields): SignupFields,
    context: &Context,
) -> Result<SignupDetails, Problem> {
    let mut findings = Findings::default();
    if fields.len() > MAX_FIELDS {
        let detail = format!(
            "has {} fields; at most {MAX_FIELDS} are allowed",
            fields.len()
        );
        return Err(Problem::invalid_field("", detail));
    }
    let mut answers = Answers::default();
    for (name, Typed(typed)) in fields {
        match settings.field_called(&name) {
            Some(field) => typed
                .into_iter()
                .for_each(|typed| answers.add(field, typed)),
            None => findings.add(format!("/{}", escaped(&name)), "is not a field of a signup"),
        }
    }
    let read = answers.read(context.now());
    for fault in read.as_ref().err().into_iter().flatten() {
        findings.add(
            format!("/{}", settings.name_of(fault.field)),
            &*fault.detail,
        );
    }
    findings.into_result()?;
    // Nothing was found, so it was read.
    read.map_err(|_| Problem::internal())
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
