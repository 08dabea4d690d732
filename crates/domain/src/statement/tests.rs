use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::access::Acting;
use crate::cancellation::{CancellationRules, Notice};
use crate::eligibility::Broken;
use crate::engagement::Side;
use crate::money::Cents;
use crate::policy::Policy;
use crate::proposal::tests::id;
use crate::terms::{BandRate, BookedRates, TimeBand};
use crate::visit::tests::{booked, reasoned};
use crate::visit::{Waiver, WaiverGrounds};

/// A visit `days` later than the usual one, at any rates and terms.
fn visit(number: u128, days: i64, hourly: u32, fee: u16, share: u16) -> Visit {
    let usual = booked();
    let later = TimeDelta::days(days);
    let (from, until) = (usual.from + later, usual.until + later);
    let mut details = usual.details.clone();
    details.starts += later;
    let zone = details.zone();
    let rate = |band: &TimeBand| BandRate {
        band: *band,
        hourly: Cents(hourly),
    };
    let rates = BookedRates {
        service: details.service,
        rates: TimeBand::ALL.iter().map(rate).collect(),
        service_basis_points: fee,
        holidays: Vec::new(),
    };
    let rules = CancellationRules {
        notice: Notice::Hours(24),
        charge_basis_points: share,
    };
    Visit {
        id: id(number),
        price: rates.price(from, zone, details.minutes).unwrap(),
        cancellation_terms: rules.terms(from, zone, &[]),
        rates,
        details,
        from,
        until,
        ..usual
    }
}

/// One thing that somebody does, whether or not it is theirs to do or the time for it.
#[derive(Debug, Clone, Copy)]
struct Step {
    on: usize,
    command: u8,
    minutes: i64,
}

fn done(visit: &Visit, step: Step, at: DateTime<Utc>) -> Option<Visit> {
    let policy = Policy::default();
    let client = reasoned(Some(Side::Client), at);
    let staff = reasoned(None, at);
    match step.command {
        0 => visit
            .start(None, Broken::NONE, &Policy::default(), visit.from)
            .ok(),
        1 => {
            let end = visit.from + TimeDelta::minutes(step.minutes);
            visit.complete(Some(end), &policy, at.max(end)).ok()
        }
        2 => visit.cancel(staff).ok(),
        3 => {
            let quote = visit
                .cancellation_quote(Some(Side::Client), &policy, at)
                .ok()?;
            visit
                .cancel_at_cost(client, Some(quote.charge), &policy)
                .ok()
        }
        4 => {
            let seen = visit.worked.as_ref()?.recorded();
            visit.confirm(Acting::by(id(21)), seen, at).ok()
        }
        5 => visit.confirm_in_silence(at).ok(),
        6 => visit.dispute(client).ok(),
        7 => {
            let payable = u32::try_from(step.minutes).ok()?;
            visit.settle_dispute(staff, payable).ok()
        }
        8 => {
            let grounds = WaiverGrounds::Other;
            visit
                .waive(Waiver {
                    grounds,
                    why: staff,
                })
                .ok()
        }
        9 => Some(Visit {
            state: VisitState::Missed,
            ..visit.clone()
        })
        .filter(|_| visit.state == VisitState::Booked),
        10 => {
            let end = visit.from + TimeDelta::minutes(step.minutes);
            (visit.correct(visit.from, end, Broken::NONE, &policy, at.max(end))).ok()
        }
        // An accepted change: other days, and other terms.
        _ => Some(self::visit(0, step.minutes % 62, 4_321, 125, 7_500))
            .map(|moved| Visit {
                id: visit.id,
                ..moved
            })
            .filter(|_| visit.state == VisitState::Booked),
    }
}

/// The most that may be charged for a visit, from what its people agreed on and nothing else.
fn most(visit: &Visit) -> Price {
    let (worked, booked) = (visit.worked.as_ref(), visit.price.total);
    match visit.state {
        VisitState::Cancelled => booked.share(visit.cancellation_terms.rules.charge_basis_points),
        VisitState::Confirmed => worked.map_or(Price::NOTHING, |worked| worked.price.total),
        _ => Price::NOTHING,
    }
}

proptest! {
    #[test]
    fn a_statement_adds_up_whatever_is_done_in_whatever_order(
        priced in prop::collection::vec((0_i64..62, 0_u32..20_000, 0_u16..2_000, 0_u16..=10_000), 1..6),
        steps in prop::collection::vec((0_usize..6, 0_u8..13, 0_i64..400), 0..60),
    ) {
        let mut visits: Vec<Visit> = priced
            .iter()
            .enumerate()
            .map(|(number, &(days, hourly, fee, share))| visit(number as u128, days, hourly, fee, share))
            .collect();
        for (on, command, minutes) in steps {
            if command == 12 {
                // One more proposal is accepted.
                visits.push(visit(visits.len() as u128, minutes % 62, 6_001, 333, 10_000));
                continue;
            }
            let step = Step { on: on % visits.len(), command, minutes };
            let was = &visits[step.on];
            let at = was.from + TimeDelta::minutes(minutes - 200);
            if let Some(next) = done(was, step, at) {
                visits[step.on] = next;
            }
        }
        let engagement = visits[0].engagement;
        let months = ["2026-12", "2027-01"].map(|month| month.parse::<Month>().unwrap());
        let statements = months.map(|month| Statement::of(engagement, month, &visits));
        let mut said = 0;
        for statement in &statements {
            let mut sum = (0_u64, 0_u64, 0_u64);
            for line in &statement.lines {
                let Price { client_pays, worker_gets, service_keeps } = line.charge;
                prop_assert_eq!(client_pays.0, worker_gets.0 + service_keeps.0);
                let about = visits.iter().find(|visit| visit.id == line.visit).unwrap();
                prop_assert_eq!(Month::of_date(about.date()), statement.month);
                prop_assert!(client_pays <= most(about).client_pays);
                if line.basis == StatementBasis::Silence {
                    prop_assert!(client_pays <= about.price.total.client_pays);
                }
                let owed = [StatementBasis::Confirmed, StatementBasis::Silence, StatementBasis::Settled,
                            StatementBasis::CancelledLate];
                prop_assert!(line.charge == Price::NOTHING || owed.contains(&line.basis));
                sum = (
                    sum.0 + u64::from(client_pays.0),
                    sum.1 + u64::from(worker_gets.0),
                    sum.2 + u64::from(service_keeps.0),
                );
            }
            let StatementTotal { client_pays, worker_gets, service_keeps } = statement.total;
            prop_assert_eq!((client_pays, worker_gets, service_keeps), sum);
            prop_assert_eq!(client_pays, worker_gets + service_keeps);
            said += statement.lines.len();
        }
        // No charge is left out, and none is there twice.
        let silent = visits.iter().filter(|visit| basis(visit).is_none());
        prop_assert!(silent.clone().all(|visit| visit.charge() == Price::NOTHING));
        prop_assert_eq!(said + silent.count(), visits.len());
        let mut reversed = visits.clone();
        reversed.reverse();
        prop_assert_eq!(&Statement::of(engagement, months[0], &reversed), &statements[0]);
    }
}

#[test]
fn a_visit_belongs_to_the_month_that_it_began_in_at_its_place() {
    // Nine o'clock on 1 December in Brisbane is the last of November in Greenwich.
    let first = visit(1, 0, 5400, 250, 10_000);
    let month = |text: &str| Statement::of(first.engagement, text.parse().unwrap(), [&first]);
    assert_eq!(month("2026-11").lines, []);
    let december = month("2026-12");
    assert_eq!(december.lines[0].date.to_string(), "2026-12-01");
    assert_eq!(december.lines[0].basis, StatementBasis::Open);
    let other = Statement::of(id(99), "2026-12".parse().unwrap(), [&first]);
    assert_eq!(other.lines, []);
}

#[test]
fn what_was_cancelled_in_time_is_not_mentioned_and_what_was_waived_is() {
    let booked = visit(1, 0, 5400, 250, 10_000);
    let line = |visit: &Visit| {
        let month = "2026-12".parse().unwrap();
        let lines = Statement::of(visit.engagement, month, [visit]).lines;
        lines
            .first()
            .map(|line| (line.basis, line.charge.client_pays.0))
    };
    let cancel = |at| {
        let seen = booked.cancellation_quote(Some(Side::Client), &Policy::default(), at);
        let why = reasoned(Some(Side::Client), at);
        booked.cancel_at_cost(why, Some(seen.unwrap().charge), &Policy::default())
    };
    let in_time = cancel(booked.from - TimeDelta::hours(24)).unwrap();
    assert_eq!(line(&in_time), None);
    let late = cancel(booked.from).unwrap();
    assert_eq!(line(&late), Some((StatementBasis::CancelledLate, 11_070)));
    let waived = late.waive(Waiver {
        grounds: WaiverGrounds::Illness,
        why: reasoned(None, booked.from),
    });
    assert_eq!(line(&waived.unwrap()), Some((StatementBasis::Waived, 0)));
}
