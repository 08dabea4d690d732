//! What has to hold when all is over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::change_request::{ChangeRequest, ChangeRequestState};
use domain::conversation::{Content, Message};
use domain::engagement::Happening;
use domain::id::{EngagementId, VisitId};
use domain::policy::Policy;
use domain::proposal::{Proposal, ProposalState};
use domain::schedule::{Busy, BusySheet, Month};
use domain::series::{Series, visit_id};
use domain::visit::{Visit, VisitState};
use serde_json::Value;
use store::{AuditEntry, EngagementVisit, Key};

use super::Town;
use crate::simulated::{ADMINISTRATOR, Ask};

/// What came of the proposals of one engagement.
#[derive(Default)]
struct Outcome {
    /// Each visit with the proposals that booked or changed it, in the order of its sequence.
    visits: BTreeMap<VisitId, Vec<Proposal>>,
    series: Vec<Proposal>,
    winners: BTreeSet<String>,
    /// The visits that were moved, once for each time.
    changed: Vec<String>,
}

impl Town {
    pub(super) async fn check(&self) {
        let observer = &self.world.observer;
        let mut visits: BTreeMap<VisitId, Visit> = BTreeMap::new();
        let (mut proposals, mut moved) = (0, 0);
        let mut ended: BTreeSet<VisitId> = BTreeSet::new();
        for engagement in self.engagements.iter().flatten().copied() {
            let pk = Key::engagement(engagement).pk;
            let marks = self.world.all::<EngagementVisit>(&pk, "VISIT#").await;
            let marked: BTreeSet<VisitId> = marks.iter().map(|it| it.visit).collect();
            let all = self.world.all::<Proposal>(&pk, "PROP#").await;
            proposals += all.len();
            let outcome = self.outcome(all);
            moved += outcome.changed.len();
            let mut expected: BTreeSet<VisitId> = outcome.visits.keys().copied().collect();
            for series in self.world.all::<Series>(&pk, "SERIES#").await {
                let accepted = outcome
                    .series
                    .iter()
                    .find(|it| it.series == Some(series.id));
                let offer = accepted.unwrap().current.series.as_ref().unwrap();
                assert_eq!((series.made, series.count), (offer.count, offer.count));
                let theirs = (0..series.count).map(|number| visit_id(series.id, number));
                expected.extend(theirs.clone());
                if series.end.is_some() {
                    ended.extend(theirs);
                }
            }
            assert_eq!(marked, expected, "marks and proposals tell of other visits");
            for visit in &marked {
                let found = observer.get::<Visit>(&Key::visit(*visit)).await.unwrap();
                let found = found.expect("half of a booking").value;
                self.check_visit(&found, outcome.visits.get(visit)).await;
                visits.insert(*visit, found);
            }
            self.check_history(engagement, &outcome).await;
        }
        let cancelled = visits
            .values()
            .filter(|it| it.state == VisitState::Cancelled);
        let cancelled: BTreeSet<VisitId> = cancelled.map(|it| it.id).collect();
        // What was cancelled with its series was not cancelled by anybody in particular.
        assert!(
            cancelled
                .difference(&ended)
                .eq(self.cancelled.difference(&ended))
        );
        let sheets = self.check_sheets(&visits).await;
        self.check_schedules(&visits).await;
        assert!(
            !visits.is_empty() && moved > 0 && self.world.crashes > 0,
            "nothing came of it"
        );
        println!(
            "{} actors, {proposals} proposals, {} visits, {} of them in {} series, {moved} times moved, {} cancelled, \
             {sheets} busy sheets, {} ends of the process\n{:#?}",
            self.actors.len(),
            visits.len(),
            visits.values().filter(|it| it.series.is_some()).count(),
            (visits.values().filter_map(|it| it.series))
                .collect::<BTreeSet<_>>()
                .len(),
            cancelled.len(),
            self.world.crashes,
            self.tally
        );
    }

    fn outcome(&self, all: Vec<Proposal>) -> Outcome {
        let mut outcome = Outcome::default();
        for proposal in all {
            let answered = self.accepted.get(&proposal.id);
            let answered = answered.map_or(&[][..], Vec::as_slice);
            if proposal.state != ProposalState::Accepted {
                assert_eq!((proposal.visit, proposal.series), (None, None));
                assert_eq!(answered, [0; 0], "answered, and not booked");
                assert_ne!(proposal.state, ProposalState::Open, "its time is long over");
                continue;
            }
            // Exactly one acceptance won, and of exactly the revision that is booked.
            assert_eq!(answered, [proposal.current.number], "{proposal:?}");
            outcome.winners.insert(proposal.id.to_string());
            match proposal.visit {
                Some(visit) => {
                    if proposal.changes.is_some() {
                        outcome.changed.push(visit.to_string());
                    }
                    outcome.visits.entry(visit).or_default().push(proposal);
                }
                None => outcome.series.push(proposal),
            }
        }
        for proposals in outcome.visits.values_mut() {
            proposals.sort_by_key(|it| it.changes.map(|change| change.sequence));
        }
        outcome.changed.sort();
        outcome
    }

    /// A visit is what the last of its proposals says, each of which applied to what the one before it made.
    async fn check_visit(&self, visit: &Visit, proposals: Option<&Vec<Proposal>>) {
        let proposals = proposals.map_or(&[][..], Vec::as_slice);
        let changes = proposals.iter().filter_map(|it| it.changes);
        let sequences: Vec<u32> = changes.map(|change| change.sequence).collect();
        let moved = u32::try_from(sequences.len()).unwrap();
        assert_eq!(sequences, (0..moved).collect::<Vec<_>>());
        let cancelled = u32::from(visit.state == VisitState::Cancelled);
        assert_eq!(visit.sequence, moved + cancelled);
        if let Some(last) = proposals.last() {
            assert_eq!(visit.details, last.current.visit);
            assert_eq!(
                (visit.proposal, visit.revision, visit.from, visit.until),
                (
                    Some(last.id),
                    last.current.number,
                    last.current.from,
                    last.current.until
                )
            );
        }
        let requests = Key::visit(visit.id).pk;
        let requests = self.world.all::<ChangeRequest>(&requests, "CHANGE#").await;
        let open = requests.iter().filter(|it| it.closed_at.is_none());
        let open: Vec<_> = open.map(|it| it.id).collect();
        // One at a time, and the visit says which.
        assert_eq!(open, Vec::from_iter(visit.change_request));
        let resolved = requests
            .iter()
            .filter(|it| it.state == ChangeRequestState::Resolved);
        for request in resolved {
            let by = proposals.iter().find(|it| Some(it.id) == request.proposal);
            let change = by
                .and_then(|it| it.changes)
                .expect("a change that was accepted");
            assert_eq!(change.request, Some(request.id));
        }
    }

    /// Everybody's schedule, those of all clients together, and those of all support workers together, show the same.
    async fn check_schedules(&self, visits: &BTreeMap<VisitId, Visit>) {
        let counted = visits.values().filter(|visit| visit.counts());
        let counted: BTreeSet<String> = counted.map(|visit| visit.id.to_string()).collect();
        let clients = self
            .clients
            .iter()
            .map(|it| format!("/v1/clients/{it}/schedule"));
        let workers = self
            .workers
            .iter()
            .map(|it| format!("/v1/support-workers/{it}/schedule"));
        let everybody = vec!["/v1/schedule".to_owned()];
        for paths in [clients.collect(), workers.collect(), everybody] {
            let mut shown = BTreeSet::new();
            for path in paths {
                for visit in self.shown_on(&path).await {
                    assert!(
                        shown.insert(visit),
                        "on the schedules of two people on one side"
                    );
                }
            }
            assert_eq!(shown, counted);
        }
    }

    async fn shown_on(&self, path: &str) -> Vec<String> {
        let range = "from=2026-03-01T00:00:00Z&until=2026-12-01T00:00:00Z&limit=100";
        let (mut shown, mut cursor) = (Vec::new(), String::new());
        loop {
            let ask = Ask::get(ADMINISTRATOR, format!("{path}?{range}{cursor}"));
            let page = self.world.once(&ask).await.expect(200).body;
            let items = page["items"].as_array().unwrap().iter();
            shown.extend(items.map(|it| it["visit"].as_str().unwrap().to_owned()));
            match &page["next"] {
                Value::String(next) => cursor = format!("&cursor={next}"),
                _ => return shown,
            }
        }
    }

    /// What the audit and the conversation tell: each booking and each change once.
    async fn check_history(&self, engagement: EngagementId, outcome: &Outcome) {
        let observer = &self.world.observer;
        let key = Key::engagement(engagement);
        let mut won = Vec::new();
        let mut cursor = None;
        loop {
            let page = observer
                .audit_of(&key, 100, cursor.as_deref())
                .await
                .unwrap();
            let accepting = |entry: &AuditEntry| entry.item.operation == "accept_proposal";
            let entries = page.items.into_iter().filter(accepting);
            won.extend(entries.flat_map(|entry| entry.item.fields));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        won.sort();
        assert!(won.iter().eq(&outcome.winners), "{won:?}");
        let lines = observer
            .list_all::<Message>(&key.pk, "MSG#", 1_000_000)
            .await
            .unwrap();
        let told = |wanted: Happening| {
            let lines = lines.iter().filter_map(|line| match &line.value.content {
                Content::Happened { happening, about } if *happening == wanted => about.clone(),
                Content::Happened { .. } | Content::Written { .. } => None,
            });
            let mut told: Vec<String> = lines.collect();
            told.sort();
            told
        };
        let fresh = outcome.visits.iter().filter(|(_, proposals)| {
            let first = proposals.first();
            first.is_some_and(|first| first.changes.is_none())
        });
        let fresh: Vec<String> = fresh.map(|(visit, _)| visit.to_string()).collect();
        assert_eq!(told(Happening::VisitBooked), fresh);
        assert_eq!(told(Happening::VisitChanged), outcome.changed);
        let series = outcome.series.iter().filter_map(|it| it.series);
        let mut series: Vec<String> = series.map(|it| it.to_string()).collect();
        series.sort();
        assert_eq!(told(Happening::SeriesBooked), series);
    }

    /// Makes every sheet again from the visits alone.
    async fn check_sheets(&self, visits: &BTreeMap<VisitId, Visit>) -> usize {
        let observer = &self.world.observer;
        let buffer = i64::from(Policy::default().travel_buffer_minutes);
        let buffer = TimeDelta::minutes(buffer);
        let mut sheets = 0;
        let sides = self.people.iter().zip([false, true]);
        for (person, travels) in sides.flat_map(|(people, it)| people.iter().map(move |p| (*p, it)))
        {
            let theirs = visits
                .values()
                .filter(|visit| visit.booked_for.contains(&person));
            let mut theirs: Vec<Busy> = theirs
                .filter(|visit| visit.counts())
                .map(|visit| visit.busy(travels))
                .collect();
            theirs.sort_by_key(|busy| busy.from);
            for pair in theirs.windows(2) {
                let journey = travels && pair[0].engagement != pair[1].engagement;
                let gap = if journey { buffer } else { TimeDelta::zero() };
                assert!(pair[0].until + gap <= pair[1].from, "{person}: {pair:?}");
            }
            let mut expected: BTreeMap<Month, Vec<Busy>> = BTreeMap::new();
            for busy in &theirs {
                for month in busy.months(buffer) {
                    expected.entry(month).or_default().push(*busy);
                }
            }
            let pk = Key::busy_sheet(person, Month::of(self.world.now())).pk;
            let found = observer
                .list_all::<BusySheet>(&pk, "2", 1_000)
                .await
                .unwrap();
            let found = found.into_iter().map(|sheet| sheet.value);
            let found: BTreeMap<Month, Vec<Busy>> = found
                .filter(|sheet| !sheet.booked.is_empty())
                .map(|sheet| (sheet.month, sheet.booked))
                .collect();
            assert_eq!(found, expected, "the sheets of {person}");
            sheets += found.len();
        }
        sheets
    }
}
