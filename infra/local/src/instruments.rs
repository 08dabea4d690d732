//! What can be put between the parts of a host, to measure what passes there.

use std::future::Future;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use platform::blobs::Blobs;
use platform::clock::SharedClock;
use platform::mail::Mail;

/// Stands between the functions and the outside world, and hands on what passes.
pub trait Instruments: Send + Sync {
    /// Between the SDK and the table.
    fn on_table(&self, http: SharedHttpClient, clock: SharedClock) -> SharedHttpClient;

    /// Before the place where blobs are kept.
    fn on_blobs(&self, blobs: Arc<dyn Blobs>) -> Arc<dyn Blobs>;

    /// Before the place where mail goes.
    fn on_mail(&self, mail: Arc<dyn Mail>) -> Arc<dyn Mail>;

    /// An operation begins: a request, as `GET /v1/clients/{client}`, or the delivery of a due row, as
    /// `expiry: offer-lapse`, or of as many rows as are taken together.
    fn begins(&self, operation: &str, times: usize);

    /// A story that is played comes to another chapter.
    fn chapter(&self, title: &str);
}

/// What a host is measured with; nothing, unless it says so.
#[derive(Clone, Default)]
pub struct Bench {
    /// What looks on.
    pub instruments: Option<Arc<dyn Instruments>>,
    /// Where ids come from. With a seed they are the same on every run, and due rows are dealt with only when that is
    /// asked for, so that everything happens in one order.
    pub seed: Option<u64>,
}

tokio::task_local! {
    static UNDER_WAY: Arc<str>;
}

/// The operation that the calling task is carrying out, while there are instruments.
#[must_use]
pub fn under_way() -> Option<Arc<str>> {
    UNDER_WAY.try_with(Arc::clone).ok()
}

impl Bench {
    /// Does `work`, which is what `operation` is, so many times.
    pub(crate) async fn during<F: Future>(
        &self,
        operation: String,
        times: usize,
        work: F,
    ) -> F::Output {
        match &self.instruments {
            None => work.await,
            Some(instruments) => {
                instruments.begins(&operation, times);
                UNDER_WAY.scope(operation.into(), work).await
            }
        }
    }

    pub(crate) fn on_blobs(&self, blobs: Arc<dyn Blobs>) -> Arc<dyn Blobs> {
        match &self.instruments {
            None => blobs,
            Some(instruments) => instruments.on_blobs(blobs),
        }
    }

    pub(crate) fn on_mail(&self, mail: Arc<dyn Mail>) -> Arc<dyn Mail> {
        match &self.instruments {
            None => mail,
            Some(instruments) => instruments.on_mail(mail),
        }
    }

    pub(crate) fn chapter(&self, title: &str) {
        if let Some(instruments) = &self.instruments {
            instruments.chapter(title);
        }
    }
}
