//! The signup form in a browser: it leads only where the partner has said, tells nobody who is known,
//! keeps what was typed, and counts once.

mod redirects;

use std::collections::BTreeSet;

use domain::signup::Field;
use rapport_tests::signups::{
    ORIGIN, Partner, add_partner, all, form_encoded, form_token, settings, sign_up, signups_stored,
    somebody, submit, submit_with,
};
use rapport_tests::world::World;
use reqwest::Method;
use serde_json::json;

use crate::all_at_once;

const FORM: &str = "application/x-www-form-urlencoded";

/// What a client types.
fn typed<'a>(token: &'a str, email: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("form_token", token),
        ("redirect", "thanks"),
        ("given_name", "Tomas"),
        ("family_name", "Lind"),
        ("email", email),
    ]
}

#[tokio::test]
async fn pages_of_other_origins_neither_get_a_token_nor_send_a_form() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let mut other = settings();
    other["origins"] = json!(["https://www.other.example"]);
    let other = add_partner(&world, &other).await;
    let token = form_token(&world, &partner).await;
    let hostile = [
        "null",
        "*",
        "",
        "https://evil.example",
        "http://www.northside.example",
        "HTTPS://www.northside.example",
        "https://WWW.northside.example",
        "https://northside.example",
        "https://www.northside.example/",
        "https://www.northside.example/signup",
        "https://www.northside.example:443",
        "https://www.northside.example:8443",
        "https://www.northside.example.",
        "https://www.northside.example.evil.example",
        "https://evil.example/https://www.northside.example",
        "https://evilwww.northside.example",
        "https://www.northside.example@evil.example",
        "https://evil.example#https://www.northside.example",
        "https://www.northside.example https://evil.example",
        "https://evil.example, https://www.northside.example",
        "https://www.northside.example,https://www.northside.example",
        "https://www.n\u{43e}rthside.example",
        "https://www.xn--nrthside-f1g.example",
        "//www.northside.example",
        "www.northside.example",
        "file://",
        "chrome-extension://abcdefghijklmnop",
        "https://www.other.example",
        "https://localhost",
        "http://127.0.0.1",
        "https://",
        "://",
    ];
    let token_path = format!("/v1/forms/{}/token", partner.form);
    let mut pages = BTreeSet::new();
    for origin in hostile {
        let fields = typed(&token, "tomas@people.example");
        let sent = submit_with(&world, &partner.form, &fields, |r| {
            r.header("origin", origin)
        });
        pages.insert(sent.await.expect(403).whole());
        let nobody = world.nobody();
        let asked = nobody.ask(Method::GET, &token_path, |r| r.header("origin", origin));
        let refused = asked.await.expect_problem(403, "origin-not-allowed");
        assert_eq!(
            refused.header("access-control-allow-origin"),
            None,
            "{origin}"
        );
    }
    let fields = typed(&token, "tomas@people.example");
    let without = submit_with(&world, &partner.form, &fields, |request| request).await;
    pages.insert(without.expect(403).whole());
    assert_eq!(pages.len(), 1);
    let of_ours = submit(&world, &other.form, &fields).await;
    of_ours.expect(403);
    assert_eq!(signups_stored(&world).await, 0);

    let nobody = world.nobody();
    let given = nobody.ask(Method::GET, &token_path, |r| r.header("origin", ORIGIN));
    let given = given.await.expect(200);
    assert_eq!(given.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(given.header("vary"), Some("Origin"));
    assert_eq!(given.header("access-control-allow-credentials"), None);
}

/// A form token that does not hold: the form comes back with a fresh one, which does.
#[tokio::test]
async fn a_form_that_was_not_opened_here_or_long_ago_is_shown_once_more() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let other = add_partner(&world, &settings()).await;
    let good = form_token(&world, &partner).await;
    let theirs = form_token(&world, &other).await;
    let parts: Vec<&str> = good.split('.').collect();
    let [issued, nonce, mac] = parts[..] else {
        panic!("a form token has three parts");
    };
    let later = issued.parse::<i64>().unwrap() + 1;
    let mut forged = vec![
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        theirs,
        format!("{later}.{nonce}.{mac}"),
        format!("{issued}.{}.{mac}", "0".repeat(32)),
        format!("{issued}.{}.{mac}", nonce.to_uppercase()),
        format!("{issued}.{nonce}."),
        format!("{issued}.{nonce}"),
        format!("{issued}.{nonce}.{}", "A".repeat(mac.len())),
        format!("{good}A"),
        format!("{good} "),
        format!("{good}="),
        format!("+{good}"),
        good.repeat(20),
        good.to_uppercase(),
    ];
    forged.extend((0..good.len()).map(|place| {
        let mut changed = good.clone().into_bytes();
        changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
        String::from_utf8(changed).unwrap()
    }));
    let fresh_from = |page: &str| {
        let hidden = page.split("name=\"form_token\" value=\"").nth(1).unwrap();
        hidden.split('"').next().unwrap().to_owned()
    };
    for token in &forged {
        let page = submit(&world, &partner.form, &typed(token, "tomas@people.example")).await;
        let page = page.expect(422);
        assert!(page.text().contains("send it once more"), "{token}");
        assert!(page.text().contains("value=\"Tomas\""), "{token}");
        assert_ne!(&fresh_from(page.text()), token);
    }
    let none = submit(
        &world,
        &partner.form,
        &typed("", "tomas@people.example")[1..],
    )
    .await;
    none.expect(422);

    world.advance(24).await;
    let fields = typed(&good, "just-in-time@people.example");
    submit(&world, &partner.form, &fields).await.expect(303);
    let late = form_token(&world, &partner).await;
    world
        .advance_by(chrono::TimeDelta::hours(24) + chrono::TimeDelta::seconds(1))
        .await;
    let page = submit(&world, &partner.form, &typed(&late, "tomas@people.example")).await;
    let page = page.expect(422);
    assert!(page.text().contains("open for a long time"));
    assert_eq!(signups_stored(&world).await, 1);
    // The page it comes back in is one of ours, and is sent from there.
    let fresh = fresh_from(page.text());
    let own = world.url();
    let fields = typed(&fresh, "tomas@people.example");
    let sent = submit_with(&world, &partner.form, &fields, |r| r.header("origin", own));
    sent.await.expect(303);
    assert_eq!(signups_stored(&world).await, 2);
}

#[tokio::test]
async fn what_a_machine_fills_in_is_answered_alike_and_stored_nowhere() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    for redirect in ["thanks", "elsewhere"] {
        let answer = async |email: &str, website: &str| {
            let token = form_token(&world, &partner).await;
            let mut fields = typed(&token, email);
            fields.retain(|(name, _)| *name != "redirect");
            fields.extend([("redirect", redirect), ("website", website)]);
            submit(&world, &partner.form, &fields).await
        };
        let person = answer(&format!("{redirect}@people.example"), "").await;
        for website in ["https://spam.example", "x", "  y  "] {
            let machine = answer("machine@people.example", website).await;
            assert_eq!(machine.whole(), person.whole());
        }
    }
    world.settle().await;
    assert_eq!(signups_stored(&world).await, 2);
    assert!(
        !world
            .mails()
            .iter()
            .any(|m| m.is_to("machine@people.example"))
    );
}

#[tokio::test]
async fn a_form_sent_many_times_at_once_is_one_signup() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    for round in 0..3 {
        let token = form_token(&world, &partner).await;
        let email = format!("tomas{round}@people.example");
        let fields = typed(&token, &email);
        let clicks = (0..32).map(|_| submit(&world, &partner.form, &fields));
        let answers = all_at_once(clicks).await;
        for answer in &answers {
            assert_eq!(answer.status(), 303, "{}", answer.whole());
            assert_eq!(answer.whole(), answers[0].whole());
        }
        assert_eq!(signups_stored(&world).await, round + 1);
    }
    world.settle().await;
    assert_eq!(world.mails().len(), 3);
}

/// A token stands for one signup: with other answers it is not taken in again, and not lost either.
#[tokio::test]
async fn a_token_used_for_other_answers_brings_the_form_back() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let token = form_token(&world, &partner).await;
    let first = submit(&world, &partner.form, &typed(&token, "a@people.example")).await;
    first.expect(303);
    let second = submit(&world, &partner.form, &typed(&token, "b@people.example")).await;
    let page = second.expect(422);
    assert!(page.text().contains("value=\"b@people.example\""));
    assert!(page.text().contains("received this form before"));
    assert!(!page.text().contains(&token), "a token that can be used");
    assert_eq!(signups_stored(&world).await, 1);
}

/// Whether anybody here is known is told to nobody: neither by the form nor to a partner's server.
#[tokio::test]
async fn known_and_unknown_addresses_are_answered_the_same_to_the_byte() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let by_form = async |email: &str, redirect: &str, more: &[(&str, &str)]| {
        let token = form_token(&world, &partner).await;
        let mut fields = typed(&token, email);
        fields.retain(|(name, _)| *name != "redirect");
        fields.push(("redirect", redirect));
        fields.extend(more);
        let answer = submit(&world, &partner.form, &fields).await;
        // Form tokens are drawn by chance.
        let whole = answer.whole().replace(email, "(the address)");
        match whole.split_once("name=\"form_token\" value=\"") {
            Some((before, after)) => format!("{before}{}", after.split_once('"').unwrap().1),
            None => whole,
        }
    };
    let by_server = async |name: &str| {
        let answer = sign_up(&world, &partner, &format!("id-{name}"), &somebody(name)).await;
        answer.whole().replace(name, "(the name)")
    };
    by_server("aaaa").await;
    by_form(
        "known@people.example",
        "thanks",
        &[("birth_date", "1950-05-05")],
    )
    .await;
    let known = ["known@people.example", "KNOWN@people.example"];
    let unknown = ["fresh@people.example", "ANEW0@people.example"];
    let long_since = [("birth_date", "1950-05-05")];
    let other_day = [("birth_date", "1951-06-06")];
    for redirect in ["thanks", "nowhere"] {
        let mut answers = BTreeSet::new();
        for email in known {
            answers.insert(by_form(email, redirect, &[]).await);
        }
        for email in unknown {
            answers.insert(by_form(email, redirect, &[]).await);
        }
        // Known by name and birth date.
        answers.insert(by_form("elsewhere@people.example", redirect, &long_since).await);
        answers.insert(by_form("otherwise@people.example", redirect, &other_day).await);
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
    // Nor is it told by what is found at fault.
    let faulty = [("phone", "none"), ("birth_date", "then")];
    let of_known = by_form(known[0], "thanks", &faulty).await;
    assert_eq!(
        of_known,
        by_form("never@people.example", "thanks", &faulty).await
    );
    assert!(of_known.starts_with("422"));

    let (first, second) = (by_server("bbbb").await, by_server("aaab").await);
    let again = somebody("aaaa");
    let again = sign_up(&world, &partner, "id-bbbc", &again).await;
    let again = again.whole().replace("bbbc", "(the name)");
    assert_eq!(first, second);
    assert_eq!(first, again);

    // It is told to staff, as tickets.
    let tickets = all(&world, "/v1/tickets?queue=people").await;
    let duplicates = tickets
        .iter()
        .filter(|t| t["cause"] == "possible_duplicate");
    assert!(duplicates.count() >= 7);
}

/// Everything wrong is named at once, beside what was typed, none of which becomes markup.
#[tokio::test]
async fn every_field_at_fault_is_named_and_what_was_typed_is_kept_and_escaped() {
    let world = World::start().await;
    let mut mapped = settings();
    mapped["name"] = json!("North & <i>Side</i>");
    mapped["fields"] = json!({"fname": "given_name", "user[mail]": "email"});
    let partner = add_partner(&world, &mapped).await;
    let token = form_token(&world, &partner).await;
    let name_of = |field: Field| match field {
        Field::GivenName => "fname".to_owned(),
        Field::Email => "user[mail]".to_owned(),
        other => other.code().to_owned(),
    };
    let hostile = |field: Field| {
        let code = field.code();
        format!(
            "</textarea><script>xss_{code}()</script>\"'><img src=x onerror=xss_{code}()>{}",
            "x".repeat(2_000)
        )
    };
    let fields: Vec<(String, String)> = Field::ALL
        .into_iter()
        .map(|field| match field {
            Field::SignupFor => (name_of(field), "representative".to_owned()),
            other => (name_of(other), hostile(other)),
        })
        .chain([("form_token".to_owned(), token)])
        .chain([("redirect".to_owned(), hostile(Field::About))])
        .collect();
    let borrowed: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let page = submit(&world, &partner.form, &borrowed).await.expect(422);
    let text = page.text();
    for markup in ["<script", "<img", "\"'>", "<i>"] {
        assert!(!text.contains(markup), "{markup}");
    }
    assert_eq!(text.matches("</textarea>").count(), 1);
    for field in Field::ALL {
        let code = field.code();
        let named = text.contains(&format!("<a href=\"#{code}\">"));
        if field == Field::SignupFor {
            assert!(!named, "{code}");
            continue;
        }
        assert!(named, "{code}");
        assert!(text.contains(&format!("id=\"{code}-fault\"")), "{code}");
        // Choices are kept as choices: what is none of them is nowhere to be shown.
        let is_choice = matches!(field, Field::Guardian | Field::Scopes);
        let kept = text.contains(&format!("&lt;script&gt;xss_{code}()&lt;/script&gt;"));
        assert_eq!(kept, !is_choice, "{code}");
        assert!(
            text.contains(&format!("name=\"{}\"", name_of(field))),
            "{code}"
        );
    }
    assert_eq!(signups_stored(&world).await, 0);

    // The partner's own name is text, too.
    let token = form_token(&world, &partner).await;
    let fields = [
        ("form_token", token.as_str()),
        ("fname", "Rosa"),
        ("family_name", "Marchetti"),
        ("user[mail]", "rosa@people.example"),
    ];
    let thanks = submit(&world, &partner.form, &fields).await.expect(200);
    assert!(
        thanks
            .text()
            .contains("North &amp; &lt;i&gt;Side&lt;/i&gt;")
    );
}

/// What is no form at all is refused in a page, and stores nothing.
#[tokio::test]
async fn what_is_no_form_is_refused_in_a_page() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let post = async |partner: &Partner, kind: &str, body: Vec<u8>| {
        let path = format!("/v1/forms/{}/signups", partner.form);
        let nobody = world.nobody();
        let sent = nobody.ask(Method::POST, &path, |request| {
            let request = request
                .header("origin", ORIGIN)
                .header("content-type", kind);
            request.body(body)
        });
        let answer = sent.await;
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.status()
    };
    let many = form_encoded(&[("x", "y"); 61]).into_bytes();
    assert_eq!(
        post(&partner, "application/json", b"{}".to_vec()).await,
        415
    );
    assert_eq!(post(&partner, "text/plain", b"a=b".to_vec()).await, 415);
    assert_eq!(
        post(&partner, "multipart/form-data; boundary=x", Vec::new()).await,
        415
    );
    assert_eq!(post(&partner, FORM, many).await, 400);
    assert_eq!(
        post(&partner, FORM, b"\xff%zz=%ff&&==&%00=%00".to_vec()).await,
        422
    );
    assert_eq!(post(&partner, FORM, vec![b'a'; 2_000_000]).await, 413);
    let nobodys = Partner {
        form: "form_00000000000000000000000000000000".to_owned(),
        ..partner.clone()
    };
    assert_eq!(post(&nobodys, FORM, b"a=b".to_vec()).await, 404);
    let path = format!("/v1/partners/{}", partner.id);
    let ada = world.administrator();
    let tag = ada.get(&path).await.etag();
    let mut paused = settings();
    paused["state"] = json!("paused");
    ada.put(&path, &tag, &paused).await.expect(200);
    assert_eq!(post(&partner, FORM, b"a=b".to_vec()).await, 404);
    assert_eq!(signups_stored(&world).await, 0);
}
