//! The one place where Rust enters Python and comes back.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::{PyResult, Python};

use super::ending::called;
use super::raised::raised;
use super::start::ensure_started;
use crate::error::{Error, Problem, Result};

/// Run `inside` attached to the interpreter, which is started where it was not; what it raises becomes an error of the service.
///
/// The calling thread is attached (on a Python with a global interpreter lock: holds it) only while Python code runs. The service
/// lets go of it while the model computes, while SQLite works and while a call waits for another, so other threads go on. A panic
/// does not come out of here: it becomes `Internal`. Also fails as [`Interpreter::find`](super::Interpreter::find), and with
/// `Unavailable` where the interpreter is shutting down.
pub fn with_python<T>(inside: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T> {
    ensure_started()?;
    let attached = || Python::try_attach(|py| inside(py).map_err(|error| raised(py, &error)));
    let ended = catch_unwind(AssertUnwindSafe(attached));
    called();
    match ended {
        Ok(Some(result)) => result,
        Ok(None) => Err(Error::Unavailable(Problem::new("the Python interpreter is shutting down"))),
        Err(panic) => Err(Error::Internal(Problem::new(format!("a panic: {}", said(panic.as_ref()))))),
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no words")
}
