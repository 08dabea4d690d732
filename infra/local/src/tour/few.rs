//! A request that asks for so much that hardly anybody fits, and what both sides are told of it.

use serde_json::json;

use super::matching::{MARISA, request_of};
use super::script::Call;
use super::signup::{ELENA, People};
use super::stage::{Stage, TourError};

pub(super) async fn play(stage: &mut Stage, people: &People) -> Result<(), TourError> {
    stage.chapter("A request that few fit");
    let mut details = request_of(stage)?;
    let at = |weekday: &str, from: &str, until: &str| {
        json!({
            "weekday": weekday, "day_part": "evening", "hours": {"from": from, "until": until}, "strength": "must"
        })
    };
    let path = format!("/v1/clients/{}/match-requests", people.client);
    details["days"] = json!([
        at("monday", "07:00", "09:00"),
        at("sunday", "11:30", "12:30")
    ]);
    stage
        .step(
            ELENA,
            "asks for exact hours, half an hour of which is night",
            Call::post(path.clone(), &details).answered(422),
        )
        .await?;
    details["days"] = json!([
        at("monday", "19:00", "21:00"),
        at("tuesday", "19:00", "21:00")
    ]);
    details["budget"] = json!({"least": 0, "most": 5500});
    let submitted = stage
        .step(
            ELENA,
            "asks for two evenings at exact hours, and a low rate",
            Call::post(path, &details).showing(&["/details/days/0", "/state"]),
        )
        .await?;
    let path = format!("/v1/match-requests/{}", submitted.at("/id"));
    let preview = stage
        .step(
            MARISA,
            "sees what stands in the way, what would bring whom, and who came nearest",
            Call::get(format!("{path}/candidate-preview")).showing(&[
                "/considered",
                "/misses/removed/0",
                "/misses/relaxations/0",
                "/misses/relaxations/1",
                "/misses/arrangements/0",
                "/misses/nearest/0",
            ]),
        )
        .await?;
    let found = preview.list("/listed").len();
    stage.check(found < 5, || format!("{found} fit, which is not few"))?;
    let nearest = preview.at("/misses/nearest/0/worker");
    let explained = stage
        .step(
            MARISA,
            "asks why the nearest of them is not on the list",
            Call::get(format!("{path}/candidate-preview/{nearest}")).showing(&[
                "/shown",
                "/absence/0/words",
                "/lacks/0",
                "/score",
                "/why",
            ]),
        )
        .await?;
    stage.check(explained.list("/broken").len() == 1, || {
        "the nearest breaks more than one rule".into()
    })?;
    let release = Call::post(format!("{path}/release"), &json!({}));
    stage
        .step(
            MARISA,
            "sends what there is",
            release.with("if-match", &preview.tag).showing(&["/state"]),
        )
        .await?;
    let seen = stage
        .step(
            ELENA,
            "is told what she could ask differently, and of nobody in particular",
            Call::get(format!("{path}/candidates")).showing(&[
                "/stood_in_the_way/0",
                "/would_bring_more/0/words",
                "/would_bring_more/1/words",
                "/would_bring_more/2/words",
            ]),
        )
        .await?;
    stage.check(!seen.list("/would_bring_more").is_empty(), || {
        "she is told of nothing".into()
    })?;
    stage.check(!seen.text.contains(&nearest), || {
        "the client sees an id of a support worker".into()
    })?;
    stage
        .step(
            ELENA,
            "withdraws it, to ask otherwise",
            Call::post(format!("{path}/withdrawal"), &json!({})).showing(&["/state"]),
        )
        .await?;
    Ok(())
}
