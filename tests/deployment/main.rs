//! The service as it is deployed: the template's own API, functions, queues, schedules, bucket and roles, on an emulator
//! of AWS. `tests/aws/deployment.sh` deploys it and runs this; without it there is nothing to look at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod clock;
mod deployed;
mod faults;
mod place;

use std::sync::Arc;

use deployed::Deployed;
use place::OnAws;

/// One story, for there is one deployment and one clock: the whole tour, and then what goes wrong.
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_tour_is_played_over_the_deployed_api() {
    let Some(deployed) = Deployed::from_environment().await else {
        println!("not run: RAPPORT_DEPLOYMENT names no deployment");
        return;
    };
    let deployed = Arc::new(deployed);
    deployed.publish_keys().await;
    deployed.seed().await;
    let place = Box::new(OnAws(deployed.clone()));
    rapport::tour::play_at(place).await.unwrap();
    faults::poison(&deployed).await;
    faults::duplicates(&deployed).await;
    faults::lost_schedules(&deployed).await;
}
