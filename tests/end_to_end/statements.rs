//! The statement of an engagement for one month: what is charged, on what it rests, and that it adds up.

use chrono::{DateTime, Utc};
use domain::access::StaffRole;
use rapport_tests::people::{settle_representative, settle_staff};
use rapport_tests::visits::at_home;
use serde_json::{Value, json};

use crate::engaged::Engaged;

struct Month {
    engaged: Engaged,
}

impl Month {
    async fn settle() -> Self {
        let engaged = Engaged::settle().await;
        let context = engaged.world.context();
        settle_staff(context, "mina", StaffRole::Mediator).await;
        settle_staff(context, "cora", StaffRole::Coordinator).await;
        settle_representative(context, "rosa", engaged.client, |_| {}).await;
        Self { engaged }
    }

    async fn book(&self, day: u32) -> String {
        let starts = format!("2026-03-{day:02}T09:00:00");
        self.engaged.book(&at_home(&starts)).await
    }

    async fn at(&self, at: &str) {
        let at: DateTime<Utc> = at.parse().unwrap();
        let world = &self.engaged.world;
        world.advance_by(at - world.now()).await;
    }

    async fn done(&self, subject: &str, path: String, body: Value) {
        let caller = self.engaged.world.as_(subject);
        caller.post(&path, &body).await.expect(201);
    }

    /// Worked on its day, from nine to this time by the clock of Melbourne.
    async fn work(&self, visit: &str, day: u32, until: &str) {
        self.at(&format!("2026-03-{:02}T22:00:00Z", day - 1)).await;
        self.done("wanda", format!("{visit}/start"), json!({}))
            .await;
        self.at(&format!("2026-03-{day:02}T01:59:00Z")).await;
        let at = json!({"at": format!("2026-03-{day:02}T{until}:00+11:00")});
        self.done("wanda", format!("{visit}/completion"), at).await;
    }

    fn path(&self, month: &str) -> String {
        format!(
            "/v1/engagements/{}/statements/{month}",
            self.engaged.engagement
        )
    }
}

fn id(visit: &str) -> &str {
    visit.rsplit('/').next().unwrap()
}

/// Days on which each of the things happens that a line can rest on.
async fn full_month() -> (Month, Vec<(String, &'static str, u64)>) {
    let month = Month::settle().await;
    let mut visits = Vec::new();
    for day in 4..=12 {
        visits.push(month.book(day).await);
    }
    let [
        confirmed,
        silent,
        settled,
        disputed,
        late,
        waived,
        in_time,
        missed,
        open,
    ] = &*visits
    else {
        panic!("as many as were made")
    };
    let reason = json!({"reason": "Things have changed."});
    let at_cost = json!({"reason": "Things have changed.", "charge": {
        "client_pays": 11_070, "worker_gets": 10_800, "service_keeps": 270
    }});
    month
        .done("ana", format!("{in_time}/cancellation"), reason.clone())
        .await;
    month.work(confirmed, 4, "12:00").await;
    let seen = json!({"minutes": 180, "charge": {
        "client_pays": 16_605, "worker_gets": 16_200, "service_keeps": 405
    }});
    month
        .done("rosa", format!("{confirmed}/confirmation"), seen)
        .await;
    month.work(silent, 5, "10:31").await;
    month.work(settled, 6, "11:00").await;
    month
        .done("ana", format!("{settled}/dispute"), reason.clone())
        .await;
    let half = json!({"payable_minutes": 61, "reason": "Both agree on it."});
    month
        .done("mina", format!("{settled}/dispute-settlement"), half)
        .await;
    month.work(disputed, 7, "11:00").await;
    month
        .done("ana", format!("{disputed}/dispute"), reason)
        .await;
    month.at("2026-03-07T22:00:00Z").await;
    month
        .done("ana", format!("{late}/cancellation"), at_cost.clone())
        .await;
    month.at("2026-03-08T12:00:00Z").await;
    month
        .done("rosa", format!("{waived}/cancellation"), at_cost)
        .await;
    let waiver = json!({"grounds": "hardship", "reason": "She could not help it."});
    let ada = month.engaged.world.administrator();
    ada.post(&format!("{waived}/waiver"), &waiver)
        .await
        .expect(201);
    month.at("2026-03-11T12:00:00Z").await;
    let expected = [
        (confirmed, "confirmed", 16_605),
        // 91 minutes at 54.00 are 81.90, and 2.05 on top.
        (silent, "silence", 8_395),
        // 61 minutes are 54.90, and 1.37 on top.
        (settled, "settled", 5_627),
        (disputed, "disputed", 0),
        (late, "cancelled_late", 11_070),
        (waived, "waived", 0),
        (missed, "missed", 0),
        (open, "open", 0),
    ];
    let expected = expected.map(|(visit, basis, pays)| (id(visit).to_owned(), basis, pays));
    (month, expected.to_vec())
}

#[tokio::test]
async fn a_statement_names_every_basis_and_adds_up() {
    let (month, expected) = full_month().await;
    let world = &month.engaged.world;
    let path = month.path("2026-03");
    let shown = world.as_("ana").get(&path).await.expect(200);
    let lines = shown["lines"].as_array().unwrap();
    let found: Vec<(String, &str, u64)> = lines
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap();
            let pays = line["client_pays"].as_u64().unwrap();
            (text("visit").to_owned(), text("basis"), pays)
        })
        .collect();
    assert_eq!(found, expected);
    for part in ["client_pays", "worker_gets", "service_keeps"] {
        let sum: u64 = lines.iter().map(|line| line[part].as_u64().unwrap()).sum();
        assert_eq!(shown["total"][part], sum);
    }
    assert_eq!(
        shown["total"]["client_pays"],
        16_605 + 8_395 + 5_627 + 11_070
    );
    assert_eq!(lines[0]["from"], "2026-03-04T09:00:00+11:00");
    assert_eq!(
        (&lines[0]["booked_minutes"], &lines[0]["worked_minutes"]),
        (&json!(120), &json!(180))
    );
    for subject in ["rosa", "wanda", "cora"] {
        let theirs = world.as_(subject).get(&path).await.expect(200);
        assert_eq!(theirs.json(), shown.json());
    }
    world.as_("mina").get(&path).await.expect(403);
    for empty in ["2026-02", "2026-04"] {
        let other = world.as_("ana").get(&month.path(empty)).await.expect(200);
        assert_eq!(other["lines"], json!([]));
        assert_eq!(other["total"]["client_pays"], 0);
    }
    for wrong in ["2026-13", "2026-3", "march"] {
        world.as_("ana").get(&month.path(wrong)).await.expect(404);
    }
}

#[tokio::test]
async fn the_file_says_the_same_to_any_reader_of_csv() {
    let (month, expected) = full_month().await;
    let caller = month.engaged.world.as_("wanda");
    let path = month.path("2026-03");
    let json = caller.get(&path).await.expect(200);
    let file = caller
        .ask(reqwest::Method::GET, &path, |request| {
            request.header("accept", "text/csv")
        })
        .await
        .expect(200);
    let kind = file.header("content-type").unwrap();
    assert!(kind.starts_with("text/csv; charset=utf-8"), "{kind}");
    assert_eq!(file.header("vary"), Some("accept"));
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"statement-2026-03.csv\"")
    );
    assert!(file.text().ends_with("\r\n"));
    assert!(file.text().lines().count() == expected.len() + 2);
    let cents = |amount: &str| -> u64 {
        let (units, cents) = amount.split_once('.').unwrap();
        assert_eq!(cents.len(), 2);
        units.parse::<u64>().unwrap() * 100 + cents.parse::<u64>().unwrap()
    };
    let mut reader = csv::Reader::from_reader(file.text().as_bytes());
    let columns = reader.headers().unwrap().clone();
    let column = |name: &str| columns.iter().position(|it| it == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let (total, lines) = rows.split_last().unwrap();
    assert_eq!(&total[0], "total");
    for (line, shown) in lines.iter().zip(json["lines"].as_array().unwrap()) {
        for field in ["visit", "date", "from", "until", "basis"] {
            assert_eq!(line[column(field)], *shown[field].as_str().unwrap());
        }
        for field in ["booked_minutes", "worked_minutes"] {
            let number = shown[field].as_u64();
            assert_eq!(
                line[column(field)],
                number.map_or(String::new(), |it| it.to_string())
            );
        }
        for part in ["client_pays", "worker_gets", "service_keeps"] {
            assert_eq!(cents(&line[column(part)]), shown[part].as_u64().unwrap());
        }
        // Nothing that a spreadsheet would reckon with.
        assert!(
            line.iter()
                .all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r']))
        );
    }
    assert_eq!(lines.len(), expected.len());
    for part in ["client_pays", "worker_gets", "service_keeps"] {
        let sum: u64 = lines.iter().map(|line| cents(&line[column(part)])).sum();
        assert_eq!(cents(&total[column(part)]), sum);
        assert_eq!(json["total"][part], sum);
    }
}
