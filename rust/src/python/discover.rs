//! Finding the Python interpreter whose packages are used.

use std::env;
use std::ffi::{CStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::{Error, Problem, Result};

/// The environment variable that names the interpreter, or the folder of a virtual environment.
const VARIABLE: &str = "AI_MEMORY_PYTHON";
const PROBE: &str = include_str!("probe.py");

/// Where an interpreter was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// `AI_MEMORY_PYTHON` names it.
    Named,
    /// It is that of the active virtual environment (`VIRTUAL_ENV`).
    Active,
    /// It is on the `PATH`.
    System,
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Named => "named by AI_MEMORY_PYTHON",
            Self::Active => "of the active virtual environment",
            Self::System => "on the PATH",
        })
    }
}

/// A Python interpreter that has the package, of the version whose library this program is linked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// Its program; in a virtual environment the program decides which packages are found.
    pub executable: PathBuf,
    /// How it was found.
    pub found: Found,
}

/// What `probe.py` says.
#[derive(Deserialize)]
struct Probe {
    implementation: String,
    version: (u8, u8),
    executable: PathBuf,
    has_package: bool,
}

impl Interpreter {
    /// The interpreter that `AI_MEMORY_PYTHON` names, else that of the active virtual environment, else the first one on the `PATH`
    /// of the right version.
    ///
    /// Each is run once (some 30 ms) and asked what it is. Fails with `PythonNotFound`, `PythonUnusable` where it is of another
    /// version than this program is linked with, and `PackageMissing`; each error has the command that fixes it.
    pub fn find() -> Result<Self> {
        Self::find_among(env::var_os(VARIABLE), env::var_os("VIRTUAL_ENV"), env::var_os("PATH"))
    }

    /// As `find`, from these values of `AI_MEMORY_PYTHON`, `VIRTUAL_ENV` and `PATH`; an empty one counts as not set.
    pub fn find_among(named: Option<OsString>, active: Option<OsString>, path: Option<OsString>) -> Result<Self> {
        let given = |value: Option<OsString>| value.filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(named) = given(named) {
            return Self::checked(program_of(&named), Found::Named);
        }
        if let Some(environment) = given(active) {
            return Self::checked(program_of(&environment), Found::Active);
        }
        Self::on_path(path.unwrap_or_default())
    }

    /// The first interpreter on the path that is of the right version, even where a later one has the package.
    fn on_path(path: OsString) -> Result<Self> {
        let (major, minor) = linked_version();
        let names = [format!("python{major}.{minor}"), "python3".to_owned(), "python".to_owned()];
        let mut unusable = None;
        for name in names {
            let Some(program) = env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
            else {
                continue;
            };
            match Self::checked(program, Found::System) {
                Err(error @ Error::PythonUnusable(_)) => unusable = unusable.or(Some(error)),
                decided => return decided,
            }
        }
        Err(unusable.unwrap_or_else(|| {
            Error::PythonNotFound(
                Problem::new(format!("no Python {major}.{minor} was found: neither AI_MEMORY_PYTHON nor VIRTUAL_ENV is set, and there is none on the PATH"))
                    .hint(format!("install Python {major}.{minor}, or set AI_MEMORY_PYTHON=/path/to/python")),
            )
        }))
    }

    fn checked(program: PathBuf, found: Found) -> Result<Self> {
        let probe = probe(&program, found)?;
        let shown = probe.executable.display().to_string();
        let (major, minor) = linked_version();
        if probe.implementation != "cpython" || probe.version != (major, minor) {
            let (other_major, other_minor) = probe.version;
            return Err(Error::PythonUnusable(
                Problem::new(format!(
                    "this program is linked with Python {major}.{minor}, and {shown} ({found}) is {} {other_major}.{other_minor}",
                    probe.implementation
                ))
                .hint(format!(
                    "build the program with PYO3_PYTHON={shown} cargo build, or set AI_MEMORY_PYTHON to a Python {major}.{minor}"
                ))
                .detail("executable", shown),
            ));
        }
        if !probe.has_package {
            return Err(Error::PackageMissing(
                Problem::new(format!("{shown} ({found}) has no package ai-memory-local"))
                    .hint(format!("in a checkout of the service: {shown} -m pip install ."))
                    .detail("executable", shown),
            ));
        }
        Ok(Self { executable: probe.executable, found })
    }
}

/// The interpreter of a virtual environment's folder; anything else as it is.
fn program_of(place: &Path) -> PathBuf {
    if !place.is_dir() {
        return place.to_owned();
    }
    if cfg!(windows) { place.join("Scripts").join("python.exe") } else { place.join("bin").join("python") }
}

fn probe(program: &Path, found: Found) -> Result<Probe> {
    let shown = program.display();
    let not_found = |why: String| {
        Error::PythonNotFound(
            Problem::new(format!("{shown} ({found}) cannot be run: {why}"))
                .hint("set AI_MEMORY_PYTHON to a Python interpreter or to the folder of a virtual environment")
                .detail("executable", shown.to_string()),
        )
    };
    let answer = Command::new(program)
        .args(["-c", PROBE])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_found(error.to_string()))?;
    serde_json::from_slice(&answer.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&answer.stderr);
        let last = said.trim().lines().last().unwrap_or("it is no Python interpreter").to_owned();
        not_found(format!("{}; {last}", answer.status))
    })
}

/// Major and minor version of the library that this program is linked with.
pub(super) fn linked_version() -> (u8, u8) {
    // SAFETY: Py_GetVersion may be called before the interpreter is initialised, and gives a static string that ends in NUL.
    let version = unsafe { CStr::from_ptr(pyo3::ffi::Py_GetVersion()) };
    let version = version.to_string_lossy();
    let mut numbers = version.split(['.', ' ']).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
