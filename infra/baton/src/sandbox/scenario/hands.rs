//! The player's hands: requests to the control API of its own sandbox.

use std::time::Duration;

use serde_json::Value;

/// Longer than any control request takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of the control API.
#[derive(Debug)]
pub(crate) struct Hands {
    client: reqwest::Client,
    base_url: String,
}

impl Hands {
    /// # Errors
    /// In words, when no HTTP client can be made.
    pub(crate) fn new(sandbox_url: &str) -> Result<Self, String> {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(TIMEOUT).build();
        let client = client.map_err(|error| error.to_string())?;
        Ok(Self { client, base_url: format!("{sandbox_url}/_sandbox") })
    }

    /// # Errors
    /// In words, when the sandbox refuses; so for the others.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        Self::answer(self.client.get(format!("{}{path}", self.base_url))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        Self::answer(self.client.post(format!("{}{path}", self.base_url)).body(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, String> {
        Self::answer(self.client.delete(format!("{}{path}", self.base_url))).await
    }

    /// A request whose method is part of a scenario.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        match method {
            "POST" => self.post(path, body).await,
            "DELETE" => self.delete(path).await,
            other => Err(format!("a scenario knows POST and DELETE, not {other}")),
        }
    }

    async fn answer(request: reqwest::RequestBuilder) -> Result<Value, String> {
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        Err(format!("the sandbox refuses, {status}: {}", value["error"].as_str().unwrap_or_default()))
    }
}
