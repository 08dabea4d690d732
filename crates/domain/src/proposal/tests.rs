use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::engagement::{Engagement, EngagementNotOpen, EngagementState, Side};
use crate::id::Id;
use crate::money::Cents;
use crate::policy::Policy;
use crate::terms::{AgreedTerms, BandRate, NotCovered, ServiceRates, Terms, TimeBand};
use crate::visit::VisitPlace;
use crate::vocabulary::Service;

pub(crate) fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

pub(crate) fn details() -> VisitDetails {
    VisitDetails {
        starts: "2026-12-01T09:00:00".parse().unwrap(),
        time_zone: "Australia/Brisbane".to_owned(),
        minutes: 120,
        place: VisitPlace::Home,
        service: Service::SocialSupport,
        notes: String::new(),
        essential: false,
    }
}

pub(crate) const fn under(policy: &Policy) -> Conditions<'_> {
    Conditions {
        policy,
        holidays: &[],
        cancellation: policy.cancellation,
        away: &[],
    }
}

fn acting() -> Acting {
    Acting::by(id(9))
}

pub(crate) fn engagement() -> Engagement {
    let mut engagement = Engagement::open(id(1), id(2), id(3), id(4), id(5), now());
    let rate = BandRate {
        band: TimeBand::WeekdayDaytime,
        hourly: Cents(5400),
    };
    engagement.terms = Some(AgreedTerms {
        offer: id(6),
        version: 3,
        terms: Terms {
            services: vec![ServiceRates {
                service: Service::SocialSupport,
                rates: vec![rate],
            }],
            minutes_per_week: 240,
            scope: "Company, and the garden.".to_owned(),
            limits: Vec::new(),
        },
        understandings: Vec::new(),
        service_basis_points: 250,
        agreed_at: now(),
    });
    engagement
}

fn propose(visit: VisitDetails) -> Result<Proposal, ProposeVisitError> {
    let policy = Policy::default();
    Proposal::propose(id(7), &engagement(), visit, acting(), under(&policy), now())
}

pub(crate) fn open() -> Proposal {
    propose(details()).unwrap()
}

fn reasoned() -> Reasoned {
    Reasoned {
        side: Some(Side::Client),
        acting: acting(),
        at: now(),
        reason: "Too early in the day.".to_owned(),
    }
}

fn in_state(state: ProposalState) -> Proposal {
    Proposal { state, ..open() }
}

/// Everything that can be done to a proposal, as the state that it comes to.
#[derive(Debug, Clone, Copy)]
enum Command {
    Revise,
    Accept,
    Decline,
    AskOtherTime,
    Withdraw,
    Lapse,
}

const COMMANDS: [Command; 6] = [
    Command::Revise,
    Command::Accept,
    Command::Decline,
    Command::AskOtherTime,
    Command::Withdraw,
    Command::Lapse,
];

/// What comes of it, or why nothing does.
fn carry_out(
    proposal: &Proposal,
    command: Command,
    at: DateTime<Utc>,
) -> Result<Proposal, Option<ProposalNotOpen>> {
    let (engagement, policy) = (engagement(), Policy::default());
    match command {
        Command::Revise => {
            let mut visit = details();
            visit.starts += TimeDelta::minutes(i64::from(proposal.current.number));
            proposal
                .revise(&engagement, visit, acting(), under(&policy), at)
                .map_err(|refused| match refused {
                    ReviseProposalError::NotOpen(why) => Some(why),
                    ReviseProposalError::TooMany | ReviseProposalError::Visit(_) => None,
                })
        }
        Command::Accept => proposal
            .accept(proposal.current.number, &engagement, id(8), &[], at)
            .map(|(accepted, _)| accepted)
            .map_err(|refused| match refused {
                AcceptProposalError::NotOpen(why) => Some(why),
                _ => None,
            }),
        Command::Decline => {
            let declined = proposal.decline(reasoned(), at);
            declined.map_err(|DeclineProposalError::NotOpen(why)| Some(why))
        }
        Command::AskOtherTime => proposal
            .ask_other_time("In the afternoon?", None, acting(), &policy, at)
            .map_err(|refused| match refused {
                AskOtherTimeError::NotOpen(why) => Some(why),
                AskOtherTimeError::TooMany | AskOtherTimeError::Invalid(_) => None,
            }),
        Command::Withdraw => {
            let withdrawn = proposal.withdraw(at);
            withdrawn.map_err(|WithdrawProposalError::NotOpen(why)| Some(why))
        }
        Command::Lapse => proposal
            .lapse(proposal.deadline_generation, at)
            .map_err(|refused| match refused {
                LapseProposalError::NotOpen(why) => Some(why),
                LapseProposalError::Superseded | LapseProposalError::Early(_) => None,
            }),
    }
}

#[test]
fn every_state_and_command() {
    use ProposalState::{Accepted, Declined, Lapsed, Open, Withdrawn};
    // What each comes to while it is open and time is left; lapsing is early.
    let open: [Result<ProposalState, Option<ProposalNotOpen>>; 6] = [
        Ok(Open),
        Ok(Accepted),
        Ok(Declined),
        Ok(Open),
        Ok(Withdrawn),
        Err(None),
    ];
    let over = [Err(Some(ProposalNotOpen::Lapsed)); 5];
    let before = now() + TimeDelta::days(1);
    let state_of = |proposal: Proposal| proposal.state;
    for (command, expected) in COMMANDS.into_iter().zip(open) {
        let came = carry_out(&in_state(Open), command, before).map(state_of);
        assert_eq!(came, expected, "{command:?}");
    }
    // The time is over, and the event that says so is late.
    let lapses_at = in_state(Open).lapses_at;
    for (command, expected) in COMMANDS
        .into_iter()
        .zip(over.into_iter().chain([Ok(Lapsed)]))
    {
        let came = carry_out(&in_state(Open), command, lapses_at).map(state_of);
        assert_eq!(came, expected, "{command:?}");
    }
    for (state, refused) in [
        (Accepted, ProposalNotOpen::Accepted),
        (Declined, ProposalNotOpen::Declined),
        (Withdrawn, ProposalNotOpen::Withdrawn),
        (Lapsed, ProposalNotOpen::Lapsed),
    ] {
        for (command, at) in COMMANDS
            .iter()
            .flat_map(|it| [(it, before), (it, lapses_at)])
        {
            let came = carry_out(&in_state(state), *command, at);
            assert_eq!(came, Err(Some(refused)), "{state:?} {command:?}");
        }
    }
}

#[test]
fn the_client_accepts_one_exact_revision() {
    let first = open();
    let second = carry_out(&first, Command::Revise, now()).unwrap();
    assert_eq!(
        second.revisions().map(|it| it.number).collect::<Vec<_>>(),
        [1, 2]
    );
    let held = engagement();
    for number in [0, 1, 3] {
        let refused = second.accept(number, &held, id(8), &[], now());
        let stale = AcceptProposalError::StaleRevision { current: 2 };
        assert_eq!(refused.map(drop), Err(stale));
    }
    let (accepted, terms) = second.accept(2, &held, id(8), &[], now()).unwrap();
    assert_eq!(accepted.visit, Some(id(8)));
    assert_eq!(terms.version, 3);
}

#[test]
fn only_an_open_engagement_with_terms_that_cover_the_service_takes_visits() {
    type Change = fn(&mut Engagement);
    let policy = Policy::default();
    let cases: [(Change, ProposeVisitError, AcceptProposalError); 4] = [
        (
            |it| it.state = EngagementState::Paused,
            EngagementNotOpen::Paused.into(),
            EngagementNotOpen::Paused.into(),
        ),
        (
            |it| it.state = EngagementState::Ended,
            EngagementNotOpen::Ended.into(),
            EngagementNotOpen::Ended.into(),
        ),
        (
            |it| it.terms = None,
            ProposeVisitError::NoTerms,
            AcceptProposalError::NoTerms,
        ),
        (
            |it| it.terms.as_mut().unwrap().terms.services[0].service = Service::MealPreparation,
            ProposeVisitError::NotCovered(NotCovered::Service(Service::SocialSupport)),
            AcceptProposalError::NotCovered(NotCovered::Service(Service::SocialSupport)),
        ),
    ];
    for (change, proposing, accepting) in cases {
        let mut held = engagement();
        change(&mut held);
        let proposed = Proposal::propose(id(7), &held, details(), acting(), under(&policy), now());
        assert_eq!(proposed, Err(proposing.clone()));
        let revised = open().revise(&held, details(), acting(), under(&policy), now());
        assert_eq!(revised, Err(proposing.into()));
        let accepted = open().accept(1, &held, id(8), &[], now());
        assert_eq!(accepted.map(drop), Err(accepting));
    }
}

#[test]
fn what_costs_something_else_by_now_is_not_booked() {
    let mut held = engagement();
    held.terms.as_mut().unwrap().terms.services[0].rates[0].hourly = Cents(5500);
    let refused = open().accept(1, &held, id(8), &[], now());
    assert_eq!(refused.map(drop), Err(AcceptProposalError::PriceChanged));
    let policy = Policy::default();
    let revised = open().revise(&held, details(), acting(), under(&policy), now());
    let accepted = revised.unwrap().accept(2, &held, id(8), &[], now());
    assert_eq!(accepted.map(|(_, terms)| terms.version), Ok(3));
}

#[test]
fn it_lapses_as_the_visit_would_begin_or_after_the_days_of_an_offer() {
    let week = now() + TimeDelta::days(7);
    let near = open();
    assert_eq!(near.lapses_at, near.current.from);
    let far = VisitDetails {
        starts: "2026-12-24T09:00:00".parse().unwrap(),
        ..details()
    };
    assert_eq!(propose(far.clone()).unwrap().lapses_at, week);

    let (held, policy) = (engagement(), Policy::default());
    let later = now() + TimeDelta::days(1);
    let revise = |visit| near.revise(&held, visit, acting(), under(&policy), later);
    let moved = revise(far).unwrap();
    assert_eq!(moved.lapses_at, later + TimeDelta::days(7));
    assert_eq!(moved.deadline_generation, 2);
    let superseded = moved.lapse(1, moved.lapses_at);
    assert_eq!(superseded, Err(LapseProposalError::Superseded));
    let early = moved.lapse(2, moved.lapses_at - TimeDelta::seconds(1));
    assert_eq!(early, Err(LapseProposalError::Early(moved.lapses_at)));

    let same_time = VisitDetails {
        notes: "Bring a hat.".to_owned(),
        ..details()
    };
    assert_eq!(revise(same_time).unwrap().deadline_generation, 1);
}

#[test]
fn there_is_an_end_to_revising_and_to_asking() {
    let mut proposal = open();
    for _ in 1..MOST_REVISIONS {
        proposal = carry_out(&proposal, Command::Revise, now()).unwrap();
    }
    assert_eq!(proposal.revisions().count(), MOST_REVISIONS);
    assert_eq!(carry_out(&proposal, Command::Revise, now()), Err(None));
    for _ in 0..MOST_OTHER_TIMES {
        proposal = carry_out(&proposal, Command::AskOtherTime, now()).unwrap();
    }
    assert_eq!(
        carry_out(&proposal, Command::AskOtherTime, now()),
        Err(None)
    );
    for text in ["", " ", &"x".repeat(501)] {
        let refused = open().ask_other_time(text, None, acting(), &Policy::default(), now());
        assert!(
            matches!(refused, Err(AskOtherTimeError::Invalid(found)) if found[0].pointer == "/text")
        );
    }
}

proptest! {
    #[test]
    fn whatever_is_done_it_closes_once_and_what_was_accepted_was_seen(
        steps in prop::collection::vec((0_usize..6, 0_i64..40), 1..60)
    ) {
        let mut proposal = open();
        let mut at = now();
        let mut closings = 0;
        for (command, hours) in steps {
            at += TimeDelta::hours(hours);
            let before = proposal.clone();
            let Ok(next) = carry_out(&before, COMMANDS[command], at) else {
                continue;
            };
            prop_assert_eq!(before.state, ProposalState::Open, "something came of a closed one");
            let numbers: Vec<u32> = next.revisions().map(|it| it.number).collect();
            prop_assert_eq!(numbers, (1..=next.current.number).collect::<Vec<_>>());
            prop_assert!(next.lapses_at <= next.current.from);
            prop_assert_eq!(
                next.deadline_generation > before.deadline_generation,
                next.lapses_at != before.lapses_at
            );
            prop_assert_eq!(next.visit.is_some(), next.state == ProposalState::Accepted);
            prop_assert_eq!(next.closed_at.is_some(), next.state != ProposalState::Open);
            if next.state == ProposalState::Accepted {
                prop_assert!(at < before.lapses_at);
                prop_assert_eq!(&next.current, &before.current);
            }
            closings += u32::from(next.state != ProposalState::Open);
            proposal = next;
        }
        prop_assert!(closings <= 1);
    }
}
