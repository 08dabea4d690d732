//! Blobs over HTTP for whoever holds a link: what the bucket's pre-signed addresses are on AWS.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use functions::problem::Problem;
use platform::blobs::{BlobLinkKey, Blobs, FolderBlobs, MAX_BLOB_BYTES, Upload};
use platform::clock::SharedClock;

/// What these routes work with.
#[derive(Clone)]
pub struct Desk {
    /// The blobs.
    pub blobs: Arc<FolderBlobs>,
    /// Whose tokens are good.
    pub key: BlobLinkKey,
    /// What time it is.
    pub clock: SharedClock,
}

/// `PUT` and `GET /blobs/{token}`. The token is the permission: nobody has to sign in.
pub fn router(desk: Desk) -> Router {
    let by_token = put(take).get(give).fallback(|| async { refused() });
    Router::new()
        .route("/blobs/{token}", by_token)
        .route_layer(map_response(harmless))
        .with_state(desk)
}

/// What somebody has uploaded is saved, not shown in the service's name; if it is shown all the same,
/// it can do nothing. Nobody on the way keeps it.
const HARMLESS: [(HeaderName, HeaderValue); 3] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox"),
    ),
    (
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    ),
];

async fn harmless(mut answer: Response) -> Response {
    answer.headers_mut().extend(HARMLESS);
    answer
}

async fn take(State(desk): State<Desk>, request: Request) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let (name, upload) = desk
        .key
        .upload(token(&parts.uri), desk.clock.now())
        .map_err(|_| refused())?;
    must_be_as_signed(&parts.headers, &upload)?;
    let bytes = read(body, &upload).await?;
    if desk.blobs.put_new(&name, bytes).await? {
        Ok(StatusCode::CREATED)
    } else {
        let detail = "Something has been uploaded by this link; it stays as it is";
        Err(Problem::wrong_state("blob-already-there", detail))
    }
}

async fn give(State(desk): State<Desk>, uri: Uri) -> Result<Response, Problem> {
    let (name, as_file) = desk
        .key
        .download(token(&uri), desk.clock.now())
        .map_err(|_| refused())?;
    let bytes = desk.blobs.get(&name).await?;
    let bytes = bytes.ok_or_else(Problem::not_found)?;
    let headers = [
        (
            header::CONTENT_TYPE,
            as_file.media_type.media_type().to_owned(),
        ),
        (header::CONTENT_DISPOSITION, as_file.disposition()),
    ];
    Ok((headers, bytes).into_response())
}

/// The token as it came: it has one spelling, and is no token in any other.
fn token(uri: &Uri) -> &str {
    uri.path().strip_prefix("/blobs/").unwrap_or_default()
}

/// The headers, before a byte of the body is read.
fn must_be_as_signed(headers: &HeaderMap, upload: &Upload) -> Result<(), Problem> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let media_type = upload.media_type.media_type();
    if text(header::CONTENT_TYPE) != Some(media_type) {
        let title = "This link is for a file of another type";
        return Err(
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "blob-other-type", title)
                .detail(format!("Content-Type: {media_type} is needed")),
        );
    }
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    must_be_as_long(length, upload)
}

/// Reads the body, and never more of it than was signed.
async fn read(body: Body, upload: &Upload) -> Result<Vec<u8>, Problem> {
    let most = usize::try_from(upload.bytes).unwrap_or(MAX_BLOB_BYTES);
    let bytes = axum::body::to_bytes(body, most)
        .await
        .map_err(|_| too_large(upload))?;
    must_be_as_long(u64::try_from(bytes.len()).ok(), upload)?;
    Ok(bytes.into())
}

fn must_be_as_long(length: Option<u64>, upload: &Upload) -> Result<(), Problem> {
    match length {
        None => {
            let title = "The length of the file is needed beforehand";
            Err(
                Problem::new(StatusCode::LENGTH_REQUIRED, "blob-length-needed", title)
                    .detail(format!("Content-Length: {} is needed", upload.bytes)),
            )
        }
        Some(length) if length > upload.bytes => Err(too_large(upload)),
        Some(length) if length < upload.bytes => {
            let title = "This link is for a larger file";
            Err(
                Problem::new(StatusCode::BAD_REQUEST, "blob-too-small", title)
                    .detail(exactly(upload)),
            )
        }
        Some(_) => Ok(()),
    }
}

fn too_large(upload: &Upload) -> Problem {
    let title = "This link is for a smaller file";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "blob-too-large", title).detail(exactly(upload))
}

fn exactly(upload: &Upload) -> String {
    format!("exactly {} bytes are taken", upload.bytes)
}

/// Forged, expired, or made for the other method: all alike.
fn refused() -> Problem {
    let title = "This link cannot be followed, or not any more";
    Problem::new(StatusCode::FORBIDDEN, "blob-link-refused", title)
        .detail("A link lives 15 minutes: ask for a new one")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::attachment::MediaType;
    use platform::blobs::{BlobName, Download, Link};
    use platform::clock::ManualClock;
    use platform::keys::DeploymentKey;
    use tower::ServiceExt;

    use super::*;

    struct Served {
        _folder: tempfile::TempDir,
        desk: Desk,
    }

    fn served() -> Served {
        let folder = tempfile::tempdir().unwrap();
        let key = DeploymentKey::from_bytes(&[7; 32]).blob_links();
        let start = DateTime::from_timestamp(1_795_300_000, 0).unwrap();
        let blobs = FolderBlobs::open(folder.path()).unwrap();
        let desk = Desk {
            blobs: Arc::new(blobs.with_links("", key.clone())),
            key,
            clock: Arc::new(ManualClock::new(start)),
        };
        Served {
            _folder: folder,
            desk,
        }
    }

    fn name() -> BlobName {
        "attachments/eng_1/att_1".parse().unwrap()
    }

    impl Served {
        /// A link for five bytes of text.
        async fn upload(&self) -> Link {
            let upload = Upload {
                media_type: MediaType::Text,
                bytes: 5,
            };
            let now = self.desk.clock.now();
            let (blobs, name) = (&self.desk.blobs, name());
            blobs.upload_link(&name, &upload, now).await.unwrap()
        }

        async fn download(&self) -> Link {
            let as_file = Download {
                media_type: MediaType::Text,
                file_name: "a.txt".into(),
            };
            let now = self.desk.clock.now();
            let (blobs, name) = (&self.desk.blobs, name());
            blobs.download_link(&name, &as_file, now).await.unwrap()
        }

        async fn ask(
            &self,
            method: &str,
            url: &str,
            headers: &[(&str, &str)],
            body: Body,
        ) -> StatusCode {
            let request = Request::builder().method(method).uri(url);
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.header(*name, *value)
            });
            let router = router(self.desk.clone());
            let answer = router.oneshot(request.body(body).unwrap()).await.unwrap();
            for (name, value) in HARMLESS {
                assert_eq!(answer.headers().get(name), Some(&value));
            }
            answer.status()
        }
    }

    #[tokio::test]
    async fn only_what_was_signed_is_taken() {
        let served = served();
        let link = served.upload().await;
        let text = ("content-type", "text/plain");
        let five = ("content-length", "5");
        // What a header says and what comes can differ where no server reads the request.
        for (headers, body, status) in [
            (vec![five], "hello", 415),
            (vec![("content-type", "text/html"), five], "hello", 415),
            (
                vec![("content-type", "text/plain; charset=utf-8"), five],
                "hello",
                415,
            ),
            (vec![text], "hello", 411),
            (vec![text, ("content-length", "five")], "hello", 411),
            (vec![text, ("content-length", "6")], "hello!", 413),
            (vec![text, five], "hello!", 413),
            (vec![text, ("content-length", "4")], "hell", 400),
            (vec![text, five], "hell", 400),
            (vec![text, five], "", 400),
        ] {
            let answered = served.ask("PUT", &link.url, &headers, body.into()).await;
            assert_eq!(answered, status, "{headers:?} {body}");
            let kept = served.desk.blobs.get(&name()).await.unwrap();
            assert_eq!(kept, None, "{headers:?} {body}");
        }
        let headers: Vec<_> = link
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answered = served.ask("PUT", &link.url, &headers, "hello".into());
        assert_eq!(answered.await, StatusCode::CREATED);
        let answered = served.ask("PUT", &link.url, &headers, "other".into());
        assert_eq!(answered.await, StatusCode::CONFLICT);
        let kept = served.desk.blobs.get(&name()).await.unwrap();
        assert_eq!(kept, Some(b"hello".to_vec()));
    }

    #[tokio::test]
    async fn a_link_is_good_for_its_own_method_and_spelling() {
        let served = served();
        let (upload, download) = (served.upload().await, served.download().await);
        assert_eq!(
            served.ask("GET", &download.url, &[], Body::empty()).await,
            StatusCode::NOT_FOUND
        );
        let encoded = download.url.replace('.', "%2E");
        let garbled = format!("{}%ff", download.url);
        for (method, url) in [
            ("GET", &upload.url),
            ("HEAD", &upload.url),
            ("PUT", &download.url),
            ("POST", &upload.url),
            ("DELETE", &upload.url),
            ("GET", &encoded),
            ("GET", &garbled),
        ] {
            let answered = served.ask(method, url, &[], Body::empty()).await;
            assert_eq!(answered, StatusCode::FORBIDDEN, "{method} {url}");
        }
    }
}
