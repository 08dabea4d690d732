//! Where people live: regions around the globe, each with cities, towns and open country.

use domain::place::Place;
use domain::vocabulary::{Culture, Language, Vocabulary};

use crate::chance::{Chance, Stream};

/// How many regions there are. Each is like the others in size, so that the number of support workers for each region
/// is the density.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Regions, numbered from 0. Region `n` is the same one however many there are.
    pub regions: u32,
}

impl Default for Layout {
    fn default() -> Self {
        Self { regions: 12 }
    }
}

/// Invented places around the globe.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    regions: Vec<Region>,
}

/// Somewhere to live, and what is spoken there.
pub(crate) struct Spot<'a> {
    pub(crate) place: Place,
    /// Whether it lies in the open country, where everything is farther.
    pub(crate) remote: bool,
    pub(crate) community: &'a Community,
}

/// What is spoken in a region beside English, and lived, the most usual first.
#[derive(Debug, Clone)]
pub(crate) struct Community {
    pub(crate) languages: Vec<Language>,
    pub(crate) cultures: Vec<Culture>,
}

#[derive(Debug, Clone)]
struct Region {
    zone: &'static str,
    centre: (f64, f64),
    cities: Vec<(f64, f64)>,
    towns: Vec<(f64, f64)>,
    community: Community,
}

/// What a city weighs among the cities of its region, and how far it spreads, in kilometres.
const CITIES: [(u32, f64); 5] = [(60, 13.0), (30, 9.0), (20, 7.0), (15, 6.0), (12, 5.0)];
const TOWNS: u32 = 24;
/// How far a town spreads, in kilometres.
const TOWN_KM: f64 = 3.0;
/// How far from its centre a region reaches, in kilometres: about as one spread of a bell.
const REGION_KM: f64 = 90.0;
/// Of a hundred people, so many live in cities, and so many in towns; the others in between.
const IN_CITIES: u32 = 74;
const IN_TOWNS: u32 = 20;

/// A degree of latitude, in kilometres.
const DEGREE_KM: f64 = 111.2;

/// A zone for every fifteen degrees, from the date line eastwards.
const ZONES: [&str; 24] = [
    "Pacific/Midway",
    "Pacific/Honolulu",
    "America/Anchorage",
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Halifax",
    "America/Sao_Paulo",
    "Atlantic/South_Georgia",
    "Atlantic/Azores",
    "Europe/London",
    "Europe/Paris",
    "Europe/Athens",
    "Africa/Nairobi",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Australia/Perth",
    "Asia/Tokyo",
    "Australia/Brisbane",
    "Pacific/Noumea",
    "Pacific/Auckland",
];

impl Places {
    pub(crate) fn new(seed: u64, layout: Layout) -> Self {
        let regions = 0..layout.regions.max(1);
        Self {
            regions: regions.map(|number| Region::new(seed, number)).collect(),
        }
    }

    /// Somewhere that somebody lives.
    pub(crate) fn somewhere(&self, chance: &mut Chance) -> Spot<'_> {
        let at = usize::try_from(chance.below(self.regions.len() as u64)).unwrap_or(0);
        // INVARIANT: there is at least one region.
        match self.regions.get(at) {
            Some(region) => region.somewhere(chance),
            None => Spot {
                place: place((0.0, 0.0), "Etc/UTC"),
                remote: true,
                community: &NOWHERE,
            },
        }
    }
}

static NOWHERE: Community = Community {
    languages: vec![],
    cultures: vec![],
};

impl Region {
    fn new(seed: u64, number: u32) -> Self {
        let mut chance = Chance::new(seed, Stream::Region, u64::from(number));
        let centre = centre(number);
        let cities = CITIES.iter().enumerate().map(|(rank, _)| {
            // The largest lies in the middle.
            let away = if rank == 0 { 0.0 } else { REGION_KM };
            moved(centre, away, &mut chance)
        });
        let cities = cities.collect();
        let towns = (0..TOWNS)
            .map(|_| moved(centre, 1.3 * REGION_KM, &mut chance))
            .collect();
        let others = Language::ALL.get(1..).unwrap_or_default();
        Self {
            zone: zone(centre.1),
            centre,
            cities,
            towns,
            community: Community {
                languages: (0..14).filter_map(|_| chance.pick(others)).collect(),
                cultures: (0..10).filter_map(|_| chance.pick(Culture::ALL)).collect(),
            },
        }
    }

    fn somewhere(&self, chance: &mut Chance) -> Spot<'_> {
        let kind = chance.between(0, 99);
        let (centre, spread_km) = if kind < IN_CITIES {
            let rank = chance.weighed(CITIES.iter().map(|(weight, _)| *weight));
            let spread = CITIES.get(rank).map_or(TOWN_KM, |(_, spread)| *spread);
            (self.cities.get(rank).copied(), spread)
        } else if kind < IN_CITIES + IN_TOWNS {
            let rank = chance.skewed(self.towns.len());
            (self.towns.get(rank).copied(), TOWN_KM)
        } else {
            (Some(self.centre), 1.5 * REGION_KM)
        };
        let home = moved(centre.unwrap_or(self.centre), spread_km, chance);
        Spot {
            place: place(home, self.zone),
            remote: kind >= IN_CITIES + IN_TOWNS,
            community: &self.community,
        }
    }
}

/// Spread over the globe between the polar circles so that none crowd, however many there are: each step goes on by
/// the same irrational part of the way (Roberts' R2 sequence).
fn centre(number: u32) -> (f64, f64) {
    const PLASTIC: f64 = 1.324_717_957_244_746;
    let step = f64::from(number) + 1.0;
    let (down, along) = (
        (0.5 + step / PLASTIC).fract(),
        (0.5 + step / (PLASTIC * PLASTIC)).fract(),
    );
    let (south, north) = ((-45.0_f64).to_radians().sin(), 58.0_f64.to_radians().sin());
    let latitude = (south + (north - south) * down).asin().to_degrees();
    (latitude, along * 360.0 - 180.0)
}

/// Moved by so many kilometres, as a bell spreads.
fn moved((latitude, longitude): (f64, f64), km: f64, chance: &mut Chance) -> (f64, f64) {
    let north = latitude + km * chance.bell() / DEGREE_KM;
    let narrower = north.to_radians().cos().max(0.1);
    let east = longitude + km * chance.bell() / (DEGREE_KM * narrower);
    (north, (east + 540.0).rem_euclid(360.0) - 180.0)
}

fn zone(longitude: f64) -> &'static str {
    let at = ((longitude + 180.0) / 15.0) as usize;
    ZONES.get(at).copied().unwrap_or("Etc/UTC")
}

const FIRST: [&str; 32] = [
    "Alder", "Amber", "Ash", "Barley", "Birch", "Bram", "Brook", "Cedar", "Clay", "Copper",
    "Crane", "Elder", "Fern", "Fox", "Gold", "Hazel", "Heron", "Ivy", "Kestrel", "Lark", "Linden",
    "Maple", "Mill", "Moss", "North", "Otter", "Quarry", "Reed", "Silver", "Stone", "Thorn",
    "Willow",
];
const SECOND: [&str; 32] = [
    "bank", "bay", "bridge", "brook", "by", "croft", "dale", "down", "field", "ford", "gate",
    "grove", "ham", "haven", "heath", "hill", "holm", "hurst", "land", "leigh", "mead", "mere",
    "mont", "moor", "park", "port", "ridge", "side", "ton", "vale", "view", "wick",
];

/// The place at these degrees, to about a hundred metres. Neighbours live in the same suburb.
fn place((latitude, longitude): (f64, f64), zone: &str) -> Place {
    let rounded = |degrees: f64| (degrees * 1000.0).round() / 1000.0;
    let square = |degrees: f64| (degrees * 20.0).floor() as i64 as u64;
    let mixed = (square(latitude) << 32 ^ square(longitude) & 0xffff_ffff)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(32);
    let word = |from: &[&'static str; 32], bits: u64| {
        let at = usize::try_from(bits & 31).unwrap_or(0);
        from.get(at).copied().unwrap_or_default()
    };
    Place {
        suburb: [word(&FIRST, mixed), word(&SECOND, mixed >> 5)].concat(),
        postcode: (1000 + (mixed >> 10) % 9000).to_string(),
        latitude: rounded(latitude),
        longitude: rounded(longitude),
        time_zone: zone.to_owned(),
    }
}
