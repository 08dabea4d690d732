//! Every change against the request as it would be asked anew, everybody judged from the beginning.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use uuid::Uuid;

use super::*;
use crate::availability::{DayStrength, Exception, HalfHour, Hours, RequestedDay, Strength, Week};
use crate::eligibility::{Relations, judge_record};
use crate::id::{PersonId, WorkerId};
use crate::lack::lacks_of_record;
use crate::match_request::{MatchRequestDetails, Period, Preference, tests::details};
use crate::packed::IndexRecord;
use crate::place::Position;
use crate::profile::OfferedService;
use crate::support_worker::{HeldCertification, active_sample};
use crate::vocabulary::{Gender, Interest, Language, Mobility, Skill};

fn now() -> DateTime<Utc> {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

fn today() -> NaiveDate {
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

fn time(half_hours: u8) -> HalfHour {
    HalfHour::after_midnight(half_hours).unwrap()
}

/// Exact hours of each part of the day.
fn hours(part: DayPart) -> Hours {
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
fn request() -> impl Strategy<Value = MatchRequestDetails> {
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
fn record() -> impl Strategy<Value = IndexRecord> {
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
        let traits = traits.fold(crate::eligibility::WishMasks::default(), |all, wish| {
            all.with(wish)
        });
        record.interests = traits.interests;
        (record.skills, record.languages) = (traits.skills, traits.languages);
        record.gender = is.1;
        record.checks_until = is.2;
        let here = details().place;
        record.position = Position::of(here.latitude - f64::from(is.3) / 111_195.0, here.longitude);
        record.radius_km = 10;
        record.declined_tasks = accepts.0.map_or(0, |task| crate::vocabulary::mask([task]));
        record.declined_hazards = accepts
            .1
            .map_or(0, |hazard| crate::vocabulary::mask([hazard]));
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

/// The request as a client would send it once more, with this changed.
fn asked_anew(details: &MatchRequestDetails, relaxation: Relaxation) -> MatchRequestDetails {
    let mut anew = details.clone();
    let required = |day: &RequestedDay| day.strength == DayStrength::Must;
    let is = |day: &RequestedDay, time: AskedTime| {
        (day.weekday, day.day_part, day.hours) == (time.weekday, time.day_part, time.hours)
    };
    match relaxation {
        Relaxation::WithoutService(service) => anew.services.retain(|other| *other != service),
        Relaxation::WithoutCertificate(held) => anew.certifications.retain(|other| *other != held),
        Relaxation::MustAsWish(wish) => {
            for preference in &mut anew.preferences {
                if preference.wish == wish {
                    preference.strength = Strength::Prefer;
                }
            }
        }
        Relaxation::NotAvoided(wish) => anew.preferences.retain(|other| other.wish != wish),
        Relaxation::TimeAsWish(time) => {
            for day in anew.days.iter_mut().filter(|day| is(day, time)) {
                day.strength = DayStrength::Prefer;
            }
        }
        Relaxation::TimesAsWishes => {
            for day in &mut anew.days {
                day.strength = DayStrength::Prefer;
            }
        }
        Relaxation::AnyHours(time) => {
            for day in anew.days.iter_mut().filter(|day| is(day, time)) {
                day.hours = None;
            }
        }
        Relaxation::OtherPart { from, to } => {
            for day in &mut anew.days {
                if required(day) && day.day_part == from {
                    (day.day_part, day.hours) = (to, None);
                }
            }
        }
        Relaxation::OtherDay { from, to } => {
            for day in &mut anew.days {
                if required(day) && day.weekday == from {
                    day.weekday = to;
                }
            }
        }
        Relaxation::Budget(most) => anew.budget.most = most,
        Relaxation::NoLeast => anew.budget.least = Cents(0),
    }
    anew
}

fn relations(records: &[IndexRecord]) -> Relations {
    let every = |many: usize| {
        let some = records.iter().step_by(many);
        some.map(|record| record.worker).collect::<BTreeSet<_>>()
    };
    Relations {
        own: records.iter().take(1).map(|one| one.person).collect(),
        blocked: every(7),
        known: every(11),
    }
}

fn misses(asked: &Asked, records: &[IndexRecord], relations: &Relations) -> Misses {
    let mut tally = Tally::new(asked, relations);
    for record in records {
        tally.add(record);
    }
    tally.finish(vec![])
}

/// Whom a client would find with one request and not with another.
fn found_only(
    (one, relations): (&Asked, &Relations),
    other: &Asked,
    records: &[IndexRecord],
) -> u32 {
    let fits = |asked, record| judge_record(asked, record, relations).is_eligible();
    let unknown = records
        .iter()
        .filter(|record| !relations.known.contains(&record.worker));
    let only = unknown.filter(|record| fits(one, record) && !fits(other, record));
    u32::try_from(only.count()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_change_brings_whom_the_changed_request_would_find(
        details in request(),
        records in prop::collection::vec(record(), 60),
    ) {
        let asked = Asked::of(&details, now());
        let relations = relations(&records);
        let nobody_blocked = Relations { blocked: BTreeSet::new(), ..relations.clone() };
        let misses = misses(&asked, &records, &relations);
        let counted = |relaxed: &[Relaxed], relaxation| {
            let mut counts = relaxed.iter().filter(|relaxed| relaxed.relaxation == relaxation);
            counts.next().map(|relaxed| (relaxed.brings, relaxed.loses))
        };
        for relaxation in relaxations(&asked) {
            let anew = Asked::of(&asked_anew(&details, relaxation), now());
            for (relaxed, relations) in [
                (&misses.relaxed, &relations),
                (&misses.told.relaxed, &nobody_blocked),
            ] {
                let brings = found_only((&anew, relations), &asked, &records);
                let loses = found_only((&asked, relations), &anew, &records);
                match counted(relaxed, relaxation) {
                    Some(counts) => prop_assert_eq!(counts, (brings, loses), "{:?}", relaxation),
                    None => prop_assert!(
                        brings == 0 || relaxed.len() == MOST_KEPT,
                        "{:?} brings {}", relaxation, brings
                    ),
                }
            }
        }
        for arrangement in arrangements(&asked) {
            let anew = arrangement.of(&asked);
            let arranged = records.iter().map(|record| {
                arrangement.with(record, asked.today).unwrap_or_else(|| record.clone())
            });
            let arranged: Vec<IndexRecord> = arranged.collect();
            let fit = |asked, records: &[IndexRecord]| {
                let fits = |record: &&IndexRecord| {
                    !relations.known.contains(&record.worker)
                        && judge_record(asked, record, &relations).is_eligible()
                };
                records.iter().filter(fits).count()
            };
            let brings = fit(&anew, &arranged) - fit(&asked, &records);
            let counted = misses.arranged.iter().find(|one| one.arrangement == arrangement);
            let counted = counted.map_or(0, |counted| counted.brings as usize);
            prop_assert_eq!(counted, brings, "{:?}", arrangement);
        }
    }

    #[test]
    fn what_is_told_is_the_same_whoever_is_blocked(
        details in request(),
        records in prop::collection::vec(record(), 30),
        blocked in prop::collection::vec(any::<bool>(), 30),
    ) {
        let asked = Asked::of(&details, now());
        let mut between = relations(&records);
        between.blocked.clear();
        let before = misses(&asked, &records, &between);
        let blocked = records.iter().zip(blocked).filter(|(_, blocked)| *blocked);
        between.blocked = blocked.map(|(record, _)| record.worker).collect();
        let after = misses(&asked, &records, &between);
        prop_assert_eq!(before.told, after.told);
    }

    #[test]
    fn what_is_lacking_is_what_is_broken(
        details in request(),
        records in prop::collection::vec(record(), 20),
    ) {
        let asked = Asked::of(&details, now());
        let relations = relations(&records);
        for record in &records {
            let lacks = lacks_of_record(&asked, record, &relations);
            let rules: BTreeSet<Rule> = lacks.iter().map(|lack| lack.rule()).collect();
            let broken = judge_record(&asked, record, &relations).rules().collect();
            prop_assert_eq!(rules, broken, "{:?}", lacks);
        }
    }
}

#[test]
fn changes_bring_often_enough_for_these_tests_to_mean_something() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut draw = || {
        let records = prop::collection::vec(record(), 60);
        (request(), records)
            .new_tree(&mut runner)
            .unwrap()
            .current()
    };
    let mut kinds = BTreeSet::new();
    for _ in 0..120 {
        let (details, records) = draw();
        let asked = Asked::of(&details, now());
        let misses = misses(&asked, &records, &relations(&records));
        let name = |code: String| code.split(['(', ' ']).next().unwrap().to_owned();
        kinds.extend(
            misses
                .relaxed
                .iter()
                .map(|one| name(format!("{:?}", one.relaxation))),
        );
        kinds.extend(
            misses
                .arranged
                .iter()
                .map(|one| name(format!("{:?}", one.arrangement))),
        );
        let loses = misses.relaxed.iter().any(|one| one.loses > 0);
        kinds.extend(loses.then(|| "loses".to_owned()));
    }
    assert_eq!(kinds.len(), 11 + 6 + 1, "{kinds:?}");
}

#[test]
fn hours_read_back_as_they_were_asked_for() {
    let mut read = 0;
    for part in DayPart::ALL {
        for from in 0..=48 {
            for until in 0..=48 {
                let hours = Hours {
                    from: time(from),
                    until: time(until),
                };
                // Midnight is written both ways; from 00:00 and until 24:00 it is read back.
                if !part.holds(hours) || from == 48 || until == 0 {
                    continue;
                }
                let asked = AskedTime {
                    weekday: Weekday::Sunday,
                    day_part: *part,
                    hours: Some(hours),
                };
                let times: Vec<_> = AskedTime::each(&AskedTime::all([asked])).collect();
                assert_eq!(times, [asked]);
                read += 1;
            }
        }
    }
    assert_eq!(read, 78 + 78 + 36 + 136);
}

#[test]
fn the_largest_request_has_a_bounded_number_of_changes() {
    let mut most = details();
    most.services = Service::ALL.iter().copied().take(8).collect();
    most.certifications = Certification::ALL.to_vec();
    most.care_needs.tasks = Task::ALL.to_vec();
    most.care_needs.hazards = Hazard::ALL.to_vec();
    most.care_needs.level = CareLevel::Complex;
    most.budget.least = Cents(1);
    let interests = Interest::ALL.iter().take(24).enumerate();
    let preference = |(number, interest): (usize, &Interest)| Preference {
        strength: if number % 2 == 0 {
            Strength::Must
        } else {
            Strength::Avoid
        },
        wish: Wish::Interest(*interest),
        care_reason: None,
    };
    most.preferences = interests.map(preference).collect();
    let weekdays = Weekday::ALL.iter();
    let days = weekdays.flat_map(|weekday| DayPart::ALL.iter().map(move |part| (*weekday, *part)));
    let required: Vec<RequestedDay> = days
        .map(|(weekday, day_part)| RequestedDay {
            weekday,
            day_part,
            hours: Some(hours(day_part)),
            strength: DayStrength::Must,
        })
        .collect();
    for days in 0..=required.len() {
        most.days = required.iter().copied().take(days).collect();
        assert_eq!(most.validate(today()), Ok(()));
        let asked = Asked::of(&most, now());
        let changes = relaxations(&asked).len() + arrangements(&asked).len();
        assert!(changes <= MOST_CHANGES, "{changes}");
    }
}

#[test]
fn changes_read_as_people_speak() {
    let monday = AskedTime::any(Weekday::Monday, DayPart::Morning);
    let exact = AskedTime {
        hours: Some(hours(DayPart::Morning)),
        ..monday
    };
    let (from, to) = (DayPart::Morning, DayPart::Evening);
    for (relaxation, words) in [
        (
            Relaxation::OtherPart { from, to },
            "Evenings instead of mornings",
        ),
        (
            Relaxation::OtherDay {
                from: Weekday::Monday,
                to: Weekday::Friday,
            },
            "Fridays instead of Mondays",
        ),
        (
            Relaxation::TimeAsWish(monday),
            "Monday mornings as a wish instead of a must",
        ),
        (
            Relaxation::TimeAsWish(exact),
            "Mondays 09:00 to 11:00 as a wish instead of a must",
        ),
        (
            Relaxation::AnyHours(exact),
            "Monday mornings at any time instead of exact hours",
        ),
        (Relaxation::Budget(Cents(6500)), "Up to 65.00 an hour"),
        (
            Relaxation::MustAsWish(Wish::Skill(Skill::Cooking)),
            "As a wish instead of a must: Cooking",
        ),
    ] {
        assert_eq!(relaxation.words(), words);
        let json = serde_json::to_string(&relaxation).unwrap();
        assert_eq!(
            serde_json::from_str::<Relaxation>(&json).unwrap(),
            relaxation
        );
    }
}
