use super::*;
use crate::engagement::Engagement;
use crate::engagement::Side;
use crate::invalid::Findings;
use crate::money::Cents;
use crate::proposal::tests::{details, engagement, id, now, under};
use crate::proposal::{AcceptProposalError, Conditions, ProposedVisit};
use crate::terms::{BandRate, TimeBand};
use crate::vocabulary::Vocabulary;

/// Everything has its rate.
fn held() -> Engagement {
    let mut held = engagement();
    let rates = TimeBand::ALL.iter().zip(5000..);
    let rates = rates.map(|(band, hourly)| BandRate {
        band: *band,
        hourly: Cents(hourly),
    });
    held.terms.as_mut().unwrap().terms.services[0].rates = rates.collect();
    held
}

fn repeats(rule: &str) -> Repeats {
    Repeats {
        rule: rule.to_owned(),
        except: Vec::new(),
    }
}

fn proposed(rule: &str, conditions: Conditions<'_>) -> Proposal {
    let proposed = ProposedVisit {
        visit: details(),
        repeats: Some(repeats(rule)),
    };
    let acting = Acting::by(id(9));
    Proposal::propose(id(7), &held(), proposed, acting, conditions, now()).unwrap()
}

fn booked(proposal: &Proposal) -> (Proposal, Series) {
    let (accepted, terms) = proposal.accept(1, &held(), fresh(), &[], now()).unwrap();
    let booking = Booking {
        id: fresh(),
        suburb: "West End".to_owned(),
        acting: Acting::by(id(21)),
        terms,
        booked_for: [id(21), id(22)].into(),
    };
    let series = Series::book(&accepted, booking, now()).unwrap();
    (accepted, series)
}

const fn fresh() -> VisitId {
    VisitId::from_uuid(Uuid::from_u128(0x0190_b2f0_6bd4_7c5a_9a3e_5b7f_21d4_c8aa))
}

#[test]
fn visits_are_numbered_within_the_id_of_their_series() {
    let series = series_id(fresh());
    assert_eq!(series.to_string(), "ser_0190b2f06bd47c5a9a3e5b7f21d40000");
    assert_eq!(
        visit_id(series, 0).to_string(),
        "vis_0190b2f06bd47c5a9a3e5b7f21d40000"
    );
    assert_eq!(
        visit_id(series, 365).to_string(),
        "vis_0190b2f06bd47c5a9a3e5b7f21d4016d"
    );
}

#[test]
fn it_unfolds_into_the_visits_whose_time_was_taken() {
    let policy = Policy::default();
    let proposal = proposed("FREQ=DAILY;COUNT=45", under(&policy));
    let (accepted, mut series) = booked(&proposal);
    assert_eq!((accepted.visit, accepted.series), (None, Some(series.id)));
    let offer = accepted.current.series.as_ref().unwrap();
    let busy = series.busy(&offer.occurrences(&accepted.current.visit), true);
    let mut visits = Vec::new();
    let mut steps = Vec::new();
    while !series.is_unfolded() {
        let (next, made) = series.unfold(&accepted, 20, &policy, now());
        steps.push(made.len());
        visits.extend(made);
        series = next;
    }
    assert_eq!(steps, [20, 20, 5]);
    assert_eq!(series.unfold(&accepted, 20, &policy, now()).1, []);
    let taken: Vec<Busy> = visits.iter().map(|visit| visit.busy(true)).collect();
    assert_eq!(taken, busy);
    assert!(series.visits().eq(visits.iter().map(|visit| visit.id)));
    let total: Price = visits.iter().map(|visit| visit.price.total).sum();
    assert_eq!(total, offer.total);
    for visit in &visits {
        assert_eq!(visit.series, Some(series.id));
        assert_eq!(
            visit.cancellation_terms.free_until,
            visit.from - TimeDelta::hours(24)
        );
        assert!(visit.deadline.is_some());
        assert_eq!(
            visit.details.local(visit.from).naive_local(),
            visit.details.starts
        );
    }
}

/// A Saturday, a Sunday and a public holiday each cost what they cost by themselves.
#[test]
fn each_visit_has_its_own_price_and_its_own_notice() {
    let policy = Policy::default();
    let holidays = ["2026-12-07".parse().unwrap(), "2026-11-30".parse().unwrap()];
    let cancellation = crate::cancellation::CancellationRules {
        notice: crate::cancellation::Notice::ClearBusinessDays(1),
        charge_basis_points: 5_000,
    };
    let conditions = Conditions {
        policy: &policy,
        holidays: &holidays,
        cancellation,
        away: &[],
    };
    // From Tuesday, 1 December, to Monday.
    let proposal = proposed("FREQ=DAILY;COUNT=7", conditions);
    let offer = proposal.current.series.clone().unwrap();
    let occurrences = offer.occurrences(&details());
    let prices = offer.prices(&occurrences, &details()).unwrap();
    let hourly: Vec<u32> = prices.iter().map(|price| price.parts[0].hourly.0).collect();
    assert_eq!(hourly, [5000, 5000, 5000, 5000, 5003, 5004, 5005]);
    // Not under the holidays of another time.
    let refused = proposal.accept(1, &held(), fresh(), &[], now());
    assert_eq!(refused.map(drop), Err(AcceptProposalError::PriceChanged));
    let (accepted, terms) = proposal
        .accept(1, &held(), fresh(), &holidays, now())
        .unwrap();
    let booking = Booking {
        id: fresh(),
        suburb: String::new(),
        acting: Acting::by(id(21)),
        terms,
        booked_for: BTreeSet::new(),
    };
    let series = Series::book(&accepted, booking, now()).unwrap();
    let (_, visits) = series.unfold(&accepted, 20, &policy, now());
    // A clear business day before Tuesday the 1st is Friday, 27 November: Monday is a holiday.
    let free: Vec<String> = visits
        .iter()
        .map(|visit| {
            visit
                .details
                .local(visit.cancellation_terms.free_until)
                .date_naive()
                .to_string()
        })
        .collect();
    assert_eq!(free[0], "2026-11-26");
    assert_eq!(visits[0].cancellation_terms, accepted.current.cancellation);
    assert_eq!(free[6], "2026-12-03", "Friday lies clear between");
}

#[test]
fn a_series_lasts_as_long_as_its_proposal_says_and_no_terms_lack() {
    let policy = Policy::default();
    let mut findings = Findings::default();
    assert_eq!(
        repeats("FREQ=DAILY").occurrences(&details(), "", &mut findings),
        None
    );
    let mut held = held();
    held.terms.as_mut().unwrap().terms.services[0]
        .rates
        .truncate(1);
    let proposed = ProposedVisit {
        visit: details(),
        repeats: Some(repeats("FREQ=DAILY;COUNT=7")),
    };
    let acting = Acting::by(id(9));
    let refused = Proposal::propose(id(7), &held, proposed, acting, under(&policy), now());
    assert!(matches!(
        refused,
        Err(crate::proposal::ProposeVisitError::NotCovered(_))
    ));
}

#[test]
fn it_is_ended_once_and_for_exactly_what_was_quoted() {
    let policy = Policy::default();
    let (accepted, unmade) = booked(&proposed("FREQ=DAILY;COUNT=3", under(&policy)));
    let (series, visits) = unmade.unfold(&accepted, 20, &policy, now());
    let why = Reasoned {
        side: Some(Side::Client),
        acting: Acting::by(id(21)),
        at: now(),
        reason: "My sister comes.".to_owned(),
    };
    let close = visits[0].from - TimeDelta::hours(1);
    let charged = |side, at| ChargedVisits::of(&visits, Some(side), &policy, at);
    let costly = charged(Side::Client, close);
    let cost = costly.charge;
    assert_eq!(cost, visits[0].price.total);
    assert_eq!(costly.visits, [visits[0].id].into());
    let free = charged(Side::Client, now());
    assert_eq!((free.charge, free.visits.len()), (Price::NOTHING, 0));
    assert_eq!(charged(Side::Worker, close), free);
    let refused = series.end(why.clone(), costly.clone(), None, false);
    assert_eq!(refused, Err(EndSeriesError::Charge(cost)));
    let refused = series.end(why.clone(), free.clone(), Some(cost), false);
    assert_eq!(refused, Err(EndSeriesError::Charge(Price::NOTHING)));
    let over = series.end(why.clone(), free.clone(), None, true);
    assert_eq!(over, Err(EndSeriesError::Over));
    let early = unmade.end(why.clone(), free.clone(), None, true);
    assert_eq!(early, Err(EndSeriesError::BeingMade));
    let ended = series.end(why.clone(), costly, Some(cost), false).unwrap();
    assert_eq!(ended.charged_at_end, [visits[0].id].into());
    let twice = ended.end(why, free, None, false);
    assert_eq!(twice, Err(EndSeriesError::AlreadyEnded));
    assert!(ends_with_series(&visits[0], close));
    assert!(!ends_with_series(&visits[0], visits[0].from));
}
