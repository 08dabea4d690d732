//! The deployment as a place where the tour can be played.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use platform::BoxFuture;
use rapport::tour::{Place, PlaceError, SentMail};
use serde::Deserialize;

use crate::deployed::Deployed;

pub(crate) struct OnAws(pub(crate) Arc<Deployed>);

/// What the emulator keeps of mails, by account.
#[derive(Debug, Deserialize)]
struct Kept {
    messages: BTreeMap<String, Vec<KeptMail>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeptMail {
    to: Vec<String>,
    subject: String,
    body_text: String,
}

impl Place for OnAws {
    fn api(&self) -> String {
        self.0.api.clone()
    }

    fn now(&self) -> DateTime<Utc> {
        self.0.context.now()
    }

    fn token<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<String, PlaceError>> {
        let token = self.0.token(subject).map_err(PlaceError::of);
        Box::pin(std::future::ready(token))
    }

    fn advance(&self, by: TimeDelta) -> BoxFuture<'_, Result<(), PlaceError>> {
        Box::pin(async move { self.0.advance(by).await.map_err(PlaceError) })
    }

    fn mails(&self) -> BoxFuture<'_, Result<Vec<SentMail>, PlaceError>> {
        let kept = format!("{}/_ministack/ses/messages", self.0.endpoint);
        Box::pin(async move {
            let answer = self.0.http.get(kept).send().await.map_err(PlaceError::of)?;
            let kept: Kept = answer.json().await.map_err(PlaceError::of)?;
            let mails = kept.messages.into_values().flatten();
            Ok(mails.map(KeptMail::sent).collect())
        })
    }

    /// On AWS a mail that comes back goes onto SES's own list of addresses that are not written to.
    fn bounce<'a>(&'a self, _: &'a SentMail) -> BoxFuture<'a, Result<bool, PlaceError>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl KeptMail {
    fn sent(self) -> SentMail {
        SentMail {
            message_id: String::new(),
            to: self.to.join(", "),
            text: format!("Subject: {}\n\n{}", self.subject, self.body_text),
        }
    }
}
