//! The local host: everything that AWS is to a deployment, in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::person::{LoginKey, PersonName};
use functions::api;
use functions::context::{Context, Deployment, FirstAdministrator, Shared};
use functions::matcher::Matcher;
use index_builder::{BuildError, IndexBuilder};
use platform::blobs::{BlobLinkKey, FolderBlobs};
use platform::clock::SharedClock;
use platform::ids::IdSource;
use platform::keys::DeploymentKey;
use platform::mail::FolderMail;
use platform::metrics::Metrics;
use platform::tokens::{TokenRules, TokenVerifier};
use store::{FORMAT, Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::{DevClock, DevClockError};
use crate::community::{self, SeedError};
use crate::data_file::{DataFile, OpenDataFileError, beside};
use crate::embedded::{self, Served};
use crate::gateway::Gateway;
use crate::instruments::Bench;
use crate::issuer::{Issuer, IssuerError};
use crate::ticker::Ticker;
use crate::{blob_links, dev, gateway, issuer};

/// The subject of the sample administrator, the first one of the deployment.
pub const FIRST_ADMINISTRATOR: &str = "sample-administrator";

/// A key that everybody knows: what it protects is sample data on a loopback port.
const SAMPLE_DEPLOYMENT_KEY: [u8; 32] = *b"rapport local sample, not secret";
const TABLE: &str = "rapport";

/// Where the host keeps things, and where it listens.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data file. Mail, blobs and the clock's offset lie beside it, under names that begin with its own.
    pub data: PathBuf,
    /// The port on the loopback interface; 0 for any free one.
    pub port: u16,
    /// The clock beneath the one that can be moved forward.
    pub base_clock: SharedClock,
    /// Whether a new table starts with the sample community.
    pub community: bool,
    /// Where measurements go.
    pub metrics: Metrics,
}

/// A running host.
pub struct Host {
    context: Shared,
    address: SocketAddr,
    mail: PathBuf,
    ticker: Arc<Ticker>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    ticking: JoinHandle<()>,
    // Held so that the table is served, and the data file locked, as long as the host runs.
    table: Served,
    data_file: DataFile,
}

/// Why the host did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data file cannot be used.
    #[error(transparent)]
    Data(#[from] OpenDataFileError),
    /// The clock's offset cannot be used.
    #[error(transparent)]
    Clock(#[from] DevClockError),
    /// The token issuer cannot be used.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The table cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A shard cannot be made anew.
    #[error(transparent)]
    Shard(#[from] BuildError),
    /// The sample community cannot be made.
    #[error(transparent)]
    Community(#[from] SeedError),
    /// A folder or port cannot be used.
    #[error("{what}: {source}")]
    Io {
        /// Which.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something that can only be a defect.
    #[error("the local host cannot start: {0}")]
    Defect(String),
}

impl Host {
    /// Starts serving.
    ///
    /// # Errors
    /// See [`StartError`]; its text says what to do.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        Self::start_on(options, Bench::default()).await
    }

    /// Starts serving, with instruments between its parts.
    ///
    /// # Errors
    /// See [`StartError`]; its text says what to do.
    pub async fn start_on(options: Options, bench: Bench) -> Result<Self, StartError> {
        let io = |what: String| move |source| StartError::Io { what, source };
        let (data_file, database) = DataFile::open(&options.data, FORMAT)?;
        // Without a socket, for what happens before anybody is served.
        let quick_store = Store::new(embedded::in_process(database.clone()), TABLE);
        let in_process = embedded::in_process_http(database.clone());
        let (dynamodb, table) = embedded::loopback(database)
            .await
            .map_err(io("no port for the table".into()))?;

        let clock = Arc::new(DevClock::open(
            options.base_clock,
            beside(&options.data, ".clock"),
        )?);
        let dynamodb = match &bench.instruments {
            None => dynamodb,
            Some(instruments) => {
                let http = instruments.on_table(in_process, clock.clone());
                embedded::sdk(http, &table.endpoint())
            }
        };
        let store = Store::new(dynamodb, TABLE);
        store.create_table_if_absent().await?;
        let mail = beside(&options.data, ".mail");
        let listener = listen(options.port).await?;
        let address = listener.local_addr().map_err(io("the port".into()))?;
        let url = format!("http://localhost:{}", address.port());
        let token_rules = TokenRules {
            issuer: "https://issuer.local.invalid".to_owned(),
            audience: "rapport".to_owned(),
            scope: "rapport".to_owned(),
        };
        let ids = match bench.seed {
            Some(seed) => IdSource::seeded(clock.clone(), seed),
            None => IdSource::from_os(clock.clone())
                .map_err(|error| StartError::Defect(error.to_string()))?,
        };
        let key = DeploymentKey::from_bytes(&SAMPLE_DEPLOYMENT_KEY);
        let blobs = folder_blobs(&beside(&options.data, ".blobs"), &url, key.blob_links())?;
        let blobs = Arc::new(blobs);
        let context = Arc::new(Context {
            store,
            ids: Arc::new(ids),
            clock: clock.clone(),
            key,
            mail: bench.on_mail(Arc::new(folder_mail(&mail)?)),
            blobs: bench.on_blobs(blobs.clone()),
            matcher: Matcher::default(),
            metrics: options.metrics.clone(),
            deployment: deployment(&url, &token_rules),
            token_rules,
        });
        if options.community {
            community::seed(&context, &quick_store).await?;
        }
        let index = IndexBuilder {
            store: context.store.clone(),
            blobs: context.blobs.clone(),
            clock: clock.clone(),
            ids: context.ids.clone(),
            metrics: options.metrics,
        };
        // What an earlier program of another schema left, or a disk has damaged.
        for cell in index_builder::heal(&index).await? {
            tracing::warn!(%cell, "a shard was replaced that could not be used");
        }
        let ticker = Ticker::new(context.clone(), clock.clone(), index, bench.clone());
        let ticker = Arc::new(ticker);
        // The first request finds shards: seeding ends with the rows from which they are built.
        ticker.settle().await?;
        let router = router(&context, blobs, clock, &ticker, bench.clone())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            // Serving ends only when told to: the accept loop retries its own failures.
            drop(
                axum::serve(listener, router)
                    .with_graceful_shutdown(shutdown)
                    .await,
            );
        });
        let ticking = tokio::spawn({
            let ticker = ticker.clone();
            // What is to be replayed happens when it is asked for, and at no other time.
            async move {
                match bench.seed {
                    Some(_) => std::future::pending().await,
                    None => ticker.run().await,
                }
            }
        });
        Ok(Self {
            context,
            address,
            mail,
            ticker,
            stop,
            serving,
            ticking,
            table,
            data_file,
        })
    }

    /// Where it listens, e.g. `http://localhost:3000`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// The folder with the mail that went out.
    #[must_use]
    pub fn mail_folder(&self) -> &Path {
        &self.mail
    }

    /// The data file.
    #[must_use]
    pub fn data_file(&self) -> &Path {
        self.data_file.path()
    }

    /// Where other tools find the table.
    #[must_use]
    pub fn table_endpoint(&self) -> String {
        self.table.endpoint()
    }

    /// What the functions work with.
    #[must_use]
    pub const fn context(&self) -> &Shared {
        &self.context
    }

    /// Deals with everything that is due now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn settle(&self) -> Result<(), StoreError> {
        self.ticker.settle().await.map(drop)
    }

    /// Lets the requests under way finish, and stops.
    pub async fn stop(self) {
        // The receiver can only be gone because serving has ended.
        let _ = self.stop.send(());
        drop(self.serving.await);
        self.ticking.abort();
        drop(self.ticking.await);
    }
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| StartError::Io {
            what: format!("port {port} cannot be used; choose another with --port"),
            source,
        })
}

fn folder_mail(folder: &Path) -> Result<FolderMail, StartError> {
    FolderMail::open(folder, "rapport@localhost.invalid").map_err(|source| StartError::Io {
        what: folder.display().to_string(),
        source,
    })
}

fn folder_blobs(folder: &Path, url: &str, key: BlobLinkKey) -> Result<FolderBlobs, StartError> {
    let blobs = FolderBlobs::open(folder).map_err(|source| StartError::Io {
        what: folder.display().to_string(),
        source,
    })?;
    Ok(blobs.with_links(url, key))
}

fn deployment(url: &str, rules: &TokenRules) -> Deployment {
    Deployment {
        organisation: "Rapport sample service".to_owned(),
        app_url: format!("{url}/app"),
        emergency: "If anybody is in danger now, ring 000.".to_owned(),
        first_administrator: Some(FirstAdministrator {
            login: LoginKey {
                issuer: rules.issuer.clone(),
                subject: FIRST_ADMINISTRATOR.to_owned(),
            },
            name: PersonName {
                given: "Ada".to_owned(),
                family: "Osei".to_owned(),
            },
            email: "ada.osei@rapport.example".to_owned(),
        }),
    }
}

fn router(
    context: &Shared,
    blobs: Arc<FolderBlobs>,
    clock: Arc<DevClock>,
    ticker: &Arc<Ticker>,
    bench: Bench,
) -> Result<axum::Router, StartError> {
    let issuer = Arc::new(Issuer::new(context.token_rules.clone())?);
    let verifier = TokenVerifier::new(context.token_rules.clone(), &issuer.key_set().to_string())
        .map_err(|error| StartError::Defect(error.to_string()))?;
    let (api, _) = api::all(context.clone());
    let gateway = Gateway::new(verifier, context.clone(), ticker.clone(), bench);
    Ok(gateway::guard(gateway, api)
        .merge(issuer::router(issuer, clock.clone()))
        .merge(blob_links::router(blob_links::Desk {
            blobs,
            key: context.key.blob_links(),
            clock: clock.clone(),
        }))
        .merge(dev::router(dev::Desk {
            context: context.clone(),
            clock,
            ticker: ticker.clone(),
        })))
}
