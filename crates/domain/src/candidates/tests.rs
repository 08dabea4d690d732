use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::availability::DayStrength;
use crate::match_request::{MatchRequestDetails, tests::details};
use crate::support_worker::{WorkerState, active_sample};

fn now() -> DateTime<Utc> {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

/// Asks for what the sample support worker offers.
fn asked_details() -> MatchRequestDetails {
    let mut asked = details();
    asked.certifications = vec![];
    for day in &mut asked.days {
        day.strength = DayStrength::Prefer;
    }
    asked
}

fn asked() -> Asked {
    Asked::of(&asked_details(), now())
}

fn worker(number: u128) -> SupportWorker {
    SupportWorker {
        id: WorkerId::from_uuid(Uuid::from_u128(number)),
        ..active_sample()
    }
}

fn listed(number: u128) -> ListedCandidate {
    ListedCandidate {
        id: CandidateId::from_uuid(Uuid::from_u128(1000 + number)),
        alias: ALIASES[number as usize].into(),
        worker: worker(number).id,
        score: 90_000 - number as u32,
        contributions: vec![],
    }
}

/// Ten on the list, five to be shown.
fn list() -> CandidateList {
    CandidateList {
        request: MatchRequestId::from_uuid(Uuid::from_u128(1)),
        basis: Basis {
            cell: asked_details().place.cell(),
            shard: Some("v1".into()),
            weights: 1,
            policy: 1,
        },
        candidates: (0..10).map(listed).collect(),
        shortlist: 5,
        considered: 10,
        misses: Misses::default(),
        exclusions: vec![],
        pins: vec![],
        released: None,
        known: vec![],
    }
}

fn live() -> BTreeMap<WorkerId, SupportWorker> {
    (0..10)
        .map(|number| (worker(number).id, worker(number)))
        .collect()
}

fn relations() -> Relations {
    Relations {
        own: [PersonId::from_uuid(Uuid::from_u128(99))].into(),
        blocked: BTreeSet::new(),
        known: BTreeSet::new(),
    }
}

fn decision(number: u128) -> StaffDecision {
    StaffDecision {
        worker: worker(number).id,
        by: PersonId::from_uuid(Uuid::from_u128(50)),
        at: now(),
        reason: "the client asked".into(),
    }
}

fn shown(settled: &Settled) -> Vec<u128> {
    settled
        .shown
        .iter()
        .map(|candidate| candidate.worker.uuid().as_u128())
        .collect()
}

fn changes(settled: &Settled) -> Vec<(u128, ListChange)> {
    settled
        .differences
        .iter()
        .map(|difference| {
            (
                difference.worker.uuid().as_u128(),
                difference.change.clone(),
            )
        })
        .collect()
}

fn settle_now(
    list: &CandidateList,
    live: &BTreeMap<WorkerId, SupportWorker>,
    relations: &Relations,
) -> Settled {
    settle(list, &asked(), live, relations, &Policy::default())
}

#[test]
fn nothing_changed_shows_the_shortlist() {
    let settled = settle_now(&list(), &live(), &relations());
    assert_eq!(shown(&settled), [0, 1, 2, 3, 4]);
    assert_eq!(changes(&settled), []);
    assert_eq!(settled.vacant, 0);
}

#[test]
fn whoever_may_no_longer_stand_there_is_replaced_and_the_difference_recorded() {
    let mut live = live();
    live.get_mut(&worker(1).id).unwrap().state = WorkerState::Suspended;
    live.remove(&worker(2).id);
    let mut relations = relations();
    relations.blocked.insert(worker(3).id);
    relations.known.insert(worker(4).id);
    relations.blocked.insert(worker(5).id);
    let settled = settle_now(&list(), &live, &relations);
    assert_eq!(shown(&settled), [0, 6, 7, 8, 9]);
    assert_eq!(
        changes(&settled),
        [
            (1, ListChange::Ineligible(vec![Rule::Active])),
            (2, ListChange::Ineligible(vec![Rule::Active])),
            (3, ListChange::Ineligible(vec![Rule::NotBlocked])),
            (4, ListChange::Known),
            (6, ListChange::Replacement),
            (7, ListChange::Replacement),
            (8, ListChange::Replacement),
            (9, ListChange::Replacement),
        ]
    );
}

#[test]
fn a_pin_makes_room_but_never_overrides_a_hard_rule() {
    let list = list().pin(decision(8)).unwrap();
    let settled = settle_now(&list, &live(), &relations());
    assert_eq!(shown(&settled), [0, 1, 2, 3, 8]);
    assert_eq!(
        changes(&settled),
        [(4, ListChange::GaveWay), (8, ListChange::Pinned)]
    );
    let mut live = live();
    live.get_mut(&worker(8).id).unwrap().state = WorkerState::Paused;
    let settled = settle_now(&list, &live, &relations());
    assert_eq!(shown(&settled), [0, 1, 2, 3, 4]);
}

#[test]
fn an_exclusion_and_a_pin_lift_each_other() {
    let list = list()
        .pin(decision(8))
        .unwrap()
        .exclude(decision(8))
        .unwrap();
    assert!(list.pins.is_empty());
    let list = list.exclude(decision(0)).unwrap();
    let settled = settle_now(&list, &live(), &relations());
    assert_eq!(shown(&settled), [1, 2, 3, 4, 5]);
    assert!(
        list.pin(decision(8))
            .unwrap()
            .exclusions
            .iter()
            .all(|other| other.worker != worker(8).id)
    );
}

#[test]
fn decisions_that_cannot_be_taken() {
    let no_reason = StaffDecision {
        reason: " ".into(),
        ..decision(1)
    };
    let released = CandidateList {
        released: Some(ReleasedList {
            at: now(),
            candidates: vec![],
            differences: vec![],
            exhausted_at: None,
        }),
        ..list()
    };
    let excluded = list().exclude(decision(1)).unwrap();
    for (list, decision, expected) in [
        (list(), decision(77), DecideCandidateError::NotListed),
        (list(), no_reason, DecideCandidateError::NoReason),
        (released, decision(1), DecideCandidateError::AlreadyReleased),
        (excluded, decision(1), DecideCandidateError::AlreadyDecided),
    ] {
        assert_eq!(list.exclude(decision), Err(expected));
    }
}

#[test]
fn vacant_places_are_told_and_filled_by_appending() {
    let mut live = live();
    live.retain(|id, _| id.uuid().as_u128() < 3 || id.uuid().as_u128() > 8);
    let settled = settle_now(&list(), &live, &relations());
    assert_eq!((shown(&settled), settled.vacant), (vec![0, 1, 2, 9], 1));
    live.insert(worker(11).id, worker(11));
    let list = list().append([listed(9), listed(11)]);
    assert_eq!(
        list.candidates.len(),
        11,
        "who is on the list is not added again"
    );
    let settled = settle_now(&list, &live, &relations());
    assert_eq!((shown(&settled), settled.vacant), (vec![0, 1, 2, 9, 11], 0));
}

#[test]
fn the_blind_view_holds_nothing_of_the_person() {
    let mut worker = worker(0);
    worker.profile.introduction = "Call Mirela on 0412 345 678".into();
    let candidate = listed(0);
    let view = BlindCandidate::of(&candidate, &worker, &asked()).unwrap();
    let json = serde_json::to_string(&view).unwrap();
    let base = &worker.profile.service_area.as_ref().unwrap().base;
    for canary in [
        "Mirela",
        "0412",
        &worker.id.to_string(),
        &worker.person.to_string(),
        &base.suburb,
        &base.postcode,
    ] {
        assert!(!json.contains(canary), "{canary}");
    }
    assert_eq!(
        Some(&view.introduction),
        worker.introduction_approved.as_ref()
    );
    assert_eq!((view.rate.from.0, view.rate.to.0), (5000, 5500));
}

#[test]
fn who_left_is_followed_by_the_best_who_was_not_shown() {
    let blind =
        |number: u128| BlindCandidate::of(&listed(number), &worker(number), &asked()).unwrap();
    let released = CandidateList {
        released: Some(ReleasedList {
            at: now(),
            candidates: (0..5).map(blind).collect(),
            differences: vec![],
            exhausted_at: Some(now()),
        }),
        ..list().exclude(decision(5)).unwrap()
    };
    let (mut live, mut relations) = (live(), relations());
    live.remove(&worker(6).id);
    relations.known.insert(worker(7).id);
    let next = |list: &CandidateList| -> Vec<u128> {
        let next = reserve(list, &asked(), &live, &relations);
        next.into_iter()
            .map(|one| one.worker.uuid().as_u128())
            .collect()
    };
    // Five is excluded, six has gone, seven is known.
    assert_eq!(next(&released), [8, 9]);
    let more = released.show_also([blind(8)]);
    assert_eq!(next(&more), [9]);
    assert_eq!(more.invitable(listed(8).id), Some(worker(8).id));
    assert_eq!(more.invitable(listed(9).id), None, "never shown");
    let shown = more.released.unwrap();
    assert_eq!(shown.candidates.len(), 6);
    assert_eq!(shown.exhausted_at, None, "somebody is there again");
    assert_eq!(shown.differences[0].change, ListChange::Replacement);
    // Nothing is shown of a list that is not released.
    assert_eq!(list().show_also([blind(1)]), list());
}

#[test]
fn whom_the_client_knows_has_one_id_on_a_list() {
    let known = |id: u128| KnownCandidate {
        id: CandidateId::from_uuid(Uuid::from_u128(id)),
        worker: worker(3).id,
    };
    let (list, first) = list().with_known(known(5000));
    let (again, second) = list.with_known(known(5001));
    assert_eq!((first, second), (known(5000).id, known(5000).id));
    assert_eq!(again, list);
    assert_eq!(again.invitable(first), Some(worker(3).id));
}

proptest! {
    #[test]
    fn nobody_ineligible_or_excluded_is_ever_shown(
        standing in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), 10),
    ) {
        let (mut list, mut live, mut relations) = (list(), live(), relations());
        for (number, (suspended, blocked, excluded, pinned)) in standing.iter().enumerate() {
            let number = number as u128;
            let id = worker(number).id;
            if *suspended {
                let worker = live.get_mut(&id).unwrap();
                *worker = worker.suspend("complaint", now() - TimeDelta::days(1)).unwrap().worker;
            }
            if *blocked {
                relations.blocked.insert(id);
            }
            if *pinned {
                list = list.pin(decision(number)).unwrap();
            }
            if *excluded {
                list = list.exclude(decision(number)).unwrap();
            }
        }
        let settled = settle_now(&list, &live, &relations);
        let may: Vec<u128> = (0..10_u128)
            .filter(|number| {
                let (suspended, blocked, excluded, _) = standing[*number as usize];
                !suspended && !blocked && !excluded
            })
            .collect();
        let shown = shown(&settled);
        prop_assert!(shown.iter().all(|number| may.contains(number)));
        prop_assert_eq!(shown.len(), may.len().min(5));
        prop_assert_eq!(usize::from(settled.vacant), 5 - shown.len());
        prop_assert!(shown.is_sorted(), "in the order of the list");
        // The differences lead from the shortlist to what is shown.
        let mut told: Vec<u128> = (0..5).collect();
        for (number, change) in changes(&settled) {
            match change {
                ListChange::Pinned | ListChange::Replacement => told.push(number),
                ListChange::Ineligible(_) | ListChange::Known | ListChange::Excluded | ListChange::GaveWay => told.retain(|other| *other != number),
            }
        }
        told.sort_unstable();
        prop_assert_eq!(told, shown);
    }
}
