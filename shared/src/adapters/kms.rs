//! KMS, which seals access tokens and opens them. The key never leaves it, so there is no
//! cryptography here; the binding is the encryption context, which KMS authenticates.

use std::collections::HashMap;

use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;

use crate::domain::token::{AccessToken, Binding};
use crate::ports::{NoToken, Seals, Unavailable};

/// A key of KMS.
#[derive(Debug, Clone)]
pub struct KmsKey {
    client: Client,
    key: String,
}

impl KmsKey {
    /// The key of this ARN or alias. It is named at every call, so that nothing opens that another
    /// key has sealed.
    #[must_use]
    pub fn new(client: Client, key: impl Into<String>) -> Self {
        Self { client, key: key.into() }
    }
}

impl Seals for KmsKey {
    async fn seal(&self, binding: &Binding, token: &AccessToken) -> Result<Vec<u8>, Unavailable> {
        let sealed = self
            .client
            .encrypt()
            .key_id(&self.key)
            .set_encryption_context(Some(context(binding)))
            .plaintext(Blob::new(token.reveal()))
            .send()
            .await
            .map_err(unavailable)?;
        sealed.ciphertext_blob.map(Blob::into_inner).ok_or_else(|| broken("the answer has no ciphertext"))
    }

    async fn open(&self, binding: &Binding, sealed: &[u8]) -> Result<AccessToken, NoToken> {
        let call = self
            .client
            .decrypt()
            .key_id(&self.key)
            .set_encryption_context(Some(context(binding)))
            .ciphertext_blob(Blob::new(sealed));
        let opened = call.send().await.map_err(|error| {
            let service = error.as_service_error();
            if service
                .is_some_and(|error| error.is_invalid_ciphertext_exception() || error.is_incorrect_key_exception())
            {
                NoToken::Spoilt
            } else {
                unavailable(error).into()
            }
        })?;
        let text =
            opened.plaintext.and_then(|blob| String::from_utf8(blob.into_inner()).ok()).ok_or(NoToken::Spoilt)?;
        AccessToken::parse(text).map_err(|_| NoToken::Spoilt)
    }
}

fn context(binding: &Binding) -> HashMap<String, String> {
    binding.pairs().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn broken(why: &str) -> Unavailable {
    Unavailable { what: "KMS", why: why.to_owned() }
}

fn unavailable<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Unavailable {
    broken(&super::connection::why(&error))
}
