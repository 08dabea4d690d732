//! Who fits a request and how well, worked out from the profiles the long way: no masks, no index.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::availability::{DayPart, DayStrength, Exception, RequestedDay, Strength, Weekday};
use domain::check::CheckKind;
use domain::eligibility::Relations;
use domain::id::{MatchRequestId, WorkerId};
use domain::match_request::{MatchRequestDetails, Wish};
use domain::profile::WorkerProfile;
use domain::support_worker::SupportWorker;
use domain::vocabulary::{CareLevel, Condition, Expertise, Gender, Vocabulary};

use crate::search::lot;

/// The ten best with their scores.
pub(super) fn search(
    request: MatchRequestId,
    details: &MatchRequestDetails,
    relations: &Relations,
    workers: &[SupportWorker],
    today: NaiveDate,
) -> Vec<(WorkerId, u32)> {
    let mut found: Vec<_> = workers
        .iter()
        .filter(|worker| fits(details, relations, worker, today))
        .map(|worker| {
            let score = score(details, worker, today);
            let tie = (worker.reliability.exposure, lot(request, worker.id));
            ((Reverse(score), tie), (worker.id, score))
        })
        .collect();
    found.sort();
    found.into_iter().take(10).map(|(_, found)| found).collect()
}

fn fits(
    details: &MatchRequestDetails,
    relations: &Relations,
    worker: &SupportWorker,
    today: NaiveDate,
) -> bool {
    let profile = &worker.profile;
    let last_day = details
        .period
        .until
        .unwrap_or(details.period.from)
        .max(today);
    let checks = CheckKind::ALL
        .iter()
        .all(|kind| worker.check(*kind).holds_on(last_day));
    let services = details.services.iter().all(|wanted| {
        profile.services.iter().any(|offered| {
            offered.service == *wanted
                && details.budget.least <= offered.hourly_rate
                && offered.hourly_rate <= details.budget.most
        })
    });
    let certificates = details.certifications.iter().all(|wanted| {
        worker.proven.certifications.iter().any(|held| {
            held.certification == *wanted && held.expires_on.is_none_or(|last| last_day <= last)
        })
    });
    let wishes = details
        .preferences
        .iter()
        .all(|preference| match preference.strength {
            Strength::Must => meets(profile, preference.wish),
            Strength::Avoid => !meets(profile, preference.wish),
            Strength::Prefer => true,
        });
    let days = details
        .days
        .iter()
        .filter(|day| day.strength == DayStrength::Must)
        .all(|day| is_free(details, profile, day, today));
    let boundaries = &profile.boundaries;
    let tasks: BTreeSet<_> = details
        .care_needs
        .tasks
        .iter()
        .copied()
        .chain(details.care_needs.mobility.brings())
        .collect();
    let within_boundaries = boundaries.tasks.iter().all(|task| !tasks.contains(task))
        && boundaries
            .hazards
            .iter()
            .all(|hazard| !details.care_needs.hazards.contains(hazard))
        && details.care_needs.level <= boundaries.highest_care_level.unwrap_or(CareLevel::Complex);
    let area = profile.service_area.as_ref().unwrap();
    checks
        && services
        && certificates
        && wishes
        && days
        && within_boundaries
        && metres(details, worker) <= u32::from(area.radius_km) * 1000
        && !relations.blocked.contains(&worker.id)
        && !relations.known.contains(&worker.id)
        && !relations.own.contains(&worker.person)
}

fn meets(profile: &WorkerProfile, wish: Wish) -> bool {
    match wish {
        Wish::Interest(word) => profile.interests.contains(&word),
        Wish::Skill(word) => profile.skills.contains(&word),
        Wish::Language(word) => profile.languages.contains(&word),
        Wish::Culture(word) => profile.cultures.contains(&word),
        Wish::Gender(word) => profile.gender.unwrap_or(Gender::Unstated) == word,
    }
}

fn metres(details: &MatchRequestDetails, worker: &SupportWorker) -> u32 {
    let base = &worker.profile.service_area.as_ref().unwrap().base;
    base.position().metres_to(details.place.position())
}

/// Four half hours in a row, on one date of the four weeks from the beginning.
fn is_free(
    details: &MatchRequestDetails,
    profile: &WorkerProfile,
    day: &RequestedDay,
    today: NaiveDate,
) -> bool {
    let first = details.period.from.max(today);
    first
        .iter_days()
        .take(28)
        .take_while(|date| details.period.until.is_none_or(|until| *date <= until))
        .filter(|date| Weekday::of(*date) == day.weekday)
        .any(|date| {
            let (from, until) = match day.day_part {
                DayPart::Morning => (12, 24),
                DayPart::Afternoon => (24, 36),
                DayPart::Evening => (36, 44),
                DayPart::Night => (44, 60),
            };
            let mut run = 0;
            (from..until).any(|half_hour| {
                run = if works_at(profile, date, half_hour) {
                    run + 1
                } else {
                    0
                };
                run == 4
            })
        })
}

/// Whether somebody works in the half hour so many after midnight of a date; past 48 it is the next day.
fn works_at(profile: &WorkerProfile, date: NaiveDate, half_hour: u8) -> bool {
    if half_hour >= 48 {
        return works_at(profile, date.succ_opt().unwrap(), half_hour - 48);
    }
    let within = |from: domain::availability::HalfHour, until: domain::availability::HalfHour| {
        from.half_hours() <= half_hour && half_hour < until.half_hours()
    };
    let availability = &profile.availability;
    let extra = availability.exceptions.iter().any(|exception| {
        matches!(exception, Exception::Extra { date: on, from, until } if *on == date && within(*from, *until))
    });
    let away = availability.exceptions.iter().any(|exception| {
        matches!(exception, Exception::Away { first, last } if *first <= date && date <= *last)
    });
    let usual = availability
        .weekly
        .iter()
        .any(|hours| hours.weekday == Weekday::of(date) && within(hours.from, hours.until));
    extra || (usual && !away)
}

fn score(details: &MatchRequestDetails, worker: &SupportWorker, today: NaiveDate) -> u32 {
    let profile = &worker.profile;
    let preferred = |kind: fn(&Wish) -> bool| -> Vec<Wish> {
        let mut seen = BTreeSet::new();
        details
            .preferences
            .iter()
            .filter(|preference| preference.strength == Strength::Prefer)
            .map(|preference| preference.wish)
            .filter(|wish| kind(wish) && seen.insert(format!("{wish:?}")))
            .collect()
    };
    let met = |wishes: &[Wish]| wishes.iter().filter(|wish| meets(profile, **wish)).count();
    let interests = preferred(|wish| matches!(wish, Wish::Interest(_)));
    let understanding = preferred(|wish| matches!(wish, Wish::Language(_) | Wish::Culture(_)));
    let skills = preferred(|wish| matches!(wish, Wish::Skill(_)));
    let genders = preferred(|wish| matches!(wish, Wish::Gender(_)));
    let mut days: Vec<RequestedDay> = vec![];
    for day in details
        .days
        .iter()
        .filter(|day| day.strength == DayStrength::Prefer)
    {
        if !days.contains(day) {
            days.push(*day);
        }
    }
    let free = days
        .iter()
        .filter(|day| is_free(details, profile, day, today))
        .count();
    let parts = [
        (22, expertise(details, worker)),
        (14, share(free, days.len())),
        (12, share(met(&interests), interests.len())),
        (
            8,
            share(
                met(&skills) + met(&genders),
                skills.len() + usize::from(!genders.is_empty()),
            ),
        ),
        (10, share(met(&understanding), understanding.len())),
        (8, (experience_days(profile, today) * 1000 / 3650).min(1000)),
        (12, reliability(worker)),
        (
            6,
            10_000 * 1000 / (10_000 + u64::from(metres(details, worker))),
        ),
        (4, rate(details, profile)),
        (4, u64::from(profile.hours_wanted.unwrap_or(0)).min(20) * 50),
    ];
    u32::try_from(
        parts
            .iter()
            .map(|(weight, value)| weight * value)
            .sum::<u64>(),
    )
    .unwrap()
}

fn share(met: usize, wanted: usize) -> u64 {
    (met * 1000).checked_div(wanted).unwrap_or(1000) as u64
}

fn expertise(details: &MatchRequestDetails, worker: &SupportWorker) -> u64 {
    let conditions: &[Condition] = &details.care_needs.conditions;
    if conditions.is_empty() {
        return 1000;
    }
    let worth = |condition: &Condition| {
        let proven = worker
            .proven
            .conditions
            .iter()
            .find(|known| known.condition == *condition);
        let claimed = worker
            .profile
            .conditions
            .iter()
            .any(|known| known.condition == *condition);
        match proven.map(|known| known.expertise) {
            Some(Expertise::Specialist) => 1000,
            Some(Expertise::Trained) => 800,
            Some(Expertise::Experienced) => 600,
            Some(Expertise::Aware) => 250,
            None if claimed => 250,
            None => 0,
        }
    };
    conditions.iter().map(worth).sum::<u64>() / conditions.len() as u64
}

/// Every day on which they were in support work, counted one by one; the present job's last day is yesterday.
fn experience_days(profile: &WorkerProfile, today: NaiveDate) -> u64 {
    let support: Vec<_> = profile
        .work_history
        .iter()
        .filter(|entry| entry.support_work)
        .collect();
    let present = support
        .iter()
        .filter(|entry| entry.until.is_none())
        .map(|entry| entry.from)
        .min();
    let mut days = BTreeSet::new();
    for entry in &support {
        let ended = entry.until.map(|until| until.succ_opt().unwrap());
        let end = match (ended, present) {
            // What ends after the present job began is part of it.
            (Some(ended), Some(present)) => ended.min(present),
            (Some(ended), None) => ended,
            (None, _) => today,
        };
        days.extend(entry.from.iter_days().take_while(|day| *day < end));
    }
    days.len() as u64
}

fn reliability(worker: &SupportWorker) -> u64 {
    let facts = &worker.reliability;
    let many = u64::from;
    let rating = (many(facts.rating_sum) * 100 + 420 * 5) / (many(facts.rating_count) + 5);
    let rating = (rating.max(100) - 100).min(400) * 1000 / 400;
    let answers = (many(facts.answered) + 4) * 1000 / (many(facts.invitations) + 5);
    let minutes = if facts.answered == 0 {
        720
    } else {
        many(facts.answer_minutes) / many(facts.answered)
    };
    let speed = 720 * 1000 / (720 + minutes);
    let visits = 1000 - 20 * 1000 / (20 + many(facts.completed_visits));
    (rating * 50 + answers * 25 + speed * 10 + visits * 15) / 100
}

fn rate(details: &MatchRequestDetails, profile: &WorkerProfile) -> u64 {
    let (least, most) = (
        u64::from(details.budget.least.0),
        u64::from(details.budget.most.0),
    );
    let dearest = profile
        .services
        .iter()
        .filter(|offered| details.services.contains(&offered.service))
        .map(|offered| u64::from(offered.hourly_rate.0))
        .max()
        .unwrap();
    if most == least {
        0
    } else {
        (most - dearest) * 1000 / (most - least)
    }
}
