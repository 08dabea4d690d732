//! Why a named support worker is on a list, or is not.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::candidates::{Absence, AskedAbout, Contribution, Indexed};
use domain::eligibility::{Asked, Rule};
use domain::id::{MatchRequestId, WorkerId};
use domain::packed::IndexRecord;
use domain::support_worker::{Reliability, SupportWorker};
use matching::explain;
use serde::Serialize;
use store::Key;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::misses::LackView;
use super::staff::over_request;
use crate::caller::Caller;
use crate::candidate_release::settlement;
use crate::context::{Context, Shared};
use crate::matcher;
use crate::path::Path;
use crate::problem::Problem;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(explain_candidate))
}

/// Why somebody is or is not on the list.
#[derive(Debug, Serialize, ToSchema)]
struct ExplanationView {
    worker: WorkerId,
    /// Whether the client sees them, or would now.
    shown: bool,
    /// Whether they are on the list.
    listed: bool,
    /// Why they are not shown; empty of who is.
    absence: Vec<AbsenceView>,
    /// Hard rules that are kept.
    kept: Vec<Rule>,
    /// Hard rules that are broken.
    broken: Vec<Rule>,
    /// What is missing where a rule is broken.
    lacks: Vec<LackView>,
    /// What they score by their live record: the sum of the points.
    score: u32,
    /// What they scored when they were listed.
    listed_score: Option<u32>,
    /// Where the score comes from, criterion by criterion.
    contributions: Vec<Contribution>,
    /// What of the wishes is met, in the words that a client would read.
    why: Vec<String>,
    /// All of it in words for staff.
    words: Vec<String>,
}

/// One reason why somebody is not shown.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AbsenceView {
    reason: Absence,
    words: String,
}

impl AbsenceView {
    pub(super) fn each(absence: Vec<Absence>) -> Vec<Self> {
        let reasons = absence.into_iter().map(|reason| Self {
            words: reason.words(),
            reason,
        });
        reasons.collect()
    }
}

/// Explain a support worker's place
///
/// Why they are on the list, or why not: every hard rule by their live record and what is missing, every criterion,
/// and whether the index has them, staff keep them off, the client knows them, or others scored more.
#[utoipa::path(get, path = "/v1/match-requests/{match_request}/candidate-preview/{worker}", tag = "match requests",
    params(("match_request" = MatchRequestId, Path), ("worker" = WorkerId, Path)),
    responses((status = 200, body = ExplanationView, example = json!({
        "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "shown": false, "listed": false,
        "absence": [{"reason": {"ineligible": ["budget"]}, "words": "Breaks a hard rule"}],
        "kept": ["active", "checks_through_period", "services", "certifications", "preferences", "avoided",
                 "availability", "distance", "not_blocked", "boundaries", "not_themselves"],
        "broken": ["budget"],
        "lacks": [{"rule": "budget", "lack": {"rate": {"service": "social_support", "hourly": 6800}},
                   "words": "Company and social support costs 68.00 an hour"}],
        "score": 36000, "listed_score": null,
        "contributions": [{"criterion": "distance", "value": 900, "weight": 40, "points": 36000}],
        "why": ["Shares your interest in: Classical music"],
        "words": ["Breaks a hard rule",
                  "Not met: Rates within the budget (Company and social support costs 68.00 an hour)",
                  "Distance: 900 of 1000, weighing 40, adds 36.000"]
    })))
)]
async fn explain_candidate(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, worker)): Path<(MatchRequestId, WorkerId)>,
) -> Result<Response, Problem> {
    let (_, requested) = over_request(&context, &caller, request).await?;
    let found = context
        .store
        .get::<SupportWorker>(&Key::worker(worker))
        .await?;
    let live = found.ok_or_else(Problem::not_found)?.value;
    let settlement = settlement(&context, &requested).await?;
    let weights = matcher::weights(&context).await?;
    let account = explain::for_staff(&settlement.asked, &live, &settlement.relations, &weights);
    let list = &settlement.list;
    let listed = list.listed(worker);
    let shown = settlement.shows(worker);
    let absence = if shown {
        Vec::new()
    } else {
        let policy = context.store.policy().await?;
        let about = AskedAbout {
            worker,
            broken: account.broken.clone(),
            known: account.known,
            indexed: indexed(&context, &settlement.asked, &live).await?,
            score: account.score,
        };
        list.absence(&about, policy.list_size())
    };
    let absence = AbsenceView::each(absence);
    let words = absence.iter().map(|absence| absence.words.clone());
    let view = ExplanationView {
        worker,
        shown,
        listed: listed.is_some(),
        words: words.chain(account.words()).collect(),
        absence,
        kept: account.kept,
        broken: account.broken,
        lacks: LackView::each(account.lacks),
        score: account.score,
        listed_score: listed.map(|listed| listed.score),
        contributions: account.contributions,
        why: explain::for_client(&account.matches),
    };
    Ok(axum::Json(view).into_response())
}

/// What the index holds of somebody for this request.
async fn indexed(
    context: &Context,
    asked: &Asked,
    live: &SupportWorker,
) -> Result<Indexed, Problem> {
    let row = matcher::row_of(context, asked.cell, live.id).await?;
    // How somebody has done enters the index at night, and decides nothing about who fits; nor do stems.
    let decisive = |record: IndexRecord| IndexRecord {
        reliability: Reliability::default(),
        words: Vec::new(),
        ..record
    };
    let same = row.clone().map(decisive) == IndexRecord::of(live).map(decisive);
    Ok(match row {
        None => Indexed::Nothing,
        Some(_) if same => Indexed::Same,
        Some(_) => Indexed::Outdated,
    })
}
