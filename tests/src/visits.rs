//! Terms, proposals and visits put straight into the table.

use domain::access::Acting;
use domain::change_request::Wish;
use domain::cover::{CanBeAsked, Cover, CoverCause, LeftOut};
use domain::engagement::Engagement;
use domain::id::{ChangeRequestId, CoverId, EngagementId, PersonId, SeriesId, VisitId, WorkerId};
use domain::money::Cents;
use domain::policy::Policy;
use domain::proposal::{Conditions, Proposal, ProposedVisit, UnderTerms};
use domain::recurrence::Repeats;
use domain::schedule::BusySheet;
use domain::series::Series;
use domain::terms::{AgreedTerms, BandRate, ServiceRates, Terms, TimeBand};
use domain::visit::{Booking, Visit, VisitDetails};
use domain::vocabulary::{Service, Vocabulary};
use functions::context::Context;
use serde_json::{Value, json};
use store::{Actor, Commit, EngagementVisit, Key, WorkerCover};

/// Terms in force that cover social support at any time.
pub fn agree_terms(context: &Context, engagement: &mut Engagement) {
    engagement.terms = Some(terms(context));
}

fn terms(context: &Context) -> AgreedTerms {
    let rate = |band: &TimeBand| BandRate {
        band: *band,
        hourly: Cents(5400),
    };
    AgreedTerms {
        offer: context.fresh(),
        version: 1,
        terms: Terms {
            services: vec![ServiceRates {
                service: Service::SocialSupport,
                rates: TimeBand::ALL.iter().map(rate).collect(),
            }],
            minutes_per_week: 240,
            scope: "Company at home and on walks.".to_owned(),
            limits: Vec::new(),
        },
        understandings: Vec::new(),
        service_basis_points: 250,
        agreed_at: context.now(),
    }
}

/// A visit to be proposed: two hours at home, in Melbourne.
#[must_use]
pub fn at_home(starts: &str) -> Value {
    json!({
        "starts": starts, "time_zone": "Australia/Melbourne", "minutes": 120, "place": "home",
        "service": "social_support", "notes": "", "essential": false
    })
}

/// A proposal by the person `by` in an engagement that has not ended.
pub async fn settle_proposal(
    context: &Context,
    engagement: &Engagement,
    by: PersonId,
    visit: &Value,
) -> Proposal {
    let visit: VisitDetails = serde_json::from_value(visit.clone()).unwrap();
    let (policy, now) = (Policy::default(), context.now());
    let under = Conditions {
        policy: &policy,
        holidays: &[],
        cancellation: policy.cancellation,
        away: &[],
    };
    let id = context.fresh();
    let proposal = Proposal::propose(id, engagement, visit, Acting::by(by), under, now);
    let proposal = proposal.unwrap();
    let key = Key::proposal(engagement.id, proposal.id);
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).insert(&proposal);
    context.store.commit(commit).await.unwrap();
    proposal
}

/// The visit that accepting a proposal books, on the sheets of `client` and `worker`, which are empty yet.
pub async fn settle_visit(
    context: &Context,
    proposal: &Proposal,
    [client, worker]: [PersonId; 2],
) -> VisitId {
    let rates = terms(context).rates(proposal.current.visit.service, &[]);
    let booking = Booking {
        id: context.fresh(),
        suburb: "Carlton".to_owned(),
        acting: Acting::by(client),
        terms: UnderTerms {
            version: 1,
            rates: rates.unwrap(),
        },
        booked_for: [client, worker].into(),
    };
    let visit = Visit::book(
        proposal,
        &proposal.current,
        booking,
        &Policy::default(),
        context.now(),
    );
    let audit = context.audit(Actor::Service, "settle", &Key::visit(visit.id));
    let mut commit = Commit::new(audit).insert(&visit).insert(&EngagementVisit {
        engagement: visit.engagement,
        visit: visit.id,
    });
    let buffer = chrono::TimeDelta::zero();
    for (person, travels) in [(client, false), (worker, true)] {
        let busy = visit.busy(travels);
        for month in busy.months(buffer) {
            let sheet = BusySheet::empty(person, month);
            commit = commit.insert(&sheet.book(busy, buffer).unwrap());
        }
    }
    context.store.commit(commit).await.unwrap();
    visit.id
}

/// A search for somebody to come to a visit, in which `asked` were asked a moment ago.
pub async fn settle_cover(context: &Context, visit: VisitId, asked: &[WorkerId]) -> CoverId {
    let found = context.store.get::<Visit>(&Key::visit(visit)).await;
    let was = found.unwrap().expect("a visit");
    let (policy, now) = (Policy::default(), context.now());
    let cover = Cover::begin(
        context.fresh(),
        &was.value,
        CoverCause::Asked,
        None,
        &policy,
        now,
    );
    let can_be_asked = |worker: &WorkerId| CanBeAsked {
        worker: *worker,
        known: false,
    };
    let found: Vec<CanBeAsked> = asked.iter().map(can_be_asked).collect();
    let cover = cover
        .unwrap()
        .go_on(&found, LeftOut::default(), &policy, now);
    let next = Visit {
        cover: Some(cover.id),
        ..was.value.clone()
    };
    let audit = context.audit(Actor::Service, "settle", &Key::cover(cover.id));
    let commit = Commit::new(audit).insert(&cover).replace(&was, &next);
    let commit = asked.iter().fold(commit, |commit, worker| {
        commit.insert(&WorkerCover {
            worker: *worker,
            cover: cover.id,
        })
    });
    context.store.commit(commit).await.unwrap();
    cover.id
}

/// What the client wishes to be otherwise about a visit.
pub async fn settle_change_request(
    context: &Context,
    visit: VisitId,
    by: PersonId,
) -> ChangeRequestId {
    let key = Key::visit(visit);
    let was = context.store.get::<Visit>(&key).await.unwrap().unwrap();
    let wish = Wish {
        id: context.fresh(),
        acting: Acting::by(by),
        text: "An hour later?".to_owned(),
        times: None,
        acknowledged: None,
    };
    let (policy, now) = (Policy::default(), context.now());
    let (marked, request) = was.value.ask_for_change(wish, &policy, now).unwrap();
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).replace(&was, &marked).insert(&request);
    context.store.commit(commit).await.unwrap();
    request.id
}

/// A series that was booked, none of whose visits is left.
pub async fn settle_series(
    context: &Context,
    engagement: &Engagement,
    [client, worker]: [PersonId; 2],
    visit: &Value,
) -> SeriesId {
    let visit: VisitDetails = serde_json::from_value(visit.clone()).unwrap();
    let proposed = ProposedVisit {
        visit,
        repeats: Some(Repeats {
            rule: "FREQ=WEEKLY;COUNT=3".to_owned(),
            except: Vec::new(),
        }),
    };
    let (policy, now) = (Policy::default(), context.now());
    let under = Conditions {
        policy: &policy,
        holidays: &[],
        cancellation: policy.cancellation,
        away: &[],
    };
    let (id, by) = (context.fresh(), Acting::by(worker));
    let proposal = Proposal::propose(id, engagement, proposed, by, under, now).unwrap();
    let (fresh, held) = (context.fresh(), engagement);
    let (accepted, terms) = proposal.accept(1, held, fresh, &[], now).unwrap();
    let booking = Booking {
        id: fresh,
        suburb: "Carlton".to_owned(),
        acting: Acting::by(client),
        terms,
        booked_for: [client, worker].into(),
    };
    let series = Series::book(&accepted, booking, now).unwrap();
    let series = Series {
        made: series.count,
        ..series
    };
    let key = Key::engagement(engagement.id);
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).insert(&accepted).insert(&series);
    context.store.commit(commit).await.unwrap();
    series.id
}

/// An engagement as stored.
pub async fn engagement_of(context: &Context, id: EngagementId) -> Engagement {
    let found = context.store.get(&Key::engagement(id)).await.unwrap();
    found.expect("an engagement").value
}
