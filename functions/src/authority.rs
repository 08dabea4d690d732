//! Authorities: who may act for a client, for what and until when. A claim usually comes with a signup;
//! staff verify it from evidence, and from then on every act looks at it again.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::access::{Authority, AuthorityState, Duty, Scope};
use domain::authority::{
    self, Claim, ClaimAuthorityError, RevokeAuthorityError, Revoker, Verification,
    VerifyAuthorityError,
};
use domain::id::{AuthorityId, ClientId, PersonId};
use domain::invalid::Findings;
use domain::notice::Event;
use domain::person::Person;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Command;
use crate::caller::Caller;
use crate::client::{self, Reader};
use crate::context::{Context, Shared};
use crate::page::Listed;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::{check_reason, need_reason};
use crate::standing::over_client;

/// The most authorities that one client has had, those that ended included.
pub(crate) const MOST_AUTHORITIES: usize = 100;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_authorities, claim_authority))
        .routes(routes!(verify_authority))
        .routes(routes!(revoke_authority))
}

/// An authority to act for a client. What it was verified from stays with staff.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorityView {
    id: AuthorityId,
    client: ClientId,
    representative: PersonId,
    /// Whether a guardian, an appointed decision-maker.
    guardian: bool,
    scopes: BTreeSet<Scope>,
    from: DateTime<Utc>,
    /// First instant it no longer holds; open-ended if null.
    until: Option<DateTime<Utc>>,
    state: AuthorityState,
    /// Whether it counts now: verified, begun and not yet over.
    in_force: bool,
    /// The reference of what staff verified it from; for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
}

impl AuthorityView {
    /// As the client and the representative see it.
    #[must_use]
    pub fn of(authority: Authority, now: DateTime<Utc>) -> Self {
        let in_force = authority
            .scopes
            .iter()
            .any(|scope| authority.permits(*scope, now));
        let Authority {
            id,
            client,
            representative,
            guardian,
            scopes,
            from,
            until,
            state,
            evidence: _,
        } = authority;
        Self {
            id,
            client,
            representative,
            guardian,
            scopes,
            from,
            until,
            state,
            in_force,
            evidence: None,
        }
    }

    fn for_reader(authority: Authority, reader: &Reader, now: DateTime<Utc>) -> Self {
        let evidence = match reader {
            Reader::Staff(_) => authority.evidence.clone(),
            Reader::ForClient(_) => None,
        };
        Self {
            evidence,
            ..Self::of(authority, now)
        }
    }
}

/// List authorities
///
/// Everybody who acts, claimed to act or acted for a client. For the client, their representatives and
/// staff.
#[utoipa::path(get, path = "/v1/clients/{client}/authorities", tag = "authorities",
    params(("client" = ClientId, Path)),
    responses((status = 200, body = Listed<AuthorityView>, example = json!({"items": [{
        "id": "auth_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "representative": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "guardian": false, "scopes": ["details"],
        "from": "2026-03-01T00:00:00Z", "until": null, "state": "claimed", "in_force": false
    }]})))
)]
async fn list_authorities(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
) -> Result<Json<Listed<AuthorityView>>, Problem> {
    let reader = Reader::of(&context, &caller, client).await?;
    let held = context
        .store
        .authorities_over(client, MOST_AUTHORITIES)
        .await?;
    let now = context.now();
    let items = held
        .into_iter()
        .map(|held| AuthorityView::for_reader(held.value, &reader, now));
    Ok(Json(Listed {
        items: items.collect(),
        next: None,
    }))
}

/// A claim that reached staff in another way than a signup.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AuthorityClaim {
    /// Who is to act for the client.
    representative: PersonId,
    /// Whether as a guardian, an appointed decision-maker.
    guardian: bool,
    /// What it should cover.
    scopes: BTreeSet<Scope>,
    /// Why; kept with the client.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Record a claim
///
/// By staff, for somebody who is known already. It counts for nothing until it is verified. A client
/// has at most 100 authorities, whatever became of them.
#[utoipa::path(post, path = "/v1/clients/{client}/authorities", tag = "authorities",
    params(("client" = ClientId, Path)),
    request_body(content = AuthorityClaim, example = json!({
        "representative": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "guardian": false,
        "scopes": ["details", "match_requests"], "reason": "Signed form received by post."
    })),
    responses((status = 201, body = AuthorityView))
)]
async fn claim_authority(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
    command: Command<AuthorityClaim>,
) -> Result<Response, Problem> {
    let duty = over_client(&caller, client, Duty::People)?;
    let wanted = &command.body;
    let mut findings = Findings::default();
    findings.check(!wanted.scopes.is_empty(), "/scopes", "names nothing");
    check_reason(&mut findings, &wanted.reason);
    findings.into_result()?;
    let representative = wanted.representative;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let of = client::load(&context, client).await?;
        let person = context.store.get(&Key::person(representative)).await?;
        let person: Versioned<Person> = person
            .ok_or_else(|| Problem::invalid_field("/representative", "names nobody known"))?;
        let standing = context
            .store
            .authorities_over(client, MOST_AUTHORITIES)
            .await?;
        let full = standing.len() == MOST_AUTHORITIES;
        let standing = standing
            .into_iter()
            .find(|held| held.value.representative == representative);
        if full && standing.is_none() {
            let detail = format!("a client has at most {MOST_AUTHORITIES} authorities");
            return Err(Problem::wrong_state("too-many-authorities", detail));
        }
        let claim = Claim {
            id: context.fresh(),
            client,
            guardian: wanted.guardian,
            scopes: wanted.scopes.clone(),
        };
        let held = standing.as_ref().map(|held| &held.value);
        let (claimed, next) = authority::claim(claim, person.value.clone(), held, context.now())?;
        let fields = vec!["authorities".to_owned()];
        let key = Key::client(client);
        let audit =
            context.correction(duty.acting, "claim_authority", &key, fields, &wanted.reason);
        let commit = Commit::new(audit).unchanged(&of).replace(&person, &next);
        let commit = match &standing {
            Some(revoked) => commit.replace(revoked, &claimed),
            None => commit.insert(&claimed),
        };
        Ok(Decision::new(duty.insisted_on(commit), claimed.id))
    })
    .await?;
    let view = show(&context, &caller, client, representative).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// What staff found an authority to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AuthorityVerification {
    /// Whether they are a guardian, an appointed decision-maker.
    guardian: bool,
    /// What it covers; at least one.
    scopes: BTreeSet<Scope>,
    /// First instant it holds.
    from: DateTime<Utc>,
    /// First instant it no longer holds; open-ended if null.
    until: Option<DateTime<Utc>>,
    /// The reference of what was seen.
    #[schema(min_length = 1, max_length = 500)]
    evidence: String,
    /// Why; kept with the client.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Verify an authority
///
/// From now on the representative may act as it says. Verifying again changes scopes and dates. The
/// client and the representative are told.
#[utoipa::path(post, path = "/v1/clients/{client}/authorities/{person}/verification", tag = "authorities",
    params(("client" = ClientId, Path), ("person" = PersonId, Path)),
    request_body(content = AuthorityVerification, example = json!({
        "guardian": false, "scopes": ["details", "match_requests"], "from": "2026-03-01T00:00:00Z",
        "until": "2027-03-01T00:00:00Z", "evidence": "Signed form 2026/114, both identities seen",
        "reason": "Her daughter helps with everything online."
    })),
    responses((status = 201, body = AuthorityView))
)]
async fn verify_authority(
    State(context): State<Shared>,
    caller: Caller,
    Path((client, person)): Path<(ClientId, PersonId)>,
    command: Command<AuthorityVerification>,
) -> Result<Response, Problem> {
    let duty = over_client(&caller, client, Duty::People)?;
    let wanted = &command.body;
    need_reason(&wanted.reason)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let was = load(&context, client, person).await?;
        let AuthorityVerification {
            guardian,
            scopes,
            from,
            until,
            evidence,
            reason,
        } = wanted.clone();
        let found = Verification {
            guardian,
            scopes,
            from,
            until,
            evidence,
        };
        let verified = authority::verify(was.value.clone(), found, duty.acting.by, context.now())?;
        let fields = ["state", "guardian", "scopes", "from", "until", "evidence"];
        let fields = fields
            .map(|field| format!("authority.{field}"))
            .into_iter()
            .collect();
        let key = Key::client(client);
        let audit = context.correction(duty.acting, "verify_authority", &key, fields, &reason);
        let event = Event::AuthorityVerified {
            client,
            authority: verified.id,
            representative: person,
        };
        let commit = Commit::new(audit).replace(&was, &verified);
        let commit = duty.insisted_on(commit.notify(context.fresh(), event));
        Ok(Decision::new(commit, verified.id))
    })
    .await?;
    let view = show(&context, &caller, client, person).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Why an authority ends.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AuthorityRevocation {
    /// Why; kept with the client.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Revoke an authority
///
/// By the client themselves or by staff; it counts no more from then on. A guardian's authority is
/// ended by staff only. The client and the representative are told.
#[utoipa::path(post, path = "/v1/clients/{client}/authorities/{person}/revocation", tag = "authorities",
    params(("client" = ClientId, Path), ("person" = PersonId, Path)),
    request_body(content = AuthorityRevocation, example = json!({"reason": "I look after this myself now."})),
    responses((status = 201, body = AuthorityView))
)]
async fn revoke_authority(
    State(context): State<Shared>,
    caller: Caller,
    Path((client, person)): Path<(ClientId, PersonId)>,
    command: Command<AuthorityRevocation>,
) -> Result<Response, Problem> {
    let reader = Reader::of(&context, &caller, client).await?;
    let by = match &reader {
        Reader::Staff(_) => Revoker::Staff,
        Reader::ForClient(standing) if standing.acting.on_behalf_of.is_none() => Revoker::Client,
        // A representative does not decide over others who represent the client, nor for the client.
        Reader::ForClient(_) => return Err(Problem::forbidden()),
    };
    let reason = &command.body.reason;
    need_reason(reason)?;
    let done = once(&context, reader.acting().by, &command.key, || async {
        let was = load(&context, client, person).await?;
        let revoked = authority::revoke(was.value.clone(), by)?;
        let fields = vec!["authority.state".to_owned()];
        let key = Key::client(client);
        let audit = context.correction(reader.acting(), "revoke_authority", &key, fields, reason);
        let event = Event::AuthorityRevoked {
            client,
            authority: revoked.id,
            representative: person,
        };
        let commit = Commit::new(audit).replace(&was, &revoked);
        let commit = reader.insisted_on(commit.notify(context.fresh(), event));
        Ok(Decision::new(commit, revoked.id))
    })
    .await?;
    let view = show(&context, &caller, client, person).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

async fn show(
    context: &Context,
    caller: &Caller,
    client: ClientId,
    representative: PersonId,
) -> Result<Json<AuthorityView>, Problem> {
    let reader = Reader::of(context, caller, client).await?;
    let held = load(context, client, representative).await?;
    let now = context.now();
    Ok(Json(AuthorityView::for_reader(held.value, &reader, now)))
}

async fn load(
    context: &Context,
    client: ClientId,
    representative: PersonId,
) -> Result<Versioned<Authority>, Problem> {
    context
        .store
        .get(&Key::authority(client, representative))
        .await?
        .ok_or_else(Problem::not_found)
}

impl From<ClaimAuthorityError> for Problem {
    fn from(error: ClaimAuthorityError) -> Self {
        let kind = match error {
            ClaimAuthorityError::Merged => "person-merged",
            ClaimAuthorityError::OwnClient => {
                return Self::invalid_field("/representative", error);
            }
            ClaimAuthorityError::Standing => "authority-standing",
            ClaimAuthorityError::TooMany => "too-many-represented",
        };
        Self::wrong_state(kind, error)
    }
}

impl From<VerifyAuthorityError> for Problem {
    fn from(error: VerifyAuthorityError) -> Self {
        match error {
            VerifyAuthorityError::Revoked => Self::wrong_state("authority-revoked", error),
            VerifyAuthorityError::Own => Self::forbidden().detail(error),
            VerifyAuthorityError::Invalid(errors) => Self::invalid(errors),
        }
    }
}

impl From<RevokeAuthorityError> for Problem {
    fn from(error: RevokeAuthorityError) -> Self {
        match error {
            RevokeAuthorityError::Revoked => Self::wrong_state("authority-revoked", error),
            RevokeAuthorityError::Guardian => Self::forbidden().detail(error),
        }
    }
}
