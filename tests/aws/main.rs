//! The adapters on AWS, against an emulator of it: where `RAPPORT_AWS` names its endpoint.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod dispatching;
mod mailing;
mod queues;

/// Runs `test` where there is an emulator.
async fn on_the_emulator(test: impl AsyncFn(aws_config::SdkConfig)) {
    let Ok(endpoint) = std::env::var("RAPPORT_AWS") else {
        println!("not run: RAPPORT_AWS names no endpoint");
        return;
    };
    println!("on the emulator at {endpoint}");
    test(rapport_tests::emulator::config(&endpoint).await).await;
}
