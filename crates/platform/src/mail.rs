//! Outgoing mail: readable files in a folder locally, the mail service on AWS.
//!
//! Sending is at least once; the message id is made from what caused the mail, so that a second
//! sending is the same message. Addresses and texts never reach a log: errors here hold neither.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date;
use mail_builder::mime::MimePart;

use crate::BoxFuture;
use crate::folder::{blocking, clear_unfinished, write_whole};

#[cfg(feature = "aws-mail")]
mod ses;

#[cfg(feature = "aws-mail")]
pub use ses::SesMail;

/// One message to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Names the message: 1 to 128 of `A-Z a-z 0-9 _ -`. The same id is the same message.
    pub message_id: String,
    /// The recipient's address, without a display name.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text, lines ended by `\n`.
    pub text: String,
    /// The `Date` header.
    pub date: DateTime<Utc>,
}

/// Ids only: a mail in a log would be personal data.
impl std::fmt::Debug for OutgoingMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingMail")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

/// Why a mail was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It never can be; the field that is not acceptable. Trying again is of no use.
    #[error("the mail's {0} is not acceptable")]
    Unacceptable(&'static str),
    /// Not now: try again.
    #[error("the mail could not be handed over: {0}")]
    Unavailable(#[from] io::Error),
}

/// Hands mail over for delivery.
pub trait Mail: Send + Sync {
    /// Done when the message will not be lost any more; sending the same message id again is done, too.
    ///
    /// # Errors
    /// [`MailError`].
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), MailError>>;
}

const MAX_MESSAGE_ID_LENGTH: usize = 128;
const MAX_ADDRESS_LENGTH: usize = 254;
const MAX_SUBJECT_LENGTH: usize = 200;
const MAX_TEXT_LENGTH: usize = 100_000;
/// RFC 5322's limit, in bytes, without the line ending.
const MAX_LINE_LENGTH: usize = 998;

impl OutgoingMail {
    /// Checks what every adapter relies on, so that none of them can be made to write another
    /// header, another recipient or another file.
    ///
    /// # Errors
    /// [`MailError::Unacceptable`].
    pub fn check(&self) -> Result<(), MailError> {
        let checks = [
            ("message id", is_message_id(&self.message_id)),
            ("recipient", is_address(&self.to)),
            ("subject", is_line(&self.subject, MAX_SUBJECT_LENGTH)),
            ("text", self.text.len() <= MAX_TEXT_LENGTH),
        ];
        match checks.into_iter().find(|(_, holds)| !holds) {
            Some((field, _)) => Err(MailError::Unacceptable(field)),
            None => Ok(()),
        }
    }
}

fn is_message_id(text: &str) -> bool {
    (1..=MAX_MESSAGE_ID_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Not the whole grammar: what could leave its header, or become two recipients, is refused.
fn is_address(text: &str) -> bool {
    let separated = |c: char| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c);
    text.len() <= MAX_ADDRESS_LENGTH
        && !text.contains(separated)
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        })
}

fn is_line(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.contains(char::is_control)
}

/// Writes each message as `<message id>.eml`, to be read in a text editor or a mail program.
#[derive(Debug)]
pub struct FolderMail {
    folder: PathBuf,
    from: String,
}

impl FolderMail {
    /// Uses `folder`, making it where needed; `from` is the service's own address.
    ///
    /// # Errors
    /// The folder cannot be made or written, or `from` is no address.
    pub fn open(folder: impl Into<PathBuf>, from: impl Into<String>) -> io::Result<Self> {
        let (folder, from) = (folder.into(), from.into());
        if !is_address(&from) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        std::fs::create_dir_all(&folder)?;
        clear_unfinished(&folder)?;
        Ok(Self { folder, from })
    }

    /// Where the messages are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Mail for FolderMail {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async move {
            mail.check()?;
            let path = self.folder.join(format!("{}.eml", mail.message_id));
            let message = render(mail, &self.from, Text::Readable)?;
            blocking(move || {
                if path.try_exists()? {
                    return Ok(());
                }
                write_whole(&path, &message)
            })
            .await?;
            Ok(())
        })
    }
}

/// How a message's text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    /// As it is wherever that is allowed, so that people can read the file.
    Readable,
    /// In ASCII, so that every server on its way takes it.
    #[cfg(feature = "aws-mail")]
    SevenBit,
}

/// The message as RFC 5322 has it.
fn render(mail: &OutgoingMail, from: &str, written: Text) -> io::Result<Vec<u8>> {
    let host = from.rsplit_once('@').map_or(from, |(_, host)| host);
    let text: Vec<_> = mail.text.lines().collect();
    let readable = text.iter().all(|line| line.len() <= MAX_LINE_LENGTH);
    let mut body = MimePart::new("text/plain", text.join("\r\n") + "\r\n");
    if readable && written == Text::Readable {
        body = body.transfer_encoding("8bit");
    }
    MessageBuilder::new()
        .from(from)
        .to(mail.to.as_str())
        .subject(mail.subject.as_str())
        .date(Date::new(mail.date.timestamp()))
        .message_id(format!("{}@{host}", mail.message_id))
        .body(body)
        .write_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::files_below;

    fn mail() -> OutgoingMail {
        OutgoingMail {
            message_id: "ntc_1-per_2".into(),
            to: "ada@example.org".into(),
            subject: "Your candidates are ready".into(),
            text: "Hello Ada,\n\nyour list is ready – have a look.\n".into(),
            date: DateTime::from_timestamp(1_795_300_000, 0).unwrap(),
        }
    }

    #[tokio::test]
    async fn a_mail_becomes_one_readable_file_however_often_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let port = FolderMail::open(folder.path(), "rapport@example.net").unwrap();
        port.send(&mail()).await.unwrap();
        let again = OutgoingMail {
            text: "rendered again".into(),
            ..mail()
        };
        port.send(&again).await.unwrap();

        let path = folder.path().join("ntc_1-per_2.eml");
        let files = files_below(folder.path()).unwrap();
        assert_eq!(files, std::slice::from_ref(&path));
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "From: <rapport@example.net>\r\n\
             To: <ada@example.org>\r\n\
             Subject: Your candidates are ready\r\n\
             Date: Sat, 21 Nov 2026 22:26:40 +0000\r\n\
             Message-ID: <ntc_1-per_2@example.net>\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=\"utf-8\"\r\n\
             Content-Transfer-Encoding: 8bit\r\n\
             \r\n\
             Hello Ada,\r\n\
             \r\n\
             your list is ready – have a look.\r\n"
        );
    }

    #[test]
    fn a_line_too_long_for_mail_is_encoded() {
        let long = OutgoingMail {
            text: "é".repeat(500),
            ..mail()
        };
        let message = render(&long, "rapport@example.net", Text::Readable).unwrap();
        let longest = message.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
        assert!(longest.unwrap() <= MAX_LINE_LENGTH);
    }

    #[cfg(feature = "aws-mail")]
    #[test]
    fn a_message_on_its_way_is_ascii_and_says_the_same() {
        let sent = OutgoingMail {
            subject: "Grüße".into(),
            ..mail()
        };
        let message = render(&sent, "rapport@example.net", Text::SevenBit).unwrap();
        let message = String::from_utf8(message).unwrap();
        assert!(message.is_ascii());
        assert!(message.contains("Message-ID: <ntc_1-per_2@example.net>\r\n"));
        assert!(message.contains("your list is ready =E2=80=93 have a look."));
    }

    #[tokio::test]
    async fn what_could_become_another_header_recipient_or_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let port = FolderMail::open(folder.path(), "rapport@example.net").unwrap();
        let changed = |change: fn(&mut OutgoingMail)| {
            let mut mail = mail();
            change(&mut mail);
            mail
        };
        for (field, refused) in [
            ("message id", changed(|m| m.message_id = "../x".into())),
            ("message id", changed(|m| m.message_id = String::new())),
            ("message id", changed(|m| m.message_id = "a".repeat(129))),
            ("recipient", changed(|m| m.to = "a@b,c@d".into())),
            ("recipient", changed(|m| m.to = "a@b\r\nBcc:c@d".into())),
            ("recipient", changed(|m| m.to = "nobody".into())),
            ("recipient", changed(|m| m.to = "a@b@c".into())),
            ("subject", changed(|m| m.subject = "a\nBcc: c@d".into())),
            ("subject", changed(|m| m.subject = "a".repeat(201))),
            ("text", changed(|m| m.text = "a".repeat(100_001))),
        ] {
            let sent = port.send(&refused).await;
            assert!(
                matches!(sent, Err(MailError::Unacceptable(f)) if f == field),
                "{field}"
            );
        }
        assert!(files_below(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn a_mail_in_a_log_shows_its_id_only() {
        assert_eq!(
            format!("{:?}", mail()),
            "OutgoingMail { message_id: \"ntc_1-per_2\", .. }"
        );
    }
}
