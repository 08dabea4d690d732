//! A server of its own in a folder of its own, gone when it is dropped.

use std::ffi::OsStr;
use std::fs::read_dir;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Error;

pub(super) struct Server {
    folder: TempDir,
    programs: PathBuf,
    /// Whom to run as where we are root: PostgreSQL refuses to be.
    user: Option<&'static str>,
}

/// Generous for one caller on a small machine; nothing has to survive.
const SETTINGS: [&str; 14] = [
    "listen_addresses=''",
    "shared_buffers=3GB",
    "work_mem=512MB",
    "maintenance_work_mem=2GB",
    "effective_cache_size=12GB",
    "random_page_cost=1.0",
    "effective_io_concurrency=0",
    "max_parallel_workers_per_gather=2",
    "max_parallel_maintenance_workers=2",
    "jit=off",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_wal_size=16GB",
];

impl Server {
    /// Starts one, where PostgreSQL is installed.
    pub(super) fn start() -> Result<Option<Self>, Error> {
        let Some(programs) = programs() else {
            return Ok(None);
        };
        let user = user()?;
        let server = Self {
            folder: tempfile::tempdir()?,
            programs,
            user,
        };
        if let Some(user) = user {
            succeed(Command::new("chown").arg(user).arg(server.folder.path()))?;
        }
        succeed(
            server
                .run("initdb")
                .args(["--no-sync", "--auth=trust", "--username=postgres", "-D"])
                .arg(server.data()),
        )?;
        let settings: Vec<String> = SETTINGS.map(|setting| format!("-c {setting}")).into();
        let options = format!(
            "-k {} {}",
            server.folder.path().display(),
            settings.join(" ")
        );
        succeed(
            server
                .run("pg_ctl")
                .args(["start", "--wait", "--silent", "-o", &options, "-l"])
                .arg(server.folder.path().join("log"))
                .arg("-D")
                .arg(server.data()),
        )?;
        Ok(Some(server))
    }

    /// The version, as it names itself.
    pub(super) fn version(&self) -> Result<String, Error> {
        Ok(self.ask("SHOW server_version")?.trim().to_owned())
    }

    /// What a statement prints, columns between tabs.
    pub(super) fn ask(&self, sql: &str) -> Result<String, Error> {
        self.tell(sql, |_| Ok(()))
    }

    /// The same with rows for a `COPY … FROM STDIN`.
    pub(super) fn tell(
        &self,
        sql: &str,
        rows: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
    ) -> Result<String, Error> {
        let mut child = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", "postgres", "-d", "postgres", "-c", sql, "-h"])
            .arg(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(input) = child.stdin.take() {
            let mut input = std::io::BufWriter::with_capacity(1 << 20, input);
            rows(&mut input)?;
            input.flush()?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err("PostgreSQL refused a statement".into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        // Somebody else may not be allowed to stand where we do.
        command.current_dir("/");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = succeed(
            self.run("pg_ctl")
                .args(["stop", "--silent", "--mode=immediate", "-D"])
                .arg(self.data()),
        );
        if let Err(error) = stopped {
            eprintln!("comparison: {error}");
        }
    }
}

/// The folder of PostgreSQL's programs: where its packages put them, the newest first, or on the path.
fn programs() -> Option<PathBuf> {
    let packaged = read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<PathBuf> = packaged
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let has = |folder: &Path, program: &OsStr| folder.join(program).is_file();
    folders.into_iter().find(|folder| {
        ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|program| has(folder, OsStr::new(program)))
    })
}

fn user() -> Result<Option<&'static str>, Error> {
    let id = Command::new("id").arg("-u").output()?;
    if id.stdout.trim_ascii() != b"0" {
        return Ok(None);
    }
    let known = |user: &&str| {
        let found = Command::new("id").arg(user).output();
        found.is_ok_and(|found| found.status.success())
    };
    ["postgres", "nobody"]
        .into_iter()
        .find(known)
        .map(Some)
        .ok_or_else(|| "nobody to run PostgreSQL as".into())
}

fn succeed(command: &mut Command) -> Result<(), Error> {
    // What it starts must not hold on to our output.
    let done = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if done.success() {
        Ok(())
    } else {
        Err(format!("{} failed", command.get_program().to_string_lossy()).into())
    }
}
