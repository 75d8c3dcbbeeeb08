//! The embedder in this process.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::arrays::vectors;
use super::boundary::with_python;
use super::ending::Open;
use crate::embeddings::{Embeddings, LocalModel, ModelInfo, Side, TooLong, Vectors, check_titles};
use crate::error::Result;

/// How the model is chosen and run. What is not given comes from the environment (`AI_MEMORY_…`), the configuration file and the
/// service's defaults.
#[derive(Debug, Clone, Default)]
pub struct EmbeddingOptions {
    /// `auto` (EmbeddingGemma where it is found, else all-MiniLM-L6-v2), a known name, or a model folder.
    pub model: Option<String>,
    /// The length of the vectors, one of [`Embeddings::supported_dimensions`]; they are cut to it and scaled to unit length.
    pub dimension: Option<usize>,
    /// `auto`, `float32`, `bfloat16` or `int8`.
    pub dtype: Option<String>,
    /// `auto`, `openvino` or `torch`.
    pub runtime: Option<String>,
    /// `auto`, `cpu` or `cuda`.
    pub device: Option<String>,
    /// Threads of a forward pass; 0 means one per core.
    pub threads: Option<usize>,
    /// Keep vectors that were made before, in memory and in the data folder.
    pub cache: bool,
    /// The data folder, where models are looked for.
    pub data_dir: Option<PathBuf>,
    /// What to do with a text that is too long. Default: an error.
    pub too_long: Option<TooLong>,
}

/// One embedding model in this process: `ai_memory.EmbeddingModel`.
///
/// Dropping it frees the model, as [`EmbeddingService::close`] does, and so does the end of the process.
#[derive(Debug)]
pub struct EmbeddingService {
    model: Open,
    too_long: TooLong,
}

impl EmbeddingService {
    /// Find the model and check its files; the weights are loaded at the first call, or by [`EmbeddingService::warm_up`].
    ///
    /// Fails with `EmbedderUnavailable` where no model is found, `ModelFiles` where its files are incomplete or damaged,
    /// `InvalidInput` for a wrong option, and as [`with_python`] where Python or the package is missing.
    pub fn open(options: &EmbeddingOptions) -> Result<Self> {
        let model = with_python(|py| {
            let named = keywords(py, options)?;
            let model = py.import("ai_memory")?.getattr("EmbeddingModel")?.call((), Some(&named))?;
            Ok(Open::new(py, model))
        })?;
        Ok(Self { model, too_long: options.too_long.unwrap_or(TooLong::Error) })
    }

    /// Load everything now and run one pass, so that the first call is as fast as the next.
    pub fn warm_up(&self) -> Result<()> {
        with_python(|py| self.model.bind(py).call_method0("warm_up").map(drop))
    }

    /// Free the model; embedding after this fails with `EmbedderUnavailable`. May be called twice.
    pub fn close(&self) -> Result<()> {
        with_python(|py| self.model.bind(py).call_method0("close").map(drop))
    }
}

impl Embeddings for EmbeddingService {
    fn embed_batch(&self, texts: &[&str], side: Side<'_>) -> Result<Vectors> {
        check_titles(texts.len(), side)?;
        with_python(|py| {
            let texts = PyList::new(py, texts)?;
            let named = PyDict::new(py);
            named.set_item(intern!(py, "too_long"), self.too_long.as_str())?;
            let method = match side {
                Side::Documents => intern!(py, "embed_documents"),
                Side::TitledDocuments(titles) => {
                    named.set_item(intern!(py, "titles"), PyList::new(py, titles)?)?;
                    intern!(py, "embed_documents")
                }
                Side::Queries(task) => {
                    named.set_item(intern!(py, "task"), task.as_str())?;
                    intern!(py, "embed_queries")
                }
            };
            vectors(&self.model.bind(py).call_method(method, (texts,), Some(&named))?)
        })
    }

    fn info(&self) -> Result<ModelInfo> {
        with_python(|py| described(self.model.bind(py).getattr("info")?))
    }
}

fn keywords<'py>(py: Python<'py>, options: &EmbeddingOptions) -> PyResult<Bound<'py, PyDict>> {
    let named = PyDict::new(py);
    for (name, value) in [
        ("model", &options.model),
        ("dtype", &options.dtype),
        ("runtime", &options.runtime),
        ("device", &options.device),
    ] {
        if let Some(value) = value {
            named.set_item(name, value)?;
        }
    }
    for (name, value) in [("dimension", options.dimension), ("threads", options.threads)] {
        if let Some(value) = value {
            named.set_item(name, value)?;
        }
    }
    if let Some(folder) = &options.data_dir {
        named.set_item("data_dir", folder.as_os_str())?;
    }
    named.set_item("cache", options.cache)?;
    Ok(named)
}

fn described(info: Bound<'_, PyAny>) -> PyResult<ModelInfo> {
    let text = |name: &str| info.getattr(name)?.extract::<String>();
    Ok(ModelInfo {
        name: text("name")?,
        revision: text("revision")?,
        dtype: text("dtype")?,
        dimension: info.getattr("dimension")?.extract()?,
        dimensions: info.getattr("dimensions")?.extract()?,
        max_tokens: info.getattr("max_tokens")?.extract()?,
        local: Some(LocalModel {
            folder: info.getattr("folder")?.extract()?,
            runtime: text("runtime")?,
            device: text("device")?,
            licence: text("licence")?,
            prompts: info.getattr("prompts")?.extract::<BTreeMap<String, String>>()?,
        }),
    })
}
