//! What has to stand when the story is over.

use std::collections::BTreeSet;

use domain::conversation::{Content, Message};
use domain::engagement::{Engagement, EngagementState, Happening};
use domain::id::{PersonId, VisitId};
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::notice::Event;
use domain::pair::Pair;
use domain::schedule::{BusySheet, Month};
use domain::visit::{Visit, VisitState};
use store::{ClientEngagement, EngagementVisit, Key};

use super::{Couple, DAYS, MESSAGES, Story};

impl Story {
    pub(super) async fn check(&self, couple: &Couple) {
        let world = &self.world;
        let (client, worker) = (couple.client.0, couple.worker.0);
        let id = couple.engagement.unwrap();
        let marks: Vec<ClientEngagement> = world.all(&Key::client(client).pk, "ENG#").await;
        assert_eq!(
            marks.iter().map(|mark| mark.engagement).collect::<Vec<_>>(),
            [id]
        );
        let engagement: Engagement = world.stored(&Key::engagement(id)).await.unwrap();
        assert_eq!(engagement.state, EngagementState::Ended);
        assert_eq!(engagement.terms.unwrap().version, 2);
        assert_eq!(engagement.understandings.len(), 1);
        let pair: Pair = world.stored(&Key::pair(client, worker)).await.unwrap();
        assert_eq!(pair.engagement, None);
        let request: MatchRequest = world
            .stored(&Key::match_request(couple.request))
            .await
            .unwrap();
        assert_eq!(request.state, MatchRequestState::Fulfilled);
        self.check_visits(couple).await;
        self.check_lines(couple).await;
        self.check_history(couple).await;
        self.check_inboxes(couple).await;
    }

    /// Each visit that was booked was cancelled once, and takes up nobody's time.
    async fn check_visits(&self, couple: &Couple) {
        let world = &self.world;
        let pk = Key::engagement(couple.engagement.unwrap()).pk;
        let marks: Vec<EngagementVisit> = world.all(&pk, "VISIT#").await;
        let marked: BTreeSet<VisitId> = marks.iter().map(|mark| mark.visit).collect();
        assert_eq!(marked, couple.visits);
        for visit in &couple.visits {
            let key = Key::visit(*visit);
            let found: Visit = world.stored(&key).await.unwrap();
            assert_eq!((found.state, found.revision), (VisitState::Cancelled, 2));
        }
        for person in [couple.client.1, couple.worker.1] {
            let pk = Key::busy_sheet(person, Month::of(world.now())).pk;
            let sheets: Vec<BusySheet> = world.all(&pk, "2").await;
            assert!(!sheets.is_empty() && sheets.iter().all(|sheet| sheet.booked.is_empty()));
        }
    }

    /// Each message is there once, and each thing that happened.
    async fn check_lines(&self, couple: &Couple) {
        let lines: Vec<Message> = self
            .world
            .all(&Key::engagement(couple.engagement.unwrap()).pk, "MSG#")
            .await;
        let mut written: Vec<(PersonId, String)> = Vec::new();
        let mut happened: Vec<Happening> = Vec::new();
        for line in lines {
            match line.content {
                Content::Written { acting, text, .. } => written.push((acting.by, text)),
                Content::Happened { happening, .. } => happened.push(happening),
            }
        }
        let people = [couple.client.1, couple.worker.1];
        let expected = people
            .into_iter()
            .flat_map(|by| (0..MESSAGES).map(move |number| (by, format!("message {number}"))));
        let mut expected: Vec<(PersonId, String)> = expected.collect();
        expected.sort();
        written.sort();
        assert_eq!(written, expected);
        happened.sort();
        let mut expected: Vec<Happening> =
            HAPPENED.iter().map(|(happening, _)| *happening).collect();
        expected.sort();
        assert_eq!(happened, expected);
    }

    async fn check_history(&self, couple: &Couple) {
        let done = self
            .world
            .operations(&Key::match_request(couple.request))
            .await;
        let done: Vec<&str> = done.iter().map(String::as_str).collect();
        let expected = [
            "accept_invitation",
            "answer_question",
            "ask_question",
            "invite_candidate",
            "release_candidates",
            "settle",
        ];
        assert_eq!(done, expected);
        let done = self
            .world
            .operations(&Key::engagement(couple.engagement.unwrap()))
            .await;
        let mut twice = done.clone();
        twice.dedup();
        let repeated = |operation: &str| done.iter().filter(|done| *done == operation).count();
        assert_eq!(repeated("send_message"), 2 * MESSAGES);
        for operation in ["propose_visit", "revise_proposal", "accept_proposal"] {
            assert_eq!(repeated(operation), DAYS.len(), "{operation}");
        }
        assert_eq!(
            done.len() - twice.len(),
            2 * MESSAGES - 1 + 3 * (DAYS.len() - 1),
            "{done:?}"
        );
    }

    /// Both heard of everything that concerns them, once; of messages, once while they had not read any.
    async fn check_inboxes(&self, couple: &Couple) {
        for (side, person) in [couple.client.1, couple.worker.1].into_iter().enumerate() {
            let mut heard: Vec<String> = Vec::new();
            for item in self.world.inbox(person).await {
                heard.push(match item.event {
                    Event::Engagement { happening, .. } => format!("{happening:?}"),
                    event => serde_json::to_value(&event).unwrap()["event"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                });
            }
            let concerned = HAPPENED.iter().filter(|(_, who)| who.contains(&side));
            let mut expected: Vec<String> = concerned
                .map(|(happening, _)| format!("{happening:?}"))
                .collect();
            expected.push(format!("{:?}", Happening::MessageSent));
            let others: &[&str] = match side {
                0 => &[
                    "candidates_released",
                    "question_asked",
                    "match_request_fulfilled",
                ],
                _ => &["invited", "question_answered"],
            };
            expected.extend(others.iter().map(|it| (*it).to_owned()));
            expected.sort();
            heard.sort();
            assert_eq!(heard, expected, "{side}");
        }
    }
}

/// What happens in the story, and who hears of it: the client (0), the support worker (1).
const HAPPENED: &[(Happening, &[usize])] = &[
    (Happening::EngagementOpened, &[0, 1]),
    (Happening::MeetingOffered, &[1]),
    (Happening::MeetingAccepted, &[0]),
    (Happening::MeetingRecorded, &[0]),
    (Happening::MeetingConfirmed, &[1]),
    (Happening::OfferMade, &[0]),
    (Happening::OfferCountered, &[1]),
    (Happening::OfferAccepted, &[0, 1]),
    (Happening::ProposalMade, &[0]),
    (Happening::ProposalMade, &[0]),
    (Happening::ProposalRevised, &[0]),
    (Happening::ProposalRevised, &[0]),
    (Happening::VisitBooked, &[0, 1]),
    (Happening::VisitBooked, &[0, 1]),
    (Happening::EngagementPaused, &[0, 1]),
    (Happening::EngagementResumed, &[0, 1]),
    (Happening::EngagementEnded, &[0, 1]),
];
