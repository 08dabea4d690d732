//! What the actors do, and what they learn from the answers.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use domain::id::{ChangeRequestId, ProposalId, SeriesId, VisitId};
use domain::series::visit_id;
use domain::visit::VisitDetails;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::{Actor, Booked, CLIENTS, IN_MIND, InMind, Town};
use crate::simulated::{Ask, Reply};

/// Where the visits take place: clocks are put forward in New York while the simulation runs.
const ZONES: [&str; 5] = [
    "Australia/Brisbane",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Europe/London",
    "America/New_York",
];

/// What an actor is about to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Propose { client: usize, worker: usize },
    ProposeSeries { client: usize, worker: usize },
    ProposeChange(Booked),
    Revise(InMind),
    Accept(InMind),
    Other(InMind),
    AskForChange(Booked),
    RefuseChange(Booked, ChangeRequestId),
    WithdrawChange(Booked, ChangeRequestId),
    EndSeries(InMind, SeriesId),
    Cancel(VisitId),
}

impl Deed {
    const fn name(self) -> &'static str {
        match self {
            Self::Propose { .. } => "propose",
            Self::ProposeSeries { .. } => "propose a series",
            Self::ProposeChange(_) => "propose a change",
            Self::Revise(_) => "revise",
            Self::Accept(_) => "accept",
            Self::Other(_) => "decline or withdraw",
            Self::AskForChange(_) => "ask for a change",
            Self::RefuseChange(..) => "refuse a change",
            Self::WithdrawChange(..) => "withdraw a request",
            Self::EndSeries(..) => "end a series",
            Self::Cancel(_) => "cancel",
        }
    }
}

impl Town {
    pub(super) fn deed(&mut self, actor: &Actor) -> Option<(Deed, String)> {
        let chance = &mut self.world.chance;
        let dice = chance.random_range(0..100);
        match actor {
            Actor::Client { subject, client } => {
                let booked = self.booked.iter().filter(|it| it.client == *client);
                let booked = booked.collect::<Vec<_>>().choose(chance).map(|it| **it);
                let asked = self.requests.iter().filter(|it| it.0.client == *client);
                let asked = asked.collect::<Vec<_>>().choose(chance).map(|it| **it);
                let series = self.series.iter().filter(|it| it.0.client == *client);
                let series = series.collect::<Vec<_>>().choose(chance).map(|it| **it);
                let theirs = self.in_mind.iter().filter(|it| it.client == *client);
                let seen = theirs.collect::<Vec<_>>().choose(chance).map(|it| **it);
                let deed = match (booked, asked, series) {
                    (Some(booked), ..) if dice < 12 => Deed::AskForChange(booked),
                    (_, Some((of, request)), _) if dice < 15 => Deed::WithdrawChange(of, request),
                    (.., Some((of, series))) if dice < 18 => Deed::EndSeries(of, series),
                    _ => {
                        let mut seen = seen?;
                        if dice < 30 {
                            // Somebody who looked a while ago.
                            seen.revision = seen.revision.saturating_sub(1).max(1);
                        }
                        match dice < 88 {
                            true => Deed::Accept(seen),
                            false => Deed::Other(seen),
                        }
                    }
                };
                Some((deed, subject.clone()))
            }
            Actor::Worker { subject, worker } => {
                let booked = self.booked.iter().filter(|it| it.worker == *worker);
                let booked = booked.collect::<Vec<_>>().choose(chance).map(|it| **it);
                let asked = self.requests.iter().filter(|it| it.0.worker == *worker);
                let asked = asked.collect::<Vec<_>>().choose(chance).map(|it| **it);
                let theirs = self.in_mind.iter().filter(|it| it.worker == *worker);
                let seen = theirs.collect::<Vec<_>>().choose(chance).map(|it| **it);
                let (client, worker) = (chance.random_range(0..CLIENTS), *worker);
                let deed = match (seen, booked, asked) {
                    (Some(seen), ..) if dice < 20 => Deed::Revise(seen),
                    (Some(seen), ..) if dice < 25 => Deed::Other(seen),
                    (_, Some(booked), _) if dice < 50 => Deed::ProposeChange(booked),
                    (.., Some((of, request))) if dice < 55 => Deed::RefuseChange(of, request),
                    _ if dice < 70 => Deed::ProposeSeries { client, worker },
                    _ => Deed::Propose { client, worker },
                };
                Some((deed, subject.clone()))
            }
        }
    }

    pub(super) fn ask(&mut self, subject: &str, deed: Deed, key: String) -> Ask {
        let now = self.world.now();
        let visit = some_visit(&mut self.world.chance, now);
        let count = self.world.chance.random_range(2..5);
        let engagement = |client: usize, worker: usize| {
            format!("/v1/engagements/{}", self.engagements[client][worker])
        };
        let proposals = |client, worker| format!("{}/proposals", engagement(client, worker));
        let of = |it: InMind, what: &str| {
            let proposals = proposals(it.client, it.worker);
            format!("{proposals}/{}/{what}", it.proposal)
        };
        let requests = |of: Booked| format!("/v1/visits/{}/change-requests", of.visit);
        let (path, mut body) = match deed {
            Deed::Propose { client, worker } => {
                (proposals(client, worker), json!({"visit": visit}))
            }
            Deed::ProposeSeries { client, worker } => {
                let repeats = json!({"rule": format!("FREQ=DAILY;COUNT={count}")});
                let series = json!({"visit": visit, "repeats": repeats});
                (proposals(client, worker), series)
            }
            Deed::ProposeChange(it) => {
                let path = format!("/v1/visits/{}/change-proposals", it.visit);
                (path, json!({"visit": visit}))
            }
            Deed::Revise(it) => (of(it, "revisions"), json!({"visit": visit})),
            Deed::Accept(it) => (of(it, "acceptance"), json!({"revision": it.revision})),
            Deed::Other(it) if subject.starts_with("worker") => (of(it, "withdrawal"), json!({})),
            Deed::Other(it) => (of(it, "refusal"), json!({"reason": "Not this time."})),
            Deed::AskForChange(it) => (requests(it), json!({"wish": "Another time?"})),
            Deed::RefuseChange(it, request) => {
                let path = format!("{}/{request}/refusal", requests(it));
                (path, json!({"reason": "I cannot."}))
            }
            Deed::WithdrawChange(it, request) => {
                let path = format!("{}/{request}/withdrawal", requests(it));
                (path, json!({}))
            }
            Deed::EndSeries(it, series) => {
                let path = format!("{}/series/{series}/end", engagement(it.client, it.worker));
                (path, json!({"reason": "That is enough."}))
            }
            Deed::Cancel(visit) => {
                let reason = json!({"reason": "Booked by mistake."});
                (format!("/v1/visits/{visit}/cancellation"), reason)
            }
        };
        if let Some(told) = self.told.get(&path) {
            body["acknowledged"] = told.clone();
        }
        Ask::post(subject, path, key, body)
    }

    pub(super) fn learn(&mut self, deed: Deed, ask: &Ask, reply: &Reply) {
        let outcome = match reply.status {
            201 => "done".to_owned(),
            409 => reply.text("type").replace("/problems/", ""),
            // Clocks are put forward somewhere, or a visit of a series has not been made yet.
            422 => "at a time that does not exist".to_owned(),
            404 => "not made yet".to_owned(),
            _ => panic!("{deed:?}: {}", reply.body),
        };
        let name = deed.name();
        *self.tally.entry(format!("{name}: {outcome}")).or_default() += 1;
        for member in ["warning", "charge"] {
            if let Some(told) = reply.body.get(member).filter(|_| reply.status == 409) {
                self.told.insert(ask.path.clone(), told.clone());
            }
        }
        if reply.status != 201 {
            return;
        }
        let (client, worker) = match deed {
            Deed::Cancel(visit) => {
                self.cancelled.insert(visit);
                return;
            }
            Deed::AskForChange(it) => {
                self.requests.push((it, reply.text("id").parse().unwrap()));
                return;
            }
            Deed::RefuseChange(..) | Deed::WithdrawChange(..) | Deed::EndSeries(..) => return,
            Deed::Propose { client, worker } | Deed::ProposeSeries { client, worker } => {
                (client, worker)
            }
            Deed::ProposeChange(it) => (it.client, it.worker),
            Deed::Revise(it) | Deed::Accept(it) | Deed::Other(it) => (it.client, it.worker),
        };
        let proposal: ProposalId = reply.text("id").parse().unwrap();
        // A proposal that is closed stays in mind for a while: somebody may not have heard.
        let revision = reply.body["current"]["number"].as_u64().unwrap();
        let seen = InMind {
            client,
            worker,
            proposal,
            revision: u32::try_from(revision).unwrap(),
        };
        if let Deed::Accept(it) = deed {
            self.accepted.entry(proposal).or_default().push(it.revision);
            self.booked_by(seen, reply);
        }
        self.in_mind.retain(|it| it.proposal != proposal);
        self.in_mind.push(seen);
        let forgotten = self.in_mind.len().saturating_sub(IN_MIND);
        self.in_mind.drain(..forgotten);
    }

    /// The visits that an acceptance booked or moved.
    fn booked_by(&mut self, seen: InMind, reply: &Reply) {
        let InMind { client, worker, .. } = seen;
        let visits = match reply.body["series"].as_str() {
            Some(series) => {
                let series: SeriesId = series.parse().unwrap();
                self.series.push((seen, series));
                let count = reply.body["current"]["series"]["count"].as_u64().unwrap();
                let numbers = 0..u32::try_from(count).unwrap();
                numbers.map(|number| visit_id(series, number)).collect()
            }
            None => vec![reply.text("visit").parse().unwrap()],
        };
        for visit in visits {
            self.booked.retain(|it| it.visit != visit);
            self.booked.push(Booked {
                client,
                worker,
                visit,
            });
        }
    }
}

/// A visit soon, on the hour or half of it, at any time of day and in any of the zones.
fn some_visit(chance: &mut StdRng, now: DateTime<Utc>) -> Value {
    let zone = ZONES.choose(chance).unwrap();
    let minutes = [30, 60, 90, 180][chance.random_range(0..4)];
    let mut visit = json!({
        "starts": "2026-01-01T00:00:00", "time_zone": zone, "minutes": minutes, "place": "home",
        "service": "social_support", "notes": ""
    });
    let details: VisitDetails = serde_json::from_value(visit.clone()).unwrap();
    let local = details.local(now).naive_local();
    let midnight = local.date().and_time(NaiveTime::MIN);
    let since = (local - midnight).num_minutes() / 30 * 30;
    let slot = since + 30 * chance.random_range(4..40);
    visit["starts"] = json!(midnight + TimeDelta::minutes(slot));
    visit
}
