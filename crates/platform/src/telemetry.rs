//! Logs: one JSON object a line in functions, plain lines on a terminal.
//!
//! RULE: never personal data in a message or a field: no name, address, mail, phone, birth date, free
//! text, token or secret. Ids are fine, and enough to find the rest by, with the rights it takes.

use std::io;

use tracing::Dispatch;
use tracing::dispatcher::{SetGlobalDefaultError, set_global_default};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt::MakeWriter;

/// The environment variable that says what is logged, e.g. `info,rapport_store=debug`.
pub const FILTER_VARIABLE: &str = "RAPPORT_LOG";

const DEFAULT_FILTER: &str = "info";

/// Libraries that write whole requests, and so personal data, at finer levels than these, whatever
/// the variable asks for. The embedded table also warns of each failed condition, which is no news.
const LIMITS: [&str; 12] = [
    "aws_config=info",
    "aws_runtime=info",
    "aws_sdk_dynamodb=info",
    "aws_sdk_s3=info",
    "aws_sdk_scheduler=info",
    "aws_sdk_sesv2=info",
    "aws_sdk_sqs=info",
    "aws_sigv4=info",
    "aws_smithy_runtime=info",
    "dynoxide=error",
    "h2=info",
    "hyper=info",
];

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Plain,
}

/// Logs to standard error from here on, in all threads.
///
/// # Errors
/// Something else in this process has claimed the logs already.
pub fn start(format: LogFormat) -> Result<(), SetGlobalDefaultError> {
    let wanted = std::env::var(FILTER_VARIABLE).unwrap_or_else(|_| DEFAULT_FILTER.to_owned());
    set_global_default(logger(format, &wanted, io::stderr))
}

/// A logger to `writer`, of what `wanted` asks for as [`FILTER_VARIABLE`] would: for whoever looks at lines.
pub fn logger<W>(format: LogFormat, wanted: &str, writer: W) -> Dispatch
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let limits = LIMITS
        .iter()
        .filter_map(|limit| limit.parse::<Directive>().ok());
    let filter = limits.fold(EnvFilter::new(wanted), EnvFilter::add_directive);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer);
    match format {
        // The innermost span says which request or message it was: see `trail`.
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .into(),
        LogFormat::Plain => lines.with_target(false).into(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::dispatcher::with_default;

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn logged(format: LogFormat, wanted: &str, work: fn()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        with_default(&logger(format, wanted, move || writer.clone()), work);
        lines.text()
    }

    #[test]
    fn a_json_line_holds_its_fields() {
        let line = logged(LogFormat::Json, "info", || {
            tracing::info!(person = "per_1", "released");
            tracing::debug!("unheard");
        });
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["message"], "released");
        assert_eq!(line["person"], "per_1");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn request_bodies_of_libraries_stay_out_even_when_everything_is_asked_for() {
        let lines = logged(LogFormat::Plain, "trace,dynoxide=trace", || {
            tracing::trace!("ours");
            tracing::trace!(target: "dynoxide::server", "request body");
            tracing::debug!(target: "aws_smithy_runtime::client", "request body");
        });
        assert!(lines.contains("ours"));
        assert!(!lines.contains("request body"));
    }
}
