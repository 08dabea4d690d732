//! Requests that insist on much, and support workers who fit but for little.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use uuid::Uuid;

use crate::availability::{
    DayPart, DayStrength, Exception, HalfHour, Hours, RequestedDay, Strength, Week, Weekday,
};
use crate::eligibility::WishMasks;
use crate::id::{PersonId, WorkerId};
use crate::match_request::{Budget, MatchRequestDetails, Period, Preference, Wish, tests::details};
use crate::money::Cents;
use crate::packed::IndexRecord;
use crate::place::Position;
use crate::profile::OfferedService;
use crate::support_worker::{HeldCertification, active_sample};
use crate::vocabulary::{
    CareLevel, Certification, Gender, Hazard, Interest, Language, Mobility, Service, Skill, Task,
    Vocabulary, mask,
};

pub(super) fn now() -> DateTime<Utc> {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

pub(super) fn today() -> NaiveDate {
    details().place.today(now())
}

const SERVICES: [Service; 3] = [
    Service::SocialSupport,
    Service::PersonalCare,
    Service::Transport,
];
const CERTIFICATES: [Certification; 2] = [Certification::FirstAid, Certification::Cpr];
const WISHES: [Wish; 6] = [
    Wish::Interest(Interest::Chess),
    Wish::Interest(Interest::Weather),
    Wish::Skill(Skill::Cooking),
    Wish::Language(Language::English),
    Wish::Gender(Gender::Woman),
    Wish::Gender(Gender::Man),
];
const DAYS: [Weekday; 3] = [Weekday::Monday, Weekday::Tuesday, Weekday::Sunday];
const TASKS: [Task; 2] = [Task::Transfers, Task::Cooking];
const HAZARDS: [Hazard; 2] = [Hazard::Dogs, Hazard::Cats];

pub(super) fn time(half_hours: u8) -> HalfHour {
    HalfHour::after_midnight(half_hours).unwrap()
}

/// Exact hours of each part of the day.
pub(super) fn hours(part: DayPart) -> Hours {
    let (from, until) = match part {
        DayPart::Morning => (18, 22),
        DayPart::Afternoon => (26, 29),
        DayPart::Evening => (36, 44),
        DayPart::Night => (46, 4),
    };
    Hours {
        from: time(from),
        until: time(until),
    }
}

fn day() -> impl Strategy<Value = RequestedDay> {
    let parts = select(DayPart::ALL);
    let strengths = select(DayStrength::ALL);
    (select(&DAYS), parts, strengths, any::<bool>()).prop_map(
        |(weekday, day_part, strength, exact)| RequestedDay {
            weekday,
            day_part,
            hours: exact.then(|| hours(day_part)),
            strength,
        },
    )
}

/// A request that insists on many things, each of which some lack.
pub(super) fn request() -> impl Strategy<Value = MatchRequestDetails> {
    let wishes = subsequence(&WISHES, 0..=3)
        .prop_flat_map(|wishes| {
            let strengths = prop::collection::vec(select(Strength::ALL), wishes.len());
            (Just(wishes), strengths)
        })
        .prop_map(|(wishes, strengths)| {
            let wishes = wishes.into_iter().zip(strengths);
            let preference = |(wish, strength)| Preference {
                strength,
                wish,
                care_reason: None,
            };
            wishes.map(preference).collect::<Vec<_>>()
        });
    let things = (
        subsequence(&SERVICES, 1..=2),
        subsequence(&CERTIFICATES, 0..=2),
        prop::collection::vec(day(), 0..4),
        wishes,
    );
    let needs = (
        subsequence(&TASKS, 0..=2),
        subsequence(&HAZARDS, 0..=2),
        select(CareLevel::ALL),
    );
    let limits = (0..2_u32, 10..14_u32, prop::option::of(0..40_i64));
    (things, needs, limits).prop_map(|(things, needs, (least, most, lasts))| {
        let mut request = details();
        (request.services, request.certifications) = (things.0, things.1);
        for day in things.2 {
            let same = |other: &RequestedDay| {
                (other.weekday, other.day_part) == (day.weekday, day.day_part)
            };
            if !request.days.iter().any(same) {
                request.days.push(day);
            }
        }
        request.preferences = things.3;
        request.care_needs.mobility = Mobility::Independent;
        request.care_needs.tasks = needs.0;
        request.care_needs.hazards = needs.1;
        request.care_needs.level = needs.2;
        request.budget = Budget {
            least: Cents(least * 5_200),
            most: Cents(most * 500 + 50),
        };
        let from = today() + TimeDelta::days(3);
        request.period = Period {
            from,
            until: lasts.map(|days| from + TimeDelta::days(days)),
        };
        request
    })
}

fn last_day() -> impl Strategy<Value = Option<NaiveDate>> {
    let days = prop_oneof![4 => Just(None), 1 => (-3..40_i64).prop_map(Some)];
    days.prop_map(|days| days.map(|days| today() + TimeDelta::days(days)))
}

/// Somebody who fits most requests of [`request`] but for little.
pub(super) fn record() -> impl Strategy<Value = IndexRecord> {
    // Mornings and evenings, or everything but Tuesday, or all of it.
    let weeks = select(vec![[0x0f_f0_00_ff_f0_00_u64; 7], [!0 >> 16; 7], {
        let mut week = [!0 >> 16; 7];
        week[1] = 0;
        week
    }]);
    let offers = (
        subsequence(&SERVICES, 2..=3),
        prop::collection::vec(10..18_u32, 3),
        subsequence(&CERTIFICATES, 1..=2),
        last_day(),
    );
    let is = (
        subsequence(&WISHES[..4], 2..=4),
        select(&[Gender::Woman, Gender::Man]),
        last_day(),
        select(&[5_000_u32, 9_000, 12_000, 26_000]),
    );
    let accepts = (
        prop::option::weighted(0.2, select(&TASKS)),
        prop::option::weighted(0.2, select(&HAZARDS)),
        select(&[CareLevel::Complex, CareLevel::Complex, CareLevel::Moderate]),
        prop::option::weighted(0.2, 0..30_i64),
    );
    (any::<u128>(), weeks, offers, is, accepts).prop_map(|(id, week, offers, is, accepts)| {
        let mut record = IndexRecord::facts(&active_sample()).unwrap();
        record.worker = WorkerId::from_uuid(Uuid::from_u128(id));
        record.person = PersonId::from_uuid(Uuid::from_u128(!id));
        record.week = Week::from_rows(week);
        let offered = offers.0.iter().zip(offers.1);
        record.services = offered
            .map(|(service, rate)| OfferedService {
                service: *service,
                hourly_rate: Cents(rate * 500),
            })
            .collect();
        let held = offers.2.iter();
        record.certifications = held
            .map(|certification| HeldCertification {
                certification: *certification,
                expires_on: offers.3,
            })
            .collect();
        let traits = is.0.into_iter();
        let traits = traits.fold(WishMasks::default(), |all, wish| all.with(wish));
        record.interests = traits.interests;
        (record.skills, record.languages) = (traits.skills, traits.languages);
        record.gender = is.1;
        record.checks_until = is.2;
        let here = details().place;
        record.position = Position::of(here.latitude - f64::from(is.3) / 111_195.0, here.longitude);
        record.radius_km = 10;
        record.declined_tasks = accepts.0.map_or(0, |task| mask([task]));
        record.declined_hazards = accepts.1.map_or(0, |hazard| mask([hazard]));
        record.highest_care_level = accepts.2;
        record.exceptions = accepts
            .3
            .map(|days| Exception::Away {
                first: today() + TimeDelta::days(days),
                last: today() + TimeDelta::days(days + 20),
            })
            .into_iter()
            .collect();
        record
    })
}
