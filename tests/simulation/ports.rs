//! The ports of a simulation: mail that is kept and looked at, blobs in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use platform::BoxFuture;
use platform::blobs::{
    BlobError, BlobName, Blobs, Download, LINK_LIFETIME, Link, MAX_LISTED, Upload,
};
use platform::mail::{Mail, MailError, OutgoingMail};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

fn of<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where mail goes. A message sent again under its id is the same message.
pub(crate) struct Letterbox {
    away: AtomicBool,
    chance: Mutex<StdRng>,
    letters: Mutex<BTreeMap<String, OutgoingMail>>,
}

impl Letterbox {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            away: AtomicBool::new(false),
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
            letters: Mutex::default(),
        }
    }

    pub(crate) fn letters(&self) -> Vec<OutgoingMail> {
        of(&self.letters).values().cloned().collect()
    }

    /// Whether nothing gets through.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    fn take(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        mail.check()?;
        let luck = of(&self.chance).random_range(0..100);
        if luck < 5 || self.away.load(Ordering::Relaxed) {
            return Err(io::Error::other("the mail service is away").into());
        }
        let mut letters = of(&self.letters);
        if let Some(before) = letters.get(&mail.message_id) {
            assert!(before == mail, "one message id, two messages: {mail:?}");
        }
        letters.insert(mail.message_id.clone(), mail.clone());
        // Taken, and still reported as failed.
        if luck < 8 {
            return Err(io::Error::other("the mail service was cut off").into());
        }
        Ok(())
    }
}

impl Mail for Letterbox {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async move { self.take(mail) })
    }
}

/// Blobs in memory.
#[derive(Default)]
pub(crate) struct Shelf {
    away: AtomicBool,
    blobs: Mutex<BTreeMap<BlobName, Vec<u8>>>,
}

impl Shelf {
    /// Whether nothing can be reached.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    fn reach(&self) -> Result<MutexGuard<'_, BTreeMap<BlobName, Vec<u8>>>, BlobError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(io::Error::other("the blobs are away").into());
        }
        Ok(of(&self.blobs))
    }
}

impl Blobs for Shelf {
    fn put<'a>(
        &'a self,
        name: &'a BlobName,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        let put = self
            .reach()
            .map(|mut blobs| drop(blobs.insert(name.clone(), bytes)));
        Box::pin(async { put })
    }

    fn get<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        let found = self.reach().map(|blobs| blobs.get(name).cloned());
        Box::pin(async { found })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a BlobName>,
    ) -> BoxFuture<'a, Result<Vec<BlobName>, BlobError>> {
        let names = self.reach().map(|blobs| {
            let names = blobs
                .keys()
                .filter(|name| name.as_str().starts_with(prefix));
            let names = names.filter(|name| after.is_none_or(|after| *name > after));
            names.take(MAX_LISTED).cloned().collect()
        });
        Box::pin(async { names })
    }

    fn delete<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<(), BlobError>> {
        let deleted = self.reach().map(|mut blobs| drop(blobs.remove(name)));
        Box::pin(async { deleted })
    }

    fn upload_link<'a>(
        &'a self,
        name: &'a BlobName,
        _: &'a Upload,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        Box::pin(async move { Ok(nowhere("PUT", name, now)) })
    }

    fn download_link<'a>(
        &'a self,
        name: &'a BlobName,
        _: &'a Download,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        Box::pin(async move { Ok(nowhere("GET", name, now)) })
    }
}

/// A link that nobody follows.
fn nowhere(method: &'static str, name: &BlobName, now: DateTime<Utc>) -> Link {
    Link {
        method,
        url: format!("https://blobs.simulated.invalid/{name}"),
        headers: Vec::new(),
        expires_at: now + LINK_LIFETIME,
    }
}
