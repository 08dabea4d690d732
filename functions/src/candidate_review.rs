//! Candidate review: what the client sees of the candidates, blind, and what they do about them.

mod act;
mod answer;
mod known;

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Scope;
use domain::blind::{BlindCandidate, BlindQuestion, CandidateStanding};
use domain::candidates::{CandidateList, ReleasedList};
use domain::id::{CandidateId, EngagementId, MatchRequestId, WorkerId};
use domain::invitation::{Candidacy, CandidateState, Invitation};
use domain::match_request::MatchRequest;
use matching::explain;
use serde::Serialize;
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::candidate_release::{Requested, requested};
use crate::context::{Context, Shared};
use crate::eligible::availability;
use crate::few::ToldView;
use crate::path::Path;
use crate::problem::Problem;
use crate::replacement::invitations_of;
use crate::standing::{ForClient, for_client};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_candidates))
        .merge(act::router())
        .merge(answer::router())
        .merge(known::router())
}

/// The candidates of a match request, blind.
#[derive(Debug, Serialize, ToSchema)]
struct CandidatesView {
    match_request: MatchRequestId,
    /// Since when they can be seen.
    released_at: DateTime<Utc>,
    /// The best first; those who took somebody's place behind the others.
    candidates: Vec<CandidateView>,
    /// Where fewer could be shown than there are places: why.
    #[serde(flatten)]
    told: ToldView,
}

/// One candidate, and why they are on the list.
#[derive(Debug, Serialize, ToSchema)]
struct CandidateView {
    /// What may be seen.
    #[serde(flatten)]
    candidate: BlindCandidate,
    /// What matches, in words.
    why: Vec<String>,
    #[serde(flatten)]
    progress: ProgressView,
}

/// How far it has come with one candidate, as the client sees it.
#[derive(Debug, Serialize, ToSchema)]
struct ProgressView {
    /// Where they stand.
    state: CandidateStanding,
    /// When an invitation lapses that they have not answered.
    answer_by: Option<DateTime<Utc>>,
    /// What they asked, and what was answered.
    questions: Vec<BlindQuestion>,
    /// What their acceptance opened.
    engagement: Option<EngagementId>,
}

impl ProgressView {
    /// Of somebody who could be invited if `available`, unless `decided` says otherwise.
    fn of(decided: Option<&Invitation>, available: bool) -> Self {
        let state = decided.map_or(CandidateState::Presented, |decided| decided.state);
        let state = CandidateStanding::of(state, available);
        let questions = decided.map_or(&[] as &[_], |decided| &decided.questions);
        Self {
            state,
            answer_by: decided
                .filter(|_| state == CandidateStanding::Invited)
                .and_then(|decided| decided.answer_by),
            questions: questions
                .iter()
                .filter_map(BlindQuestion::for_client)
                .collect(),
            engagement: decided.and_then(|decided| decided.engagement),
        }
    }

    fn is_available(&self) -> bool {
        self.state == CandidateStanding::Presented
    }
}

/// A caller who acts for the client of a request whose candidates can be seen.
struct Review {
    standing: ForClient,
    requested: Requested,
    released: ReleasedList,
    /// The support workers who the caller is, where they carry out the client's instruction.
    instructed: BTreeSet<WorkerId>,
}

impl Review {
    /// Lets `caller` review the candidates of `request`, or refuses.
    async fn of(
        context: &Context,
        caller: &Caller,
        request: MatchRequestId,
    ) -> Result<Self, Problem> {
        let requested = requested(context, request)
            .await?
            .ok_or_else(Problem::not_found)?;
        let request = &requested.request.value;
        let standing = for_client(context, caller, request.client, Scope::MatchRequests).await?;
        let Some(released) = requested.list.value.released.clone() else {
            return Err(Problem::wrong_state(
                "candidates-not-released",
                "the candidates cannot be seen yet",
            )
            .with("release_at", request.release_at.to_rfc3339()));
        };
        let instructed = match caller.instruction {
            Some(_) => caller.person.value.roles.workers.clone(),
            None => BTreeSet::new(),
        };
        Ok(Self {
            standing,
            requested,
            released,
            instructed,
        })
    }

    fn request(&self) -> &MatchRequest {
        &self.requested.request.value
    }

    fn list(&self) -> &CandidateList {
        &self.requested.list.value
    }

    /// What is stored of a candidate, and how they stand.
    async fn candidate(&self, context: &Context, who: Who) -> Result<Candidate, Problem> {
        // INVARIANT: staff who carry out the client's instruction do nothing about themselves.
        if self.instructed.contains(&who.worker) {
            return Err(Problem::forbidden());
        }
        let request = self.request();
        let key = Key::candidate(request.id, who.candidate);
        let stored = context.store.get::<Invitation>(&key).await?;
        let standing = stored.as_ref().map_or_else(
            || {
                let candidacy = Candidacy {
                    id: context.fresh(),
                    candidate: who.candidate,
                    match_request: request.id,
                    client: request.client,
                    worker: who.worker,
                    open: who.open,
                };
                Invitation::presented(candidacy, self.standing.acting, context.now())
            },
            |stored| stored.value.clone(),
        );
        Ok(Candidate { stored, standing })
    }

    /// Whom the client knows as this candidate; 404 where there is nobody.
    fn who(&self, candidate: CandidateId) -> Result<Who, Problem> {
        let list = self.list();
        let worker = list.invitable(candidate).ok_or_else(Problem::not_found)?;
        let open = list.known.iter().any(|known| known.id == candidate);
        Ok(Who {
            candidate,
            worker,
            open,
        })
    }

    /// Whom the client sees blindly as this candidate; 404 where there is nobody.
    fn blind(&self, candidate: CandidateId) -> Result<Who, Problem> {
        let who = self.who(candidate)?;
        (!who.open).then_some(who).ok_or_else(Problem::not_found)
    }
}

/// Who stands behind a candidate.
#[derive(Debug, Clone, Copy)]
struct Who {
    candidate: CandidateId,
    worker: WorkerId,
    open: bool,
}

/// A candidate as stored, or as they are while nothing is.
struct Candidate {
    stored: Option<Versioned<Invitation>>,
    standing: Invitation,
}

impl Candidate {
    /// Whether their support worker has the mark of an invitation from earlier.
    fn is_marked(&self) -> bool {
        self.standing.invited_at.is_some()
    }

    fn become_in(&self, commit: Commit, next: &Invitation) -> Commit {
        match &self.stored {
            Some(stored) => commit.replace(stored, next),
            None => commit.insert(next),
        }
    }
}

/// 409: cannot be invited; why is not said.
fn not_available() -> Problem {
    Problem::wrong_state("candidate-not-available", "this candidate is not available")
}

/// Show the candidates
///
/// The list as it was released, and those who took somebody's place since. Whoever has become unavailable is marked
/// so; why is never said.
#[utoipa::path(get, path = "/v1/match-requests/{match_request}/candidates", tag = "candidate review",
    params(("match_request" = MatchRequestId, Path)),
    responses((status = 200, body = CandidatesView, example = json!({
        "match_request": "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "released_at": "2026-03-03T00:00:00Z",
        "candidates": [{
            "candidate": "cand_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "alias": "Banksia", "available": false,
            "distance": "under_5_km", "experience": "five_to_ten_years", "rating": "very_good",
            "rate": {"from": 5500, "to": 6000}, "services": ["personal_care"],
            "matches": [{"shares": ["classical_music"]}], "introduction": "I like unhurried mornings.",
            "why": ["Shares your interest in: Classical music"],
            "state": "invited", "answer_by": "2026-03-06T00:00:00Z",
            "questions": [{
                "question": "qst_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "text": "Is there a lift?",
                "answer": null, "state": "asked"
            }],
            "engagement": null
        }],
        "stood_in_the_way": [{"words": "Have rates outside your budget", "removes": 12, "without_it": null}],
        "would_bring_more": [
            {"change": {"other_part": {"from": "morning", "to": "evening"}},
             "words": "Evenings instead of mornings: at least 5 more", "at_least": 5},
            {"change": {"budget": 7000}, "words": "Up to 70.00 an hour: a few more", "at_least": null}
        ]
    })))
)]
async fn list_candidates(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
) -> Result<Response, Problem> {
    let view = candidates(&context, &caller, request).await?;
    Ok(Json(view).into_response())
}

async fn candidates(
    context: &Context,
    caller: &Caller,
    request: MatchRequestId,
) -> Result<CandidatesView, Problem> {
    let review = Review::of(context, caller, request).await?;
    let (request, list) = (review.request(), review.list());
    let available = availability(context, request, list).await?;
    let decided = decided(context, request).await?;
    let ReleasedList { at, candidates, .. } = &review.released;
    let told = ToldView::of(list, candidates.len());
    let candidates = candidates.iter().map(|candidate| {
        let id = candidate.candidate;
        let available = available.get(&id).copied().unwrap_or(false);
        let progress = ProgressView::of(decided.get(&id), available);
        CandidateView {
            candidate: BlindCandidate {
                available: progress.is_available(),
                ..candidate.clone()
            },
            why: explain::for_client(&candidate.matches),
            progress,
        }
    });
    Ok(CandidatesView {
        match_request: request.id,
        released_at: *at,
        candidates: candidates.collect(),
        told,
    })
}

/// What is stored of each candidate about whom something was decided.
async fn decided(
    context: &Context,
    request: &MatchRequest,
) -> Result<BTreeMap<CandidateId, Invitation>, Problem> {
    let stored = invitations_of(context, request).await?;
    Ok(stored
        .into_iter()
        .map(|stored| (stored.value.candidate, stored.value))
        .collect())
}
