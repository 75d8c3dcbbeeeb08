//! The interpreter as the program starts it.

use ai_memory::python::with_python;
use pyo3::prelude::*;

#[test]
fn it_is_the_numpy_that_was_asked_for() {
    let version: String = with_python(|py| py.import("numpy")?.getattr("__version__")?.extract()).expect("numpy loads");
    println!("numpy {version}");
    if let Ok(wanted) = std::env::var("AI_MEMORY_TEST_NUMPY") {
        assert!(version.starts_with(&wanted), "numpy is {version}, and {wanted} was to be tested");
    }
}

#[test]
fn signals_are_left_to_the_program() {
    let taken: bool = with_python(|py| {
        let signal = py.import("signal")?;
        py.import("subprocess")?; // loads what takes SIGINT for Python, unless that was seen to
        let installed = signal.call_method1("getsignal", (signal.getattr("SIGINT")?,))?;
        installed.eq(signal.getattr("default_int_handler")?)
    })
    .expect("Python answers");
    assert!(!taken, "Python has taken SIGINT, so that Ctrl-C would not end the program");
}
