//! What every function works with: built once per process, from the environment or by the local host.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use domain::id::Id;
use domain::person::{Contact, LoginKey, PersonName};
use platform::blobs::Blobs;
use platform::clock::SharedClock;
use platform::ids::IdSource;
use platform::keys::DeploymentKey;
use platform::mail::Mail;
use platform::metrics::Metrics;
use platform::tokens::TokenRules;
use store::{Actor, Audit, Key, Store};

use crate::matcher::Matcher;

/// The outside world, and the deployment's own settings.
pub struct Context {
    /// The table.
    pub store: Store,
    /// What time it is.
    pub clock: SharedClock,
    /// Fresh ids.
    pub ids: Arc<IdSource>,
    /// The deployment's secret, from which link tokens, form tokens and hints are made.
    pub key: DeploymentKey,
    /// What an access token must claim.
    pub token_rules: TokenRules,
    /// Where mail goes.
    pub mail: Arc<dyn Mail>,
    /// Where shards and evidence lie.
    pub blobs: Arc<dyn Blobs>,
    /// The open shards.
    pub matcher: Matcher,
    /// What happens, counted.
    pub metrics: Metrics,
    /// What differs between deployments.
    pub deployment: Deployment,
}

/// What differs between deployments, apart from secrets.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The organisation's name, as mails are signed.
    pub organisation: String,
    /// Where the app lives: the links in mails lead there.
    pub app_url: String,
    /// What to do in an emergency, and whom to ring: stands in every answer to a safety report.
    pub emergency: String,
    /// The first administrator, who needs no appointment.
    pub first_administrator: Option<FirstAdministrator>,
}

/// Who runs the service before anybody has been appointed.
#[derive(Debug, Clone)]
pub struct FirstAdministrator {
    /// Their login.
    pub login: LoginKey,
    /// Their name.
    pub name: PersonName,
    /// Their mail address.
    pub email: String,
}

/// The context as handlers share it.
pub type Shared = Arc<Context>;

impl Context {
    /// What time it is.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A fresh id.
    #[must_use]
    pub fn fresh<K>(&self) -> Id<K> {
        self.ids.fresh()
    }

    /// The hints by which a person with these details is found.
    #[must_use]
    pub fn hint_hashes(
        &self,
        name: &PersonName,
        contact: &Contact,
        birth_date: Option<NaiveDate>,
    ) -> Vec<String> {
        let hints = self.key.hints();
        let by_mail = Some(hints.mail_address(&contact.email));
        let by_name = birth_date.map(|born| hints.name_and_birth_date(&name.full(), born));
        by_mail.into_iter().chain(by_name).collect()
    }

    /// What a commit made now says of itself.
    #[must_use]
    pub fn audit(
        &self,
        actor: impl Into<Actor>,
        operation: &'static str,
        aggregate: &Key,
    ) -> Audit {
        Audit {
            commit: self.fresh(),
            at: self.now(),
            actor: actor.into(),
            operation,
            aggregate: aggregate.clone(),
            fields: Vec::new(),
            reason: None,
        }
    }

    /// The commit of an effect that changes no aggregate: it finishes `pending`.
    pub fn effect(&self, pending: &store::PendingDue) -> store::Commit {
        store::Commit::of_effect(self.fresh(), self.now(), pending)
    }
}
