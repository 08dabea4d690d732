//! What AWS asks for, and what has to be assumed to price a story: data, in one place.

/// Where and when the prices were published.
pub(super) const PUBLISHED: &str =
    "on demand, region us-east-1, US dollars, as published by mid 2026; taxes and support aside";

/// How a price was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) enum Seen {
    /// On a page of AWS's own.
    Aws,
    /// On pages of others that name AWS's price list of 2025 or 2026.
    Others,
    /// Nowhere this time: known from before.
    NotChecked,
}

/// One line of the price lists.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(super) struct Price {
    pub(super) what: &'static str,
    /// Dollars for [`Self::each`].
    pub(super) dollars: f64,
    /// The number of units that the price is for.
    pub(super) each: f64,
    /// So many units a month are free, for as long as the account exists.
    pub(super) free: f64,
    pub(super) page: &'static str,
    pub(super) seen: Seen,
}

const fn price(
    what: &'static str,
    dollars: f64,
    each: f64,
    free: f64,
    page: &'static str,
    seen: Seen,
) -> Price {
    Price {
        what,
        dollars,
        each,
        free,
        page,
        seen,
    }
}

const MILLION: f64 = 1e6;
const ONE: f64 = 1.0;
const DYNAMODB: &str = "Amazon DynamoDB pricing, on-demand";
const LAMBDA: &str = "AWS Lambda pricing, Arm";
const CLOUDWATCH: &str = "Amazon CloudWatch pricing";
const S3: &str = "Amazon S3 pricing";

pub(super) const API_REQUESTS: Price = price(
    "API requests",
    1.0,
    MILLION,
    0.0,
    "Amazon API Gateway pricing, HTTP APIs, first 300 million",
    Seen::Aws,
);
pub(super) const INVOCATIONS: Price = price(
    "function invocations",
    0.20,
    MILLION,
    MILLION,
    LAMBDA,
    Seen::Others,
);
pub(super) const GB_SECONDS: Price = price(
    "function GB-seconds",
    13.3334,
    MILLION,
    400_000.0,
    LAMBDA,
    Seen::Others,
);
pub(super) const READ_UNITS: Price = price(
    "table read units",
    0.125,
    MILLION,
    0.0,
    DYNAMODB,
    Seen::Others,
);
pub(super) const WRITE_UNITS: Price = price(
    "table write units",
    0.625,
    MILLION,
    0.0,
    DYNAMODB,
    Seen::Others,
);
pub(super) const TABLE_GB: Price = price("table GB-months", 0.25, ONE, 25.0, DYNAMODB, Seen::Aws);
pub(super) const BACKUP_GB: Price = price(
    "point-in-time recovery GB-months",
    0.20,
    ONE,
    0.0,
    DYNAMODB,
    Seen::NotChecked,
);
pub(super) const QUEUE_REQUESTS: Price = price(
    "queue requests",
    0.40,
    MILLION,
    MILLION,
    "Amazon SQS pricing, standard queues",
    Seen::Others,
);
pub(super) const SCHEDULES: Price = price(
    "schedules fired",
    1.0,
    MILLION,
    14.0 * MILLION,
    "Amazon EventBridge pricing, Scheduler",
    Seen::Others,
);
pub(super) const PUTS: Price = price("bucket puts and lists", 5.0, MILLION, 0.0, S3, Seen::Others);
pub(super) const GETS: Price = price("bucket gets", 0.40, MILLION, 0.0, S3, Seen::Others);
pub(super) const MAILS: Price = price(
    "mails",
    100.0,
    MILLION,
    0.0,
    "Amazon SES pricing, outbound",
    Seen::Others,
);
pub(super) const LOG_GB: Price = price("log GB taken in", 0.50, ONE, 5.0, CLOUDWATCH, Seen::Others);
pub(super) const ANSWER_GB: Price = price(
    "answers GB to the internet",
    0.09,
    ONE,
    100.0,
    "Amazon EC2 on-demand pricing, data transfer",
    Seen::Others,
);
pub(super) const ALARMS: Price = price("alarms", 0.10, ONE, 10.0, CLOUDWATCH, Seen::Others);
pub(super) const SECRETS: Price = price(
    "secrets",
    0.40,
    ONE,
    0.0,
    "AWS Secrets Manager pricing",
    Seen::NotChecked,
);

/// What no count tells.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(super) struct Assumed {
    /// Milliseconds that a call of the table takes within the region.
    pub(super) table_call_ms: f64,
    /// Milliseconds that a call of the bucket or the mail service takes.
    pub(super) other_call_ms: f64,
    /// Milliseconds that an invocation takes by itself.
    pub(super) invocation_ms: f64,
    /// Milliseconds that `dispatch` takes to send on what one commit wrote.
    pub(super) dispatch_ms: f64,
    /// Bytes that an invocation adds to the log.
    pub(super) log_bytes: f64,
    /// Bytes that a request adds to the API's log.
    pub(super) request_log_bytes: f64,
    /// Bytes of an answer.
    pub(super) answer_bytes: f64,
    /// Requests that SQS counts for a row: sending it, fetching it, deleting it.
    pub(super) queue_requests_per_row: f64,
}

pub(super) const ASSUMED: Assumed = Assumed {
    table_call_ms: 6.0,
    other_call_ms: 40.0,
    invocation_ms: 8.0,
    dispatch_ms: 30.0,
    log_bytes: 1_200.0,
    request_log_bytes: 500.0,
    answer_bytes: 3_000.0,
    queue_requests_per_row: 3.0,
};

/// The template's alarms, those of its loops included: `infra/aws/unroll.py` lists them.
pub(super) const DEPLOYED_ALARMS: f64 = 56.0;

/// Every price that is used.
pub(super) const PRICES: [Price; 16] = [
    API_REQUESTS,
    INVOCATIONS,
    GB_SECONDS,
    READ_UNITS,
    WRITE_UNITS,
    TABLE_GB,
    BACKUP_GB,
    QUEUE_REQUESTS,
    SCHEDULES,
    PUTS,
    GETS,
    MAILS,
    LOG_GB,
    ANSWER_GB,
    ALARMS,
    SECRETS,
];
