//! What a notice says, made when it is read or sent, from state and relationship as they are then.
//!
//! The templates take the reader and blind types only: nothing here can name a support worker to a
//! client before acceptance, or a client to a support worker, because neither is at hand.

use domain::access::{self, Authority, Duty, Scope};
use domain::candidates::CandidateList;
use domain::check::CheckKind;
use domain::id::{ClientId, MatchRequestId};
use domain::notice::Event;
use domain::person::Person;
use domain::safety::Report;
use domain::ticket::Ticket;
use domain::vocabulary::Vocabulary;
use platform::link::LinkPurpose;
use store::{Key, StoreError, Versioned};

use crate::context::Context;

mod engagement;

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// A few sentences, without greeting or signature.
    pub body: String,
}

/// The notice for `reader`, or none if it no longer concerns them.
///
/// # Errors
/// When the table does not answer.
pub async fn render(
    context: &Context,
    event: &Event,
    reader: &Person,
) -> Result<Option<Text>, StoreError> {
    if !concerns(context, event, reader).await? {
        return Ok(None);
    }
    let text = |subject: &str, body: String| {
        Some(Text {
            subject: subject.to_owned(),
            body,
        })
    };
    let fixed = |subject: &str, body: &str| text(subject, body.to_owned());
    Ok(match event {
        Event::ActivationLink { generation, .. } => activation(context, reader, *generation),
        Event::AccountActivated { .. } => fixed(
            "Your account is ready",
            "Your sign-in is now connected to your account. If this was not you, please contact us at once.",
        ),
        Event::AccountCorrected { .. } => fixed(
            "Your account was changed",
            "Our staff changed details of your account. If you did not ask for this, please contact us.",
        ),
        Event::AuthorityVerified { .. } => fixed(
            "A representative was confirmed",
            "We have confirmed a representative's authority. It covers only what was agreed, from the agreed date, and can be ended at any time.",
        ),
        Event::AuthorityRevoked { .. } => fixed(
            "A representative's authority has ended",
            "A representative's authority has ended. From now on it gives no access.",
        ),
        Event::MembershipAssigned { .. } => fixed(
            "Your membership plan",
            "Your membership plan has been set. You can see what it covers in the app.",
        ),
        Event::WorkerSubmitted { .. } => fixed(
            "We have your profile",
            "Thank you for submitting your profile. We will now look at your checks and your introduction.",
        ),
        Event::WorkerActivated { .. } => fixed(
            "You can now be matched",
            "Your profile is active: clients near you can now be introduced to you.",
        ),
        Event::WorkerSuspended { .. } => fixed(
            "Your profile is suspended",
            "Your profile has been suspended and you will not be introduced to clients. Please contact us.",
        ),
        Event::WorkerReinstated { .. } => fixed(
            "Your suspension has ended",
            "Your suspension has ended. Your profile shows whether anything is still needed from you.",
        ),
        Event::CheckVerified { check, .. } => {
            about_check("verified", *check, "has been verified. Thank you.")
        }
        Event::CheckExpiring { check, .. } => about_check(
            "expires soon",
            *check,
            "expires soon. Please send us its renewal, so that you stay active.",
        ),
        Event::CheckExpired { check, .. } => about_check(
            "has expired",
            *check,
            "has expired. You will not be introduced to clients until it is renewed.",
        ),
        Event::CheckRevoked { check, .. } => about_check(
            "no longer holds",
            *check,
            "no longer holds. Please contact us.",
        ),
        Event::IntroductionApproved { .. } => fixed(
            "Your introduction is approved",
            "Your introduction has been approved. It is the one text of yours that clients read before they invite you.",
        ),
        Event::MatchRequestSubmitted { .. } => fixed(
            "We have your match request",
            "Thank you for your match request. We are now looking for support workers who suit you, and will let you know as soon as you can see them.",
        ),
        Event::MatchRequestWithdrawn { .. } => fixed(
            "Your match request was withdrawn",
            "Your match request has been withdrawn. You can make a new one at any time.",
        ),
        Event::CandidatesReleased { match_request, .. } => {
            released(context, *match_request).await?
        }
        Event::MatchRequestFulfilled { .. } => fixed(
            "Your match request is fulfilled",
            "Your match request has come to what it was for, and is closed. You can make a new one at any time.",
        ),
        Event::CandidateUnavailable { replaced, .. } => fixed(
            "A candidate is no longer available",
            if *replaced {
                "A support worker whom you invited is not available. You can now see another candidate instead."
            } else {
                "A support worker whom you invited is not available."
            },
        ),
        Event::QuestionAsked { .. } => fixed(
            "A candidate has a question",
            "A support worker whom you invited would like to know something before they answer. You can reply without giving your name.",
        ),
        Event::QuestionAnswered { .. } => fixed(
            "Your question was answered",
            "What you asked about an invitation has been answered. You can read it with the invitation.",
        ),
        Event::Invited { .. } => fixed(
            "You are invited",
            "A client would like you to support them. Please look at what they ask for, and accept or decline in time.",
        ),
        Event::InvitationLapsed { .. } => fixed(
            "An invitation has lapsed",
            "An invitation was not answered in time and has lapsed.",
        ),
        Event::InvitationWithdrawn { .. } => fixed(
            "An invitation was withdrawn",
            "An invitation that waited for your answer has been withdrawn. There is nothing you need to do.",
        ),
        Event::Engagement {
            happening, visit, ..
        } => engagement::text(context, *happening, *visit).await?,
        Event::CoverOffered { .. } => fixed(
            "Could you come to a visit?",
            "A client needs somebody to come to a visit whose support worker cannot. The first who can come is the one, once the client agrees. You can see when and where in the app.",
        ),
        Event::CoverNotNeeded { .. } => fixed(
            "You are not needed for a visit",
            "Thank you for being ready to come to a visit. You are not needed for it any more; the time is yours again.",
        ),
        Event::LeaveHitsVisits { .. } => fixed(
            "You have visits on days when you are away",
            "Visits are booked on days that you have marked as away. They stand until another time is accepted or somebody else comes. In the app you can propose another time, or ask for somebody else to come.",
        ),
        Event::ReportMade { .. } => fixed(
            "A safety report came in",
            "A safety report came in and waits for you. Please look at it at once.",
        ),
        Event::ReportOverdue { .. } => fixed(
            "A safety report is overdue",
            "A safety report was not dealt with in time. Please look at it at once.",
        ),
        Event::DoneForClient { operation, .. } | Event::DoneForWorker { operation, .. } => text(
            "Done for you, as you told us",
            format!(
                "Our staff did something on your spoken instruction: {}. If you did not ask for this, please contact us at once.",
                operation.replace('_', " ")
            ),
        ),
        Event::AlertRaised { alert } => text(
            "Something cannot wait",
            format!(
                "Whoever is on call is being told. What it is: {}/alerts/{alert}",
                context.deployment.app_url
            ),
        ),
        Event::OnCall { alert, .. } => text(
            "You are on call, and something cannot wait",
            format!(
                "Please say that you look after it, or the next on call is told: {}/alerts/{alert}",
                context.deployment.app_url
            ),
        ),
        Event::AlertUnanswered { alert } => text(
            "Nobody on call has answered",
            format!(
                "Something cannot wait, and nobody on call has answered. Whoever can, please look after it: {}/alerts/{alert}",
                context.deployment.app_url
            ),
        ),
        Event::TicketAssigned { ticket, .. } => text(
            "A ticket was given to you",
            format!(
                "A ticket was given to you: {}/tickets/{ticket}",
                context.deployment.app_url
            ),
        ),
    })
}

/// A mail's whole text.
#[must_use]
pub fn letter(context: &Context, reader: &Person, body: &str) -> String {
    format!(
        "Dear {},\n\n{body}\n\n{}\n",
        reader.name.given, context.deployment.organisation
    )
}

/// Those of `people` whom the event concerns.
pub(super) async fn concerned(
    context: &Context,
    event: &Event,
    people: Vec<Person>,
) -> Result<Vec<Person>, StoreError> {
    let mut concerned = Vec::with_capacity(people.len());
    for person in people {
        if concerns(context, event, &person).await? {
            concerned.push(person);
        }
    }
    Ok(concerned)
}

/// Whether the reader still stands in the relationship that the event is about.
async fn concerns(context: &Context, event: &Event, reader: &Person) -> Result<bool, StoreError> {
    match event {
        Event::MembershipAssigned { client }
        | Event::MatchRequestSubmitted { client, .. }
        | Event::MatchRequestWithdrawn { client, .. }
        | Event::MatchRequestFulfilled { client, .. }
        | Event::CandidatesReleased { client, .. }
        | Event::CandidateUnavailable { client, .. }
        | Event::QuestionAsked { client, .. } => {
            stands_for(context, *client, Scope::MatchRequests, reader).await
        }
        Event::DoneForClient { client, scope, .. } => {
            stands_for(context, *client, *scope, reader).await
        }
        // A support worker hears of it as one of the two; everybody else only while they stand for the client.
        Event::Engagement { client, worker, .. } => Ok(reader.roles.workers.contains(worker)
            || stands_for(context, *client, Scope::Engagements, reader).await?),
        // Staff whom it is about learn nothing of it.
        Event::ReportMade { report } | Event::ReportOverdue { report } => {
            let report = context.store.get::<Report>(&Key::report(*report)).await?;
            Ok(report.is_some_and(|Versioned { value, .. }| {
                access::over_both(reader, value.client, value.worker, Duty::Safety).is_ok()
            }))
        }
        Event::WorkerSubmitted { worker }
        | Event::WorkerActivated { worker }
        | Event::WorkerSuspended { worker }
        | Event::WorkerReinstated { worker }
        | Event::CheckVerified { worker, .. }
        | Event::CheckExpiring { worker, .. }
        | Event::CheckExpired { worker, .. }
        | Event::CheckRevoked { worker, .. }
        | Event::IntroductionApproved { worker }
        | Event::QuestionAnswered { worker, .. }
        | Event::Invited { worker, .. }
        | Event::InvitationLapsed { worker, .. }
        | Event::InvitationWithdrawn { worker, .. }
        | Event::CoverOffered { worker, .. }
        | Event::CoverNotNeeded { worker, .. }
        | Event::LeaveHitsVisits { worker }
        | Event::DoneForWorker { worker, .. } => Ok(reader.roles.workers.contains(worker)),
        Event::AlertRaised { .. } | Event::OnCall { .. } | Event::AlertUnanswered { .. } => {
            Ok(access::staff(reader, Duty::Alerts).is_ok())
        }
        // It may have been given to somebody else since.
        Event::TicketAssigned { ticket, .. } => {
            let ticket = context.store.get::<Ticket>(&Key::ticket(*ticket)).await?;
            let still_theirs =
                ticket.is_some_and(|ticket| ticket.value.assignee == Some(reader.id));
            Ok(still_theirs && !reader.roles.staff.is_empty())
        }
        // These say nothing but that something happened to the reader's own account or authority.
        Event::ActivationLink { .. }
        | Event::AccountActivated { .. }
        | Event::AccountCorrected { .. }
        | Event::AuthorityVerified { .. }
        | Event::AuthorityRevoked { .. } => Ok(true),
    }
}

async fn stands_for(
    context: &Context,
    client: ClientId,
    scope: Scope,
    reader: &Person,
) -> Result<bool, StoreError> {
    if reader.roles.clients.contains(&client) {
        return Ok(true);
    }
    let held = context
        .store
        .get::<Authority>(&Key::authority(client, reader.id))
        .await?;
    Ok(held.is_some_and(|held| held.value.permits(scope, context.now())))
}

fn activation(context: &Context, reader: &Person, generation: u32) -> Option<Text> {
    let current = reader.activation.as_ref()?;
    if current.generation != generation
        || current.used_at.is_some()
        || current.expires_at <= context.now()
    {
        return None;
    }
    let token = context
        .key
        .links(LinkPurpose::Activation)
        .token(reader.id, generation);
    let url = &context.deployment.app_url;
    Some(Text {
        subject: "Please activate your account".to_owned(),
        // In the fragment: it never reaches a server's log.
        body: format!(
            "To activate your account, open this link and sign in. It works once, until {}.\n\n{url}/activate#{token}",
            current.expires_at.format("%-d %B %Y, %H:%M UTC"),
        ),
    })
}

/// Promises candidates only where some are shown.
async fn released(
    context: &Context,
    match_request: MatchRequestId,
) -> Result<Option<Text>, StoreError> {
    let list = context
        .store
        .get::<CandidateList>(&Key::candidate_list(match_request))
        .await?;
    let Some(released) = list.and_then(|list| list.value.released) else {
        return Ok(None);
    };
    let url = format!("{}/candidates", context.deployment.app_url);
    let (subject, body) = if released.candidates.is_empty() {
        (
            "About your match request",
            format!(
                "We have not found a support worker who meets everything that you asked for. Our staff know, and will be in touch. What stands in the way, as far as we can say: {url}"
            ),
        )
    } else {
        (
            "Your candidates are ready",
            format!("You can now look at the support workers who suit your match request: {url}"),
        )
    };
    Ok(Some(Text {
        subject: subject.to_owned(),
        body,
    }))
}

fn about_check(subject: &str, check: CheckKind, rest: &str) -> Option<Text> {
    let label = check.label();
    Some(Text {
        subject: format!("{label} {subject}"),
        body: format!("Your check \u{201c}{label}\u{201d} {rest}"),
    })
}
