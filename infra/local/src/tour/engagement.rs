//! Two who know each other: conversation, introductory meeting, terms.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::candidate::Engaged;
use super::matching::{MARISA, request_of};
use super::script::Call;
use super::signup::{ADA, ELENA, People};
use super::stage::{Stage, TourError};

const SCHEME: &str = "later-life-at-home";

pub(super) async fn play(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
) -> Result<(), TourError> {
    conversation(stage, engaged).await?;
    meeting(stage, engaged).await?;
    terms(stage, people, engaged).await
}

async fn conversation(stage: &mut Stage, engaged: &Engaged) -> Result<(), TourError> {
    stage.chapter("Conversation");
    stage.pass(TimeDelta::hours(1), "An hour passes.").await?;
    let messages = format!("{}/messages", engaged.path);
    let write = |text: &str, attachments: &[String]| {
        Call::post(
            messages.clone(),
            &json!({"text": text, "attachments": attachments}),
        )
    };
    stage
        .step(
            ELENA,
            "writes the first message",
            write(
                "Hello, and thank you! Mum is looking forward to meeting you.",
                &[],
            ),
        )
        .await?;
    stage
        .pass(TimeDelta::minutes(5), "Five minutes pass.")
        .await?;
    let letter = b"Reference: reliable, patient, and always on time.".to_vec();
    let announced = stage
        .step(
            engaged.who.clone(),
            "announces an attachment, and gets a link to upload it",
            Call::post(
                format!("{}/attachments", engaged.path),
                &json!({"name": "reference.txt", "media_type": "text", "bytes": letter.len()}),
            )
            .showing(&["/attachment/name", "/upload/method", "/upload/expires_at"]),
        )
        .await?;
    stage.upload(&announced, letter).await?;
    let attachment = announced.at("/attachment/id");
    stage
        .step(
            engaged.who.clone(),
            "replies, with the attachment",
            write(
                "I look forward to it too. Here is a reference.",
                &[attachment],
            ),
        )
        .await?;
    stage
        .step(
            ELENA,
            "reads",
            Call::get(messages.clone()).showing(&[
                "/items/0/from",
                "/items/0/text",
                "/items/0/attachments/0/name",
                "/items/2/words",
            ]),
        )
        .await?;
    let reads = format!("{}/conversation-reads", engaged.path);
    stage
        .step(
            MARISA,
            "cannot read along without a reason",
            Call::post(reads.clone(), &json!({"reason": ""})).answered(422),
        )
        .await?;
    stage
        .step(
            MARISA,
            "reads the conversation, for a reason",
            Call::post(
                reads,
                &json!({"reason": "Elena asked us to look at the reference."}),
            ),
        )
        .await?;
    stage
        .step(
            engaged.who.clone(),
            "sees that staff have read it, and why",
            Call::get(format!("{}/conversation-reads", engaged.path))
                .showing(&["/items/0/reason", "/items/0/at"]),
        )
        .await
        .map(drop)
}

async fn meeting(stage: &mut Stage, engaged: &Engaged) -> Result<(), TourError> {
    stage.chapter("An introductory meeting");
    let offer = json!({
        "starts": "2026-11-10T10:00:00", "time_zone": "Australia/Melbourne", "minutes": 30,
        "how": "video", "notes": "To see whether we get on."
    });
    let offered = stage
        .step(
            engaged.who.clone(),
            "offers a meeting; it is not a paid visit",
            Call::post(format!("{}/meetings", engaged.path), &offer)
                .showing(&["/state", "/starts"]),
        )
        .await?;
    let path = format!("{}/meetings/{}", engaged.path, offered.at("/id"));
    stage
        .step(
            ELENA,
            "accepts it",
            Call::post(format!("{path}/acceptance"), &json!({})).showing(&["/state"]),
        )
        .await?;
    stage
        .pass(TimeDelta::hours(24 * 3), "The meeting takes place.")
        .await?;
    let record = json!({
        "understandings": [
            {"kind": "routine", "text": "Tea before anything else."},
            {"kind": "boundary", "text": "No lifting without the other person there."},
            {"kind": "special_request", "text": "Speak Italian as much as you can."}
        ],
        "notes": "We laughed a lot."
    });
    stage
        .step(
            engaged.who.clone(),
            "writes down what was agreed",
            Call::post(format!("{path}/record"), &record).showing(&["/state"]),
        )
        .await?;
    stage
        .step(
            ELENA,
            "confirms it: it becomes part of all terms",
            Call::post(format!("{path}/confirmation"), &json!({"record": 1})).showing(&["/state"]),
        )
        .await
        .map(drop)
}

/// One service, the same at any time of the week.
pub(super) fn terms_at(service: &Value, hourly: u32) -> Value {
    let rates: Vec<Value> = ["weekday_daytime", "weekday_evening", "saturday"]
        .iter()
        .map(|band| json!({"band": band, "hourly": hourly}))
        .collect();
    json!({"terms": {
        "services": [{"service": service, "rates": rates}],
        "minutes_per_week": 240, "scope": "Mornings at home, and a walk where the weather allows.",
        "limits": ["No driving in the client's own car."]
    }})
}

async fn terms(stage: &mut Stage, people: &People, engaged: &Engaged) -> Result<(), TourError> {
    stage.chapter("Terms");
    let service = request_of(stage)?["services"][0].clone();
    let client = format!("/v1/clients/{}", people.client);
    let tag = stage.look(ADA, &client).await?.tag;
    stage
        .step(
            ADA,
            "notes which scheme pays for Rosa's support",
            Call::put(
                format!("{client}/funding"),
                &tag,
                &json!({"scheme": SCHEME, "reason": "Letter of the scheme seen."}),
            ),
        )
        .await?;
    let offers = format!("{}/offers", engaged.path);
    stage
        .step(
            engaged.who.clone(),
            "offers terms above what the scheme pays",
            Call::post(offers.clone(), &terms_at(&service, 90_000)).answered(422),
        )
        .await?;
    stage
        .step(
            engaged.who.clone(),
            "offers terms within it",
            Call::post(offers.clone(), &terms_at(&service, 5_600)).showing(&[
                "/version",
                "/state",
                "/terms/services/0/rates/0",
            ]),
        )
        .await?;
    stage
        .step(
            ELENA,
            "answers with other terms",
            Call::post(
                format!("{offers}/1/counter-offers"),
                &terms_at(&service, 5_300),
            )
            .showing(&["/version", "/state"]),
        )
        .await?;
    stage
        .step(
            engaged.who.clone(),
            "cannot withdraw what was answered",
            Call::post(format!("{offers}/1/withdrawal"), &json!({})).answered(409),
        )
        .await?;
    stage
        .step(
            engaged.who.clone(),
            "accepts exactly the second version",
            Call::post(format!("{offers}/2/acceptance"), &json!({}))
                .showing(&["/version", "/agreed_at"]),
        )
        .await?;
    stage
        .step(
            ELENA,
            "reads the terms in force, with what was agreed in the meeting",
            Call::get(format!("{}/terms", engaged.path)).showing(&[
                "/version",
                "/terms/services/0/rates/0",
                "/understandings",
            ]),
        )
        .await
        .map(drop)
}
