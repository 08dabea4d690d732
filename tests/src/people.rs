//! People put straight into the table, for whom no route is needed first.

use domain::access::{Authority, AuthorityState, Scope, StaffRole};
use domain::client::Client;
use domain::id::{ClientId, PersonId};
use domain::person::{Contact, LoginKey, Person, PersonName, Roles};
use functions::context::Context;
use store::{Actor, Commit, Key, Login};

/// A person with `roles`, who signs in as `subject`.
pub async fn settle_person(context: &Context, subject: &str, roles: Roles) -> PersonId {
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
    let audit = context.audit(Actor::Service, "settle", &Key::person(person.id));
    let commit = Commit::new(audit).insert(&person).insert(&bound);
    context.store.commit(commit).await.unwrap();
    person.id
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
