//! Walking the rows of a neighbourhood: one rule after the other over a block, survivors moved together.

use domain::availability::day_parts_of;
use domain::eligibility::Asked;
use domain::vocabulary::{Service, Vocabulary, words_in};
use rapport_matching::{Query, Weights};

use super::columns::{Columns, Offer, day, unwelcome};
use super::score::Scorer;
use super::ten::{Best, Ten};

/// Rows looked at together.
const BLOCK: usize = 256;

/// The rows of a block that every rule so far has left.
struct Left {
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

    fn rows(&self) -> &[u32] {
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
        let needed = Offer::needed(asked);
        let unwelcome = unwelcome(asked.tasks, asked.hazards);
        let services: Vec<usize> = words_in::<Service>(asked.services)
            .map(|service| service.bit() as usize)
            .collect();
        let budget = asked.budget.least.0..=asked.budget.most.0;
        let until = day(asked.covered_until.max(asked.today));
        for block in rows.chunks(BLOCK) {
            let mut left = Left::of(block, |row| self.offer[row] & needed == needed);
            if unwelcome != 0 {
                left.keep(|row| self.declined[row] & unwelcome == 0);
            }
            left.keep(|row| {
                let rates = &self.rates[row];
                let mut within = true;
                for service in &services {
                    within &= budget.contains(&rates[service % 16]);
                }
                within
            });
            left.keep(|row| self.checks_until[row] >= until);
            self.keep_wishes(&mut left, asked);
            left.keep(|row| {
                let chord = self.positions[row].chord_squared(asked.position);
                chord <= self.reach_squared[row]
            });
            for row in left.rows() {
                if self.is_admitted(*row, query) {
                    scorer.offer(*row, &mut ten);
                }
            }
        }
        ten.finish()
    }

    /// Musts and what is to be avoided: only what is asked about is looked at.
    fn keep_wishes(&self, left: &mut Left, asked: &Asked) {
        let (must, avoid) = (&asked.must, &asked.avoid);
        if must.languages != 0 {
            left.keep(|row| self.languages[row] & must.languages == must.languages);
        }
        if must.skills != 0 {
            left.keep(|row| u64::from(self.skills[row]) & must.skills == must.skills);
        }
        if must.cultures != 0 {
            left.keep(|row| u64::from(self.cultures[row]) & must.cultures == must.cultures);
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
                self.languages[row] & avoid.languages == 0
                    && u64::from(self.skills[row]) & avoid.skills == 0
                    && u64::from(self.cultures[row]) & avoid.cultures == 0
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
    fn is_admitted(&self, row: u32, query: Query<'_>) -> bool {
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
