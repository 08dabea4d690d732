use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::id::PersonId;
use crate::policy::Policy;
use crate::screening::Identities;

fn now() -> DateTime<Utc> {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

fn deadline() -> DateTime<Utc> {
    now() + TimeDelta::hours(72)
}

fn by() -> Acting {
    Acting::by(PersonId::from_uuid(Uuid::from_u128(9)))
}

fn question(number: u128) -> QuestionId {
    QuestionId::from_uuid(Uuid::from_u128(number))
}

fn engagement() -> EngagementId {
    EngagementId::from_uuid(Uuid::from_u128(7))
}

fn nobody() -> Identities {
    Identities::default()
}

fn mirela() -> Identities {
    Identities {
        names: vec!["Mirela".into()],
        addresses: vec![],
    }
}

fn presented() -> Invitation {
    let candidacy = Candidacy {
        id: InvitationId::from_uuid(Uuid::from_u128(1)),
        candidate: CandidateId::from_uuid(Uuid::from_u128(2)),
        match_request: MatchRequestId::from_uuid(Uuid::from_u128(3)),
        client: ClientId::from_uuid(Uuid::from_u128(4)),
        worker: WorkerId::from_uuid(Uuid::from_u128(5)),
        open: false,
    };
    Invitation::presented(candidacy, by(), now())
}

/// One that was sent, for what counts them.
pub(crate) fn invitation() -> Invitation {
    invited()
}

fn invited() -> Invitation {
    presented().invite(by(), &Policy::default(), now()).unwrap()
}

fn in_state(state: CandidateState) -> Invitation {
    let invited = invited();
    match state {
        CandidateState::Presented => presented(),
        CandidateState::Invited => invited,
        CandidateState::Passed => presented().pass(by(), "Too far", now()).unwrap(),
        CandidateState::Accepted => invited.accept(by(), engagement(), now()).unwrap(),
        CandidateState::Declined => invited.decline(by(), "Too far", now()).unwrap(),
        CandidateState::Lapsed => invited.lapse(1, deadline()).unwrap(),
        CandidateState::Withdrawn => invited.withdraw(now()).unwrap(),
    }
}

#[test]
fn an_invitation_can_be_answered_for_as_long_as_the_policy_gives() {
    let invited = invited();
    assert_eq!(invited.answer_by, Some(deadline()));
    assert_eq!(
        (invited.deadline_generation, invited.policy_version),
        (1, 1)
    );
    let last = deadline() - TimeDelta::milliseconds(1);
    assert!(invited.accept(by(), engagement(), last).is_ok());
    assert!(invited.decline(by(), "No", last).is_ok());
    assert_eq!(
        invited.lapse(1, last),
        Err(LapseInvitationError::Early(deadline()))
    );
    // At the deadline itself it is over, for everybody alike.
    assert_eq!(
        invited.accept(by(), engagement(), deadline()),
        Err(AcceptInvitationError::Expired)
    );
    assert_eq!(
        invited.decline(by(), "No", deadline()),
        Err(DeclineInvitationError::Expired)
    );
    assert!(invited.lapse(1, deadline()).is_ok());
    assert_eq!(
        invited.lapse(2, deadline()),
        Err(LapseInvitationError::Superseded)
    );
}

#[test]
fn every_state_and_command() {
    use AcceptInvitationError as Accept;
    use CandidateState::{Accepted, Declined, Invited, Lapsed, Passed, Presented, Withdrawn};
    use DeclineInvitationError as Decline;
    use InviteCandidateError as Invite;
    use LapseInvitationError::Superseded;
    use PassCandidateError as Pass;
    use ReverseCandidateError as Reverse;
    use WithdrawInvitationError::NotInvited;
    let over = |state, invite, reverse| {
        (
            state,
            Err(invite),
            Err(Pass::Over),
            Err(NotInvited),
            Err(Accept::NotOpen),
            Err(Decline::NotOpen),
            Err(Superseded),
            reverse,
        )
    };
    let table = [
        (
            Presented,
            Ok(Invited),
            Ok(Passed),
            Err(NotInvited),
            Err(Accept::NotOpen),
            Err(Decline::NotOpen),
            Err(Superseded),
            Err(Reverse::Presented),
        ),
        (
            Invited,
            Err(Invite::Invited),
            Err(Pass::Invited),
            Ok(Withdrawn),
            Ok(Accepted),
            Ok(Declined),
            Ok(Lapsed),
            Err(Reverse::Invited),
        ),
        over(Passed, Invite::Passed, Ok(Presented)),
        over(Accepted, Invite::Accepted, Err(Reverse::Accepted)),
        over(Declined, Invite::NotAvailable, Ok(Presented)),
        over(Lapsed, Invite::NotAvailable, Ok(Presented)),
        over(Withdrawn, Invite::Withdrawn, Ok(Presented)),
    ];
    assert_eq!(table.len(), CandidateState::ALL.len());
    for (state, invite, pass, withdraw, accept, decline, lapse, reverse) in table {
        let was = in_state(state);
        assert_eq!(was.state, state);
        let state_of = |next: Invitation| next.state;
        let generation = was.deadline_generation;
        let policy = Policy::default();
        assert_eq!(
            was.invite(by(), &policy, now()).map(state_of),
            invite,
            "{state:?}"
        );
        assert_eq!(
            was.pass(by(), "Too far", now()).map(state_of),
            pass,
            "{state:?}"
        );
        assert_eq!(was.withdraw(now()).map(state_of), withdraw, "{state:?}");
        assert_eq!(
            was.accept(by(), engagement(), now()).map(state_of),
            accept,
            "{state:?}"
        );
        assert_eq!(
            was.decline(by(), "No", now()).map(state_of),
            decline,
            "{state:?}"
        );
        assert_eq!(
            was.lapse(generation, deadline()).map(state_of),
            lapse,
            "{state:?}"
        );
        assert_eq!(was.reverse(now()).map(state_of), reverse, "{state:?}");

        // Questions are asked and answered while an invitation waits, and at no other time.
        let mut asking = was.clone();
        for (number, state) in [(1, QuestionState::Asked), (2, QuestionState::Screening)] {
            asking.questions.push(Question {
                id: question(number),
                text: "Is there a lift?".into(),
                answer: None,
                state,
                at: now(),
            });
        }
        let open = state == Invited;
        let asked = was.ask(question(3), "Is there a lift?", &nobody(), now());
        assert_eq!(asked.is_ok(), open, "{state:?}");
        let answered = asking.answer(question(1), "There is.", &nobody(), now());
        assert_eq!(answered.is_ok(), open, "{state:?}");
        if !open {
            assert_eq!(asked, Err(AskQuestionError::NotOpen));
            assert_eq!(answered, Err(AnswerQuestionError::NotOpen));
        }
    }
}

#[test]
fn why_somebody_passes_or_declines_is_said_in_1_to_500_characters() {
    for (reason, right) in [("", false), (" \n", false), ("x", true)] {
        assert_eq!(presented().pass(by(), reason, now()).is_ok(), right);
        assert_eq!(invited().decline(by(), reason, now()).is_ok(), right);
    }
    assert!(presented().pass(by(), &"x".repeat(501), now()).is_err());
    assert!(presented().pass(by(), &"x".repeat(500), now()).is_ok());
    let declined = invited().decline(by(), " Too far ", now()).unwrap();
    assert_eq!(declined.reason.as_deref(), Some("Too far"));
    assert_eq!(declined.answered_by, Some(by()));
}

#[test]
fn a_reversal_clears_the_deadline_and_the_old_one_does_nothing_any_more() {
    let declined = in_state(CandidateState::Declined);
    let back = declined.reverse(now()).unwrap();
    assert_eq!((back.answer_by, back.reason.clone()), (None, None));
    assert_eq!(back.deadline_generation, 2);
    assert_eq!(
        back.invited_at,
        Some(now()),
        "that they were invited once stays known"
    );
    let again = back.invite(by(), &Policy::default(), deadline()).unwrap();
    let later = deadline() + TimeDelta::hours(72);
    assert_eq!(again.lapse(1, later), Err(LapseInvitationError::Superseded));
    assert!(again.lapse(3, later).is_ok());
}

#[test]
fn every_question_and_what_may_become_of_it() {
    use QuestionState::{AnswerScreening, Answered, Asked, Refused, Screening};
    use ScreeningDecision::{PassOn, Refuse};
    let waits = ScreenQuestionError::NotWaiting;
    // In each state: what answering comes to, what passing on, what refusing.
    for (state, clean, revealing, pass_on, refuse) in [
        (
            Screening,
            Err(AnswerQuestionError::Unknown),
            Err(AnswerQuestionError::Unknown),
            Ok(Asked),
            Ok(Refused),
        ),
        (
            Asked,
            Ok(Answered),
            Ok(AnswerScreening),
            Err(waits),
            Err(waits),
        ),
        (
            AnswerScreening,
            Err(AnswerQuestionError::Answered),
            Err(AnswerQuestionError::Answered),
            Ok(Answered),
            Ok(Asked),
        ),
        (
            Answered,
            Err(AnswerQuestionError::Answered),
            Err(AnswerQuestionError::Answered),
            Err(waits),
            Err(waits),
        ),
        (
            Refused,
            Err(AnswerQuestionError::Unknown),
            Err(AnswerQuestionError::Unknown),
            Err(waits),
            Err(waits),
        ),
    ] {
        let mut was = invited();
        was.questions.push(Question {
            id: question(1),
            text: "Is there a lift?".into(),
            answer: matches!(state, AnswerScreening | Answered).then(|| "Ask Mirela".into()),
            state,
            at: now(),
        });
        let state_of = |next: Invitation| next.questions[0].state;
        let answer = |text: &str| {
            was.answer(question(1), text, &mirela(), now())
                .map(state_of)
        };
        assert_eq!(answer("There is."), clean, "{state:?}");
        assert_eq!(answer("Ask Mirela."), revealing, "{state:?}");
        assert_eq!(
            was.screen(question(1), PassOn).map(state_of),
            pass_on,
            "{state:?}"
        );
        assert_eq!(
            was.screen(question(1), Refuse).map(state_of),
            refuse,
            "{state:?}"
        );
        assert_eq!(
            was.screen(question(2), PassOn),
            Err(ScreenQuestionError::Unknown)
        );
        // Whatever waited for staff waits no more once the invitation does not.
        let ended = was.withdraw(now()).unwrap();
        assert!(!ended.questions[0].waits_for_staff(), "{state:?}");
        let known = was.questions[0].is_asked();
        assert_eq!(known, matches!(state, Asked | AnswerScreening | Answered));
    }
    // An answer that was refused leaves nothing behind.
    let asked = invited().ask(question(1), "Who are you?", &mirela(), now());
    let answered = asked
        .unwrap()
        .answer(question(1), "Mirela", &mirela(), now());
    let refused = answered.unwrap().screen(question(1), Refuse).unwrap();
    assert_eq!(refused.questions[0].answer, None);
}

#[test]
fn people_who_know_each_other_need_no_screening() {
    let open = Invitation {
        open: true,
        ..invited()
    };
    let asked = open.ask(question(1), "Mirela, is it you?", &mirela(), now());
    assert_eq!(asked.unwrap().questions[0].state, QuestionState::Asked);
}

proptest! {
    /// Whatever the commands: a candidate comes to an end once, stale deadlines do nothing, questions are few.
    #[test]
    fn a_candidate_ends_once(commands in prop::collection::vec((0..10_u8, 0..100_i64, 0..4_u32), 0..60)) {
        let (mut candidate, mut now) = (presented(), now());
        let mut ends = 0;
        let mut reversals = 0;
        for (number, (command, hours, generation)) in commands.into_iter().enumerate() {
            now += TimeDelta::hours(hours);
            let id = question(number as u128);
            let first = candidate.questions.first().map_or(id, |first| first.id);
            let next = match command {
                0 => candidate.invite(by(), &Policy::default(), now).ok(),
                1 => candidate.pass(by(), "Too far", now).ok(),
                2 => candidate.withdraw(now).ok(),
                3 => candidate.accept(by(), engagement(), now).ok(),
                4 => candidate.decline(by(), "Too far", now).ok(),
                5 => candidate.lapse(generation, now).ok(),
                6 => candidate.reverse(now).ok(),
                7 => candidate.ask(id, "Is there a lift, Mirela?", &mirela(), now).ok(),
                8 => candidate.answer(first, "There is.", &nobody(), now).ok(),
                _ => candidate.screen(first, ScreeningDecision::PassOn).ok(),
            };
            let Some(next) = next else { continue };
            let is_end = |state| !matches!(state, CandidateState::Presented | CandidateState::Invited);
            if is_end(next.state) && next.state != candidate.state {
                prop_assert!(!is_end(candidate.state), "{:?} to {:?}", candidate.state, next.state);
                ends += 1;
            }
            reversals += usize::from(command == 6);
            if command == 5 {
                prop_assert_eq!(generation, candidate.deadline_generation);
                prop_assert!(candidate.answer_by.is_some_and(|by| by <= now));
            }
            let moved = next.answer_by != candidate.answer_by;
            prop_assert!(!moved || next.deadline_generation == candidate.deadline_generation + 1);
            prop_assert_eq!(next.engagement.is_some(), next.state == CandidateState::Accepted);
            prop_assert!(next.questions.len() <= MOST_QUESTIONS);
            let waits = next.questions.iter().any(Question::waits_for_staff);
            prop_assert!(!waits || next.state == CandidateState::Invited);
            candidate = next;
        }
        prop_assert!(ends <= reversals + 1, "{ends} ends, {reversals} reversals");
    }
}
