use super::*;
use crate::form::FormKey;
use crate::keys::DeploymentKey;

fn key() -> BlobLinkKey {
    DeploymentKey::from_bytes(&[7; 32]).blob_links()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_300_000_000).unwrap()
}

fn name() -> BlobName {
    "attachments/eng_1/att_1".parse().unwrap()
}

fn upload() -> Upload {
    Upload {
        media_type: MediaType::Pdf,
        bytes: 48_213,
    }
}

fn as_file(file_name: &str) -> Download {
    Download {
        media_type: MediaType::Text,
        file_name: file_name.to_owned(),
    }
}

fn maker(key: BlobLinkKey) -> LinkMaker {
    let base_url = "http://localhost:3000".to_owned();
    LinkMaker { base_url, key }
}

fn token_of(link: &Link) -> &str {
    link.url
        .strip_prefix("http://localhost:3000/blobs/")
        .unwrap()
}

fn put_token(key: BlobLinkKey) -> String {
    let link = maker(key).upload(&name(), &upload(), now()).unwrap();
    token_of(&link).to_owned()
}

fn get_token(key: BlobLinkKey) -> String {
    let as_file = as_file("a.txt");
    let link = maker(key).download(&name(), &as_file, now()).unwrap();
    token_of(&link).to_owned()
}

#[test]
fn a_link_says_how_it_is_followed() {
    let link = maker(key()).upload(&name(), &upload(), now()).unwrap();
    assert_eq!(
        (link.method, link.expires_at),
        ("PUT", now() + LINK_LIFETIME)
    );
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let size_and_type = [
        header("content-type", "application/pdf"),
        header("content-length", "48213"),
    ];
    assert_eq!(link.headers, size_and_type);
    assert_eq!(key().upload(token_of(&link), now()), Ok((name(), upload())));

    let as_file = as_file("a.txt");
    let link = maker(key()).download(&name(), &as_file, now()).unwrap();
    assert_eq!((link.method, link.headers.len()), ("GET", 0));
    assert_eq!(
        key().download(token_of(&link), now()),
        Ok((name(), as_file))
    );
}

#[test]
fn a_token_can_be_read_without_a_key() {
    let token = put_token(key());
    let (said, _) = token.split_once('.').unwrap();
    let json = URL_SAFE_NO_PAD.decode(said).unwrap();
    assert_eq!(
        String::from_utf8(json).unwrap(),
        r#"{"name":"attachments/eng_1/att_1","until":1795300900,"act":{"PUT":{"media_type":"pdf","bytes":48213}}}"#
    );
}

#[test]
fn a_link_ends_to_the_second() {
    let token = put_token(key());
    let end = now() + TimeDelta::minutes(15);
    for (clock, live) in [
        (now(), true),
        (end - TimeDelta::milliseconds(1), true),
        (end, false),
        (end + TimeDelta::days(365), false),
    ] {
        assert_eq!(key().upload(&token, clock).is_ok(), live, "{clock}");
    }
    let within = now() + TimeDelta::milliseconds(999);
    let link = maker(key()).upload(&name(), &upload(), within).unwrap();
    assert_eq!(link.expires_at, end);
}

#[test]
fn any_changed_character_is_refused() {
    for token in [put_token(key()), get_token(key())] {
        for position in 0..token.len() {
            for other in ['0', 'A', '_', '.', '='] {
                let mut changed: Vec<char> = token.chars().collect();
                if changed[position] == other {
                    continue;
                }
                changed[position] = other;
                let changed: String = changed.into_iter().collect();
                assert_eq!(key().read(&changed, now()), None, "{changed}");
            }
            let (cut, _) = token.split_at(position);
            assert_eq!(key().read(cut, now()), None, "{cut}");
        }
    }
}

#[test]
fn a_token_serves_one_act_of_one_deployment() {
    assert_eq!(key().download(&put_token(key()), now()), Err(BlobLinkError));
    assert_eq!(key().upload(&get_token(key()), now()), Err(BlobLinkError));

    let foreign = DeploymentKey::from_bytes(&[8; 32]).blob_links();
    let put = put_token(foreign.clone());
    assert_eq!(key().upload(&put, now()), Err(BlobLinkError));
    assert!(foreign.upload(&put, now()).is_ok());
    let FormKey(of_forms) = DeploymentKey::from_bytes(&[7; 32]).forms();
    let put = put_token(BlobLinkKey(of_forms));
    assert_eq!(key().upload(&put, now()), Err(BlobLinkError));

    // One token's statement under another one's mac.
    let (said, _) = put.split_once('.').unwrap();
    let get = get_token(key());
    let (_, mac) = get.split_once('.').unwrap();
    let mixed = format!("{said}.{mac}");
    assert_eq!(key().read(&mixed, now()), None);
    for garbage in ["", ".", "a.b", "é.é", &"a".repeat(5_000)] {
        assert_eq!(key().read(garbage, now()), None, "{garbage}");
    }
}

#[test]
fn the_longest_names_fit_and_longer_ones_get_no_link() {
    let longest: BlobName = "n".repeat(200).parse().unwrap();
    let file_name = "😀".repeat(120);
    let link = maker(key()).download(&longest, &as_file(&file_name), now());
    let link = link.unwrap();
    let (_, read) = key().download(token_of(&link), now()).unwrap();
    assert_eq!(read.file_name, file_name);

    for refused in [
        file_name + "x",
        "a/b".into(),
        "a\r\nb".into(),
        String::new(),
    ] {
        let refused = maker(key()).download(&name(), &as_file(&refused), now());
        assert!(matches!(refused, Err(BlobError::NotAFileName)));
    }
    let too_large = Upload {
        bytes: MAX_BLOB_BYTES as u64 + 1,
        ..upload()
    };
    let refused = maker(key()).upload(&name(), &too_large, now());
    assert!(matches!(refused, Err(BlobError::TooLarge(_))));
}

#[test]
fn a_file_name_stays_a_file_name_in_a_header() {
    for (name, written) in [
        ("care-plan_2.pdf", "care-plan_2.pdf"),
        ("a b.pdf", "a%20b.pdf"),
        ("Übersicht.txt", "%C3%9Cbersicht.txt"),
        ("\"; filename=x.exe", "%22%3B%20filename%3Dx.exe"),
        ("100%'*.txt", "100%25%27%2A.txt"),
    ] {
        assert_eq!(
            as_file(name).disposition(),
            format!("attachment; filename*=UTF-8''{written}")
        );
    }
}

#[test]
fn a_link_is_printed_without_its_address() {
    let link = maker(key()).upload(&name(), &upload(), now()).unwrap();
    let printed = format!("{link:?}");
    assert!(!printed.contains("blobs/") && printed.contains("PUT"));
}
