//! Match requests while the shard of their place is damaged.

use rapport_tests::indexed::melbourne;
use rapport_tests::people::modest_request;
use store::{Key, ShardPointer, Versioned};

use super::{Carlton, WORKERS};

impl Carlton {
    /// Damages the file of the current shard.
    async fn damage(&self) {
        let key = Key::shard_pointer(melbourne().cell());
        let found = self.world.context().store.get(&key).await.unwrap();
        let pointer: Versioned<ShardPointer> = found.unwrap();
        let file = self.world.blob_folder().join(pointer.value.blob);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes.reverse();
        std::fs::write(&file, bytes).unwrap();
    }
}

#[tokio::test]
async fn nobody_is_listed_from_a_damaged_shard_and_a_host_that_starts_replaces_it() {
    let carlton = Carlton::settle().await;
    carlton.damage().await;
    // This host has not opened it before: it has no other one to go on with.
    for _ in 0..2 {
        let refused = carlton.ask("ana", &modest_request()).await;
        refused.expect_problem(503, "unavailable");
    }
    let refused = carlton.ask("ana", &modest_request()).await;
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert_eq!(carlton.world.context().matcher.alarms(), 1);
    let path = format!("/v1/clients/{}/match-requests", carlton.client);
    let none = carlton.world.as_("ana").get(&path).await.expect(200);
    assert_eq!(none["items"].as_array().unwrap().len(), 0);

    let world = carlton.world.restart().await;
    let carlton = Carlton { world, ..carlton };
    let request = carlton.submitted().await;
    let preview = carlton.preview(&request).await;
    assert_eq!(preview["considered"], WORKERS);
    assert_eq!(carlton.world.context().matcher.alarms(), 0);
}
