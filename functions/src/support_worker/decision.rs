//! What staff decide on a support worker: checks, the introduction, suspension.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use domain::check::{CheckKind, RevokeCheckError, VerifyCheckError};
use domain::id::WorkerId;
use domain::screening::{ScreeningFinding, screen};
use domain::support_worker::{
    ApproveIntroductionError, ProvenQualifications, ReinstateWorkerError, RevokeWorkerCheckError,
    SuspendWorkerError, VerifyWorkerCheckError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::WorkerView;
use super::{Act, load};
use crate::body::Command;
use crate::caller::Caller;
use crate::context::Shared;
use crate::path::Path;
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::over_worker;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(verify_check))
        .routes(routes!(revoke_check))
        .routes(routes!(screen_introduction))
        .routes(routes!(approve_introduction))
        .routes(routes!(suspend_worker))
        .routes(routes!(reinstate_worker))
}

/// What staff saw of a check.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckVerification {
    /// The reference of what was seen, e.g. a certificate's number.
    #[schema(min_length = 1, max_length = 200)]
    evidence: String,
    /// The last day on which it holds, where the support worker lives; null for what does not expire.
    expires_on: Option<NaiveDate>,
    /// With the check of the qualifications: what they prove, in place of what was proven before.
    proven: Option<ProvenQualifications>,
}

/// Verify a check
///
/// Also renews one. When this was the last thing missing, the support worker becomes active and can be
/// matched from then on.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/checks/{kind}/verification", tag = "support workers",
    params(("worker" = WorkerId, Path), ("kind" = CheckKind, Path)),
    request_body(content = CheckVerification, example = json!({
        "evidence": "Certificates seen on 2 March", "expires_on": "2029-03-01",
        "proven": {
            "certifications": [{"certification": "first_aid", "expires_on": "2029-02-14"}],
            "conditions": [{"condition": "dementia", "expertise": "trained"}]
        }
    })),
    responses((status = 201, body = WorkerView))
)]
async fn verify_check(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, kind)): Path<(WorkerId, CheckKind)>,
    command: Command<CheckVerification>,
) -> Result<Response, Problem> {
    let act = staff_act(&caller, worker, &command, "verify_check", None)?;
    let CheckVerification {
        evidence,
        expires_on,
        proven,
    } = &command.body;
    act.apply(&context, |worker, given| {
        let proven = proven.clone();
        worker.verify_check(
            kind,
            evidence,
            *expires_on,
            proven,
            &given.policy,
            given.now,
        )
    })
    .await
}

/// Why staff decide so.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WorkerDecision {
    /// Why; kept with the record, for staff.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "The insurer says that the policy was cancelled on 1 March."
    )]
    reason: String,
}

/// Revoke a check
///
/// An active support worker cannot be matched from then on.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/checks/{kind}/revocation", tag = "support workers",
    params(("worker" = WorkerId, Path), ("kind" = CheckKind, Path)),
    request_body = WorkerDecision, responses((status = 201, body = WorkerView))
)]
async fn revoke_check(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, kind)): Path<(WorkerId, CheckKind)>,
    command: Command<WorkerDecision>,
) -> Result<Response, Problem> {
    let act = reasoned_act(&caller, worker, &command, "revoke_check")?;
    act.apply(&context, |worker, given| {
        worker.revoke_check(kind, &given.policy, given.now)
    })
    .await
}

/// An introduction, and what in it may identify its writer.
#[derive(Debug, Serialize, ToSchema)]
struct IntroductionScreening {
    /// The introduction as it stands: what an approval has to repeat.
    introduction: String,
    /// Whether this very text is approved.
    approved: bool,
    /// Passages to look at. None is no proof: staff read the whole text.
    findings: Vec<ScreeningFinding>,
}

/// Screen an introduction
///
/// The text that waits for approval, with every passage that may give away who wrote it.
#[utoipa::path(get, path = "/v1/support-workers/{worker}/introduction-screening", tag = "support workers",
    params(("worker" = WorkerId, Path)),
    responses((status = 200, body = IntroductionScreening, example = json!({
        "introduction": "I'm Mira and I love gardens. Find me on instagram.", "approved": false,
        "findings": [{"kind": "name", "passage": "Mira"}, {"kind": "account", "passage": "instagram."}]
    })))
)]
async fn screen_introduction(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
) -> Result<Response, Problem> {
    over_worker(&caller, worker)?;
    let worker = load(&context, worker).await?.value;
    let name = context
        .living_person(worker.person)
        .await?
        .map(|person| person.value.name);
    let names: Vec<&str> = name
        .iter()
        .flat_map(|name| [name.given.as_str(), name.family.as_str()])
        .collect();
    let introduction = worker.profile.introduction;
    let screening = IntroductionScreening {
        findings: screen(&introduction, &names),
        approved: worker.introduction_approved.as_ref() == Some(&introduction),
        introduction,
    };
    Ok(Json(screening).into_response())
}

/// The introduction that staff read.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IntroductionApproval {
    /// Word for word: a text that was edited since is not approved by accident.
    #[schema(
        max_length = 1500,
        example = "I have supported people with dementia in their homes for six years."
    )]
    introduction: String,
}

/// Approve an introduction
///
/// Clients read exactly this text from then on.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/introduction-approval", tag = "support workers",
    params(("worker" = WorkerId, Path)), request_body = IntroductionApproval, responses((status = 201, body = WorkerView))
)]
async fn approve_introduction(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    command: Command<IntroductionApproval>,
) -> Result<Response, Problem> {
    let act = staff_act(&caller, worker, &command, "approve_introduction", None)?;
    act.apply(&context, |worker, given| {
        worker.approve_introduction(&command.body.introduction, given.now)
    })
    .await
}

/// Suspend a support worker
///
/// They cannot be matched from then on. The reason is for staff alone.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/suspension", tag = "support workers",
    params(("worker" = WorkerId, Path)), request_body = WorkerDecision, responses((status = 201, body = WorkerView))
)]
async fn suspend_worker(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    command: Command<WorkerDecision>,
) -> Result<Response, Problem> {
    let act = reasoned_act(&caller, worker, &command, "suspend_worker")?;
    act.apply(&context, |worker, given| {
        worker.suspend(&command.body.reason, given.now)
    })
    .await
}

/// End a suspension
///
/// Who was active is so again if everything still holds.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/reinstatement", tag = "support workers",
    params(("worker" = WorkerId, Path)), request_body = WorkerDecision, responses((status = 201, body = WorkerView))
)]
async fn reinstate_worker(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    command: Command<WorkerDecision>,
) -> Result<Response, Problem> {
    let act = reasoned_act(&caller, worker, &command, "reinstate_worker")?;
    act.apply(&context, |worker, given| worker.reinstate(given.now))
        .await
}

fn staff_act<'a, T>(
    caller: &'a Caller,
    worker: WorkerId,
    command: &'a Command<T>,
    operation: &'static str,
    reason: Option<&'a str>,
) -> Result<Act<'a>, Problem> {
    Ok(Act {
        caller,
        standing: over_worker(caller, worker)?,
        worker,
        key: &command.key,
        operation,
        reason,
    })
}

fn reasoned_act<'a>(
    caller: &'a Caller,
    worker: WorkerId,
    command: &'a Command<WorkerDecision>,
    operation: &'static str,
) -> Result<Act<'a>, Problem> {
    let reason = command.body.reason.as_str();
    let act = staff_act(caller, worker, command, operation, Some(reason))?;
    need_reason(reason)?;
    Ok(act)
}

impl From<VerifyWorkerCheckError> for Problem {
    fn from(error: VerifyWorkerCheckError) -> Self {
        match error {
            VerifyWorkerCheckError::NotSubmitted => Self::wrong_state("worker-in-draft", error),
            VerifyWorkerCheckError::Evidence(VerifyCheckError::NoEvidence) => {
                Self::invalid_field("/evidence", error)
            }
            VerifyWorkerCheckError::Evidence(VerifyCheckError::AlreadyExpired) => {
                Self::invalid_field("/expires_on", error)
            }
            VerifyWorkerCheckError::Proven(faults) => Self::invalid(faults),
        }
    }
}

impl From<RevokeWorkerCheckError> for Problem {
    fn from(error: RevokeWorkerCheckError) -> Self {
        match error {
            RevokeWorkerCheckError::Check(RevokeCheckError::NotHolding) => {
                Self::wrong_state("check-not-holding", error)
            }
        }
    }
}

impl From<ApproveIntroductionError> for Problem {
    fn from(error: ApproveIntroductionError) -> Self {
        match error {
            ApproveIntroductionError::NotSubmitted => Self::wrong_state("worker-in-draft", error),
            ApproveIntroductionError::StaleText => Self::wrong_state("introduction-changed", error),
        }
    }
}

impl From<SuspendWorkerError> for Problem {
    fn from(error: SuspendWorkerError) -> Self {
        match error {
            SuspendWorkerError::AlreadySuspended => Self::wrong_state("worker-suspended", error),
            SuspendWorkerError::NoReason => Self::invalid_field("/reason", error),
        }
    }
}

impl From<ReinstateWorkerError> for Problem {
    fn from(error: ReinstateWorkerError) -> Self {
        match error {
            ReinstateWorkerError::NotSuspended => Self::wrong_state("worker-not-suspended", error),
        }
    }
}
