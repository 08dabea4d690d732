//! Making what a client asks for.

use std::collections::BTreeSet;

use domain::availability::{
    DayPart, DayStrength, HalfHour, Hours, RequestedDay, Strength, Weekday,
};
use domain::match_request::{
    Budget, CareNeeds, MatchRequestDetails, Period, Preference, Sharing, Wish,
};
use domain::money::Cents;
use domain::vocabulary::{
    CareLevel, Certification, Gender, Hazard, Language, Mobility, Service, Task, Vocabulary,
};

use crate::calling::{CALLINGS, Calling};
use crate::chance::Chance;
use crate::places::{Community, Places};
use crate::{interests, texts, today};

/// Makes what a client asks for, where people live.
pub(crate) fn make(chance: &mut Chance, places: &Places) -> MatchRequestDetails {
    let spot = places.somewhere(chance);
    let at = chance.weighed(CALLINGS.iter().map(|calling| calling.share));
    // INVARIANT: `weighed` gives a place in the list.
    let [first, ..] = &CALLINGS;
    let calling = CALLINGS.get(at).unwrap_or(first);
    let likes = chance.between(1, 5);
    let interests = interests::few(chance, likes);
    let count = chance.between(1, 3);
    let budget = calling.rate * chance.between(102, 140) / 100;
    MatchRequestDetails {
        services: services(chance, calling, count),
        days: days(chance),
        care_needs: care_needs(chance, calling),
        about_me: if chance.percent(50) {
            texts::about_me(chance, &interests)
        } else {
            String::new()
        },
        preferences: preferences(chance, calling, spot.community, &interests),
        certifications: certifications(chance, calling),
        budget: Budget {
            least: Cents(if chance.percent(10) {
                calling.rate / 2
            } else {
                0
            }),
            most: Cents(budget / 50 * 50),
        },
        place: spot.place,
        period: period(chance),
    }
}

fn services(chance: &mut Chance, calling: &Calling, count: u32) -> Vec<Service> {
    let mut services = chance.few(calling.services, count);
    services.extend(
        chance
            .pick(calling.also)
            .filter(|_| count == 3 && services.len() < 3),
    );
    services
}

/// Day-parts asked for, with their first half hour and the one behind their last: most want mornings, few the night.
const DAY_PARTS: [(u32, DayPart, u8, u8); 4] = [
    (46, DayPart::Morning, 14, 24),
    (32, DayPart::Afternoon, 24, 36),
    (17, DayPart::Evening, 36, 44),
    (5, DayPart::Night, 44, 60),
];

fn days(chance: &mut Chance) -> Vec<RequestedDay> {
    let mut asked = BTreeSet::new();
    let mut days = vec![];
    for _ in 0..chance.between(0, 5) {
        let Some(weekday) = chance.pick(Weekday::ALL) else {
            continue;
        };
        let at = chance.weighed(DAY_PARTS.iter().map(|part| part.0));
        let Some((_, day_part, first, last)) = DAY_PARTS.get(at) else {
            continue;
        };
        let exact = chance.percent(25);
        let strength = if chance.percent(35) {
            DayStrength::Must
        } else {
            DayStrength::Prefer
        };
        if asked.insert((weekday, *day_part)) {
            days.push(RequestedDay {
                weekday,
                day_part: *day_part,
                hours: exact.then(|| hours(chance, *first, *last)).flatten(),
                strength,
            });
        }
    }
    days
}

fn hours(chance: &mut Chance, first: u8, last: u8) -> Option<Hours> {
    let most = u32::from(last - first);
    let length = u8::try_from(chance.between(2, most.min(6))).ok()?;
    let from = first + u8::try_from(chance.between(0, most - u32::from(length))).ok()?;
    // What lies past midnight is said in the next day's time.
    let time = |half_hours: u8| {
        HalfHour::after_midnight(if half_hours > 48 {
            half_hours - 48
        } else {
            half_hours
        })
    };
    Some(Hours {
        from: time(from)?,
        until: time(from + length)?,
    })
}

/// Hazards at home, the most usual first.
const HAZARDS: [Hazard; 8] = [
    Hazard::Dogs,
    Hazard::Stairs,
    Hazard::Cats,
    Hazard::SmokingIndoors,
    Hazard::OthersInHousehold,
    Hazard::Isolated,
    Hazard::OxygenInUse,
    Hazard::AggressiveBehaviour,
];

fn care_needs(chance: &mut Chance, calling: &Calling) -> CareNeeds {
    let lowest = calling.level.bit().saturating_sub(2);
    let level = chance.between(lowest, calling.level.bit());
    let level = CareLevel::ALL.get(level as usize).copied();
    let conditions = chance.between(0, 3);
    let hazards = chance.between(0, 2);
    let tasks: Vec<Task> = chance.some(calling.tasks, 30).collect();
    CareNeeds {
        level: level.unwrap_or(calling.level),
        conditions: chance.few(calling.conditions, conditions),
        mobility: chance
            .pick_skewed(calling.mobility)
            .unwrap_or(Mobility::Independent),
        hazards: if chance.percent(50) {
            chance.few(&HAZARDS, hazards)
        } else {
            vec![]
        },
        tasks,
        share: Sharing::default(),
    }
}

fn preferences(
    chance: &mut Chance,
    calling: &Calling,
    community: &Community,
    interests: &[domain::vocabulary::Interest],
) -> Vec<Preference> {
    let mut wishes = vec![];
    for interest in chance.some(interests, 60) {
        wishes.push((Strength::Prefer, Wish::Interest(interest)));
    }
    if chance.percent(30) {
        let skill = chance.pick_skewed(calling.skills).map(Wish::Skill);
        let strength = if chance.percent(20) {
            Strength::Must
        } else {
            Strength::Prefer
        };
        wishes.extend(skill.map(|skill| (strength, skill)));
    }
    if chance.percent(18) {
        let language = chance
            .pick_skewed(&community.languages)
            .unwrap_or(Language::English);
        let strength = if chance.percent(35) {
            Strength::Must
        } else {
            Strength::Prefer
        };
        wishes.push((strength, Wish::Language(language)));
    }
    if chance.percent(15) {
        let culture = chance.pick_skewed(&community.cultures).map(Wish::Culture);
        wishes.extend(culture.map(|culture| (Strength::Prefer, culture)));
    }
    if chance.percent(5) {
        let unwanted = interests::few(chance, 1).into_iter();
        let unwanted = unwanted.filter(|interest| !interests.contains(interest));
        wishes.extend(unwanted.map(|interest| (Strength::Avoid, Wish::Interest(interest))));
    }
    if chance.percent(22) {
        let gender = if chance.percent(75) {
            Gender::Woman
        } else {
            Gender::Man
        };
        let strength = match chance.between(0, 9) {
            0..=2 => Strength::Must,
            3 => Strength::Avoid,
            _ => Strength::Prefer,
        };
        wishes.push((strength, Wish::Gender(gender)));
    }
    let preferences = wishes.into_iter().map(|(strength, wish)| Preference {
        strength,
        wish,
        care_reason: (matches!(wish, Wish::Gender(_)) && strength != Strength::Prefer)
            .then(|| "Intimate care".to_owned()),
    });
    preferences.collect()
}

fn certifications(chance: &mut Chance, calling: &Calling) -> Vec<Certification> {
    if chance.percent(40) {
        chance.few(calling.certificates, 2)
    } else {
        vec![]
    }
}

/// Within the next two months, mostly without an end. Never shorter than a week, so that every weekday occurs.
fn period(chance: &mut Chance) -> Period {
    let from = chance.days_after(today(), 1, 60);
    let until = match chance.between(0, 9) {
        0..=6 => None,
        7..=8 => Some(chance.days_after(from, 7, 90)),
        _ => Some(chance.days_after(from, 90, 400)),
    };
    Period { from, until }
}
