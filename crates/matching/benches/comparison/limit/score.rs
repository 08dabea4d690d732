//! Scoring a row: what is cheap first, and no further once it cannot be among the ten.

use domain::availability::DayParts;
use domain::candidates::Criterion;
use domain::eligibility::Asked;
use domain::place::metres_along;
use domain::vocabulary::{Service, Vocabulary, words_in};
use rapport_matching::{Query, Weights};

use super::columns::{Columns, Offer, day};
use super::ten::Ten;

const FULL: u32 = 1000;
const CRITERIA: usize = Criterion::ALL.len();

pub(super) struct Scorer<'a> {
    columns: &'a Columns,
    asked: &'a Asked,
    weights: [u32; CRITERIA],
    occurring: DayParts,
    services: Vec<usize>,
    today: i32,
    /// The numbers of the words asked for, where anybody has written them, and the interests about them.
    words: Vec<(Option<u32>, [u64; 3])>,
}

impl<'a> Scorer<'a> {
    pub(super) fn new(
        columns: &'a Columns,
        query: Query<'a>,
        weights: &Weights,
        occurring: DayParts,
    ) -> Self {
        let asked = query.asked;
        let mut by_criterion = [0; CRITERIA];
        for criterion in Criterion::ALL {
            by_criterion[criterion.bit() as usize] = weights.of(*criterion);
        }
        let words = asked.words.iter();
        Self {
            columns,
            asked,
            weights: by_criterion,
            occurring,
            services: words_in::<Service>(asked.services)
                .map(|service| service.bit() as usize)
                .collect(),
            today: day(asked.today),
            words: words
                .map(|word| (columns.stems.get(&word.stem).copied(), word.interests))
                .collect(),
        }
    }

    /// Puts a row among the ten, unless it cannot be one of them.
    pub(super) fn offer(&self, row: u32, ten: &mut Ten) {
        let at = row as usize;
        let (columns, asked) = (self.columns, self.asked);
        let exposure = columns.steady[at].exposure;
        let mut values = [FULL; CRITERIA];
        let mut set = |criterion: Criterion, value: u32| values[criterion as usize] = value;
        set(Criterion::Expertise, self.expertise(at));
        set(Criterion::Interests, self.interests(at));
        set(Criterion::Wishes, self.wishes(at));
        set(Criterion::Understanding, self.understanding(at));
        set(Criterion::Experience, self.experience(at));
        set(
            Criterion::Reliability,
            u32::from(columns.steady[at].reliability),
        );
        set(Criterion::Workload, u32::from(columns.steady[at].workload));
        set(Criterion::Rate, self.rate(at));
        if !ten.may_take(self.score(&values), exposure) {
            return;
        }
        let metres = metres_along(columns.positions[at].chord_squared(asked.position));
        values[Criterion::Distance as usize] = 10_000 * FULL / (10_000 + metres);
        let by_date = self.days_by_date(at);
        if !by_date {
            values[Criterion::Days as usize] = self.usual_days(at);
        }
        if !ten.may_take(self.score(&values), exposure) {
            return;
        }
        if !self.words.is_empty() {
            values[Criterion::Words as usize] = self.words_in_common(row);
            if !ten.may_take(self.score(&values), exposure) {
                return;
            }
        }
        if !columns.is_free(row, asked) {
            return;
        }
        if by_date {
            values[Criterion::Days as usize] = self.days_on_dates(row);
        }
        ten.offer(self.score(&values), exposure, columns.workers[at], values);
    }

    fn score(&self, values: &[u32; CRITERIA]) -> u32 {
        let mut score = 0_u32;
        for (value, weight) in values.iter().zip(self.weights) {
            score = score.wrapping_add(value.wrapping_mul(weight));
        }
        score
    }

    fn expertise(&self, at: usize) -> u32 {
        let wanted = self.asked.conditions;
        if wanted == 0 {
            return FULL;
        }
        let known = self.columns.conditions[at].map(|known| u64::from(known) & wanted);
        let [aware, experienced, trained, specialist] = known;
        // Each level holds those above it.
        let worth = 250 * aware.count_ones()
            + 350 * experienced.count_ones()
            + 200 * trained.count_ones()
            + 200 * specialist.count_ones();
        worth / wanted.count_ones()
    }

    fn interests(&self, at: usize) -> u32 {
        let wanted = self.asked.prefer.interests;
        let count: u32 = wanted.iter().map(|part| part.count_ones()).sum();
        if count == 0 {
            return FULL;
        }
        let shared = self.columns.interests[at].iter().zip(wanted);
        let met: u32 = shared
            .map(|(has, wanted)| (has & wanted).count_ones())
            .sum();
        met * FULL / count
    }

    fn wishes(&self, at: usize) -> u32 {
        let prefer = &self.asked.prefer;
        let count = prefer.skills.count_ones() + u32::from(prefer.genders != 0);
        if count == 0 {
            return FULL;
        }
        let skills = (u64::from(self.columns.skills[at]) & prefer.skills).count_ones();
        let gender = self.columns.offer[at] & Offer::genders(prefer.genders) != 0;
        (skills + u32::from(gender)) * FULL / count
    }

    fn understanding(&self, at: usize) -> u32 {
        let (languages, cultures) = (self.asked.prefer.languages, self.asked.prefer.cultures);
        let count = languages.count_ones() + cultures.count_ones();
        if count == 0 {
            return FULL;
        }
        let met = (self.columns.languages[at] & languages).count_ones()
            + (u64::from(self.columns.cultures[at]) & cultures).count_ones();
        met * FULL / count
    }

    fn experience(&self, at: usize) -> u32 {
        let experience = self.columns.experience[at];
        let since = experience.since.map_or(0, |since| self.today - since);
        let days = experience.worked + u32::try_from(since).unwrap_or(0);
        days.min(3650) * FULL / 3650
    }

    fn rate(&self, at: usize) -> u32 {
        let (least, most) = (self.asked.budget.least.0, self.asked.budget.most.0);
        if most == least {
            return 0;
        }
        let rates = &self.columns.rates[at];
        let dearest = self
            .services
            .iter()
            .map(|service| rates[service % 16])
            .max();
        let below = u64::from(most - dearest.unwrap_or(most));
        u32::try_from(below * u64::from(FULL) / u64::from(most - least)).unwrap_or(FULL)
    }

    /// Whether the preferred times have to be looked for date by date.
    fn days_by_date(&self, at: usize) -> bool {
        let preferred = &self.asked.preferred;
        let exceptions = self.columns.offer[at] & Offer::EXCEPTIONS != 0;
        preferred.count() > 0 && (exceptions || !preferred.hours.is_empty())
    }

    fn usual_days(&self, at: usize) -> u32 {
        let preferred = &self.asked.preferred;
        if preferred.count() == 0 {
            return FULL;
        }
        let usual = Offer::day_parts(self.columns.offer[at]).and(self.occurring);
        usual.shared(preferred.parts) * FULL / preferred.count()
    }

    fn days_on_dates(&self, row: u32) -> u32 {
        let preferred = &self.asked.preferred;
        let exceptions = self.columns.exceptions.of(row);
        let week = &self.columns.weeks[row as usize];
        let free = week.free_on(exceptions, self.asked.window, preferred);
        free * FULL / preferred.count()
    }

    fn words_in_common(&self, row: u32) -> u32 {
        let written = self.columns.words.of(row);
        let interests = &self.columns.interests[row as usize];
        let common = self.words.iter().filter(|(stem, about)| {
            let mut parts = about.iter().zip(interests);
            parts.any(|(about, has)| about & has != 0)
                || stem.is_some_and(|stem| written.binary_search(&stem).is_ok())
        });
        let common = u32::try_from(common.count()).unwrap_or(u32::MAX);
        FULL - 2 * FULL / (2 + common)
    }
}
