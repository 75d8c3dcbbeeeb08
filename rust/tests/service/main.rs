//! The crate against the real package, the small real model and real stores. `scripts/rust test` gives it the environment it needs.

mod common;

mod asynchronous;
mod discovery;
mod embedding;
mod errors;
mod interpreter;
mod memory;
#[cfg(feature = "remote")]
mod over_http;
mod schema;
mod schema_of_decisions;
