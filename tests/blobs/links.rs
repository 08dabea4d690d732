//! Links allow one upload of an exact size and type, or one file to be saved, for a while.

use chrono::{DateTime, Utc};
use domain::attachment::MediaType;
use platform::blobs::{
    BlobError, BlobName, Blobs, Download, LINK_LIFETIME, Link, MAX_BLOB_BYTES, Upload,
};
use reqwest::{Response, StatusCode};

use crate::places::in_every_place;

const TEXT: &[u8] = b"a plan";

fn name() -> BlobName {
    "attachments/eng_1/att_1".parse().unwrap()
}

async fn upload(blobs: &dyn Blobs, now: DateTime<Utc>) -> Link {
    let upload = Upload {
        media_type: MediaType::Text,
        bytes: TEXT.len() as u64,
    };
    blobs.upload_link(&name(), &upload, now).await.unwrap()
}

async fn download(blobs: &dyn Blobs, now: DateTime<Utc>) -> Link {
    let as_file = Download {
        media_type: MediaType::Text,
        file_name: "Übersicht 1.txt".to_owned(),
    };
    blobs.download_link(&name(), &as_file, now).await.unwrap()
}

/// Follows a link as it stands, with this body.
async fn follow(link: &Link, body: &'static [u8]) -> Response {
    let request = reqwest::Client::new().request(link.method.parse().unwrap(), &link.url);
    let headers = link.headers.iter();
    let request = headers
        .filter(|(name, _)| name != "content-length")
        .fold(request, |request, (name, value)| {
            request.header(name, value)
        });
    request.body(body).send().await.unwrap()
}

#[tokio::test]
async fn what_is_uploaded_by_a_link_stays_and_comes_down_as_a_file() {
    in_every_place(async |place| {
        let blobs = &*place.blobs;
        let (up, down) = (
            upload(blobs, place.now()).await,
            download(blobs, place.now()).await,
        );
        assert_eq!((up.method, down.method), ("PUT", "GET"));
        assert_eq!(follow(&down, b"").await.status(), StatusCode::NOT_FOUND);
        assert!(follow(&up, TEXT).await.status().is_success());
        for body in [TEXT, b"others"] {
            assert_eq!(follow(&up, body).await.status().as_u16(), place.taken);
        }
        assert_eq!(blobs.get(&name()).await.unwrap().unwrap(), TEXT);

        let file = follow(&down, b"").await;
        assert_eq!(file.status(), StatusCode::OK);
        assert_eq!(file.headers()["content-type"], "text/plain");
        assert_eq!(
            file.headers()["content-disposition"],
            "attachment; filename*=UTF-8''%C3%9Cbersicht%201.txt"
        );
        assert_eq!(file.headers()["cache-control"], "private, no-store");
        assert_eq!(file.bytes().await.unwrap(), TEXT);
    })
    .await;
}

#[tokio::test]
async fn a_link_says_for_what_it_is_good_and_how_long() {
    in_every_place(async |place| {
        let now = place.now();
        let up = upload(&*place.blobs, now).await;
        let header = |name: &str| {
            let headers = up.headers.iter();
            headers
                .filter(|(header, _)| header == name)
                .map(|(_, value)| value.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(header("content-type"), ["text/plain"]);
        assert_eq!(header("content-length"), ["6"]);
        assert_eq!(up.expires_at.timestamp(), (now + LINK_LIFETIME).timestamp());
        let down = download(&*place.blobs, now).await;
        assert!(down.headers.is_empty());
        assert_eq!(down.expires_at, up.expires_at);
    })
    .await;
}

#[tokio::test]
async fn what_can_have_no_link_gets_none() {
    in_every_place(async |place| {
        let too_large = Upload {
            media_type: MediaType::Pdf,
            bytes: MAX_BLOB_BYTES as u64 + 1,
        };
        let (name, now) = (name(), place.now());
        let refused = place.blobs.upload_link(&name, &too_large, now);
        assert!(matches!(refused.await, Err(BlobError::TooLarge(_))));
        let no_file = Download {
            media_type: MediaType::Text,
            file_name: "a/b".to_owned(),
        };
        let refused = place.blobs.download_link(&name, &no_file, now);
        assert!(matches!(refused.await, Err(BlobError::NotAFileName)));
    })
    .await;
}

#[tokio::test]
async fn what_was_not_signed_is_refused() {
    in_every_place(async |place| {
        if !place.checks_links {
            println!("not here: this place takes every link");
            return;
        }
        let (blobs, now) = (&*place.blobs, place.now());
        let mut of_another_type = upload(blobs, now).await;
        for (name, value) in &mut of_another_type.headers {
            if name == "content-type" {
                "text/html".clone_into(value);
            }
        }
        let over = upload(blobs, now - LINK_LIFETIME).await;
        for (link, body) in [
            (of_another_type, TEXT),
            (over, TEXT),
            (upload(blobs, now).await, b"a plan!"),
            (upload(blobs, now).await, b"a pla"),
        ] {
            let answer = follow(&link, body).await;
            assert!(answer.status().is_client_error(), "{}", answer.status());
            assert_eq!(blobs.get(&name()).await.unwrap(), None);
        }
    })
    .await;
}
