//! Dates, places, hours and what else is listed, each as one whole number, and back.

use chrono::{Datelike, NaiveDate};
use domain::availability::{Exception, HalfHour, Week};
use domain::money::Cents;
use domain::place::Position;
use domain::profile::OfferedService;
use domain::support_worker::HeldCertification;
use domain::vocabulary::{Certification, Service, Vocabulary};

/// 1 January 2020, from which days are counted: small numbers take few bits.
const EPOCH: i64 = 737_425;
/// Bits that the code of any date fits into.
pub(crate) const DAY_BITS: u32 = 30;
const DAY: u64 = (1 << DAY_BITS) - 1;

/// A day as a number, to compare and subtract.
pub(crate) fn day(date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce())
}

/// The code of a date, 0 for none. It is small for dates about now, whether before or after.
pub(crate) fn date_code(date: Option<NaiveDate>) -> u64 {
    date.map_or(0, |date| folded(day(date) - EPOCH) + 1)
}

/// The day that a code other than 0 stands for.
pub(crate) const fn day_of_code(code: u64) -> i64 {
    unfolded(code.wrapping_sub(1)) + EPOCH
}

/// The date that a code other than 0 stands for.
pub(crate) fn date_of_code(code: u64) -> Option<NaiveDate> {
    if code > DAY {
        return None;
    }
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(day_of_code(code)).ok()?)
}

/// A whole number as one that is never negative, small where it is near zero.
const fn folded(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

const fn unfolded(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -((folded & 1).cast_signed())
}

/// Added to a coordinate, so that it is never negative.
const SEA_LEVEL: i32 = 1 << 23;
const COORDINATE: u64 = (1 << 24) - 1;
/// The low bits of a coordinate: neighbours differ in them, and so they stand highest.
const FINE_BITS: u32 = 12;
const FINE: u64 = (1 << FINE_BITS) - 1;

fn raised(coordinate: i32) -> u64 {
    u64::try_from(coordinate.saturating_add(SEA_LEVEL)).unwrap_or(0) & COORDINATE
}

const fn lowered(raised: u64) -> i32 {
    (raised & COORDINATE) as i32 - SEA_LEVEL
}

/// The first two coordinates.
pub(crate) fn plane(position: Position) -> u64 {
    let (x, y) = (raised(position.x), raised(position.y));
    (x & FINE) << 36 | y << 12 | x >> FINE_BITS
}

/// The third coordinate and how far somebody travels. Nobody travels more than 100 km; 255 would fit.
pub(crate) fn height(position: Position, radius_km: u16) -> u64 {
    let z = raised(position.z);
    (z & FINE) << 20 | u64::from(radius_km.min(255)) << 12 | z >> FINE_BITS
}

/// The position that these two numbers hold.
pub(crate) const fn position(plane: u64, height: u64) -> Position {
    Position {
        x: lowered(plane << FINE_BITS | plane >> 36),
        y: lowered(plane >> 12),
        z: lowered((height & FINE) << FINE_BITS | height >> 20),
    }
}

/// How far somebody travels, in kilometres.
pub(crate) const fn radius(height: u64) -> u16 {
    (height >> 12 & 0xff) as u16
}

const WEEKDAYS: usize = 7;

/// The spans of a usual week.
pub(crate) fn hours_of(week: &Week) -> Vec<u64> {
    let mut spans = vec![];
    for (weekday, row) in (0_u64..).zip(week.rows()) {
        let mut rest = row;
        while rest != 0 {
            let from = rest.trailing_zeros();
            let until = from + (rest >> from).trailing_ones();
            spans.push(weekday << 14 | u64::from(from) << 7 | u64::from(until));
            rest &= !bits_until(until);
        }
    }
    spans
}

/// The usual week of these spans.
pub(crate) fn week(spans: impl IntoIterator<Item = u64>) -> Week {
    let mut rows = [0; WEEKDAYS];
    for span in spans {
        let until = bits_until(u32::try_from(span & 0x7f).unwrap_or(0));
        let from = bits_until(u32::try_from(span >> 7 & 0x7f).unwrap_or(0));
        if let Some(row) = usize::try_from(span >> 14)
            .ok()
            .and_then(|weekday| rows.get_mut(weekday))
        {
            *row |= until & !from;
        }
    }
    Week::from_rows(rows)
}

/// All bits below this one.
const fn bits_until(bit: u32) -> u64 {
    match 1_u64.checked_shl(bit) {
        Some(above) => above - 1,
        None => u64::MAX,
    }
}

const CERTIFICATION_BITS: u32 = 6;

/// A certificate with its last day.
pub(crate) fn certificate(held: &HeldCertification) -> u64 {
    date_code(held.expires_on) << CERTIFICATION_BITS | u64::from(held.certification.bit())
}

/// The certificate of such a number.
pub(crate) fn held(packed: u64) -> Option<HeldCertification> {
    Some(HeldCertification {
        certification: word::<Certification>(packed & ((1 << CERTIFICATION_BITS) - 1))?,
        expires_on: match packed >> CERTIFICATION_BITS {
            0 => None,
            code => Some(date_of_code(code)?),
        },
    })
}

/// The mask of the certificate of such a number, and its last day if it has one.
pub(crate) fn certificate_days(packed: u64) -> (u64, Option<i64>) {
    let bit = u32::try_from(packed & ((1 << CERTIFICATION_BITS) - 1)).unwrap_or(u32::MAX);
    let code = packed >> CERTIFICATION_BITS;
    let last = (code != 0).then(|| day_of_code(code));
    (1_u64.checked_shl(bit).unwrap_or(0), last)
}

const SERVICE_BITS: u32 = 4;

/// A service with its rate.
pub(crate) fn reordered(offered: &OfferedService) -> u64 {
    u64::from(offered.hourly_rate.0) << SERVICE_BITS | u64::from(offered.service.bit())
}

/// The service of such a number.
pub(crate) fn service_at(packed: u64) -> Option<OfferedService> {
    Some(OfferedService {
        service: word::<Service>(packed & ((1 << SERVICE_BITS) - 1))?,
        hourly_rate: Cents(u32::try_from(packed >> SERVICE_BITS).ok()?),
    })
}

/// A departure from the usual week: the lowest bit tells extra hours from days away, the first day follows.
pub(crate) fn exception(exception: &Exception) -> u64 {
    let (first, extra, rest) = match exception {
        Exception::Away { first, last } => (first, 0, folded(day(*last) - day(*first))),
        Exception::Extra { date, from, until } => {
            let hours = u64::from(from.half_hours()) << 6 | u64::from(until.half_hours());
            (date, 1, hours)
        }
    };
    rest << (DAY_BITS + 1) | date_code(Some(*first)) << 1 | extra
}

/// The departure of such a number.
pub(crate) fn departure(packed: u64) -> Option<Exception> {
    let first = date_of_code(packed >> 1 & DAY)?;
    let rest = packed >> (DAY_BITS + 1);
    if packed & 1 == 0 {
        let last = i32::try_from(day(first) + unfolded(rest)).ok()?;
        return Some(Exception::Away {
            first,
            last: NaiveDate::from_num_days_from_ce_opt(last)?,
        });
    }
    let time = |half_hours: u64| HalfHour::after_midnight(u8::try_from(half_hours).ok()?);
    Some(Exception::Extra {
        date: first,
        from: time(rest >> 6)?,
        until: time(rest & 0x3f)?,
    })
}

fn word<V: Vocabulary>(bit: u64) -> Option<V> {
    V::ALL.get(usize::try_from(bit).ok()?).copied()
}
