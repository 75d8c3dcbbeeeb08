//! A store opened in this process.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use serde_json::{Map, Value};

use super::boundary::with_python;
use super::ending::Open;
use crate::error::{Error, Problem, Result};
use crate::memories::Memories;
use crate::operation::Operation;

/// Which store is opened. What is not given comes from the environment (`AI_MEMORY_…`), the configuration file and the service's
/// defaults.
#[derive(Debug, Clone, Default)]
pub struct MemoryOptions {
    /// The SQLite file; the store of `data_dir` where it is not given.
    pub store: Option<PathBuf>,
    /// The data folder: store, models, caches. The user's own where it is not given.
    pub data_dir: Option<PathBuf>,
    /// Further settings by name, such as `model`.
    pub settings: Map<String, Value>,
}

/// A store opened in this process: `ai_memory.Memory`. Other processes may have the same store open; each sees the others' writes at
/// its next call.
///
/// Dropping it finishes what was acknowledged and releases the store, as [`Memory::close`] does, and so does the end of the process.
#[derive(Debug)]
pub struct Memory {
    memory: Open,
}

impl Memory {
    /// Open the store.
    ///
    /// Fails with `InvalidInput` for a wrong setting, with `StoreCorrupt`, `StoreVersion`, `StoreReadOnly` and the other errors of the
    /// store where it cannot be opened, and as [`with_python`] where Python or the package is missing.
    pub fn open(options: &MemoryOptions) -> Result<Self> {
        let settings = json(&options.settings)?;
        let memory = with_python(|py| {
            let named = decoded(py, &settings)?;
            let named = named.cast::<PyDict>()?;
            for (name, path) in [("path", &options.store), ("data_dir", &options.data_dir)] {
                if let Some(path) = path {
                    named.set_item(name, path.as_os_str())?;
                }
            }
            let memory = py.import("ai_memory")?.getattr("Memory")?.call((), Some(named))?;
            Ok(Open::new(py, memory))
        })?;
        Ok(Self { memory })
    }

    /// Wait until every memory can be found semantically; false at the time limit or without a model.
    pub fn settle(&self, limit: Option<Duration>) -> Result<bool> {
        with_python(|py| {
            self.memory.bind(py).call_method1("settle", (limit.map(|limit| limit.as_secs_f64()),))?.extract()
        })
    }

    /// Finish what was acknowledged and release the store. May be called twice; every other method fails after it.
    pub fn close(&self) -> Result<()> {
        with_python(|py| self.memory.bind(py).call_method0("close").map(drop))
    }
}

impl Memories for Memory {
    fn carry_out(&self, operation: Operation, request: Map<String, Value>) -> Result<Vec<u8>> {
        let request = json(&request)?;
        with_python(|py| {
            let named = decoded(py, &request)?;
            let answer = self.memory.bind(py).call_method(operation.name, (), Some(named.cast::<PyDict>()?))?;
            let written = codec(py)?.call_method1(intern!(py, "encode"), (answer,))?;
            Ok(written.cast::<PyBytes>()?.as_bytes().to_vec())
        })
    }
}

fn json(fields: &Map<String, Value>) -> Result<Vec<u8>> {
    serde_json::to_vec(fields).map_err(|error| Error::InvalidInput(Problem::new(error.to_string())))
}

fn decoded<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    codec(py)?.call_method1(intern!(py, "decode"), (PyBytes::new(py, bytes),))
}

/// `msgspec.json`, which the service itself reads and writes its requests and answers with.
fn codec(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import(intern!(py, "msgspec"))?.getattr(intern!(py, "json"))
}
