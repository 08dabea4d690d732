//! Seeds: what a simulation does is decided by one number, and a number that fails is printed.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::faults::Faults;

/// How much a run of the tests does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// In an ordinary `cargo test`.
    pub reduced: usize,
    /// With `RAPPORT_SIMULATION=full`; with `RAPPORT_SIMULATION=30`, 30 % of it.
    pub full: usize,
}

impl Effort {
    /// The number for this run.
    #[must_use]
    pub fn now(self) -> usize {
        let Ok(how_much) = std::env::var("RAPPORT_SIMULATION") else {
            return self.reduced;
        };
        let percent = match &*how_much {
            "full" => 100,
            percent => percent
                .parse()
                .expect("RAPPORT_SIMULATION is `full`, or a percentage of it"),
        };
        self.reduced.max(self.full * percent / 100)
    }
}

/// The seeds 1 to `how_many`, or the one in `RAPPORT_SEED`.
pub fn seeds(how_many: usize) -> impl Iterator<Item = Seed> {
    let only: Option<u64> = std::env::var("RAPPORT_SEED").ok().map(|seed| {
        seed.parse()
            .expect("RAPPORT_SEED is the number that a failed run printed")
    });
    let first = only.unwrap_or(1);
    let last = only.unwrap_or(how_many as u64);
    (first..=last).map(Seed)
}

/// One seed. If the test panics while it is held, it is printed.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.0
    }

    /// Chance, as this seed has it.
    #[must_use]
    pub fn chance(&self) -> StdRng {
        StdRng::seed_from_u64(self.0)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was seed {0}; RAPPORT_SEED={0} replays it", self.0);
        }
    }
}

/// Something to be run among others.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Runs all of `tasks`, going on with one at a time, which one being up to `chance`. What the tasks come
/// to is given in their order; none, for those that the end of the process caught.
pub async fn interleave<T>(
    chance: &mut StdRng,
    faults: &Faults,
    tasks: Vec<Task<'_, T>>,
) -> Vec<Option<T>> {
    let mut results: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut running: Vec<Running<'_, T>> =
        tasks.into_iter().enumerate().map(Running::new).collect();
    std::future::poll_fn(|context| {
        for one in &running {
            one.wakes.rouse_also(context.waker());
        }
        loop {
            if running.is_empty() || faults.crashed() {
                return Poll::Ready(());
            }
            let ready: Vec<usize> = (0..running.len())
                .filter(|&index| running[index].wakes.awake.load(Ordering::Acquire))
                .collect();
            if ready.is_empty() {
                return Poll::Pending;
            }
            let index = ready[chance.random_range(0..ready.len())];
            if let Poll::Ready(result) = running[index].go_on() {
                results[running.swap_remove(index).number] = Some(result);
            }
        }
    })
    .await;
    results
}

struct Running<'a, T> {
    number: usize,
    task: Task<'a, T>,
    wakes: Arc<Wakes>,
}

impl<'a, T> Running<'a, T> {
    fn new((number, task): (usize, Task<'a, T>)) -> Self {
        let wakes = Arc::new(Wakes {
            awake: AtomicBool::new(true),
            all: Mutex::new(None),
        });
        Self {
            number,
            task,
            wakes,
        }
    }

    fn go_on(&mut self) -> Poll<T> {
        self.wakes.awake.store(false, Ordering::Release);
        let waker = Waker::from(self.wakes.clone());
        self.task.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Whether one task can go on, and whom to tell.
struct Wakes {
    awake: AtomicBool,
    all: Mutex<Option<Waker>>,
}

impl Wakes {
    fn rouse_also(&self, waker: &Waker) {
        *self.all.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.awake.store(true, Ordering::Release);
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = &*all {
            waker.wake_by_ref();
        }
    }
}
