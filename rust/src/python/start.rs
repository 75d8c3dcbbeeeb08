//! Starting the interpreter, once per process.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::Mutex;

use pyo3::ffi;
use pyo3::prelude::*;

use super::discover::{Interpreter, linked_version};
use crate::error::{Error, Problem, Result};

static STARTED: Mutex<bool> = Mutex::new(false);

/// Find and start the interpreter; nothing where that has been done, or where the program itself has started one.
///
/// After a failure the next call tries again.
pub(super) fn ensure_started() -> Result<()> {
    let mut started = STARTED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *started {
        return Ok(());
    }
    // SAFETY: Py_IsInitialized may be called at any time.
    if unsafe { ffi::Py_IsInitialized() } == 0 {
        let interpreter = Interpreter::find()?;
        initialize(&interpreter.executable)?;
        Python::attach(leave_signals).map_err(|error| unusable(&interpreter.executable, &error.to_string()))?;
    }
    *started = true;
    Ok(())
}

/// Start Python as `executable` would: its home, its packages, its environment variables. Signals stay the program's own.
///
/// PyO3's `auto-initialize` would take the Python that the library was installed with, without its virtual environments, and end
/// the process where that fails; with a configuration the interpreter is the one that was found, and a failure is an error.
fn initialize(executable: &Path) -> Result<()> {
    let program = CString::new(executable.as_os_str().as_encoded_bytes())
        .map_err(|_| unusable(executable, "its path has a NUL character"))?;
    let mut config = MaybeUninit::<ffi::PyConfig>::uninit();
    // SAFETY: `config` is initialised by PyConfig_InitPythonConfig before anything else reads it, is used by this thread alone, and
    // is cleared at every end; `program` outlives the call that copies it. The lock in `ensure_started` keeps out a second call
    // from this crate, and Python is not initialised yet.
    unsafe {
        ffi::PyConfig_InitPythonConfig(config.as_mut_ptr());
        let config = config.assume_init_mut();
        config.parse_argv = 0;
        config.install_signal_handlers = 0;
        let place = &raw mut config.executable;
        let mut status = ffi::PyConfig_SetBytesString(config, place, program.as_ptr());
        if ffi::PyStatus_Exception(status) == 0 {
            status = ffi::Py_InitializeFromConfig(config);
        }
        ffi::PyConfig_Clear(config);
        if ffi::PyStatus_Exception(status) != 0 {
            let said = if status.err_msg.is_null() { c"no reason was given" } else { CStr::from_ptr(status.err_msg) };
            return Err(unusable(executable, &said.to_string_lossy()));
        }
        // Initialising attaches this thread to the interpreter; it lets go, so that any thread may attach.
        ffi::PyEval_SaveThread();
    }
    Ok(())
}

/// Give SIGINT back to the program.
///
/// Even where Python is configured to install no handlers, its module `signal` takes a SIGINT that nobody has taken as soon as something
/// imports it, and Ctrl-C would no longer end the program. Imported here, it does so now, and not again.
fn leave_signals(py: Python<'_>) -> PyResult<()> {
    let signal = py.import("signal")?;
    let interrupt = signal.getattr("SIGINT")?;
    if signal.call_method1("getsignal", (&interrupt,))?.is(signal.getattr("default_int_handler")?) {
        signal.call_method1("signal", (interrupt, signal.getattr("SIG_DFL")?))?;
    }
    Ok(())
}

fn unusable(executable: &Path, why: &str) -> Error {
    let (major, minor) = linked_version();
    Error::PythonUnusable(
        Problem::new(format!("Python {major}.{minor} could not be started as {}: {why}", executable.display()))
            .hint("unset PYTHONHOME and PYTHONPATH, or set AI_MEMORY_PYTHON to another interpreter"),
    )
}
