//! Every error of the service arrives under its own variant, with its hint and details; panics do not cross.

use std::collections::BTreeSet;

use ai_memory::python::with_python;
use ai_memory::values::{Draft, Get, Recall, Remember, RememberMany, Revise};
use ai_memory::{EmbeddingOptions, EmbeddingService, Error, Memories, Memory, MemoryOptions, Problem};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;
use serde_json::json;

use crate::common::{Folder, embedding_options, model_folder, object, open_store, python, store};

/// Codes of what can only go wrong between Rust and the service.
const OWN: [&str; 3] = ["package_missing", "python_not_found", "python_unusable"];

#[test]
fn every_class_of_the_service_has_its_variant() {
    let codes = python(
        "import json\nfrom ai_memory.errors import error_classes\nanswer = json.dumps(sorted(error_classes()))",
        &[],
    );
    let theirs: BTreeSet<&str> = codes.as_array().expect("a list").iter().filter_map(|code| code.as_str()).collect();
    let ours: BTreeSet<&str> =
        Error::CODES.iter().copied().chain(["error"]).filter(|code| !OWN.contains(code)).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn what_python_raises_keeps_its_code_words_and_values() {
    for code in Error::CODES.iter().filter(|code| !OWN.contains(code)) {
        let error = with_python(|py| {
            let class = py.import("ai_memory.errors")?.call_method0("error_classes")?.get_item(code)?;
            let details = [("limit", 3), ("actual", 4)].into_pyobject(py)?;
            let named = py.import("builtins")?.getattr("dict")?.call1((details,))?;
            named.set_item("hint", format!("mend {code}"))?;
            named.set_item("place", py.import("pathlib")?.call_method1("PurePosixPath", ("/a",))?)?;
            let raised = class.call((format!("wrong: {code} ü"),), Some(named.cast()?))?;
            Err::<(), _>(PyErr::from_value(raised))
        })
        .expect_err("it was raised");
        let said = Problem::new(format!("wrong: {code} ü")).hint(format!("mend {code}"));
        let said = said.detail("limit", 3).detail("actual", 4).detail("place", "/a");
        assert_eq!(error, Error::from_code(code, said));
        assert_eq!(error.code(), *code);
        assert!(!matches!(error, Error::Other { .. }), "{code} has no variant");
        assert_eq!(error.to_string(), format!("wrong: {code} ü (mend {code})"));
    }
}

#[test]
fn a_code_of_a_newer_service_is_kept() {
    let error = Error::from_code("brand_new", Problem::new("?"));
    assert_eq!((error.code(), error.problem().message.as_str()), ("brand_new", "?"));
}

#[test]
fn what_the_store_refuses() {
    let (_folder, memory) = store("none");
    let keyed = |text: &str| Remember { idempotency_key: Some("k".to_owned()), ..Remember::new(text) };
    let id = memory.remember(&keyed("first")).expect("kept").memory_id.expect("an id");

    let code = |error: Error| error.code().to_owned();
    let wrong = |draft: Draft| code(memory.remember(&draft.into()).expect_err("refused"));
    assert_eq!(wrong(Draft::new("  \n ")), "invalid_input");
    assert_eq!(wrong(Draft { importance: Some(1.5), ..Draft::new("a") }), "invalid_input");
    assert_eq!(wrong(Draft { importance: Some(f64::NAN), ..Draft::new("a") }), "invalid_input");
    assert_eq!(wrong(Draft { valid_from: Some("yesterday".into()), ..Draft::new("a") }), "invalid_input");
    assert_eq!(wrong(Draft { tags: vec!["t".to_owned(); 65], ..Draft::new("a") }), "too_large");
    assert_eq!(wrong(Draft::new("a".repeat(200_001))), "too_large");
    assert_eq!(code(memory.remember_many(&RememberMany::default()).expect_err("none")), "invalid_input");
    assert_eq!(code(memory.recall(&Recall { limit: Some(0), ..Recall::new("a") }).expect_err("none")), "invalid_input");

    let missing = Get { id: "mem_nothing".to_owned(), ..Get::default() };
    assert_eq!(code(memory.get(&missing).expect_err("missing")), "not_found");
    let stale = Revise { id, text: Some("second".to_owned()), if_revision: Some(7), ..Revise::default() };
    let Error::StaleRevision(problem) = memory.revise(&stale).expect_err("stale") else { panic!("another error") };
    assert_eq!((&problem.details["expected"], &problem.details["current"]), (&json!(7), &json!(1)));
    assert_eq!(code(memory.remember(&keyed("another")).expect_err("used")), "idempotency_conflict");
}

#[test]
fn stores_and_models_that_cannot_be_opened() {
    let folder = Folder::new();
    std::fs::write(folder.join("memory.db"), b"this is no database, and never was one".repeat(200)).expect("written");
    assert_eq!(open_store(&folder, "none").expect_err("damaged").code(), "store_corrupt");

    let wrong = MemoryOptions { settings: object(json!({"port": -1})), ..MemoryOptions::default() };
    let Error::InvalidInput(problem) = Memory::open(&wrong).expect_err("wrong") else { panic!("another error") };
    assert!(problem.message.contains("port"), "{problem:?}");

    let open = |model: String| EmbeddingService::open(&EmbeddingOptions { model: Some(model), ..embedding_options() });
    let empty = Folder::new();
    assert_eq!(open(empty.0.display().to_string()).expect_err("empty").code(), "model_files");
    let nowhere = EmbeddingOptions {
        model: Some("embeddinggemma".into()),
        data_dir: Some(empty.0.clone()),
        ..embedding_options()
    };
    if let Err(error) = EmbeddingService::open(&nowhere) {
        assert_eq!(error.code(), "embedder_unavailable");
        assert!(error.problem().hint.as_ref().is_some_and(|hint| hint.contains("ai-memory model fetch")), "{error}");
    } // else this machine has the model in a place of its own
}

#[test]
fn another_embedder_than_the_stores_is_refused() {
    let folder = Folder::new();
    let memory = open_store(&folder, &model_folder().display().to_string()).expect("opens");
    memory.remember(&Remember { wait: true, ..Remember::new("with a vector") }).expect("kept");
    memory.close().expect("closes");
    let error = open_store(&folder, "hashing")
        .and_then(|memory| memory.remember(&Remember::new("another")))
        .expect_err("refused");
    assert_eq!(error.code(), "embedder_mismatch", "{error}");
}

#[test]
fn other_exceptions_are_internal_and_keep_their_traceback() {
    let error = with_python(|_| Err::<(), _>(PyRuntimeError::new_err("oh"))).expect_err("raised");
    assert_eq!(error, Error::Internal(Problem::new("RuntimeError: oh").detail("exception", "RuntimeError")));
    let error = with_python(|py| py.run(c"def fails():\n    1 / 0\nfails()", None, None)).expect_err("raised");
    let traceback = error.problem().details["traceback"].as_str().expect("a traceback").to_owned();
    assert!(error.code() == "internal" && traceback.contains("in fails"), "{traceback}");
    let error = with_python(|_| Err::<(), _>(PyKeyboardInterrupt::new_err(()))).expect_err("raised");
    assert_eq!(error.problem().details["exception"], "KeyboardInterrupt");
    let error = with_python(|py| py.import("no_such_module").map(drop)).expect_err("raised");
    assert!(
        error.code() == "package_missing"
            && error.problem().hint.as_ref().is_some_and(|hint| hint.contains("pip install"))
    );
}

#[test]
fn a_panic_becomes_an_error_and_python_goes_on() {
    let error = with_python(|_| -> PyResult<()> { panic!("in the middle") }).expect_err("it panicked");
    assert_eq!(error, Error::Internal(Problem::new("a panic: in the middle")));
    assert_eq!(with_python(|py| py.eval(c"6 * 7", None, None)?.extract::<u32>()), Ok(42));
}
