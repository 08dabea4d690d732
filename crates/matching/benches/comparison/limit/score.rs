//! Scoring a row: what is cheap first, and no further once it cannot be among the ten.

use domain::availability::DayParts;
use domain::candidates::Criterion;
use domain::eligibility::Asked;
use domain::place::metres_along;
use domain::vocabulary::{Service, Vocabulary, words_in};
use rapport_matching::{Query, Weights};

use super::columns::{Columns, Offer, Worth, day};
use super::scan::BLOCK;
use super::ten::{Best, Dear, Entry, Ten};

const FULL: u32 = 1000;
const CRITERIA: usize = Criterion::ALL.len();

pub(super) struct Scorer<'a> {
    columns: &'a Columns,
    query: Query<'a>,
    asked: &'a Asked,
    weights: [u32; CRITERIA],
    unasked: u32,
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
            query,
            asked,
            unasked: Self::unasked(asked, &by_criterion),
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

    /// Notes the most that those rows may be worth. What is cheap is added up for all of them, array by array, so that
    /// memory is waited for together.
    pub(super) fn bound(&self, rows: &[u32], bounded: &mut Vec<(u32, u32)>) {
        let mut sums = [0_u32; BLOCK];
        self.add_up(rows, &mut sums);
        let unasked = self.unasked;
        let bounds = rows.iter().zip(sums);
        bounded.extend(bounds.map(|(row, sum)| (unasked.wrapping_add(sum), *row)));
    }

    /// Puts those rows among the ten that belong there: the most promising first, in order, so that the others are
    /// hardly looked at.
    pub(super) fn offer_all(&self, bounded: &mut [(u32, u32)], ten: &mut Ten) {
        const FIRST: usize = 40;
        let best_first = |one: &(u32, u32), other: &(u32, u32)| other.cmp(one);
        if bounded.len() > FIRST {
            bounded.select_nth_unstable_by(FIRST, best_first);
        }
        let (first, others) = bounded.split_at_mut(bounded.len().min(FIRST));
        first.sort_unstable_by(best_first);
        for (bound, row) in first.iter().chain(&*others) {
            if ten.may_take(*bound, 0) {
                self.offer(*row, *bound, ten);
            }
        }
    }

    /// The points of what is the same in everybody, and the most of what is looked at last.
    fn unasked(asked: &Asked, weights: &[u32; CRITERIA]) -> u32 {
        let prefer = &asked.prefer;
        let looked_at = [
            (Criterion::Expertise, asked.conditions != 0),
            (Criterion::Interests, prefer.interests != [0; 3]),
            (Criterion::Wishes, prefer.skills | prefer.genders != 0),
            (
                Criterion::Understanding,
                prefer.languages | prefer.cultures != 0,
            ),
            (Criterion::Distance, false),
            (Criterion::Days, false),
            (Criterion::Words, false),
        ];
        let same = looked_at.iter().filter(|(_, looked_at)| !looked_at);
        same.map(|(criterion, _)| FULL * weights[*criterion as usize])
            .sum()
    }

    fn weight(&self, criterion: Criterion) -> u32 {
        self.weights[criterion as usize]
    }

    fn add_up(&self, rows: &[u32], sums: &mut [u32; BLOCK]) {
        let prefer = &self.asked.prefer;
        let mut add = |criterion: Criterion, value: &dyn Fn(&Self, usize) -> u32| {
            let weight = self.weight(criterion);
            for (row, sum) in rows.iter().zip(&mut *sums) {
                *sum = sum.wrapping_add(weight.wrapping_mul(value(self, *row as usize)));
            }
        };
        if self.asked.conditions != 0 {
            add(Criterion::Expertise, &Self::expertise);
        }
        if prefer.interests != [0; 3] {
            add(Criterion::Interests, &Self::interests);
        }
        if prefer.skills | prefer.genders != 0 {
            add(Criterion::Wishes, &Self::wishes);
        }
        if prefer.languages | prefer.cultures != 0 {
            add(Criterion::Understanding, &Self::understanding);
        }
        add(Criterion::Rate, &Self::rate);
        let (reliability, workload, experience) = (
            self.weight(Criterion::Reliability),
            self.weight(Criterion::Workload),
            self.weight(Criterion::Experience),
        );
        for (row, sum) in rows.iter().zip(&mut *sums) {
            let worth = self.columns.worth[*row as usize];
            let points = reliability
                .wrapping_mul(u32::from(worth.reliability))
                .wrapping_add(workload.wrapping_mul(u32::from(worth.workload)))
                .wrapping_add(experience.wrapping_mul(self.experience(worth)));
            *sum = sum.wrapping_add(points);
        }
    }

    /// What is dear, of a row that may be among the ten: distance, words, dates, each from the bound downwards.
    fn offer(&self, row: u32, bound: u32, ten: &mut Ten) {
        let at = row as usize;
        let (columns, asked) = (self.columns, self.asked);
        let exposure = columns.worth[at].exposure;
        let less = |bound: u32, criterion: Criterion, value: u32| {
            bound - self.weight(criterion) * (FULL - value)
        };
        let by_date = self.days_by_date(at);
        let mut dear = Dear {
            distance: self.distance(at),
            days: if by_date { FULL } else { self.usual_days(at) },
            words: FULL,
        };
        let bound = less(bound, Criterion::Distance, dear.distance);
        let bound = less(bound, Criterion::Days, dear.days);
        if !ten.may_take(bound, exposure) || !columns.is_admitted(row, self.query) {
            return;
        }
        dear.words = self.words_in_common(row);
        let bound = less(bound, Criterion::Words, dear.words);
        if !ten.may_take(bound, exposure) || !columns.is_free(row, asked) {
            return;
        }
        let mut score = bound;
        if by_date {
            dear.days = self.days_on_dates(row);
            score = less(bound, Criterion::Days, dear.days);
        }
        ten.offer(Entry {
            row,
            worker: columns.workers[at],
            score,
            exposure,
            dear,
        });
    }

    /// The ten with what they are worth by each criterion.
    pub(super) fn values_of(&self, ten: Vec<Entry>) -> Vec<Best> {
        let best = ten.into_iter().map(|entry| {
            let at = entry.row as usize;
            let worth = self.columns.worth[at];
            let mut values = [FULL; CRITERIA];
            let mut set = |criterion: Criterion, value: u32| values[criterion as usize] = value;
            set(Criterion::Expertise, self.expertise(at));
            set(Criterion::Days, entry.dear.days);
            set(Criterion::Interests, self.interests(at));
            set(Criterion::Wishes, self.wishes(at));
            set(Criterion::Understanding, self.understanding(at));
            set(Criterion::Experience, self.experience(worth));
            set(Criterion::Reliability, u32::from(worth.reliability));
            set(Criterion::Distance, entry.dear.distance);
            set(Criterion::Rate, self.rate(at));
            set(Criterion::Workload, u32::from(worth.workload));
            set(Criterion::Words, entry.dear.words);
            Best {
                worker: entry.worker,
                score: entry.score,
                values,
            }
        });
        best.collect()
    }

    fn distance(&self, at: usize) -> u32 {
        let home = self.columns.homes[at].position;
        let metres = metres_along(home.chord_squared(self.asked.position));
        10_000 * FULL / (10_000 + metres)
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
        let skills = (u64::from(self.columns.traits[at].skills) & prefer.skills).count_ones();
        let gender = self.columns.offer[at] & Offer::genders(prefer.genders) != 0;
        (skills + u32::from(gender)) * FULL / count
    }

    fn understanding(&self, at: usize) -> u32 {
        let (languages, cultures) = (self.asked.prefer.languages, self.asked.prefer.cultures);
        let count = languages.count_ones() + cultures.count_ones();
        if count == 0 {
            return FULL;
        }
        let met = (self.columns.traits[at].languages & languages).count_ones()
            + (u64::from(self.columns.traits[at].cultures) & cultures).count_ones();
        met * FULL / count
    }

    fn experience(&self, worth: Worth) -> u32 {
        let present = self
            .today
            .saturating_sub(worth.since)
            .max(0)
            .cast_unsigned();
        (worth.worked + present).min(3650) * FULL / 3650
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
        if self.words.is_empty() {
            return FULL;
        }
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
