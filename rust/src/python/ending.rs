//! What is still open when the process ends.
//!
//! A program that keeps its model or its store in a `static`, or calls `std::process::exit`, drops neither; a forward pass may then be
//! running, in another thread or in the store's own that embeds pending memories, while the C library destroys what OpenVINO computes with, and
//! the process would end with a segmentation fault. So the end of the process closes what is open first, which waits for the pass that
//! runs and for nothing else.
//!
//! What is destroyed when is the C library's: first what belongs to the thread that ends the process, then exit handlers, among them
//! the destructors of C++, in the reverse of the order in which they were added. So there are two ways in:
//!
//! - The main thread, which ends nearly every process, keeps a value whose `Drop` comes before all of them.
//! - For a process that another thread ends there is an exit handler. It has to be added after the destructors of what OpenVINO loads
//!   and makes on the way, so it is added again after the first call, the second, the fourth, …, at most 64 times. Only a process that
//!   such a thread ends while a model is being loaded for the first time can still end badly; no acknowledged write is lost by that.

use std::cell::OnceCell;
use std::ffi::c_int;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use pyo3::prelude::*;

unsafe extern "C" {
    fn atexit(handler: extern "C" fn()) -> c_int;
}

/// What has to be closed, by the number that `Open` has of it.
static OPEN: Mutex<Vec<(u64, Py<PyAny>)>> = Mutex::new(Vec::new());
static NUMBER: AtomicU64 = AtomicU64::new(0);
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Closes everything when the thread that it belongs to ends.
struct Closes;

impl Drop for Closes {
    fn drop(&mut self) {
        close_all();
    }
}

thread_local! {
    /// Made in the main thread alone: the end of another one is not the end of the process.
    static AT_THE_END: OnceCell<Closes> = const { OnceCell::new() };
}

/// An object of Python that has a method `close` and is closed when this is dropped or when the process ends.
#[derive(Debug)]
pub(super) struct Open {
    object: Py<PyAny>,
    number: u64,
}

impl Open {
    pub fn new(py: Python<'_>, object: Bound<'_, PyAny>) -> Self {
        let (object, number) = (object.unbind(), NUMBER.fetch_add(1, Ordering::Relaxed));
        open_ones(|open| open.push((number, object.clone_ref(py))));
        Self { object, number }
    }

    /// The object.
    pub fn bind<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.object.bind(py)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        open_ones(|open| open.retain(|(number, _)| *number != self.number));
        // A failure cannot be reported from here; owners who want to know call `close` themselves.
        let _ = Python::try_attach(|py| self.object.bind(py).call_method0("close").map(drop));
    }
}

fn open_ones<T>(change: impl FnOnce(&mut Vec<(u64, Py<PyAny>)>) -> T) -> T {
    change(&mut OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// Note that a call into Python has ended.
pub(super) fn called() {
    if thread::current().name() == Some("main") {
        // Where the thread's own values are being dropped already, the process is ending and everything is being closed.
        let _ = AT_THE_END.try_with(|end| _ = end.get_or_init(|| Closes));
    }
    if (CALLS.fetch_add(1, Ordering::Relaxed) + 1).is_power_of_two() {
        close_at_exit();
    }
}

fn close_at_exit() {
    // SAFETY: `atexit` may be called at any time; the handler takes nothing and does not unwind. It fails only where there is no
    // memory for one more handler, and then those that were added before stay.
    unsafe { atexit(close_all) };
}

extern "C" fn close_all() {
    // An unwinding panic must not leave this function, and the process ends either way.
    let _ = catch_unwind(|| {
        let open = open_ones(std::mem::take);
        Python::try_attach(|py| {
            for (_, object) in open {
                let _ = object.bind(py).call_method0("close"); // whatever cannot be closed must not keep the rest from it
            }
        })
    });
}
