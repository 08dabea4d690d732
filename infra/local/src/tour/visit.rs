//! The first visit: proposed, revised, accepted, and on three schedules; what happens when two want the same hour.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::candidate::Engaged;
use super::matching::{MARISA, request_of};
use super::script::{Answer, Call};
use super::signup::{ADA, ELENA, People};
use super::stage::{Stage, TourError};

pub(super) async fn play(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
    request: &str,
) -> Result<(), TourError> {
    let visit = booked(stage, engaged).await?;
    schedules(stage, people, engaged, &visit).await?;
    fulfilled(stage, request).await?;
    taken(stage, engaged).await?;
    kept(stage, engaged, &visit).await
}

/// When the first visit begins.
const TEN_O_CLOCK: &str = "2026-11-16T23:00:00Z";

fn visit(stage: &Stage, starts: &str, minutes: u32) -> Result<Value, TourError> {
    Ok(json!({"visit": {
        "starts": starts, "time_zone": "Australia/Melbourne", "minutes": minutes, "place": "home",
        "service": request_of(stage)?["services"][0], "notes": "The first one: tea, and a look around."
    }}))
}

async fn propose(
    stage: &mut Stage,
    engaged: &Engaged,
    does: &str,
    details: &Value,
) -> Result<String, TourError> {
    let call = Call::post(format!("{}/proposals", engaged.path), details);
    let proposed = stage
        .step(
            engaged.who.clone(),
            does,
            call.showing(&[
                "/state",
                "/current/number",
                "/current/from",
                "/current/warnings",
            ]),
        )
        .await?;
    Ok(format!("{}/proposals/{}", engaged.path, proposed.at("/id")))
}

async fn booked(stage: &mut Stage, engaged: &Engaged) -> Result<String, TourError> {
    stage.chapter("The first visit");
    let short = visit(stage, "2026-11-17T09:00:00", 10)?;
    let call = Call::post(format!("{}/proposals", engaged.path), &short);
    stage
        .step(
            engaged.who.clone(),
            "proposes ten minutes",
            call.answered(422),
        )
        .await?;
    let first = visit(stage, "2026-11-17T09:00:00", 90)?;
    let path = propose(stage, engaged, "proposes an hour and a half", &first).await?;
    stage
        .step(
            ELENA,
            "asks for another time",
            Call::post(
                format!("{path}/other-times"),
                &json!({"text": "Could it be ten o'clock? The nurse comes at nine."}),
            ),
        )
        .await?;
    let later = visit(stage, "2026-11-17T10:00:00", 120)?;
    stage
        .step(
            engaged.who.clone(),
            "revises it",
            Call::post(format!("{path}/revisions"), &later)
                .showing(&["/current/number", "/current/from"]),
        )
        .await?;
    let accept =
        |revision: u32| Call::post(format!("{path}/acceptance"), &json!({"revision": revision}));
    stage
        .step(
            ELENA,
            "accepts the one she saw first: it is not the one that stands",
            accept(1).answered(409),
        )
        .await?;
    let accepted = stage
        .step(
            ELENA,
            "accepts exactly the second revision",
            accept(2).showing(&["/state", "/visit", "/current/price/total"]),
        )
        .await?;
    Ok(accepted.at("/visit"))
}

async fn schedules(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
    visit: &str,
) -> Result<(), TourError> {
    stage.chapter("On three schedules");
    let shown = &["/items/0/visit", "/items/0/from", "/items/0/state"];
    let client = stage
        .step(
            ELENA,
            "finds it on her mother's schedule",
            Call::get(format!("/v1/clients/{}/schedule", people.client)).showing(shown),
        )
        .await?;
    let worker = stage
        .step(
            engaged.who.clone(),
            "finds it on their own",
            Call::get(format!("/v1/support-workers/{}/schedule", engaged.worker)).showing(shown),
        )
        .await?;
    let staff = stage
        .step(
            ADA,
            "finds it on everybody's",
            Call::get("/v1/schedule?state=booked").showing(shown),
        )
        .await?;
    let found = |answer: &Answer| {
        answer
            .list("/items")
            .iter()
            .any(|item| item["visit"] == visit)
    };
    stage.check([&client, &worker, &staff].into_iter().all(found), || {
        "the visit is not on all three schedules".into()
    })?;
    let seen = stage
        .step(
            engaged.who.clone(),
            "now sees where to go",
            Call::get(format!("/v1/visits/{visit}")).showing(&["/state", "/home_address"]),
        )
        .await?;
    stage.check(seen.at("/home_address").contains("Elm Court"), || {
        "the address is not there".into()
    })
}

async fn fulfilled(stage: &mut Stage, request: &str) -> Result<(), TourError> {
    stage
        .step(
            ELENA,
            "finds her match request fulfilled",
            Call::get(format!("/v1/match-requests/{request}")).showing(&["/state", "/closed_at"]),
        )
        .await
        .map(drop)
}

/// A second visit at the same hour cannot be booked; staff withdraw it for the support worker.
async fn taken(stage: &mut Stage, engaged: &Engaged) -> Result<(), TourError> {
    stage.chapter("An hour that is taken");
    let same = visit(stage, "2026-11-17T11:00:00", 60)?;
    let path = propose(
        stage,
        engaged,
        "proposes an hour that overlaps, by mistake",
        &same,
    )
    .await?;
    stage
        .step(
            ELENA,
            "cannot accept it: both have something at that time",
            Call::post(format!("{path}/acceptance"), &json!({"revision": 1})).answered(409),
        )
        .await?;
    stage
        .step(
            MARISA,
            "withdraws it for the support worker, who rang and asked for it",
            Call::post(format!("{path}/withdrawal"), &json!({}))
                .with("on-instruction", "by telephone this morning")
                .with("on-behalf-of", engaged.worker.clone())
                .showing(&["/state"]),
        )
        .await?;
    stage
        .step(
            engaged.who.clone(),
            "hears that it was done, and on whose word",
            Call::get("/v1/inbox").showing(&["/items/0/subject", "/items/0/body"]),
        )
        .await
        .map(drop)
}

async fn kept(stage: &mut Stage, engaged: &Engaged, booked: &str) -> Result<(), TourError> {
    stage.chapter("The day itself, and a mistake put right");
    let again = visit(stage, "2026-11-24T10:00:00", 120)?;
    let path = propose(stage, engaged, "proposes the week after", &again).await?;
    let accepted = stage
        .step(
            ELENA,
            "accepts, in the wrong week",
            Call::post(format!("{path}/acceptance"), &json!({"revision": 1})).showing(&["/visit"]),
        )
        .await?;
    let mistaken = accepted.at("/visit");
    stage
        .step(
            ADA,
            "cancels it as booked by mistake, with a reason",
            Call::post(
                format!("/v1/visits/{mistaken}/cancellation"),
                &json!({"reason": "Elena rang: she is away that week and pressed the wrong button."}),
            )
            .showing(&["/state"]),
        )
        .await?;
    let ten: DateTime<Utc> = TEN_O_CLOCK.parse().unwrap_or_default();
    let until = ten - stage.now();
    stage
        .pass(until, "It is Tuesday, ten o'clock in Melbourne.")
        .await?;
    for (does, act) in [("begins", "start"), ("has finished", "completion")] {
        if act == "completion" {
            stage.pass(TimeDelta::hours(2), "Two hours pass.").await?;
        }
        stage
            .step(
                engaged.who.clone(),
                does,
                Call::post(format!("/v1/visits/{booked}/{act}"), &json!({})).showing(&["/state"]),
            )
            .await?;
    }
    let seen = stage
        .look(engaged.who.clone(), &format!("/v1/visits/{booked}"))
        .await?;
    stage.check(!seen.text.contains("Elm Court"), || {
        "the address is still shown".into()
    })
}
