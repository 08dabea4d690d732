//! Random support workers and requests around one place, from a seed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::availability::{
    Availability, DayPart, DayStrength, Exception, HalfHour, Hours, RequestedDay, Strength,
    Weekday, WeeklyHours,
};
use domain::candidates::Criterion;
use domain::check::{Check, CheckKind, CheckState};
use domain::id::{PersonId, WorkerId};
use domain::match_request::{
    Budget, CareNeeds, MatchRequestDetails, Period, Preference, Sharing, Wish,
};
use domain::money::Cents;
use domain::place::Place;
use domain::profile::{
    Boundaries, KnownCondition, OfferedService, ServiceArea, WorkEntry, WorkerProfile,
};
use domain::support_worker::{
    HeldCertification, ProvenQualifications, Reliability, SupportWorker, WorkerState,
};
use domain::vocabulary::{
    CareLevel, Certification, Condition, Culture, Expertise, Gender, Hazard, Interest, Language,
    Mobility, Service, Skill, Task, Vocabulary,
};
use uuid::Uuid;

use crate::Weights;

const TOLD: [&str; 16] = [
    "I like",
    "gardens",
    "a vegetable patch",
    "my puppy",
    "old dogs",
    "footy",
    "films",
    "the cinema",
    "chess",
    "knitting",
    "wool",
    "long walks",
    "strolling",
    "zeppelins",
    "I'm patient",
    "the choir",
];

pub(super) fn now() -> DateTime<Utc> {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

pub(super) fn today() -> NaiveDate {
    centre().today(now())
}

pub(super) fn centre() -> Place {
    Place {
        suburb: "Carlton".into(),
        postcode: "3053".into(),
        latitude: -37.80,
        longitude: 144.97,
        time_zone: "Australia/Melbourne".into(),
    }
}

/// A small generator of chance that replays from its seed.
pub(super) struct Samples(u64);

impl Samples {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        // Splitmix, so that neighbouring seeds differ.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn number(&mut self, bound: u32) -> u32 {
        self.below(bound as usize) as u32
    }

    fn pick<V: Vocabulary>(&mut self) -> V {
        V::ALL[self.below(V::ALL.len())]
    }

    /// Each word with one chance in `many`.
    fn some<V: Vocabulary>(&mut self, many: usize) -> Vec<V> {
        V::ALL
            .iter()
            .copied()
            .filter(|_| self.one_in(many))
            .collect()
    }

    fn date(&mut self, spread: u32) -> NaiveDate {
        let days = i64::from(self.number(spread)) - i64::from(spread / 2);
        today() + TimeDelta::days(days)
    }

    fn place(&mut self, spread: f64) -> Place {
        let mut away = || (self.below(2001) as f64 / 1000.0 - 1.0) * spread;
        Place {
            latitude: centre().latitude + away(),
            longitude: centre().longitude + away(),
            ..centre()
        }
    }

    /// Somewhere in the cell of the centre, up to its edges.
    fn place_in_cell(&mut self) -> Place {
        loop {
            let place = self.place(0.4);
            if place.cell() == centre().cell() {
                return place;
            }
        }
    }

    pub(super) fn workers(&mut self, count: usize) -> Vec<SupportWorker> {
        (0..count).map(|_| self.worker()).collect()
    }

    /// Others who are the same in everything but who they are.
    pub(super) fn doubles(&mut self, workers: &[SupportWorker]) -> Vec<SupportWorker> {
        let doubles = workers.iter().map(|worker| {
            let (id, person) = self.ids();
            SupportWorker {
                id,
                person,
                ..worker.clone()
            }
        });
        doubles.collect()
    }

    /// The weights in use, or any others that add up.
    pub(super) fn weights(&mut self) -> Weights {
        let mut weights = Weights::default();
        for _ in 0..[0, 5, 200][self.below(3)] {
            let (from, to) = (
                self.below(Criterion::ALL.len()),
                self.below(Criterion::ALL.len()),
            );
            let moved = self.number(weights.weights[from].weight + 1);
            weights.weights[from].weight -= moved;
            weights.weights[to].weight += moved;
        }
        assert_eq!(weights.validate(), Ok(()));
        weights
    }

    fn ids(&mut self) -> (WorkerId, PersonId) {
        let mut id = || Uuid::from_u64_pair(self.next(), self.next());
        (WorkerId::from_uuid(id()), PersonId::from_uuid(id()))
    }

    fn worker(&mut self) -> SupportWorker {
        let (id, person) = self.ids();
        let mut worker = SupportWorker::new(id, person);
        worker.state = WorkerState::Active;
        worker.introduction_approved = Some(self.text());
        worker.checks = CheckKind::ALL
            .iter()
            .map(|kind| self.check(*kind))
            .collect();
        worker.proven = ProvenQualifications {
            certifications: self
                .some::<Certification>(2)
                .into_iter()
                .map(|certification| HeldCertification {
                    certification,
                    expires_on: self.one_in(3).then(|| self.date(400)),
                })
                .collect(),
            conditions: self.conditions(6),
        };
        worker.reliability = self.reliability();
        worker.profile = self.profile();
        worker
    }

    /// A few words that people write about themselves, some of them ordinary, some the same by other names.
    fn text(&mut self) -> String {
        let words = (0..self.below(9)).map(|_| TOLD[self.below(TOLD.len())]);
        words.collect::<Vec<_>>().join(" and ")
    }

    fn check(&mut self, kind: CheckKind) -> Check {
        Check {
            state: CheckState::Verified,
            evidence: Some("seen".into()),
            expires_on: self
                .one_in(8)
                .then(|| today() + TimeDelta::days(i64::from(self.number(200)) - 10)),
            ..Check::pending(kind)
        }
    }

    fn conditions(&mut self, many: usize) -> Vec<KnownCondition> {
        self.some::<Condition>(many)
            .into_iter()
            .map(|condition| KnownCondition {
                condition,
                expertise: self.pick::<Expertise>(),
            })
            .collect()
    }

    fn reliability(&mut self) -> Reliability {
        let rating_count = self.number(30);
        let invitations = self.number(20);
        let answered = self.number(invitations + 1);
        Reliability {
            rating_sum: rating_count * 3 + self.number(rating_count * 2 + 1),
            rating_count,
            invitations,
            answered,
            answer_minutes: answered * self.number(3000),
            completed_visits: self.number(100),
            exposure: self.number(4),
        }
    }

    fn profile(&mut self) -> WorkerProfile {
        WorkerProfile {
            introduction: "I take the time that a day needs.".into(),
            gender: self.one_in(2).then(|| self.pick::<Gender>()),
            work_history: (0..self.below(4))
                .map(|_| {
                    let from = today() - TimeDelta::days(i64::from(self.number(4000)));
                    WorkEntry {
                        role: "Support worker".into(),
                        organisation: "Harbour Care".into(),
                        from,
                        until: (!self.one_in(3))
                            .then(|| from + TimeDelta::days(i64::from(self.number(2000)))),
                        support_work: !self.one_in(4),
                    }
                })
                .collect(),
            services: Service::ALL
                .iter()
                .flat_map(|service| {
                    (!self.one_in(4)).then(|| OfferedService {
                        service: *service,
                        hourly_rate: Cents(3500 + 100 * self.number(40)),
                    })
                })
                .collect(),
            skills: self.some(2),
            conditions: self.conditions(3),
            languages: [vec![Language::English], self.some::<Language>(12)].concat(),
            cultures: self.some(3),
            interests: self.some(3),
            boundaries: Boundaries {
                tasks: self.some::<Task>(30),
                hazards: self.some::<Hazard>(20),
                highest_care_level: self.one_in(3).then(|| self.pick::<CareLevel>()),
            },
            service_area: Some(ServiceArea {
                base: self.place(0.5),
                radius_km: 5 + self.below(60) as u16,
            }),
            availability: self.availability(),
            hours_wanted: Some(self.below(40) as u16),
            ..WorkerProfile::default()
        }
    }

    fn availability(&mut self) -> Availability {
        Availability {
            weekly: Weekday::ALL
                .iter()
                .flat_map(|weekday| (!self.one_in(5)).then(|| self.hours(*weekday)))
                .collect(),
            exceptions: (0..if self.one_in(3) { 3 } else { 0 })
                .map(|_| {
                    let date = self.date(60);
                    if self.one_in(2) {
                        Exception::Away {
                            first: date,
                            last: date + TimeDelta::days(i64::from(self.number(40))),
                        }
                    } else {
                        let hours = self.hours(Weekday::Monday);
                        Exception::Extra {
                            date,
                            from: hours.from,
                            until: hours.until,
                        }
                    }
                })
                .collect(),
        }
    }

    fn hours(&mut self, weekday: Weekday) -> WeeklyHours {
        let from = self.below(24) as u8;
        let until = from + 8 + self.below(17) as u8;
        WeeklyHours {
            weekday,
            from: HalfHour::after_midnight(from).unwrap(),
            until: HalfHour::after_midnight(until.min(48)).unwrap(),
        }
    }

    /// Most requests ask for little, so that somebody is found; each asks for something else.
    pub(super) fn request(&mut self) -> MatchRequestDetails {
        let from = today() + TimeDelta::days(i64::from(self.number(20)));
        MatchRequestDetails {
            services: vec![self.pick::<Service>()],
            days: (0..self.below(6)).map(|_| self.day()).collect(),
            care_needs: CareNeeds {
                level: self.pick::<CareLevel>(),
                conditions: self.some::<Condition>(8),
                mobility: self.pick::<Mobility>(),
                hazards: self.some::<Hazard>(12),
                tasks: self.some::<Task>(15),
                share: Sharing::default(),
            },
            about_me: self.text(),
            preferences: (0..self.below(6)).map(|_| self.preference()).collect(),
            certifications: self.some::<Certification>(25),
            budget: Budget {
                least: Cents(if self.one_in(4) { 4000 } else { 0 }),
                most: Cents(5500 + 100 * self.number(30)),
            },
            place: self.place_in_cell(),
            period: Period {
                from,
                until: self
                    .one_in(3)
                    .then(|| from + TimeDelta::days(i64::from(self.number(120)))),
            },
        }
    }

    fn day(&mut self) -> RequestedDay {
        let day_part = self.pick::<DayPart>();
        RequestedDay {
            weekday: self.pick::<Weekday>(),
            day_part,
            hours: if self.one_in(2) {
                self.hours_within(day_part)
            } else {
                None
            },
            strength: if self.one_in(4) {
                DayStrength::Must
            } else {
                DayStrength::Prefer
            },
        }
    }

    /// Any hours that lie within a part of the day; none where chance finds none.
    fn hours_within(&mut self, part: DayPart) -> Option<Hours> {
        let time = |half_hours| HalfHour::after_midnight(half_hours).unwrap();
        (0..200).find_map(|_| {
            let hours = Hours {
                from: time(self.below(49) as u8),
                until: time(self.below(49) as u8),
            };
            part.holds(hours).then_some(hours)
        })
    }

    fn preference(&mut self) -> Preference {
        let wish = match self.below(5) {
            0 => Wish::Interest(self.pick::<Interest>()),
            1 => Wish::Skill(self.pick::<Skill>()),
            2 => Wish::Language(self.pick::<Language>()),
            3 => Wish::Culture(self.pick::<Culture>()),
            _ => Wish::Gender(self.pick::<Gender>()),
        };
        let strength = match self.below(8) {
            0 => Strength::Must,
            1 => Strength::Avoid,
            _ => Strength::Prefer,
        };
        Preference {
            strength,
            wish,
            care_reason: Some("intimate care".into()),
        }
    }
}
