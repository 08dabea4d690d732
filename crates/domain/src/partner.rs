//! Partners: organisations whose sites send signups.

mod address;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{FormId, PartnerId};
use crate::invalid::{Findings, Invalid};
use crate::signup::Field;

pub use address::{is_origin, origin_of};

/// How many signing keys of one partner may be live: two, so that one is changed without losing a signup.
pub const MAX_LIVE_KEYS: usize = 2;
/// The most signups a partner may be allowed in an hour.
pub const MAX_HOURLY_QUOTA: u32 = 10_000;
const MAX_ALLOW_LISTED: usize = 20;
const MAX_NAME: usize = 80;
const MAX_FIELD_NAME: usize = 64;
const MAX_REDIRECT_ID: usize = 40;

/// The form's own fields, beside those of the signup. No partner's name may stand for one of them.
pub mod form_field {
    /// Carries the form token.
    pub const TOKEN: &str = "form_token";
    /// Names the allow-listed page to go to afterwards.
    pub const REDIRECT: &str = "redirect";
    /// Stays empty when a person fills the form in.
    pub const HONEYPOT: &str = "website";
    /// All of them.
    pub const ALL: [&str; 3] = [TOKEN, REDIRECT, HONEYPOT];
}

/// An organisation whose site sends signups, from its server or from a form in the browser.
///
/// The sample partners (`samples/partners.json`) are a list of these, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// Which partner.
    pub id: PartnerId,
    /// The publishable key of its browser form: it stands in the form's page and is no secret.
    pub form: FormId,
    /// What administrators decide.
    pub settings: PartnerSettings,
    /// Its signing keys.
    pub keys: PartnerKeys,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// What administrators decide about a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerSettings {
    /// The organisation's name.
    #[schema(
        min_length = 1,
        max_length = 80,
        example = "Northside Community Health"
    )]
    pub name: String,
    /// Whether its signups are taken.
    pub state: PartnerState,
    /// The partner's names for fields of a signup, and what each stands for. A field without an entry
    /// goes by its own name.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// The web origins that may show its form: `https://host`, or `http://localhost` with any port.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["https://www.northside.example"]))]
    pub origins: BTreeSet<String>,
    /// The pages that its form may lead to, by the id that the form names.
    #[serde(default)]
    #[schema(example = json!({"thanks": "https://www.northside.example/thank-you"}))]
    pub redirects: BTreeMap<String, String>,
    /// Whether each signup opens a ticket.
    pub ticket_per_signup: bool,
    /// How many signups it may send in an hour, from server and form together.
    #[schema(minimum = 1, maximum = 10_000, example = 200)]
    pub hourly_quota: u32,
}

/// Whether a partner's signups are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartnerState {
    /// They are.
    Active,
    /// They are refused as if there were no such partner.
    Paused,
}

/// A partner's signing keys, by number. The secrets are derived from the numbers and stored nowhere.
///
/// INVARIANT: a number is never given out twice, so a revoked secret never comes back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerKeys {
    /// The keys that may sign.
    pub live: BTreeSet<u32>,
    /// The last number given out; 0 before the first.
    pub last: u32,
}

/// Why a partner's keys are not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeKeysError {
    /// It has as many live keys as it may.
    #[error("the partner has {MAX_LIVE_KEYS} live keys, the most there may be; revoke one first")]
    TooManyLive,
    /// No live key has this number.
    #[error("no live key has this number")]
    NotLive,
}

impl PartnerKeys {
    /// Gives out the next key: the keys with it, and its number.
    ///
    /// # Errors
    /// When as many as may be are live.
    pub fn add(mut self) -> Result<(Self, u32), ChangeKeysError> {
        if self.live.len() >= MAX_LIVE_KEYS {
            return Err(ChangeKeysError::TooManyLive);
        }
        self.last = self.last.saturating_add(1);
        self.live.insert(self.last);
        let number = self.last;
        Ok((self, number))
    }

    /// Ends a key.
    ///
    /// # Errors
    /// When it is not live.
    pub fn revoke(mut self, number: u32) -> Result<Self, ChangeKeysError> {
        if self.live.remove(&number) {
            Ok(self)
        } else {
            Err(ChangeKeysError::NotLive)
        }
    }
}

impl Partner {
    /// A new partner, without signing keys.
    #[must_use]
    pub fn new(id: PartnerId, form: FormId, settings: PartnerSettings, now: DateTime<Utc>) -> Self {
        Self {
            id,
            form,
            settings,
            keys: PartnerKeys::default(),
            created_at: now,
        }
    }

    /// Whether its signups are taken now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.settings.state == PartnerState::Active
    }
}

impl PartnerSettings {
    /// What a field name that came from this partner stands for.
    #[must_use]
    pub fn field_called(&self, name: &str) -> Option<Field> {
        self.fields.get(name).copied().or_else(|| {
            Field::ALL
                .into_iter()
                .find(|field| field.code() == name && !self.fields.values().any(|f| f == field))
        })
    }

    /// What this partner calls a field.
    #[must_use]
    pub fn name_of(&self, field: Field) -> &str {
        self.fields
            .iter()
            .find(|(_, mapped)| **mapped == field)
            .map_or(field.code(), |(name, _)| name)
    }

    /// Whether pages of this origin may show the partner's form.
    #[must_use]
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.origins.contains(origin)
    }

    /// The page that a redirect id stands for. There is no other way to choose one.
    #[must_use]
    pub fn redirect(&self, id: &str) -> Option<&str> {
        self.redirects.get(id).map(String::as_str)
    }

    /// Whether these settings can be kept.
    ///
    /// # Errors
    /// Every field that is not right.
    pub fn validate(&self) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        findings.text("/name", &self.name, 1, MAX_NAME);
        findings.check(
            (1..=MAX_HOURLY_QUOTA).contains(&self.hourly_quota),
            "/hourly_quota",
            format!("is a number from 1 to {MAX_HOURLY_QUOTA}"),
        );
        self.find_faults_of_fields(&mut findings);
        self.find_faults_of_urls(&mut findings);
        findings.into_result()
    }

    fn find_faults_of_fields(&self, findings: &mut Findings) {
        let mut taken = BTreeSet::new();
        for (name, field) in &self.fields {
            let pointer = format!("/fields/{}", escaped(name));
            findings.check(
                is_field_name(name),
                &pointer,
                "is not a field name: 1 to 64 of A-Z a-z 0-9 _ - . : [ ]",
            );
            findings.check(
                !form_field::ALL.contains(&name.as_str()),
                &pointer,
                "is a name the form itself uses",
            );
            findings.check(
                taken.insert(*field),
                &pointer,
                format!("{} has another name already", field.code()),
            );
        }
        for (name, field) in &self.fields {
            let own = Field::ALL.into_iter().find(|own| own.code() == name);
            let ambiguous = own.is_some_and(|own| own != *field && !taken.contains(&own));
            findings.check(
                !ambiguous,
                format!("/fields/{}", escaped(name)),
                "is the name of another field, which needs an entry of its own then",
            );
        }
    }

    fn find_faults_of_urls(&self, findings: &mut Findings) {
        findings.check(
            self.origins.len() <= MAX_ALLOW_LISTED,
            "/origins",
            format!("has more than {MAX_ALLOW_LISTED} entries"),
        );
        for (place, origin) in self.origins.iter().enumerate() {
            findings.check(
                is_origin(origin),
                format!("/origins/{place}"),
                "is not a web origin: https and a host, as in https://www.example.org, without a path",
            );
        }
        findings.check(
            self.redirects.len() <= MAX_ALLOW_LISTED,
            "/redirects",
            format!("has more than {MAX_ALLOW_LISTED} entries"),
        );
        for (id, url) in &self.redirects {
            let pointer = format!("/redirects/{}", escaped(id));
            findings.check(
                is_redirect_id(id),
                &pointer,
                "is not an id: 1 to 40 of a-z 0-9 -",
            );
            findings.check(
                origin_of(url).is_some(),
                &pointer,
                "does not lead to an https address, as in https://www.example.org/thank-you",
            );
        }
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// INVARIANT: no `~` and no `/`, so a field name is its own JSON pointer.
fn is_field_name(text: &str) -> bool {
    (1..=MAX_FIELD_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:[]".contains(&byte))
}

fn is_redirect_id(text: &str) -> bool {
    (1..=MAX_REDIRECT_ID).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> PartnerSettings {
        PartnerSettings {
            name: "Northside".into(),
            state: PartnerState::Active,
            fields: BTreeMap::from([("fname".into(), Field::GivenName)]),
            origins: BTreeSet::from(["https://www.northside.example".into()]),
            redirects: BTreeMap::from([(
                "thanks".into(),
                "https://www.northside.example/thanks?from=form".into(),
            )]),
            ticket_per_signup: true,
            hourly_quota: 10,
        }
    }

    #[test]
    fn a_partners_names_stand_for_our_fields() {
        let settings = settings();
        assert_eq!(settings.field_called("fname"), Some(Field::GivenName));
        assert_eq!(settings.field_called("email"), Some(Field::Email));
        assert_eq!(settings.field_called("given_name"), None);
        assert_eq!(settings.field_called("shoe_size"), None);
        assert_eq!(settings.name_of(Field::GivenName), "fname");
        assert_eq!(settings.name_of(Field::Email), "email");
    }

    #[test]
    fn every_fault_of_the_settings_is_found_at_once() {
        let mut wrong = settings();
        wrong.name = " ".into();
        wrong.hourly_quota = 0;
        wrong.fields = BTreeMap::from([
            ("a/b".into(), Field::About),
            ("email".into(), Field::Phone),
            ("first".into(), Field::GivenName),
            ("prename".into(), Field::GivenName),
            ("website".into(), Field::Address),
        ]);
        wrong.origins.insert("https://*".into());
        wrong
            .redirects
            .insert("Out".into(), "//elsewhere.example".into());
        let pointers: Vec<String> = wrong
            .validate()
            .unwrap_err()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        assert_eq!(
            pointers,
            [
                "/name",
                "/hourly_quota",
                "/fields/a~1b",
                "/fields/prename",
                "/fields/website",
                "/fields/email",
                "/origins/0",
                "/redirects/Out",
                "/redirects/Out",
            ]
        );
        assert_eq!(settings().validate(), Ok(()));
    }

    #[test]
    fn two_names_can_be_swapped() {
        let mut swapped = settings();
        swapped.fields = BTreeMap::from([
            ("email".into(), Field::RepresentativeEmail),
            ("representative_email".into(), Field::Email),
        ]);
        assert_eq!(swapped.validate(), Ok(()));
        assert_eq!(
            swapped.field_called("email"),
            Some(Field::RepresentativeEmail)
        );
    }

    #[test]
    fn keys_rotate_through_numbers_that_never_come_back() {
        let (keys, first) = PartnerKeys::default().add().unwrap();
        let (keys, second) = keys.add().unwrap();
        assert_eq!((first, second), (1, 2));
        assert_eq!(keys.clone().add(), Err(ChangeKeysError::TooManyLive));
        let keys = keys.revoke(2).unwrap();
        assert_eq!(keys.clone().revoke(2), Err(ChangeKeysError::NotLive));
        let (keys, third) = keys.add().unwrap();
        assert_eq!(third, 3);
        assert_eq!(keys.live, BTreeSet::from([1, 3]));
    }

    #[test]
    fn the_sample_partners_could_have_been_added_by_hand() {
        let sample = include_str!("../../../samples/partners.json");
        let partners: Vec<Partner> = serde_json::from_str(sample).unwrap();
        assert_eq!(partners.len(), 3);
        for partner in &partners {
            assert_eq!(partner.settings.validate(), Ok(()), "{}", partner.id);
            let PartnerKeys { live, last } = &partner.keys;
            assert!(live.len() <= MAX_LIVE_KEYS && live.iter().all(|number| number <= last));
        }
        let forms: BTreeSet<String> = partners.iter().map(|p| p.form.to_string()).collect();
        assert_eq!(forms.len(), partners.len());
    }

    #[test]
    fn the_sample_form_fits_the_first_sample_partner() {
        let sample = include_str!("../../../samples/partners.json");
        let partners: Vec<Partner> = serde_json::from_str(sample).unwrap();
        let Partner { form, settings, .. } = &partners[0];
        let page = include_str!("../../../samples/partner-form.html");
        assert!(page.contains(&format!("/v1/forms/{form}/signups\"")));
        let names = page.split(" name=\"").skip(1);
        let names: BTreeSet<&str> = names.filter_map(|part| part.split('"').next()).collect();
        for own in form_field::ALL {
            assert!(names.contains(own), "{own}");
        }
        let asked: BTreeSet<Field> = names
            .iter()
            .filter_map(|name| settings.field_called(name))
            .collect();
        // Everything but the representative's date of birth, which few forms need; and `viewport`.
        assert_eq!(asked.len(), Field::ALL.len() - 1);
        assert_eq!(names.len(), asked.len() + form_field::ALL.len() + 1);
        let redirect = page.split("name=\"redirect\" value=\"").nth(1).unwrap();
        assert!(
            settings
                .redirect(redirect.split('"').next().unwrap())
                .is_some()
        );
    }
}
