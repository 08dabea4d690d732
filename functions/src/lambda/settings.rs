//! A function's settings, from its environment.

use domain::person::{LoginKey, PersonName};
use platform::keys::DeploymentKey;
use platform::tokens::TokenRules;

use crate::context::{Deployment, FirstAdministrator};

/// What a deployment says of itself.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) table: String,
    pub(super) key: DeploymentKey,
    pub(super) token_rules: TokenRules,
    pub(super) deployment: Deployment,
}

const TABLE: &str = "RAPPORT_TABLE";
const DEPLOYMENT_KEY: &str = "RAPPORT_DEPLOYMENT_KEY";
const ISSUER: &str = "RAPPORT_ISSUER";
const AUDIENCE: &str = "RAPPORT_AUDIENCE";
const SCOPE: &str = "RAPPORT_SCOPE";
const ORGANISATION: &str = "RAPPORT_ORGANISATION";
const APP_URL: &str = "RAPPORT_APP_URL";
const EMERGENCY: &str = "RAPPORT_EMERGENCY";
const FIRST_ADMINISTRATOR_SUBJECT: &str = "RAPPORT_FIRST_ADMINISTRATOR_SUBJECT";
const FIRST_ADMINISTRATOR_GIVEN_NAME: &str = "RAPPORT_FIRST_ADMINISTRATOR_GIVEN_NAME";
const FIRST_ADMINISTRATOR_FAMILY_NAME: &str = "RAPPORT_FIRST_ADMINISTRATOR_FAMILY_NAME";
const FIRST_ADMINISTRATOR_EMAIL: &str = "RAPPORT_FIRST_ADMINISTRATOR_EMAIL";

/// Settings a function cannot run with. Names only: values can be secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment needs {}", .0.join("; "))]
pub(super) struct SettingsError(Vec<String>);

/// Reads variables and keeps every fault, so that a deployment is put right in one go.
struct Reader<F> {
    environment: F,
    faults: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// A variable's value; an empty one counts as missing.
    fn optional(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.trim().is_empty())
    }

    fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.faults.push(name.to_owned());
            String::new()
        })
    }

    fn deployment_key(&mut self) -> Option<DeploymentKey> {
        let text = self.optional(DEPLOYMENT_KEY).unwrap_or_default();
        DeploymentKey::from_hex(&text)
            .map_err(|error| self.faults.push(format!("{DEPLOYMENT_KEY} ({error})")))
            .ok()
    }

    /// Named by all four of its variables or by none.
    fn first_administrator(&mut self, issuer: &str) -> Option<FirstAdministrator> {
        self.optional(FIRST_ADMINISTRATOR_SUBJECT)
            .map(|subject| FirstAdministrator {
                login: LoginKey {
                    issuer: issuer.to_owned(),
                    subject,
                },
                name: PersonName {
                    given: self.required(FIRST_ADMINISTRATOR_GIVEN_NAME),
                    family: self.required(FIRST_ADMINISTRATOR_FAMILY_NAME),
                },
                email: self.required(FIRST_ADMINISTRATOR_EMAIL),
            })
    }
}

/// The name of the table, for a function that needs no more.
pub(super) fn table(environment: impl Fn(&str) -> Option<String>) -> Result<String, SettingsError> {
    let mut reader = Reader {
        environment,
        faults: Vec::new(),
    };
    let table = reader.required(TABLE);
    if reader.faults.is_empty() {
        Ok(table)
    } else {
        Err(SettingsError(reader.faults))
    }
}

impl Settings {
    /// Reads every setting from `environment`.
    ///
    /// # Errors
    /// All that is missing or cannot be read, at once.
    pub(super) fn read(
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let mut reader = Reader {
            environment,
            faults: Vec::new(),
        };
        let table = reader.required(TABLE);
        let key = reader.deployment_key();
        let token_rules = TokenRules {
            issuer: reader.required(ISSUER),
            audience: reader.required(AUDIENCE),
            scope: reader.required(SCOPE),
        };
        let deployment = Deployment {
            organisation: reader.required(ORGANISATION),
            app_url: reader.required(APP_URL),
            emergency: reader.required(EMERGENCY),
            first_administrator: reader.first_administrator(&token_rules.issuer),
        };
        match key {
            Some(key) if reader.faults.is_empty() => Ok(Self {
                table,
                key,
                token_rules,
                deployment,
            }),
            _ => Err(SettingsError(reader.faults)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn complete() -> BTreeMap<&'static str, String> {
        let names = [
            TABLE,
            ISSUER,
            AUDIENCE,
            SCOPE,
            ORGANISATION,
            APP_URL,
            EMERGENCY,
        ];
        let mut settings: BTreeMap<_, _> =
            names.map(|name| (name, format!("value of {name}"))).into();
        settings.insert(DEPLOYMENT_KEY, "ab".repeat(32));
        settings
    }

    fn read(settings: &BTreeMap<&'static str, String>) -> Result<Settings, SettingsError> {
        Settings::read(|name| settings.get(name).cloned())
    }

    #[test]
    fn a_complete_environment_is_read() {
        let mut environment = complete();
        assert!(
            read(&environment)
                .unwrap()
                .deployment
                .first_administrator
                .is_none()
        );
        environment.insert(FIRST_ADMINISTRATOR_SUBJECT, "subject".into());
        environment.insert(FIRST_ADMINISTRATOR_GIVEN_NAME, "Ada".into());
        environment.insert(FIRST_ADMINISTRATOR_FAMILY_NAME, "Osei".into());
        environment.insert(FIRST_ADMINISTRATOR_EMAIL, "ada@example.org".into());
        let settings = read(&environment).unwrap();
        assert_eq!(settings.table, "value of RAPPORT_TABLE");
        let said = &settings.deployment.emergency;
        assert_eq!(said, "value of RAPPORT_EMERGENCY");
        assert_eq!(settings.token_rules.audience, "value of RAPPORT_AUDIENCE");
        let first = settings.deployment.first_administrator.unwrap();
        assert_eq!(first.login.issuer, "value of RAPPORT_ISSUER");
        assert_eq!(first.login.subject, "subject");
    }

    #[test]
    fn every_fault_is_named_at_once_and_no_value_is_repeated() {
        let mut environment = complete();
        environment.remove(TABLE);
        environment.insert(APP_URL, " ".into());
        environment.insert(DEPLOYMENT_KEY, "too-short-a-secret".into());
        environment.insert(FIRST_ADMINISTRATOR_SUBJECT, "subject".into());
        let text = read(&environment).unwrap_err().to_string();
        for name in [
            TABLE,
            APP_URL,
            DEPLOYMENT_KEY,
            FIRST_ADMINISTRATOR_GIVEN_NAME,
            FIRST_ADMINISTRATOR_FAMILY_NAME,
            FIRST_ADMINISTRATOR_EMAIL,
        ] {
            assert!(text.contains(name), "{text} does not name {name}");
        }
        assert!(!text.contains("too-short-a-secret"));
        assert!(!text.contains(ISSUER));
    }
}
