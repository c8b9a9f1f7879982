//! The doubles drive a real `lambda_http` binary.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bench::process::{LambdaProcess, StartError};
use bench::runtime_api::{Outcome, RuntimeApi};
use bench::webhook::{Signature, event};

const EMPTY: &str = env!("CARGO_BIN_EXE_empty-lambda-http");

fn log(test: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.log"))
}

#[test]
fn a_real_function_answers_event_after_event() {
    let api = RuntimeApi::start().unwrap();
    let mut process = LambdaProcess::start(Path::new(EMPTY), &api, &[], &log("answers")).unwrap();
    process.wait_ready(&api).unwrap();
    let events: Vec<Arc<[u8]>> = (0..50).map(|number| event(number, Signature::Valid)).collect();
    let responses = api.invoke_all(events).unwrap();
    assert_eq!(responses.len(), 50);
    assert!(responses.iter().all(|response| response.status_code() == Some(200)));
}

#[test]
fn an_event_the_function_cannot_read_ends_in_its_error() {
    let api = RuntimeApi::start().unwrap();
    let mut process = LambdaProcess::start(Path::new(EMPTY), &api, &[], &log("unreadable")).unwrap();
    process.wait_ready(&api).unwrap();
    let response = api.invoke(*b"[]").unwrap();
    assert_eq!((response.outcome, response.status_code()), (Outcome::Failed, None));
    assert_eq!(api.invoke(event(1, Signature::Valid)).unwrap().status_code(), Some(200));
}

#[test]
fn a_function_that_ends_at_its_start_is_reported_with_its_log() {
    let api = RuntimeApi::start().unwrap();
    let env = [("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "plenty")];
    let mut process = LambdaProcess::start(Path::new(EMPTY), &api, &env, &log("ends")).unwrap();
    let error = process.wait_ready(&api).unwrap_err();
    let StartError::Exited { log, .. } = error else { panic!("{error}") };
    assert!(log.contains("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), "{log}");
}

#[test]
fn a_missing_binary_is_named() {
    let api = RuntimeApi::start().unwrap();
    let error = LambdaProcess::start(Path::new("no-such-binary"), &api, &[], &log("missing")).unwrap_err();
    assert!(error.to_string().contains("no-such-binary"));
}
