//! Every state and command, and what holds whatever is done.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::id::PersonId;
use crate::money::{Cents, Price};
use crate::pair::{BlockError, Pair, UnblockError};
use crate::visit::ChargedVisits;

fn now() -> DateTime<Utc> {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn id<K>(number: u128) -> crate::id::Id<K> {
    crate::id::Id::from_uuid(Uuid::from_u128(number))
}

fn by(side: Option<Side>) -> Reasoned {
    let person: PersonId = id(match side {
        Some(Side::Client) => 11,
        Some(Side::Worker) => 12,
        None => 13,
    });
    Reasoned {
        side,
        acting: Acting::by(person),
        at: now(),
        reason: "Away for a month.".into(),
    }
}

fn open() -> Engagement {
    Engagement::open(id(1), id(2), id(3), id(4), id(5), now())
}

fn pair() -> Pair {
    Pair::strangers(id(2), id(3)).with_engagement(id(1), now())
}

const CLIENT: Option<Side> = Some(Side::Client);
const WORKER: Option<Side> = Some(Side::Worker);
const STAFF: Option<Side> = None;

#[test]
fn every_state_and_command() {
    use EngagementState::{Ended, Open, Paused};
    let ended = || open().end(&pair(), by(CLIENT), None).unwrap().0;
    let paused = |side| open().pause(by(side)).unwrap();
    let pause = |engagement: &Engagement| {
        [CLIENT, WORKER, STAFF].map(|side| {
            engagement
                .pause(by(side))
                .map(|next| (next.state, next.pause.unwrap().side))
        })
    };
    let resume = |engagement: &Engagement| {
        [CLIENT, WORKER, STAFF].map(|side| engagement.resume(side).map(|next| next.state))
    };
    let stop = |engagement: &Engagement| {
        [CLIENT, WORKER, STAFF].map(|side| {
            let stopped = engagement.stop(by(side));
            stopped.map(|next| (next.state, next.pause.unwrap().side))
        })
    };
    let end = |engagement: &Engagement| {
        let ended = engagement.end(&pair(), by(WORKER), Some("Thank you.".into()));
        ended.map(|(next, pair)| (next.state, pair.engagement))
    };
    let reopen = |engagement: &Engagement| {
        let apart = pair().without_engagement();
        let reopened = engagement.reopen(&apart, now());
        reopened.map(|(next, pair)| (next.state, pair.engagement))
    };
    let other = Err(ResumeEngagementError::PausedByOther);
    let again = Err(PauseEngagementError::AlreadyPaused);
    for (engagement, pauses, resumes, stops, ends, reopens) in [
        (
            open(),
            [CLIENT, WORKER, STAFF].map(|side| Ok((Paused, side))),
            [Err(ResumeEngagementError::NotPaused); 3],
            [CLIENT, WORKER, STAFF].map(|side| Some((Paused, side))),
            Ok((Ended, None)),
            Err(ReopenEngagementError::NotEnded),
        ),
        (
            paused(CLIENT),
            [again, again, Ok((Paused, STAFF))],
            [Ok(Open), other, Ok(Open)],
            [None, Some((Paused, WORKER)), Some((Paused, STAFF))],
            Ok((Ended, None)),
            Err(ReopenEngagementError::NotEnded),
        ),
        (
            paused(WORKER),
            [again, again, Ok((Paused, STAFF))],
            [other, Ok(Open), Ok(Open)],
            [Some((Paused, CLIENT)), None, Some((Paused, STAFF))],
            Ok((Ended, None)),
            Err(ReopenEngagementError::NotEnded),
        ),
        (
            paused(STAFF),
            [again; 3],
            [other, other, Ok(Open)],
            [None; 3],
            Ok((Ended, None)),
            Err(ReopenEngagementError::NotEnded),
        ),
        (
            ended(),
            [Err(PauseEngagementError::Ended); 3],
            [Err(ResumeEngagementError::Ended); 3],
            [None; 3],
            Err(EndEngagementError::AlreadyEnded),
            Ok((Open, Some(id(1)))),
        ),
    ] {
        let told = (
            engagement.state,
            engagement.pause.as_ref().map(|by| by.side),
        );
        assert_eq!(pause(&engagement), pauses, "pausing {told:?}");
        assert_eq!(resume(&engagement), resumes, "resuming {told:?}");
        assert_eq!(stop(&engagement), stops, "stopping {told:?}");
        assert_eq!(end(&engagement), ends, "ending {told:?}");
        assert_eq!(reopen(&engagement), reopens, "reopening {told:?}");
    }
}

#[test]
fn visits_are_off_from_a_stop_until_it_is_resumed() {
    let stopped = open().stop_visits(by(CLIENT)).unwrap();
    assert_eq!(stopped.state, EngagementState::Paused);
    assert_eq!(stopped.stopped, Some(by(CLIENT)));
    assert!(stopped.visits_are_off());
    let resumed = stopped.resume(CLIENT).unwrap();
    assert_eq!(resumed, open());
    assert!(!resumed.visits_are_off());
    // An ordinary pause leaves what is booked alone, and a stop takes it over.
    let paused = open().pause(by(CLIENT)).unwrap();
    assert!(!paused.visits_are_off());
    let stopped = paused.stop_visits(by(CLIENT)).unwrap();
    assert!(stopped.visits_are_off() && stopped.pause == paused.pause);
    let ended = stopped.end(&pair(), by(WORKER), None).unwrap().0;
    assert!(ended.visits_are_off());
    assert_eq!(ended.stop_visits(by(CLIENT)), None);
    let (reopened, _) = ended
        .reopen(&pair().without_engagement(), now())
        .expect("open again");
    assert!(!reopened.visits_are_off());
}

#[test]
fn neither_side_lifts_a_stop_that_the_other_wanted_too() {
    let stopped = open().stop_visits(by(CLIENT)).unwrap();
    let both = stopped.stop_visits(by(WORKER)).unwrap();
    for side in [CLIENT, WORKER] {
        let refused = both.resume(side);
        assert_eq!(refused, Err(ResumeEngagementError::PausedByOther));
    }
    assert!(both.resume(STAFF).is_ok());
    // Who says so once more is still one side.
    let again = stopped.stop_visits(by(CLIENT)).unwrap();
    assert!(again.resume(CLIENT).is_ok());
}

#[test]
fn two_who_are_connected_otherwise_or_blocked_are_not_connected_again() {
    let (ended, apart) = open().end(&pair(), by(CLIENT), None).unwrap();
    let other = apart.clone().with_engagement(id(99), now());
    assert_eq!(
        ended.reopen(&other, now()),
        Err(ReopenEngagementError::OtherEngagement)
    );
    let blocked = apart.clone().block(Side::Worker).unwrap();
    assert_eq!(
        ended.reopen(&blocked, now()),
        Err(ReopenEngagementError::Blocked)
    );
    let unblocked = blocked.unblock(Side::Worker).unwrap();
    let (reopened, pair) = ended.reopen(&unblocked, now()).unwrap();
    assert_eq!(pair.known_since, apart.known_since);
    assert_eq!((reopened.end, reopened.parting_message), (None, None));
}

#[test]
fn an_end_that_costs_something_takes_exactly_that_charge() {
    let charge = Price::of(Cents(10_800), 250);
    let end = |charge: Price, acknowledged| {
        let charged = Some(id(70)).filter(|_| charge != Price::NOTHING);
        let charged = ChargedVisits {
            charge,
            visits: charged.into_iter().collect(),
        };
        let ended = open().end_at_cost(&pair(), by(CLIENT), None, charged, acknowledged);
        ended.map(|(ended, _)| ended.charged_at_end)
    };
    let refused = Err(EndEngagementError::Charge(charge));
    assert_eq!(end(charge, None), refused);
    assert_eq!(end(charge, Some(Price::of(Cents(10_799), 250))), refused);
    assert_eq!(end(charge, Some(charge)), Ok([id(70)].into()));
    // What costs nothing needs no word, and no charge that held before is taken for it.
    assert_eq!(end(Price::NOTHING, None), Ok(BTreeSet::new()));
    let stale = end(Price::NOTHING, Some(charge));
    assert_eq!(stale, Err(EndEngagementError::Charge(Price::NOTHING)));
}

#[test]
fn each_side_blocks_and_unblocks_for_itself() {
    use Side::{Client, Worker};
    for (before, side, blocked, unblocked) in [
        (
            vec![],
            Client,
            Ok(vec![Client]),
            Err(UnblockError::NotBlocked),
        ),
        (
            vec![Client],
            Client,
            Err(BlockError::AlreadyBlocked),
            Ok(vec![]),
        ),
        (
            vec![Client],
            Worker,
            Ok(vec![Client, Worker]),
            Err(UnblockError::NotBlocked),
        ),
        (
            vec![Client, Worker],
            Worker,
            Err(BlockError::AlreadyBlocked),
            Ok(vec![Client]),
        ),
    ] {
        let was = Pair {
            blocked_by: before.into_iter().collect(),
            ..pair()
        };
        let sides = |pair: Pair| pair.blocked_by.into_iter().collect::<Vec<_>>();
        assert_eq!(was.clone().block(side).map(sides), blocked);
        assert_eq!(was.unblock(side).map(sides), unblocked);
    }
}

#[derive(Debug, Clone, Copy)]
enum Command {
    Pause(Option<Side>),
    Stop(Option<Side>),
    Resume(Option<Side>),
    End(Option<Side>),
    Reopen,
    Block(Side),
    Unblock(Side),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Client), Just(Side::Worker)]
}

fn anybody() -> impl Strategy<Value = Option<Side>> {
    prop_oneof![Just(CLIENT), Just(WORKER), Just(STAFF)]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        anybody().prop_map(Command::Pause),
        anybody().prop_map(Command::Stop),
        anybody().prop_map(Command::Resume),
        anybody().prop_map(Command::End),
        Just(Command::Reopen),
        side().prop_map(Command::Block),
        side().prop_map(Command::Unblock),
    ]
}

/// What becomes of the two; nothing where the command is refused.
fn carried_out(
    (engagement, pair): &(Engagement, Pair),
    command: Command,
) -> Option<(Engagement, Pair)> {
    let (engagement, pair) = (engagement.clone(), pair.clone());
    match command {
        Command::Pause(side) => Some((engagement.pause(by(side)).ok()?, pair)),
        Command::Stop(side) => Some((engagement.stop(by(side))?, pair)),
        Command::Resume(side) => Some((engagement.resume(side).ok()?, pair)),
        Command::End(side) => engagement.end(&pair, by(side), None).ok(),
        Command::Reopen => engagement.reopen(&pair, now()).ok(),
        Command::Block(side) => {
            let blocked = pair.block(side).ok()?;
            let ended = engagement.end(&blocked, by(Some(side)), None);
            Some(ended.unwrap_or((engagement, blocked)))
        }
        Command::Unblock(side) => Some((engagement, pair.unblock(side).ok()?)),
    }
}

proptest! {
    #[test]
    fn whatever_is_done_state_steps_and_pair_agree(commands in prop::collection::vec(command(), 0..40)) {
        let mut both = (open(), pair());
        for command in commands {
            let Some(next) = carried_out(&both, command) else { continue };
            let lifted = both.0.pause.as_ref().filter(|_| next.0.state == EngagementState::Open);
            if let (Some(pause), Command::Resume(Some(side))) = (lifted, command) {
                prop_assert_eq!(pause.side, Some(side), "somebody else's pause was lifted");
            }
            both = next;
            let (engagement, pair) = &both;
            prop_assert_eq!(engagement.pause.is_some(), engagement.state == EngagementState::Paused);
            prop_assert_eq!(engagement.end.is_some(), engagement.state == EngagementState::Ended);
            prop_assert_eq!(pair.engagement, engagement.is_live().then_some(engagement.id));
            prop_assert!(!(pair.is_blocked() && engagement.is_live()), "blocked and connected");
            prop_assert_eq!(pair.known_since, Some(now()), "they know each other for good");
        }
    }
}
