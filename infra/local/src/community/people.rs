//! The organisation's plans, funding schemes, partners and staff; clients and those who act for them.

use chrono::{DateTime, TimeDelta, Utc};
use domain::authority::{self, Claim, Verification};
use domain::client::{Client, Membership};
use domain::funding::{FundingScheme, SchemeCode};
use domain::id::{ClientId, PersonId};
use domain::membership::{MembershipPlan, MembershipPlanState};
use domain::person::{Contact, LoginKey, Person, PersonName, Roles};
use functions::caller::Appointed;
use store::{Commit, Entity, Hint, Key, Login, PartnerForm, StoredScheme};

use super::sample::{SampleClient, SamplePerson, SampleRepresentative};
use super::{SeedError, Seeding, sample_id};
use crate::host::FIRST_ADMINISTRATOR;

/// How long ago everybody but the support workers joined.
const JOINED: TimeDelta = TimeDelta::days(60);

impl Seeding<'_> {
    /// Membership plans, funding schemes, partners, staff.
    pub(super) fn organisation(&self) -> Result<Vec<Commit>, SeedError> {
        let mut commits = Vec::new();
        for sample in &self.samples.plans {
            let refused = |faults| SeedError::refused(&sample.key, faults);
            sample.terms.check().map_err(refused)?;
            let plan = MembershipPlan {
                id: sample_id(&sample.key),
                state: MembershipPlanState::Offered,
                terms: sample.terms.clone(),
            };
            commits.push(self.commit(&plan.key()).insert(&plan));
        }
        for sample in &self.samples.schemes {
            let refused = |faults| SeedError::refused(&sample.code.to_string(), faults);
            sample.rules.check().map_err(refused)?;
            let stored = |current| StoredScheme {
                current,
                since: self.now - JOINED,
                scheme: FundingScheme::new(sample.code.clone(), sample.rules.clone()),
            };
            let (now, kept) = (stored(true), stored(false));
            commits.push(self.commit(&now.key()).insert(&now).insert(&kept));
        }
        for partner in &self.samples.partners {
            let refused = |faults| SeedError::refused(&partner.settings.name, faults);
            partner.settings.validate().map_err(refused)?;
            let form = PartnerForm {
                form: partner.form,
                partner: partner.id,
            };
            commits.push(self.commit(&partner.key()).insert(partner).insert(&form));
        }
        for sample in &self.samples.staff {
            let roles = Roles {
                staff: sample.roles.clone(),
                ..Roles::default()
            };
            let person = self.person(&sample.person, roles, self.now - JOINED);
            let joining = self.joining(&person.key(), &person);
            commits.push(if sample.person.subject == FIRST_ADMINISTRATOR {
                joining.insert(&Appointed { person: person.id })
            } else {
                joining
            });
        }
        Ok(commits)
    }

    /// A client, and whoever acts for them.
    pub(super) fn client(&self, sample: &SampleClient) -> Result<Vec<Commit>, SeedError> {
        let subject = &sample.person.subject;
        let plan = self
            .samples
            .plans
            .iter()
            .find(|plan| plan.key == sample.membership_plan)
            .ok_or_else(|| SeedError::refused(subject, "no such membership plan"))?;
        let schemes = &self.samples.schemes;
        let known = |code: &SchemeCode| schemes.iter().any(|scheme| scheme.code == *code);
        if !sample.funding.iter().all(known) {
            return Err(SeedError::refused(subject, "no such funding scheme"));
        }
        let id: ClientId = sample_id(subject);
        let roles = Roles {
            clients: [id].into(),
            ..Roles::default()
        };
        let mut person = self.person(&sample.person, roles, self.now - JOINED);
        if let (Some(address), Some(place)) =
            (&mut person.address, self.samples.places.get(&sample.suburb))
        {
            *address = format!("{address}, {} {}", place.suburb, place.postcode);
        }
        let client = Client {
            id,
            person: person.id,
            membership: Some(Membership {
                plan: sample_id(&plan.key),
                since: self.now - JOINED,
            }),
            funding: sample.funding.clone(),
            open_match_requests: [].into(),
            cover_consent: None,
            partner: None,
            created_at: self.now - JOINED,
        };
        let mut commits = vec![self.joining(&client.key(), &person).insert(&client)];
        if let Some(representative) = &sample.representative {
            commits.push(self.representative(id, representative)?);
        }
        Ok(commits)
    }

    fn representative(
        &self,
        client: ClientId,
        sample: &SampleRepresentative,
    ) -> Result<Commit, SeedError> {
        let subject = &sample.person.subject;
        let joined = self.now - JOINED;
        let claim = Claim {
            id: sample_id(subject),
            client,
            guardian: sample.guardian,
            scopes: sample.scopes.clone(),
        };
        let person = self.person(&sample.person, Roles::default(), joined);
        let (claimed, person) = authority::claim(claim, person, None, joined)
            .map_err(|error| SeedError::refused(subject, error))?;
        let found = Verification {
            guardian: sample.guardian,
            scopes: sample.scopes.clone(),
            from: joined,
            until: None,
            evidence: format!("Sample evidence {subject}"),
        };
        let administrator = self.samples.staff.first().ok_or_else(|| {
            SeedError::refused(subject, "there is nobody to verify the authority")
        })?;
        let by: PersonId = sample_id(&administrator.person.subject);
        let verified = authority::verify(claimed, found, by, joined)
            .map_err(|error| SeedError::refused(subject, error))?;
        Ok(self
            .joining(&Key::client(client), &person)
            .insert(&verified))
    }

    /// A person with these roles, whose login is their subject at the local issuer.
    pub(super) fn person(
        &self,
        sample: &SamplePerson,
        roles: Roles,
        created_at: DateTime<Utc>,
    ) -> Person {
        Person {
            id: sample_id(&sample.subject),
            name: PersonName {
                given: sample.given.clone(),
                family: sample.family.clone(),
            },
            contact: Contact {
                email: sample.email.clone(),
                phone: Some(sample.phone.clone()),
            },
            birth_date: sample.birth_date,
            address: sample.address.clone(),
            activation: None,
            logins: vec![LoginKey {
                issuer: self.context.token_rules.issuer.clone(),
                subject: sample.subject.clone(),
            }],
            roles,
            merged_into: None,
            mail_bounced: false,
            created_at,
        }
    }

    /// A commit about `aggregate` that stores a person with their logins and hints.
    pub(super) fn joining(&self, aggregate: &Key, person: &Person) -> Commit {
        let hashes = self
            .context
            .hint_hashes(&person.name, &person.contact, person.birth_date);
        let commit = self.commit(aggregate).insert(person);
        let commit = person.logins.iter().fold(commit, |commit, login| {
            commit.insert(&Login {
                login: login.clone(),
                person: person.id,
            })
        });
        hashes.into_iter().fold(commit, |commit, hash| {
            commit.insert(&Hint {
                hash,
                person: person.id,
            })
        })
    }
}
