//! The tables: by operation, of one match, of a month.

use std::collections::BTreeMap;
use std::fmt::Write;

use functions::api::FAMILIES;
use serde_json::{Value, json};

use super::count::{Counted, Tally};
use super::prices::{
    ALARMS, ANSWER_GB, API_REQUESTS, ASSUMED, BACKUP_GB, DEPLOYED_ALARMS, GB_SECONDS, GETS,
    INVOCATIONS, LOG_GB, MAILS, PRICES, PUBLISHED, PUTS, Price, QUEUE_REQUESTS, READ_UNITS,
    SCHEDULES, SECRETS, Seen, TABLE_GB, WRITE_UNITS,
};

/// One match, from signup to the first visit: these chapters of the tour, with everything that is refused, corrected
/// and looked at again in them. The community, other requests, and what goes wrong later are left out.
pub(super) const MATCH: [&str; 16] = [
    "Signup, by a partner's server",
    "Activation",
    "A representative's authority",
    "Membership",
    "A match request",
    "Staff preview",
    "Release by the schedule",
    "What Elena heard",
    "Candidate review",
    "An invitation, questions, a refusal",
    "An invitation that is accepted",
    "Conversation",
    "An introductory meeting",
    "Terms",
    "The first visit",
    "On three schedules",
];
/// A month.
const SECONDS: f64 = 30.0 * 86_400.0;
const GB: f64 = 1_073_741_824.0;
const TEMPLATE: &str = include_str!("../../../infra/aws/template.yaml");

/// What the tour took, and what it comes to.
#[derive(Debug)]
pub struct Report {
    tally: Tally,
    families: BTreeMap<String, &'static str>,
    memory: BTreeMap<String, f64>,
}

impl Report {
    /// A report of what was counted.
    #[must_use]
    pub fn new(tally: Tally) -> Self {
        Self {
            tally,
            families: families(),
            memory: memory(),
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = operations_table(&self.tally) + "\n" + &self.dearest_table();
        let of_match = self.tally.of_chapters(&MATCH);
        let _ = write!(
            text,
            "\nOne match, from signup to a booked first visit: {} requests, {} rows delivered, {} calls of the table, {} \
             read units, {} write units ({} of them the indexes'), {} mails\n",
            of_match.requests,
            of_match.deliveries,
            of_match.calls,
            of_match.reads(),
            of_match.all_writes(),
            of_match.index_writes,
            of_match.mails,
        );
        let nights = self.tally.of_nights();
        let _ = writeln!(
            text,
            "The tour's nights, each over the whole community of some 300 support workers: {} steps, {} read units, {} write units",
            nights.deliveries,
            nights.reads(),
            nights.all_writes(),
        );
        let _ = writeln!(text, "\nA month's cost in dollars, {PUBLISHED}\n");
        text + &self.month_table() + "\n" + &prices_table()
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let operations: Vec<Value> = self
            .dearest()
            .into_iter()
            .map(|(operation, counted, dollars)| json!({"operation": operation, "function": self.function(operation), "counted": counted, "dollars": dollars}))
            .collect();
        let used: Vec<Value> = self
            .used_in_a_month()
            .into_iter()
            .map(
                |used| json!({"price": used.price, "a_match": used.a_match, "anyway": used.anyway}),
            )
            .collect();
        json!({
            "operations": operations,
            "chapters": self.tally.by_chapter(),
            "match": {"chapters": MATCH, "counted": self.tally.of_chapters(&MATCH)},
            "prices": PUBLISHED,
            "assumed": ASSUMED,
            "used": used,
            "months": MATCHES_A_MONTH.map(|matches| json!({"matches": matches, "dollars": self.month(matches, true), "dollars_without_free": self.month(matches, false)})),
        })
    }
}

/// The table by operation, which a snapshot keeps.
#[must_use]
pub fn operations_table(tally: &Tally) -> String {
    let by_operation = tally.by_operation();
    let width = by_operation
        .keys()
        .map(|name| name.len())
        .max()
        .unwrap_or(0);
    let mut text = format!(
        "{:width$} {:>6} {:>6} {:>7} {:>7} {:>8} {:>6} {:>6} {:>6} {:>5} {:>5}\n",
        "operation",
        "times",
        "calls",
        "reads",
        "writes",
        "indexes",
        "queued",
        "later",
        "mails",
        "puts",
        "gets",
    );
    let mut row = |name: &str, counted: Counted| {
        let _ = writeln!(
            text,
            "{name:width$} {:>6} {:>6} {:>7} {:>7} {:>8} {:>6} {:>6} {:>6} {:>5} {:>5}",
            counted.requests + counted.deliveries,
            counted.calls,
            counted.reads(),
            counted.writes,
            counted.index_writes,
            counted.messages,
            counted.schedules,
            counted.mails,
            counted.puts,
            counted.gets,
        );
    };
    for (operation, counted) in &by_operation {
        row(operation, *counted);
    }
    row("all", tally.sum());
    text
}

const MATCHES_A_MONTH: [u32; 2] = [1_000, 1_000_000];

/// How much of something one match uses, and how much a month uses without any.
struct Used {
    price: Price,
    a_match: f64,
    anyway: f64,
}

impl Used {
    fn dollars(&self, matches: u32, free: bool) -> f64 {
        let units = self.a_match * f64::from(matches) + self.anyway;
        let free = if free { self.price.free } else { 0.0 };
        (units - free).max(0.0) / self.price.each * self.price.dollars
    }
}

impl Report {
    fn month(&self, matches: u32, free: bool) -> f64 {
        let used = self.used_in_a_month().into_iter();
        used.map(|used| used.dollars(matches, free)).sum()
    }

    fn month_table(&self) -> String {
        let mut text = format!("{:34} {:>12} {:>12}", "", "a match uses", "else a month");
        for matches in MATCHES_A_MONTH {
            let _ = write!(
                text,
                " {:>12} {:>12}",
                format!("{matches} matches"),
                "after free"
            );
        }
        text.push('\n');
        for used in self.used_in_a_month() {
            let _ = write!(
                text,
                "{:34} {:>12.6} {:>12.0}",
                used.price.what, used.a_match, used.anyway
            );
            for matches in MATCHES_A_MONTH {
                let (all, after) = (used.dollars(matches, false), used.dollars(matches, true));
                let _ = write!(text, " {all:>12.2} {after:>12.2}");
            }
            text.push('\n');
        }
        let _ = write!(text, "{:34} {:>12} {:>12}", "all", "", "");
        for matches in MATCHES_A_MONTH {
            let (all, after) = (self.month(matches, false), self.month(matches, true));
            let _ = write!(text, " {all:>12.2} {after:>12.2}");
        }
        text.push('\n');
        text
    }

    fn used_in_a_month(&self) -> Vec<Used> {
        let told = self.tally.in_chapters(&MATCH);
        let mut used = self.used(told.map(|(place, counted)| (place.operation.as_str(), *counted)));
        for (price, anyway) in used_anyway() {
            match used.iter_mut().find(|used| used.price.what == price.what) {
                Some(used) => used.anyway = anyway,
                None => used.push(Used {
                    price,
                    a_match: 0.0,
                    anyway,
                }),
            }
        }
        used
    }

    fn used<'a>(&self, counts: impl Iterator<Item = (&'a str, Counted)>) -> Vec<Used> {
        let counts: Vec<_> = counts.collect();
        let gb_seconds = counts
            .iter()
            .map(|(operation, counted)| self.gb_seconds(operation, counted));
        let gb_seconds = gb_seconds.sum::<f64>();
        let all: Counted = counts.iter().map(|(_, counted)| *counted).sum();
        let invocations = all.requests + all.deliveries + all.dispatches;
        let rows = (all.messages + all.schedules) as f64;
        let log_bytes = invocations as f64 * ASSUMED.log_bytes
            + all.requests as f64 * ASSUMED.request_log_bytes;
        [
            (API_REQUESTS, all.requests as f64),
            (INVOCATIONS, invocations as f64),
            (GB_SECONDS, gb_seconds),
            (READ_UNITS, all.reads()),
            (WRITE_UNITS, all.all_writes() as f64),
            (TABLE_GB, all.kept_bytes as f64 / GB),
            (BACKUP_GB, all.kept_bytes as f64 / GB),
            (QUEUE_REQUESTS, rows * ASSUMED.queue_requests_per_row),
            (SCHEDULES, all.schedules as f64),
            (PUTS, all.puts as f64),
            (GETS, all.gets as f64),
            (MAILS, all.mails as f64),
            (LOG_GB, log_bytes / GB),
            (ANSWER_GB, all.requests as f64 * ASSUMED.answer_bytes / GB),
        ]
        .map(|(price, a_match)| Used {
            price,
            a_match,
            anyway: 0.0,
        })
        .into()
    }

    fn gb_seconds(&self, operation: &str, counted: &Counted) -> f64 {
        let ms = (counted.requests + counted.deliveries) as f64 * ASSUMED.invocation_ms
            + counted.calls as f64 * ASSUMED.table_call_ms
            + (counted.puts + counted.gets + counted.mails) as f64 * ASSUMED.other_call_ms;
        let dispatched = counted.dispatches as f64 * ASSUMED.dispatch_ms;
        let memory = self.memory.get(&self.function(operation)).copied();
        (ms * memory.unwrap_or(DEFAULT_GB) + dispatched * DEFAULT_GB) / 1_000.0
    }

    /// What each operation of the tour costs at the list price, the dearest first.
    fn dearest(&self) -> Vec<(&str, Counted, f64)> {
        let by_operation = self.tally.by_operation().into_iter();
        let mut priced: Vec<_> = by_operation
            .map(|(operation, counted)| {
                let used = self.used(std::iter::once((operation, counted)));
                let dollars = used.iter().map(|used| used.dollars(1, false)).sum::<f64>();
                (operation, counted, dollars)
            })
            .collect();
        priced.sort_by(|one, other| other.2.total_cmp(&one.2));
        priced
    }

    fn dearest_table(&self) -> String {
        let mut text = format!(
            "{:60} {:>5} {:>12} {:>12} {:>13}\n",
            "the dearest operations of the tour",
            "times",
            "dollars/1M",
            "write units",
            "dollars/1M each"
        );
        for (operation, counted, dollars) in self.dearest().into_iter().take(12) {
            let times = counted.requests + counted.deliveries;
            let _ = writeln!(
                text,
                "{operation:60} {times:>5} {:>12.0} {:>12} {:>13.1}",
                dollars * 1e6,
                counted.all_writes(),
                dollars * 1e6 / times as f64
            );
        }
        text
    }

    /// The function that carries an operation out, as the template calls it.
    fn function(&self, operation: &str) -> String {
        let name = match operation.split_once(": ") {
            Some((consumer, _)) => consumer,
            None => {
                let route = operation.split_once(' ').map_or("", |(_, route)| route);
                self.families.get(route).copied().unwrap_or_default()
            }
        };
        let words = name.split('-').map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_uppercase() + rest
        });
        words.collect()
    }
}

/// The price lists, as far as they are used, and what is assumed.
fn prices_table() -> String {
    let mut text = format!(
        "{:34} {:>12} {:>12} {:>14}  published in\n",
        "", "dollars", "for", "free a month"
    );
    for price in PRICES {
        let seen = match price.seen {
            Seen::Aws => "seen there",
            Seen::Others => "seen where others quote it",
            Seen::NotChecked => "not looked up again",
        };
        let _ = writeln!(
            text,
            "{:34} {:>12} {:>12} {:>14}  {}; {seen}",
            price.what, price.dollars, price.each, price.free, price.page
        );
    }
    let _ = writeln!(
        text,
        "\nassumed: {} ms for a call of the table, {} ms of the bucket or the mail service, {} ms for an invocation by \
         itself, {} ms for dispatch; {} bytes of log an invocation and {} a request; answers of {} bytes; {} queue \
         requests a row",
        ASSUMED.table_call_ms,
        ASSUMED.other_call_ms,
        ASSUMED.invocation_ms,
        ASSUMED.dispatch_ms,
        ASSUMED.log_bytes,
        ASSUMED.request_log_bytes,
        ASSUMED.answer_bytes,
        ASSUMED.queue_requests_per_row,
    );
    text
}

/// What a month takes where nobody asks for anything.
fn used_anyway() -> [(Price, f64); 6] {
    const SWEEPS: f64 = SECONDS / 300.0;
    const BUCKETS: f64 = 16.0;
    // Five pollers on each of four queues, each waiting for up to 20 s.
    const POLLS: f64 = 4.0 * 5.0 * SECONDS / 20.0;
    [
        (INVOCATIONS, SWEEPS),
        (
            GB_SECONDS,
            SWEEPS * (BUCKETS * ASSUMED.table_call_ms + ASSUMED.invocation_ms) / 1_000.0
                * DEFAULT_GB,
        ),
        (READ_UNITS, SWEEPS * BUCKETS / 2.0),
        (QUEUE_REQUESTS, POLLS),
        (ALARMS, DEPLOYED_ALARMS),
        (SECRETS, 1.0),
    ]
}

const DEFAULT_GB: f64 = 0.25;

/// The family of every route.
fn families() -> BTreeMap<String, &'static str> {
    let mut families = BTreeMap::new();
    for (family, routes) in FAMILIES {
        let (_, document) = routes().split_for_parts();
        families.extend(document.paths.paths.into_keys().map(|path| (path, *family)));
    }
    families
}

/// The memory in GB of every function that has another than the template's default.
fn memory() -> BTreeMap<String, f64> {
    let mut memory = BTreeMap::new();
    let mut function = "";
    for line in TEMPLATE.lines() {
        if let Some((_, name)) = line.split_once("FunctionName: !Sub ${AWS::StackName}-") {
            function = name;
        } else if let Some((_, megabytes)) = line.split_once("MemorySize: ")
            && !function.is_empty()
        {
            let digits = megabytes.split_whitespace().next().unwrap_or_default();
            let megabytes: f64 = digits.parse().expect("a memory size in MB");
            memory.insert(function.to_owned(), megabytes / 1_024.0);
        }
    }
    memory
}
