#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod embeddings;
mod error;
mod instant;
mod memories;
mod operation;
pub mod values;

#[cfg(feature = "tokio")]
mod blocking;
#[cfg(feature = "python")]
pub mod python;
#[cfg(feature = "remote")]
pub mod remote;

#[cfg(feature = "tokio")]
pub use blocking::Async;
pub use embeddings::{Embeddings, LocalModel, ModelInfo, Side, Similarities, Task, TooLong, Vectors};
pub use error::{Error, Problem, Result};
pub use instant::Instant;
pub use memories::Memories;
pub use operation::{Method, Operation};
#[cfg(feature = "python")]
pub use python::{EmbeddingOptions, EmbeddingService, Memory, MemoryOptions};
