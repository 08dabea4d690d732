//! People put straight into the table, for whom no route is needed first.

use std::collections::BTreeSet;

use domain::access::{Acting, Authority, AuthorityState, Scope, StaffRole};
use domain::check::CheckState;
use domain::client::Client;
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, EngagementState, Side};
use domain::id::{ClientId, EngagementId, PersonId, WorkerId};
use domain::packed::{IndexChange, index_change};
use domain::pair::Pair;
use domain::person::{Contact, LoginKey, Person, PersonName, Roles};
use domain::policy::Policy;
use domain::profile::OfferedService;
use domain::support_worker::{SupportWorker, WorkerState};
use domain::terms::{AgreedTerms, NewOffer, Pricing, Terms};
use functions::context::Context;
use serde_json::{Value, json};
use store::{Actor, CellRow, ClientEngagement, Commit, Key, Login, WorkerEngagement};

/// A person with `roles`, who signs in as `subject`.
pub async fn settle_person(context: &Context, subject: &str, roles: Roles) -> PersonId {
    let (person, bound) = person_with_login(context, subject, roles);
    let audit = context.audit(Actor::Service, "settle", &Key::person(person.id));
    let commit = Commit::new(audit).insert(&person).insert(&bound);
    context.store.commit(commit).await.unwrap();
    person.id
}

fn person_with_login(context: &Context, subject: &str, roles: Roles) -> (Person, Login) {
    let login = LoginKey {
        issuer: context.token_rules.issuer.clone(),
        subject: subject.to_owned(),
    };
    let person = Person {
        id: context.fresh(),
        name: PersonName {
            given: "Given".to_owned(),
            family: subject.to_owned(),
        },
        contact: Contact {
            email: format!("{subject}@people.example"),
            phone: None,
        },
        birth_date: None,
        address: None,
        activation: None,
        logins: vec![login.clone()],
        roles,
        merged_into: None,
        mail_bounced: false,
        created_at: context.now(),
    };
    let bound = Login {
        login,
        person: person.id,
    };
    (person, bound)
}

/// A member of staff.
pub async fn settle_staff(context: &Context, subject: &str, role: StaffRole) -> PersonId {
    let roles = Roles {
        staff: [role].into(),
        ..Roles::default()
    };
    settle_person(context, subject, roles).await
}

/// A client who signs in as `subject`.
pub async fn settle_client(context: &Context, subject: &str) -> (ClientId, PersonId) {
    let id: ClientId = context.fresh();
    let roles = Roles {
        clients: [id].into(),
        ..Roles::default()
    };
    let person = settle_person(context, subject, roles).await;
    let client = Client {
        id,
        person,
        membership: None,
        funding: None,
        open_match_requests: [].into(),
        cover_consent: None,
        partner: None,
        created_at: context.now(),
    };
    let audit = context.audit(Actor::Service, "settle", &Key::client(id));
    context
        .store
        .commit(Commit::new(audit).insert(&client))
        .await
        .unwrap();
    (id, person)
}

/// A representative of `client` over everything from now on, as changed by `change`.
pub async fn settle_representative(
    context: &Context,
    subject: &str,
    client: ClientId,
    change: impl FnOnce(&mut Authority),
) -> PersonId {
    let roles = Roles {
        represents: [client].into(),
        ..Roles::default()
    };
    let representative = settle_person(context, subject, roles).await;
    let mut authority = Authority {
        id: context.fresh(),
        client,
        representative,
        guardian: false,
        scopes: [
            Scope::Details,
            Scope::MatchRequests,
            Scope::Engagements,
            Scope::SupportPlans,
        ]
        .into(),
        from: context.now(),
        until: None,
        state: AuthorityState::Verified,
        evidence: Some("Seen by the tests".to_owned()),
    };
    change(&mut authority);
    let audit = context.audit(Actor::Service, "settle", &Key::client(client));
    context
        .store
        .commit(Commit::new(audit).insert(&authority))
        .await
        .unwrap();
    representative
}

/// An open engagement between the two, as changed by `change`: as if an invitation had just been accepted.
pub async fn settle_engagement(
    context: &Context,
    client: ClientId,
    worker: WorkerId,
    change: impl FnOnce(&mut Engagement),
) -> EngagementId {
    let (id, now) = (context.fresh(), context.now());
    let mut engagement =
        Engagement::open(id, client, worker, context.fresh(), context.fresh(), now);
    change(&mut engagement);
    let pair = Pair::strangers(client, worker).with_engagement(id, now);
    let pair = match engagement.is_live() {
        true => pair,
        false => pair.without_engagement(),
    };
    let audit = context.audit(Actor::Service, "settle", &Key::engagement(id));
    let commit = Commit::new(audit)
        .insert(&engagement)
        .insert(&pair)
        .insert(&ClientEngagement {
            client,
            engagement: id,
        })
        .insert(&WorkerEngagement {
            worker,
            engagement: id,
        });
    context.store.commit(commit).await.unwrap();
    id
}

/// Company on weekdays, in the evening too, and on Saturdays, at 60.00, 66.00 and 72.00 an hour.
#[must_use]
pub fn modest_terms() -> Value {
    json!({
        "services": [{"service": "social_support", "rates": [
            {"band": "weekday_daytime", "hourly": 6000}, {"band": "weekday_evening", "hourly": 6600},
            {"band": "saturday", "hourly": 7200}
        ]}],
        "minutes_per_week": 240, "scope": "Company, and a walk where the weather allows it.",
        "limits": ["No lifting."]
    })
}

/// These terms in force in an engagement, as if the support worker had offered them and the client accepted them
/// before whatever became of it since. No scheme caps them, and the service keeps nothing.
pub async fn settle_terms(
    context: &Context,
    engagement: EngagementId,
    terms: &Value,
) -> AgreedTerms {
    let store = &context.store;
    let key = Key::engagement(engagement);
    let was = store.get::<Engagement>(&key).await.unwrap().unwrap();
    let (client, worker) = (was.value.client, was.value.worker);
    let client = store.get::<Client>(&Key::client(client)).await.unwrap();
    let worker = store.get::<SupportWorker>(&Key::worker(worker)).await;
    let terms: Terms = serde_json::from_value(terms.clone()).unwrap();
    let offered: Vec<OfferedService> = terms
        .services
        .iter()
        .map(|rates| OfferedService {
            service: rates.service,
            hourly_rate: rates.rates[0].hourly,
        })
        .collect();
    let pricing = Pricing {
        service_basis_points: 0,
        scheme: None,
    };
    let new = NewOffer {
        id: context.fresh(),
        side: Side::Worker,
        acting: Acting::by(worker.unwrap().unwrap().value.person),
        terms,
    };
    let open = Engagement {
        state: EngagementState::Open,
        ..was.value.clone()
    };
    let (policy, now) = (Policy::default(), context.now());
    let made = open.make_offer(new, &offered, pricing, &policy, now);
    let made = made.unwrap();
    let acting = Acting::by(client.unwrap().value.person);
    let agreed =
        made.engagement
            .accept_offer(&made.offer, Side::Client, acting, pricing, context.now());
    let agreed = agreed.unwrap();
    let next = Engagement {
        state: was.value.state,
        ..agreed.engagement
    };
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit)
        .replace(&was, &next)
        .insert(&agreed.offer);
    store.commit(commit).await.unwrap();
    next.terms.expect("terms that were just agreed")
}

/// Where everybody here lives.
#[must_use]
pub fn carlton() -> Value {
    json!({
        "suburb": "Carlton", "postcode": "3053", "latitude": -37.8, "longitude": 144.97,
        "time_zone": "Australia/Melbourne"
    })
}

/// A match request that asks for little: whoever works around here will do.
#[must_use]
pub fn modest_request() -> Value {
    json!({
        "services": ["social_support"],
        "care_needs": {
            "level": "light", "conditions": [], "mobility": "independent", "hazards": [], "tasks": [],
            "share": {"care": true, "conditions": true, "mobility": true, "about_me": false, "interests": true}
        },
        "budget": {"least": 0, "most": 9000},
        "place": carlton(),
        "period": {"from": "2026-12-01", "until": null}
    })
}

/// A complete profile of somebody who works around here.
#[must_use]
pub fn complete_profile() -> Value {
    json!({
        "introduction": "I take the time that a day needs: an unhurried morning, a proper cup of tea, and a walk around \
                         the block whatever the weather.",
        "services": [{"service": "social_support", "hourly_rate": 5400}],
        "languages": ["en"],
        "service_area": {"base": carlton(), "radius_km": 10},
        "availability": {"weekly": [{"weekday": "monday", "from": "08:00", "until": "16:00"}]},
        "hours_wanted": 20
    })
}

/// An active support worker who signs in as `subject`, in the table and in what shards are built from.
pub async fn settle_worker(context: &Context, subject: &str) -> WorkerId {
    let settled = settle_workers(context, [subject.to_owned()], |_, _, _| {}).await;
    settled[0].0
}

/// How many support workers are settled in one commit, so that its writes are well under a hundred.
const IN_ONE_COMMIT: usize = 8;

/// Active support workers, each as changed by `change`. However many they are, their shards are built once.
pub async fn settle_workers(
    context: &Context,
    subjects: impl IntoIterator<Item = String>,
    change: impl Fn(usize, &mut Person, &mut SupportWorker),
) -> Vec<(WorkerId, PersonId)> {
    let mut settled = Vec::new();
    let mut cells = BTreeSet::new();
    let subjects: Vec<(usize, String)> = subjects.into_iter().enumerate().collect();
    for some in subjects.chunks(IN_ONE_COMMIT) {
        let first: WorkerId = context.fresh();
        let audit = context.audit(Actor::Service, "settle", &Key::worker(first));
        let mut commit = Commit::new(audit);
        for (number, subject) in some {
            let id: WorkerId = context.fresh();
            let roles = Roles {
                workers: [id].into(),
                ..Roles::default()
            };
            let (mut person, login) = person_with_login(context, subject, roles);
            let mut worker = active_worker(id, person.id);
            change(*number, &mut person, &mut worker);
            commit = commit.insert(&person).insert(&login).insert(&worker);
            let IndexChange { put, record, .. } = index_change(None, &worker);
            let record = record.expect("an active support worker is in the index");
            for cell in put {
                let record = record.clone();
                commit = commit.derive(&CellRow { cell, record });
                cells.insert(cell);
            }
            settled.push((id, person.id));
        }
        context.store.commit(commit).await.unwrap();
    }
    let (last, _) = settled.last().copied().expect("somebody");
    let due = DueRow {
        due: Due::Reindex {
            worker: last,
            cells: cells.into_iter().collect(),
        },
        at: context.now(),
        generation: 0,
    };
    let audit = context.audit(Actor::Service, "settle", &Key::worker(last));
    let commit = Commit::new(audit).due(due);
    context.store.commit(commit).await.unwrap();
    settled
}

/// Somebody active, with a [`complete_profile`] and every check verified; in no table yet.
#[must_use]
pub fn active_worker(id: WorkerId, person: PersonId) -> SupportWorker {
    let mut worker = SupportWorker::new(id, person);
    worker.state = WorkerState::Active;
    worker.profile = serde_json::from_value(complete_profile()).unwrap();
    worker.introduction_approved = Some(worker.profile.introduction.clone());
    for check in &mut worker.checks {
        check.state = CheckState::Verified;
        check.evidence = Some("Seen by the tests".to_owned());
    }
    worker
}
