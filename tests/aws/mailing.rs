//! Mail goes through SES.

use aws_config::SdkConfig;
use chrono::DateTime;
use platform::mail::{Mail, MailError, OutgoingMail, SesMail};
use rapport_tests::emulator::fresh_name;
use serde_json::Value;

use crate::on_the_emulator;

fn mail(to: &str) -> OutgoingMail {
    OutgoingMail {
        message_id: "ntc_1-per_2".to_owned(),
        to: to.to_owned(),
        subject: "Grüße – your list".to_owned(),
        text: "Hello Ada,\n\nyour list is ready – have a look.\n".to_owned(),
        date: DateTime::from_timestamp(1_795_300_000, 0).unwrap(),
    }
}

/// What the emulator was given for `to`.
async fn sent(config: &SdkConfig, to: &str) -> Vec<Value> {
    let url = format!("{}/_ministack/ses/messages", config.endpoint_url().unwrap());
    let answer = reqwest::get(url).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let accounts = answer["messages"].as_object().unwrap().values();
    accounts
        .flat_map(|messages| messages.as_array().unwrap().clone())
        .filter(|message| message["To"] == serde_json::json!([to]))
        .collect()
}

#[tokio::test]
async fn a_message_reaches_its_recipient_whole() {
    on_the_emulator(async |config| {
        verify(&config, "rapport@example.net").await;
        let port = SesMail::new(&config, "rapport@example.net", None).unwrap();
        let to = format!("{}@example.org", fresh_name("ada"));
        verify(&config, &to).await;
        port.send(&mail(&to)).await.unwrap();
        let messages = sent(&config, &to).await;
        let [message] = &messages[..] else {
            panic!("one message was expected: {messages:?}");
        };
        assert_eq!(message["Source"], "rapport@example.net");
        assert_eq!(message["Subject"], "Grüße – your list");
        let text = message["BodyText"].as_str().unwrap().replace("\r\n", "\n");
        assert_eq!(text, mail(&to).text);
    })
    .await;
}

#[tokio::test]
async fn a_message_waits_for_an_address_to_be_verified_and_bad_ones_are_given_up() {
    on_the_emulator(async |config| {
        let from = format!("{}@example.net", fresh_name("unverified"));
        let port = SesMail::new(&config, from, None).unwrap();
        let waits = port.send(&mail("ada@example.org")).await;
        assert!(matches!(waits, Err(MailError::Unavailable(_))), "{waits:?}");
        let given_up = port.send(&mail("ada")).await;
        assert!(matches!(
            given_up,
            Err(MailError::Unacceptable("recipient"))
        ));
        assert!(SesMail::new(&config, "nobody", None).is_err());
        let nowhere = config
            .to_builder()
            .endpoint_url("http://127.0.0.1:9")
            .build();
        let port = SesMail::new(&nowhere, "rapport@example.net", None).unwrap();
        let waits = port.send(&mail("ada@example.org")).await;
        assert!(matches!(waits, Err(MailError::Unavailable(_))), "{waits:?}");
    })
    .await;
}

async fn verify(config: &SdkConfig, address: &str) {
    let ses = aws_sdk_sesv2::Client::new(config);
    // The emulator keeps what it was told in an earlier run.
    drop(
        ses.create_email_identity()
            .email_identity(address)
            .send()
            .await,
    );
}
