//! What several tests need: the model, folders that go away, stores.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};

use ai_memory::python::with_python;
use ai_memory::{EmbeddingOptions, EmbeddingService, Error, Memory, MemoryOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Map, Value, json};

/// The repository.
pub static ROOT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository").into());

/// The folder of the small real model.
pub fn model_folder() -> PathBuf {
    let folder = ROOT.join(".cache/models/all-MiniLM-L6-v2");
    assert!(folder.is_dir(), "there is no model at {}; run the tests with: scripts/rust test", folder.display());
    folder
}

/// One model for all tests, on one thread of the processor.
pub fn embedder() -> &'static EmbeddingService {
    static EMBEDDER: OnceLock<EmbeddingService> = OnceLock::new();
    EMBEDDER.get_or_init(|| EmbeddingService::open(&embedding_options()).expect("the model opens"))
}

pub fn embedding_options() -> EmbeddingOptions {
    EmbeddingOptions {
        model: Some(model_folder().display().to_string()),
        data_dir: Some(ROOT.join(".cache")),
        threads: Some(1),
        ..EmbeddingOptions::default()
    }
}

/// A folder that goes away at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("ai-memory-rust-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A store in a folder of its own, with the model of these words (`none`, or a folder).
///
/// In this order: what is named last goes first, and the store is closed before its folder is removed.
pub fn store(model: &str) -> (Folder, Memory) {
    let folder = Folder::new();
    let memory = open_store(&folder, model).expect("the store opens");
    (folder, memory)
}

pub fn open_store(folder: &Folder, model: &str) -> Result<Memory, Error> {
    Memory::open(&MemoryOptions {
        store: Some(folder.join("memory.db")),
        data_dir: Some(folder.0.clone()),
        settings: object(json!({"model": model, "threads": 1})),
    })
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

/// Run Python statements that leave their result, as JSON text, in `answer`.
pub fn python(code: &str, given: &[(&str, String)]) -> Value {
    let answer = with_python(|py| {
        let names = PyDict::new(py);
        for (name, value) in given {
            names.set_item(name, value)?;
        }
        let code = std::ffi::CString::new(code).expect("no NUL in the code");
        py.run(&code, Some(&names), None)?;
        names.get_item("answer")?.expect("the code sets `answer`").extract::<String>()
    });
    serde_json::from_str(&answer.expect("the code runs")).expect("`answer` is JSON")
}
