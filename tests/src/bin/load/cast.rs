//! Who plays: pairs of a client and a support worker who have agreed on terms, clients who ask, staff, a partner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::terms::TimeBand;
use domain::vocabulary::Vocabulary;
use platform::clock::{Clock, SystemClock};
use platform::signature::PartnerSecret;
use rapport::community::Samples;
use serde_json::{Value, json};

use crate::Error;
use crate::host::{Answer, Host};

pub(crate) const ADMINISTRATOR: &str = "sample-administrator";
pub(crate) const COORDINATOR: &str = "sample-coordinator";
const PAIRS: usize = 8;
const ASKERS: usize = 8;

pub(crate) struct Pair {
    pub(crate) client: String,
    pub(crate) client_id: String,
    pub(crate) worker: String,
    pub(crate) worker_id: String,
    /// The engagement's path.
    pub(crate) engagement: String,
    /// The released match request's path.
    pub(crate) request: String,
    pub(crate) service: Value,
}

/// A client who asks for support workers, and takes it back.
pub(crate) struct Asker {
    pub(crate) subject: String,
    pub(crate) client_id: String,
    pub(crate) details: Value,
}

pub(crate) struct Cast {
    pub(crate) pairs: Vec<Pair>,
    pub(crate) askers: Vec<Asker>,
    /// The path of the partner's signups.
    pub(crate) signups: String,
    pub(crate) secret: PartnerSecret,
}

/// Brings them together over HTTP.
pub(crate) async fn settle(host: Arc<Host>) -> Result<Cast, Error> {
    let samples = Samples::read()?;
    let people = host
        .send(host.request(reqwest::Method::GET, "/dev/people"))
        .await?;
    let people: Vec<Value> = people.body.as_array().cloned().unwrap_or_default();
    let subject_of: BTreeMap<String, String> = people
        .iter()
        .map(|known| (text(known, "id"), text(known, "subject")))
        .collect();
    let now: DateTime<Utc> = SystemClock.now();
    let (mut pairs, mut askers) = (Vec::new(), Vec::new());
    let mut taken = BTreeSet::new();
    for (client_id, client) in subject_of.iter().filter(|(id, _)| id.starts_with("clt_")) {
        let Some(details) = samples.match_request(client, now) else {
            continue;
        };
        let asker = Asker {
            subject: client.clone(),
            client_id: client_id.clone(),
            details: serde_json::to_value(details)?,
        };
        if pairs.len() < PAIRS {
            pairs.extend(pair(&host, &asker, &subject_of, &mut taken).await?);
        } else if askers.len() < ASKERS {
            askers.push(asker);
        }
    }
    if pairs.is_empty() || askers.is_empty() {
        return Err("the community holds nobody to play the story".into());
    }
    let settings = json!({
        "name": "Load", "state": "active", "fields": {}, "origins": [], "redirects": {},
        "ticket_per_signup": true, "hourly_quota": 10_000
    });
    let partner = done(host.post(ADMINISTRATOR, "/v1/partners", &settings).await?)?.text("/id");
    let keys = format!("/v1/partners/{partner}/keys");
    let key = done(host.post(ADMINISTRATOR, &keys, &json!({})).await?)?;
    Ok(Cast {
        pairs,
        askers,
        signups: format!("/v1/partners/{partner}/signups"),
        secret: PartnerSecret::from_text(key.text("/secret")),
    })
}

/// A client and one of their candidates, as far as terms; none where it cannot be: too few candidates, no plan.
async fn pair(
    host: &Host,
    asker: &Asker,
    subject_of: &BTreeMap<String, String>,
    taken: &mut BTreeSet<String>,
) -> Result<Option<Pair>, Error> {
    let client = asker.subject.clone();
    let ask = format!("/v1/clients/{}/match-requests", asker.client_id);
    let submitted = host.post(&client, &ask, &asker.details).await?;
    if submitted.status != 201 {
        return Ok(None);
    }
    let request = format!("/v1/match-requests/{}", submitted.text("/id"));
    let preview = host
        .get(COORDINATOR, &format!("{request}/candidate-preview"))
        .await?;
    let release = format!("{request}/release");
    done(
        host.post_if(COORDINATOR, &release, Some(&preview.etag), &json!({}))
            .await?,
    )?;
    let listed = preview.items("/listed").into_iter().find_map(|listed| {
        let worker_id = text(&listed, "worker");
        let free = !taken.contains(&worker_id);
        let worker = subject_of.get(&worker_id).filter(|_| free)?;
        Some((worker_id, worker.clone(), text(&listed, "candidate")))
    });
    let Some((worker_id, worker, candidate)) = listed else {
        return Ok(None);
    };
    let invite = format!("{request}/candidates/{candidate}/invitation");
    if host.post(&client, &invite, &json!({})).await?.status != 201 {
        return Ok(None);
    }
    let invitations = format!("/v1/support-workers/{worker_id}/invitations");
    let invitation = host.get(&worker, &invitations).await?.text("/items/0/id");
    let accept = format!("{invitations}/{invitation}/acceptance");
    let accepted = done(host.post(&worker, &accept, &json!({})).await?)?;
    let engagement = format!("/v1/engagements/{}", accepted.text("/engagement"));
    let service = asker
        .details
        .pointer("/services/0")
        .cloned()
        .unwrap_or_default();
    let offers = format!("{engagement}/offers");
    done(host.post(&worker, &offers, &terms(&service)).await?)?;
    done(
        host.post(&client, &format!("{offers}/1/acceptance"), &json!({}))
            .await?,
    )?;
    taken.insert(worker_id.clone());
    Ok(Some(Pair {
        client,
        client_id: asker.client_id.clone(),
        worker,
        worker_id,
        engagement,
        request,
        service,
    }))
}

/// The same at any time of the week.
fn terms(service: &Value) -> Value {
    let rate = |band: &TimeBand| json!({"band": band, "hourly": 5_600});
    let rates: Vec<Value> = TimeBand::ALL.iter().map(rate).collect();
    json!({"terms": {
        "services": [{"service": service, "rates": rates}],
        "minutes_per_week": 240, "scope": "At home.", "limits": []
    }})
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn done(answer: Answer) -> Result<Answer, Error> {
    match answer.status {
        200..=299 => Ok(answer),
        status => Err(format!("the story cannot begin: {status}: {}", answer.body).into()),
    }
}
