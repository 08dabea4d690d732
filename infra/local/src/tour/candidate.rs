//! From the blind list to an accepted invitation: candidate review, questions, a refusal, a lapse.

use chrono::TimeDelta;
use serde_json::json;

use super::matching::MARISA;
use super::script::{Answer, Call, Who};
use super::signup::{ADA, ELENA, People};
use super::stage::{Stage, TourError};
use crate::community::Samples;

/// What the story has come to once somebody has accepted.
pub(super) struct Engaged {
    /// The engagement's path.
    pub(super) path: String,
    /// The support worker in it.
    pub(super) who: Who,
    /// Their id.
    pub(super) worker: String,
}

pub(super) async fn play(
    stage: &mut Stage,
    people: &People,
    request: &str,
) -> Result<Engaged, TourError> {
    let path = format!("/v1/match-requests/{request}");
    let list = review(stage, &path).await?;
    let candidate = |place: usize| list.at(&format!("/candidates/{place}/candidate"));
    refused(stage, &path, &candidate(0)).await?;
    lapsed(stage, &path, &candidate(1)).await?;
    accepted(stage, people, &path, &candidate(2)).await
}

/// The client's side looks, passes over one and invites another.
async fn review(stage: &mut Stage, path: &str) -> Result<Answer, TourError> {
    stage.chapter("Candidate review");
    let list = stage
        .step(
            ELENA,
            "looks at the five candidates again",
            Call::get(format!("{path}/candidates"))
                .showing(&["/candidates/0/alias", "/candidates/0/state"]),
        )
        .await?;
    let last = list.at("/candidates/4/candidate");
    stage
        .step(
            ELENA,
            "passes over the last one; why stays with staff",
            Call::post(
                format!("{path}/candidates/{last}/pass"),
                &json!({"reason": "We would rather have somebody with more years behind them."}),
            )
            .showing(&["/candidates/4/state"]),
        )
        .await?;
    Ok(list)
}

async fn invite(
    stage: &mut Stage,
    path: &str,
    candidate: &str,
    does: &str,
    shown: &'static [&'static str],
) -> Result<Answer, TourError> {
    let path = format!("{path}/candidates/{candidate}/invitation");
    let call = Call::post(path, &json!({}));
    stage.step(ELENA, does, call.showing(shown)).await
}

/// Who is behind a candidate: nobody in the story but staff could say.
async fn behind(stage: &Stage, path: &str, candidate: &str) -> Result<(String, Who), TourError> {
    let preview = stage
        .look(MARISA, &format!("{path}/candidate-preview"))
        .await?;
    let listed = preview.list("/listed").iter();
    let worker = listed
        .filter(|listed| listed["candidate"] == candidate)
        .find_map(|listed| listed["worker"].as_str())
        .unwrap_or_default();
    let who = sample_worker(stage, worker)?;
    Ok((worker.to_owned(), who))
}

/// The path of the newest invitation of a support worker.
async fn newest(stage: &Stage, worker: &str, who: &Who) -> Result<String, TourError> {
    let path = format!("/v1/support-workers/{worker}/invitations");
    let listed = stage.look(who.clone(), &path).await?;
    Ok(format!("{path}/{}", listed.at("/items/0/id")))
}

async fn refused(stage: &mut Stage, path: &str, candidate: &str) -> Result<(), TourError> {
    stage.chapter("An invitation, questions, a refusal");
    invite(
        stage,
        path,
        candidate,
        "invites the first",
        &["/candidates/0/state", "/candidates/0/answer_by"],
    )
    .await?;
    let (worker, who) = behind(stage, path, candidate).await?;
    let invitation = newest(stage, &worker, &who).await?;
    let seen = stage
        .step(
            who.clone(),
            "sees what is asked for, and nobody's name",
            Call::get(invitation.clone()).showing(&[
                "/request/suburb",
                "/request/services",
                "/request/days",
                "/request/hazards",
                "/request/budget",
                "/answer_by",
            ]),
        )
        .await?;
    for private in [
        "Rosa",
        "Marchetti",
        "Elm Court",
        "4 Elm",
        "clt_",
        "mreq_",
        "cand_",
    ] {
        stage.check(!seen.text.contains(private), || {
            format!("the support worker sees {private:?}")
        })?;
    }
    let ask = |text: &str| Call::post(format!("{invitation}/questions"), &json!({"text": text}));
    stage
        .step(
            who.clone(),
            "asks something that gives away too much: it waits for staff",
            ask("Could you ring me on 0412 345 678 to talk it over?")
                .showing(&["/questions/0/state"]),
        )
        .await?;
    let waiting = stage
        .step(
            MARISA,
            "reads what waits",
            Call::get("/v1/screenings").showing(&["/items/0/text", "/items/0/findings"]),
        )
        .await?;
    let question = waiting.at("/items/0/question");
    stage
        .step(
            MARISA,
            "does not pass it on",
            Call::post(
                format!("{path}/candidates/{candidate}/questions/{question}/screening"),
                &json!({"decision": "refuse", "reason": "A telephone number, before they know each other."}),
            ),
        )
        .await?;
    stage
        .step(
            who.clone(),
            "asks what can be asked",
            ask("Are there steps up to the front door?").showing(&["/questions/1/state"]),
        )
        .await?;
    let list = stage.look(ELENA, &format!("{path}/candidates")).await?;
    let asked = list.at("/candidates/0/questions/0/question");
    stage
        .step(
            ELENA,
            "answers, as little known as the one who asks",
            Call::post(
                format!("{path}/candidates/{candidate}/questions/{asked}/answer"),
                &json!({"text": "Three steps, with a rail on the left."}),
            )
            .showing(&["/candidates/0/questions"]),
        )
        .await?;
    stage
        .step(
            who.clone(),
            "declines; why stays with staff",
            Call::post(
                format!("{invitation}/refusal"),
                &json!({"reason": "My knees do not like steps."}),
            )
            .showing(&["/state"]),
        )
        .await?;
    let list = stage
        .step(
            ELENA,
            "sees that the first is not available, and a sixth in their place",
            Call::get(format!("{path}/candidates")).showing(&[
                "/candidates/0/state",
                "/candidates/5/alias",
                "/candidates/5/state",
            ]),
        )
        .await?;
    stage.check(
        list.list("/candidates").len() == 6 && !list.text.contains("knees"),
        || "nobody from the reserve, or a reason too many".into(),
    )
}

async fn lapsed(stage: &mut Stage, path: &str, candidate: &str) -> Result<(), TourError> {
    stage.chapter("An invitation that nobody answers");
    invite(
        stage,
        path,
        candidate,
        "invites the second",
        &["/candidates/1/state", "/candidates/1/answer_by"],
    )
    .await?;
    let (worker, who) = behind(stage, path, candidate).await?;
    stage.pass(TimeDelta::hours(72), "Three days pass.").await?;
    let invitation = newest(stage, &worker, &who).await?;
    stage
        .step(
            who,
            "comes too late",
            Call::post(format!("{invitation}/acceptance"), &json!({})).answered(409),
        )
        .await?;
    let list = stage.look(ELENA, &format!("{path}/candidates")).await?;
    stage.check(list.list("/candidates").len() == 7, || {
        "nobody came from the reserve".into()
    })
}

async fn accepted(
    stage: &mut Stage,
    people: &People,
    path: &str,
    candidate: &str,
) -> Result<Engaged, TourError> {
    stage.chapter("An invitation that is accepted");
    invite(
        stage,
        path,
        candidate,
        "invites the third",
        &["/candidates/2/state", "/candidates/2/answer_by"],
    )
    .await?;
    let (worker, who) = behind(stage, path, candidate).await?;
    let invitation = newest(stage, &worker, &who).await?;
    let accepted = stage
        .step(
            who.clone(),
            "accepts: an engagement is opened",
            Call::post(format!("{invitation}/acceptance"), &json!({}))
                .showing(&["/state", "/engagement"]),
        )
        .await?;
    let engagement = format!("/v1/engagements/{}", accepted.at("/engagement"));
    stage
        .step(
            ELENA,
            "sees who it is, and how to reach them",
            Call::get(engagement.clone()).showing(&["/state", "/people"]),
        )
        .await?;
    stage
        .step(
            who.clone(),
            "sees whom they are to support",
            Call::get(engagement.clone()).showing(&["/people"]),
        )
        .await?;
    let known = stage
        .step(
            ELENA,
            "finds the engagement among her mother's",
            Call::get(format!("/v1/clients/{}/engagements", people.client))
                .showing(&["/items/0/state"]),
        )
        .await?;
    stage.check(known.list("/items").len() == 1, || {
        "more than one engagement".into()
    })?;
    stage
        .step(
            ADA,
            "sees it among all that are open",
            Call::get("/v1/engagements?state=open").showing(&["/items/0/state"]),
        )
        .await?;
    Ok(Engaged {
        path: engagement,
        who,
        worker,
    })
}

/// The sample support worker with this id, whom only the story itself finds.
pub(super) fn sample_worker(stage: &Stage, worker: &str) -> Result<Who, TourError> {
    let samples = Samples::read().map_err(|error| stage.wrong(error.to_string()))?;
    let who = Who::sample_worker(&samples, worker);
    who.ok_or_else(|| stage.wrong(format!("{worker} is not among the samples")))
}
