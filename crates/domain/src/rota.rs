//! Who is on call, and in which order they are alerted.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::PersonId;
use crate::invalid::{Findings, Invalid};
use crate::vocabulary::distinct;

const MOST_SHIFTS: usize = 200;
const MOST_PEOPLE: usize = 10;

/// Who is on call, as administrators planned it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnCallRota {
    /// Who is on call when; no two of them at the same time.
    pub shifts: Vec<Shift>,
    /// Who is alerted after those, and where nobody is on call, in this order.
    pub fallback: Vec<PersonId>,
}

/// Who is on call from one instant to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// Its beginning.
    pub from: DateTime<Utc>,
    /// Its end, which belongs to the next.
    pub until: DateTime<Utc>,
    /// Who is alerted, in this order.
    pub people: Vec<PersonId>,
}

impl OnCallRota {
    /// Refuses a rota that cannot be followed.
    ///
    /// # Errors
    /// Every fault, with its field.
    pub fn check(&self) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        findings.at_most("/shifts", &self.shifts, MOST_SHIFTS);
        for (place, shift) in self.shifts.iter().enumerate().take(MOST_SHIFTS) {
            let pointer = format!("/shifts/{place}");
            let lasts = shift.from < shift.until;
            findings.check(lasts, format!("{pointer}/until"), "is after its beginning");
            let mut earlier = self.shifts.iter().take(place);
            let apart = earlier.all(|it| it.until <= shift.from || shift.until <= it.from);
            findings.check(apart, format!("{pointer}/from"), "overlaps another shift");
            let named = !shift.people.is_empty();
            findings.check(named, format!("{pointer}/people"), "names somebody");
            distinct(
                &mut findings,
                &format!("{pointer}/people"),
                &shift.people,
                MOST_PEOPLE,
            );
        }
        distinct(&mut findings, "/fallback", &self.fallback, MOST_PEOPLE);
        findings.into_result()
    }

    /// Everybody whom it names, each once, with the field that names them first.
    #[must_use]
    pub fn named(&self) -> Vec<(String, PersonId)> {
        let on_shift = self.shifts.iter().enumerate().flat_map(|(place, shift)| {
            let people = shift.people.iter().enumerate();
            people.map(move |(at, person)| (format!("/shifts/{place}/people/{at}"), *person))
        });
        let fallback = self.fallback.iter().enumerate();
        let fallback = fallback.map(|(at, person)| (format!("/fallback/{at}"), *person));
        let mut seen = BTreeSet::new();
        let new = |(_, person): &(String, PersonId)| seen.insert(*person);
        on_shift.chain(fallback).filter(new).collect()
    }

    /// Whom to alert at `now`, one after the other.
    #[must_use]
    pub fn order(&self, now: DateTime<Utc>) -> Vec<PersonId> {
        let mut shifts = self.shifts.iter();
        let on_call = shifts.find(|shift| shift.from <= now && now < shift.until);
        let on_call = on_call.into_iter().flat_map(|shift| &shift.people);
        let mut seen = BTreeSet::new();
        let all = on_call.chain(&self.fallback).copied();
        all.filter(|person| seen.insert(*person)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn person(number: u128) -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(number))
    }

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-12-01T{hour:02}:00:00Z").parse().unwrap()
    }

    fn shift(from: u32, until: u32, people: &[u128]) -> Shift {
        Shift {
            from: at(from),
            until: at(until),
            people: people.iter().copied().map(person).collect(),
        }
    }

    fn rota(shifts: Vec<Shift>, fallback: &[u128]) -> OnCallRota {
        OnCallRota {
            shifts,
            fallback: fallback.iter().copied().map(person).collect(),
        }
    }

    #[test]
    fn those_of_the_shift_come_first_and_each_once() {
        let rota = rota(vec![shift(8, 12, &[1, 2]), shift(12, 18, &[3])], &[2, 4]);
        assert_eq!(rota.check(), Ok(()));
        for (hour, order) in [
            (7, vec![2, 4]),
            (8, vec![1, 2, 4]),
            (11, vec![1, 2, 4]),
            (12, vec![3, 2, 4]),
            (18, vec![2, 4]),
        ] {
            let order: Vec<PersonId> = order.into_iter().map(person).collect();
            assert_eq!(rota.order(at(hour)), order, "{hour}");
        }
        let named: Vec<String> = rota.named().into_iter().map(|(field, _)| field).collect();
        let fields = [
            "/shifts/0/people/0",
            "/shifts/0/people/1",
            "/shifts/1/people/0",
            "/fallback/1",
        ];
        assert_eq!(named, fields);
        assert_eq!(OnCallRota::default().order(at(9)), []);
    }

    #[test]
    fn every_fault_names_its_field() {
        let faults = |rota: OnCallRota| -> Vec<String> {
            let faults = rota.check().err().unwrap_or_default();
            faults.into_iter().map(|fault| fault.pointer).collect()
        };
        assert_eq!(
            faults(rota(vec![shift(9, 9, &[1])], &[])),
            ["/shifts/0/until"]
        );
        assert_eq!(
            faults(rota(vec![shift(9, 10, &[])], &[])),
            ["/shifts/0/people"]
        );
        assert_eq!(
            faults(rota(vec![shift(9, 12, &[1]), shift(11, 13, &[1])], &[])),
            ["/shifts/1/from"]
        );
        assert_eq!(faults(rota(vec![], &[1, 2, 1])), ["/fallback/2"]);
        let crowd: Vec<u128> = (1..=11).collect();
        assert_eq!(faults(rota(vec![], &crowd)), ["/fallback"]);
    }
}
