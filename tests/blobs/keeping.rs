//! Blobs are kept, listed and forgotten.

use platform::blobs::{BlobError, BlobName, Blobs, MAX_BLOB_BYTES, MAX_LISTED};

use crate::places::in_every_place;

fn name(text: &str) -> BlobName {
    text.parse().unwrap()
}

async fn names(blobs: &dyn Blobs, prefix: &str, after: Option<&str>) -> Vec<String> {
    let after = after.map(name);
    let listed = blobs.list(prefix, after.as_ref()).await.unwrap();
    listed.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_blob_is_kept_and_forgotten_however_often() {
    in_every_place(async |place| {
        let blobs = place.blobs;
        let stored = BlobName::for_contents("shards/841e8c7ffffffff", b"segment\x00\xff").unwrap();
        assert_eq!(blobs.get(&stored).await.unwrap(), None);
        for _ in 0..2 {
            let bytes = b"segment\x00\xff".to_vec();
            blobs.put(&stored, bytes).await.unwrap();
        }
        assert!(stored.matches(&blobs.get(&stored).await.unwrap().unwrap()));
        assert_eq!(names(&*blobs, "", None).await, [stored.as_str()]);
        blobs.delete(&stored).await.unwrap();
        blobs.delete(&stored).await.unwrap();
        assert_eq!(blobs.get(&stored).await.unwrap(), None);
        assert!(names(&*blobs, "", None).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_damaged_is_healed_and_what_is_empty_is_kept() {
    in_every_place(async |place| {
        let blobs = place.blobs;
        let stored = BlobName::for_contents("shards", b"segment").unwrap();
        blobs.put(&stored, b"seg".to_vec()).await.unwrap();
        assert!(!stored.matches(&blobs.get(&stored).await.unwrap().unwrap()));
        blobs.put(&stored, b"segment".to_vec()).await.unwrap();
        assert!(stored.matches(&blobs.get(&stored).await.unwrap().unwrap()));
        blobs.put(&name("empty"), Vec::new()).await.unwrap();
        assert_eq!(blobs.get(&name("empty")).await.unwrap(), Some(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn a_listing_is_sorted_by_bytes_filtered_and_resumed() {
    in_every_place(async |place| {
        let blobs = place.blobs;
        for text in ["b/2", "a/1", "b/1", "b/B", "b/a", "b-1", "b/10", "b.1"] {
            blobs.put(&name(text), text.into()).await.unwrap();
        }
        let all = ["a/1", "b-1", "b.1", "b/1", "b/10", "b/2", "b/B", "b/a"];
        assert_eq!(names(&*blobs, "", None).await, all);
        assert_eq!(names(&*blobs, "b/", None).await, all[3..]);
        assert_eq!(names(&*blobs, "b/", Some("b/10")).await, all[5..]);
        // What it goes on behind need not be there any more.
        assert_eq!(names(&*blobs, "b/", Some("b/11")).await, all[5..]);
        assert!(names(&*blobs, "c", None).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_long_listing_comes_in_parts() {
    in_every_place(async |place| {
        let blobs = place.blobs;
        let all: Vec<_> = (0..MAX_LISTED + 3)
            .map(|index| format!("n/{index:05}"))
            .collect();
        for text in &all {
            blobs.put(&name(text), vec![0]).await.unwrap();
        }
        let first = names(&*blobs, "n/", None).await;
        assert_eq!(first, all[..MAX_LISTED]);
        let rest = names(&*blobs, "n/", first.last().map(String::as_str)).await;
        assert_eq!(rest, all[MAX_LISTED..]);
    })
    .await;
}

#[tokio::test]
async fn a_large_blob_is_kept_and_one_too_large_is_refused() {
    in_every_place(async |place| {
        let blobs = place.blobs;
        let put = blobs.put(&name("a"), vec![0; MAX_BLOB_BYTES + 1]).await;
        assert!(matches!(put, Err(BlobError::TooLarge(_))));
        let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let stored = BlobName::for_contents("shards", &large).unwrap();
        blobs.put(&stored, large).await.unwrap();
        assert!(stored.matches(&blobs.get(&stored).await.unwrap().unwrap()));
    })
    .await;
}
