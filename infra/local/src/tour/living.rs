//! The weeks after the first visit: a change at short notice, a series with a week left out, somebody who falls ill and
//! somebody who comes instead, and what it all comes to.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::candidate::{Engaged, sample_worker};
use super::matching::{MARISA, request_of};
use super::script::{Call, Who};
use super::signup::{ADA, ELENA, People};
use super::stage::{Stage, TourError};

const CALENDAR_PROGRAM: Who = Who::stranger("Elena's calendar program");

/// Two hours at home, in Melbourne.
fn visit(stage: &Stage, starts: &str) -> Result<Value, TourError> {
    Ok(json!({
        "starts": starts, "time_zone": "Australia/Melbourne", "minutes": 120, "place": "home",
        "service": request_of(stage)?["services"][0], "notes": ""
    }))
}

pub(super) async fn play(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
) -> Result<(), TourError> {
    let (visit, calendar) = next_week(stage, people, engaged).await?;
    changed(stage, engaged, &visit).await?;
    on_calendars(stage, people, engaged, &visit, &calendar).await?;
    confirmed(stage, engaged, &visit).await?;
    let tuesday = series(stage, people, engaged).await?;
    let instead = covered(stage, people, engaged, &tuesday).await?;
    nobody_came(stage, &instead).await?;
    adds_up(stage, engaged).await
}

async fn until(stage: &mut Stage, at: &str, words: &str) -> Result<(), TourError> {
    let at: DateTime<Utc> = at.parse().unwrap_or_default();
    stage.pass(at - stage.now(), words).await
}

/// A further visit, proposed and accepted by itself, and a calendar that shows it.
async fn next_week(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
) -> Result<(String, String), TourError> {
    stage.chapter("The week after");
    let proposal = json!({"visit": visit(stage, "2026-11-24T10:00:00")?});
    let proposed = stage
        .step(
            engaged.who.clone(),
            "proposes the Tuesday after",
            Call::post(format!("{}/proposals", engaged.path), &proposal)
                .showing(&["/current/from", "/current/cancellation"]),
        )
        .await?;
    let path = format!("{}/proposals/{}", engaged.path, proposed.at("/id"));
    let accepted = stage
        .step(
            ELENA,
            "accepts, and with it the terms on which it can be cancelled",
            Call::post(format!("{path}/acceptance"), &json!({"revision": 1})).showing(&["/visit"]),
        )
        .await?;
    let link = stage
        .step(
            ELENA,
            "opens a link for her calendar program to her mother's visits",
            Call::post(
                "/v1/me/calendar-links",
                &json!({"of": {"client": people.client}}),
            )
            .showing(&["/number"]),
        )
        .await?;
    Ok((accepted.at("/visit"), link.at("/calendar")))
}

/// Inside 24 hours a change is warned about; the client counters with a time of her own.
async fn changed(stage: &mut Stage, engaged: &Engaged, visit: &str) -> Result<(), TourError> {
    stage.chapter("A change at short notice");
    until(
        stage,
        "2026-11-23T01:00:00Z",
        "It is Monday noon, 22 hours before the visit.",
    )
    .await?;
    let requests = format!("/v1/visits/{visit}/change-requests");
    let mut wish = json!({"wish": "The doctor comes at ten. Could it be the afternoon?"});
    let warned = stage
        .step(
            ELENA,
            "asks for another time, and is warned of what it may come to",
            Call::post(requests.clone(), &wish).answered(409),
        )
        .await?;
    stage.check(warned.json["warning"]["late"] == true, || {
        "there is no warning".into()
    })?;
    wish["acknowledged"] = warned.json["warning"].clone();
    stage
        .step(
            ELENA,
            "asks again, acknowledging exactly that warning",
            Call::post(requests, &wish).showing(&["/state", "/warning"]),
        )
        .await?;
    let later = json!({"visit": self::visit(stage, "2026-11-24T15:00:00")?});
    let change = Call::post(format!("/v1/visits/{visit}/change-proposals"), &later);
    let proposed = stage
        .step(
            engaged.who.clone(),
            "proposes three o'clock; what is booked stands meanwhile",
            change.showing(&["/state", "/changes", "/current/from"]),
        )
        .await?;
    let path = format!("{}/proposals/{}", engaged.path, proposed.at("/id"));
    let counter = json!({
        "text": "The physiotherapist comes at four. Half past two would be perfect.",
        "times": {"starts": "2026-11-24T14:30:00", "minutes": 90}
    });
    stage
        .step(
            ELENA,
            "counters with a time of her own",
            Call::post(format!("{path}/other-times"), &counter).showing(&["/other_times/0/times"]),
        )
        .await?;
    let mut countered = self::visit(stage, "2026-11-24T14:30:00")?;
    countered["minutes"] = json!(90);
    stage
        .step(
            engaged.who.clone(),
            "revises the proposal to that",
            Call::post(format!("{path}/revisions"), &json!({"visit": countered}))
                .showing(&["/current/number", "/current/from"]),
        )
        .await?;
    stage
        .step(
            ELENA,
            "accepts it",
            Call::post(format!("{path}/acceptance"), &json!({"revision": 2})).showing(&["/state"]),
        )
        .await
        .map(drop)
}

/// It is the same visit at another time, wherever one looks.
async fn on_calendars(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
    visit: &str,
    calendar: &str,
) -> Result<(), TourError> {
    for (who, path) in [
        (ELENA, format!("/v1/clients/{}/schedule", people.client)),
        (
            engaged.who.clone(),
            format!("/v1/support-workers/{}/schedule", engaged.worker),
        ),
        (ADA, "/v1/schedule".to_owned()),
    ] {
        let seen = stage.look(who, &path).await?;
        let moved = seen
            .list("/items")
            .iter()
            .any(|item| item["visit"] == visit && item["from"] == "2026-11-24T14:30:00+11:00");
        stage.check(moved, || format!("it was not moved on {path}"))?;
    }
    stage.remark("All three schedules show half past two.");
    let seen = stage
        .step(
            CALENDAR_PROGRAM,
            "looks again, and finds the same event moved",
            Call::get(calendar),
        )
        .await?;
    for line in [
        format!("UID:{visit}@visits.rapport"),
        "SEQUENCE:1".to_owned(),
        "DTSTART;TZID=Australia/Melbourne:20261124T143000".to_owned(),
    ] {
        stage.check(seen.text.contains(&line), || format!("no {line}"))?;
        stage.remark(&line);
    }
    Ok(())
}

/// The day itself, with the times that really were.
async fn confirmed(stage: &mut Stage, engaged: &Engaged, visit: &str) -> Result<(), TourError> {
    stage.chapter("The times that really were");
    until(
        stage,
        "2026-11-24T03:36:00Z",
        "It is Tuesday, six minutes past half past two.",
    )
    .await?;
    let began = json!({"at": "2026-11-24T14:34:00+11:00"});
    stage
        .step(
            engaged.who.clone(),
            "began two minutes ago, once the bus had come",
            Call::post(format!("/v1/visits/{visit}/start"), &began).showing(&["/started_at"]),
        )
        .await?;
    until(stage, "2026-11-24T05:10:00Z", "An hour and a half passes.").await?;
    let finished = json!({"at": "2026-11-24T16:04:00+11:00"});
    let completed = stage
        .step(
            engaged.who.clone(),
            "finished six minutes ago",
            Call::post(format!("/v1/visits/{visit}/completion"), &finished).showing(&[
                "/state",
                "/worked/minutes",
                "/worked/price/total",
            ]),
        )
        .await?;
    let recorded = json!({
        "minutes": completed.json["worked"]["minutes"],
        "charge": completed.json["worked"]["price"]["total"]
    });
    stage
        .step(
            ELENA,
            "confirms exactly that",
            Call::post(format!("/v1/visits/{visit}/confirmation"), &recorded)
                .showing(&["/state", "/charge"]),
        )
        .await
        .map(drop)
}

/// Every Tuesday until the year ends, but for the week of Christmas; and one more week is skipped.
async fn series(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
) -> Result<String, TourError> {
    stage.chapter("Every Tuesday");
    let mut proposal = json!({
        "visit": visit(stage, "2026-12-01T10:00:00")?, "repeats": {"rule": "FREQ=WEEKLY;BYDAY=TU"}
    });
    let proposals = format!("{}/proposals", engaged.path);
    stage
        .step(
            engaged.who.clone(),
            "proposes every Tuesday, without an end",
            Call::post(proposals.clone(), &proposal).answered(422),
        )
        .await?;
    proposal["repeats"] = json!({"rule": "FREQ=WEEKLY;BYDAY=TU;COUNT=5", "except": ["2026-12-22"]});
    let proposed = stage
        .step(
            engaged.who.clone(),
            "proposes five of them, the week of Christmas left out",
            Call::post(proposals, &proposal)
                .showing(&["/current/series/count", "/current/series/total"]),
        )
        .await?;
    let path = format!("{}/proposals/{}", engaged.path, proposed.at("/id"));
    stage
        .step(
            ELENA,
            "accepts them as one",
            Call::post(format!("{path}/acceptance"), &json!({"revision": 1}))
                .showing(&["/state", "/series"]),
        )
        .await?;
    let range = "from=2026-12-01T00:00:00%2B11:00&until=2027-01-10T00:00:00%2B11:00";
    let schedule = format!("/v1/clients/{}/schedule?{range}", people.client);
    let shown = stage
        .step(
            ELENA,
            "finds them on her mother's schedule, each at ten",
            Call::get(schedule.clone()).showing(&[
                "/items/0/from",
                "/items/1/from",
                "/items/2/from",
                "/items/3/from",
            ]),
        )
        .await?;
    let visits = shown.list("/items").to_vec();
    stage.check(visits.len() == 4, || format!("{} visits", visits.len()))?;
    let second = shown.at("/items/1/visit");
    stage
        .step(
            ELENA,
            "asks what it costs to skip the second: nothing, so long before it",
            Call::get(format!("/v1/visits/{second}/cancellation-quote"))
                .showing(&["/charges", "/free_until"]),
        )
        .await?;
    stage
        .step(
            ELENA,
            "skips it",
            Call::post(
                format!("/v1/visits/{second}/cancellation"),
                &json!({"reason": "We are at my brother's that week."}),
            )
            .showing(&["/state", "/charge"]),
        )
        .await?;
    let left = stage.look(ELENA, &schedule).await?;
    stage.check(left.list("/items").len() == 3, || {
        "it is still there".into()
    })?;
    Ok(shown.at("/items/0/visit"))
}

/// The support worker cancels the day before, and others are asked.
async fn covered(
    stage: &mut Stage,
    people: &People,
    engaged: &Engaged,
    visit: &str,
) -> Result<String, TourError> {
    stage.chapter("Somebody else comes");
    until(
        stage,
        "2026-11-30T03:00:00Z",
        "It is Monday afternoon, 20 hours before the first of them.",
    )
    .await?;
    stage
        .step(
            engaged.who.clone(),
            "cancels: a fever. That never costs Rosa anything",
            Call::post(
                format!("/v1/visits/{visit}/cancellation"),
                &json!({"reason": "I have a fever. I am sorry."}),
            )
            .showing(&["/state", "/charge/client_pays"]),
        )
        .await?;
    let searches = stage
        .step(
            MARISA,
            "sees that others have been asked: those whom Rosa knows first, then the best who are free",
            Call::get("/v1/covers").showing(&["/items/0/cause", "/items/0/state"]),
        )
        .await?;
    let asked = searches.list("/items/0/asked");
    stage.check(!asked.is_empty(), || "nobody was asked".into())?;
    let cover = searches.at("/items/0/cover");
    let worker = searches.at("/items/0/asked/0/worker");
    let who = sample_worker(stage, &worker)?;
    let offer = format!("/v1/support-workers/{worker}/cover-offers/{cover}");
    let seen = stage
        .step(
            who.clone(),
            "sees when, what for and what it brings, and not whose visit it is",
            Call::get(offer.clone()).showing(&["/state", "/visit"]),
        )
        .await?;
    stage.check(!seen.text.contains("Marchetti"), || {
        "a name is shown".into()
    })?;
    stage
        .step(
            who.clone(),
            "can come",
            Call::post(format!("{offer}/acceptance"), &json!({})).showing(&["/state"]),
        )
        .await?;
    let comes = stage
        .step(
            ELENA,
            "sees who could come; she has given no standing consent, so nothing is booked yet",
            Call::get(format!("/v1/visits/{visit}/cover")).showing(&["/state", "/comes"]),
        )
        .await?;
    let confirmed = stage
        .step(
            ELENA,
            "confirms",
            Call::post(
                format!("/v1/covers/{cover}/confirmation"),
                &json!({"worker": comes.json["comes"]["worker"]}),
            )
            .showing(&["/state", "/booked"]),
        )
        .await?;
    let instead = confirmed.at("/booked");
    let shown = stage
        .look(ELENA, &format!("/v1/clients/{}/schedule", people.client))
        .await?;
    let booked = shown.list("/items").iter();
    let mut booked = booked.filter(|item| item["visit"] == *instead);
    let theirs = booked.next().is_some_and(|item| item["worker"] == *worker);
    stage.check(theirs, || {
        "the covering visit is not on the schedule".into()
    })?;
    stage
        .step(
            who,
            "finds it on their own schedule, with where to go",
            Call::get(format!("/v1/visits/{instead}")).showing(&[
                "/from",
                "/home_address",
                "/covers",
            ]),
        )
        .await?;
    Ok(instead)
}

/// Whoever was to come instead does not come either: somebody hears of it, and others are asked at once.
async fn nobody_came(stage: &mut Stage, visit: &str) -> Result<(), TourError> {
    stage.chapter("Nobody has come");
    until(
        stage,
        "2026-11-30T23:16:00Z",
        "It is Tuesday, 16 minutes past ten.",
    )
    .await?;
    let alerts = stage
        .step(
            MARISA,
            "has been told that it has not begun",
            Call::get("/v1/alerts").showing(&["/items/0/cause", "/items/0/about"]),
        )
        .await?;
    let alert = format!("/v1/alerts/{}", alerts.at("/items/0/id"));
    stage
        .step(
            MARISA,
            "sees whom to ring",
            Call::get(alert.clone()).showing(&[
                "/visit/from",
                "/visit/people/0/name",
                "/visit/people/1/name",
            ]),
        )
        .await?;
    let search = stage
        .step(
            MARISA,
            "sees that others are being asked already",
            Call::get(format!("/v1/visits/{visit}/cover")).showing(&["/cause", "/state"]),
        )
        .await?;
    let (cover, worker) = (search.at("/cover"), search.at("/asked/0/worker"));
    let who = sample_worker(stage, &worker)?;
    let offer = format!("/v1/support-workers/{worker}/cover-offers/{cover}");
    stage
        .step(
            who,
            "can be there in half an hour",
            Call::post(format!("{offer}/acceptance"), &json!({})).showing(&["/state"]),
        )
        .await?;
    stage
        .step(
            ELENA,
            "confirms",
            Call::post(
                format!("/v1/covers/{cover}/confirmation"),
                &json!({"worker": worker}),
            )
            .showing(&["/state"]),
        )
        .await?;
    let settled = stage.look(MARISA, &alert).await?;
    stage.check(settled.at("/state") == "settled", || {
        "the alert goes on".into()
    })
}

/// The statement of the month, to the cent.
async fn adds_up(stage: &mut Stage, engaged: &Engaged) -> Result<(), TourError> {
    stage.chapter("What it comes to");
    let path = format!("{}/statements/2026-11", engaged.path);
    let statement = stage
        .step(
            ELENA,
            "looks at November",
            Call::get(path.clone()).showing(&["/lines/0/basis", "/lines/1/basis", "/total"]),
        )
        .await?;
    let lines = statement.list("/lines").iter();
    let sum: u64 = lines.filter_map(|line| line["client_pays"].as_u64()).sum();
    stage.check(statement.json["total"]["client_pays"] == sum, || {
        format!("the lines come to {sum}")
    })?;
    let file = stage
        .step(
            ELENA,
            "takes it along as a file",
            Call::get(path).with("accept", "text/csv"),
        )
        .await?;
    for line in file.text.lines().take(3) {
        stage.remark(line);
    }
    Ok(())
}
