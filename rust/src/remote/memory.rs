//! The memories of a running service.

use serde_json::{Map, Value};

use super::RemoteOptions;
use super::query::{path, query};
use super::wire::Wire;
use crate::error::{Error, Problem, Result};
use crate::memories::Memories;
use crate::operation::{Method, Operation};

/// The memories of a running service. A request that only reads is tried a second time when the connection breaks, and so is a write
/// that has an idempotency key.
#[derive(Debug)]
pub struct RemoteMemory {
    wire: Wire,
}

impl RemoteMemory {
    /// Nothing is sent before the first call. Fails with `InvalidInput` for what is no address or no key.
    ///
    /// The methods fail with `Unavailable` where no service answers.
    pub fn connect(options: &RemoteOptions) -> Result<Self> {
        Ok(Self { wire: Wire::new(options)? })
    }
}

impl Memories for RemoteMemory {
    fn carry_out(&self, operation: Operation, mut request: Map<String, Value>) -> Result<Vec<u8>> {
        let again = operation.reads || request.get("idempotency_key").is_some_and(Value::is_string);
        let path = path(operation.path, &mut request);
        let sent = match operation.method {
            Method::Get | Method::Delete => {
                let target = format!("/v1{path}{}", query(&request));
                self.wire.send(operation.method.as_str(), &target, None, again)
            }
            Method::Post | Method::Patch => {
                let body = serde_json::to_vec(&request)
                    .map_err(|error| Error::InvalidInput(Problem::new(error.to_string())))?;
                self.wire.send(operation.method.as_str(), &format!("/v1{path}"), Some(&body), again)
            }
        };
        sent.or_else(rejection)
    }
}

/// Over HTTP a write that was rejected is an error with its receipt inside; here it is the receipt, as in process.
fn rejection(error: Error) -> Result<Vec<u8>> {
    match &error {
        Error::Conflict(Problem { details, .. }) if details.contains_key("receipt") => {
            serde_json::to_vec(&details["receipt"]).map_err(|error| Error::Internal(Problem::new(error.to_string())))
        }
        _ => Err(error),
    }
}
