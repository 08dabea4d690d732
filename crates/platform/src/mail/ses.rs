//! Mail by SES.

use std::io;

use aws_config::SdkConfig;
use aws_sdk_sesv2::Client as Ses;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};

use super::{Mail, MailError, OutgoingMail, Text, is_address, render};
use crate::BoxFuture;
use crate::aws::Failed;

/// The tag that carries our message id through every event of the message: SES writes its own
/// `Message-ID` and `Date` over those of a message that it takes.
const TAG: &str = "message";
/// What SES says where the sender's own address, or anybody's in its sandbox, is not verified.
const NOT_VERIFIED: &str = "is not verified";

/// Hands messages over to SES as they are rendered for the folder.
#[derive(Debug, Clone)]
pub struct SesMail {
    ses: Ses,
    from: String,
    configuration_set: Option<String>,
}

impl SesMail {
    /// Sends as `from`, which SES must have verified; `configuration_set`, where there is one, says who
    /// hears of bounces.
    ///
    /// # Errors
    /// `from` is no address.
    pub fn new(
        config: &SdkConfig,
        from: impl Into<String>,
        configuration_set: Option<String>,
    ) -> io::Result<Self> {
        let from = from.into();
        if !is_address(&from) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Self {
            ses: Ses::new(config),
            from,
            configuration_set,
        })
    }

    fn call(&self, mail: &OutgoingMail) -> Result<SendEmailFluentBuilder, MailError> {
        let message =
            RawMessage::builder().data(Blob::new(render(mail, &self.from, Text::SevenBit)?));
        let tag = MessageTag::builder().name(TAG).value(&mail.message_id);
        let content = EmailContent::builder().raw(message.build().map_err(unmade)?);
        // The recipient is said beside the message: what is in it decides nothing.
        Ok(self
            .ses
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(&mail.to).build())
            .content(content.build())
            .email_tags(tag.build().map_err(unmade)?)
            .set_configuration_set_name(self.configuration_set.clone()))
    }
}

impl Mail for SesMail {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async move {
            mail.check()?;
            match self.call(mail)?.send().await {
                Ok(_) => Ok(()),
                Err(error) if error.as_service_error().is_some_and(gives_up) => {
                    Err(MailError::Unacceptable("message or recipient"))
                }
                Err(error) => Err(io::Error::other(Failed::from(&error)).into()),
            }
        })
    }
}

/// Whether SES will never take this very message. A deployment whose sending is paused, or whose address
/// is not verified yet, is put right by somebody: the mail waits for it.
fn gives_up(error: &SendEmailError) -> bool {
    match error {
        SendEmailError::BadRequestException(_) => true,
        // One code for both; only its words tell them apart.
        SendEmailError::MessageRejected(rejected) => !rejected
            .message()
            .is_some_and(|said| said.contains(NOT_VERIFIED)),
        _ => false,
    }
}

fn unmade(error: BuildError) -> MailError {
    io::Error::other(error).into()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::types::error::{
        AccountSuspendedException as AccountSuspended, BadRequestException as BadRequest,
        LimitExceededException as LimitExceeded, MailFromDomainNotVerifiedException as NotVerified,
        MessageRejected as Rejected, SendingPausedException as SendingPaused,
        TooManyRequestsException as TooManyRequests,
    };

    use super::SendEmailError as Error;
    use super::*;

    #[test]
    fn a_message_is_given_up_for_its_own_faults_alone() {
        let rejected =
            |said: &str| Error::MessageRejected(Rejected::builder().message(said).build());
        for own in [
            rejected("Message contains an attachment that is not allowed."),
            Error::BadRequestException(BadRequest::builder().build()),
        ] {
            assert!(gives_up(&own), "{own:?}");
        }
        for passing in [
            rejected("Email address is not verified. The following identities failed the check"),
            Error::TooManyRequestsException(TooManyRequests::builder().build()),
            Error::LimitExceededException(LimitExceeded::builder().build()),
            Error::SendingPausedException(SendingPaused::builder().build()),
            Error::AccountSuspendedException(AccountSuspended::builder().build()),
            Error::MailFromDomainNotVerifiedException(NotVerified::builder().build()),
        ] {
            assert!(!gives_up(&passing), "{passing:?}");
        }
    }
}
