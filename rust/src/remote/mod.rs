//! A running service over HTTP: the same traits without Python.
//!
//! `ai-memory serve` runs it. Plain HTTP is built in; HTTPS needs the feature `tls`.

mod embedding;
mod memory;
mod query;
mod wire;

use std::time::Duration;

pub use embedding::RemoteEmbeddings;
pub use memory::RemoteMemory;

/// The default address of the service on this machine.
pub const DEFAULT_URL: &str = "http://127.0.0.1:7677";

/// The address of a service and how to reach it.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// Its address.
    pub url: String,
    /// The API key, if the service requires one.
    pub api_key: Option<String>,
    /// How long to wait for a complete answer.
    pub timeout: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self { url: DEFAULT_URL.to_owned(), api_key: None, timeout: Duration::from_secs(60) }
    }
}
