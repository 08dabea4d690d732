//! A request of the client's whose candidate, the support worker, is invited and has asked something.

use chrono::TimeDelta;
use domain::access::Acting;
use domain::blind::{BlindCandidate, DistanceBand, ExperienceBand, RateRange};
use domain::candidates::{CandidateList, ListedCandidate, ReleasedList};
use domain::id::{CandidateId, InvitationId, MatchRequestId, QuestionId, WorkerId};
use domain::invitation::{Candidacy, CandidateState, Invitation, Question, QuestionState};
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::money::Cents;
use store::{Actor, Commit, Key, WorkerInvitation};

use super::Household;

impl Household<'_> {
    /// Put straight into the table: the household's own request goes on waiting for its release.
    pub(super) async fn invite(&mut self) {
        let context = self.world.context();
        let submitted = self.ids["match_request"].parse().unwrap();
        let key = Key::match_request(submitted);
        let request = context.store.get::<MatchRequest>(&key).await;
        let request = request.unwrap().unwrap().value;
        let key = Key::candidate_list(submitted);
        let list = context.store.get::<CandidateList>(&key).await;
        let list = list.unwrap().unwrap().value;

        let id: MatchRequestId = context.fresh();
        let (candidate, invitation): (CandidateId, InvitationId) =
            (context.fresh(), context.fresh());
        let question: QuestionId = context.fresh();
        let worker: WorkerId = self.ids["worker"].parse().unwrap();
        let now = context.now();
        let shown = MatchRequest {
            id,
            state: MatchRequestState::Released,
            released_at: Some(now),
            ..request
        };
        let list = CandidateList {
            request: id,
            candidates: vec![ListedCandidate {
                id: candidate,
                alias: "Banksia".to_owned(),
                worker,
                score: 0,
                contributions: Vec::new(),
            }],
            released: Some(ReleasedList {
                at: now,
                candidates: vec![blind(candidate)],
                differences: Vec::new(),
                exhausted_at: None,
            }),
            ..list
        };
        let candidacy = Candidacy {
            id: invitation,
            candidate,
            match_request: id,
            client: shown.client,
            worker,
            open: false,
        };
        let by = Acting::by(self.ids["person"].parse().unwrap());
        let invited = Invitation {
            state: CandidateState::Invited,
            invited_at: Some(now),
            answer_by: Some(now + TimeDelta::days(3)),
            deadline_generation: 1,
            questions: vec![Question {
                id: question,
                text: "Is there a lift?".to_owned(),
                answer: None,
                state: QuestionState::Asked,
                at: now,
            }],
            ..Invitation::presented(candidacy, by, now)
        };
        let mark = WorkerInvitation {
            worker,
            invitation,
            match_request: id,
            candidate,
        };
        let audit = context.audit(Actor::Service, "settle", &Key::match_request(id));
        let commit = Commit::new(audit).insert(&shown).insert(&list);
        let commit = commit.insert(&invited).insert(&mark);
        context.store.commit(commit).await.unwrap();
        self.ids.insert("shown_request", id.to_string());
        self.ids.insert("candidate", candidate.to_string());
        self.ids.insert("invitation", invitation.to_string());
        self.ids.insert("question", question.to_string());
    }
}

fn blind(candidate: CandidateId) -> BlindCandidate {
    BlindCandidate {
        candidate,
        alias: "Banksia".to_owned(),
        available: true,
        distance: DistanceBand::Under5Km,
        experience: ExperienceBand::UnderOneYear,
        rating: None,
        rate: RateRange {
            from: Cents(5000),
            to: Cents(5500),
        },
        services: Vec::new(),
        matches: Vec::new(),
        introduction: "I like unhurried mornings.".to_owned(),
    }
}
