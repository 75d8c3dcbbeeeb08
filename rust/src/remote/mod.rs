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

/// Where the service of this machine listens where nothing else was said.
pub const DEFAULT_URL: &str = "http://127.0.0.1:7677";

/// Where a service is and how it is asked.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// Its address.
    pub url: String,
    /// The API key, where it wants one.
    pub api_key: Option<String>,
    /// The longest wait for a whole answer.
    pub timeout: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self { url: DEFAULT_URL.to_owned(), api_key: None, timeout: Duration::from_secs(60) }
    }
}
