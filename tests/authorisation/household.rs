//! One client, everybody around them, and everything that the operations are about.

mod invited;

use std::cell::Cell;
use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::access::{Acting, AuthorityState, Scope, StaffRole};
use domain::alert::{Alert, AlertCause};
use domain::attachment::{Attachment, MediaType};
use domain::conversation::{
    Content, ConversationAttachment, ConversationRead, Delay, LONGEST_DELAY, Message, READ_LASTS,
};
use domain::engagement::{Engagement, EngagementState, Side};
use domain::id::{
    AttachmentKind, ClientId, ConversationReadKind, EngagementId, MessageId, MessageKind, WorkerId,
};
use domain::meeting::Meeting;
use domain::notice::Event;
use domain::pair::Pair;
use domain::person::Roles;
use domain::support_worker::SupportWorker;
use domain::visit::Visit;
use platform::signature::PartnerSecret;
use rapport_tests::answer::Answer;
use rapport_tests::document::Document;
use rapport_tests::parked::parked_row;
use rapport_tests::people::{
    modest_terms, settle_client, settle_engagement, settle_person, settle_representative,
    settle_staff, settle_terms,
};
use rapport_tests::signups::{Partner, sign_up};
use rapport_tests::visits::{
    agree_terms, at_home, engagement_of, settle_change_request, settle_cover, settle_proposal,
    settle_series, settle_visit,
};
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::{Actor, Commit, InboxItem, Key, due_token};

const STAFF: [(&str, StaffRole); 4] = [
    ("admin", StaffRole::Administrator),
    ("coord", StaffRole::Coordinator),
    ("superv", StaffRole::Supervisor),
    ("mediat", StaffRole::Mediator),
];

/// What is done about candidates who can be seen, and so about another request than the one that waits.
const SHOWN: [&str; 4] = [
    "/candidates/{candidate}",
    "/known-workers",
    "/fulfilment",
    "/replenishment",
];

const WORKERS: [&str; 4] = ["rival", "worker", "ended", "blocked"];

/// Where a family lives of whom everybody's relation to everything is known.
pub(crate) struct Household<'w> {
    world: &'w World,
    /// Tells this household's logins and keys from those of others in the same world.
    number: u128,
    keys: Cell<u64>,
    changed: bool,
    /// What stands for each parameter of a path, and for each kind of id in a body.
    ids: BTreeMap<&'static str, String>,
    /// The same where it differs for one actor: the engagement of those whose own has ended.
    own: BTreeMap<(&'static str, &'static str), String>,
}

impl<'w> Household<'w> {
    pub(crate) async fn settle(world: &'w World, document: &Document) -> Self {
        let context = world.context();
        let number = u128::from_be_bytes(context.ids.random_bytes());
        let mut household = Self {
            world,
            number,
            keys: Cell::new(0),
            changed: false,
            ids: BTreeMap::new(),
            own: BTreeMap::new(),
        };
        let subject = |actor: &str| subject_of(actor, number);
        let (client, person) = settle_client(context, &subject("client")).await;
        settle_client(context, &subject("other")).await;
        let stranger = settle_person(context, &subject("stranger"), Roles::default()).await;
        for worker in WORKERS {
            settle_person(context, &subject(worker), Roles::default()).await;
        }
        let representative = |actor, change: fn(&mut domain::access::Authority)| {
            let subject = subject(actor);
            async move { settle_representative(context, &subject, client, change).await }
        };
        let acting = representative("repr", |_| {}).await;
        representative("limited", |held| held.scopes = [Scope::SupportPlans].into()).await;
        representative("claimed", |held| held.state = AuthorityState::Claimed).await;
        representative("revoked", |held| held.state = AuthorityState::Revoked).await;
        representative("expired", |held| held.until = Some(held.from)).await;
        representative("early", |held| held.from += TimeDelta::days(1)).await;
        for (actor, role) in STAFF {
            let id = settle_staff(context, &subject(actor), role).await;
            household.ids.insert(actor, id.to_string());
        }
        household.ids.insert("stranger", stranger.to_string());
        household.ids.insert("client", client.to_string());
        household.ids.insert("person", person.to_string());
        household.ids.insert("repr", acting.to_string());
        household.furnish(document).await;
        household.engage(client).await;
        household.negotiate(document).await;
        household.invite().await;
        household.get_acquainted(document).await;
        household.subscribe(document).await;
        household.alert().await;
        household.ids.insert("month", "2026-05".to_owned());
        let row = due_token(&parked_row(context).await);
        household.ids.insert("row", row);
        household
    }

    /// What there are routes for is made through them, from the document's own examples.
    async fn furnish(&mut self, document: &Document) {
        let plan = self.make(document, "admin", "/v1/membership-plans").await;
        self.ids.insert("plan", plan.string("id"));
        let client = self.path("/v1/clients/{client}", "admin");
        let admin = self.subject("admin");
        let admin = self.world.as_(&admin);
        let shown = admin.get(&client).await.expect(200);
        let assign = json!({"plan": plan["id"], "reason": "Chosen."});
        admin
            .put(&format!("{client}/membership"), &shown.etag(), &assign)
            .await
            .expect(200);

        let role = json!({});
        for actor in WORKERS {
            let subject = self.subject(actor);
            let registered = self
                .world
                .as_(&subject)
                .post("/v1/support-workers", &role)
                .await;
            self.ids.insert(actor, registered.expect(201).string("id"));
        }

        let partner = self.make(document, "admin", "/v1/partners").await;
        self.ids.insert("partner", partner.string("id"));
        self.ids.insert("form", partner.string("form"));
        let key = self
            .make(document, "admin", "/v1/partners/{partner}/keys")
            .await;
        self.ids.insert("number", key["number"].to_string());

        let partner = Partner {
            id: partner.string("id"),
            form: partner.string("form"),
            secret: PartnerSecret::from_text(key.string("secret")),
        };
        let rosa = json!({
            "fname": "Rosa", "family_name": "Marchetti", "email": "rosa@people.example",
            "birth_date": "1941-05-30"
        });
        let sent = sign_up(self.world, &partner, "signup", &rosa).await;
        sent.expect(202);
        let signups = admin.get("/v1/signups?limit=1").await.expect(200);
        let signup = signups["items"][0]["id"].as_str().unwrap().to_owned();
        self.ids.insert("signup", signup);

        let path = "/v1/imports/clients";
        let file = document.example_body(document.operation("POST", path).unwrap());
        let file = file.unwrap().value.as_str().unwrap().to_owned();
        let import = admin.post_csv(path, &file).await.expect(201);
        self.ids.insert("import", import.string("id"));

        let request = self
            .make(document, "client", "/v1/clients/{client}/match-requests")
            .await;
        self.ids.insert("match_request", request.string("id"));
        let ticket = self.make(document, "admin", "/v1/tickets").await;
        self.ids.insert("ticket", ticket.string("id"));
        let notice = self.notice().await;
        self.ids.insert("notice", notice);
    }

    /// The client's engagements: one lives, two have ended, one of them by a block.
    async fn engage(&mut self, client: ClientId) {
        let context = self.world.context();
        let worker = |actor: &str| self.ids[actor].parse().unwrap();
        let over = |engagement: &mut Engagement| engagement.state = EngagementState::Ended;
        let live = settle_engagement(context, client, worker("worker"), |_| {}).await;
        let ended = settle_engagement(context, client, worker("ended"), over).await;
        let blocked = settle_engagement(context, client, worker("blocked"), over).await;
        let key = Key::pair(client, worker("blocked"));
        let was = context.store.get::<Pair>(&key).await.unwrap().unwrap();
        let next = Pair {
            blocked_by: [Side::Client].into(),
            ..was.value.clone()
        };
        let audit = context.audit(Actor::Service, "settle", &key);
        let commit = Commit::new(audit).replace(&was, &next);
        context.store.commit(commit).await.unwrap();
        for engagement in [live, ended, blocked] {
            self.converse(engagement).await;
        }
        self.ids.insert("engagement", live.to_string());
        self.own.insert(("ended", "engagement"), ended.to_string());
        self.own
            .insert(("blocked", "engagement"), blocked.to_string());
        for (actor, engagement, month) in [
            ("worker", live, "05"),
            ("ended", ended, "06"),
            ("blocked", blocked, "07"),
        ] {
            self.book(actor, engagement, month).await;
        }
    }

    /// A proposal that is open, a visit that is booked and that the client would have otherwise, and a series, from
    /// before the engagement ended.
    async fn book(&mut self, actor: &'static str, engagement: EngagementId, month: &str) {
        let context = self.world.context();
        let mut held = engagement_of(context, engagement).await;
        held.state = EngagementState::Open;
        agree_terms(context, &mut held);
        let worker = Key::worker(held.worker);
        let worker = context.store.get::<SupportWorker>(&worker).await.unwrap();
        let worker = worker.unwrap().value.person;
        let client = self.ids["person"].parse().unwrap();
        let visit = at_home(&format!("2026-{month}-05T09:00:00"));
        let open = settle_proposal(context, &held, worker, &visit).await;
        let accepted = settle_proposal(context, &held, worker, &visit).await;
        let booked = settle_visit(context, &accepted, [client, worker]).await;
        // Somebody is looked for to come to each; the support worker of the living engagement is asked to come to
        // the visit of the one that has ended.
        let asked: Vec<WorkerId> = (actor == "ended")
            .then(|| self.ids["worker"].parse().unwrap())
            .into_iter()
            .collect();
        let cover = settle_cover(context, booked, &asked).await;
        let request = settle_change_request(context, booked, client).await;
        let series = settle_series(context, &held, [client, worker], &visit).await;
        for (name, id) in [
            ("proposal", open.id.to_string()),
            ("visit", booked.to_string()),
            ("request", request.to_string()),
            ("series", series.to_string()),
            ("cover", cover.to_string()),
        ] {
            if actor == "worker" {
                self.ids.insert(name, id);
            } else {
                self.own.insert((actor, name), id);
            }
        }
        if actor == "ended" {
            self.own.insert(("worker", "cover"), cover.to_string());
        }
    }

    /// A message with a file, and a reading by staff that nobody knows of yet: under the same ids in every
    /// engagement, so that they are everybody's own.
    async fn converse(&mut self, engagement: EngagementId) {
        let (context, now) = (self.world.context(), self.world.now());
        let mut id =
            |name, fresh: String| -> String { self.ids.entry(name).or_insert(fresh).clone() };
        let message = id("message", context.fresh::<MessageKind>().to_string());
        let message: MessageId = message.parse().unwrap();
        let attachment = id("attachment", context.fresh::<AttachmentKind>().to_string());
        let read = id("read", context.fresh::<ConversationReadKind>().to_string());
        let delay = Delay {
            by: self.ids["superv"].parse().unwrap(),
            reason: "Not to be known yet.".to_owned(),
            until: now + LONGEST_DELAY,
        };
        let read = ConversationRead {
            id: read.parse().unwrap(),
            engagement,
            by: self.ids["admin"].parse().unwrap(),
            at: now,
            reason: "Asked to.".to_owned(),
            until: now + READ_LASTS,
            delay: Some(delay),
            disclosed_at: None,
        };
        let by = self.ids["person"].parse().unwrap();
        let file = Attachment {
            id: attachment.parse().unwrap(),
            name: "plan.pdf".to_owned(),
            media_type: MediaType::Pdf,
            bytes: 48_213,
        };
        let content = Content::Written {
            side: Side::Client,
            acting: Acting::by(by),
            text: "Here it is.".to_owned(),
            attachments: vec![file.clone()],
        };
        let written = Message {
            id: message,
            engagement,
            at: now,
            content,
        };
        let kept = ConversationAttachment {
            engagement,
            file,
            by,
            at: now,
            message: Some(message),
        };
        let audit = context.audit(Actor::Service, "settle", &Key::engagement(engagement));
        let commit = Commit::new(audit)
            .insert(&written)
            .insert(&kept)
            .insert(&read);
        context.store.commit(commit).await.unwrap();
    }

    /// A funding scheme; terms in force in every engagement, and in the living one an offer by the support worker.
    async fn negotiate(&mut self, document: &Document) {
        let (world, code) = (self.world, format!("s-{:032x}", self.number));
        self.ids.insert("scheme", code);
        let operation = document.operation("PUT", "/v1/funding-schemes/{scheme}");
        let scheme = document.example_body(operation.unwrap()).unwrap().value;
        let path = self.path("/v1/funding-schemes/{scheme}", "admin");
        let admin = self.subject("admin");
        let put = world.as_(&admin).put(&path, "\"0\"", &scheme).await;
        put.expect(200);

        let worker = self.subject("worker");
        let worker = world.as_(&worker);
        let path = self.path("/v1/support-workers/{worker}", "worker");
        let etag = worker.get(&path).await.expect(200).etag();
        let offers = json!({"services": [{"service": "social_support", "hourly_rate": 5400}]});
        let put = worker.put(&format!("{path}/profile"), &etag, &offers).await;
        put.expect(200);
        for actor in ["worker", "ended", "blocked"] {
            let engagement = self.parameter("", "engagement", actor).parse().unwrap();
            settle_terms(world.context(), engagement, &modest_terms()).await;
            if actor != "worker" {
                self.own.insert((actor, "version"), "1".to_owned());
            }
        }
        let open = self
            .make(document, "worker", "/v1/engagements/{engagement}/offers")
            .await;
        self.ids.insert("version", open["version"].to_string());
    }

    /// A meeting in every engagement, and a report that the client made in theirs.
    async fn get_acquainted(&mut self, document: &Document) {
        let meetings = "/v1/engagements/{engagement}/meetings";
        let meeting = self.make(document, "client", meetings).await;
        self.ids.insert("meeting", meeting.string("id"));
        let id = meeting.string("id").parse().unwrap();
        let context = self.world.context();
        let live: EngagementId = self.ids["engagement"].parse().unwrap();
        let found = context.store.get::<Meeting>(&Key::meeting(live, id)).await;
        let meeting = found.unwrap().unwrap().value;
        for actor in ["ended", "blocked"] {
            let engagement = self.own[&(actor, "engagement")].parse().unwrap();
            let meeting = Meeting {
                id: context.fresh(),
                engagement,
                ..meeting.clone()
            };
            let key = Key::engagement(engagement);
            let audit = context.audit(Actor::Service, "settle", &key);
            let commit = Commit::new(audit).insert(&meeting);
            context.store.commit(commit).await.unwrap();
            self.own.insert((actor, "meeting"), meeting.id.to_string());
        }
        let reports = "/v1/engagements/{engagement}/reports";
        // One that stops nothing: what others do in the engagement is to be seen, too.
        let told = json!({"kind": "complaint", "what": "Late again.", "stop_visits": false});
        let client = self.subject("client");
        let report = self
            .world
            .as_(&client)
            .post(&self.path(reports, "client"), &told)
            .await;
        let report = report.expect(201);
        self.ids.insert("report", report.string("id"));
    }

    /// The client's link to their calendar, the first that they have opened.
    async fn subscribe(&mut self, document: &Document) {
        let link = self.make(document, "client", "/v1/me/calendar-links").await;
        let path = link.string("calendar");
        let (_, token) = path.rsplit_once('/').unwrap();
        self.ids
            .insert("token", token.trim_end_matches(".ics").to_owned());
        assert_eq!(link["number"], 1);
    }

    /// An alert about the client's visit, of which nobody has been told yet.
    async fn alert(&mut self) {
        let context = self.world.context();
        let (cause, about) = (AlertCause::VisitNotStarted, &self.ids["visit"]);
        let alert = Alert::raise(context.fresh(), cause, about, context.now());
        let key = Key::visit(about.parse().unwrap());
        let was = context.store.get::<Visit>(&key).await.unwrap().unwrap();
        let next = Visit {
            alert: Some(alert.id),
            ..was.value.clone()
        };
        let audit = context.audit(Actor::Service, "settle", &Key::alert(alert.id));
        let commit = Commit::new(audit).insert(&alert).replace(&was, &next);
        context.store.commit(commit).await.unwrap();
        self.ids.insert("alert", alert.id.to_string());
    }

    /// Something in the client's inbox.
    async fn notice(&self) -> String {
        let context = self.world.context();
        let person = self.ids["person"].parse().unwrap();
        let item = InboxItem {
            person,
            notice: context.fresh(),
            event: Event::AccountActivated { person },
            at: context.now(),
            read_at: None,
        };
        let audit = context.audit(Actor::Service, "settle", &Key::person(person));
        context
            .store
            .commit(Commit::new(audit).insert(&item))
            .await
            .unwrap();
        item.notice.to_string()
    }

    async fn make(&self, document: &Document, actor: &str, path: &str) -> Answer {
        let operation = document.operation("POST", path);
        let operation = operation.unwrap_or_else(|| panic!("POST {path}"));
        let body = document.example_body(operation).unwrap();
        let subject = self.subject(actor);
        let caller = self.world.as_(&subject);
        let path = self.path(path, actor);
        let body = self.in_terms_of_it(body.value);
        caller.post(&path, &body).await.expect(201)
    }

    /// Whether anything was done in it since it was settled.
    pub(crate) const fn is_changed(&self) -> bool {
        self.changed
    }

    pub(crate) const fn has_changed(&mut self) {
        self.changed = true;
    }

    pub(crate) const fn world(&self) -> &'w World {
        self.world
    }

    /// The login of one of its people.
    pub(crate) fn subject(&self, actor: &str) -> String {
        subject_of(actor, self.number)
    }

    pub(crate) fn fresh_key(&self) -> String {
        self.keys.set(self.keys.get() + 1);
        format!("{:032x}-{}", self.number, self.keys.get())
    }

    /// A path of the document, leading to this household's things as they are the actor's.
    pub(crate) fn path(&self, path: &str, actor: &str) -> String {
        let parts = path.split('/').map(|part| {
            let Some(name) = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
            else {
                return part.to_owned();
            };
            self.parameter(path, name, actor)
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// Nearly always, a name means the same wherever it stands.
    fn parameter(&self, path: &str, name: &str, actor: &str) -> String {
        let named = match (path.split('/').nth(2), name) {
            (_, "match_request") if SHOWN.iter().any(|part| path.contains(part)) => "shown_request",
            (Some("staff"), "person") => "mediat",
            (Some("clients"), "person") => "repr",
            (Some("me"), "number") => return "1".to_owned(),
            (Some("audit"), "kind") => return "client".to_owned(),
            (Some("support-workers"), "kind") => return "identity".to_owned(),
            (Some("audit"), "id") => "client",
            (_, name) => name,
        };
        let own = self.own.iter().find(|(key, _)| **key == (actor, named));
        let id = own.map(|(_, id)| id).or_else(|| self.ids.get(named));
        // Of what was never made there is none: whoever may look finds nothing.
        id.cloned().unwrap_or_else(|| format!("no-{named}"))
    }

    /// A body of the document, about this household's things.
    pub(crate) fn in_terms_of_it(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.id_like(text)),
            Value::Array(values) => values
                .into_iter()
                .map(|value| self.in_terms_of_it(value))
                .collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| match &*name {
                    "assignee" => (name, json!(self.ids["admin"])),
                    "people" => (name, json!([self.ids["coord"]])),
                    "fallback" => (name, json!([self.ids["admin"]])),
                    "scheme" => (name, json!(self.ids["scheme"])),
                    _ => (name, self.in_terms_of_it(value)),
                })
                .collect(),
            other => other,
        }
    }

    fn id_like(&self, text: String) -> String {
        let own = match text.split_once('_') {
            Some(("clt", _)) => "client",
            Some(("per", _)) => "stranger",
            Some(("mpl", _)) => "plan",
            Some(("mreq", _)) => "match_request",
            Some(("wrk", _)) => "worker",
            Some(("eng", _)) => "engagement",
            Some(("prop", _)) => "proposal",
            Some(("vis", _)) => "visit",
            Some(("msg", _)) => "message",
            _ => return text,
        };
        self.ids.get(own).cloned().unwrap_or(text)
    }
}

fn subject_of(actor: &str, household: u128) -> String {
    format!("{actor}-{household:032x}")
}
