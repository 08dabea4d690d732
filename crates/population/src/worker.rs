//! Making a support worker.

use chrono::NaiveDate;
use domain::availability::{Availability, Exception, HalfHour, Weekday, WeeklyHours};
use domain::check::{Check, CheckKind, CheckState};
use domain::id::{PersonId, WorkerId};
use domain::money::Cents;
use domain::profile::{
    Boundaries, KnownCondition, OfferedService, ServiceArea, Training, WorkEntry, WorkerProfile,
};
use domain::support_worker::{
    HeldCertification, ProvenQualifications, Reliability, SupportWorker, WorkerState,
};
use domain::vocabulary::{
    CareLevel, Certification, Condition, Expertise, Gender, Hazard, Language, Skill, Task,
    Vocabulary,
};

use crate::calling::{CALLINGS, Calling};
use crate::chance::Chance;
use crate::places::{Community, Places, Spot};
use crate::{NOW, interests, texts, today};

/// Makes a support worker who has passed every check.
pub(crate) fn make(
    chance: &mut Chance,
    places: &Places,
    id: WorkerId,
    person: PersonId,
) -> SupportWorker {
    let spot = places.somewhere(chance);
    let mut worker = SupportWorker::new(id, person);
    let Some(calling) = CALLINGS.get(chance.weighed(CALLINGS.iter().map(|calling| calling.share)))
    else {
        return worker;
    };
    let years = chance.skewed(30);
    let experience_years = u32::try_from(years).unwrap_or(0);
    worker.state = WorkerState::Active;
    worker.checks = CheckKind::ALL
        .iter()
        .map(|kind| check(chance, *kind))
        .collect();
    worker.proven = proven(chance, calling, experience_years);
    worker.reliability = reliability(chance, experience_years);
    worker.profile = profile(chance, calling, spot, experience_years, &worker.proven);
    worker.introduction_approved = Some(worker.profile.introduction.clone());
    worker
}

/// How long a check holds, in days, where it expires.
fn lasting(kind: CheckKind) -> Option<u32> {
    match kind {
        CheckKind::Identity | CheckKind::References => None,
        CheckKind::RightToWork => Some(3650),
        CheckKind::Screening => Some(1500),
        CheckKind::Insurance => Some(365),
        CheckKind::Qualifications => Some(1100),
    }
}

fn check(chance: &mut Chance, kind: CheckKind) -> Check {
    // Most renew in time: few are left with days.
    let least = if chance.percent(6) { 0 } else { 30 };
    let expires = match kind {
        CheckKind::RightToWork => chance.percent(15),
        _ => true,
    };
    let left = lasting(kind).filter(|_| expires);
    Check {
        state: CheckState::Verified,
        evidence: Some(kind.code().to_owned()),
        expires_on: left.map(|most| chance.days_after(today(), least, most)),
        verified_at: Some(NOW),
        ..Check::pending(kind)
    }
}

fn proven(chance: &mut Chance, calling: &Calling, years: u32) -> ProvenQualifications {
    let mut held: Vec<Certification> = chance.some(calling.certificates, 72).collect();
    // Nobody nurses without being a nurse.
    held.extend(
        calling
            .certificates
            .first()
            .filter(|first| !held.contains(first)),
    );
    held.extend(chance.pick(Certification::ALL).filter(|other| {
        let nurse = matches!(
            other,
            Certification::RegisteredNurse | Certification::EnrolledNurse
        );
        !nurse && !held.contains(other)
    }));
    let certifications = held.into_iter().map(|certification| HeldCertification {
        certification,
        expires_on: renewed_every(certification).map(|most| chance.days_after(today(), 5, most)),
    });
    let certifications = certifications.collect();
    let least = if years >= 5 { 1 } else { 0 };
    let known = chance.few(calling.conditions, 3);
    let conditions = known.into_iter().map(|condition| KnownCondition {
        condition,
        expertise: match chance.between(least, 9) {
            0..=2 => Expertise::Experienced,
            3..=7 => Expertise::Trained,
            _ => Expertise::Specialist,
        },
    });
    ProvenQualifications {
        certifications,
        conditions: conditions.collect(),
    }
}

/// After how many days a certificate is to be renewed, where it is.
fn renewed_every(certification: Certification) -> Option<u32> {
    match certification {
        Certification::Cpr => Some(365),
        Certification::FirstAid | Certification::InfectionControl => Some(1095),
        Certification::ManualHandling
        | Certification::MedicationAssistance
        | Certification::RegisteredNurse
        | Certification::EnrolledNurse => Some(400),
        Certification::WorkingWithChildren => Some(1825),
        _ => None,
    }
}

fn reliability(chance: &mut Chance, years: u32) -> Reliability {
    if chance.percent(25) {
        return Reliability::default();
    }
    let rating_count = chance.between(0, 6 + years);
    let invitations = chance.between(0, 25);
    let answered = chance.between(invitations / 2, invitations);
    let usual_minutes = chance.between(5, 60) * chance.between(1, 60);
    Reliability {
        rating_sum: (0..rating_count)
            .map(|_| 5 - chance.between(0, 9) / 4)
            .sum(),
        rating_count,
        invitations,
        answered,
        answer_minutes: answered * usual_minutes,
        completed_visits: rating_count * chance.between(1, 20),
        exposure: chance.between(0, 40),
    }
}

fn profile(
    chance: &mut Chance,
    calling: &Calling,
    spot: Spot<'_>,
    years: u32,
    proven: &ProvenQualifications,
) -> WorkerProfile {
    let count = chance.between(3, 8);
    let interests = interests::few(chance, count);
    let (languages, cultures) = heritage(chance, spot.community);
    let also_known = chance.few(Condition::ALL, 3);
    let known = proven.conditions.iter().map(|known| known.condition);
    let conditions = known.clone().chain(
        also_known
            .into_iter()
            .filter(|condition| !known.clone().any(|other| other == *condition)),
    );
    WorkerProfile {
        introduction: texts::introduction(chance, &interests),
        gender: gender(chance, calling),
        work_history: work_history(chance, calling, years),
        training: vec![Training {
            title: calling.training.to_owned(),
            institution: "Open Harbour Training".to_owned(),
            completed_on: chance.days_before(today(), 100, 3000),
        }],
        services: services(chance, calling, years),
        skills: skills(chance, calling),
        conditions: conditions
            .map(|condition| KnownCondition {
                condition,
                expertise: Expertise::Experienced,
            })
            .collect(),
        languages,
        cultures,
        interests,
        boundaries: boundaries(chance, calling),
        service_area: Some(ServiceArea {
            radius_km: radius_km(chance, spot.remote),
            base: spot.place,
        }),
        availability: availability(chance),
        hours_wanted: u16::try_from(chance.between(2, 38)).ok(),
    }
}

fn gender(chance: &mut Chance, calling: &Calling) -> Option<Gender> {
    match chance.between(0, 99) {
        0..=1 => Some(Gender::NonBinary),
        2..=6 => None,
        _ if chance.percent(calling.women) => Some(Gender::Woman),
        _ => Some(Gender::Man),
    }
}

fn work_history(chance: &mut Chance, calling: &Calling, years: u32) -> Vec<WorkEntry> {
    let entry = |role: &str, organisation: &str, from, until, support_work| WorkEntry {
        role: role.to_owned(),
        organisation: organisation.to_owned(),
        from,
        until,
        support_work,
    };
    let mut history = vec![];
    let alone_since = chance.days_before(today(), 30, 200 + years * 150);
    if chance.percent(70) {
        history.push(entry(
            "Support worker",
            "Independent",
            alone_since,
            None,
            true,
        ));
    }
    let mut until = alone_since;
    let mut left = years * 365;
    while left > 300 && history.len() < 4 {
        let length = chance.between(200, left.min(2500));
        let from = until - chrono::Days::new(u64::from(length));
        let support = chance.percent(80);
        let (role, organisation) = if support {
            (calling.role, "Riverbend Aged Living")
        } else {
            ("Shop assistant", "Corner Store")
        };
        history.push(entry(role, organisation, from, Some(until), support));
        left -= length;
        until = chance.days_before(from, 0, 200);
    }
    history
}

fn services(chance: &mut Chance, calling: &Calling, years: u32) -> Vec<OfferedService> {
    let mut offered: Vec<_> = chance.some(calling.services, 85).collect();
    offered.extend(chance.some(calling.also, 35));
    if offered.is_empty() {
        offered.extend(calling.services.first());
    }
    let usual = calling.rate * chance.between(88, 112) / 100 + 20 * years;
    let rates = offered.into_iter().map(|service| OfferedService {
        service,
        hourly_rate: Cents((usual + 50 * chance.between(0, 6)) / 50 * 50),
    });
    rates.collect()
}

fn skills(chance: &mut Chance, calling: &Calling) -> Vec<Skill> {
    let mut skills: Vec<Skill> = chance.some(calling.skills, 55).collect();
    skills.extend(
        chance
            .pick(Skill::ALL)
            .filter(|skill| !skills.contains(skill)),
    );
    skills
}

/// Languages and ways of life: English and what the region speaks, seldom something else.
fn heritage(
    chance: &mut Chance,
    community: &Community,
) -> (Vec<Language>, Vec<domain::vocabulary::Culture>) {
    let mut languages = vec![Language::English];
    if chance.percent(40) {
        languages.extend(
            chance
                .few(&community.languages, 2)
                .into_iter()
                .filter(|language| *language != Language::English),
        );
    }
    if chance.percent(4) {
        let other = chance.pick(Language::ALL);
        languages.extend(other.filter(|other| !languages.contains(other)));
    }
    let count = chance.between(0, 3);
    (languages, chance.few(&community.cultures, count))
}

/// Hazards that people turn down, the most usual first.
const DECLINED_HAZARDS: [Hazard; 8] = [
    Hazard::Drugs,
    Hazard::Firearms,
    Hazard::SmokingIndoors,
    Hazard::AggressiveBehaviour,
    Hazard::Alcohol,
    Hazard::Hoarding,
    Hazard::Dogs,
    Hazard::Cats,
];

fn boundaries(chance: &mut Chance, calling: &Calling) -> Boundaries {
    let tasks: Vec<Task> = chance.some(calling.declines, 40).collect();
    let count = chance.between(0, 2);
    let highest: Option<CareLevel> = chance.percent(60).then_some(calling.level);
    Boundaries {
        tasks,
        hazards: chance.few(&DECLINED_HAZARDS, count),
        highest_care_level: highest,
    }
}

/// Mostly 5 to 30 kilometres, a few up to 100; farther in the open country.
fn radius_km(chance: &mut Chance, remote: bool) -> u16 {
    let far = if remote { 45 } else { 5 };
    let (least, most) = match chance.between(0, 99) {
        0..2 => (60, 100),
        kind if kind < far => (30, 70),
        _ => (5, 30),
    };
    u16::try_from(chance.between(least, most)).unwrap_or(least as u16)
}

/// A usual day: how many of a hundred keep it, from and until which half hours, and on which weekdays as a rule.
type Rhythm = (u32, u8, u8, std::ops::Range<usize>);

const RHYTHMS: [Rhythm; 8] = [
    (26, 16, 32, 0..5),
    (16, 18, 30, 0..5),
    (14, 13, 24, 0..7),
    (12, 32, 44, 0..6),
    (10, 14, 40, 0..7),
    (10, 24, 42, 2..7),
    (8, 16, 40, 5..7),
    (4, 40, 48, 0..7),
];

fn availability(chance: &mut Chance) -> Availability {
    let rhythm = chance.weighed(RHYTHMS.iter().map(|rhythm| rhythm.0));
    let Some((_, from, until, days)) = RHYTHMS.get(rhythm) else {
        return Availability::default();
    };
    let by_night = *until == 48;
    let mut weekly = vec![];
    for (place, weekday) in Weekday::ALL.iter().enumerate() {
        let kept = if days.contains(&place) { 88 } else { 10 };
        // Somebody who is never free could not be matched.
        if !chance.percent(kept) && place != days.start {
            continue;
        }
        let shift = u8::try_from(chance.between(0, 4)).unwrap_or(0);
        let (from, until) = if by_night {
            (*from + shift, 48)
        } else {
            ((*from + shift).saturating_sub(2), *until - shift / 2)
        };
        weekly.extend(hours(*weekday, from, until));
        if by_night {
            weekly.extend(hours(*weekday, 0, 13 + shift));
        }
    }
    Availability {
        weekly,
        exceptions: exceptions(chance),
    }
}

fn hours(weekday: Weekday, from: u8, until: u8) -> Option<WeeklyHours> {
    Some(WeeklyHours {
        weekday,
        from: HalfHour::after_midnight(from)?,
        until: HalfHour::after_midnight(until)?,
    })
}

/// Holidays, and now and then a day more than usual.
fn exceptions(chance: &mut Chance) -> Vec<Exception> {
    let mut exceptions = vec![];
    if chance.percent(22) {
        let first: NaiveDate = chance.days_after(today(), 0, 120);
        let last = chance.days_after(first, 0, 24);
        exceptions.push(Exception::Away { first, last });
    }
    if chance.percent(10) {
        for _ in 0..chance.between(1, 3) {
            let from = u8::try_from(chance.between(14, 34)).unwrap_or(14);
            let length = u8::try_from(chance.between(4, 12)).unwrap_or(4);
            if let (Some(from), Some(until)) = (
                HalfHour::after_midnight(from),
                HalfHour::after_midnight(from + length),
            ) {
                let date = chance.days_after(today(), 0, 60);
                exceptions.push(Exception::Extra { date, from, until });
            }
        }
    }
    exceptions
}
