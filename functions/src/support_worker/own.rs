//! What support workers do themselves: write their profile, hand it in, pause and resume.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::access::{self, Duty};
use domain::id::WorkerId;
use domain::profile::{Completeness, WorkerProfile};
use domain::support_worker::{
    EditProfileError, Missing, PauseWorkerError, ResumeWorkerError, SubmitProfileError,
};
use store::{Audit, Commit, Key};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{self, WorkerView};
use super::{Act, Circumstances, load, publish};
use crate::body::{Command, Edit, Nothing, must_match};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::perform::edit;
use crate::problem::Problem;
use crate::standing::as_worker;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(edit_profile))
        .routes(routes!(show_completeness))
        .routes(routes!(submit_profile))
        .routes(routes!(pause_worker))
        .routes(routes!(resume_worker))
}

/// Write the profile
///
/// Takes the place of the whole profile. A draft may lack things; later a profile must stay complete. A new
/// introduction waits for staff's approval, and until then clients go on reading the one approved before.
#[utoipa::path(put, path = "/v1/support-workers/{worker}/profile", tag = "support workers",
    params(("worker" = WorkerId, Path)),
    request_body(content = WorkerProfile, example = json!({
        "introduction": "I have supported people with dementia in their homes for six years. What matters to me is an unhurried morning, a good cup of tea and knowing what makes somebody laugh.",
        "gender": "woman",
        "work_history": [{
            "role": "Support worker", "organisation": "Harbour Care", "from": "2020-03-01", "until": null,
            "support_work": true
        }],
        "training": [{
            "title": "Understanding dementia", "institution": "Open College", "completed_on": "2021-06-30"
        }],
        "services": [
            {"service": "personal_care", "hourly_rate": 6200}, {"service": "social_support", "hourly_rate": 5400}
        ],
        "skills": ["cooking", "driving"],
        "conditions": [{"condition": "dementia", "expertise": "trained"}],
        "languages": ["en", "ar"],
        "cultures": [],
        "interests": ["reading", "jazz"],
        "boundaries": {"tasks": ["injections"], "hazards": [], "highest_care_level": null},
        "service_area": {
            "base": {
                "suburb": "Carlton", "postcode": "3053", "latitude": -37.8, "longitude": 144.97,
                "time_zone": "Australia/Melbourne"
            },
            "radius_km": 15
        },
        "availability": {
            "weekly": [{"weekday": "monday", "from": "08:00", "until": "16:00"}],
            "exceptions": [{"away": {"first": "2026-12-24", "last": "2027-01-02"}}]
        },
        "hours_wanted": 24
    })),
    responses((status = 200, body = WorkerView))
)]
async fn edit_profile(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    change: Edit<WorkerProfile>,
) -> Result<Response, Problem> {
    let standing = as_worker(&context, &caller, worker).await?;
    edit(&context, || async {
        let was = load(&context, worker).await?;
        must_match(change.version, was.version)?;
        let Circumstances { policy, .. } = Circumstances::of(&context).await?;
        let changed = was.value.edit_profile(change.body.clone(), &policy)?;
        let audit = Audit {
            fields: changed_fields(&was.value.profile, &changed.worker.profile),
            ..context.audit(standing.acting, "edit_profile", &Key::worker(worker))
        };
        let commit = standing.insisted_on(Commit::new(audit));
        Ok(publish(&context, commit, &was, &changed))
    })
    .await?;
    Ok(view::show(&context, &caller, worker).await?.into_response())
}

/// The names of the fields in which two profiles differ, for the audit item.
fn changed_fields(was: &WorkerProfile, is: &WorkerProfile) -> Vec<String> {
    let fields = [
        ("introduction", was.introduction != is.introduction),
        ("gender", was.gender != is.gender),
        ("work_history", was.work_history != is.work_history),
        ("training", was.training != is.training),
        ("services", was.services != is.services),
        ("skills", was.skills != is.skills),
        ("conditions", was.conditions != is.conditions),
        ("languages", was.languages != is.languages),
        ("cultures", was.cultures != is.cultures),
        ("interests", was.interests != is.interests),
        ("boundaries", was.boundaries != is.boundaries),
        ("service_area", was.service_area != is.service_area),
        ("availability", was.availability != is.availability),
        ("hours_wanted", was.hours_wanted != is.hours_wanted),
    ];
    let changed = fields.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(field, _)| field.to_owned()).collect()
}

/// How complete the profile is
///
/// A score of whole thousandths, and the three improvements that would help most.
#[utoipa::path(get, path = "/v1/support-workers/{worker}/completeness", tag = "support workers",
    params(("worker" = WorkerId, Path)),
    responses((status = 200, body = Completeness, example = json!({
        "score": 640, "improvements": [{
            "pointer": "/services", "words": "Offer at least two services, each with its rate", "gain": 65
        }]
    })))
)]
async fn show_completeness(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
) -> Result<Response, Problem> {
    let person = &caller.person.value;
    if access::as_worker(person, worker).is_err() {
        access::staff(person, Duty::Workers)?;
    }
    let worker = load(&context, worker).await?.value;
    Ok(Json(worker.profile.completeness()).into_response())
}

/// Submit the profile
///
/// Staff then verify the checks and approve the introduction.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/submission", tag = "support workers",
    params(("worker" = WorkerId, Path)), request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = WorkerView))
)]
async fn submit_profile(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let act = own_act(&context, &caller, worker, &command, "submit_profile").await?;
    act.apply(&context, |worker, given| worker.submit(given.now))
        .await
}

/// Pause
///
/// Nobody is matched with a support worker who has paused. What is booked stands.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/pause", tag = "support workers",
    params(("worker" = WorkerId, Path)), request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = WorkerView))
)]
async fn pause_worker(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let act = own_act(&context, &caller, worker, &command, "pause_worker").await?;
    act.apply(&context, |worker, _| worker.pause()).await
}

/// Resume after a pause
#[utoipa::path(post, path = "/v1/support-workers/{worker}/resumption", tag = "support workers",
    params(("worker" = WorkerId, Path)), request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = WorkerView))
)]
async fn resume_worker(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let act = own_act(&context, &caller, worker, &command, "resume_worker").await?;
    act.apply(&context, |worker, given| worker.resume(given.now))
        .await
}

async fn own_act<'a>(
    context: &Context,
    caller: &'a Caller,
    worker: WorkerId,
    command: &'a Command<Nothing>,
    operation: &'static str,
) -> Result<Act<'a>, Problem> {
    Ok(Act {
        caller,
        standing: as_worker(context, caller, worker).await?,
        worker,
        key: &command.key,
        operation,
        reason: None,
    })
}

impl From<EditProfileError> for Problem {
    fn from(error: EditProfileError) -> Self {
        match error {
            EditProfileError::Invalid(faults) => Self::invalid(faults),
        }
    }
}

impl From<SubmitProfileError> for Problem {
    fn from(error: SubmitProfileError) -> Self {
        match error {
            SubmitProfileError::AlreadySubmitted => {
                Self::wrong_state("profile-already-submitted", error)
            }
            // Pointers into the profile as it is stored: the request itself holds nothing.
            SubmitProfileError::Incomplete(faults) => Self::invalid(faults),
        }
    }
}

impl From<PauseWorkerError> for Problem {
    fn from(error: PauseWorkerError) -> Self {
        match error {
            PauseWorkerError::NotActive => Self::wrong_state("worker-not-active", error),
        }
    }
}

impl From<ResumeWorkerError> for Problem {
    fn from(error: ResumeWorkerError) -> Self {
        match &error {
            ResumeWorkerError::NotPaused => Self::wrong_state("worker-not-paused", error),
            ResumeWorkerError::NotReady(missing) => {
                let missing = names(missing);
                Self::wrong_state("worker-not-ready", error).with("missing", missing)
            }
        }
    }
}

fn names(missing: &[Missing]) -> Vec<String> {
    let name = |missing: &Missing| match missing {
        Missing::Check(kind) => domain::vocabulary::Vocabulary::code(*kind).to_owned(),
        Missing::Introduction => "introduction".to_owned(),
    };
    missing.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_names_the_fields_it_changed_and_only_those() {
        let was = WorkerProfile::default();
        let is = WorkerProfile {
            introduction: "Hello".into(),
            hours_wanted: Some(20),
            ..was.clone()
        };
        assert_eq!(changed_fields(&was, &is), ["introduction", "hours_wanted"]);
        assert!(changed_fields(&is, &is).is_empty());
    }

    #[test]
    fn every_field_of_a_profile_is_compared() {
        let profile = serde_json::to_value(WorkerProfile::default()).unwrap();
        assert_eq!(profile.as_object().unwrap().len(), 14);
    }
}
