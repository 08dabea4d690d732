//! Faults between the SDK and the table: refusals, lost answers, and the end of the process.

mod lagging;

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use self::lagging::{Indexes, call_of_index};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The table is asked too much and does nothing.
    Throttled,
    /// The table fails before it does anything.
    Failed,
    /// A write meets another transaction on the same items, and does nothing.
    Conflicted,
    /// The call is carried out, and its answer never arrives.
    AnswerLost,
    /// The call is carried out, in its own time.
    Slow,
    /// A query of an index is answered from before the last writes: what they added is missing, what they
    /// took away is there. Other calls are carried out.
    Lagging,
    /// The call is carried out at once, and its answer takes a moment.
    AnswerLate,
    /// The process ends before the call.
    CrashBefore,
    /// The process ends when the call has been carried out and nobody has heard of it.
    CrashAfter,
}

/// One call of the SDK.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The operation, e.g. `TransactWriteItems`.
    pub operation: &'a str,
    /// The request's body.
    pub body: &'a [u8],
}

/// Every call.
#[must_use]
pub fn any(_: &Call<'_>) -> bool {
    true
}

/// The calls that change the table.
#[must_use]
pub fn writes(call: &Call<'_>) -> bool {
    ["TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem"].contains(&call.operation)
}

type Choose = Box<dyn FnMut(Call<'_>) -> Option<Fault> + Send>;

/// Decides what goes wrong, and knows whether the process still lives.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    choose: Option<Choose>,
    indexes: Indexes,
    crashed: bool,
    calls: u64,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}

impl Faults {
    /// From now on, `choose` decides about each call.
    pub fn choose(&self, choose: impl FnMut(Call<'_>) -> Option<Fault> + Send + 'static) {
        self.state().choose = Some(Box::new(choose));
    }

    /// From now on, nothing goes wrong.
    pub fn stop(&self) {
        self.state().choose = None;
    }

    /// These faults happen to the next calls for which `applies` says so, one each.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>, applies: fn(&Call<'_>) -> bool) {
        let mut faults: Vec<Fault> = faults.into_iter().collect();
        faults.reverse();
        self.choose(move |call| if applies(&call) { faults.pop() } else { None });
    }

    /// How many calls reached the table or failed on the way.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Whether the process has ended.
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.state().crashed
    }

    /// A new process takes over.
    pub fn restart(&self) {
        self.state().crashed = false;
    }

    /// Runs `work` until it is done, or the process ends: then it is dropped where it stands, as if it
    /// had never been going to go on.
    pub async fn until_crash<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.crashed() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// The SDK over `http`, with these faults in between.
    #[must_use]
    pub fn under(&self, http: SharedHttpClient, endpoint: &str) -> DynamoDb {
        let faults = self.clone();
        let faulty = http_client_fn(move |settings, components| {
            SharedHttpConnector::new(Faulty {
                inner: http.http_connector(settings, components),
                faults: faults.clone(),
            })
        });
        rapport::embedded::sdk(faulty, endpoint)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chosen(&self, call: Call<'_>) -> Option<Fault> {
        let mut state = self.state();
        if state.crashed {
            return Some(Fault::CrashBefore);
        }
        state.calls += 1;
        state.indexes.write(&call);
        state.choose.as_mut().and_then(|choose| choose(call))
    }

    /// Nothing that waits for this goes on, as nothing of a process does that has ended.
    async fn crash(&self) -> Result<HttpResponse, ConnectorError> {
        self.state().crashed = true;
        std::future::pending().await
    }
}

#[derive(Debug)]
struct Faulty {
    inner: SharedHttpConnector,
    faults: Faults,
}

impl HttpConnector for Faulty {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (inner, faults) = (self.inner.clone(), self.faults.clone());
        forget_token(&mut request);
        HttpConnectorFuture::new(async move {
            give_way().await;
            let operation = operation(&request);
            let body = request.body().bytes().unwrap_or_default();
            let call = Call {
                operation: &operation,
                body,
            };
            match faults.chosen(call) {
                None => {
                    let asked = call_of_index(&call);
                    let Some(asked) = asked else {
                        return inner.call(request).await;
                    };
                    let answer = whole(inner.call(request).await?).await?;
                    faults.state().indexes.see(asked, &answer);
                    Ok(answer)
                }
                Some(Fault::Throttled) => Ok(refusal(400, "ThrottlingException")),
                Some(Fault::Failed) => Ok(refusal(500, "InternalServerError")),
                Some(Fault::Conflicted) => Ok(conflict(&call)),
                Some(Fault::AnswerLost) => {
                    drop(inner.call(request).await);
                    Err(ConnectorError::timeout("the answer was lost".into()))
                }
                Some(Fault::Slow) => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    inner.call(request).await
                }
                Some(Fault::Lagging) => {
                    let asked = call_of_index(&call);
                    let Some(asked) = asked else {
                        return inner.call(request).await;
                    };
                    let answer = whole(inner.call(request).await?).await?;
                    Ok(faults.state().indexes.behind(&asked, &answer))
                }
                Some(Fault::AnswerLate) => {
                    let answer = inner.call(request).await;
                    give_way().await;
                    answer
                }
                Some(Fault::CrashBefore) => faults.crash().await,
                Some(Fault::CrashAfter) => {
                    drop(inner.call(request).await);
                    faults.crash().await
                }
            }
        })
    }
}

/// An answer whose body has arrived.
async fn whole(answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let status = answer.status();
    let body = answer.into_body().collect().await;
    let body = body.map_err(ConnectorError::io)?;
    Ok(HttpResponse::new(status, SdkBody::from(body.to_bytes())))
}

fn operation(request: &HttpRequest) -> String {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let operation = target
        .rsplit_once('.')
        .map_or("", |(_, operation)| operation);
    operation.to_owned()
}

/// Nothing may rest on the table's own memory of a transaction, which lasts ten minutes only.
fn forget_token(request: &mut HttpRequest) {
    let body = request.body().bytes().unwrap_or_default();
    let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else {
        return;
    };
    if body.remove("ClientRequestToken").is_none() {
        return;
    }
    let body = Value::Object(body).to_string();
    let length = body.len().to_string();
    request.headers_mut().insert("content-length", length);
    *request.body_mut() = SdkBody::from(body);
}

/// Each call is a moment at which somebody else may go first.
pub async fn give_way() {
    let mut gave_way = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// An answer of the table's own making.
fn response(status: u16, body: &Value) -> HttpResponse {
    let status = StatusCode::try_from(status).unwrap();
    HttpResponse::new(status, SdkBody::from(body.to_string()))
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    response(status, &json!({"__type": kind, "message": "injected"}))
}

fn conflict(call: &Call<'_>) -> HttpResponse {
    if call.operation != "TransactWriteItems" {
        return refusal(400, "TransactionConflictException");
    }
    let body: Value = serde_json::from_slice(call.body).unwrap();
    let writes = body["TransactItems"].as_array().map_or(0, Vec::len);
    let reasons: Vec<Value> = (0..writes)
        .map(|write| json!({"Code": if write == 0 { "TransactionConflict" } else { "None" }}))
        .collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    response(
        400,
        &json!({"__type": kind, "message": "injected", "CancellationReasons": reasons}),
    )
}
