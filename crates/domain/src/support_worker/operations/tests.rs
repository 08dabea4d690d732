use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::availability::{Availability, HalfHour, Weekday, WeeklyHours};
use crate::money::Cents;
use crate::place::Place;
use crate::profile::{OfferedService, ServiceArea};
use crate::vocabulary::{Language, Service};

fn start() -> DateTime<Utc> {
    "2026-01-05T02:00:00Z".parse().unwrap()
}

fn complete_profile() -> WorkerProfile {
    WorkerProfile {
        introduction:
            "I have supported people in their homes for eight years, and take the time a day needs."
                .into(),
        services: vec![OfferedService {
            service: Service::SocialSupport,
            hourly_rate: Cents(5200),
        }],
        languages: vec![Language::English],
        service_area: Some(ServiceArea {
            base: Place {
                suburb: "Carlton".into(),
                postcode: "3053".into(),
                latitude: -37.80,
                longitude: 144.97,
                time_zone: "Australia/Melbourne".into(),
            },
            radius_km: 20,
        }),
        availability: Availability {
            weekly: vec![WeeklyHours {
                weekday: Weekday::Monday,
                from: HalfHour::after_midnight(18).unwrap(),
                until: HalfHour::after_midnight(30).unwrap(),
            }],
            exceptions: vec![],
        },
        hours_wanted: Some(20),
        ..WorkerProfile::default()
    }
}

fn draft() -> SupportWorker {
    let worker = SupportWorker::new(
        WorkerId::from_uuid(Uuid::from_u128(1)),
        PersonId::from_uuid(Uuid::from_u128(2)),
    );
    worker
        .edit_profile(complete_profile(), &Policy::default())
        .unwrap()
        .worker
}

fn submitted() -> SupportWorker {
    draft().submit(start()).unwrap().worker
}

fn verify(
    worker: &SupportWorker,
    kind: CheckKind,
    expires_on: Option<&str>,
    now: DateTime<Utc>,
) -> Changed {
    worker
        .verify_check(
            kind,
            "seen",
            expires_on.map(|date| date.parse().unwrap()),
            None,
            &Policy::default(),
            now,
        )
        .unwrap()
}

/// Everything holds; insurance expires on 31 December 2026.
pub(crate) fn active() -> SupportWorker {
    let introduction = complete_profile().introduction;
    let worker = submitted()
        .approve_introduction(&introduction, start())
        .unwrap()
        .worker;
    CheckKind::ALL.iter().fold(worker, |worker, kind| {
        let expires_on = (*kind == CheckKind::Insurance).then_some("2026-12-31");
        verify(&worker, *kind, expires_on, start()).worker
    })
}

fn paused() -> SupportWorker {
    active().pause().unwrap().worker
}

fn suspended() -> SupportWorker {
    active().suspend("complaint", start()).unwrap().worker
}

#[test]
fn the_last_requirement_activates() {
    assert_eq!(submitted().state, WorkerState::Submitted);
    assert_eq!(submitted().missing(start()).len(), 7);
    let worker = active();
    assert_eq!(worker.state, WorkerState::Active);
    assert_eq!(worker.missing(start()), []);
}

/// Each row: the state, then whether edit, submit, verify, revoke, approve, deadline, pause, resume, suspend and
/// reinstate are accepted in it, and the state each leads to.
#[test]
fn every_state_and_command() {
    use WorkerState::{Active, Draft, Paused, Submitted, Suspended};
    let late = "2027-01-05T00:00:00Z".parse().unwrap();
    let policy = Policy::default();
    let no = None;
    let table = [
        (
            draft(),
            [
                Some(Draft),
                Some(Submitted),
                no,
                no,
                no,
                no,
                no,
                no,
                Some(Suspended),
                no,
            ],
        ),
        (
            submitted(),
            [
                Some(Submitted),
                no,
                Some(Submitted),
                no,
                Some(Submitted),
                no,
                no,
                no,
                Some(Suspended),
                no,
            ],
        ),
        (
            active(),
            [
                Some(Active),
                no,
                Some(Active),
                Some(Submitted),
                Some(Active),
                Some(Submitted),
                Some(Paused),
                no,
                Some(Suspended),
                no,
            ],
        ),
        (
            paused(),
            [
                Some(Paused),
                no,
                Some(Paused),
                Some(Paused),
                Some(Paused),
                Some(Paused),
                no,
                Some(Active),
                Some(Suspended),
                no,
            ],
        ),
        (
            suspended(),
            [
                Some(Suspended),
                no,
                Some(Suspended),
                Some(Suspended),
                Some(Suspended),
                Some(Suspended),
                no,
                no,
                no,
                Some(Active),
            ],
        ),
    ];
    for (worker, expected) in table {
        let state_of = |changed: Changed| changed.worker.state;
        let introduction = worker.profile.introduction.clone();
        let got = [
            worker
                .edit_profile(complete_profile(), &policy)
                .ok()
                .map(state_of),
            worker.submit(start()).ok().map(state_of),
            worker
                .verify_check(CheckKind::Identity, "seen", None, None, &policy, start())
                .ok()
                .map(state_of),
            worker
                .revoke_check(CheckKind::Identity, &policy, start())
                .ok()
                .map(state_of),
            worker
                .approve_introduction(&introduction, start())
                .ok()
                .map(state_of),
            worker
                .pass_deadline(worker.deadline_generation, &policy, late)
                .ok()
                .map(state_of),
            worker.pause().ok().map(state_of),
            worker.resume(start()).ok().map(state_of),
            worker.suspend("complaint", start()).ok().map(state_of),
            worker.reinstate(start()).ok().map(state_of),
        ];
        assert_eq!(got, expected, "{:?}", worker.state);
    }
}

#[test]
fn deadlines_lead_from_notice_to_notice_to_expiry_and_out() {
    let policy = Policy::default();
    let mut worker = active();
    let mut story = vec![];
    while let Some(due) = worker.deadline {
        let generation = worker.deadline_generation;
        assert_eq!(
            worker.pass_deadline(generation, &policy, due - TimeDelta::seconds(1)),
            Err(PassDeadlineError::Early(due))
        );
        let changed = worker.pass_deadline(generation, &policy, due).unwrap();
        assert_eq!(
            changed.worker.pass_deadline(generation, &policy, due),
            Err(PassDeadlineError::Superseded)
        );
        story.push((due.to_rfc3339(), changed.effects));
        worker = changed.worker;
    }
    let insurance = CheckKind::Insurance;
    let expiring = |days| vec![WorkerEffect::CheckExpiring(insurance, days)];
    let out = WorkerEffect::Deactivated {
        missing: vec![Missing::Check(insurance)],
    };
    assert_eq!(
        story,
        [
            // Local midnight in Melbourne, before and after its clocks change.
            ("2026-10-01T14:00:00+00:00".into(), expiring(90)),
            ("2026-11-30T13:00:00+00:00".into(), expiring(30)),
            ("2026-12-23T13:00:00+00:00".into(), expiring(7)),
            (
                "2026-12-31T13:00:00+00:00".into(),
                vec![WorkerEffect::CheckExpired(insurance), out]
            ),
        ]
    );
    assert_eq!(worker.state, WorkerState::Submitted);
}

#[test]
fn a_new_introduction_waits_while_the_approved_one_stands() {
    let worker = active();
    let approved = worker.introduction_approved.clone();
    let profile = WorkerProfile {
        introduction: "A different text that is long enough to stand as an introduction of eighty characters or more."
            .into(),
        ..worker.profile.clone()
    };
    let changed = worker.edit_profile(profile, &Policy::default()).unwrap();
    assert_eq!(changed.effects, [WorkerEffect::IntroductionAwaitsApproval]);
    assert_eq!(changed.worker.introduction_approved, approved);
    assert_eq!(changed.worker.state, WorkerState::Active);
    let stale = changed
        .worker
        .approve_introduction(&approved.unwrap(), start());
    assert_eq!(stale, Err(ApproveIntroductionError::StaleText));
}

#[test]
fn who_lapsed_while_paused_cannot_resume() {
    let worker = paused()
        .revoke_check(CheckKind::Screening, &Policy::default(), start())
        .unwrap()
        .worker;
    assert_eq!(
        worker.resume(start()),
        Err(ResumeWorkerError::NotReady(vec![Missing::Check(
            CheckKind::Screening
        )]))
    );
}

#[test]
fn proof_goes_with_the_qualifications_only() {
    let proven = ProvenQualifications::default();
    let refused = submitted().verify_check(
        CheckKind::Identity,
        "seen",
        None,
        Some(proven),
        &Policy::default(),
        start(),
    );
    assert!(matches!(refused, Err(VerifyWorkerCheckError::Proven(_))));
}

proptest! {
    /// Whatever the commands, in whatever order: who is active is ready, the generation moves with the deadline.
    #[test]
    fn who_is_active_is_always_ready(commands in prop::collection::vec((0..10_u8, 0..6_usize, 0..200_i64), 0..40)) {
        let policy = Policy::default();
        let (mut worker, mut now) = (draft(), start());
        for (command, check, days) in commands {
            now += TimeDelta::days(days / 10);
            // Deadlines are delivered, sooner or later.
            while let Some(due) = worker.deadline.filter(|due| *due <= now) {
                worker = worker.pass_deadline(worker.deadline_generation, &policy, due.max(now)).unwrap().worker;
            }
            let kind = CheckKind::ALL[check];
            let expires_on = worker.today(now) + TimeDelta::days(days);
            let introduction = worker.profile.introduction.clone();
            let next = match command {
                0 => worker.edit_profile(complete_profile(), &policy).ok(),
                1 => worker.submit(now).ok(),
                2..=4 => worker.verify_check(kind, "seen", Some(expires_on), None, &policy, now).ok(),
                5 => worker.revoke_check(kind, &policy, now).ok(),
                6 => worker.approve_introduction(&introduction, now).ok(),
                7 => worker.pause().ok(),
                8 => worker.resume(now).ok(),
                _ if worker.state == WorkerState::Suspended => worker.reinstate(now).ok(),
                _ => worker.suspend("complaint", now).ok(),
            };
            if let Some(next) = next {
                let moved = next.worker.deadline != worker.deadline;
                prop_assert_eq!(next.worker.deadline_generation != worker.deadline_generation, moved);
                prop_assert_eq!(next.worker.suspension.is_some(), next.worker.state == WorkerState::Suspended);
                worker = next.worker;
            }
            if worker.state == WorkerState::Active {
                prop_assert_eq!(worker.missing(now), vec![]);
            }
            prop_assert_eq!(worker.deadline, worker.next_deadline(&policy));
        }
    }
}
