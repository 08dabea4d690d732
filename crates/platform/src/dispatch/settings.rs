//! What a deployment says of its queues and schedules.

use std::collections::BTreeMap;

/// JSON: each kind of due row and the address of its queue, `{"expiry": "https://…"}`.
const QUEUES: &str = "RAPPORT_QUEUES";
/// JSON: each kind of due row and its queue's ARN, which is what a schedule calls it by.
const QUEUE_ARNS: &str = "RAPPORT_QUEUE_ARNS";
const SCHEDULE_GROUP: &str = "RAPPORT_SCHEDULE_GROUP";
/// The role by which a schedule may send to the queues.
const SCHEDULE_ROLE: &str = "RAPPORT_SCHEDULE_ROLE_ARN";

/// The queues of a deployment, and the group that its schedules are made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchSettings {
    queues: BTreeMap<String, String>,
    arns: BTreeMap<String, String>,
    pub(super) schedule_group: String,
    pub(super) schedule_role: String,
}

/// Settings that rows cannot be dispatched with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment needs {}", .0.join("; "))]
pub struct DispatchSettingsError(Vec<String>);

impl DispatchSettings {
    /// Reads them from `environment`. Each of `kinds` must have a queue.
    ///
    /// # Errors
    /// All that is missing or cannot be read, at once.
    pub fn read(
        environment: impl Fn(&str) -> Option<String>,
        kinds: &[&str],
    ) -> Result<Self, DispatchSettingsError> {
        let mut faults = Vec::new();
        let mut text = |name: &str| match environment(name) {
            Some(text) if !text.trim().is_empty() => text,
            _ => {
                faults.push(name.to_owned());
                String::new()
            }
        };
        let [queues, arns, schedule_group, schedule_role] =
            [QUEUES, QUEUE_ARNS, SCHEDULE_GROUP, SCHEDULE_ROLE].map(&mut text);
        let mut by_kind = |name: &str, text: &str| {
            // What is missing has been named.
            if text.is_empty() {
                return BTreeMap::new();
            }
            let read: BTreeMap<String, String> = serde_json::from_str(text).unwrap_or_default();
            let missing = kinds.iter().filter(|kind| !read.contains_key(**kind));
            faults.extend(missing.map(|kind| format!("{name}, with {kind} in a JSON object")));
            read
        };
        let (queues, arns) = (by_kind(QUEUES, &queues), by_kind(QUEUE_ARNS, &arns));
        if !faults.is_empty() {
            return Err(DispatchSettingsError(faults));
        }
        Ok(Self {
            queues,
            arns,
            schedule_group,
            schedule_role,
        })
    }

    pub(super) fn queue_url(&self, kind: &str) -> Option<&str> {
        self.queues.get(kind).map(String::as_str)
    }

    pub(super) fn queue_arn(&self, kind: &str) -> Option<&str> {
        self.arns.get(kind).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [&str; 2] = ["expiry", "notification"];

    fn read(queues: &str, arns: &str) -> Result<DispatchSettings, DispatchSettingsError> {
        let environment = |name: &str| match name {
            QUEUES => Some(queues.to_owned()),
            QUEUE_ARNS => Some(arns.to_owned()),
            SCHEDULE_GROUP => Some("due".to_owned()),
            SCHEDULE_ROLE => Some("arn:role".to_owned()),
            _ => None,
        };
        DispatchSettings::read(environment, &KINDS)
    }

    #[test]
    fn a_complete_environment_names_every_kinds_queue() {
        let settings = read(
            r#"{"expiry": "https://q/e", "notification": "https://q/n"}"#,
            r#"{"expiry": "arn:e", "notification": "arn:n"}"#,
        );
        let settings = settings.unwrap();
        assert_eq!(settings.queue_url("expiry"), Some("https://q/e"));
        assert_eq!(settings.queue_arn("notification"), Some("arn:n"));
        assert_eq!(settings.queue_url("other"), None);
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let nothing = DispatchSettings::read(|_| None, &KINDS).unwrap_err();
        let names = [QUEUES, QUEUE_ARNS, SCHEDULE_GROUP, SCHEDULE_ROLE].map(str::to_owned);
        assert_eq!(nothing, DispatchSettingsError(names.into()));
        let partial = read(r#"{"expiry": "https://q/e"}"#, "no JSON").unwrap_err();
        assert_eq!(
            partial.to_string(),
            "the environment needs RAPPORT_QUEUES, with notification in a JSON object; \
             RAPPORT_QUEUE_ARNS, with expiry in a JSON object; \
             RAPPORT_QUEUE_ARNS, with notification in a JSON object"
        );
    }
}
