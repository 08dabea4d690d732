//! People whom an organisation brings along: a file that is looked through first, taken in, and sent again.

use super::script::Call;
use super::signup::ADA;
use super::stage::{Stage, TourError};

const CLIENTS: &str = include_str!("../../../../samples/import-clients.csv");

pub(super) async fn play(stage: &mut Stage) -> Result<(), TourError> {
    stage.chapter("People brought along in a file");
    let send = |path: &str, file: &str, status| {
        let call = Call::post(path, &serde_json::Value::Null).answered(status);
        call.sending("text/csv", file.as_bytes().to_vec())
            .showing(&["/rows", "/created", "/unchanged", "/failed", "/errors"])
    };
    let faulty = CLIENTS.replacen("@example.org", " at example.org", 1);
    stage
        .step(
            ADA,
            "has a file of clients looked through; nothing is stored",
            send("/v1/imports/clients?dry_run=true", &faulty, 200),
        )
        .await?;
    let taken = stage
        .step(
            ADA,
            "has it taken in, the fault corrected",
            send("/v1/imports/clients", CLIENTS, 201),
        )
        .await?;
    stage.check(taken.at("/failed") == "0", || "a row failed".into())?;
    let again = stage
        .step(
            ADA,
            "sends it once more, not sure that it worked: nobody comes twice",
            send("/v1/imports/clients", CLIENTS, 201),
        )
        .await?;
    stage.check(again.at("/created") == "0", || "somebody came twice".into())
}
