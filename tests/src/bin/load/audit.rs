//! Whether everything that was answered is there, once, and nothing that is due was left.

use std::collections::BTreeMap;

use platform::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use store::Store;

use crate::Error;
use crate::cast::{ADMINISTRATOR, COORDINATOR};
use crate::host::Host;
use crate::ledger::{Asked, Kind};
use crate::story::Story;

/// As the host calls its table.
const TABLE: &str = "rapport";
/// So many due rows are looked for in each of the index's parts.
const ROWS: u16 = 100;

#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Audit {
    /// What answers had promised, by kind.
    pub(crate) promised: BTreeMap<Kind, usize>,
    /// What was found of that and of what was not answered.
    pub(crate) found: BTreeMap<Kind, usize>,
    pub(crate) due_left: usize,
    pub(crate) parked: usize,
    pub(crate) faults: Vec<String>,
}

impl Audit {
    pub(crate) fn in_words(&self) -> String {
        let kinds = self.promised.iter().map(|(kind, promised)| {
            let found = self.found.get(kind).copied().unwrap_or_default();
            format!("{kind:?}: {promised} promised, {found} found")
        });
        let kinds: Vec<String> = kinds.collect();
        format!(
            "audit: {}; {} due rows left, {} parked; {} faults",
            kinds.join("; "),
            self.due_left,
            self.parked,
            self.faults.len()
        )
    }

    /// Holds what was found, by mark, against what was asked for.
    fn compare(&mut self, kind: Kind, asked: &[Asked], found: &BTreeMap<String, Vec<String>>) {
        for asked in asked {
            let there = found
                .get(&asked.mark)
                .map(Vec::as_slice)
                .unwrap_or_default();
            *self.found.entry(kind).or_default() += there.len();
            if there.len() > 1 {
                self.faults.push(format!(
                    "{kind:?} {} is there {} times",
                    asked.mark,
                    there.len()
                ));
            }
            let Some(promised) = &asked.promised else {
                continue;
            };
            *self.promised.entry(kind).or_default() += 1;
            if !there.contains(promised) {
                self.faults.push(format!(
                    "{kind:?} {} was answered as {promised} and is not there",
                    asked.mark
                ));
            }
        }
    }
}

/// Lets everything that is due be done, then reads it all back.
pub(crate) async fn look(host: &Host, story: &Story) -> Result<Audit, Error> {
    let mut audit = Audit::default();
    settle(host, &mut audit).await?;
    let ledger = &story.ledger;
    let tickets = host.all(COORDINATOR, "/v1/tickets?queue=general").await?;
    audit.compare(
        Kind::Ticket,
        &ledger.of(Kind::Ticket),
        &by_mark(&tickets, "/notes/0/text", "/id"),
    );
    let signups = host.all(ADMINISTRATOR, "/v1/signups").await?;
    let marks = by_mark(&signups, "/about", "/about");
    audit.compare(Kind::Signup, &ledger.of(Kind::Signup), &marks);
    let (messages, proposals) = (ledger.of(Kind::Message), ledger.of(Kind::Proposal));
    let visits = ledger.of(Kind::Visit);
    for (place, pair) in story.cast.pairs.iter().enumerate() {
        let of_pair = |asked: &[Asked]| -> Vec<Asked> {
            asked
                .iter()
                .filter(|asked| asked.pair == place)
                .cloned()
                .collect()
        };
        let lines = host
            .all(&pair.client, &format!("{}/messages", pair.engagement))
            .await?;
        audit.compare(
            Kind::Message,
            &of_pair(&messages),
            &by_mark(&lines, "/text", "/message"),
        );
        let path = format!("{}/proposals", pair.engagement);
        let listed = host.all(&pair.worker, &path).await?;
        let marks = by_mark(&listed, "/current/visit/notes", "/id");
        audit.compare(Kind::Proposal, &of_pair(&proposals), &marks);
        look_at_visits(host, &pair.client, &of_pair(&visits), &listed, &mut audit).await?;
    }
    look_at_requests(host, story, &mut audit).await?;
    Ok(audit)
}

/// A visit that was promised is booked, and by one proposal.
async fn look_at_visits(
    host: &Host,
    client: &str,
    visits: &[Asked],
    proposals: &[Value],
    audit: &mut Audit,
) -> Result<(), Error> {
    for asked in visits {
        let Some(visit) = &asked.promised else {
            continue;
        };
        *audit.promised.entry(Kind::Visit).or_default() += 1;
        let stands = host.get(client, &format!("/v1/visits/{visit}")).await?;
        let of = proposals
            .iter()
            .filter(|proposal| proposal["visit"] == visit.as_str())
            .count();
        if stands.status == 200 && stands.text("/state") == "booked" && of == 1 {
            *audit.found.entry(Kind::Visit).or_default() += 1;
        } else {
            let words = format!(
                "visit {visit}: {}, {}, of {of} proposals",
                stands.status,
                stands.text("/state")
            );
            audit.faults.push(words);
        }
    }
    Ok(())
}

async fn look_at_requests(host: &Host, story: &Story, audit: &mut Audit) -> Result<(), Error> {
    let withdrawn: Vec<String> = story
        .ledger
        .of(Kind::Withdrawal)
        .into_iter()
        .filter_map(|asked| asked.promised)
        .collect();
    for asked in story.ledger.of(Kind::Request) {
        let Some(request) = asked.promised else {
            continue;
        };
        *audit.promised.entry(Kind::Request).or_default() += 1;
        let stands = host
            .get(COORDINATOR, &format!("/v1/match-requests/{request}"))
            .await?;
        let state = stands.text("/state");
        if stands.status == 200 && (state == "withdrawn" || !withdrawn.contains(&request)) {
            *audit.found.entry(Kind::Request).or_default() += 1;
        } else {
            audit
                .faults
                .push(format!("request {request}: {}, {state}", stands.status));
        }
    }
    Ok(())
}

/// The values at `id` of the items, by the text at `mark`.
fn by_mark(items: &[Value], mark: &str, id: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    let text = |item: &Value, pointer: &str| Some(item.pointer(pointer)?.as_str()?.to_owned());
    for item in items {
        if let (Some(mark), Some(id)) = (text(item, mark), text(item, id)) {
            found.entry(mark).or_default().push(id);
        }
    }
    found
}

async fn settle(host: &Host, audit: &mut Audit) -> Result<(), Error> {
    let settled = host
        .dev("/dev/clock/advance", &json!({"seconds": 0}))
        .await?;
    if settled.status != 200 {
        return Err(format!("what is due was not dealt with: {}", settled.status).into());
    }
    let http = aws_smithy_http_client::Builder::new().build_http();
    let store = Store::new(rapport::embedded::sdk(http, &host.table), TABLE);
    audit.due_left = store.due_by(SystemClock.now(), ROWS).await?.len();
    audit.parked = store.parked(ROWS, None).await?.items.len();
    if audit.due_left + audit.parked > 0 {
        let words = format!(
            "{} due rows are left and {} are parked",
            audit.due_left, audit.parked
        );
        audit.faults.push(words);
    }
    Ok(())
}
