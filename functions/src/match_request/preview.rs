//! The preview: exactly what the client would be shown, and the whole account for staff.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::blind::BlindCandidate;
use domain::candidates::{
    Absence, AskedAbout, Basis, CandidateList, Contribution, Difference, Indexed, ListedCandidate,
    StaffDecision,
};
use domain::eligibility::{Rule, judge};
use domain::id::{CandidateId, MatchRequestId, WorkerId};
use domain::invitation::CandidateState;
use domain::lack::{Lack, lacks};
use domain::vocabulary::Vocabulary;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::MatchRequestView;
use super::explanation::AbsenceView;
use super::misses::{LackView, MissesView};
use super::staff::over_request;
use crate::caller::Caller;
use crate::candidate_list::Settlement;
use crate::candidate_release::{Requested, settlement};
use crate::context::{Context, Shared};
use crate::few::ToldView;
use crate::path::Path;
use crate::perform::Tagged;
use crate::problem::Problem;
use crate::replacement::invitations_of;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(preview_candidates))
}

/// The whole request and exactly what the client would be shown now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewView {
    request: MatchRequestView,
    /// What the client sees, in order.
    shown: Vec<BlindCandidate>,
    /// Everybody on the list, shortlist and reserve, as staff see them.
    listed: Vec<ListedView>,
    /// People whom the client knows and has invited.
    known: Vec<KnownView>,
    /// How what is shown differs from the list at submission.
    differences: Vec<Difference>,
    /// How many support workers were considered at submission.
    considered: u32,
    /// What the client is told of why there are few.
    #[serde(flatten)]
    told: ToldView,
    /// Where few were found: why, whom asking differently would bring, and who came nearest.
    misses: MissesView,
    /// What the list was computed from.
    basis: Basis,
    /// When it was released; none while this is a preview.
    released_at: Option<DateTime<Utc>>,
}

/// A candidate as staff see them.
#[derive(Debug, Serialize, ToSchema)]
struct ListedView {
    candidate: CandidateId,
    alias: String,
    worker: WorkerId,
    score: u32,
    /// Adds up to the score.
    contributions: Vec<Contribution>,
    /// Hard rules that are kept, by their live record.
    kept: Vec<Rule>,
    /// Hard rules that have been broken since.
    broken: Vec<Rule>,
    /// What is missing where a rule is broken.
    lacks: Vec<LackView>,
    /// Why they are not shown; empty of who is.
    absence: Vec<AbsenceView>,
    excluded: bool,
    pinned: bool,
    /// Where they stand, once the client has decided something about them.
    state: Option<CandidateState>,
    /// Why the client passed or they declined. For staff alone.
    reason: Option<String>,
}

/// Somebody whom the client knows and has invited, as staff see them.
#[derive(Debug, Serialize, ToSchema)]
struct KnownView {
    candidate: CandidateId,
    worker: WorkerId,
    /// Where they stand.
    state: Option<CandidateState>,
    /// Why they declined. For staff alone.
    reason: Option<String>,
}

/// Preview the candidates
///
/// Computed by the very code that releases them, without writing. The ETag stands for what would be
/// shown; send it with an early release, which is refused if that has changed since.
#[utoipa::path(get, path = "/v1/match-requests/{match_request}/candidate-preview", tag = "match requests",
    params(("match_request" = MatchRequestId, Path)),
    responses((status = 200, body = PreviewView, example = json!({
        "request": {
            "id": "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
            "by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "on_behalf_of": null,
            "details": {"services": ["social_support"], "days": [], "about_me": "", "preferences": [], "certifications": [],
                        "care_needs": {"level": "light", "conditions": [], "mobility": "independent", "hazards": [], "tasks": [],
                                       "share": {"care": false, "conditions": false, "mobility": false, "about_me": false, "interests": false}},
                        "budget": {"least": 0, "most": 6000},
                        "place": {"suburb": "West End", "postcode": "4101", "latitude": -27.48, "longitude": 153.01, "time_zone": "Australia/Brisbane"},
                        "period": {"from": "2026-03-09", "until": null}},
            "state": "submitted", "submitted_at": "2026-03-02T00:00:00Z", "release_at": "2026-03-03T00:00:00Z",
            "released_at": null, "closed_at": null, "policy_version": 1
        },
        "shown": [{
            "candidate": "cand_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "alias": "Banksia", "available": true,
            "distance": "under_5_km", "experience": "five_to_ten_years", "rating": null,
            "rate": {"from": 5500, "to": 6000}, "services": ["social_support"], "matches": [],
            "introduction": "I like unhurried mornings."
        }],
        "listed": [{
            "candidate": "cand_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "alias": "Banksia",
            "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "score": 36000,
            "contributions": [{"criterion": "distance", "value": 900, "weight": 40, "points": 36000}],
            "kept": ["active", "checks_through_period", "services", "certifications", "preferences", "avoided",
                     "availability", "distance", "budget", "not_blocked", "boundaries", "not_themselves"],
            "broken": [], "lacks": [], "absence": [],
            "excluded": false, "pinned": false, "state": null, "reason": null
        }],
        "known": [],
        "differences": [], "considered": 74,
        "stood_in_the_way": [{"words": "Have rates outside your budget", "removes": 41, "without_it": 6}],
        "would_bring_more": [{"change": {"budget": 6500}, "words": "Up to 65.00 an hour: a few more", "at_least": null}],
        "misses": {
            "removed": [{"rule": "budget", "removes": 41, "alone": 6}],
            "relaxations": [{"relaxation": {"budget": 6500}, "brings": 4, "loses": 0, "words": "Up to 65.00 an hour"}],
            "arrangements": [{"arrangement": {"farther": 5}, "brings": 2, "words": "If they travel 5 km farther"}],
            "nearest": [{
                "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8af", "score": 61200, "rule": "budget",
                "lacks": [{"rule": "budget", "lack": {"rate": {"service": "social_support", "hourly": 6200}},
                           "words": "Company and social support costs 62.00 an hour"}]
            }]
        },
        "basis": {"cell": "84be0e3ffffffff", "shard": "5e2c0a1f", "weights": 1, "policy": 1},
        "released_at": null
    })))
)]
async fn preview_candidates(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
) -> Result<Response, Problem> {
    let (_, requested) = over_request(&context, &caller, request).await?;
    Ok(preview(&context, requested).await?.into_response())
}

pub(super) async fn preview(
    context: &Context,
    requested: Requested,
) -> Result<Tagged<PreviewView>, Problem> {
    let settlement = settlement(context, &requested).await?;
    let version = tag(&requested, &settlement);
    let listed = settlement.list.candidates.iter();
    let accounts: Vec<Account> = listed
        .map(|listed| Account::of(&settlement, listed))
        .collect();
    let Settlement {
        list,
        settled,
        blind,
        ..
    } = settlement;
    let decided = invitations_of(context, &requested.request.value).await?;
    let standing = |candidate: CandidateId| {
        let mut decided = decided.iter().map(|decided| &decided.value);
        let decided = decided.find(|decided| decided.candidate == candidate);
        (
            decided.map(|decided| decided.state),
            decided.and_then(|decided| decided.reason.clone()),
        )
    };
    let shown = list
        .released
        .as_ref()
        .map_or(blind.len(), |released| released.candidates.len());
    let told = ToldView::of(&list, shown);
    let CandidateList {
        basis,
        candidates,
        considered,
        misses,
        exclusions,
        pins,
        released,
        known,
        ..
    } = list;
    let known = known.into_iter().map(|known| {
        let (state, reason) = standing(known.id);
        KnownView {
            candidate: known.id,
            worker: known.worker,
            state,
            reason,
        }
    });
    let has = |decisions: &[StaffDecision], worker| {
        decisions.iter().any(|decision| decision.worker == worker)
    };
    let listed = candidates
        .into_iter()
        .zip(accounts)
        .map(|(candidate, account)| {
            let (state, reason) = standing(candidate.id);
            let Account {
                kept,
                broken,
                lacks,
                absence,
            } = account;
            ListedView {
                candidate: candidate.id,
                alias: candidate.alias,
                worker: candidate.worker,
                score: candidate.score,
                contributions: candidate.contributions,
                kept,
                broken,
                lacks: LackView::each(lacks),
                absence: AbsenceView::each(absence),
                excluded: has(&exclusions, candidate.worker),
                pinned: has(&pins, candidate.worker),
                state,
                reason,
            }
        });
    let released_at = released.as_ref().map(|released| released.at);
    let (shown, differences) = match released {
        Some(released) => (released.candidates, released.differences),
        None => (blind, settled.differences),
    };
    let request = MatchRequestView::of(requested.request.value);
    let view = PreviewView {
        request,
        shown,
        listed: listed.collect(),
        known: known.collect(),
        differences,
        considered,
        told,
        misses: MissesView::of(misses),
        basis,
        released_at,
    };
    Ok(Tagged { version, view })
}

/// How somebody on the list stands by their live record.
struct Account {
    kept: Vec<Rule>,
    broken: Vec<Rule>,
    lacks: Vec<Lack>,
    absence: Vec<Absence>,
}

impl Account {
    fn of(settlement: &Settlement, listed: &ListedCandidate) -> Self {
        let Settlement {
            list,
            live,
            asked,
            relations,
            ..
        } = settlement;
        let worker = live.get(&listed.worker).map(|worker| &worker.value);
        let broken: Vec<Rule> = worker.map_or_else(
            || vec![Rule::Active],
            |worker| judge(asked, worker, relations).rules().collect(),
        );
        let about = AskedAbout {
            worker: listed.worker,
            broken: broken.clone(),
            known: relations.known.contains(&listed.worker),
            indexed: Indexed::Same,
            score: listed.score,
        };
        let shown = settlement.shows(listed.worker);
        let rules = Rule::ALL.iter().copied();
        Self {
            kept: rules.filter(|rule| !broken.contains(rule)).collect(),
            lacks: worker.map_or_else(Vec::new, |worker| lacks(asked, worker, relations)),
            absence: if shown {
                Vec::new()
            } else {
                list.absence(&about, list.candidates.len())
            },
            broken,
        }
    }
}

pub(super) fn tag(requested: &Requested, settlement: &Settlement) -> u64 {
    settlement.tag(requested.request.version, requested.list.version)
}
