use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::engagement::Side;
use crate::policy::Policy;
use crate::proposal::UnderTerms;
use crate::proposal::tests::{id, now, open};
use crate::terms::BookedRates;
use crate::visit::{Booking, Visit, VisitState};
use crate::vocabulary::Service;

fn booked() -> Visit {
    let proposal = open();
    let rates = BookedRates {
        service: Service::SocialSupport,
        rates: Vec::new(),
        service_basis_points: 250,
        holidays: Vec::new(),
    };
    let booking = Booking {
        id: id(20),
        suburb: "West End".to_owned(),
        acting: by(),
        terms: UnderTerms { version: 1, rates },
        booked_for: [id(21), id(22)].into(),
    };
    let revision = &proposal.current;
    Visit::book(&proposal, revision, booking, &Policy::default(), now())
}

fn begin(cause: CoverCause, visit: &Visit, at: DateTime<Utc>) -> Result<Cover, BeginCoverError> {
    Cover::begin(id(40), visit, cause, None, &Policy::default(), at)
}

fn seeking() -> Cover {
    begin(CoverCause::Asked, &booked(), now()).unwrap()
}

fn worker(number: u128) -> CanBeAsked {
    CanBeAsked {
        worker: id(number),
        known: number < 60,
    }
}

/// As a due row would have it go on, at its deadline.
fn go_on(cover: &Cover, found: &[u128]) -> Cover {
    let found: Vec<CanBeAsked> = found.iter().copied().map(worker).collect();
    let at = cover.deadline.unwrap();
    cover.go_on(&found, LeftOut::default(), &Policy::default(), at)
}

fn asked() -> Cover {
    go_on(&seeking(), &[51, 52, 61])
}

fn by() -> Acting {
    Acting::by(id(70))
}

fn reasoned(side: Option<Side>) -> Reasoned {
    Reasoned {
        side,
        acting: by(),
        at: now(),
        reason: "Away.".to_owned(),
    }
}

fn accepted() -> Cover {
    asked().accept(id(52), by()).unwrap()
}

fn in_state(state: CoverState) -> Cover {
    match state {
        CoverState::Seeking => asked(),
        CoverState::Accepted => accepted(),
        CoverState::Covered => accepted().book(id(52), id(80), now()).unwrap(),
        CoverState::Unfilled => go_on(&seeking(), &[]),
        CoverState::Withdrawn => asked().withdraw(None, now()).unwrap(),
    }
}

#[test]
fn every_state_and_command() {
    use CoverState::{Accepted, Covered, Seeking, Unfilled, Withdrawn};
    let taken = || CoverClosed::Taken;
    let over = || CoverClosed::Over;
    for (state, accept, decline, confirm, withdraw) in [
        (
            Seeking,
            Ok(Accepted),
            Ok(Seeking),
            Err(ConfirmCoverError::NobodyYet),
            Ok(Withdrawn),
        ),
        (
            Accepted,
            Err(taken().into()),
            Ok(Accepted),
            Ok(Covered),
            Ok(Withdrawn),
        ),
        (
            Covered,
            Err(taken().into()),
            Err(taken().into()),
            Err(taken().into()),
            Err(taken().into()),
        ),
        (
            Unfilled,
            Err(AcceptCoverError::NotAsked),
            Err(DeclineCoverError::NotAsked),
            Err(over().into()),
            Err(over().into()),
        ),
        (
            Withdrawn,
            Err(over().into()),
            Err(over().into()),
            Err(over().into()),
            Err(over().into()),
        ),
    ] {
        let cover = in_state(state);
        assert_eq!(cover.state, state);
        let found = cover.accept(id(51), by()).map(|next| next.state);
        assert_eq!(found, accept, "accept {state:?}");
        let found = cover.decline(id(51), by(), "No.", now());
        assert_eq!(found.map(|next| next.state), decline, "decline {state:?}");
        let found = cover.book(id(52), id(80), now()).map(|next| next.state);
        assert_eq!(found, confirm, "confirm {state:?}");
        let refused = cover.refuse(id(52), "Somebody else.", now());
        let expected = confirm.map(|_| Seeking).map_err(RefuseCoverError::from);
        assert_eq!(refused.map(|next| next.state), expected, "refuse {state:?}");
        let found = cover.withdraw(None, now()).map(|next| next.state);
        assert_eq!(found, withdraw, "withdraw {state:?}");
        assert_eq!(cover.is_live(), cover.deadline.is_some(), "{state:?}");
    }
}

#[test]
fn somebody_else_is_looked_for_while_it_can_still_come_to_something() {
    use BeginCoverError as Error;
    let cause = CoverCause::Asked;
    for (state, at_begin, expected) in [
        (VisitState::Booked, CoverCause::Asked, Ok(())),
        (VisitState::Booked, CoverCause::NotArrived, Ok(())),
        (VisitState::Cancelled, cause, Err(Error::Cancelled)),
        (VisitState::Started, cause, Err(Error::Begun)),
        (VisitState::Completed, cause, Err(Error::Over)),
        (VisitState::Confirmed, cause, Err(Error::Over)),
        (VisitState::Disputed, cause, Err(Error::Over)),
        (VisitState::Missed, cause, Err(Error::Over)),
    ] {
        let visit = Visit { state, ..booked() };
        let found = begin(at_begin, &visit, now()).map(|_| ());
        assert_eq!(found, expected, "{state:?} {at_begin:?}");
    }
    let visit = booked();
    let over = begin(CoverCause::NotArrived, &visit, visit.until);
    assert_eq!(over.map(|_| ()), Err(Error::Over));
    // What was called off by its support worker, or by the service for them, still has nobody to come.
    for (side, expected) in [
        (Some(Side::Worker), Ok(())),
        (Some(Side::Client), Err(Error::Cancelled)),
        (None, Err(Error::Cancelled)),
    ] {
        let off = booked().cancel(reasoned(side)).unwrap();
        for cause in [CoverCause::Cancelled, CoverCause::Suspended] {
            let found = begin(cause, &off, now()).map(|_| ());
            assert_eq!(found, expected, "{side:?}");
        }
        let covered = Visit {
            covered_by: Some(id(80)),
            ..off
        };
        let found = begin(CoverCause::Cancelled, &covered, now()).map(|_| ());
        assert_eq!(found, Err(Error::Cancelled));
    }
}

#[test]
fn a_search_ends_as_the_visit_begins_and_later_where_there_is_hardly_time_before() {
    let visit = booked();
    for (before, lasts_until) in [
        (TimeDelta::minutes(31), visit.from),
        (TimeDelta::minutes(30), visit.from),
        (TimeDelta::minutes(29), visit.until),
        (TimeDelta::minutes(-15), visit.until),
    ] {
        let cover = begin(CoverCause::Cancelled, &visit, visit.from - before).unwrap();
        assert_eq!(cover.lasts_until, lasts_until, "{before}");
        let over = Cover {
            deadline: Some(lasts_until),
            ..cover
        };
        assert_eq!(go_on(&over, &[51]).state, CoverState::Unfilled);
    }
}

#[test]
fn what_has_become_of_the_visit_decides_whether_somebody_is_still_wanted() {
    let visit = booked();
    let cancelled = |side| visit.cancel(reasoned(side)).unwrap();
    let moved = || {
        let mut moved = visit.clone();
        moved.details.starts += TimeDelta::hours(1);
        moved
    };
    let in_state = |state| Visit {
        state,
        ..visit.clone()
    };
    let covered = Visit {
        covered_by: Some(id(80)),
        ..visit.clone()
    };
    for (cause, became, wanted) in [
        (CoverCause::Asked, visit.clone(), true),
        (CoverCause::Asked, moved(), false),
        (CoverCause::Asked, covered, false),
        (CoverCause::NotArrived, in_state(VisitState::Missed), true),
        (CoverCause::NotArrived, in_state(VisitState::Started), false),
        (CoverCause::Asked, in_state(VisitState::Completed), false),
        (CoverCause::Leave, cancelled(Some(Side::Worker)), true),
        (CoverCause::Leave, cancelled(Some(Side::Client)), false),
        (CoverCause::Leave, cancelled(None), false),
        (CoverCause::Asked, cancelled(Some(Side::Worker)), true),
        (CoverCause::Cancelled, cancelled(Some(Side::Worker)), true),
    ] {
        let cover = begin(cause, &visit, now()).unwrap();
        let state = became.state;
        assert_eq!(cover.is_wanted_for(&became), wanted, "{cause:?} {state:?}");
    }
}

#[test]
fn waves_follow_each_other_and_those_asked_last_have_half_of_what_is_left() {
    let policy = Policy::default();
    let wave = TimeDelta::minutes(i64::from(policy.cover_wave_minutes));
    let first = go_on(&seeking(), &[51, 52]);
    assert_eq!(first.deadline, Some(now() + wave));
    let early = first.must_be_due(first.deadline_generation, now());
    assert_eq!(early, Err(PassCoverDeadlineError::Early(now() + wave)));
    let stale = first.must_be_due(1, now() + wave);
    assert_eq!(stale, Err(PassCoverDeadlineError::Superseded));
    // Nobody is asked twice, and never whoever does not come.
    let second = go_on(&first, &[52, 61]);
    let asked: Vec<(u32, bool)> = second.asked.iter().map(|it| (it.wave, it.known)).collect();
    assert_eq!(asked, [(1, true), (1, true), (2, false)]);
    let own = Cover {
        worker: id(53),
        before: vec![id(54)],
        ..second.clone()
    };
    assert_eq!(go_on(&own, &[53, 54]).asked.len(), 3);
    let last_call = go_on(&second, &[]);
    let at = second.deadline.unwrap();
    assert_eq!(last_call.deadline, Some(at + (second.from - at) / 2));
    assert_eq!(last_call.state, CoverState::Seeking);
    // Somebody may have become free meanwhile.
    let third = go_on(&last_call, &[62]);
    assert_eq!((third.waves, third.last_call), (3, false));
    let unfilled = go_on(&last_call, &[]);
    assert_eq!(unfilled.state, CoverState::Unfilled);
    let why = unfilled.unfilled.unwrap();
    assert_eq!((why.asked, why.known, why.silent), (3, 2, 3));
}

#[test]
fn when_everybody_has_declined_others_are_asked_at_once() {
    let cover = asked();
    let at = now() + TimeDelta::minutes(2);
    let next = [51, 52, 61].into_iter().fold(cover, |cover, number| {
        assert_ne!(cover.deadline, Some(at));
        cover.decline(id(number), by(), "No.", at).unwrap()
    });
    assert_eq!(next.deadline, Some(at));
    let why = go_on(&next, &[]).unfilled.unwrap();
    assert_eq!((why.declined, why.silent), (3, 0));
}

#[test]
fn whoever_could_come_can_be_let_go_and_others_are_asked_then() {
    let at = now() + TimeDelta::minutes(2);
    let wants = ConfirmCoverError::SomebodyElse;
    assert_eq!(accepted().must_wait_for_client(id(51)), Err(wants));
    let faults = accepted().refuse(id(52), " ", at);
    assert!(matches!(faults, Err(RefuseCoverError::Invalid(_))));
    let refused = accepted().refuse(id(52), "No.", at).unwrap();
    let withdrawn = accepted().decline(id(52), by(), "No.", at).unwrap();
    for next in [refused, withdrawn] {
        assert_eq!((next.state, next.taken_by), (CoverState::Seeking, None));
        assert_eq!(next.deadline, Some(at));
        let again = next.accept(id(52), by());
        assert_eq!(again, Err(AcceptCoverError::Answered));
        assert!(next.accept(id(51), by()).is_ok());
    }
    // A client who does not answer in time has nobody come.
    let silent = go_on(&accepted(), &[53]);
    assert_eq!(silent.state, CoverState::Unfilled);
    assert!(silent.unfilled.unwrap().not_confirmed);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    GoOn(u128),
    Accept(u128),
    Decline(u128),
    Confirm(u128),
    Refuse(u128),
    Withdraw,
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 50_u128..66;
    prop_oneof![
        3 => number().prop_map(Step::GoOn),
        3 => number().prop_map(Step::Accept),
        2 => number().prop_map(Step::Decline),
        2 => number().prop_map(Step::Confirm),
        2 => number().prop_map(Step::Refuse),
        1 => Just(Step::Withdraw),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_one_comes_at_most_and_what_is_over_stays_so(
        steps in proptest::collection::vec(step(), 0..40)
    ) {
        let mut cover = seeking();
        for step in steps {
            let was = cover.clone();
            let next = match step {
                Step::GoOn(number) if cover.deadline.is_some() => {
                    Some(go_on(&cover, &[number, number + 1, number + 2]))
                }
                Step::GoOn(_) => None,
                Step::Accept(number) => cover.accept(id(number), by()).ok(),
                Step::Decline(number) => cover.decline(id(number), by(), "No.", now()).ok(),
                Step::Confirm(number) => cover.book(id(number), id(80), now()).ok(),
                Step::Refuse(number) => cover.refuse(id(number), "No.", now()).ok(),
                Step::Withdraw => cover.withdraw(None, now()).ok(),
            };
            let Some(next) = next else { continue };
            prop_assert!(was.is_live(), "{was:?}");
            cover = next;
            let accepted: Vec<_> = cover
                .asked
                .iter()
                .filter(|asked| asked.answer == CoverAnswer::Accepted)
                .map(|asked| asked.worker)
                .collect();
            prop_assert_eq!(accepted, Vec::from_iter(cover.taken_by));
            prop_assert_eq!(cover.booked.is_some(), cover.state == CoverState::Covered);
            prop_assert_eq!(cover.is_live(), cover.closed_at.is_none());
            prop_assert_eq!(cover.is_live(), cover.deadline.is_some());
            prop_assert!(cover.deadline.is_none_or(|at| at <= cover.lasts_until));
            let mut workers: Vec<_> = cover.asked.iter().map(|asked| asked.worker).collect();
            workers.sort();
            workers.dedup();
            prop_assert_eq!(workers.len(), cover.asked.len());
        }
    }
}
