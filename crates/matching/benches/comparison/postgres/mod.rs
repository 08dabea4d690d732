//! PostgreSQL, as well as it can be made to do the same: one row for each support worker, the best of three indexes,
//! the hard rules as compares of bits, the score as an expression, ten rows.
//!
//! Times are taken inside the server, by a loop over the prepared requests: nothing of the network or a client is in
//! them. What it does not do is in its favour; see `query.sql`.

mod rows;
mod server;

use std::time::Duration;

use domain::packed::IndexRecord;

use crate::Error;
use crate::timing::Times;
use crate::world::{TenBest, World};
use rows::{RequestRow, write_workers};
use server::Server;

/// What came of it.
pub(crate) struct Measured {
    pub(crate) version: String,
    pub(crate) times: Times,
    /// The index and the plans that were the fastest.
    pub(crate) best_way: String,
    pub(crate) asked: usize,
    /// Of the requests that ask for nothing it leaves out, how many gave the same ten; and how many those are.
    pub(crate) agreed: (usize, usize),
}

/// A way to find the rows around a place.
struct Way {
    name: &'static str,
    index: &'static str,
    condition: &'static str,
}

const WAYS: [Way; 3] = [
    Way {
        name: "GIN on neighbourhoods",
        index: "CREATE INDEX around ON worker USING gin (neighbourhoods)",
        condition: "w.neighbourhoods @> ARRAY[r.neighbourhood]",
    },
    Way {
        name: "GIN on neighbourhoods and services",
        index: "CREATE INDEX around ON worker USING gin (tags)",
        condition: "w.tags @> r.tags",
    },
    Way {
        name: "GiST on boxes of reach",
        index: "CREATE INDEX around ON worker USING gist (reach)",
        condition: "w.reach @> r.here",
    },
];

const PLANS: [&str; 2] = ["force_generic_plan", "force_custom_plan"];

/// Requests that decide between the ways, and the most that are timed then.
const TRIED: usize = 40;
const ASKED: usize = 200;
const ROUNDS: usize = 3;

/// Loads everybody and times the requests; none where PostgreSQL is not installed.
pub(crate) fn measure(world: &World) -> Result<Option<Measured>, Error> {
    let Some(server) = Server::start()? else {
        return Ok(None);
    };
    let requests: Vec<RequestRow> = world
        .requests
        .iter()
        .enumerate()
        .filter_map(|(number, request)| RequestRow::of(number, request))
        .take(ASKED)
        .collect();
    eprintln!("PostgreSQL: loading");
    server.ask(include_str!("schema.sql"))?;
    let ordered = in_order(&world.records);
    let anybody = &world.requests.first().ok_or("no requests")?.asked;
    server.tell("COPY worker FROM STDIN", |out| {
        write_workers(&ordered, anybody, out)
    })?;
    server.tell("COPY request FROM STDIN", |out| {
        requests.iter().try_for_each(|request| request.write(out))
    })?;
    let (way, plan) = best_way(&server, &requests)?;
    eprintln!("PostgreSQL: asking");
    way.prepare(&server)?;
    let answers = take_times(&server, plan, ROUNDS, world.requests.len())?;
    let mut agreed = (0, 0);
    for request in requests.iter().filter(|request| request.is_whole) {
        let same = answers
            .iter()
            .find(|answer| answer.number == request.number);
        agreed.1 += 1;
        let expected = world.expected.get(request.number);
        agreed.0 += usize::from(same.map(|answer| &answer.ten) == expected);
    }
    Ok(Some(Measured {
        version: server.version()?,
        asked: requests.len(),
        best_way: format!("{}, {plan}", way.name),
        times: Times {
            name: "PostgreSQL",
            numbers: answers.iter().map(|answer| answer.number).collect(),
            requests: answers.into_iter().map(|answer| answer.took).collect(),
        },
        agreed,
    }))
}

/// Neighbours next to each other, as in the other contenders.
fn in_order(records: &[IndexRecord]) -> Vec<&IndexRecord> {
    let mut keyed: Vec<_> = records
        .iter()
        .map(|record| (record.position.neighbourhood(), record))
        .collect();
    keyed.sort_by_key(|(home, record)| (*home, record.worker));
    keyed.into_iter().map(|(_, record)| record).collect()
}

impl Way {
    fn prepare(&self, server: &Server) -> Result<(), Error> {
        server.ask(
            "SET client_min_messages = warning; \
             DROP INDEX IF EXISTS around; DROP FUNCTION IF EXISTS ten_best",
        )?;
        server.ask(self.index)?;
        server.ask("VACUUM ANALYZE worker")?;
        server.ask(&include_str!("query.sql").replace("/*where*/", self.condition))?;
        Ok(())
    }
}

/// Tries every index with both ways to plan.
fn best_way(
    server: &Server,
    requests: &[RequestRow],
) -> Result<(&'static Way, &'static str), Error> {
    let upto = requests
        .get(TRIED)
        .map_or(usize::MAX, |request| request.number);
    let mut best: Option<(f64, &Way, &str)> = None;
    for way in &WAYS {
        eprintln!("PostgreSQL: {}", way.name);
        way.prepare(server)?;
        for plan in PLANS {
            let answers = take_times(server, plan, 2, upto)?;
            let took: f64 = answers.iter().map(|answer| answer.took.as_secs_f64()).sum();
            if best.is_none_or(|(least, _, _)| took < least) {
                best = Some((took, way, plan));
            }
        }
    }
    let (_, way, plan) = best.ok_or("nothing was tried")?;
    Ok((way, plan))
}

struct Answer {
    number: usize,
    took: Duration,
    ten: TenBest,
}

/// The best of some rounds for every request below a number.
fn take_times(
    server: &Server,
    plan: &str,
    rounds: usize,
    upto: usize,
) -> Result<Vec<Answer>, Error> {
    let upto = i32::try_from(upto).unwrap_or(i32::MAX);
    let answers = server.ask(&format!(
        "SET plan_cache_mode = {plan}; CALL take_times({rounds}, {upto}); \
         SELECT number, min(took), coalesce(min(ids), ''), coalesce(min(scores), '') \
         FROM answer GROUP BY number ORDER BY number"
    ))?;
    answers.lines().map(read_answer).collect()
}

fn read_answer(line: &str) -> Result<Answer, Error> {
    let mut columns = line.split('\t');
    let mut next = || columns.next().ok_or("a column is missing");
    let number = next()?.parse()?;
    let took = Duration::from_secs_f64(next()?.parse()?);
    let (ids, scores) = (next()?, next()?);
    let ten = ids.split_whitespace().zip(scores.split_whitespace());
    let ten = ten.map(|(id, score)| {
        let id = uuid::Uuid::parse_str(id)?;
        Ok((domain::id::WorkerId::from_uuid(id), score.parse()?))
    });
    Ok(Answer {
        number,
        took,
        ten: ten.collect::<Result<_, Error>>()?,
    })
}
