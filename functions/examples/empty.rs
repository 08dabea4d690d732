//! A function that does nothing, built as the others are: what their starts are held against.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = service_fn(async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload));
    runtime.block_on(lambda_runtime::run(answer))
}
