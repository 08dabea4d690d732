//! What an invited support worker sees of the client until they accept: a suburb, and the needs that the client
//! agreed to share.

use serde::{Deserialize, Serialize};

use crate::availability::{RequestedDay, Strength};
use crate::match_request::{Budget, MatchRequestDetails, Period, Wish};
use crate::screening::Identities;
use crate::vocabulary::{CareLevel, Condition, Hazard, Interest, Mobility, Service, Task};

/// A match request as an invited support worker sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlindRequest {
    /// Where, no closer than this; absent where the suburb as typed says more than a suburb.
    pub suburb: Option<String>,
    /// In which days and times are meant.
    pub time_zone: String,
    /// The services wanted.
    pub services: Vec<Service>,
    /// The day-parts wanted.
    pub days: Vec<RequestedDay>,
    /// When it begins, and whether it ends.
    pub period: Period,
    /// What an hour may cost.
    pub budget: Budget,
    /// What bears on safety at the place.
    pub hazards: Vec<Hazard>,
    /// How much support is needed, where the client shares it.
    pub level: Option<CareLevel>,
    /// Tasks that come up, where the client shares them.
    pub tasks: Option<Vec<Task>>,
    /// Conditions that ask for expertise, where the client shares them.
    pub conditions: Option<Vec<Condition>>,
    /// How the client moves about, where the client shares it.
    pub mobility: Option<Mobility>,
    /// Interests wished for, where the client shares them.
    pub interests: Option<Vec<Interest>>,
    /// What the client wants to be known of them, where they share it and it gives nobody away.
    pub about_me: Option<String>,
}

impl BlindRequest {
    /// The blind view of a request. `identities` are those of the client and everybody who stands for them.
    ///
    /// INVARIANT: free text is shown only where screening finds nothing in it.
    #[must_use]
    pub fn of(details: &MatchRequestDetails, identities: &Identities) -> Self {
        let needs = &details.care_needs;
        let share = needs.share;
        let clean = |text: &str| {
            let text = text.trim();
            let shown = !text.is_empty() && identities.found_in(text).is_empty();
            shown.then(|| text.to_owned())
        };
        Self {
            suburb: clean(&details.place.suburb),
            time_zone: details.place.time_zone.clone(),
            services: details.services.clone(),
            days: details.days.clone(),
            period: details.period,
            budget: details.budget,
            hazards: needs.hazards.clone(),
            level: share.care.then_some(needs.level),
            tasks: share.care.then(|| needs.tasks.clone()),
            conditions: share.conditions.then(|| needs.conditions.clone()),
            mobility: share.mobility.then_some(needs.mobility),
            interests: share.interests.then(|| interests(details)),
            about_me: share.about_me.then(|| clean(&details.about_me)).flatten(),
        }
    }
}

fn interests(details: &MatchRequestDetails) -> Vec<Interest> {
    let wished = details
        .preferences
        .iter()
        .filter(|preference| preference.strength != Strength::Avoid);
    wished
        .filter_map(|preference| match preference.wish {
            Wish::Interest(interest) => Some(interest),
            Wish::Skill(_) | Wish::Language(_) | Wish::Culture(_) | Wish::Gender(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::match_request::{Preference, Sharing, tests::details};
    use crate::vocabulary::Gender;

    fn ana() -> Identities {
        Identities {
            names: vec!["Canaryana".into(), "Canaryfamily".into()],
            addresses: vec!["5 Canary Street".into()],
        }
    }

    fn shared(share: Sharing, about_me: &str) -> BlindRequest {
        let mut asked = details();
        asked.care_needs.share = share;
        asked.about_me = about_me.into();
        asked.place.postcode = "CANARY".into();
        asked.preferences.push(Preference {
            strength: Strength::Must,
            wish: Wish::Gender(Gender::Woman),
            care_reason: Some("Because of what Canarybrother did.".into()),
        });
        let view = BlindRequest::of(&asked, &ana());
        let json = serde_json::to_string(&view).unwrap();
        assert!(!json.to_lowercase().contains("canary"), "{json}");
        assert!(!json.contains("144.96"), "{json}");
        view
    }

    #[test]
    fn only_what_is_shared_is_shown_and_hazards_always_are() {
        let none = shared(Sharing::default(), "I like chess.");
        assert_eq!(none.hazards, [Hazard::Dogs]);
        assert_eq!(none.suburb.as_deref(), Some("Brunswick"));
        let flags = [
            none.level.is_some(),
            none.tasks.is_some(),
            none.conditions.is_some(),
            none.mobility.is_some(),
            none.interests.is_some(),
            none.about_me.is_some(),
        ];
        assert_eq!(flags, [false; 6]);
        for number in 0..5 {
            let share = Sharing {
                care: number == 0,
                conditions: number == 1,
                mobility: number == 2,
                about_me: number == 3,
                interests: number == 4,
            };
            let view = shared(share, "I like chess.");
            let flags = [
                view.level.is_some() && view.tasks.is_some(),
                view.conditions.is_some(),
                view.mobility.is_some(),
                view.about_me.is_some(),
                view.interests == Some(vec![Interest::Chess]),
            ];
            let expected: Vec<bool> = (0..5).map(|flag| flag == number).collect();
            assert_eq!(flags.to_vec(), expected, "{share:?}");
        }
    }

    #[test]
    fn a_text_that_gives_somebody_away_is_left_out() {
        let all = Sharing {
            care: true,
            conditions: true,
            mobility: true,
            about_me: true,
            interests: true,
        };
        for text in [
            "Canaryana likes chess.",
            "Call 0491 570 156.",
            "I live at 5 Canary Street.",
            "Write to me@canary.example",
        ] {
            assert_eq!(shared(all, text).about_me, None, "{text}");
        }
        let kept = shared(all, " I like chess. ").about_me;
        assert_eq!(kept.as_deref(), Some("I like chess."));
        let mut asked = details();
        asked.place.suburb = "behind Canaryfamily's shop".into();
        assert_eq!(BlindRequest::of(&asked, &ana()).suburb, None);
    }
}
