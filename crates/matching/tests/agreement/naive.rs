//! Who fits a request and how well, worked out from the profiles the long way: no masks, no index, no bounds.
//!
//! Written from the rules as the documentation states them, to be held against the engine. Of the engine it knows
//! nothing; of the domain it borrows what is no rule: positions and their distances, and the stems of words. What is
//! dear is kept for those whom the cheap rules have left, so that it can be asked about a million people.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::availability::{
    DayPart, DayStrength, Exception, HalfHour, RequestedDay, Strength, Weekday,
};
use domain::candidates::Criterion;
use domain::check::CheckKind;
use domain::eligibility::Relations;
use domain::id::{MatchRequestId, WorkerId};
use domain::match_request::{MatchRequestDetails, Wish};
use domain::place::Position;
use domain::profile::WorkEntry;
use domain::support_worker::{SupportWorker, WorkerState};
use domain::vocabulary::{CareLevel, Condition, Expertise, Gender, Interest, Task, Vocabulary};
use domain::words::stems;
use sha2::{Digest, Sha256};

/// How many are wanted.
const WANTED: usize = 10;

/// A request, and the best of those it has been shown.
pub(crate) struct Seeking<'a> {
    request: MatchRequestId,
    details: &'a MatchRequestDetails,
    relations: &'a Relations,
    today: NaiveDate,
    position: Position,
    /// Telling words, and the interests whose names say them.
    words: Vec<(String, Vec<Interest>)>,
    best: Vec<(Rank, WorkerId)>,
}

/// A support worker, with what is worked out of them at most once.
pub(crate) struct Shown<'a> {
    worker: &'a SupportWorker,
    position: Position,
    radius_km: u16,
    stems: OnceCell<BTreeSet<String>>,
}

/// The score, the best first; then who was shown least; then the lot.
type Rank = (Reverse<u32>, u32, [u8; 16]);

impl<'a> Shown<'a> {
    pub(crate) fn new(worker: &'a SupportWorker) -> Self {
        let area = worker.profile.service_area.as_ref().unwrap();
        Self {
            worker,
            position: area.base.position(),
            radius_km: area.radius_km,
            stems: OnceCell::new(),
        }
    }
}

impl<'a> Seeking<'a> {
    pub(crate) fn new(
        request: MatchRequestId,
        details: &'a MatchRequestDetails,
        relations: &'a Relations,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            request,
            details,
            relations,
            today: details.place.today(now),
            position: details.place.position(),
            words: telling_words(&details.about_me),
            best: vec![],
        }
    }

    /// Looks at one more support worker.
    pub(crate) fn look_at(&mut self, shown: &Shown<'_>) {
        if !self.fits(shown) {
            return;
        }
        let worker = shown.worker;
        let rank = (
            Reverse(self.score(shown)),
            worker.reliability.exposure,
            lot(self.request, worker.id),
        );
        self.best.push((rank, worker.id));
        self.best.sort();
        self.best.truncate(WANTED);
    }

    /// Takes over whom another has found for the same request.
    pub(crate) fn join(&mut self, other: Self) {
        self.best.extend(other.best);
        self.best.sort();
        self.best.truncate(WANTED);
    }

    /// The ten best with their scores, the best first.
    pub(crate) fn ten(&self) -> Vec<(WorkerId, u32)> {
        let best = self.best.iter();
        best.map(|((Reverse(score), _, _), worker)| (*worker, *score))
            .collect()
    }

    fn fits(&self, shown: &Shown<'_>) -> bool {
        let Shown { worker, .. } = *shown;
        let relations = self.relations;
        self.is_within_reach(shown)
            && self.services_are_offered_within_budget(worker)
            && self.no_boundary_is_crossed(worker)
            && self.wishes_are_kept(worker)
            && self.is_active_throughout(worker)
            && self.certificates_hold(worker)
            && !relations.own.contains(&worker.person)
            && !relations.blocked.contains(&worker.id)
            && !relations.known.contains(&worker.id)
            && self
                .days(DayStrength::Must)
                .all(|day| self.is_free(worker, day))
    }

    fn is_within_reach(&self, shown: &Shown<'_>) -> bool {
        let Shown {
            position: theirs,
            radius_km,
            ..
        } = *shown;
        let (ours, metres) = (self.position, u32::from(radius_km) * 1000);
        // The straight way is never longer than the one along the ground, nor shorter than along one axis.
        let near = |one: i32, other: i32| one.abs_diff(other) <= metres;
        near(ours.x, theirs.x)
            && near(ours.y, theirs.y)
            && near(ours.z, theirs.z)
            && theirs.reaches(ours, radius_km)
    }

    fn services_are_offered_within_budget(&self, worker: &SupportWorker) -> bool {
        let budget = &self.details.budget;
        self.details.services.iter().all(|wanted| {
            worker.profile.services.iter().any(|offered| {
                offered.service == *wanted
                    && budget.least <= offered.hourly_rate
                    && offered.hourly_rate <= budget.most
            })
        })
    }

    fn no_boundary_is_crossed(&self, worker: &SupportWorker) -> bool {
        let (needs, theirs) = (&self.details.care_needs, &worker.profile.boundaries);
        let comes_up = |task: &Task| {
            needs.tasks.contains(task) || needs.mobility.brings().is_some_and(|own| own == *task)
        };
        needs.level <= theirs.highest_care_level.unwrap_or(CareLevel::Complex)
            && !theirs.tasks.iter().any(comes_up)
            && !theirs
                .hazards
                .iter()
                .any(|hazard| needs.hazards.contains(hazard))
    }

    fn wishes_are_kept(&self, worker: &SupportWorker) -> bool {
        self.details
            .preferences
            .iter()
            .all(|preference| match preference.strength {
                Strength::Must => meets(worker, preference.wish),
                Strength::Avoid => !meets(worker, preference.wish),
                Strength::Prefer => true,
            })
    }

    /// The last day of the period; of support without an end its first; never before today.
    fn last_day(&self) -> NaiveDate {
        let period = &self.details.period;
        period.until.unwrap_or(period.from).max(self.today)
    }

    fn is_active_throughout(&self, worker: &SupportWorker) -> bool {
        worker.state == WorkerState::Active
            && worker.introduction_approved.is_some()
            && CheckKind::ALL.iter().all(|kind| {
                let mut checks = worker.checks.iter();
                checks.any(|check| check.kind == *kind && check.holds_on(self.last_day()))
            })
    }

    fn certificates_hold(&self, worker: &SupportWorker) -> bool {
        self.details.certifications.iter().all(|wanted| {
            worker.proven.certifications.iter().any(|held| {
                let until = held.expires_on;
                held.certification == *wanted && until.is_none_or(|last| self.last_day() <= last)
            })
        })
    }

    fn days(&self, strength: DayStrength) -> impl Iterator<Item = &RequestedDay> {
        let days = self.details.days.iter();
        days.filter(move |day| day.strength == strength)
    }

    /// On at least one date of the four weeks from the beginning: all of the hours where they are given, else four
    /// half hours in a row within the day-part.
    fn is_free(&self, worker: &SupportWorker, day: &RequestedDay) -> bool {
        let period = &self.details.period;
        let first = period.from.max(self.today);
        first
            .iter_days()
            .take(28)
            .take_while(|date| period.until.is_none_or(|until| *date <= until))
            .filter(|date| Weekday::of(*date) == day.weekday)
            .any(|date| match day.hours {
                Some(hours) => {
                    let past_midnight = |time: HalfHour| match day.day_part {
                        DayPart::Night if time.half_hours() < 44 => time.half_hours() + 48,
                        _ => time.half_hours(),
                    };
                    let (from, until) = (past_midnight(hours.from), past_midnight(hours.until));
                    (from..until).all(|half_hour| works_at(worker, date, half_hour))
                }
                None => {
                    let (from, until) = match day.day_part {
                        DayPart::Morning => (12, 24),
                        DayPart::Afternoon => (24, 36),
                        DayPart::Evening => (36, 44),
                        DayPart::Night => (44, 60),
                    };
                    (from..=until - 4)
                        .any(|at| (at..at + 4).all(|half_hour| works_at(worker, date, half_hour)))
                }
            })
    }

    fn score(&self, shown: &Shown<'_>) -> u32 {
        // Every criterion with what it weighs; the second version of the weights.
        let weighed = [
            (22, Criterion::Expertise),
            (13, Criterion::Days),
            (11, Criterion::Interests),
            (8, Criterion::Wishes),
            (10, Criterion::Understanding),
            (7, Criterion::Experience),
            (11, Criterion::Reliability),
            (6, Criterion::Distance),
            (4, Criterion::Rate),
            (4, Criterion::Workload),
            (4, Criterion::Words),
        ];
        let points = weighed.map(|(weight, criterion)| weight * self.worth(shown, criterion));
        u32::try_from(points.iter().sum::<u64>()).unwrap()
    }

    fn worth(&self, shown: &Shown<'_>, criterion: Criterion) -> u64 {
        let worker = shown.worker;
        match criterion {
            Criterion::Expertise => self.expertise(worker),
            Criterion::Days => {
                let free = self
                    .days(DayStrength::Prefer)
                    .filter(|day| self.is_free(worker, day));
                share(free.count(), self.days(DayStrength::Prefer).count())
            }
            Criterion::Interests => {
                self.wishes_met(worker, |wish| matches!(wish, Wish::Interest(_)))
            }
            Criterion::Wishes => self.skills_and_gender(worker),
            Criterion::Understanding => self.wishes_met(worker, |wish| {
                matches!(wish, Wish::Language(_) | Wish::Culture(_))
            }),
            Criterion::Experience => {
                let days = days_worked(&worker.profile.work_history, self.today);
                (days * 1000 / 3650).min(1000)
            }
            Criterion::Reliability => reliability(worker),
            Criterion::Distance => {
                let metres = shown.position.metres_to(self.position);
                10_000 * 1000 / (10_000 + u64::from(metres))
            }
            Criterion::Rate => self.rate(worker),
            Criterion::Workload => u64::from(worker.profile.hours_wanted.unwrap_or(0)).min(20) * 50,
            Criterion::Words => self.words_in_common(shown),
        }
    }

    fn preferred(&self) -> impl Iterator<Item = Wish> {
        let preferences = self.details.preferences.iter();
        preferences
            .filter(|preference| preference.strength == Strength::Prefer)
            .map(|preference| preference.wish)
    }

    fn wishes_met(&self, worker: &SupportWorker, of: fn(&Wish) -> bool) -> u64 {
        let met = self
            .preferred()
            .filter(of)
            .filter(|wish| meets(worker, *wish));
        share(met.count(), self.preferred().filter(of).count())
    }

    /// Skills one by one; of several genders preferred, one is enough.
    fn skills_and_gender(&self, worker: &SupportWorker) -> u64 {
        let skill = |wish: &Wish| matches!(wish, Wish::Skill(_));
        let gender = |wish: &Wish| matches!(wish, Wish::Gender(_));
        let met = self
            .preferred()
            .filter(skill)
            .filter(|wish| meets(worker, *wish));
        let met = met.count();
        let wanted = self.preferred().filter(skill).count();
        if self.preferred().any(|wish| gender(&wish)) {
            let fits = self
                .preferred()
                .filter(gender)
                .any(|wish| meets(worker, wish));
            share(met + usize::from(fits), wanted + 1)
        } else {
            share(met, wanted)
        }
    }

    fn expertise(&self, worker: &SupportWorker) -> u64 {
        let conditions: &[Condition] = &self.details.care_needs.conditions;
        let worth = |condition: &Condition| {
            let proven = worker.proven.conditions.iter();
            let proven = proven.filter(|known| known.condition == *condition);
            let mut claimed = worker.profile.conditions.iter();
            match proven.map(|known| known.expertise).max() {
                Some(Expertise::Specialist) => 1000,
                Some(Expertise::Trained) => 800,
                Some(Expertise::Experienced) => 600,
                Some(Expertise::Aware) => 250,
                None if claimed.any(|known| known.condition == *condition) => 250,
                None => 0,
            }
        };
        let sum: u64 = conditions.iter().map(worth).sum();
        sum.checked_div(conditions.len() as u64).unwrap_or(1000)
    }

    /// How far the dearest service asked for stays below the most that an hour may cost.
    fn rate(&self, worker: &SupportWorker) -> u64 {
        let budget = &self.details.budget;
        let (least, most) = (u64::from(budget.least.0), u64::from(budget.most.0));
        let services = worker.profile.services.iter();
        let asked = services.filter(|offered| self.details.services.contains(&offered.service));
        let dearest = asked
            .map(|offered| u64::from(offered.hourly_rate.0))
            .max()
            .unwrap();
        ((most - dearest) * 1000)
            .checked_div(most - least)
            .unwrap_or(0)
    }

    fn words_in_common(&self, shown: &Shown<'_>) -> u64 {
        if self.words.is_empty() {
            return 1000;
        }
        let worker = shown.worker;
        let written = shown.stems.get_or_init(|| {
            let introduction = worker.introduction_approved.as_deref();
            stems(introduction.unwrap_or_default())
                .into_iter()
                .collect()
        });
        let common = self.words.iter().filter(|(stem, about)| {
            let interests = &worker.profile.interests;
            written.contains(stem) || about.iter().any(|interest| interests.contains(interest))
        });
        1000 - 2 * 1000 / (2 + common.count() as u64)
    }
}

/// So many of so many, in thousandths; all of nothing.
fn share(met: usize, wanted: usize) -> u64 {
    (met * 1000).checked_div(wanted).unwrap_or(1000) as u64
}

fn meets(worker: &SupportWorker, wish: Wish) -> bool {
    let profile = &worker.profile;
    match wish {
        Wish::Interest(word) => profile.interests.contains(&word),
        Wish::Skill(word) => profile.skills.contains(&word),
        Wish::Language(word) => profile.languages.contains(&word),
        Wish::Culture(word) => profile.cultures.contains(&word),
        Wish::Gender(word) => profile.gender.unwrap_or(Gender::Unstated) == word,
    }
}

/// Whether somebody works in the half hour so many after midnight of a date; from 48 on it is the next day.
fn works_at(worker: &SupportWorker, date: NaiveDate, half_hour: u8) -> bool {
    if half_hour >= 48 {
        return works_at(worker, date.succ_opt().unwrap(), half_hour - 48);
    }
    let within = |from: HalfHour, until: HalfHour| {
        from.half_hours() <= half_hour && half_hour < until.half_hours()
    };
    let availability = &worker.profile.availability;
    let away = availability.exceptions.iter().any(|exception| {
        matches!(exception, Exception::Away { first, last } if *first <= date && date <= *last)
    });
    let extra = availability.exceptions.iter().any(|exception| {
        matches!(exception, Exception::Extra { date: on, from, until } if *on == date && within(*from, *until))
    });
    let usual = availability
        .weekly
        .iter()
        .any(|hours| hours.weekday == Weekday::of(date) && within(hours.from, hours.until));
    extra || (usual && !away)
}

/// The days spent in support work, each once, until yesterday where it goes on. What ends after the present job
/// began is part of that one.
fn days_worked(history: &[WorkEntry], today: NaiveDate) -> u64 {
    let support: Vec<&WorkEntry> = history.iter().filter(|entry| entry.support_work).collect();
    let going_on = support.iter().filter(|entry| entry.until.is_none());
    let present = going_on.map(|entry| entry.from).min();
    let spans = support.iter().map(|entry| match entry.until {
        None => (entry.from, today),
        Some(last) => {
            let end = last.succ_opt().unwrap();
            (entry.from, present.map_or(end, |present| end.min(present)))
        }
    });
    let spans: Vec<(NaiveDate, NaiveDate)> = spans.collect();
    let (Some(first), Some(end)) = (
        spans.iter().map(|span| span.0).min(),
        spans.iter().map(|span| span.1).max(),
    ) else {
        return 0;
    };
    let since = |date: NaiveDate| usize::try_from((date - first).num_days()).unwrap_or(0);
    let mut days = vec![false; since(end)];
    for (from, until) in spans {
        if from < until {
            days[since(from)..since(until)].fill(true);
        }
    }
    days.into_iter().filter(|worked| *worked).count() as u64
}

/// Half of it ratings, drawn towards 4.2 as if there were five such; a quarter answers, drawn towards four of five;
/// a tenth how soon they come; the rest visits.
fn reliability(worker: &SupportWorker) -> u64 {
    let facts = &worker.reliability;
    let many = u64::from;
    let rating = (many(facts.rating_sum) * 100 + 420 * 5) / (many(facts.rating_count) + 5);
    let rating = (rating.max(100) - 100).min(400) * 1000 / 400;
    let answers = ((many(facts.answered) + 4) * 1000 / (many(facts.invitations) + 5)).min(1000);
    let minutes = many(facts.answer_minutes)
        .checked_div(many(facts.answered))
        .unwrap_or(720);
    let speed = 720 * 1000 / (720 + minutes);
    let visits = 1000 - 20 * 1000 / (20 + many(facts.completed_visits));
    (rating * 50 + answers * 25 + speed * 10 + visits * 15) / 100
}

/// The first 24 telling words of a text, as stems, each with the interests whose names say it.
fn telling_words(text: &str) -> Vec<(String, Vec<Interest>)> {
    let mut telling: Vec<(String, Vec<Interest>)> = vec![];
    for run in text.split(|c: char| !c.is_alphabetic() && c != '\'' && c != '’') {
        for stem in stems(run) {
            if telling.len() == 24 || telling.iter().any(|(earlier, _)| *earlier == stem) {
                continue;
            }
            let about = INTERESTS.with(|interests| interests.get(&stem).cloned());
            telling.push((stem, about.unwrap_or_default()));
        }
    }
    telling
}

thread_local! {
    static INTERESTS: BTreeMap<String, Vec<Interest>> = {
        let mut interests: BTreeMap<String, Vec<Interest>> = BTreeMap::new();
        for interest in Interest::ALL {
            for stem in stems(interest.label()) {
                interests.entry(stem).or_default().push(*interest);
            }
        }
        interests
    };
}

/// What decides between equals: nobody can steer it, and it is the same every time.
fn lot(request: MatchRequestId, worker: WorkerId) -> [u8; 16] {
    let both = [*request.uuid().as_bytes(), *worker.uuid().as_bytes()].concat();
    let mut lot = [0; 16];
    lot.copy_from_slice(&Sha256::digest(both)[..16]);
    lot
}
