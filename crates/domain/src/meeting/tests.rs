//! Every state and command of an introductory meeting.

use uuid::Uuid;

use super::*;
use crate::engagement::{EngagementState, UnderstandingKind};
use crate::id::Id;

fn now() -> DateTime<Utc> {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

fn engagement() -> Engagement {
    Engagement::open(id(1), id(2), id(3), id(4), id(5), now())
}

fn step(side: Side) -> Step {
    Step {
        side,
        acting: Acting::by(id(9)),
        at: now(),
    }
}

fn details() -> MeetingDetails {
    MeetingDetails {
        starts: "2026-12-01T10:00:00".parse().unwrap(),
        time_zone: "Australia/Melbourne".into(),
        minutes: 45,
        how: MeetingHow::Video,
        notes: String::new(),
    }
}

fn offered() -> Meeting {
    Meeting::offer(id(7), &engagement(), details(), step(Side::Client)).unwrap()
}

fn understood(text: &str) -> Understanding {
    Understanding {
        kind: UnderstandingKind::Routine,
        text: text.into(),
    }
}

fn in_state(state: MeetingState) -> Meeting {
    let recorded = matches!(state, MeetingState::Recorded | MeetingState::Confirmed);
    Meeting {
        state,
        record: recorded.then(|| MeetingRecord {
            number: 1,
            by: step(Side::Client),
            understandings: vec![understood("Tea first.")],
            notes: String::new(),
        }),
        ..offered()
    }
}

#[test]
fn every_state_and_command() {
    use MeetingState::{Accepted, Confirmed, Declined, Offered, Recorded, Withdrawn};
    let not_offered = [Err(AcceptMeetingError::NotOffered); 2];
    let not_declined = [Err(DeclineMeetingError::NotOffered); 2];
    let over = [Err(WithdrawMeetingError::Over); 2];
    let unrecorded = [Err(ConfirmMeetingError::NotRecorded); 2];
    let not_accepted = || {
        [
            Err(RecordMeetingError::NotAccepted),
            Err(RecordMeetingError::NotAccepted),
        ]
    };
    // By the client, who offered and recorded, and by the support worker.
    for (state, accept, decline, withdraw, record, confirm) in [
        (
            Offered,
            [Err(AcceptMeetingError::OwnOffer), Ok(Accepted)],
            [Err(DeclineMeetingError::OwnOffer), Ok(Declined)],
            [Ok(Withdrawn), Err(WithdrawMeetingError::OthersOffer)],
            not_accepted(),
            unrecorded,
        ),
        (
            Accepted,
            not_offered,
            not_declined,
            [Ok(Withdrawn); 2],
            [Ok((Recorded, 1)), Ok((Recorded, 1))],
            unrecorded,
        ),
        (
            Declined,
            not_offered,
            not_declined,
            over,
            not_accepted(),
            unrecorded,
        ),
        (
            Withdrawn,
            not_offered,
            not_declined,
            over,
            not_accepted(),
            unrecorded,
        ),
        (
            Recorded,
            not_offered,
            not_declined,
            over,
            [Ok((Recorded, 2)), Ok((Recorded, 2))],
            [Err(ConfirmMeetingError::OwnRecord), Ok(Confirmed)],
        ),
        (
            Confirmed,
            not_offered,
            not_declined,
            over,
            [
                Err(RecordMeetingError::AlreadyConfirmed),
                Err(RecordMeetingError::AlreadyConfirmed),
            ],
            unrecorded,
        ),
    ] {
        let meeting = in_state(state);
        let state_of = |meeting: Meeting| meeting.state;
        let both = [Side::Client, Side::Worker].map(step);
        let accepted = both.map(|by| meeting.accept(&engagement(), by).map(state_of));
        assert_eq!(accepted, accept, "accepting {state:?}");
        assert_eq!(
            both.map(|by| meeting.decline(by).map(state_of)),
            decline,
            "declining {state:?}"
        );
        assert_eq!(
            both.map(|by| meeting.withdraw(by).map(state_of)),
            withdraw,
            "withdrawing {state:?}"
        );
        let recorded = both.map(|by| {
            let recorded = meeting.record(vec![understood("Shoes off.")], String::new(), by);
            recorded.map(|meeting| (meeting.state, meeting.record.unwrap().number))
        });
        assert_eq!(recorded, record, "recording {state:?}");
        let confirmed = both.map(|by| {
            let confirmed = meeting.confirm(&engagement(), 1, by);
            confirmed.map(|(meeting, _)| meeting.state)
        });
        assert_eq!(confirmed, confirm, "confirming {state:?}");
    }
}

#[test]
fn what_cannot_take_place_is_not_offered_and_every_fault_names_its_field() {
    let with = |change: fn(&mut MeetingDetails)| {
        let mut details = details();
        change(&mut details);
        match Meeting::offer(id(7), &engagement(), details, step(Side::Client)) {
            Err(OfferMeetingError::Invalid(found)) => {
                found.into_iter().map(|one| one.pointer).collect()
            }
            Err(OfferMeetingError::NotOpen(error)) => panic!("{error}"),
            Ok(_) => Vec::new(),
        }
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(with(|_| {}), none);
    assert_eq!(with(|it| it.minutes = 15), none);
    assert_eq!(with(|it| it.minutes = 120), none);
    assert_eq!(with(|it| it.minutes = 14), ["/minutes"]);
    assert_eq!(with(|it| it.minutes = 121), ["/minutes"]);
    // 13:00 in Melbourne is this very instant.
    assert_eq!(
        with(|it| it.starts = "2026-11-25T13:00:00".parse().unwrap()),
        ["/starts"]
    );
    assert_eq!(
        with(|it| it.starts = "2026-11-25T13:00:01".parse().unwrap()),
        none
    );
    assert_eq!(
        with(|it| it.starts = "2027-11-25T13:00:00".parse().unwrap()),
        none
    );
    assert_eq!(
        with(|it| it.starts = "2027-11-25T13:00:01".parse().unwrap()),
        ["/starts"]
    );
    assert_eq!(
        with(|it| it.starts = "2027-04-04T02:30:00".parse().unwrap()),
        ["/starts"]
    );
    assert_eq!(
        with(|it| it.starts = "2027-10-03T02:30:00".parse().unwrap()),
        ["/starts"]
    );
    assert_eq!(with(|it| it.time_zone = "Melbourne".into()), ["/time_zone"]);
    assert_eq!(with(|it| it.notes = "x".repeat(1001)), ["/notes"]);
    let nowhere = with(|it| {
        it.minutes = 0;
        it.how = MeetingHow::InPerson {
            suburb: " ".into(),
            address: "x".repeat(201),
        };
    });
    assert_eq!(
        nowhere,
        [
            "/minutes",
            "/how/in_person/suburb",
            "/how/in_person/address"
        ]
    );
}

#[test]
fn nothing_new_is_begun_while_paused_but_what_there_is_can_be_settled() {
    let paused = Engagement {
        state: EngagementState::Paused,
        ..engagement()
    };
    let worker = step(Side::Worker);
    assert_eq!(
        Meeting::offer(id(8), &paused, details(), worker),
        Err(OfferMeetingError::NotOpen(EngagementNotOpen::Paused))
    );
    assert_eq!(
        offered().accept(&paused, worker),
        Err(AcceptMeetingError::NotOpen(EngagementNotOpen::Paused))
    );
    assert!(offered().decline(worker).is_ok());
    assert!(
        in_state(MeetingState::Recorded)
            .confirm(&paused, 1, worker)
            .is_ok()
    );
}

#[test]
fn a_meeting_is_accepted_until_it_begins() {
    let accept = |at| {
        let by = Step {
            at,
            ..step(Side::Worker)
        };
        offered()
            .accept(&engagement(), by)
            .map(|meeting| meeting.state)
    };
    let from = offered().from;
    assert_eq!(
        accept(from - TimeDelta::seconds(1)),
        Ok(MeetingState::Accepted)
    );
    assert_eq!(accept(from), Err(AcceptMeetingError::Passed));
}

#[test]
fn exactly_the_record_that_was_read_is_confirmed_and_nothing_is_agreed_twice() {
    let accepted = in_state(MeetingState::Accepted);
    let first = vec![understood("Tea first."), understood("Shoes off.")];
    let recorded = accepted
        .record(first, String::new(), step(Side::Client))
        .unwrap();
    let again = vec![understood("Tea first."), understood("No perfume.")];
    let rewritten = recorded
        .record(again, String::new(), step(Side::Client))
        .unwrap();
    assert_eq!(
        rewritten.confirm(&engagement(), 1, step(Side::Worker)),
        Err(ConfirmMeetingError::StaleRecord)
    );
    let before = Engagement {
        understandings: vec![understood("Tea first.")],
        ..engagement()
    };
    let (_, after) = rewritten.confirm(&before, 2, step(Side::Worker)).unwrap();
    // The first record was never agreed on.
    assert_eq!(
        after.understandings,
        [understood("Tea first."), understood("No perfume.")]
    );
}

#[test]
fn what_is_agreed_has_bounds() {
    let many = |count: usize| {
        (0..count)
            .map(|number| understood(&number.to_string()))
            .collect()
    };
    let accepted = in_state(MeetingState::Accepted);
    let record = |count| accepted.record(many(count), String::new(), step(Side::Client));
    assert!(record(MAX_MEETING_UNDERSTANDINGS).is_ok());
    let refused = record(MAX_MEETING_UNDERSTANDINGS + 1);
    assert!(
        matches!(refused, Err(RecordMeetingError::Invalid(found)) if found[0].pointer == "/understandings")
    );
    let empty = accepted.record(vec![understood("")], "x".repeat(2001), step(Side::Client));
    assert!(matches!(empty, Err(RecordMeetingError::Invalid(found)) if found.len() == 2));
    let full = |count| Engagement {
        understandings: (0..count)
            .map(|number| understood(&format!("old {number}")))
            .collect(),
        ..engagement()
    };
    let recorded = record(MAX_MEETING_UNDERSTANDINGS).unwrap();
    let left = MAX_UNDERSTANDINGS - MAX_MEETING_UNDERSTANDINGS;
    assert!(recorded.confirm(&full(left), 1, step(Side::Worker)).is_ok());
    assert_eq!(
        recorded.confirm(&full(left + 1), 1, step(Side::Worker)),
        Err(ConfirmMeetingError::TooMany)
    );
}

#[test]
fn the_address_is_for_whoever_offered_and_for_the_other_once_they_have_accepted() {
    use MeetingState::{Accepted, Confirmed, Declined, Offered, Recorded, Withdrawn};
    for (state, shown) in [
        (Offered, false),
        (Accepted, true),
        (Declined, false),
        (Withdrawn, false),
        (Recorded, true),
        (Confirmed, true),
    ] {
        assert!(in_state(state).shows_address_to(Side::Client));
        assert_eq!(
            in_state(state).shows_address_to(Side::Worker),
            shown,
            "{state:?}"
        );
    }
}
