//! Which Python is taken, and what is said where there is none.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ai_memory::Error;
use ai_memory::python::{Found, Interpreter};
use pyo3::prelude::*;

use crate::common::Folder;

fn real() -> Interpreter {
    Interpreter::find().expect("the tests have a Python")
}

/// A program that answers as an interpreter of this version with or without the package would.
fn pretend(folder: &Path, name: &str, version: &str, has_package: bool) -> OsString {
    let program = folder.join(name);
    let said = format!(
        r#"{{"implementation": "cpython", "version": [{version}], "executable": "{}", "has_package": {has_package}}}"#,
        program.display()
    );
    fs::write(&program, format!("#!/bin/sh\necho '{said}'\n")).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("made executable");
    program.into_os_string()
}

fn linked() -> String {
    ai_memory::python::with_python(|py| Ok(format!("{}, {}", py.version_info().major, py.version_info().minor)))
        .expect("runs")
}

#[test]
fn a_named_python_is_taken_before_an_active_one_and_that_before_the_path() {
    let folder = Folder::new();
    let (named, active) = (folder.join("named"), folder.join("active/bin"));
    fs::create_dir_all(&named).expect("made");
    fs::create_dir_all(&active).expect("made");
    let (version, path) = (linked(), folder.0.clone().into_os_string());
    let named = pretend(&named, "python", &version, true);
    pretend(&active, "python", &version, true);
    pretend(&folder.0, "python3", &version, true);
    let active = Some(folder.join("active").into_os_string());

    let found = |named: Option<OsString>, active: Option<OsString>| {
        Interpreter::find_among(named, active, Some(path.clone())).expect("found").found
    };
    assert_eq!(found(Some(named), active.clone()), Found::Named);
    assert_eq!(found(active.clone(), None), Found::Named); // a folder stands for the environment in it
    assert_eq!(found(Some(OsString::new()), active), Found::Active);
    assert_eq!(found(None, None), Found::System);
}

#[test]
fn the_path_gives_the_first_one_of_the_right_version() {
    let (one, two) = (Folder::new(), Folder::new());
    pretend(&one.0, "python3", "2, 7", true);
    let right = pretend(&two.0, "python", &linked(), true);
    let path = std::env::join_paths([&one.0, &two.0]).expect("a path");
    let found = Interpreter::find_among(None, None, Some(path)).expect("found");
    assert_eq!(found.executable.into_os_string(), right);
}

#[test]
fn what_is_missing_is_said_with_the_command_that_mends_it() {
    let folder = Folder::new();
    let hint = |error: &Error| error.problem().hint.clone().unwrap_or_default();

    let none = Interpreter::find_among(None, None, Some(folder.0.clone().into_os_string())).expect_err("none");
    assert!(matches!(none, Error::PythonNotFound(_)) && hint(&none).contains("AI_MEMORY_PYTHON"), "{none}");
    let named = |program: OsString| Interpreter::find_among(Some(program), None, None).expect_err("refused");
    let nowhere = named(folder.join("nowhere").into_os_string());
    assert!(matches!(nowhere, Error::PythonNotFound(_)) && nowhere.to_string().contains("nowhere"), "{nowhere}");
    let other = named("/bin/false".into());
    assert!(matches!(other, Error::PythonNotFound(_)), "{other}");
    let old = named(pretend(&folder.0, "old", "3, 8", true));
    assert!(matches!(old, Error::PythonUnusable(_)) && hint(&old).contains("PYO3_PYTHON="), "{old}");
    let bare = named(pretend(&folder.0, "bare", &linked(), false));
    assert!(matches!(bare, Error::PackageMissing(_)) && hint(&bare).ends_with("-m pip install ."), "{bare}");
}

#[test]
fn a_real_interpreter_without_the_package_is_told_from_one_with_it() {
    let folder = Folder::new();
    let made = std::process::Command::new(real().executable)
        .args(["-m", "venv", "--without-pip", "bare"])
        .current_dir(&folder.0)
        .status()
        .expect("Python runs");
    assert!(made.success());
    let error = Interpreter::find_among(None, Some(folder.join("bare").into_os_string()), None).expect_err("bare");
    assert!(matches!(error, Error::PackageMissing(_)), "{error}");
}

#[test]
fn the_program_runs_the_interpreter_that_was_found() {
    let ours: String =
        ai_memory::python::with_python(|py| py.import("sys")?.getattr("executable")?.extract()).expect("runs");
    assert_eq!(Path::new(&ours), real().executable);
}
