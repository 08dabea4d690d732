//! Reading what was done to something, by whom, when and why.

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::id::CommitId;
use serde::{Deserialize, Serialize};
use store::{Actor, AuditEntry, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::context::Shared;
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::problem::Problem;
use crate::safety;
use crate::standing::{on_duty, over_engagement};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list_audit))
}

/// What a thing can be that is audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AuditedKind {
    /// A person.
    Person,
    /// A client, their authorities and membership.
    Client,
    /// A support worker and their checks.
    SupportWorker,
    /// A match request and its list.
    MatchRequest,
    /// An engagement, its conversation, terms and proposals.
    Engagement,
    /// A visit.
    Visit,
    /// A signup.
    Signup,
    /// A partner.
    Partner,
    /// A membership plan.
    MembershipPlan,
    /// A file of people taken in.
    Import,
    /// A funding scheme.
    FundingScheme,
    /// A ticket.
    Ticket,
    /// A safety report.
    Report,
    /// An alert.
    Alert,
    /// A search for somebody to cover a visit.
    Cover,
}

impl AuditedKind {
    /// The key of the thing with this id; none if the id is of another kind.
    fn key(self, id: &str) -> Option<Key> {
        match self {
            Self::Person => id.parse().ok().map(Key::person),
            Self::Client => id.parse().ok().map(Key::client),
            Self::SupportWorker => id.parse().ok().map(Key::worker),
            Self::MatchRequest => id.parse().ok().map(Key::match_request),
            Self::Engagement => id.parse().ok().map(Key::engagement),
            Self::Visit => id.parse().ok().map(Key::visit),
            Self::Signup => id.parse().ok().map(Key::signup),
            Self::Partner => id.parse().ok().map(Key::partner),
            Self::MembershipPlan => id.parse().ok().map(Key::membership_plan),
            Self::Import => id.parse().ok().map(Key::import),
            Self::FundingScheme => id
                .parse()
                .ok()
                .map(|code| Key::current_funding_scheme(&code)),
            Self::Ticket => id.parse().ok().map(Key::ticket),
            Self::Report => id.parse().ok().map(Key::report),
            Self::Alert => id.parse().ok().map(Key::alert),
            Self::Cover => id.parse().ok().map(Key::cover),
        }
    }
}

/// Something that was done.
#[derive(Debug, Serialize, ToSchema)]
struct AuditView {
    commit: CommitId,
    at: DateTime<Utc>,
    actor: Actor,
    #[schema(example = "correct_contact")]
    operation: String,
    /// The names of the fields that changed; empty where the operation says it all.
    fields: Vec<String>,
    /// Why, for corrections, unless it was erased.
    reason: Option<String>,
}

impl From<AuditEntry> for AuditView {
    fn from(AuditEntry { item, reason }: AuditEntry) -> Self {
        Self {
            commit: item.commit,
            at: item.at,
            actor: item.actor,
            operation: item.operation,
            fields: item.fields,
            reason,
        }
    }
}

/// List what was done to something
///
/// Newest first. Fields are named, their values are not.
#[utoipa::path(get, path = "/v1/audit/{kind}/{id}", tag = "audit",
    params(("kind" = inline(AuditedKind), Path), ("id" = String, Path, description = "Its id"), PageQuery),
    responses((status = 200, body = Listed<AuditView>, example = json!({"items": [{
        "commit": "cmt_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "at": "2026-03-02T00:00:00Z",
        "actor": {"type": "person", "by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "on_behalf_of": null},
        "operation": "correct_contact", "fields": ["contact.email"],
        "reason": "Read out by herself on the phone; the form had a typing error."
    }]})))
)]
async fn list_audit(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Path((kind, id)): Path<(AuditedKind, String)>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Audit)?;
    if kind == AuditedKind::Engagement {
        // Those in it learn from the conversation who read it, and when they are to.
        let engagement = id.parse().map_err(|_| Problem::not_found())?;
        over_engagement(&context, &caller, engagement, Duty::Audit).await?;
    }
    let key = kind.key(&id).ok_or_else(Problem::not_found)?;
    if kind == AuditedKind::Report {
        // Staff whom a report is about learn nothing of it here either.
        safety::overseen(&context, &caller, &key).await?;
    }
    let found = context
        .store
        .audit_of(&key, page.limit(), page.cursor())
        .await?;
    Ok(Listed::of(found, AuditView::from).at(&uri))
}
