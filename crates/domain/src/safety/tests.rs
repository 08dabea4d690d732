//! Every state and command of a safety report, and its deadlines.

use uuid::Uuid;

use super::*;
use crate::engagement::Reasoned;
use crate::id::Id;
use crate::pair::Pair;

fn now() -> DateTime<Utc> {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

fn engagement() -> Engagement {
    Engagement::open(id(1), id(2), id(3), id(4), id(5), now())
}

fn told(kind: ReportKind) -> Told {
    Told {
        kind,
        what: "She shouted at me.".into(),
        happened_at: Some(now()),
        stop_visits: false,
    }
}

fn made(kind: ReportKind) -> Report {
    let acting = Acting::by(id(6));
    Report::make(
        id(7),
        &engagement(),
        Side::Client,
        acting,
        told(kind),
        now(),
    )
    .unwrap()
}

fn done_at(hours: i64) -> Done {
    Done {
        by: id(8),
        at: now() + TimeDelta::hours(hours),
    }
}

fn note() -> ReportNote {
    ReportNote {
        by: id(8),
        at: now(),
        text: "Rang her.".into(),
    }
}

#[test]
fn every_kind_has_its_hours_and_looking_at_it_comes_first() {
    for kind in ReportKind::ALL {
        let listed = WITHIN.iter().filter(|(listed, ..)| listed == kind).count();
        assert_eq!(listed, 1, "{kind:?}");
        let within = |step| kind.within(step);
        assert!(TimeDelta::zero() < within(ReportStep::Acknowledgement));
        assert!(within(ReportStep::Acknowledgement) < within(ReportStep::Closure));
    }
    let hours = |kind: ReportKind| {
        [ReportStep::Acknowledgement, ReportStep::Closure].map(|step| kind.within(step).num_hours())
    };
    assert_eq!(hours(ReportKind::Safeguarding), [4, 72]);
    assert_eq!(hours(ReportKind::Incident), [24, 240]);
    assert_eq!(hours(ReportKind::Pressure), [24, 120]);
    assert_eq!(hours(ReportKind::Complaint), [48, 672]);
}

#[test]
fn every_state_and_command() {
    use ReportState::{Closed, LookedInto, Received};
    let received = made(ReportKind::Incident);
    let looked_into = received.acknowledge(done_at(1)).unwrap();
    let closed = looked_into.close("Settled.".into(), done_at(2)).unwrap();
    for (report, acknowledge, noted, suspend, close, pass) in [
        (
            received,
            Ok(LookedInto),
            Ok(Received),
            Ok(Received),
            Err(CloseReportError::NotAcknowledged),
            Ok(ReportStep::Closure),
        ),
        (
            looked_into,
            Err(AcknowledgeReportError::AlreadyAcknowledged),
            Ok(LookedInto),
            Ok(LookedInto),
            Ok(Closed),
            Ok(ReportStep::Closure),
        ),
        (
            closed,
            Err(AcknowledgeReportError::Closed),
            Err(NoteReportError::Closed),
            Err(SuspendOverReportError::Closed),
            Err(CloseReportError::AlreadyClosed),
            Err(PassReportDeadlineError::Superseded),
        ),
    ] {
        let state = report.state;
        let state_of = |report: Report| report.state;
        let done = done_at(3);
        assert_eq!(
            report.acknowledge(done).map(state_of),
            acknowledge,
            "{state:?}"
        );
        assert_eq!(
            report.clone().note(note()).map(state_of),
            noted,
            "{state:?}"
        );
        assert_eq!(
            report.clone().suspend_worker(done).map(state_of),
            suspend,
            "{state:?}"
        );
        assert_eq!(
            report.close("Settled.".into(), done).map(state_of),
            close,
            "{state:?}"
        );
        let late = report.pass_deadline(report.deadline.generation, report.deadline.at);
        assert_eq!(late.map(|report| report.deadline.step), pass, "{state:?}");
    }
}

#[test]
fn one_deadline_rolls_on() {
    let was = made(ReportKind::Safeguarding);
    let [first, last] = [4, 72].map(|hours| now() + TimeDelta::hours(hours));
    assert_eq!((was.deadline.at, was.deadline.generation), (first, 1));
    let early = first - TimeDelta::seconds(1);
    assert_eq!(
        was.pass_deadline(1, early),
        Err(PassReportDeadlineError::Early(first))
    );
    assert_eq!(
        was.pass_deadline(2, last),
        Err(PassReportDeadlineError::Superseded)
    );
    let overdue = was.pass_deadline(1, first).unwrap();
    assert_eq!(
        (overdue.deadline.at, overdue.deadline.generation),
        (last, 2)
    );
    assert_eq!(overdue.armed_since(&was), Some(overdue.deadline));
    // Looking into it late moves nothing: the closing deadline runs already.
    let acknowledged = overdue.acknowledge(done_at(5)).unwrap();
    assert_eq!(acknowledged.deadline, overdue.deadline);
    assert_eq!(acknowledged.armed_since(&overdue), None);
    let passed = acknowledged.pass_deadline(2, last).unwrap();
    assert_eq!(passed.armed_since(&acknowledged), None);
    assert_eq!(
        passed.pass_deadline(2, last),
        Err(PassReportDeadlineError::Superseded)
    );
}

#[test]
fn acknowledging_in_time_reschedules() {
    let was = made(ReportKind::Safeguarding);
    let acknowledged = was.acknowledge(done_at(1)).unwrap();
    let last = now() + TimeDelta::hours(72);
    assert_eq!(acknowledged.deadline.at, last);
    assert_eq!(acknowledged.armed_since(&was), Some(acknowledged.deadline));
    assert_eq!(
        acknowledged.pass_deadline(1, last),
        Err(PassReportDeadlineError::Superseded)
    );
    let closed = acknowledged.close("Settled.".into(), done_at(2)).unwrap();
    assert_eq!(closed.armed_since(&acknowledged), None);
}

#[test]
fn what_should_have_been_done_by_now_is_overdue() {
    let at = |hours| now() + TimeDelta::hours(hours);
    let received = made(ReportKind::Safeguarding);
    assert!(!received.is_overdue(at(3)) && received.is_overdue(at(4)));
    let acknowledged = received.acknowledge(done_at(5)).unwrap();
    assert!(!acknowledged.is_overdue(at(71)) && acknowledged.is_overdue(at(72)));
    let closed = acknowledged.close("Settled.".into(), done_at(80)).unwrap();
    assert!(!closed.is_overdue(at(1000)));
}

#[test]
fn a_report_is_made_until_two_years_after_the_end() {
    let by = Reasoned {
        side: None,
        acting: Acting::by(id(8)),
        at: now(),
        reason: "Moved away.".into(),
    };
    let pair = Pair::strangers(id(2), id(3)).with_engagement(id(1), now());
    let (ended, _) = engagement().end(&pair, by, None).unwrap();
    let make = |at| {
        let acting = Acting::by(id(6));
        let told = told(ReportKind::Complaint);
        Report::make(id(7), &ended, Side::Worker, acting, told, at).map(|report| report.state)
    };
    let last = "2028-11-25T02:00:00Z".parse().unwrap();
    assert_eq!(make(last), Ok(ReportState::Received));
    assert_eq!(
        make(last + TimeDelta::seconds(1)),
        Err(MakeReportError::TooLate)
    );
}

#[test]
fn every_fault_names_its_field_and_pressure_is_for_the_clients_side() {
    let make = |side, told| {
        let made = Report::make(id(7), &engagement(), side, Acting::by(id(6)), told, now());
        match made {
            Err(MakeReportError::Invalid(found)) => {
                found.into_iter().map(|one| one.pointer).collect()
            }
            Err(MakeReportError::TooLate) => panic!("too late"),
            Ok(_) => Vec::new(),
        }
    };
    let none: Vec<String> = Vec::new();
    for kind in ReportKind::ALL {
        assert_eq!(make(Side::Client, told(*kind)), none, "{kind:?}");
        let refused = match kind {
            ReportKind::Pressure => vec!["/kind".to_owned()],
            _ => Vec::new(),
        };
        assert_eq!(make(Side::Worker, told(*kind)), refused, "{kind:?}");
    }
    let future = Told {
        what: " ".into(),
        happened_at: Some(now() + TimeDelta::seconds(1)),
        ..told(ReportKind::Incident)
    };
    assert_eq!(make(Side::Client, future), ["/what", "/happened_at"]);
}

#[test]
fn notes_are_bounded() {
    let full = (0..MAX_REPORT_NOTES).fold(made(ReportKind::Incident), |report, _| {
        report.note(note()).unwrap()
    });
    assert_eq!(full.note(note()), Err(NoteReportError::TooManyNotes));
    // A table holds items of 400 KB: however long the notes are, there is room left to close the report.
    let mut long = made(ReportKind::Incident);
    let words = || ReportNote {
        text: "\u{1f6d1}".repeat(4000),
        ..note()
    };
    while let Ok(more) = long.clone().note(words()) {
        long = more;
    }
    assert_eq!(long.notes.len(), 15);
    assert!(serde_json::to_vec(&long).unwrap().len() < 300_000);
}
