//! Files attached to what people write: what kinds, how large, under what names.

use serde::{Deserialize, Serialize};

use crate::id::AttachmentId;
use crate::invalid::Findings;
use crate::vocabulary::Vocabulary;

/// The largest attachment: 10 MiB.
pub const MAX_ATTACHMENT_BYTES: u64 = 10 * 1024 * 1024;
/// The most attachments to one message.
pub const MAX_ATTACHMENTS: usize = 5;
/// The longest name of a file, in characters.
pub const MAX_FILE_NAME_LENGTH: usize = 120;

vocabulary! {
    /// The kinds of file that may be attached.
    MediaType {
        Jpeg = "jpeg", "JPEG image";
        Png = "png", "PNG image";
        Webp = "webp", "WebP image";
        Pdf = "pdf", "PDF document";
        Text = "text", "Plain text";
        Mp3 = "mp3", "MP3 sound";
        M4a = "m4a", "MPEG-4 sound";
    }
}

impl MediaType {
    /// The media type as HTTP writes it, e.g. `image/jpeg`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/mp4",
        }
    }
}

/// A file attached to something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Which attachment.
    pub id: AttachmentId,
    /// The file's name, as whoever attached it calls it.
    #[schema(min_length = 1, max_length = 120, example = "care-plan.pdf")]
    pub name: String,
    /// What kind of file it is said to be; see [`looks_like`].
    pub media_type: MediaType,
    /// How many bytes it has.
    #[schema(minimum = 1, maximum = 10_485_760)]
    pub bytes: u64,
}

impl Attachment {
    /// Adds what is wrong with its name and size to `findings`, under `pointer`.
    pub fn find_faults(&self, pointer: &str, findings: &mut Findings) {
        find_file_name_faults(&self.name, &format!("{pointer}/name"), findings);
        findings.check(
            (1..=MAX_ATTACHMENT_BYTES).contains(&self.bytes),
            format!("{pointer}/bytes"),
            format!("is not between 1 and {MAX_ATTACHMENT_BYTES}"),
        );
    }
}

/// Adds what is wrong with the name of a file to `findings`, at `pointer`.
pub fn find_file_name_faults(name: &str, pointer: &str, findings: &mut Findings) {
    let length = name.chars().count();
    if name.trim().is_empty() {
        findings.add(pointer, "is needed");
    } else if length > MAX_FILE_NAME_LENGTH {
        findings.add(
            pointer,
            format!("has {length} characters; 1 to {MAX_FILE_NAME_LENGTH} are allowed"),
        );
    } else if name.chars().any(|c| c.is_control() || turns_direction(c)) {
        findings.add(pointer, "holds a control character");
    } else if name.contains(['/', '\\']) {
        findings.add(pointer, "holds a slash or a backslash");
    } else if name.starts_with('.') {
        findings.add(pointer, "starts with a dot");
    }
}

/// Whether a file can be called so.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    let mut findings = Findings::default();
    find_file_name_faults(name, "", &mut findings);
    findings.into_result().is_ok()
}

/// The marks that make what follows them read the other way round, by which a name is given an ending
/// that it does not have. Names in any script are written without them.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How files of a kind begin: every part, at its place.
type Beginning = &'static [(usize, &'static [u8])];

/// A kind with several rows begins in any of these ways; text is not told by how it begins.
const BEGINNINGS: [(MediaType, Beginning); 15] = [
    (MediaType::Jpeg, &[(0, b"\xff\xd8\xff")]),
    (MediaType::Png, &[(0, b"\x89PNG\r\n\x1a\n")]),
    (MediaType::Webp, &[(0, b"RIFF"), (8, b"WEBP")]),
    (MediaType::Pdf, &[(0, b"%PDF-")]),
    (MediaType::Mp3, &[(0, b"ID3")]),
    // Without a tag, sound begins at once: MPEG 1, 2 and 2.5, layer III, with and without a checksum.
    (MediaType::Mp3, &[(0, b"\xff\xfa")]),
    (MediaType::Mp3, &[(0, b"\xff\xfb")]),
    (MediaType::Mp3, &[(0, b"\xff\xf2")]),
    (MediaType::Mp3, &[(0, b"\xff\xf3")]),
    (MediaType::Mp3, &[(0, b"\xff\xe2")]),
    (MediaType::Mp3, &[(0, b"\xff\xe3")]),
    (MediaType::M4a, &[(4, b"ftypM4A ")]),
    (MediaType::M4a, &[(4, b"ftypmp4")]),
    (MediaType::M4a, &[(4, b"ftypiso")]),
    (MediaType::M4a, &[(4, b"ftypdash")]),
];

/// Whether a file that begins with `first_bytes` may be of this kind. At least 16 bytes are looked at,
/// or the whole file where it has fewer; of text, all that is given.
///
/// It tells a mistake or a disguise, not whether the rest of the file is sound.
#[must_use]
pub fn looks_like(media_type: MediaType, first_bytes: &[u8]) -> bool {
    if media_type == MediaType::Text {
        return is_text(first_bytes);
    }
    BEGINNINGS
        .iter()
        .filter(|(kind, _)| *kind == media_type)
        .any(|(_, beginning)| {
            beginning.iter().all(|(place, part)| {
                let there = first_bytes.get(*place..);
                there.is_some_and(|there| there.starts_with(part))
            })
        })
}

/// UTF-8 without NUL; the last character may be cut off, as it is where only a beginning is given.
fn is_text(bytes: &[u8]) -> bool {
    let utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    utf8 && !bytes.contains(&0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// The beginnings of real files.
    const SAMPLES: [(MediaType, &[u8]); 12] = [
        (MediaType::Jpeg, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"),
        (MediaType::Jpeg, b"\xff\xd8\xff\xe1\x2f\xfeExif\x00\x00MM"),
        (MediaType::Png, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
        (MediaType::Webp, b"RIFF\x24\x1a\x00\x00WEBPVP8 "),
        (MediaType::Pdf, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        (MediaType::Text, "Schlüssel unter der Matte".as_bytes()),
        (MediaType::Mp3, b"ID3\x04\x00\x00\x00\x00\x01\x00TSSE"),
        (MediaType::Mp3, b"\xff\xfb\x90\x64\x00\x00\x00\x00\x00\x00"),
        (MediaType::Mp3, b"\xff\xf3\x40\xc4\x00\x00\x00\x00\x00\x00"),
        (MediaType::M4a, b"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00"),
        (MediaType::M4a, b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00"),
        (MediaType::M4a, b"\x00\x00\x00\x1cftypisom\x00\x00\x02\x00"),
    ];

    #[test]
    fn a_file_looks_like_its_own_kind_and_no_other() {
        for (kind, sample) in SAMPLES {
            for claimed in MediaType::ALL {
                let looks = looks_like(*claimed, sample);
                assert_eq!(looks, *claimed == kind, "{kind:?} as {claimed:?}");
            }
        }
    }

    #[test]
    fn what_is_none_of_them_looks_like_none() {
        for other in [
            b"GIF89a\x01\x00\x01\x00\x80\x00\x00".as_slice(),
            b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff",
            b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00",
            b"RIFF\x24\x1a\x00\x00WAVEfmt ",
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
            b"\xff\xf1\x50\x80\x00\x1f\xfc\x00",
            b"\xff\xfeh\x00i\x00",
            b"\x89PNG\r\n\x1a",
        ] {
            for kind in MediaType::ALL {
                assert!(!looks_like(*kind, other), "{other:?} as {kind:?}");
            }
        }
    }

    #[test]
    fn text_is_utf_8_without_nul_wherever_it_is_cut() {
        let text = "a – ü 😀".as_bytes();
        for cut in 0..=text.len() {
            assert!(looks_like(MediaType::Text, &text[..cut]), "{cut}");
        }
        for refused in [b"a\0b".as_slice(), b"a\xfcb", b"\xc3(", b"\xed\xa0\x80."] {
            assert!(!looks_like(MediaType::Text, refused), "{refused:?}");
        }
    }

    #[test]
    fn only_what_can_be_shown_and_saved_is_a_file_name() {
        let longest = "ü".repeat(MAX_FILE_NAME_LENGTH);
        for allowed in ["a", "care plan.pdf", "עברית.pdf", "a..b", "'\"%;", &longest] {
            assert!(is_file_name(allowed), "{allowed}");
        }
        let too_long = format!("{longest}x");
        for refused in [
            "",
            "  ",
            ".",
            "..",
            ".profile",
            "a/b",
            "..\\b",
            "a\nb",
            "a\0",
            "\u{85}a",
            "photo\u{202e}gpj.exe",
            "a\u{2066}b",
            &too_long,
        ] {
            assert!(!is_file_name(refused), "{refused:?}");
        }
    }

    #[test]
    fn an_attachment_is_named_and_of_a_bounded_size() {
        let faults = |name: &str, bytes| {
            let attachment = Attachment {
                id: AttachmentId::from_uuid(Uuid::nil()),
                name: name.to_owned(),
                media_type: MediaType::Pdf,
                bytes,
            };
            let mut findings = Findings::default();
            attachment.find_faults("/attachments/1", &mut findings);
            let faults = findings.into_result().err().unwrap_or_default();
            faults
                .into_iter()
                .map(|fault| fault.pointer)
                .collect::<Vec<_>>()
        };
        assert!(faults("a.pdf", 1).is_empty());
        assert!(faults("a.pdf", MAX_ATTACHMENT_BYTES).is_empty());
        assert_eq!(faults("a.pdf", 0), ["/attachments/1/bytes"]);
        assert_eq!(
            faults("a/b", MAX_ATTACHMENT_BYTES + 1),
            ["/attachments/1/name", "/attachments/1/bytes"]
        );
    }

    #[test]
    fn an_attachment_crosses_http_with_codes() {
        let json = r#"{"id":"att_00000000000000000000000000000000","name":"a.mp3","media_type":"mp3","bytes":7}"#;
        let read: Attachment = serde_json::from_str(json).unwrap();
        assert_eq!(read.media_type.media_type(), "audio/mpeg");
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
