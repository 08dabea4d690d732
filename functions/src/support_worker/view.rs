//! What the support worker and staff see of a support worker. Clients never see any of it.

use std::collections::HashMap;

use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::{self, Duty};
use domain::check::Check;
use domain::id::{PersonId, WorkerId};
use domain::person::{Person, PersonName};
use domain::profile::WorkerProfile;
use domain::support_worker::{
    Missing, ProvenQualifications, Reliability, SupportWorker, Suspension, WorkerState,
};
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};
use store::{Key, StaffPartition, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::load;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::Tagged;
use crate::problem::Problem;
use crate::standing::on_duty;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_workers))
        .routes(routes!(show_worker))
}

/// A support worker as they see themselves, and as staff see them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WorkerView {
    id: WorkerId,
    state: WorkerState,
    profile: WorkerProfile,
    /// The introduction that clients read; none until staff have approved one.
    introduction_approved: Option<String>,
    /// One check of every kind.
    checks: Vec<Check>,
    /// What staff saw proof of.
    proven: ProvenQualifications,
    /// What stands between them and being matched.
    missing: Vec<Missing>,
    /// What staff alone see.
    #[serde(skip_serializing_if = "Option::is_none")]
    for_staff: Option<WorkerForStaff>,
}

/// What staff alone see of a support worker.
#[derive(Debug, Serialize, ToSchema)]
struct WorkerForStaff {
    person: PersonId,
    name: Option<PersonName>,
    /// Why and since when they are suspended.
    suspension: Option<Suspension>,
    reliability: Reliability,
    /// When a check is next to be announced as expiring, or expires.
    next_deadline: Option<DateTime<Utc>>,
}

/// A support worker in staff's list.
#[derive(Debug, Serialize, ToSchema)]
struct ListedWorker {
    id: WorkerId,
    person: PersonId,
    name: Option<PersonName>,
    state: WorkerState,
    /// Where they set out from.
    suburb: Option<String>,
    /// What stands between them and being matched.
    missing: Vec<Missing>,
    /// Whether the introduction differs from the approved one.
    introduction_awaits_approval: bool,
}

/// Show a support worker
///
/// To themselves, and to staff who look after support workers.
#[utoipa::path(get, path = "/v1/support-workers/{worker}", tag = "support workers",
    params(("worker" = WorkerId, Path)),
    responses((status = 200, body = WorkerView, example = json!({
        "id": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "state": "draft",
        "profile": {
            "introduction": "", "gender": null, "work_history": [], "training": [], "services": [],
            "skills": [], "conditions": [], "languages": [], "cultures": [], "interests": [],
            "boundaries": {"tasks": [], "hazards": [], "highest_care_level": null},
            "service_area": null, "availability": {"weekly": [], "exceptions": []}, "hours_wanted": null
        },
        "introduction_approved": null,
        "checks": [{
            "kind": "identity", "state": "pending", "evidence": null, "expires_on": null,
            "verified_at": null, "noticed_days": null
        }],
        "proven": {"certifications": [], "conditions": []},
        "missing": [{"check": "identity"}, "introduction"]
    })))
)]
async fn show_worker(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, worker).await?.into_response())
}

pub(super) async fn show(
    context: &Context,
    caller: &Caller,
    worker: WorkerId,
) -> Result<Tagged<WorkerView>, Problem> {
    let person = &caller.person.value;
    // Who did something because the support worker told them to sees what came of it, as the support worker does.
    let told = caller.instruction.is_some() && access::staff(person, Duty::Instructions).is_ok();
    let is_own = told || access::as_worker(person, worker).is_ok();
    if !is_own {
        access::staff(person, Duty::Workers)?;
    }
    let Versioned { version, value } = load(context, worker).await?;
    let for_staff = if is_own {
        None
    } else {
        Some(WorkerForStaff::of(context, &value).await?)
    };
    let missing = value.missing(context.now());
    let SupportWorker {
        id,
        state,
        profile,
        introduction_approved,
        checks,
        proven,
        ..
    } = value;
    let view = WorkerView {
        id,
        state,
        profile,
        introduction_approved,
        checks,
        proven,
        missing,
        for_staff,
    };
    Ok(Tagged { version, view })
}

impl WorkerForStaff {
    async fn of(context: &Context, worker: &SupportWorker) -> Result<Self, Problem> {
        let person = context.living_person(worker.person).await?;
        Ok(Self {
            person: worker.person,
            name: person.map(|person| person.value.name),
            suspension: worker.suspension.clone(),
            reliability: worker.reliability,
            next_deadline: worker.deadline,
        })
    }
}

/// Which support workers are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct WorkerFilter {
    /// Where they stand; those whom staff have to look at, `submitted`, unless told.
    state: Option<WorkerState>,
}

/// List support workers
///
/// Those in one state, by registration, to staff who look after support workers.
#[utoipa::path(get, path = "/v1/support-workers", tag = "support workers", params(WorkerFilter, PageQuery),
    responses((status = 200, body = Listed<ListedWorker>, example = json!({"items": [{
        "id": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "name": {"given": "Mira", "family": "Okafor"}, "state": "submitted", "suburb": "Carlton",
        "missing": [{"check": "insurance"}], "introduction_awaits_approval": true
    }]})))
)]
async fn list_workers(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<WorkerFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Workers)?;
    let state = filter.state.unwrap_or(WorkerState::Submitted);
    let partition = StaffPartition::Workers(state.code());
    let found = context
        .store
        .staff_list::<SupportWorker>(partition, false, page.limit(), page.cursor())
        .await?;
    let people: Vec<Key> = found
        .items
        .iter()
        .map(|worker| Key::person(worker.value.person))
        .collect();
    let people = context.store.get_many::<Person>(&people).await?;
    let names: HashMap<PersonId, PersonName> = people
        .into_iter()
        .map(|person| (person.value.id, person.value.name))
        .collect();
    let now = context.now();
    let listed = Listed::of(found, |worker| {
        // Not taken out: a person whose records were merged can be two of them.
        let name = names.get(&worker.value.person).cloned();
        ListedWorker::of(worker.value, name, now)
    });
    Ok(listed.at(&uri))
}

impl ListedWorker {
    fn of(worker: SupportWorker, name: Option<PersonName>, now: DateTime<Utc>) -> Self {
        let introduction = &worker.profile.introduction;
        Self {
            id: worker.id,
            person: worker.person,
            name,
            state: worker.state,
            missing: worker.missing(now),
            introduction_awaits_approval: !introduction.is_empty()
                && worker.introduction_approved.as_ref() != Some(introduction),
            suburb: worker.profile.service_area.map(|area| area.base.suburb),
        }
    }
}
