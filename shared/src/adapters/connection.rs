//! How AWS is reached: region, address and credentials from Lambda's environment, one TLS stack
//! with ring, and explicit time-outs. No configuration chain is walked: in Lambda the environment
//! already says it all, and walking costs start-up time.

use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

use crate::config::Environment;

/// The roots that AWS's endpoints chain to, as Amazon Trust Services publishes them. Reading these
/// few instead of all of the system's saves most of the start-up time of TLS.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// How AWS is reached.
#[derive(Debug, Clone)]
pub struct Connection {
    region: Region,
    credentials: Credentials,
    dynamodb_endpoint: Option<String>,
    kms_endpoint: Option<String>,
    patience: Patience,
    http: SharedHttpClient,
    sqs: aws_sdk_sqs::Client,
}

/// How long AWS is waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    connect_ms: u64,
    attempt_ms: u64,
    all_ms: u64,
    /// The longest first pause between two attempts.
    pause_ms: u64,
    attempts_at_dynamodb: u32,
}

/// Behind a queue there is time.
const WORKER: Patience =
    Patience { connect_ms: 1_000, attempt_ms: 3_000, all_ms: 6_000, pause_ms: 1_000, attempts_at_dynamodb: 3 };
/// Intercom waits for five seconds at most; the queue and then the table are to have failed in two.
const EDGE: Patience =
    Patience { connect_ms: 400, attempt_ms: 430, all_ms: 900, pause_ms: 40, attempts_at_dynamodb: 2 };
/// What is only advice is not worth a customer's second.
const ADVICE: Patience =
    Patience { connect_ms: 400, attempt_ms: 400, all_ms: 900, pause_ms: 40, attempts_at_dynamodb: 2 };

impl Connection {
    /// Reads how AWS is reached. What is missing is noted in the environment.
    pub fn from_environment(environment: &mut Environment) -> Self {
        Self::with(WORKER, environment)
    }

    /// As [`Connection::from_environment`], for one who is waited for.
    pub fn of_the_edge(environment: &mut Environment) -> Self {
        Self::with(EDGE, environment)
    }

    fn with(patience: Patience, environment: &mut Environment) -> Self {
        let region = environment.needed("AWS_REGION");
        let credentials = Credentials::new(
            environment.needed("AWS_ACCESS_KEY_ID"),
            environment.needed("AWS_SECRET_ACCESS_KEY"),
            environment.optional("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        );
        let endpoint = |service: &str| {
            let specific = environment.optional(&format!("AWS_ENDPOINT_URL_{service}"));
            specific.or_else(|| environment.optional("AWS_ENDPOINT_URL")).map(str::to_owned)
        };
        let (dynamodb_endpoint, kms_endpoint) = (endpoint("DYNAMODB"), endpoint("KMS"));
        // China's endpoints and those of the isolated regions chain to other roots.
        let http = http_client(!(region.starts_with("cn-") || region.contains("-iso")));
        let region = Region::new(region);
        let mut sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .http_client(http.clone())
            .retry_config(patience.retries(2))
            .timeout_config(patience.timeouts());
        sqs.set_endpoint_url(endpoint("SQS"));
        let sqs = aws_sdk_sqs::Client::from_conf(sqs.build());
        Self { region, credentials, dynamodb_endpoint, kms_endpoint, patience, http, sqs }
    }

    /// The client of SQS: built once, for every queue. Sends are tried twice: a FIFO send with a
    /// deduplication id may be repeated.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        self.sqs.clone()
    }

    /// A client of DynamoDB. Calls are tried three times, at the edge twice; conditional updates recognise their own
    /// repetition.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb_with(self.patience)
    }

    /// A client of DynamoDB for what is only advice: it gives up within a second.
    #[must_use]
    pub fn dynamodb_for_advice(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb_with(ADVICE)
    }

    fn dynamodb_with(&self, patience: Patience) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::v2026_01_12())
            .region(self.region.clone())
            .credentials_provider(self.credentials.clone())
            .http_client(self.http.clone())
            .retry_config(patience.retries(patience.attempts_at_dynamodb))
            .timeout_config(patience.timeouts());
        config.set_endpoint_url(self.dynamodb_endpoint.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client of KMS. Calls are tried as often as DynamoDB's: they change nothing.
    #[must_use]
    pub fn kms(&self) -> aws_sdk_kms::Client {
        let mut config = aws_sdk_kms::Config::builder()
            .behavior_version(aws_sdk_kms::config::BehaviorVersion::v2026_01_12())
            .region(self.region.clone())
            .credentials_provider(self.credentials.clone())
            .http_client(self.http.clone())
            .retry_config(self.patience.retries(self.patience.attempts_at_dynamodb))
            .timeout_config(self.patience.timeouts());
        config.set_endpoint_url(self.kms_endpoint.clone());
        aws_sdk_kms::Client::from_conf(config.build())
    }
}

impl Patience {
    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(Duration::from_millis(self.connect_ms))
            .operation_attempt_timeout(Duration::from_millis(self.attempt_ms))
            .operation_timeout(Duration::from_millis(self.all_ms))
            .build()
    }

    fn retries(self, attempts: u32) -> RetryConfig {
        let pause = Duration::from_millis(self.pause_ms);
        RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(pause)
    }
}

fn http_client(amazon_roots: bool) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let store = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    match TlsContext::builder().with_trust_store(store).build() {
        Ok(context) if amazon_roots => builder.tls_context(context).build_https(),
        _ => builder.build_https(),
    }
}

/// What an SDK error means, in a few words: the service's own code, or what kind of failure it was.
/// Nothing of the request or the answer, which may carry a customer's words.
pub(super) fn why<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let code = |service: &E| service.code().unwrap_or("an error without a code").to_owned();
    match error {
        SdkError::ServiceError(service) => code(service.err()),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no connection in time".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_io() => "no connection".to_owned(),
        SdkError::DispatchFailure(_) => "the request could not be sent".to_owned(),
        SdkError::ResponseError(_) => "the answer cannot be read".to_owned(),
        _ => "the request could not be built".to_owned(),
    }
}
