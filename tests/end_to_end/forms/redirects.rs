//! Where a form leads: to the page that its redirect id names, or to one of ours.

use std::collections::BTreeSet;

use rapport_tests::answer::Answer;
use rapport_tests::signups::{
    ORIGIN, THANKS, add_partner, form_encoded, form_token, settings, signups_stored, submit,
    submit_with,
};
use rapport_tests::world::World;
use reqwest::Method;
use serde_json::json;

use super::{FORM, typed};
use crate::all_at_once;

/// Hosts and addresses that a redirect might be made to lead to.
fn hostile_redirects(other_partners: &str) -> Vec<String> {
    let hosts = [
        "evil.example",
        "www.northside.example.evil.example",
        "evil.example/www.northside.example",
        "www.northside.example@evil.example",
        "www.northside.example:443@evil.example",
        "www.northside.example%40evil.example",
        "www.northside.example%2f@evil.example",
        "www.northside.example\\@evil.example",
        "www.northside.example#@evil.example",
        "www.northside.example?@evil.example",
        "www.n\u{43e}rthside.example",
        "www.norths\u{131}de.example",
        "www.northside\u{3002}example",
        "www.\u{ff4e}orthside.example",
        "www.xn--nrthside-f1g.example",
        "www.northside.example.",
        "www-northside.example",
        "wwwXnorthside.example",
        "northside.example",
        "www.northside.example",
        "WWW.NORTHSIDE.EXAMPLE",
        "127.0.0.1:3000",
        "2130706433",
        "[::1]",
        "localhost",
    ];
    let ways = [
        "https://{}",
        "http://{}",
        "//{}",
        "///{}",
        "////{}",
        "\\\\{}",
        "/\\{}",
        "/\t/{}",
        "https:{}",
        "https:/{}",
        "https:\\\\{}",
        "HTTPS://{}",
        " https://{}",
        "\thttps://{}",
        "\nhttps://{}",
        "\u{0}https://{}",
        "\u{feff}https://{}",
        "https%3A%2F%2F{}",
        "%2F%2F{}",
        "https://{}/thank-you",
        "{}",
    ];
    let anywhere = hosts
        .iter()
        .flat_map(|host| ways.iter().map(move |way| way.replace("{}", host)));
    let others = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "javascript://www.northside.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "blob:https://www.northside.example/x",
        "mailto:a@evil.example",
        "/",
        "/admin",
        "../../evil",
        "?next=https://evil.example",
        "#evil",
        "",
        " ",
        "thanks ",
        " thanks",
        "thanks\r\nLocation: https://evil.example",
        "thanks%0d%0aLocation:%20https://evil.example",
        "\r\nLocation: https://evil.example\r\n\r\n",
        "thanks\u{0}",
        "thanks/",
        "thanks/../evil",
        "thanks?x=https://evil.example",
        "thanks#https://evil.example",
        "thanks@evil.example",
        "Thanks",
        "THANKS",
        "th\u{430}nks",
        "thanks,evil",
        "thanks;evil",
        "[\"thanks\"]",
        "{\"thanks\":1}",
        "0",
        "null",
        "undefined",
        "*",
        "__proto__",
        "constructor",
        "{{thanks}}",
        "${thanks}",
        other_partners,
        THANKS,
        "https://www.northside.example/thank-you?next=//evil.example",
    ];
    anywhere.chain(others.map(str::to_owned)).collect()
}

#[tokio::test]
async fn five_hundred_hostile_redirects_lead_nowhere() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let mut other = settings();
    other["redirects"] = json!({"welcome": "https://www.other.example/welcome"});
    add_partner(&world, &other).await;

    let hostile = hostile_redirects("welcome");
    assert!(hostile.len() >= 500, "{}", hostile.len());
    let token = form_token(&world, &partner).await;
    let submitted = async |redirect: &str, token: &str, email: &str, more: (&str, &str)| {
        let mut fields = typed(token, email);
        fields.retain(|(name, _)| *name != "redirect");
        fields.extend([("redirect", redirect), more]);
        let answer = submit(&world, &partner.form, &fields).await;
        assert_eq!(answer.header("location"), None, "{redirect:?}");
        assert_eq!(answer.header("refresh"), None, "{redirect:?}");
        answer
    };
    // Each of them in a form that is faulty, so that it comes back and keeps the redirect, and in one that
    // a machine filled in; now and then, in one that is in order, which is answered as that is.
    let every = async |place: usize, redirect: &str| {
        let email = format!("tomas{place}@people.example");
        let faulty = submitted(redirect, &token, &email, ("birth_date", "then"));
        leads_nowhere(&faulty.await.expect(422), redirect);
        let machine = submitted(redirect, &token, &email, ("website", "x"));
        let mut pages = vec![machine.await.expect(200).whole()];
        if place.is_multiple_of(10) {
            let token = form_token(&world, &partner).await;
            let person = submitted(redirect, &token, &email, ("about", "Walks."));
            pages.push(person.await.expect(200).whole());
        }
        pages
    };
    let numbered: Vec<(usize, &String)> = hostile.iter().enumerate().collect();
    let mut pages = BTreeSet::new();
    for some in numbered.chunks(50) {
        let answers = all_at_once(some.iter().map(|(place, redirect)| every(*place, redirect)));
        pages.extend(answers.await.concat());
    }
    println!("{} hostile redirects", hostile.len());
    assert_eq!(pages.len(), 1, "our own page, always the same");
    assert_eq!(signups_stored(&world).await, hostile.len().div_ceil(10));
}

/// A page with a form leads to its own parts, and to nowhere else but the partner's origins.
fn leads_nowhere(page: &Answer, redirect: &str) {
    let text = page.text();
    for way in ["<script", "http-equiv", " action=", " src=", " formaction="] {
        assert!(!text.contains(way), "{redirect:?}: {way}");
    }
    let mut links = text.split("href=\"").skip(1);
    assert!(links.all(|link| link.starts_with('#')), "{redirect:?}");
    let policy = page.header("content-security-policy").unwrap();
    let targets = format!("form-action 'self' {ORIGIN};");
    assert!(policy.contains(&targets), "{redirect:?}: {policy}");
}

/// However else a browser could be sent elsewhere, only the field's id decides.
#[tokio::test]
async fn nothing_but_the_id_chooses_where_a_form_leads() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let token = form_token(&world, &partner).await;
    let fields = typed(&token, "a@people.example");
    let led = submit_with(&world, &partner.form, &fields, |r| {
        r.header("origin", ORIGIN)
            .header("referer", "https://evil.example/")
            .header("x-forwarded-host", "evil.example")
            .header("forwarded", "host=evil.example;proto=https")
            .header("x-original-url", "https://evil.example/")
    });
    let led = led.await.expect(303);
    assert_eq!(led.header("location"), Some(THANKS));
    assert!(!led.whole().contains("evil"));

    let token = form_token(&world, &partner).await;
    let path = format!(
        "/v1/forms/{}/signups?redirect=https://evil.example",
        partner.form
    );
    let body = form_encoded(&typed(&token, "b@people.example"));
    let nobody = world.nobody();
    let led = nobody.ask(Method::POST, &path, |request| {
        let request = request
            .header("origin", ORIGIN)
            .header("content-type", FORM);
        request.body(body)
    });
    assert_eq!(led.await.expect(303).header("location"), Some(THANKS));

    // Given twice, one of them counts or none, but never the address.
    for redirects in [["thanks", "//evil.example"], ["//evil.example", "thanks"]] {
        let token = form_token(&world, &partner).await;
        let mut fields = typed(&token, "c@people.example");
        fields.retain(|(name, _)| *name != "redirect");
        fields.extend(redirects.map(|redirect| ("redirect", redirect)));
        let answer = submit(&world, &partner.form, &fields).await;
        let location = answer.header("location");
        assert!(location.is_none_or(|url| url == THANKS), "{location:?}");
    }
}
