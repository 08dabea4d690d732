//! The pages that a signup form can come to. They load nothing, work without script, and suit a phone
//! as well as a screen reader.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::partner::{PartnerSettings, form_field, origin_of};
use domain::signup::{Answers, Fault, Field};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.125rem/1.5 system-ui,sans-serif;max-width:40rem;margin:0 auto;padding:1rem}\
label,legend{display:block;font-weight:600;margin-top:1.25rem}\
fieldset{border:0;margin:0;padding:0}\
fieldset label{font-weight:400;margin-top:.5rem}\
input,textarea,button{font:inherit;box-sizing:border-box}\
input:not([type=radio]):not([type=checkbox]),textarea{width:100%;min-height:2.75rem;padding:.5rem;border:2px solid #767676;border-radius:.25rem}\
input[type=radio],input[type=checkbox]{width:1.5rem;height:1.5rem;vertical-align:middle;margin-right:.5rem}\
[aria-invalid=true]{border-color:#c00!important}\
:focus-visible{outline:3px solid #0b57d0;outline-offset:2px}\
.help{margin:.25rem 0}\
.fault{margin:.25rem 0;font-weight:600}\
.summary{border:3px solid #c00;border-radius:.25rem;padding:0 1rem;margin:1rem 0}\
.trap{position:absolute;left:-100vw;width:1px;height:1px;overflow:hidden}\
button{margin-top:2rem;min-height:3rem;padding:.5rem 1.5rem}";

/// How a field is asked for.
enum Input {
    /// One line; the HTML type.
    Line(&'static str),
    /// Several lines.
    Lines,
    /// One of these.
    One(&'static [Choice]),
    /// Any of these.
    Any(&'static [Choice]),
}

/// What is sent, and what a person reads.
type Choice = (&'static str, &'static str);

struct Asked {
    field: Field,
    label: &'static str,
    help: &'static str,
    input: Input,
    autocomplete: &'static str,
}

const fn asked(
    field: Field,
    label: &'static str,
    help: &'static str,
    input: Input,
    autocomplete: &'static str,
) -> Asked {
    Asked {
        field,
        label,
        help,
        input,
        autocomplete,
    }
}

const TEXT: Input = Input::Line("text");
const MAIL: Input = Input::Line("email");
const PHONE: Input = Input::Line("tel");
const DATE: &str = "Year, month and day, for example 1947-05-30. You may leave this out.";
const OPTIONAL: &str = "You may leave this out.";

const WHO: [Choice; 2] = [
    ("self", "Myself"),
    ("representative", "Somebody I represent"),
];
const GUARDIAN: [Choice; 2] = [("no", "No"), ("yes", "Yes")];
const SCOPES: [Choice; 4] = [
    ("details", "Personal details"),
    ("match_requests", "Looking for support workers"),
    ("engagements", "Agreements and visits with support workers"),
    ("support_plans", "Support plans"),
];

/// Every field, in the order asked. The representative's part has a heading of its own.
#[rustfmt::skip]
const ASKED: [Asked; Field::ALL.len()] = [
    asked(Field::SignupFor, "Who is this for?", "", Input::One(&WHO), ""),
    asked(Field::GivenName, "Given name", "", TEXT, "given-name"),
    asked(Field::FamilyName, "Family name", "", TEXT, "family-name"),
    asked(Field::Email, "Mail address", "If you represent somebody who has none, leave this out.", MAIL, "email"),
    asked(Field::Phone, "Telephone number", OPTIONAL, PHONE, "tel"),
    asked(Field::BirthDate, "Date of birth", DATE, TEXT, "bday"),
    asked(Field::Address, "Address", OPTIONAL, TEXT, "street-address"),
    asked(Field::About, "What would you like us to know?", OPTIONAL, Input::Lines, "off"),
    asked(Field::MembershipWish, "Membership plan you have in mind", OPTIONAL, TEXT, "off"),
    asked(Field::RepresentativeGivenName, "Your given name", "", TEXT, "off"),
    asked(Field::RepresentativeFamilyName, "Your family name", "", TEXT, "off"),
    asked(Field::RepresentativeEmail, "Your mail address", "", MAIL, "off"),
    asked(Field::RepresentativePhone, "Your telephone number", OPTIONAL, PHONE, "off"),
    asked(Field::RepresentativeBirthDate, "Your date of birth", DATE, TEXT, "off"),
    asked(Field::Relationship, "What you are to them", "For example: daughter, neighbour, guardian.", TEXT, "off"),
    asked(Field::Guardian, "Are you their appointed guardian?", "", Input::One(&GUARDIAN), ""),
    asked(Field::Scopes, "What would you act in for them?", "Choose at least one.", Input::Any(&SCOPES), ""),
];

fn asked_for(field: Field) -> Option<&'static Asked> {
    ASKED.iter().find(|asked| asked.field == field)
}

/// The form, shown again.
pub(super) struct FormPage<'a> {
    /// Whose form: the partner's names for the fields, and where it may lead.
    pub(super) settings: &'a PartnerSettings,
    /// What was typed.
    pub(super) answers: &'a Answers,
    /// What is to be put right.
    pub(super) faults: &'a [Fault],
    /// Why else the form is shown again.
    pub(super) notice: Option<&'a str>,
    /// A fresh form token.
    pub(super) token: &'a str,
    /// The redirect id that came with the form.
    pub(super) redirect: Option<&'a str>,
}

impl FormPage<'_> {
    /// The page as an answer.
    pub(super) fn answer(&self, status: StatusCode) -> Response {
        // Browsers apply `form-action` to where a form's answer redirects to, as well.
        let targets = self.settings.redirects.values();
        let mut targets: Vec<&str> = targets.filter_map(|url| origin_of(url)).collect();
        targets.dedup();
        page(
            status,
            "Please check the form",
            &targets.join(" "),
            &self.content(),
        )
    }

    fn content(&self) -> Markup {
        let (theirs, own): (Vec<&Asked>, Vec<&Asked>) = ASKED
            .iter()
            .partition(|asked| asked.field.is_representatives());
        html! {
            (self.summary())
            // No `action`: a form without one is sent to the address of its page.
            form method="post" accept-charset="utf-8" novalidate {
                input type="hidden" name=(form_field::TOKEN) value=(self.token);
                @if let Some(redirect) = self.redirect {
                    input type="hidden" name=(form_field::REDIRECT) value=(redirect);
                }
                div.trap aria-hidden="true" {
                    label for=(form_field::HONEYPOT) { "Leave this empty" }
                    input id=(form_field::HONEYPOT) name=(form_field::HONEYPOT) tabindex="-1" autocomplete="off";
                }
                @for asked in own { (self.question(asked)) }
                h2 { "If you represent somebody" }
                @for asked in theirs { (self.question(asked)) }
                button type="submit" { "Send" }
            }
        }
    }

    fn summary(&self) -> Markup {
        html! {
            div.summary role="alert" tabindex="-1" id="summary" {
                h2 { "Not sent yet" }
                @if let Some(notice) = self.notice { p { (notice) } }
                @if !self.faults.is_empty() {
                    ul {
                        @for fault in self.faults {
                            li { a href={ "#" (fault.field.code()) } { (label(fault.field)) } " " (fault.detail) }
                        }
                    }
                }
            }
        }
    }

    fn question(&self, asked: &Asked) -> Markup {
        let id = asked.field.code();
        let name = self.settings.name_of(asked.field);
        let typed = self.answers.typed(asked.field);
        let text = typed.first().map_or("", String::as_str);
        let faults: Vec<&Fault> = self
            .faults
            .iter()
            .filter(|f| f.field == asked.field)
            .collect();
        let invalid = (!faults.is_empty()).then_some("true");
        let described = described_by(asked, invalid.is_some());
        let described = described.as_deref();
        let notes = html! {
            @if !asked.help.is_empty() { p.help id={ (id) "-help" } { (asked.help) } }
            @if invalid.is_some() {
                div id={ (id) "-fault" } { @for fault in &faults { p.fault { (asked.label) " " (fault.detail) } } }
            }
        };
        let choices = |kind: &str, choices: &[Choice]| {
            html! {
                fieldset aria-describedby=[described] {
                    legend { (asked.label) }
                    (notes)
                    @for (place, (value, label)) in choices.iter().enumerate() {
                        label {
                            // A radio button cannot be invalid by itself: its group's description says it.
                            input type=(kind) name=(name) value=(value) id=[(place == 0).then_some(id)]
                                aria-invalid=[invalid.filter(|_| kind == "checkbox")]
                                checked[typed.iter().any(|typed| typed.trim() == *value)];
                            (label)
                        }
                    }
                }
            }
        };
        match asked.input {
            Input::One(of) => choices("radio", of),
            Input::Any(of) => choices("checkbox", of),
            Input::Line(kind) => html! {
                label for=(id) { (asked.label) }
                (notes)
                input id=(id) name=(name) type=(kind) value=(text) autocomplete=(asked.autocomplete)
                    aria-describedby=[described] aria-invalid=[invalid];
            },
            // The line break is the one that a browser drops after the tag.
            Input::Lines => html! {
                label for=(id) { (asked.label) }
                (notes)
                textarea id=(id) name=(name) rows="5" autocomplete=(asked.autocomplete)
                    aria-describedby=[described] aria-invalid=[invalid] { "\n" (text) }
            },
        }
    }
}

fn label(field: Field) -> &'static str {
    asked_for(field).map_or(field.code(), |asked| asked.label)
}

fn described_by(asked: &Asked, is_invalid: bool) -> Option<String> {
    let id = asked.field.code();
    let help = (!asked.help.is_empty()).then(|| format!("{id}-help"));
    let fault = is_invalid.then(|| format!("{id}-fault"));
    let notes: Vec<String> = help.into_iter().chain(fault).collect();
    (!notes.is_empty()).then(|| notes.join(" "))
}

/// That a signup was received, for forms that lead nowhere else.
pub(super) fn thanks(partner: &str) -> Response {
    let content = html! {
        p { "We have received what you sent from " (partner) "." }
        p { "If it is complete, a mail with a link is on its way to you. Open the link to go on." }
    };
    page(StatusCode::OK, "Thank you", "", &content)
}

/// A refusal as a page: its status and headers, in words.
pub(super) fn refused(problem: Problem) -> Response {
    let content = html! { p { "Nothing was saved. You can go back and try again." } };
    let page = page(problem.status(), problem.title(), "", &content);
    instead_of(problem, page)
}

/// A page in place of a problem's body. The problem's own headers, such as when to try again, stay.
pub(super) fn instead_of(problem: Problem, page: Response) -> Response {
    let mut response = problem.into_response();
    let (parts, body) = page.into_parts();
    response.headers_mut().extend(parts.headers);
    *response.body_mut() = body;
    response
}

fn page(status: StatusCode, title: &str, form_targets: &str, content: &Markup) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (content) } }
        }
    };
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self' {form_targets}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = (status, document.into_string()).into_response();
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A stricter one would keep the browser from naming this page as the origin of what it sends.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use domain::partner::PartnerState;

    use super::*;

    fn settings() -> PartnerSettings {
        PartnerSettings {
            name: "North & Side".into(),
            state: PartnerState::Active,
            fields: BTreeMap::from([("fname".into(), Field::GivenName)]),
            origins: BTreeSet::new(),
            redirects: BTreeMap::from([
                ("a".into(), "https://www.northside.example/a".into()),
                ("b".into(), "https://www.northside.example/b?c".into()),
            ]),
            ticket_per_signup: false,
            hourly_quota: 1,
        }
    }

    fn shown(answers: &[(Field, &str)], faults: &[Fault]) -> String {
        let mut typed = Answers::default();
        for (field, text) in answers {
            typed.add(*field, *text);
        }
        let settings = settings();
        let page = FormPage {
            settings: &settings,
            answers: &typed,
            faults,
            notice: Some("Once more."),
            token: "1.2.3",
            redirect: Some("\"><script>"),
        };
        page.content().into_string()
    }

    fn fault(field: Field, detail: &str) -> Fault {
        Fault {
            field,
            detail: detail.into(),
        }
    }

    #[test]
    fn every_field_is_asked_for_once_with_a_label_of_its_own() {
        let asked: BTreeSet<Field> = ASKED.iter().map(|asked| asked.field).collect();
        assert_eq!(asked, BTreeSet::from(Field::ALL));
        let labels: BTreeSet<&str> = ASKED.iter().map(|asked| asked.label).collect();
        assert_eq!(labels.len(), ASKED.len());
    }

    #[test]
    fn what_was_typed_is_kept_and_never_becomes_markup() {
        let page = shown(
            &[
                (Field::GivenName, "<b>Rosa</b> \"O'Neil\""),
                (Field::About, "</textarea><script>alert(1)</script>"),
                (Field::SignupFor, "representative"),
                (Field::Scopes, "details"),
                (Field::Scopes, "engagements"),
            ],
            &[],
        );
        assert!(page.contains(
            r#"name="fname" type="text" value="&lt;b&gt;Rosa&lt;/b&gt; &quot;O'Neil&quot;""#
        ));
        assert!(
            page.contains("\n&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;</textarea>")
        );
        for chosen in ["representative", "details", "engagements"] {
            let input = page
                .split("<input")
                .find(|part| part.contains(&format!("value=\"{chosen}\"")));
            assert!(input.unwrap().contains(" checked"), "{chosen}");
        }
        assert_eq!(page.matches(" checked").count(), 3);
        assert!(!page.contains("<script"));
        assert!(page.contains(r#"name="redirect" value="&quot;&gt;&lt;script&gt;""#));
    }

    #[test]
    fn faults_are_listed_with_links_and_stand_beside_their_fields() {
        let faults = [
            fault(Field::GivenName, "is needed"),
            fault(Field::Scopes, "is needed; choose at least one"),
        ];
        let page = shown(&[], &faults);
        for (field, label) in [
            ("given_name", "Given name"),
            ("scopes", "What would you act in for them?"),
        ] {
            assert!(
                page.contains(&format!("<a href=\"#{field}\">{label}</a>")),
                "{field}"
            );
            assert!(page.contains(&format!("id=\"{field}\"")), "{field}");
            assert!(page.contains(&format!("id=\"{field}-fault\"")), "{field}");
        }
        assert!(page.contains(r#"aria-describedby="given_name-fault" aria-invalid="true""#));
        assert!(page.contains(r#"aria-describedby="scopes-help scopes-fault""#));
        assert_eq!(page.matches("aria-invalid").count(), 1 + SCOPES.len());
        assert!(page.contains("Once more."));
    }

    #[test]
    fn every_label_names_an_input_that_is_there() {
        let page = shown(&[], &[]);
        let named = |attribute: &str| -> BTreeSet<String> {
            let start = format!(" {attribute}=\"");
            let parts = page.split(&start).skip(1);
            parts
                .filter_map(|part| part.split('"').next())
                .map(str::to_owned)
                .collect()
        };
        let ids = named("id");
        assert!(named("for").is_subset(&ids));
        let described = named("aria-describedby");
        assert!(
            described
                .iter()
                .flat_map(|all| all.split(' '))
                .all(|id| ids.contains(id))
        );
    }

    #[test]
    fn a_page_loads_nothing_and_may_lead_only_to_allow_listed_origins() {
        let settings = settings();
        let page = FormPage {
            settings: &settings,
            answers: &Answers::default(),
            faults: &[],
            notice: None,
            token: "",
            redirect: None,
        };
        let response = page.answer(StatusCode::UNPROCESSABLE_ENTITY);
        let all = |name: &str| -> Vec<String> {
            let values = response.headers().get_all(name).iter();
            values
                .map(|value| value.to_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(all("content-type"), ["text/html; charset=utf-8"]);
        assert_eq!(all("referrer-policy"), ["same-origin"]);
        let policy = all("content-security-policy").concat();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(policy.contains("; form-action 'self' https://www.northside.example; "));
    }

    #[test]
    fn a_refusal_is_a_page_too_and_keeps_its_headers() {
        let response = refused(Problem::unavailable());
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let kinds = response.headers().get_all(header::CONTENT_TYPE);
        assert_eq!(
            kinds.iter().collect::<Vec<_>>(),
            ["text/html; charset=utf-8"]
        );
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
