use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const BUFFER: TimeDelta = TimeDelta::minutes(30);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn id<K>(number: u128) -> crate::id::Id<K> {
    crate::id::Id::from_uuid(Uuid::from_u128(number))
}

fn busy(number: u128, engagement: u128, from: &str, minutes: i64) -> Busy {
    Busy {
        from: at(from),
        until: at(from) + TimeDelta::minutes(minutes),
        visit: id(number),
        engagement: id(engagement),
        travels: true,
    }
}

fn december() -> BusySheet {
    BusySheet::empty(id(1), "2026-12".parse().unwrap())
}

#[test]
fn neighbours_are_told_from_overlaps() {
    let noon = busy(1, 1, "2026-12-01T12:00:00Z", 60);
    let sheet = december().book(noon, BUFFER).unwrap();
    let taken = Err(Overlap::Taken { by: noon.visit });
    let close = Err(Overlap::TooClose { to: noon.visit });
    for (engagement, from, minutes, expected) in [
        (1, "2026-12-01T11:00:00Z", 60, Ok(())),
        (1, "2026-12-01T13:00:00Z", 60, Ok(())),
        (1, "2026-12-01T11:00:00Z", 61, taken),
        (1, "2026-12-01T12:59:00Z", 60, taken),
        (1, "2026-12-01T12:10:00Z", 30, taken),
        (1, "2026-12-01T11:00:00Z", 180, taken),
        (2, "2026-12-01T11:00:00Z", 30, Ok(())),
        (2, "2026-12-01T11:00:00Z", 31, close),
        (2, "2026-12-01T13:00:00Z", 60, close),
        (2, "2026-12-01T13:29:59Z", 60, close),
        (2, "2026-12-01T13:30:00Z", 60, Ok(())),
        (2, "2026-12-01T12:30:00Z", 60, taken),
    ] {
        let other = busy(2, engagement, from, minutes);
        assert_eq!(
            sheet.book(other, BUFFER).map(drop),
            expected,
            "{engagement} {from} {minutes}"
        );
        let at_home = Busy {
            travels: false,
            ..other
        };
        let expected = if expected == close { Ok(()) } else { expected };
        assert_eq!(sheet.book(at_home, BUFFER).map(drop), expected, "at home");
    }
}

#[test]
fn an_interval_is_written_wherever_it_could_be_too_close() {
    for (from, minutes, months) in [
        ("2026-12-15T09:00:00Z", 60, vec!["2026-12"]),
        ("2026-11-30T23:45:00Z", 30, vec!["2026-11", "2026-12"]),
        ("2026-11-30T22:45:00Z", 60, vec!["2026-11", "2026-12"]),
        ("2026-11-30T22:30:00Z", 60, vec!["2026-11"]),
        ("2027-01-01T00:29:59Z", 60, vec!["2026-12", "2027-01"]),
        ("2027-01-01T00:30:00Z", 60, vec!["2027-01"]),
    ] {
        let touched = busy(1, 1, from, minutes).months(BUFFER);
        let touched: Vec<String> = touched.iter().map(Month::to_string).collect();
        assert_eq!(touched, months, "{from}");
    }
}

#[test]
fn two_people_are_not_one_while_they_would_be_in_two_places() {
    let noon = busy(1, 1, "2026-12-01T12:00:00Z", 60);
    let next = busy(2, 2, "2026-12-01T13:00:00Z", 60);
    let between = busy(3, 3, "2026-12-01T12:30:00Z", 60);
    assert_eq!(must_not_overlap(&[noon], &[next]), Ok(()));
    assert_eq!(must_not_overlap(&[noon], &[noon]), Ok(()), "one visit");
    assert_eq!(must_not_overlap(&[], &[noon]), Ok(()));
    let at_home = Busy {
        travels: false,
        ..noon
    };
    for (one, other) in [
        ([noon], [between]),
        ([between], [next]),
        ([noon], [at_home]),
    ] {
        assert_eq!(must_not_overlap(&one, &other), Err(BookingsOverlap));
    }
}

#[test]
fn a_sheet_holds_so_much_and_no_more() {
    let mut sheet = december();
    let first = at("2026-12-01T00:00:00Z");
    let minute = |number: usize| {
        let from = first + TimeDelta::minutes(i64::try_from(number).unwrap());
        Busy {
            from,
            until: from + TimeDelta::minutes(1),
            visit: id(number as u128),
            engagement: id(1),
            travels: true,
        }
    };
    for number in 0..MOST_BOOKED {
        sheet = sheet.book(minute(number), BUFFER).unwrap();
    }
    assert_eq!(sheet.book(minute(MOST_BOOKED), BUFFER), Err(Overlap::Full));
    let freed = sheet.free(id(7)).unwrap();
    assert_eq!(freed.free(id(7)), None, "it is gone already");
    assert!(freed.book(minute(MOST_BOOKED), BUFFER).is_ok());
}

#[test]
fn months_read_as_they_are_written() {
    for wrong in [
        "2026-13", "2026-00", "2026-1", "26-01", "2026", "+2026-01", "",
    ] {
        assert_eq!(wrong.parse::<Month>(), Err(ParseMonthError), "{wrong}");
    }
    let december: Month = "2026-12".parse().unwrap();
    assert_eq!(december.next().to_string(), "2027-01");
}

/// Where intervals end up whose every sheet was asked, as a booking does.
type Sheets = std::collections::BTreeMap<Month, BusySheet>;

fn book(sheets: &Sheets, busy: Busy) -> Result<Sheets, Overlap> {
    let mut next = sheets.clone();
    for month in busy.months(BUFFER) {
        let sheet = sheets.get(&month).cloned();
        let sheet = sheet.unwrap_or_else(|| BusySheet::empty(id(1), month));
        next.insert(month, sheet.book(busy, BUFFER)?);
    }
    Ok(next)
}

fn free(sheets: &Sheets, busy: &Busy) -> Sheets {
    let mut next = sheets.clone();
    for month in busy.months_around() {
        if let Some(freed) = sheets.get(&month).and_then(|sheet| sheet.free(busy.visit)) {
            next.insert(month, freed);
        }
    }
    next.retain(|_, sheet| !sheet.booked.is_empty());
    next
}

/// What two intervals have to do with each other, put another way than the sheet does.
fn fit(one: &Busy, other: &Busy) -> bool {
    let journey = one.travels && other.travels && one.engagement != other.engagement;
    let gap = if journey { BUFFER } else { TimeDelta::zero() };
    one.until + gap <= other.from || other.until + gap <= one.from
}

prop_compose! {
    /// Around the turn of a month, where one sheet ends and another begins.
    fn interval()(
        minute in -600_i64..600, length in 1_i64..=180, engagement in 0_u128..3, travels: bool
    ) -> (i64, i64, u128, bool) {
        (minute, length, engagement, travels)
    }
}

proptest! {
    #[test]
    fn whatever_is_booked_fits_and_whatever_is_refused_does_not(
        intervals in prop::collection::vec(interval(), 1..60)
    ) {
        let turn = at("2026-12-01T00:00:00Z");
        let mut sheets = Sheets::new();
        let mut booked: Vec<Busy> = Vec::new();
        for (number, (minute, length, engagement, travels)) in intervals.into_iter().enumerate() {
            let from = turn + TimeDelta::minutes(minute);
            let busy = Busy {
                from,
                until: from + TimeDelta::minutes(length),
                visit: id(number as u128),
                engagement: id(engagement),
                travels,
            };
            let fits = booked.iter().all(|other| fit(other, &busy));
            match book(&sheets, busy) {
                Ok(next) => {
                    prop_assert!(fits, "{busy:?} was booked beside {booked:?}");
                    prop_assert_eq!(&free(&next, &busy), &sheets, "freeing does not restore");
                    sheets = next;
                    booked.push(busy);
                }
                Err(_) => prop_assert!(!fits, "{busy:?} was refused beside {booked:?}"),
            }
        }
        for (month, sheet) in &sheets {
            prop_assert!(sheet.booked.is_sorted_by_key(|busy| busy.from));
            let mut expected: Vec<Busy> = booked
                .iter()
                .copied()
                .filter(|busy| busy.months(BUFFER).contains(month))
                .collect();
            expected.sort_by_key(|busy| busy.from);
            prop_assert_eq!(&sheet.booked, &expected);
        }
    }
}
