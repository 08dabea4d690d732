//! When a visit takes place, in words for its people.

use chrono::{DateTime, FixedOffset, Offset};

use super::Visit;

impl Visit {
    /// Its beginning and end as clocks at its place show them, with what they are ahead of UTC: where clocks change
    /// in between, or show a time twice, nobody has to guess.
    ///
    /// `Tuesday, 1 December 2026, 09:00 to 11:00 (UTC+10:00, Australia/Brisbane)`
    #[must_use]
    pub fn when(&self) -> String {
        let zone = &self.details.time_zone;
        let from = self.details.local(self.from);
        let until = self.details.local(self.until);
        let (day, clock) = (date(from), from.format("%H:%M"));
        let ends = until.format("%H:%M");
        if from.offset() != until.offset() {
            let (ahead, later) = (from.offset().fix(), until.offset().fix());
            let last = date(until);
            return format!("{day}, {clock} (UTC{ahead}) to {last}, {ends} (UTC{later}, {zone})");
        }
        let ahead = from.offset().fix();
        if from.date_naive() == until.date_naive() {
            format!("{day}, {clock} to {ends} (UTC{ahead}, {zone})")
        } else {
            let last = date(until);
            format!("{day}, {clock} to {last}, {ends} (UTC{ahead}, {zone})")
        }
    }
}

fn date(at: DateTime<FixedOffset>) -> impl std::fmt::Display {
    at.format("%A, %-d %B %Y")
}

#[cfg(test)]
mod tests {
    use crate::visit::tests::booked;

    #[test]
    fn it_says_the_day_again_only_where_it_is_another_and_the_clocks_where_they_change() {
        for (from, until, zone, words) in [
            (
                "2026-11-30T23:00:00Z",
                "2026-12-01T01:00:00Z",
                "Australia/Brisbane",
                "Tuesday, 1 December 2026, 09:00 to 11:00 (UTC+10:00, Australia/Brisbane)",
            ),
            (
                "2026-12-01T12:00:00Z",
                "2026-12-01T20:00:00Z",
                "Australia/Brisbane",
                "Tuesday, 1 December 2026, 22:00 to Wednesday, 2 December 2026, 06:00 (UTC+10:00, Australia/Brisbane)",
            ),
            (
                "2027-04-03T14:00:00Z",
                "2027-04-03T16:30:00Z",
                "Australia/Sydney",
                "Sunday, 4 April 2027, 01:00 (UTC+11:00) to Sunday, 4 April 2027, 02:30 (UTC+10:00, Australia/Sydney)",
            ),
        ] {
            let mut visit = booked();
            visit.from = from.parse().unwrap();
            visit.until = until.parse().unwrap();
            zone.clone_into(&mut visit.details.time_zone);
            assert_eq!(visit.when(), words);
        }
    }
}
