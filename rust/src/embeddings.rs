//! What can be done with an embedder, in process or over HTTP.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{Result, invalid};
use crate::values::words;

words! {
    /// What a query is for. A model without prompts treats all tasks alike.
    Task {
        /// Finding what answers it.
        Retrieval,
        /// Answering a question.
        QuestionAnswering,
        /// Checking a fact.
        FactChecking,
        /// Classification.
        Classification,
        /// Clustering.
        Clustering,
        /// Comparing texts of one kind.
        Similarity,
        /// Finding code.
        CodeRetrieval,
        /// Summarization.
        Summarization,
        /// No prompt: the text as it is.
        None,
    }
}

words! {
    /// What to do with a text that has more tokens than the model reads at once.
    TooLong {
        /// Refuse it with `TooLarge`, whose details have its number of tokens and the limit.
        Error,
        /// Leave out its end.
        Truncate,
        /// Embed it in windows of about equal length; the mean of their vectors is scaled to unit length.
        Windows,
    }
}

impl Task {
    /// The service's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retrieval => "retrieval",
            Self::QuestionAnswering => "question_answering",
            Self::FactChecking => "fact_checking",
            Self::Classification => "classification",
            Self::Clustering => "clustering",
            Self::Similarity => "similarity",
            Self::CodeRetrieval => "code_retrieval",
            Self::Summarization => "summarization",
            Self::None => "none",
        }
    }
}

impl TooLong {
    /// The service's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Truncate => "truncate",
            Self::Windows => "windows",
        }
    }
}

/// Which prompt is put before the texts of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side<'a> {
    /// The prompt for documents.
    #[default]
    Documents,
    /// The prompt for documents with a title, one entry per text; an empty title counts as none.
    TitledDocuments(&'a [Option<&'a str>]),
    /// The prompt for a task; [`Task::None`] means no prompt.
    Queries(Task),
}

/// Unit vectors, row by row: shape (`len`, `dimension`), float32, each of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    values: Vec<f32>,
    len: usize,
    dimension: usize,
}

impl Vectors {
    /// Vectors from all rows, one after the other. Fails with `InvalidInput` unless there are `len` rows of `dimension` values.
    pub fn new(values: Vec<f32>, len: usize, dimension: usize) -> Result<Self> {
        if len.checked_mul(dimension) != Some(values.len()) {
            let message = format!("{} values are no {len} rows of {dimension}", values.len());
            return Err(invalid(message, "give len times dimension values"));
        }
        Ok(Self { values, len, dimension })
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there are no vectors.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The length of each vector.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// One vector, or `None` beyond the last.
    pub fn row(&self, at: usize) -> Option<&[f32]> {
        (at < self.len).then(|| &self.values[at * self.dimension..(at + 1) * self.dimension])
    }

    /// The vectors in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.len).map(|at| &self.values[at * self.dimension..(at + 1) * self.dimension])
    }

    /// All values, row by row.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// All values, row by row, without a copy.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

/// Cosines of rows with columns: shape (`rows`, `columns`), float32, in [-1, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct Similarities {
    values: Vec<f32>,
    columns: usize,
}

impl Similarities {
    /// The cosine of vector `row` of one side and vector `column` of the other; `None` beyond the last.
    pub fn get(&self, row: usize, column: usize) -> Option<f32> {
        if column >= self.columns {
            return None;
        }
        self.values.get(row * self.columns + column).copied()
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row by row.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }
}

/// What a model is and what it runs on.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Its name.
    pub name: String,
    /// sha256 (hexadecimal) over weights, tokenizer and configuration.
    pub revision: String,
    /// The number format of its arithmetic.
    pub dtype: String,
    /// The length of the vectors that the methods return.
    pub dimension: usize,
    /// All lengths that the model supports, the full one first.
    pub dimensions: Vec<usize>,
    /// The longest input in tokens, special tokens and prompt included.
    pub max_tokens: usize,
    /// What is known only in the process that runs the model.
    pub local: Option<LocalModel>,
}

/// What is known of a model in this process.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalModel {
    /// Its folder.
    pub folder: PathBuf,
    /// `openvino` or `torch`.
    pub runtime: String,
    /// `cpu` or `cuda`.
    pub device: String,
    /// Its licence; empty where it is not known.
    pub licence: String,
    /// The prompt of each task, and of documents without (`document`) and with a title (`titled_document`).
    pub prompts: BTreeMap<String, String>,
}

/// One embedding model. It may be shared among threads; concurrent calls share its forward passes.
///
/// Queries and documents have separate methods, so that each gets its prompt. Every vector is float32 and of length 1. All
/// methods that embed fail with `TooLarge` for a text that is too long (unless the service is set otherwise, see [`TooLong`]),
/// `Embedder` where the model fails, with no partial result, `EmbedderUnavailable` where there is none or it has been closed, and
/// `Overloaded` where too many callers wait.
pub trait Embeddings: Send + Sync {
    /// The vector of one query: `dimension` values. Default task: retrieval.
    fn embed_query(&self, text: &str, task: Option<Task>) -> Result<Vec<f32>> {
        Ok(self.embed_batch(&[text], Side::Queries(task.unwrap_or(Task::Retrieval)))?.into_values())
    }

    /// The vector of one document: `dimension` values. An empty title counts as none.
    fn embed_document(&self, text: &str, title: Option<&str>) -> Result<Vec<f32>> {
        Ok(self.embed_batch(&[text], Side::TitledDocuments(&[title]))?.into_values())
    }

    /// One vector per text, in order; no texts give no rows, with the model's dimension.
    ///
    /// Also fails with `InvalidInput` unless there are as many titles as texts.
    fn embed_batch(&self, texts: &[&str], side: Side<'_>) -> Result<Vectors>;

    /// What the model is and what it runs on.
    fn info(&self) -> Result<ModelInfo>;

    /// The lengths that the model's authors trained its vectors to be cut to, the full one first.
    fn supported_dimensions(&self) -> Result<Vec<usize>> {
        Ok(self.info()?.dimensions)
    }

    /// Whether vectors may be cut to this length.
    fn is_dimension_supported(&self, dimension: usize) -> Result<bool> {
        Ok(self.supported_dimensions()?.contains(&dimension))
    }

    /// Cosines of each vector of `a` and each of `b`, computed in float64 and returned as float32. The vectors need not be of length 1.
    ///
    /// Needs neither model nor service. Fails with `InvalidInput` where the dimensions differ, a value is not finite, or a vector
    /// is all zero.
    fn similarity(&self, a: &Vectors, b: &Vectors) -> Result<Similarities> {
        if a.dimension() != b.dimension() {
            let message = format!("vectors of {} and of {} values cannot be compared", a.dimension(), b.dimension());
            return Err(invalid(message, "embed both with the same model and dimension"));
        }
        let (left, right) = (units(a, "a")?, units(b, "b")?);
        let cosine = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>().clamp(-1.0, 1.0) as f32;
        let values = left.iter().flat_map(|x| right.iter().map(|y| cosine(x, y))).collect();
        Ok(Similarities { values, columns: b.len() })
    }
}

/// The rows scaled to unit length, in float64.
fn units(vectors: &Vectors, name: &str) -> Result<Vec<Vec<f64>>> {
    let unit = |row: &[f32]| {
        let row: Vec<f64> = row.iter().copied().map(f64::from).collect();
        let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        if !length.is_finite() {
            return Err(invalid(format!("`{name}` has values that are not finite"), "give vectors of an embedder"));
        }
        if length == 0.0 {
            let message = format!("`{name}` has a row of zeros, which has no direction");
            return Err(invalid(message, "give vectors of an embedder"));
        }
        Ok(row.iter().map(|value| value / length).collect())
    };
    vectors.rows().map(unit).collect()
}

/// There must be one title per text, in process and over HTTP.
pub(crate) fn check_titles(texts: usize, side: Side<'_>) -> Result<()> {
    match side {
        Side::TitledDocuments(titles) if titles.len() != texts => {
            Err(invalid(format!("{texts} texts have {} titles", titles.len()), "give one title per text, or None"))
        }
        _ => Ok(()),
    }
}
