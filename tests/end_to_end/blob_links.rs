//! Files go up and down by links that allow one file each, for a while, and need no token.

use chrono::TimeDelta;
use domain::attachment::{MAX_ATTACHMENT_BYTES, MediaType};
use platform::blobs::{BlobName, Blobs, Download, FolderBlobs, Link, Upload};
use platform::keys::DeploymentKey;
use rapport_tests::answer::Answer;
use rapport_tests::world::World;
use reqwest::Method;

use crate::all_at_once;

/// No UTF-8, so that a body that is read as text on the way would not come back as it went.
const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00 a plan";

fn name(number: u8) -> BlobName {
    format!("attachments/eng_1/att_{number}").parse().unwrap()
}

async fn upload_link(world: &World, number: u8, media_type: MediaType, bytes: usize) -> Link {
    let bytes = u64::try_from(bytes).unwrap();
    let (name, upload) = (name(number), Upload { media_type, bytes });
    let blobs = &world.context().blobs;
    let link = blobs.upload_link(&name, &upload, world.now()).await;
    link.unwrap()
}

async fn download_link(world: &World, number: u8, media_type: MediaType, file: &str) -> Link {
    let as_file = Download {
        media_type,
        file_name: file.to_owned(),
    };
    let (name, blobs) = (name(number), &world.context().blobs);
    let link = blobs.download_link(&name, &as_file, world.now()).await;
    link.unwrap()
}

/// A link that another deployment hands out.
async fn foreign_link(world: &World) -> Link {
    let folder = tempfile::tempdir().unwrap();
    let key = DeploymentKey::from_bytes(&[8; 32]).blob_links();
    let blobs = FolderBlobs::open(folder.path()).unwrap();
    let blobs = blobs.with_links(world.url(), key);
    let as_file = Download {
        media_type: MediaType::Pdf,
        file_name: "a.pdf".to_owned(),
    };
    let link = blobs.download_link(&name(1), &as_file, world.now()).await;
    link.unwrap()
}

fn path(link: &Link) -> &str {
    &link.url[link.url.find("/blobs/").unwrap()..]
}

/// Puts what a client with this content type and body would.
async fn put(world: &World, link: &Link, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let body = body.into();
    let nobody = world.nobody();
    let ask = nobody.ask(Method::PUT, path(link), |request| {
        request.header("content-type", content_type).body(body)
    });
    ask.await
}

#[tokio::test]
async fn a_file_goes_up_once_and_comes_down_as_it_was() {
    let world = World::start().await;
    let http = reqwest::Client::new();
    let up = upload_link(&world, 1, MediaType::Pdf, PDF.len()).await;
    assert_eq!(up.method, "PUT");
    assert_eq!(up.expires_at, world.now() + TimeDelta::minutes(15));
    // The link and nothing else, as an app follows it.
    let put_again = || {
        let request = http.put(&up.url).body(PDF);
        let headers = up.headers.iter();
        headers
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            })
            .send()
    };
    assert_eq!(put_again().await.unwrap().status(), 201);
    assert_eq!(put_again().await.unwrap().status(), 409);
    let other = vec![b'x'; PDF.len()];
    let refused = put(&world, &up, "application/pdf", other).await;
    refused.expect_problem(409, "blob-already-there");

    let file = "Übersicht \"1\"; 2.pdf";
    let down = download_link(&world, 1, MediaType::Pdf, file).await;
    assert_eq!((down.method, down.headers.len()), ("GET", 0));
    let answer = http.get(&down.url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for (header, value) in [
        ("content-type", "application/pdf"),
        (
            "content-disposition",
            "attachment; filename*=UTF-8''%C3%9Cbersicht%20%221%22%3B%202.pdf",
        ),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-store"),
        ("content-security-policy", "sandbox"),
        ("content-length", &PDF.len().to_string()),
    ] {
        assert_eq!(answer.headers()[header], value, "{header}");
    }
    assert_eq!(answer.bytes().await.unwrap(), PDF);

    // What was uploaded outlives the process.
    let world = world.restart().await;
    let down = download_link(&world, 1, MediaType::Pdf, file).await;
    let answer = http.get(&down.url).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), PDF);
    let nothing = download_link(&world, 2, MediaType::Pdf, file).await;
    let absent = world.nobody().get(path(&nothing)).await;
    absent.expect_problem(404, "not-found");
}

#[tokio::test]
async fn of_many_at_the_same_time_one_goes_up() {
    let world = World::start().await;
    let up = upload_link(&world, 1, MediaType::Text, 1_000).await;
    let puts = (b'a'..=b'h').map(|letter| put(&world, &up, "text/plain", vec![letter; 1_000]));
    let answers = all_at_once(puts).await;
    let statuses = answers.iter().map(Answer::status);
    let winners: Vec<_> = (b'a'..=b'h')
        .zip(statuses)
        .filter(|(_, status)| *status == 201)
        .collect();
    assert_eq!(winners.len(), 1);
    let lost = answers.iter().filter(|answer| answer.status() == 409);
    assert_eq!(lost.count(), 7);
    let down = download_link(&world, 1, MediaType::Text, "a.txt").await;
    let kept = world.nobody().get(path(&down)).await.expect(200);
    let winner = char::from(winners[0].0).to_string();
    assert_eq!(kept.text(), winner.repeat(1_000));
}

#[tokio::test]
async fn what_was_not_signed_does_not_go_up() {
    let world = World::start().await;
    let up = upload_link(&world, 1, MediaType::Pdf, PDF.len()).await;
    let (longer, shorter) = ([PDF, b"x"].concat(), &PDF[1..]);
    for (content_type, body, status, kind) in [
        ("image/png", PDF, 415, "blob-other-type"),
        ("text/html", PDF, 415, "blob-other-type"),
        ("application/pdf; x=y", PDF, 415, "blob-other-type"),
        ("application/pdf", longer.as_slice(), 413, "blob-too-large"),
        ("application/pdf", shorter, 400, "blob-too-small"),
        // An empty body is sent without a length.
        ("application/pdf", b"".as_slice(), 411, "blob-length-needed"),
    ] {
        let refused = put(&world, &up, content_type, body).await;
        let refused = refused.expect_problem(status, kind);
        assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
    }
    let kept = world.context().blobs.get(&name(1)).await.unwrap();
    assert_eq!(kept, None);
    // None of it used the link up.
    put(&world, &up, "application/pdf", PDF).await.expect(201);
}

#[tokio::test]
async fn the_largest_attachment_goes_up_and_down() {
    let world = World::start().await;
    let most = usize::try_from(MAX_ATTACHMENT_BYTES).unwrap();
    let up = upload_link(&world, 1, MediaType::Text, most).await;
    let text = "0123456789abcdef".repeat(most / 16);
    put(&world, &up, "text/plain", text.as_str())
        .await
        .expect(201);
    let down = download_link(&world, 1, MediaType::Text, "a.txt").await;
    let kept = world.nobody().get(path(&down)).await.expect(200);
    assert!(kept.text() == text);
}

#[tokio::test]
async fn a_link_lives_fifteen_minutes() {
    let world = World::start().await;
    let up = upload_link(&world, 1, MediaType::Pdf, PDF.len()).await;
    let late = upload_link(&world, 2, MediaType::Pdf, PDF.len()).await;
    let down = download_link(&world, 1, MediaType::Pdf, "a.pdf").await;
    world.advance_by(TimeDelta::seconds(15 * 60 - 1)).await;
    put(&world, &up, "application/pdf", PDF).await.expect(201);
    world.nobody().get(path(&down)).await.expect(200);
    world.advance_by(TimeDelta::seconds(1)).await;
    assert_eq!(world.now(), down.expires_at);

    // Expired, forged, from elsewhere, for the other method: the answer does not tell which.
    let expired = world.nobody().get(path(&down)).await;
    let expired = expired.expect_problem(403, "blob-link-refused");
    let fresh = download_link(&world, 1, MediaType::Pdf, "a.pdf").await;
    let (said, mac) = path(&fresh).split_once('.').unwrap();
    let (_, other_mac) = path(&down).split_once('.').unwrap();
    let foreign = foreign_link(&world).await;
    for refused in [
        path(&down),
        path(&up),
        path(&late),
        path(&foreign),
        &format!("{said}.{other_mac}"),
        &format!("{said}."),
        &format!("{said}.{mac}="),
        "/blobs/x",
        "/blobs/%ff",
    ] {
        let answer = world.nobody().get(refused).await;
        assert_eq!(answer.status(), 403, "{refused}");
        assert_eq!(answer.text(), expired.text(), "{refused}");
    }
    for link in [&late, &fresh, &foreign] {
        let answer = put(&world, link, "application/pdf", PDF).await;
        assert_eq!(answer.status(), 403);
        assert_eq!(answer.text(), expired.text());
    }
    world.nobody().get(path(&fresh)).await.expect(200);
    let kept = world.context().blobs.get(&name(2)).await.unwrap();
    assert_eq!(kept, None);
}

#[tokio::test]
async fn links_are_no_part_of_the_api() {
    let world = World::start().await;
    let document = world.nobody().get("/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.keys().all(|path| !path.contains("blobs")));
    let unknown = world.nobody().get("/blobs").await;
    unknown.expect_problem(404, "not-found");
}
