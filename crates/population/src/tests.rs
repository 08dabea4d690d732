use std::collections::{BTreeMap, BTreeSet};

use domain::eligibility::Asked;
use domain::packed::IndexRecord;
use domain::place::Cell;
use domain::vocabulary::{Certification, Language, Service};

use super::*;

fn population() -> Population {
    Population::new(1, 4000, Layout::default())
}

#[test]
fn everybody_could_have_been_taken_on_and_every_request_submitted() {
    let population = population();
    for number in 0..2000 {
        let worker = population.worker(number);
        assert_eq!(worker.profile.validate_for_submission(), Ok(()), "{number}");
        assert!(IndexRecord::of(&worker).is_some(), "{number} is active");
        let request = population.request(number);
        let today = request.place.today(population.now());
        assert_eq!(request.validate(today), Ok(()), "{number}");
    }
}

#[test]
fn the_same_seed_gives_the_same_people_and_another_gives_others() {
    let (one, again) = (population(), population());
    let other = Population::new(2, 4000, Layout::default());
    for number in [0, 1, 999, 3999, u64::MAX] {
        assert_eq!(one.worker(number), again.worker(number));
        assert_eq!(one.request(number), again.request(number));
        assert_eq!(one.relations(number), again.relations(number));
        assert_ne!(one.worker(number), other.worker(number));
        assert_ne!(one.request(number), other.request(number));
    }
}

#[test]
fn who_somebody_is_and_where_they_live_is_known_without_the_rest_of_them() {
    let population = population();
    for number in 0..200 {
        let (worker, standing) = (population.worker(number), population.standing(number));
        let area = worker.profile.service_area.unwrap();
        assert_eq!((worker.id, worker.person), (standing.id, standing.person));
        assert_eq!(area.base.position(), standing.position);
    }
}

#[test]
fn ids_are_nobody_elses() {
    let population = population();
    let mut ids = BTreeSet::new();
    for number in 0..4000 {
        let standing = population.standing(number);
        assert!(ids.insert(standing.id.uuid()) && ids.insert(standing.person.uuid()));
    }
}

#[test]
fn more_regions_are_more_places_and_the_old_ones_stay() {
    let home = |regions| {
        let population = Population::new(1, 100, Layout { regions });
        // Often enough to come to nearly all of them.
        let places = (0..30_000).map(|number| population.request(number).place.cell());
        places.collect::<BTreeSet<Cell>>()
    };
    let (few, many) = (home(3), home(30));
    assert!(
        many.len() > 3 * few.len(),
        "{} and {}",
        few.len(),
        many.len()
    );
    assert!(few.intersection(&many).count() > 10);
}

#[test]
fn people_crowd_in_cities_and_thin_out_beyond() {
    let population = population();
    let mut cells: BTreeMap<Cell, u32> = BTreeMap::new();
    for number in 0..4000 {
        let area = population.worker(number).profile.service_area.unwrap();
        *cells.entry(area.base.cell()).or_default() += 1;
    }
    let mut sizes: Vec<u32> = cells.into_values().collect();
    sizes.sort_unstable();
    let (largest, median) = (sizes[sizes.len() - 1], sizes[sizes.len() / 2]);
    assert!(
        largest > 20 * median && sizes.len() > 200,
        "{largest} {median} {}",
        sizes.len()
    );
}

#[test]
fn what_goes_together_goes_together_here() {
    let population = population();
    let (mut nurses, mut english) = (0, 0);
    for number in 0..4000 {
        let worker = population.worker(number);
        let holds = |wanted| {
            let mut held = worker.proven.certifications.iter();
            held.any(|held| held.certification == wanted)
        };
        let record = IndexRecord::of(&worker).unwrap();
        english += usize::from(worker.profile.languages.contains(&Language::English));
        if holds(Certification::RegisteredNurse) {
            nurses += 1;
            let nursing = [
                Service::NursingCare,
                Service::MedicationSupport,
                Service::PersonalCare,
            ];
            assert!(
                nursing
                    .iter()
                    .any(|service| record.rate(*service).is_some())
            );
        }
    }
    assert!((100..600).contains(&nurses), "{nurses}");
    assert_eq!(english, 4000);
}

#[test]
fn requests_are_of_every_kind() {
    let population = population();
    let asked: Vec<Asked> = (0..1000)
        .map(|number| Asked::of(&population.request(number), population.now()))
        .collect();
    for (least, most, what, count) in [
        (
            350,
            650,
            "write something",
            asked.iter().filter(|asked| !asked.words.is_empty()).count(),
        ),
        (
            100,
            600,
            "need certificates",
            asked
                .iter()
                .filter(|asked| asked.certifications != 0)
                .count(),
        ),
        (
            50,
            500,
            "need exact hours",
            asked
                .iter()
                .filter(|asked| !asked.required.hours.is_empty())
                .count(),
        ),
        (
            300,
            900,
            "need a time",
            asked
                .iter()
                .filter(|asked| asked.required.count() > 0)
                .count(),
        ),
        (
            20,
            200,
            "need a gender",
            asked.iter().filter(|asked| asked.must.genders != 0).count(),
        ),
        (
            20,
            200,
            "need a language",
            asked
                .iter()
                .filter(|asked| asked.must.languages != 0)
                .count(),
        ),
        (
            10,
            200,
            "avoid something",
            asked
                .iter()
                .filter(|asked| asked.avoid != Default::default())
                .count(),
        ),
    ] {
        assert!((least..most).contains(&count), "{count} {what}");
    }
    let stands_to_somebody = (0..1000).filter(|number| {
        let relations = population.relations(*number);
        !relations.blocked.is_empty() && !relations.known.is_empty()
    });
    assert!(stands_to_somebody.count() > 100);
}

#[test]
fn the_shares_of_the_callings_add_up() {
    let shares = calling::CALLINGS.iter().map(|calling| calling.share);
    assert_eq!(shares.sum::<u32>(), 100);
}
