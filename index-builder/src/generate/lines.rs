//! People and requests, one JSON object a line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use domain::id::MatchRequestId;
use domain::match_request::MatchRequestDetails;
use domain::place::{Cell, cover};
use domain::support_worker::SupportWorker;
use population::Population;
use serde::Serialize;

use super::{BATCH, GenerateError, THREADS, progress};

/// The file of support workers.
pub(super) const WORKERS: &str = "support-workers.jsonl";
/// The file of match requests.
pub(super) const REQUESTS: &str = "requests.jsonl";
/// Batches that a thread may be ahead of what is written.
const AHEAD: usize = 4;

/// The numbers of the support workers whose area touches each cell, ascending.
pub(super) type Cells = BTreeMap<Cell, Vec<u32>>;

/// One line of the file of requests.
#[derive(Serialize)]
struct RequestLine {
    id: MatchRequestId,
    details: MatchRequestDetails,
}

/// Some lines, ready to be written.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Which cells each support worker's area touches; empty where nobody wants to know.
    cells: Vec<(u32, Vec<Cell>)>,
}

/// Writes everybody; how many bytes, and where `with_cells` who works where.
pub(super) fn write_workers(
    population: &Population,
    folder: &Path,
    with_cells: bool,
) -> Result<(u64, Cells), GenerateError> {
    let bar = progress("support workers", population.workers());
    let mut cells = Cells::new();
    let line = |number: u64, batch: &mut Batch| {
        let worker = population.worker(number);
        write_line(&worker, batch)?;
        if with_cells {
            // INVARIANT: at most 10,000,000 support workers.
            batch.cells.push((number as u32, cells_of(&worker)));
        }
        Ok(())
    };
    let bytes = write_lines(
        &folder.join(WORKERS),
        population.workers(),
        &line,
        |batch| {
            bar.inc(BATCH);
            for (number, touched) in batch.cells {
                for cell in touched {
                    cells.entry(cell).or_default().push(number);
                }
            }
        },
    )?;
    bar.finish_and_clear();
    Ok((bytes, cells))
}

/// Writes requests; how many bytes.
pub(super) fn write_requests(
    population: &Population,
    requests: u64,
    folder: &Path,
) -> Result<u64, GenerateError> {
    let bar = progress("match requests", requests);
    let line = |number: u64, batch: &mut Batch| {
        let request = RequestLine {
            id: population.request_id(number),
            details: population.request(number),
        };
        write_line(&request, batch)
    };
    let bytes = write_lines(&folder.join(REQUESTS), requests, &line, |_| bar.inc(BATCH))?;
    bar.finish_and_clear();
    Ok(bytes)
}

fn cells_of(worker: &SupportWorker) -> Vec<Cell> {
    let area = worker.profile.service_area.as_ref();
    area.map(|area| cover(area.base.latitude, area.base.longitude, area.radius_km))
        .unwrap_or_default()
}

fn write_line(value: &impl Serialize, batch: &mut Batch) -> Result<(), GenerateError> {
    serde_json::to_writer(&mut batch.bytes, value)?;
    batch.bytes.push(b'\n');
    Ok(())
}

/// Makes lines on every thread, each batch in its turn, and writes them in the order of their numbers.
fn write_lines(
    path: &Path,
    count: u64,
    line: &(impl Fn(u64, &mut Batch) -> Result<(), GenerateError> + Sync),
    mut written: impl FnMut(Batch),
) -> Result<u64, GenerateError> {
    let cannot = |error| GenerateError::Write(path.to_path_buf(), error);
    let mut out = BufWriter::with_capacity(1 << 20, File::create_new(path).map_err(cannot)?);
    let bytes = thread::scope(|scope| {
        let makers: Vec<Receiver<Result<Batch, GenerateError>>> = (0..THREADS as u64)
            .map(|thread| {
                let (sender, receiver) = sync_channel(AHEAD);
                scope.spawn(move || make_batches(thread, count, line, &sender));
                receiver
            })
            .collect();
        let mut bytes = 0;
        for (_, maker) in (0..count.div_ceil(BATCH)).zip(makers.iter().cycle()) {
            let batch = maker.recv().map_err(|_| GenerateError::Stopped)??;
            out.write_all(&batch.bytes).map_err(cannot)?;
            bytes += batch.bytes.len() as u64;
            written(batch);
        }
        Ok::<u64, GenerateError>(bytes)
    })?;
    let file = out
        .into_inner()
        .map_err(|error| cannot(error.into_error()))?;
    file.sync_all().map_err(cannot)?;
    Ok(bytes)
}

/// Every batch whose turn is this thread's; stops early where nobody takes them any more.
fn make_batches(
    thread: u64,
    count: u64,
    line: &impl Fn(u64, &mut Batch) -> Result<(), GenerateError>,
    sender: &SyncSender<Result<Batch, GenerateError>>,
) {
    for first in (thread * BATCH..count).step_by(BATCH as usize * THREADS) {
        let mut batch = Batch::default();
        let made =
            (first..count.min(first + BATCH)).try_for_each(|number| line(number, &mut batch));
        if sender.send(made.map(|()| batch)).is_err() {
            return;
        }
    }
}
