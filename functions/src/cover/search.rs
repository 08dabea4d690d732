//! Who is asked next: those whom the client knows, then whoever suits best of those who are free then.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::availability::{DayHours, Times};
use domain::cover::{CanBeAsked, Cover, LeftOut, MOST_ASKED};
use domain::eligibility::Asked;
use domain::id::WorkerId;
use domain::match_request::{Budget, MatchRequest, MatchRequestDetails};
use domain::money::Cents;
use domain::policy::Policy;
use domain::vocabulary::mask;
use store::{Key, StoreError};

use super::comer::Comer;
use super::{Search, tried_again};
use crate::candidate_list::{MOST_PAIRS, relations};
use crate::consume::ConsumeError;
use crate::context::Context;
use crate::matcher::{self, MatcherError};

/// The most who are asked at once: each takes two writes of a commit.
const MOST_AT_ONCE: usize = 30;

/// Who was found to be asked, and who was left out.
#[derive(Default)]
pub(super) struct Found {
    pub(super) next: Vec<CanBeAsked>,
    pub(super) left_out: LeftOut,
}

/// Looks for as many as one wave asks. Those whom the client knows are asked by themselves, before anybody else.
///
/// # Errors
/// When the table does not answer.
pub(super) async fn look(
    context: &Context,
    search: &Search,
    policy: &Policy,
) -> Result<Found, ConsumeError> {
    let known = known(context, &search.cover.value).await?;
    let mut found = Found::default();
    among(context, search, policy, &known, true, &mut found).await?;
    if found.next.is_empty() {
        let known: BTreeSet<WorkerId> = known.into_iter().collect();
        let mut others = others(context, search, policy).await?;
        others.retain(|worker| !known.contains(worker));
        among(context, search, policy, &others, false, &mut found).await?;
    }
    Ok(found)
}

async fn among(
    context: &Context,
    search: &Search,
    policy: &Policy,
    workers: &[WorkerId],
    known: bool,
    found: &mut Found,
) -> Result<(), ConsumeError> {
    let cover = &search.cover.value;
    let new = workers.iter().filter(|worker| cover.may_ask(**worker));
    let wanted = usize::from(policy.cover_wave).clamp(1, MOST_AT_ONCE);
    for worker in new.copied() {
        if found.next.len() >= wanted {
            break;
        }
        let comer = Comer::of(context, search, worker, policy).await;
        match comer.map_err(|refused| tried_again(&refused))? {
            Ok(_) => found.next.push(CanBeAsked { worker, known }),
            Err(unfit) => found.left_out = unfit.count(found.left_out),
        }
    }
    Ok(())
}

/// Those whom the client knows, those first with whom they are connected, then whoever they have known longest.
async fn known(context: &Context, cover: &Cover) -> Result<Vec<WorkerId>, StoreError> {
    let pairs = context.store.pairs_of(cover.client, MOST_PAIRS).await?;
    let mut known: Vec<(bool, DateTime<Utc>, WorkerId)> = pairs
        .into_iter()
        .filter(|pair| !pair.value.is_blocked())
        .filter_map(|pair| {
            let since = pair.value.known_since?;
            Some((pair.value.engagement.is_none(), since, pair.value.worker))
        })
        .collect();
    known.sort();
    Ok(known.into_iter().map(|(_, _, worker)| worker).collect())
}

/// Those who suit what the client once asked for, the best first, as far as they say that they work then.
async fn others(
    context: &Context,
    search: &Search,
    policy: &Policy,
) -> Result<Vec<WorkerId>, ConsumeError> {
    let key = Key::match_request(search.held.value.match_request);
    let Some(request) = context.store.get::<MatchRequest>(&key).await? else {
        return Ok(Vec::new());
    };
    let request = request.value;
    let asked = asked_for(&search.cover.value, &request.details, context.now());
    let relations = relations(context, &request).await?;
    let wanted = MOST_ASKED.saturating_mul(2);
    match matcher::find(context, &request, &asked, &relations, policy, wanted).await {
        Ok(found) => Ok(found.ranked.iter().map(|scored| scored.worker).collect()),
        Err(MatcherError::Store(error)) => Err(error.into()),
        // Staff had rather hear now that nobody was found than when the index answers again.
        Err(error) => {
            tracing::error!(%error, "the index does not answer");
            Ok(Vec::new())
        }
    }
}

/// The client's request, for this visit alone: its service at its time. What it pays is agreed already.
fn asked_for(cover: &Cover, request: &MatchRequestDetails, now: DateTime<Utc>) -> Asked {
    let date = cover.details.starts.date();
    let until = cover.details.local(cover.until).naive_local();
    let required = Times {
        hours: DayHours::touched(cover.details.starts, until)
            .into_iter()
            .collect(),
        ..Times::default()
    };
    Asked {
        services: mask([cover.details.service]),
        covered_until: date,
        required,
        preferred: Times::default(),
        window: (date, date),
        budget: Budget {
            least: Cents(0),
            most: Cents(u32::MAX),
        },
        ..Asked::of(request, now)
    }
}
