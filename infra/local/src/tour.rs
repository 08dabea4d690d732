//! The tour: the story of the service, played through the HTTP API on a server, data and clock of its
//! own. Every step is asked by the right person, shown, and held against what it should be.

#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value gives null where it holds nothing, and takes what is put into an object"
)]

mod candidate;
mod engagement;
mod few;
mod import;
mod living;
mod matching;
mod place;
mod safety;
mod script;
mod signup;
mod stage;
mod visit;
mod worker;

pub use place::{BEGINS, Place, PlaceError, SentMail};
pub use stage::TourError;

use crate::instruments::Bench;
use stage::Stage;

/// Plays the whole story on a local host of its own, and prints it.
///
/// # Errors
/// At the first step that is not what it should be.
pub async fn play() -> Result<(), TourError> {
    play_on(Stage::on_a_local_host(Bench::default()).await?).await
}

/// Plays the whole story on a local host with instruments, and prints nothing.
///
/// # Errors
/// At the first step that is not what it should be.
pub async fn measure(bench: Bench) -> Result<(), TourError> {
    play_on(Stage::on_a_local_host(bench).await?).await
}

/// Plays the whole story at a place that has the sample community, and nothing else yet.
///
/// # Errors
/// At the first step that is not what it should be.
pub async fn play_at(place: Box<dyn Place>) -> Result<(), TourError> {
    play_on(Stage::at(place, Bench::default()).await?).await
}

async fn play_on(mut stage: Stage) -> Result<(), TourError> {
    let people = signup::play(&mut stage).await?;
    import::play(&mut stage).await?;
    let mira = worker::play(&mut stage).await?;
    let request = matching::play(&mut stage, &people, &mira).await?;
    few::play(&mut stage, &people).await?;
    let engaged = candidate::play(&mut stage, &people, &request).await?;
    engagement::play(&mut stage, &people, &engaged).await?;
    visit::play(&mut stage, &people, &engaged, &request).await?;
    living::play(&mut stage, &people, &engaged).await?;
    safety::play(&mut stage, &people, &engaged).await?;
    stage.close().await;
    Ok(())
}
