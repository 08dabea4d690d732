//! What every operation of the tour takes of the table, the queues, the bucket and the mail service is kept as a
//! snapshot: what grows is seen in review.

use std::path::Path;

use rapport_tests::cost::{of_the_tour, operations_table};

const RENEW: &str = "RAPPORT_RENEW";

#[tokio::test]
async fn no_operation_takes_more_or_less_than_it_did() {
    let kept_at = Path::new(env!("CARGO_MANIFEST_DIR")).join("cost/tour.txt");
    let now = operations_table(&of_the_tour().await.unwrap());
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(&kept_at, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&kept_at).unwrap_or_default();
    let mut differences = String::new();
    for line in kept
        .lines()
        .filter(|line| !now.lines().any(|other| other == *line))
    {
        differences += &format!("- {line}\n");
    }
    for line in now
        .lines()
        .filter(|line| !kept.lines().any(|other| other == *line))
    {
        differences += &format!("+ {line}\n");
    }
    assert!(
        kept == now,
        "the tour costs something else than tests/cost/tour.txt says:\n{differences}\
         where that is meant: {RENEW}=1 cargo test -p rapport-tests --test cost"
    );
}
