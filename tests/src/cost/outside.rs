//! Blobs and mail that are counted on their way.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use platform::BoxFuture;
use platform::blobs::{BlobError, BlobName, Blobs, Download, Link, Upload};
use platform::mail::{Mail, MailError, OutgoingMail};

use super::count::Counted;
use super::meter::Meter;

const PUT: Counted = Counted { puts: 1, ..NOTHING };
const GET: Counted = Counted { gets: 1, ..NOTHING };
const MAIL: Counted = Counted {
    mails: 1,
    ..NOTHING
};
const NOTHING: Counted = Counted {
    requests: 0,
    deliveries: 0,
    calls: 0,
    half_reads: 0,
    writes: 0,
    index_writes: 0,
    dispatches: 0,
    messages: 0,
    schedules: 0,
    puts: 0,
    gets: 0,
    mails: 0,
    kept_bytes: 0,
};

pub(super) struct CountedBlobs {
    blobs: Arc<dyn Blobs>,
    meter: Meter,
}

impl CountedBlobs {
    pub(super) fn new(blobs: Arc<dyn Blobs>, meter: Meter) -> Self {
        Self { blobs, meter }
    }
}

impl Blobs for CountedBlobs {
    fn put<'a>(
        &'a self,
        name: &'a BlobName,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        self.meter.count(PUT);
        self.blobs.put(name, bytes)
    }

    fn get<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        self.meter.count(GET);
        self.blobs.get(name)
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a BlobName>,
    ) -> BoxFuture<'a, Result<Vec<BlobName>, BlobError>> {
        self.meter.count(PUT);
        self.blobs.list(prefix, after)
    }

    // Deletions cost nothing.
    fn delete<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<(), BlobError>> {
        self.blobs.delete(name)
    }

    fn upload_link<'a>(
        &'a self,
        name: &'a BlobName,
        upload: &'a Upload,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        self.meter.count(PUT);
        self.blobs.upload_link(name, upload, now)
    }

    fn download_link<'a>(
        &'a self,
        name: &'a BlobName,
        as_file: &'a Download,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        self.meter.count(GET);
        self.blobs.download_link(name, as_file, now)
    }
}

pub(super) struct CountedMail {
    mail: Arc<dyn Mail>,
    meter: Meter,
}

impl CountedMail {
    pub(super) fn new(mail: Arc<dyn Mail>, meter: Meter) -> Self {
        Self { mail, meter }
    }
}

impl Mail for CountedMail {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), MailError>> {
        self.meter.count(MAIL);
        self.mail.send(mail)
    }
}
