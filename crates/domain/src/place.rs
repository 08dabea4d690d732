//! Where people are, and which cells of the index their place touches.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use h3o::{CellIndex, LatLng, Resolution};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::invalid::{Findings, Invalid};
use crate::local_time;

/// The farthest a support worker may offer to travel, in kilometres.
///
/// INVARIANT: it bounds the cells of a service area, and with them the writes of a commit.
pub const FARTHEST_TRAVEL_KM: u16 = 100;

/// A suburb with its position and time zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The suburb or town.
    pub suburb: String,
    /// The postal code.
    pub postcode: String,
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
    /// IANA name of the time zone, e.g. `Australia/Melbourne`.
    pub time_zone: String,
}

impl Place {
    /// Whether a person could live here.
    ///
    /// # Errors
    /// Every field that is not right.
    pub fn validate(&self) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        self.find_faults("", &mut findings);
        findings.into_result()
    }

    /// Adds this place's faults under `pointer`.
    pub fn find_faults(&self, pointer: &str, findings: &mut Findings) {
        findings.text(format!("{pointer}/suburb"), &self.suburb, 1, 80);
        findings.text(format!("{pointer}/postcode"), &self.postcode, 1, 12);
        findings.check(
            (-90.0..=90.0).contains(&self.latitude),
            format!("{pointer}/latitude"),
            "is degrees north, -90 to 90",
        );
        findings.check(
            (-180.0..=180.0).contains(&self.longitude),
            format!("{pointer}/longitude"),
            "is degrees east, -180 to 180",
        );
        findings.check(
            self.time_zone.parse::<Tz>().is_ok(),
            format!("{pointer}/time_zone"),
            "is an IANA time zone, e.g. Australia/Melbourne",
        );
    }

    /// The time zone; UTC where a stored name is no longer known.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }

    /// The date on the wall here.
    #[must_use]
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        now.with_timezone(&self.zone()).date_naive()
    }

    /// The first instant of a date here.
    #[must_use]
    pub fn midnight(&self, date: NaiveDate) -> DateTime<Utc> {
        local_time::midnight(date, self.zone())
    }

    /// Where it is, for distances.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::of(self.latitude, self.longitude)
    }

    /// The cell of the index it lies in.
    #[must_use]
    pub fn cell(&self) -> Cell {
        Cell::of(self.latitude, self.longitude)
    }
}

/// Mean radius of the earth, in metres.
const EARTH_M: f64 = 6_371_008.8;

/// A point of the globe in whole metres from its centre, so that reach is an integer compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Towards the meridian of Greenwich on the equator.
    pub x: i32,
    /// Towards 90 degrees east on the equator.
    pub y: i32,
    /// Towards the north pole.
    pub z: i32,
}

impl Position {
    /// The position of degrees north and east.
    #[must_use]
    pub fn of(latitude: f64, longitude: f64) -> Self {
        let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
        Self {
            x: whole(EARTH_M * latitude.cos() * longitude.cos()),
            y: whole(EARTH_M * latitude.cos() * longitude.sin()),
            z: whole(EARTH_M * latitude.sin()),
        }
    }

    /// The straight line through the earth between two points, squared, in square metres.
    #[must_use]
    #[inline]
    pub fn chord_squared(self, other: Self) -> u64 {
        let square = |a: i32, b: i32| u64::from(a.abs_diff(b)).pow(2);
        square(self.x, other.x) + square(self.y, other.y) + square(self.z, other.z)
    }

    /// Great-circle distance in whole metres.
    #[must_use]
    pub fn metres_to(self, other: Self) -> u32 {
        metres_along(self.chord_squared(other))
    }

    /// Whether `other` is at most so many kilometres away.
    #[must_use]
    pub fn reaches(self, other: Self, kilometres: u16) -> bool {
        self.chord_squared(other) <= reach_squared(kilometres)
    }
}

/// Great-circle distance in whole metres of a squared chord.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "at most half the earth's girth, 20,015,115 m"
)]
pub fn metres_along(chord_squared: u64) -> u32 {
    let half = (chord_squared as f64).sqrt() / (2.0 * EARTH_M);
    (2.0 * EARTH_M * half.min(1.0).asin()).round() as u32
}

/// The squared chord of a reach in kilometres: what [`Position::chord_squared`] may be at most.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and at most the earth's diameter squared"
)]
pub fn reach_squared(kilometres: u16) -> u64 {
    let along = f64::from(kilometres) * 1000.0;
    (2.0 * EARTH_M
        * (along / (2.0 * EARTH_M))
            .min(std::f64::consts::FRAC_PI_2)
            .sin())
    .powi(2)
    .ceil() as u64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the radius of a small cell, positive"
)]
fn whole_up(metres: f64) -> u32 {
    metres.ceil() as u32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "never beyond the earth's radius"
)]
fn whole(metres: f64) -> i32 {
    metres.round() as i32
}

/// A cell of the index: H3 at resolution 4, about 1,770 square kilometres.
///
/// INVARIANT: computed directly from a point. H3 cells do not nest, so a cell is never found by way of a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(CellIndex);

impl Cell {
    /// The cell of a point; of the equator on the meridian of Greenwich where the degrees are not finite.
    #[must_use]
    pub fn of(latitude: f64, longitude: f64) -> Self {
        let point = LatLng::new(latitude, longitude).unwrap_or_default();
        Self(point.to_cell(Resolution::Four))
    }

    /// The H3 index.
    #[must_use]
    pub fn index(self) -> u64 {
        self.0.into()
    }

    fn centre(self) -> LatLng {
        LatLng::from(self.0)
    }

    /// The farthest corner from the centre, in metres.
    fn circumradius(self) -> f64 {
        let centre = self.centre();
        self.0
            .boundary()
            .iter()
            .map(|corner| centre.distance_m(*corner))
            .fold(0.0, f64::max)
    }
}

impl Cell {
    /// The neighbourhoods that a point of this cell can lie in: what a shard files its support workers under.
    #[must_use]
    pub fn neighbourhoods(self) -> Vec<Neighbourhood> {
        let centre = self.centre();
        let home = centre.to_cell(Resolution::Five);
        // A ring of neighbourhoods is never thinner than 9 km, and half a cell never wider than 33 km.
        let disk: Vec<CellIndex> = home.grid_disk(5);
        disk.into_iter()
            .map(Cell)
            .filter(|small| {
                centre.distance_m(small.centre())
                    <= self.circumradius() + small.circumradius() + MARGIN_M
            })
            .map(|small| Neighbourhood::of(small.0))
            .collect()
    }
}

/// A small cell, about 250 square kilometres: the finer filing within a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbourhood {
    /// The H3 index, at resolution 5.
    pub index: u64,
    centre: Position,
    radius_m: u32,
}

impl Neighbourhood {
    fn of(index: CellIndex) -> Self {
        let small = Cell(index);
        let centre = small.centre();
        Self {
            index: small.index(),
            centre: Position::of(centre.lat(), centre.lng()),
            radius_m: whole_up(small.circumradius() + MARGIN_M),
        }
    }

    /// The neighbourhoods that a travel disc of somebody who lives in `home` may touch, and some around them. None where `home` is no neighbourhood.
    #[must_use]
    pub fn around(home: u64, radius_km: u16) -> Vec<Self> {
        let Ok(home) = CellIndex::try_from(home) else {
            return vec![];
        };
        // A ring of neighbourhoods is never thinner than 9 km; two rings more for where in their own people live.
        let rings = 2 + u32::from(radius_km) / 9;
        let disk: Vec<CellIndex> = home.grid_disk(rings);
        disk.into_iter().map(Self::of).collect()
    }

    /// Whether a travel disc may touch it. Conservative, like [`cover`].
    #[must_use]
    pub fn may_be_reached(&self, from: Position, radius_km: u16) -> bool {
        from.metres_to(self.centre) <= u32::from(radius_km) * 1000 + self.radius_m
    }
}

impl Position {
    /// The index of the neighbourhood it lies in.
    #[must_use]
    pub fn neighbourhood(self) -> u64 {
        let (x, y, z) = (f64::from(self.x), f64::from(self.y), f64::from(self.z));
        let latitude = z.atan2(x.hypot(y));
        LatLng::from_radians(latitude, y.atan2(x))
            .unwrap_or_default()
            .to_cell(Resolution::Five)
            .into()
    }
}

/// Added to a radius, so that rounding to metres never loses a cell.
const MARGIN_M: f64 = 100.0;

/// Every cell that the disc may touch, in order: at most [`MOST_CELLS`] for the farthest travel.
///
/// Conservative: it may hold a cell the disc just misses, never lacks one that it touches. Who is truly within reach
/// is decided by the distance itself.
#[must_use]
pub fn cover(latitude: f64, longitude: f64, radius_km: u16) -> Vec<Cell> {
    let radius = f64::from(radius_km.min(FARTHEST_TRAVEL_KM)) * 1000.0;
    let point = LatLng::new(latitude, longitude).unwrap_or_default();
    // Neighbouring centres are at least 25 km apart in a ring's thinnest direction; two rings more for distortion.
    let rings = 2 + u32::from(radius_km.min(FARTHEST_TRAVEL_KM)) / 25;
    let disk: Vec<CellIndex> = point.to_cell(Resolution::Four).grid_disk(rings);
    let mut cells: Vec<Cell> = disk
        .into_iter()
        .map(Cell)
        .filter(|cell| point.distance_m(cell.centre()) <= radius + cell.circumradius() + MARGIN_M)
        .collect();
    cells.sort_unstable();
    cells
}

/// The most cells a service area can touch: of 400,000 places around the globe one had 46; about 31 are usual.
pub const MOST_CELLS: usize = 47;

/// Text that is not a cell of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an H3 cell of resolution 4, 15 hexadecimal digits")]
pub struct ParseCellError;

impl FromStr for Cell {
    type Err = ParseCellError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let index: CellIndex = text.parse().map_err(|_| ParseCellError)?;
        // One spelling per cell: the parser alone would accept upper case and leading zeros.
        if index.resolution() == Resolution::Four && index.to_string() == text {
            Ok(Self(index))
        } else {
            Err(ParseCellError)
        }
    }
}

/// What a shard is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// One cell: whoever's service area touches it.
    Cell(Cell),
    /// The whole earth: for a service that is still small, and to compare with.
    Everywhere,
}

impl Area {
    /// The H3 index of its cell; 0, which is none's, of everywhere.
    #[must_use]
    pub fn index(self) -> u64 {
        match self {
            Self::Cell(cell) => cell.index(),
            Self::Everywhere => 0,
        }
    }

    /// Whether everybody who reaches into this cell is in a shard for this area.
    #[must_use]
    pub fn holds(self, cell: Cell) -> bool {
        match self {
            Self::Cell(own) => own == cell,
            Self::Everywhere => true,
        }
    }
}

impl From<Cell> for Area {
    fn from(cell: Cell) -> Self {
        Self::Cell(cell)
    }
}

impl TryFrom<u64> for Area {
    type Error = ParseCellError;

    fn try_from(index: u64) -> Result<Self, Self::Error> {
        if index == 0 {
            Ok(Self::Everywhere)
        } else {
            Cell::try_from(index).map(Self::Cell)
        }
    }
}

impl TryFrom<u64> for Cell {
    type Error = ParseCellError;

    fn try_from(index: u64) -> Result<Self, Self::Error> {
        let index = CellIndex::try_from(index).map_err(|_| ParseCellError)?;
        if index.resolution() == Resolution::Four {
            Ok(Self(index))
        } else {
            Err(ParseCellError)
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Cell {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[0-9a-f]{15}$"))
            .into()
    }
}

impl utoipa::ToSchema for Cell {}

#[cfg(test)]
mod tests;
