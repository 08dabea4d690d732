//! A match request: preview, release, the blind list.

use chrono::TimeDelta;
use domain::match_request::MatchRequestDetails;
use serde_json::{Value, json};

use super::script::{Call, Who};
use super::signup::{ADA, ELENA, People, assign};
use super::stage::{Stage, TourError};
use crate::community::Samples;

pub(super) const MARISA: Who = Who::with_login("Marisa, coordinator,", "sample-coordinator");
/// Whose sample request Elena's is modelled on: one that many candidates suit.
const MODEL: &str = "sample-client-12";

/// What Elena asks for on Rosa's behalf.
pub(super) fn request_of(stage: &Stage) -> Result<Value, TourError> {
    let samples = Samples::read().map_err(|error| TourError::Step {
        step: 0,
        what: error.to_string(),
    })?;
    let details: Option<MatchRequestDetails> = samples.match_request(MODEL, stage.now());
    let request = details.and_then(|details| serde_json::to_value(details).ok());
    request.ok_or_else(|| TourError::Step {
        step: 0,
        what: format!("{MODEL} has no match request"),
    })
}

/// Gives the request whose candidates the schedule released.
pub(super) async fn play(
    stage: &mut Stage,
    people: &People,
    mira: &str,
) -> Result<String, TourError> {
    let request = submit(stage, people).await?;
    let removed = preview(stage, &request, mira).await?;
    released_by_the_schedule(stage, &request, &removed).await?;
    sent_early(stage, people).await?;
    never_after_a_withdrawal(stage, people).await?;
    heard_of(stage).await?;
    Ok(request)
}

async fn submit(stage: &mut Stage, people: &People) -> Result<String, TourError> {
    stage.chapter("A match request");
    let path = format!("/v1/clients/{}/match-requests", people.client);
    let details = request_of(stage)?;
    let mut faulty = details.clone();
    faulty["budget"]["most"] = json!(0);
    faulty["preferences"] = json!([{"strength": "must", "wish": {"gender": "woman"}}]);
    stage
        .step(
            ELENA,
            "asks for support workers, with two faults",
            Call::post(path.clone(), &faulty).answered(422),
        )
        .await?;
    let submitted = stage
        .step(
            ELENA,
            "asks again, with both corrected",
            Call::post(path, &details).showing(&["/state", "/release_at"]),
        )
        .await?;
    let tickets = stage
        .step(
            MARISA,
            "finds a ticket for it",
            Call::get("/v1/tickets?queue=match_requests")
                .showing(&["/items/0/cause", "/items/0/due_at"]),
        )
        .await?;
    let ticket = tickets.at("/items/0/id");
    let tag = stage
        .look(MARISA, &format!("/v1/tickets/{ticket}"))
        .await?
        .tag;
    let me = stage.look(MARISA, "/v1/me").await?.at("/id");
    let assign = json!({"assignee": me, "due_at": "2026-11-02T06:00:00Z"});
    stage
        .step(
            MARISA,
            "takes it, to be done by the afternoon",
            Call::put(format!("/v1/tickets/{ticket}"), &tag, &assign)
                .showing(&["/assignee", "/due_at"]),
        )
        .await?;
    let reason = json!({"text": "Looked through the list."});
    stage
        .step(
            MARISA,
            "closes it",
            Call::post(format!("/v1/tickets/{ticket}/closure"), &reason).showing(&["/state"]),
        )
        .await?;
    Ok(submitted.at("/id"))
}

/// Staff look at the list and shape it; gives the support worker who falls ineligible afterwards.
async fn preview(stage: &mut Stage, request: &str, mira: &str) -> Result<String, TourError> {
    stage.chapter("Staff preview");
    let path = format!("/v1/match-requests/{request}");
    let see = || Call::get(format!("{path}/candidate-preview"));
    let preview = stage
        .step(
            MARISA,
            "sees exactly what the client would get",
            see().showing(&[
                "/considered",
                "/shown/0/alias",
                "/shown/0/matches",
                "/listed/0/score",
            ]),
        )
        .await?;
    let listed: Vec<String> = preview
        .list("/listed")
        .iter()
        .map(|listed| listed["worker"].as_str().unwrap_or_default().to_owned())
        .collect();
    stage.check(
        preview.list("/shown").len() == 5 && listed.len() == 10,
        || {
            format!(
                "{} shown and {} listed",
                preview.list("/shown").len(),
                listed.len()
            )
        },
    )?;
    stage
        .step(
            MARISA,
            "asks how Mira does on it: every rule and every criterion",
            Call::get(format!("{path}/candidate-preview/{mira}"))
                .showing(&["/listed", "/broken", "/words"]),
        )
        .await?;
    let decide = |worker: &str, reason: &str| json!({"worker": worker, "reason": reason});
    let (Some(second), Some(last), Some(first)) = (listed.get(1), listed.last(), listed.first())
    else {
        return Err(TourError::Step {
            step: 0,
            what: "the list is too short".into(),
        });
    };
    let exclude = decide(second, "Worked for the family before and parted badly.");
    stage
        .step(
            MARISA,
            "excludes the second",
            Call::post(format!("{path}/exclusions"), &exclude).showing(&["/differences"]),
        )
        .await?;
    let pin = decide(last, "Lives in the same street and is known to be kind.");
    stage
        .step(
            MARISA,
            "pins one from the reserve",
            Call::post(format!("{path}/pins"), &pin).showing(&["/differences"]),
        )
        .await?;
    Ok(first.clone())
}

async fn released_by_the_schedule(
    stage: &mut Stage,
    request: &str,
    removed: &str,
) -> Result<(), TourError> {
    stage.chapter("Release by the schedule");
    let path = format!("/v1/match-requests/{request}/candidates");
    stage
        .step(
            ELENA,
            "cannot see the candidates yet",
            Call::get(path.clone()).answered(409),
        )
        .await?;
    stage.pass(TimeDelta::hours(23), "23 hours pass.").await?;
    let reason = json!({"reason": "A complaint is being looked into."});
    stage
        .step(
            ADA,
            "suspends the first on the list",
            Call::post(format!("/v1/support-workers/{removed}/suspension"), &reason)
                .showing(&["/state"]),
        )
        .await?;
    stage
        .pass(
            TimeDelta::hours(1),
            "Another hour passes: the list falls due.",
        )
        .await?;
    let seen = stage
        .step(
            ELENA,
            "sees the candidates, blind",
            Call::get(path).showing(&[
                "/candidates/0/alias",
                "/candidates/0/distance",
                "/candidates/0/rate",
                "/candidates/0/why",
                "/candidates/0/introduction",
            ]),
        )
        .await?;
    stage.check(seen.list("/candidates").len() == 5, || {
        "there are not five candidates".into()
    })?;
    let released = stage
        .step(
            MARISA,
            "reads what changed since the request came in",
            Call::get(format!("/v1/match-requests/{request}/candidate-preview"))
                .showing(&["/released_at", "/differences"]),
        )
        .await?;
    let shown = |worker: &str| {
        released
            .list("/differences")
            .iter()
            .any(|difference| difference["worker"] == worker)
    };
    stage.check(shown(removed), || {
        "the suspended one was not replaced".into()
    })?;
    nobody_is_named(stage, &seen.text, &released).await
}

/// Holds what the client sees against the records of everybody on the list.
async fn nobody_is_named(
    stage: &mut Stage,
    seen: &str,
    released: &super::script::Answer,
) -> Result<(), TourError> {
    for listed in released.list("/listed") {
        let worker = listed["worker"].as_str().unwrap_or_default();
        stage.check(!seen.contains(worker), || {
            "the client sees an id of a support worker".into()
        })?;
        let record = stage
            .look(ADA, &format!("/v1/support-workers/{worker}"))
            .await?;
        let person = record.at("/for_staff/person");
        let person = stage.look(ADA, &format!("/v1/people/{person}")).await?;
        for field in ["/id", "/contact/email", "/name/family"] {
            let value = person.at(field);
            stage.check(!value.is_empty() && !seen.contains(&value), || {
                format!("the client sees {field} of a support worker")
            })?;
        }
    }
    stage.remark("Held against the records of all ten: no id, name or address of anybody in it.");
    Ok(())
}

async fn sent_early(stage: &mut Stage, people: &People) -> Result<(), TourError> {
    stage.chapter("Sent early by staff");
    let details = request_of(stage)?;
    let ask = || {
        Call::post(
            format!("/v1/clients/{}/match-requests", people.client),
            &details,
        )
    };
    let refused = stage
        .step(
            ELENA,
            "makes a second request: one more than her mother's plan has open at once",
            ask().answered(409),
        )
        .await?;
    let plan = refused.at("/plans/0/id");
    assign(
        stage,
        &people.client,
        &plan,
        "assigns a plan that allows more",
    )
    .await?;
    let submitted = stage
        .step(ELENA, "asks again", ask().showing(&["/state"]))
        .await?;
    let path = format!("/v1/match-requests/{}", submitted.at("/id"));
    let preview = stage
        .look(MARISA, &format!("{path}/candidate-preview"))
        .await?;
    let third = preview.at("/listed/2/worker");
    let exclude = json!({"worker": third, "reason": "Asked for a break this week."});
    stage
        .step(
            MARISA,
            "excludes somebody after looking at the list",
            Call::post(format!("{path}/exclusions"), &exclude),
        )
        .await?;
    let release =
        |tag: &str| Call::post(format!("{path}/release"), &json!({})).with("if-match", tag);
    stage
        .step(
            MARISA,
            "sends the list she looked at before: it is not the same any more",
            release(&preview.tag).answered(412),
        )
        .await?;
    let preview = stage
        .look(MARISA, &format!("{path}/candidate-preview"))
        .await?;
    stage
        .step(
            MARISA,
            "looks again, and sends it early",
            release(&preview.tag).showing(&["/state", "/released_at"]),
        )
        .await?;
    stage
        .step(
            MARISA,
            "cannot send it twice",
            release(&preview.tag).answered(409),
        )
        .await?;
    stage
        .step(
            ELENA,
            "sees the candidates at once",
            Call::get(format!("{path}/candidates")).showing(&["/candidates/0/alias"]),
        )
        .await?;
    Ok(())
}

async fn never_after_a_withdrawal(stage: &mut Stage, people: &People) -> Result<(), TourError> {
    stage.chapter("Never after a withdrawal");
    let details = request_of(stage)?;
    let path = format!("/v1/clients/{}/match-requests", people.client);
    let submitted = stage
        .step(
            ELENA,
            "makes a third request",
            Call::post(path, &details).showing(&["/state"]),
        )
        .await?;
    let path = format!("/v1/match-requests/{}", submitted.at("/id"));
    stage
        .step(
            ELENA,
            "withdraws it",
            Call::post(format!("{path}/withdrawal"), &json!({})).showing(&["/state"]),
        )
        .await?;
    stage.pass(TimeDelta::hours(48), "Two days pass.").await?;
    stage
        .step(
            ELENA,
            "finds nothing released",
            Call::get(format!("{path}/candidates")).answered(409),
        )
        .await?;
    Ok(())
}

async fn heard_of(stage: &mut Stage) -> Result<(), TourError> {
    stage.chapter("What Elena heard");
    let inbox = stage
        .step(
            ELENA,
            "reads her inbox",
            Call::get("/v1/inbox").showing(&[
                "/items/0/subject",
                "/items/1/subject",
                "/items/2/subject",
                "/items/3/subject",
            ]),
        )
        .await?;
    let ready = inbox
        .list("/items")
        .iter()
        .filter(|item| item["subject"] == "Your candidates are ready")
        .count();
    stage.check(ready == 2, || {
        format!("{ready} notices of candidates, not 2")
    })?;
    let mail = stage.mail_to("elena.marchetti@example.org").await?;
    stage.remark("Her newest mail:");
    for line in mail.text.lines().filter(|line| !line.is_empty()) {
        stage.remark(line);
    }
    Ok(())
}
