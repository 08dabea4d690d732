//! Walking the rows of a neighbourhood: one rule after the other over a block, survivors moved together.

use std::sync::LazyLock;

use domain::availability::day_parts_of;
use domain::eligibility::Asked;
use domain::place::{FARTHEST_TRAVEL_KM, reach_squared};
use domain::vocabulary::{Service, Vocabulary, words_in};
use rapport_matching::{Query, Weights};

use super::columns::{Bars, Columns, Offer, day};
use super::score::Scorer;
use super::ten::{Best, Ten};

/// Rows looked at together.
pub(super) const BLOCK: usize = 256;

/// How far each whole kilometre of travel reaches, as a squared chord.
static REACH: LazyLock<Vec<u64>> =
    LazyLock::new(|| (0..=FARTHEST_TRAVEL_KM).map(reach_squared).collect());

/// The rows of a block that every rule so far has left.
pub(super) struct Left {
    rows: [u32; BLOCK],
    count: usize,
}

impl Left {
    fn of(block: &[u32], keeps: impl Fn(usize) -> bool) -> Self {
        let mut left = Self {
            rows: [0; BLOCK],
            count: 0,
        };
        for row in block {
            left.rows[left.count % BLOCK] = *row;
            left.count = left.count.wrapping_add(usize::from(keeps(*row as usize)));
        }
        left
    }

    fn keep(&mut self, keeps: impl Fn(usize) -> bool) {
        let before = self.count.min(BLOCK);
        let mut count = 0;
        for at in 0..before {
            let row = self.rows[at];
            self.rows[count % BLOCK] = row;
            count = count.wrapping_add(usize::from(keeps(row as usize)));
        }
        self.count = count;
    }

    pub(super) fn rows(&self) -> &[u32] {
        &self.rows[..self.count]
    }
}

impl Columns {
    /// The ten best, the best first.
    pub(crate) fn search(&self, query: Query<'_>, weights: &Weights) -> Vec<Best> {
        let asked = query.asked;
        let (first, last) = asked.window;
        let occurring = day_parts_of(first, last);
        if !occurring.contains(asked.required.parts) {
            return vec![];
        }
        let Some(rows) = self.cover.get(&asked.position.neighbourhood()) else {
            return vec![];
        };
        let scorer = Scorer::new(self, query, weights, occurring);
        let mut ten = Ten::new(query.request);
        let mut bounded = vec![];
        let needed = Offer::needed(asked);
        let unwelcome = Bars::unwelcome(asked.tasks, asked.hazards);
        let until = Bars::until(asked.covered_until.max(asked.today));
        let services: Vec<usize> = words_in::<Service>(asked.services)
            .map(|service| service.bit() as usize)
            .collect();
        let (cheapest, dearest) = (asked.budget.least.0, asked.budget.most.0);
        let reach: &[u64] = &REACH;
        for block in rows.chunks(BLOCK) {
            let mut left = Left::of(block, |row| self.offer[row] & needed == needed);
            left.keep(|row| {
                let bars = self.bars[row];
                (bars & unwelcome == 0) & (bars >= until)
            });
            left.keep(|row| {
                let [lowest, highest] = self.rate_range[row];
                (lowest <= dearest) & (cheapest <= highest)
            });
            left.keep(|row| {
                let [lowest, highest] = self.rate_range[row];
                if cheapest <= lowest && highest <= dearest {
                    return true;
                }
                let rates = &self.rates[row];
                let mut of = services.iter().map(|service| rates[service % 16]);
                of.all(|rate| cheapest <= rate && rate <= dearest)
            });
            self.keep_wishes(&mut left, asked);
            left.keep(|row| {
                let home = self.homes[row];
                let chord = home.position.chord_squared(asked.position);
                chord <= reach[usize::from(home.radius_km)]
            });
            scorer.bound(left.rows(), &mut bounded);
        }
        scorer.offer_all(&mut bounded, &mut ten);
        scorer.values_of(ten.finish())
    }

    /// Musts and what is to be avoided: only what is asked about is looked at.
    fn keep_wishes(&self, left: &mut Left, asked: &Asked) {
        let (must, avoid) = (&asked.must, &asked.avoid);
        if must.languages != 0 {
            left.keep(|row| self.traits[row].languages & must.languages == must.languages);
        }
        if must.skills != 0 {
            left.keep(|row| u64::from(self.traits[row].skills) & must.skills == must.skills);
        }
        if must.cultures != 0 {
            left.keep(|row| u64::from(self.traits[row].cultures) & must.cultures == must.cultures);
        }
        if must.interests != [0; 3] {
            left.keep(|row| {
                let mut parts = self.interests[row].iter().zip(must.interests);
                parts.all(|(has, needed)| has & needed == needed)
            });
        }
        if avoid.genders != 0 {
            let avoided = Offer::genders(avoid.genders);
            left.keep(|row| self.offer[row] & avoided == 0);
        }
        if avoid.languages | avoid.skills | avoid.cultures != 0 {
            left.keep(|row| {
                self.traits[row].languages & avoid.languages == 0
                    && u64::from(self.traits[row].skills) & avoid.skills == 0
                    && u64::from(self.traits[row].cultures) & avoid.cultures == 0
            });
        }
        if avoid.interests != [0; 3] {
            left.keep(|row| {
                let mut parts = self.interests[row].iter().zip(avoid.interests);
                parts.all(|(has, avoided)| has & avoided == 0)
            });
        }
    }

    /// What few requests ask for: certificates, and who stands where to whom.
    pub(super) fn is_admitted(&self, row: u32, query: Query<'_>) -> bool {
        let (asked, relations) = (query.asked, query.relations);
        let at = row as usize;
        if asked.certifications != 0 {
            let until = day(asked.covered_until);
            let held = self.certificates.of(row).iter();
            let holding = held
                .filter(|(_, last)| until <= *last)
                .fold(0, |all, (bit, _)| all | 1_u64 << bit);
            if holding & asked.certifications != asked.certifications {
                return false;
            }
        }
        !relations.own.contains(&self.persons[at])
            && (relations.blocked.is_empty() || !relations.blocked.contains(&self.workers[at]))
            && (relations.known.is_empty() || !relations.known.contains(&self.workers[at]))
    }

    /// Whether the required times are free. What the day-parts of a usual week decide has been decided; going through
    /// the dates is the dearest of all, and comes last.
    pub(super) fn is_free(&self, row: u32, asked: &Asked) -> bool {
        let (at, required) = (row as usize, &asked.required);
        let by_date = self.offer[at] & Offer::EXCEPTIONS != 0 || !required.hours.is_empty();
        if required.count() == 0 || !by_date {
            return true;
        }
        let exceptions = self.exceptions.of(row);
        let free = self.weeks[at].free_on(exceptions, asked.window, required);
        free == required.count()
    }
}
