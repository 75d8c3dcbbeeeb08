//! What Python raises, as errors of this crate.

use pyo3::exceptions::{PyImportError, PyModuleNotFoundError};
use pyo3::prelude::*;
use pyo3::types::PyTracebackMethods;
use serde_json::Value;

use crate::error::{Error, Problem};

/// The error for an exception: the service's own by their code, a missing module as `PackageMissing`, anything else as
/// `Internal` with the exception's type and traceback in its details.
pub fn raised(py: Python<'_>, error: &PyErr) -> Error {
    if let Some(known) = of_the_service(py, error) {
        return known;
    }
    let exception = error.get_type(py).qualname().map(|name| name.to_string()).unwrap_or_default();
    let message = error.value(py).str().map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    if error.is_instance_of::<PyModuleNotFoundError>(py) || error.is_instance_of::<PyImportError>(py) {
        let interpreter = executable(py).unwrap_or_else(|| "python".to_owned());
        return Error::PackageMissing(
            Problem::new(format!("{interpreter} cannot load the package: {message}"))
                .hint(format!("in a checkout of the service: {interpreter} -m pip install ."))
                .detail("exception", exception),
        );
    }
    let mut problem = Problem::new(format!("{exception}: {message}")).detail("exception", exception);
    if let Some(traceback) = error.traceback(py).and_then(|traceback| traceback.format().ok()) {
        problem = problem.detail("traceback", traceback);
    }
    Error::Internal(problem)
}

/// A `MemoryServiceError`, known by its `body()`; `None` for every other exception.
fn of_the_service(py: Python<'_>, error: &PyErr) -> Option<Error> {
    let base = py.import("ai_memory.errors").ok()?.getattr("MemoryServiceError").ok()?;
    let value = error.value(py);
    if !value.is_instance(&base).ok()? {
        return None;
    }
    let text = |name: &str| value.getattr(name).ok()?.extract::<Option<String>>().ok()?;
    let code = value.getattr("code").ok()?.extract::<String>().ok()?;
    let message = value.getattr("message").ok()?.str().ok()?.to_string_lossy().into_owned();
    let details = value.getattr("details").ok().and_then(|details| as_json(py, &details).ok());
    let details = match details {
        Some(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    Some(Error::from_code(&code, Problem { message, hint: text("hint"), details }))
}

/// A Python value as JSON; what has no form in JSON is written as its `str`.
fn as_json(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let options = pyo3::types::PyDict::new(py);
    options.set_item("enc_hook", py.import("builtins")?.getattr("str")?)?;
    let written = py.import("msgspec")?.getattr("json")?.call_method("encode", (value,), Some(&options))?;
    let bytes: &[u8] = written.extract()?;
    Ok(serde_json::from_slice(bytes).unwrap_or(Value::Null))
}

fn executable(py: Python<'_>) -> Option<String> {
    py.import("sys").ok()?.getattr("executable").ok()?.extract().ok()
}
