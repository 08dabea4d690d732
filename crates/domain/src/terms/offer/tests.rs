use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::engagement::{EngagementState, UnderstandingKind};
use crate::funding::{RateCap, SchemeRules};
use crate::id::{ClientId, PersonId};
use crate::money::Cents;
use crate::terms::{BandRate, ServiceRates, TimeBand};
use crate::vocabulary::Service;

const OFFERED: [OfferedService; 1] = [OfferedService {
    service: Service::SocialSupport,
    hourly_rate: Cents(5400),
}];
const PLAIN: Pricing<'static> = Pricing {
    service_basis_points: 250,
    scheme: None,
};

fn now() -> DateTime<Utc> {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

fn terms(hourly: u32) -> Terms {
    Terms {
        services: vec![ServiceRates {
            service: Service::SocialSupport,
            rates: vec![BandRate {
                band: TimeBand::Sunday,
                hourly: Cents(hourly),
            }],
        }],
        minutes_per_week: 240,
        scope: "Company, and a walk where the weather allows it.".into(),
        limits: vec!["No lifting.".into()],
    }
}

fn acting(side: Side) -> Acting {
    Acting::by(PersonId::from_uuid(Uuid::from_u128(side.bit().into())))
}

fn new(number: u128, side: Side, hourly: u32) -> NewOffer {
    NewOffer {
        id: OfferId::from_uuid(Uuid::from_u128(number)),
        side,
        acting: acting(side),
        terms: terms(hourly),
    }
}

fn engagement() -> Engagement {
    let mut engagement = Engagement::open(
        EngagementId::from_uuid(Uuid::nil()),
        ClientId::from_uuid(Uuid::nil()),
        crate::id::WorkerId::from_uuid(Uuid::nil()),
        crate::id::MatchRequestId::from_uuid(Uuid::nil()),
        crate::id::InvitationId::from_uuid(Uuid::nil()),
        now(),
    );
    engagement.understandings = vec![Understanding {
        kind: UnderstandingKind::Routine,
        text: "Shoes off at the door.".into(),
    }];
    engagement
}

fn made() -> Negotiated {
    let policy = Policy::default();
    engagement()
        .make_offer(new(1, Side::Worker, 6000), &OFFERED, PLAIN, &policy, now())
        .unwrap()
}

fn scheme(most: u32) -> FundingScheme {
    let rules = SchemeRules {
        name: "Home support".into(),
        caps: vec![RateCap {
            service: Service::SocialSupport,
            band: TimeBand::Sunday,
            most: Cents(most),
        }],
        holidays: vec![],
        cancellation: None,
    };
    FundingScheme::new("home-support".parse().unwrap(), rules)
}

/// What came of a command, as the table tells it.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    To(OfferState),
    NotTheirs,
    Not(OfferNotOpen),
    NotOpen(EngagementNotOpen),
    OfferOpen,
    Superseded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Make,
    Counter,
    Accept,
    Withdraw,
    Lapse,
}

const STEPS: [Step; 5] = [
    Step::Make,
    Step::Counter,
    Step::Accept,
    Step::Withdraw,
    Step::Lapse,
];

fn come(step: Step, engagement: &Engagement, offer: &Offer, side: Side, at: DateTime<Utc>) -> Came {
    let policy = Policy::default();
    let state = |negotiated: Negotiated| Came::To(negotiated.offer.state);
    match step {
        Step::Make => engagement
            .make_offer(new(9, side, 6000), &OFFERED, PLAIN, &policy, at)
            .map_or_else(
                |error| match error {
                    MakeOfferError::Engagement(why) => Came::NotOpen(why),
                    MakeOfferError::OfferOpen(_) => Came::OfferOpen,
                    MakeOfferError::Invalid(faults) => panic!("{faults:?}"),
                },
                state,
            ),
        Step::Counter => engagement
            .counter_offer(offer, new(9, side, 6000), &OFFERED, PLAIN, &policy, at)
            .map_or_else(
                |error| match error {
                    CounterOfferError::Engagement(why) => Came::NotOpen(why),
                    CounterOfferError::OwnOffer => Came::NotTheirs,
                    CounterOfferError::NotOpen(why) => Came::Not(why),
                    CounterOfferError::Invalid(faults) => panic!("{faults:?}"),
                },
                |(answered, _)| Came::To(answered.state),
            ),
        Step::Accept => engagement
            .accept_offer(offer, side, acting(side), PLAIN, at)
            .map_or_else(
                |error| match error {
                    AcceptOfferError::Engagement(why) => Came::NotOpen(why),
                    AcceptOfferError::OwnOffer => Came::NotTheirs,
                    AcceptOfferError::NotOpen(why) => Came::Not(why),
                    AcceptOfferError::Invalid(faults) => panic!("{faults:?}"),
                },
                state,
            ),
        Step::Withdraw => engagement
            .withdraw_offer(offer, side, acting(side), at)
            .map_or_else(
                |error| match error {
                    WithdrawOfferError::Engagement(why) => Came::NotOpen(why),
                    WithdrawOfferError::NotYourOffer => Came::NotTheirs,
                    WithdrawOfferError::NotOpen(why) => Came::Not(why),
                },
                state,
            ),
        Step::Lapse => engagement
            .lapse_offer(offer, 1, offer.lapses_at)
            .map_or_else(
                |error| match error {
                    LapseOfferError::Superseded => Came::Superseded,
                    LapseOfferError::Early(at) => panic!("early: {at}"),
                },
                state,
            ),
    }
}

/// What each step of either side comes to, on the support worker's offer in each state.
#[test]
fn every_state_and_command_and_side() {
    use OfferState::{Accepted, Countered, Lapsed, Open, Withdrawn};
    for state in OfferState::ALL.iter().copied() {
        let Negotiated { engagement, offer } = made();
        let engagement = Engagement {
            open_offer: engagement.open_offer.filter(|_| state == Open),
            ..engagement
        };
        let offer = Offer { state, ..offer };
        for (step, side) in STEPS
            .iter()
            .flat_map(|step| Side::ALL.iter().map(move |side| (*step, *side)))
        {
            let own = side == offer.side;
            let expected = match (state, step, own) {
                (Open, Step::Make, _) => Came::OfferOpen,
                (_, Step::Make, _) => Came::To(Open),
                (_, Step::Counter | Step::Accept, true) | (_, Step::Withdraw, false) => {
                    Came::NotTheirs
                }
                (Open, Step::Counter, false) => Came::To(Countered),
                (Open, Step::Accept, false) => Came::To(Accepted),
                (Open, Step::Withdraw, true) => Came::To(Withdrawn),
                (Open, Step::Lapse, _) => Came::To(Lapsed),
                (_, Step::Lapse, _) => Came::Superseded,
                (Accepted | Countered | Withdrawn | Lapsed, _, _) => {
                    Came::Not(OfferNotOpen::Closed(state))
                }
            };
            let came = come(step, &engagement, &offer, side, now());
            assert_eq!(came, expected, "{step:?} of {side:?} on {state:?}");
        }
    }
}

#[test]
fn nothing_but_lapsing_goes_on_in_an_engagement_that_is_not_open() {
    for (state, why) in [
        (EngagementState::Paused, EngagementNotOpen::Paused),
        (EngagementState::Ended, EngagementNotOpen::Ended),
    ] {
        let Negotiated {
            mut engagement,
            offer,
        } = made();
        engagement.state = state;
        for step in STEPS {
            for side in Side::ALL {
                let own = *side == offer.side;
                let expected = match (step, own) {
                    (Step::Lapse, _) => Came::To(OfferState::Lapsed),
                    (Step::Counter | Step::Accept, true) | (Step::Withdraw, false) => {
                        Came::NotTheirs
                    }
                    _ => Came::NotOpen(why),
                };
                assert_eq!(come(step, &engagement, &offer, *side, now()), expected);
            }
        }
    }
}

#[test]
fn an_offer_stands_for_a_week_and_carries_what_meetings_agreed() {
    let Negotiated { engagement, offer } = made();
    assert_eq!((offer.version, engagement.offers), (1, 1));
    assert_eq!(engagement.open_offer, Some(offer.id));
    assert_eq!(offer.understandings, engagement.understandings);
    assert_eq!(offer.lapses_at, now() + TimeDelta::days(7));
    let at = |instant| come(Step::Accept, &engagement, &offer, Side::Client, instant);
    let last = offer.lapses_at - TimeDelta::nanoseconds(1);
    assert_eq!(at(last), Came::To(OfferState::Accepted));
    assert_eq!(at(offer.lapses_at), Came::Not(OfferNotOpen::Lapsed));
    let early = engagement.lapse_offer(&offer, 1, last);
    assert_eq!(early, Err(LapseOfferError::Early(offer.lapses_at)));
    let stale = engagement.lapse_offer(&offer, 2, offer.lapses_at);
    assert_eq!(stale, Err(LapseOfferError::Superseded));
}

#[test]
fn only_the_newest_version_can_be_answered() {
    let (first, policy) = (made(), Policy::default());
    let (countered, second) = first
        .engagement
        .counter_offer(
            &first.offer,
            new(2, Side::Client, 5500),
            &OFFERED,
            PLAIN,
            &policy,
            now(),
        )
        .unwrap();
    assert_eq!(
        (countered.state, second.offer.version),
        (OfferState::Countered, 2)
    );
    assert_eq!(countered.answered_by, Some(acting(Side::Client)));
    for step in [Step::Counter, Step::Accept] {
        let came = come(step, &second.engagement, &countered, Side::Client, now());
        assert_eq!(came, Came::Not(OfferNotOpen::StaleVersion { open: 2 }));
    }
    let accepted = come(
        Step::Accept,
        &second.engagement,
        &second.offer,
        Side::Worker,
        now(),
    );
    assert_eq!(accepted, Came::To(OfferState::Accepted));
}

#[test]
fn caps_hold_when_an_offer_is_made_and_again_when_it_is_accepted() {
    let policy = Policy::default();
    let capped = scheme(6150);
    let pricing = Pricing {
        scheme: Some(&capped),
        ..PLAIN
    };
    let make = |hourly| {
        engagement().make_offer(
            new(1, Side::Worker, hourly),
            &OFFERED,
            pricing,
            &policy,
            now(),
        )
    };
    let Err(MakeOfferError::Invalid(faults)) = make(6001) else {
        panic!("above the cap");
    };
    assert_eq!(faults[0].pointer, "/terms/services/0/rates/0/hourly");
    let Negotiated { engagement, offer } = make(6000).unwrap();
    let quoted = SchemeVersion {
        scheme: capped.code.clone(),
        version: 1,
    };
    assert_eq!(offer.quote.scheme, Some(quoted));

    // The plan's part has risen since, or the scheme pays less.
    let lower = capped.revised(scheme(6149).rules);
    for pricing in [
        Pricing {
            service_basis_points: 300,
            ..pricing
        },
        Pricing {
            scheme: Some(&lower),
            ..pricing
        },
    ] {
        let refused =
            engagement.accept_offer(&offer, Side::Client, acting(Side::Client), pricing, now());
        assert!(
            matches!(refused, Err(AcceptOfferError::Invalid(_))),
            "{refused:?}"
        );
    }
    let accepted =
        engagement.accept_offer(&offer, Side::Client, acting(Side::Client), pricing, now());
    assert_eq!(
        accepted
            .unwrap()
            .engagement
            .terms
            .unwrap()
            .service_basis_points,
        250
    );
}

#[test]
fn an_agreement_taken_back_gives_way_to_the_one_before() {
    let policy = Policy::default();
    let agree = |engagement: &Engagement, number| {
        let new = new(number, Side::Worker, 6000);
        let Negotiated { engagement, offer } = engagement
            .make_offer(new, &OFFERED, PLAIN, &policy, now())
            .unwrap();
        engagement
            .accept_offer(&offer, Side::Client, acting(Side::Client), PLAIN, now())
            .unwrap()
    };
    let first = agree(&engagement(), 1);
    let second = agree(&first.engagement, 2);
    let in_force = |engagement: &Engagement| engagement.terms.as_ref().map(|terms| terms.version);
    assert_eq!(in_force(&second.engagement), Some(2));

    let wrong = second.engagement.reverse_terms(&first.offer, None, now());
    assert_eq!(wrong, Err(ReverseTermsError::Moved));
    let wrong = second.engagement.reverse_terms(&second.offer, None, now());
    assert_eq!(wrong, Err(ReverseTermsError::Moved));
    let back = second
        .engagement
        .reverse_terms(&second.offer, Some(&first.offer), now())
        .unwrap();
    assert_eq!(
        (back.offer.state, back.offer.reversed_at),
        (OfferState::Accepted, Some(now()))
    );
    assert_eq!(back.engagement.terms, first.engagement.terms);
    let none = back
        .engagement
        .reverse_terms(&first.offer, None, now())
        .unwrap();
    assert_eq!(in_force(&none.engagement), None);
    let nothing = none.engagement.reverse_terms(&first.offer, None, now());
    assert_eq!(nothing, Err(ReverseTermsError::NoTerms));
}

/// A negotiation as it is stored: the engagement, and every offer by its version.
#[derive(Debug, Clone)]
struct Table {
    engagement: Engagement,
    offers: Vec<Offer>,
}

impl Table {
    fn keep(&mut self, Negotiated { engagement, offer }: Negotiated) {
        self.engagement = engagement;
        self.put(offer);
    }

    fn put(&mut self, offer: Offer) {
        let place = offer.version as usize - 1;
        match self.offers.get_mut(place) {
            Some(stored) => *stored = offer,
            None => self.offers.push(offer),
        }
    }

    fn version(&self, version: Option<u32>) -> Option<Offer> {
        self.offers.get(version? as usize - 1).cloned()
    }

    /// Whether the step did anything.
    fn take(
        &mut self,
        step: Option<Step>,
        side: Side,
        version: usize,
        generation: u32,
        at: DateTime<Utc>,
    ) -> bool {
        let (engagement, policy) = (self.engagement.clone(), Policy::default());
        let fresh = new(
            self.offers.len() as u128 + 1,
            side,
            6000 + u32::try_from(version).unwrap(),
        );
        let Some(offer) = self.offers.get(version).cloned() else {
            let made = engagement.make_offer(fresh, &OFFERED, PLAIN, &policy, at);
            return made.map(|made| self.keep(made)).is_ok();
        };
        let came = match step {
            Some(Step::Make) => engagement
                .make_offer(fresh, &OFFERED, PLAIN, &policy, at)
                .ok(),
            Some(Step::Counter) => engagement
                .counter_offer(&offer, fresh, &OFFERED, PLAIN, &policy, at)
                .ok()
                .map(|(answered, made)| {
                    self.put(answered);
                    made
                }),
            Some(Step::Accept) => engagement
                .accept_offer(&offer, side, acting(side), PLAIN, at)
                .ok(),
            Some(Step::Withdraw) => engagement
                .withdraw_offer(&offer, side, acting(side), at)
                .ok(),
            Some(Step::Lapse) => engagement.lapse_offer(&offer, generation, at).ok(),
            None => {
                let in_force = self.version(engagement.terms.as_ref().map(|terms| terms.version));
                in_force.and_then(|accepted| {
                    let before = self.version(accepted.replaces);
                    engagement
                        .reverse_terms(&accepted, before.as_ref(), at)
                        .ok()
                })
            }
        };
        came.map(|came| self.keep(came)).is_some()
    }
}

proptest! {
    #[test]
    fn whatever_is_tried_one_offer_is_open_and_the_last_accepted_one_in_force(
        steps in prop::collection::vec((0_usize..6, any::<bool>(), 0_usize..6, 0_u32..3, 0_i64..40), 1..60),
    ) {
        let mut table = Table { engagement: engagement(), offers: vec![] };
        let mut at = now();
        for (step, client, version, generation, hours) in steps {
            at += TimeDelta::hours(hours);
            let before = table.clone();
            let side = if client { Side::Client } else { Side::Worker };
            let step = STEPS.get(step).copied();
            let done = table.take(step, side, version, generation, at);
            if !done {
                prop_assert_eq!(&table.engagement, &before.engagement);
                prop_assert_eq!(&table.offers, &before.offers);
            }
            // A stale version and a stale deadline do nothing.
            if let (Some(offer), true) = (before.offers.get(version), done) {
                let newest = before.engagement.open_offer == Some(offer.id);
                match step {
                    Some(Step::Counter | Step::Accept | Step::Withdraw) => prop_assert!(newest && at < offer.lapses_at),
                    Some(Step::Lapse) => prop_assert!(newest && generation == 1 && at >= offer.lapses_at),
                    Some(Step::Make) | None => {}
                }
            }
            let open: Vec<_> = table.offers.iter().filter(|offer| offer.state == OfferState::Open).collect();
            prop_assert!(open.len() <= 1);
            prop_assert_eq!(open.first().map(|offer| offer.id), table.engagement.open_offer);
            prop_assert!(open.iter().all(|offer| offer.version == table.engagement.offers));
            prop_assert_eq!(table.engagement.offers as usize, table.offers.len());
            let agreed = table.offers.iter().rev().find_map(Offer::agreed);
            prop_assert_eq!(&table.engagement.terms, &agreed);
        }
    }
}
