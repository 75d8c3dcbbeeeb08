//! The service in this process: Python is embedded once, and the package `ai-memory-local` is loaded into it.
//!
//! The interpreter is found and started at the first use, see [`Interpreter::find`], and lives until the process ends. What is
//! still open then is closed, and a write that was acknowledged is on disk however the process ends.

mod arrays;
mod boundary;
mod discover;
mod embedding;
mod ending;
mod memory;
mod raised;
mod start;

pub use boundary::with_python;
pub use discover::{Found, Interpreter};
pub use embedding::{EmbeddingOptions, EmbeddingService};
pub use memory::{Memory, MemoryOptions};
pub use raised::raised;
