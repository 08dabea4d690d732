//! When something is not right: a report that only restricted staff see, and access that ends at once.

use serde_json::json;

use super::candidate::Engaged;
use super::matching::MARISA;
use super::script::{Call, Who};
use super::signup::{ADA, ELENA, People};
use super::stage::{Stage, TourError};

const SUPERVISOR: Who = Who::with_login("The supervisor", "sample-supervisor");

pub(super) async fn play(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
) -> Result<(), TourError> {
    reported(stage, engaged).await?;
    ended(stage, people, engaged).await
}

async fn reported(stage: &mut Stage, engaged: &Engaged) -> Result<(), TourError> {
    stage.chapter("A safety report");
    let report = json!({
        "kind": "incident", "what": "Mum slipped on the way to the bathroom. Nobody is hurt.",
        "stop_visits": true
    });
    let made = stage
        .step(
            ELENA,
            "reports an incident, and stops further visits at once",
            Call::post(format!("{}/reports", engaged.path), &report)
                .showing(&["/state", "/emergency/words"]),
        )
        .await?;
    let path = format!("/v1/reports/{}", made.at("/id"));
    stage
        .step(
            MARISA,
            "is not among those who see it",
            Call::get(path.clone()).answered(403),
        )
        .await?;
    stage
        .step(
            SUPERVISOR,
            "sees it, and by when to look into it",
            Call::get(path.clone()).showing(&["/kind", "/state", "/due"]),
        )
        .await?;
    stage
        .step(
            SUPERVISOR,
            "takes it up",
            Call::post(format!("{path}/acknowledgement"), &json!({})).showing(&["/state"]),
        )
        .await?;
    stage
        .step(
            engaged.who.clone(),
            "finds the engagement paused, and nothing of the report",
            Call::get(engaged.path.clone()).showing(&["/state"]),
        )
        .await
        .map(drop)
}

async fn ended(stage: &mut Stage, people: &People, engaged: &Engaged) -> Result<(), TourError> {
    stage.chapter("Access that ends at once");
    let elena = stage.look(ELENA, "/v1/me").await?.at("/id");
    let revoke = format!(
        "/v1/clients/{}/authorities/{elena}/revocation",
        people.client
    );
    stage
        .step(
            ADA,
            "ends Elena's authority: Rosa will speak for herself",
            Call::post(revoke, &json!({"reason": "Rosa asked for it, in person."})),
        )
        .await?;
    stage
        .step(
            ELENA,
            "sees nothing of the engagement any more, on the very next request",
            Call::get(engaged.path.clone()).answered(404),
        )
        .await?;
    let reason =
        json!({"reason": "I am moving away.", "message": "I am moving away. It was a pleasure."});
    stage
        .step(
            engaged.who.clone(),
            "ends the engagement",
            Call::post(format!("{}/end", engaged.path), &reason).showing(&["/state"]),
        )
        .await?;
    stage
        .step(
            engaged.who.clone(),
            "cannot write any more",
            Call::post(
                format!("{}/messages", engaged.path),
                &json!({"text": "One more thing ...", "attachments": []}),
            )
            .answered(403),
        )
        .await
        .map(drop)
}
