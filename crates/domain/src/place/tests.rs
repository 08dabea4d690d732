use super::*;
use proptest::prelude::*;

fn melbourne() -> Place {
    Place {
        suburb: "Carlton".into(),
        postcode: "3053".into(),
        latitude: -37.80,
        longitude: 144.97,
        time_zone: "Australia/Melbourne".into(),
    }
}

#[test]
fn faults_name_their_fields() {
    assert_eq!(melbourne().validate(), Ok(()));
    let nowhere = Place {
        suburb: String::new(),
        latitude: f64::NAN,
        longitude: 181.0,
        time_zone: "Melbourne".into(),
        ..melbourne()
    };
    let pointers: Vec<String> = nowhere
        .validate()
        .unwrap_err()
        .into_iter()
        .map(|fault| fault.pointer)
        .collect();
    assert_eq!(
        pointers,
        ["/suburb", "/latitude", "/longitude", "/time_zone"]
    );
}

#[test]
fn today_is_the_date_on_the_wall() {
    let late = "2026-11-21T14:30:00Z".parse().unwrap();
    assert_eq!(melbourne().today(late).to_string(), "2026-11-22");
    let midnight = melbourne().midnight("2026-11-22".parse().unwrap());
    assert_eq!(midnight.to_rfc3339(), "2026-11-21T13:00:00+00:00");
}

#[test]
fn a_cell_has_one_spelling() {
    let cell = melbourne().cell();
    let text = cell.to_string();
    assert_eq!(text.parse(), Ok(cell));
    assert!(text.to_uppercase().parse::<Cell>().is_err());
    assert!(format!("0{text}").parse::<Cell>().is_err());
    let finer = LatLng::new(-37.8, 144.97)
        .unwrap()
        .to_cell(Resolution::Five);
    assert!(finer.to_string().parse::<Cell>().is_err());
}

/// The degrees of the point so many metres from another along a bearing.
fn walked((latitude, longitude): (f64, f64), metres: f64, bearing: f64) -> (f64, f64) {
    let angle = metres / EARTH_M;
    let (lat, lng) = (latitude.to_radians(), longitude.to_radians());
    let north = (lat.sin() * angle.cos() + lat.cos() * angle.sin() * bearing.cos()).asin();
    let east = lng
        + (bearing.sin() * angle.sin() * lat.cos()).atan2(angle.cos() - lat.sin() * north.sin());
    (
        north.to_degrees(),
        (east.to_degrees() + 540.0).rem_euclid(360.0) - 180.0,
    )
}

proptest! {
    #[test]
    fn whoever_is_within_reach_lies_in_a_covered_cell(
        latitude in -85.0..85.0_f64,
        longitude in -180.0..180.0_f64,
        radius in 0..=FARTHEST_TRAVEL_KM,
        bearing in 0.0..std::f64::consts::TAU,
        share in 0.0..=1.0_f64,
    ) {
        let cells = cover(latitude, longitude, radius);
        prop_assert!(cells.len() <= MOST_CELLS);
        let (north, east) = walked((latitude, longitude), share * f64::from(radius) * 1000.0, bearing);
        prop_assert!(cells.contains(&Cell::of(north, east)));
    }

    #[test]
    fn whoever_is_within_reach_is_filed_under_the_neighbourhood(
        latitude in -85.0..85.0_f64,
        longitude in -180.0..180.0_f64,
        radius in 0..=FARTHEST_TRAVEL_KM,
        bearing in 0.0..std::f64::consts::TAU,
        share in 0.0..=1.0_f64,
    ) {
        let base = Position::of(latitude, longitude);
        let (north, east) = walked((latitude, longitude), share * f64::from(radius) * 1000.0, bearing);
        let there = Position::of(north, east).neighbourhood();
        let filed = |neighbourhoods: Vec<Neighbourhood>| {
            let mut reached = neighbourhoods.iter().filter(|small| small.may_be_reached(base, radius));
            reached.any(|small| small.index == there)
        };
        prop_assert!(filed(Neighbourhood::around(base.neighbourhood(), radius)));
        prop_assert!(filed(Cell::of(north, east).neighbourhoods()));
    }

    #[test]
    fn distance_agrees_with_the_great_circle(
        a in (-90.0..90.0_f64, -180.0..180.0_f64),
        b in (-90.0..90.0_f64, -180.0..180.0_f64),
    ) {
        let metres = Position::of(a.0, a.1).metres_to(Position::of(b.0, b.1));
        let circle = LatLng::new(a.0, a.1).unwrap().distance_m(LatLng::new(b.0, b.1).unwrap());
        // Positions are whole metres: up to a quarter of the way round that stays a matter of metres.
        // Towards the opposite point it grows without bound, where nobody travels.
        let near = circle < 10_000_000.0;
        prop_assert!(!near || (f64::from(metres) - circle).abs() < 5.0, "{metres} {circle}");
    }
}
