//! The embedder of a running service.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::RemoteOptions;
use super::wire::Wire;
use crate::embeddings::{Embeddings, ModelInfo, Side, TooLong, Vectors, check_titles};
use crate::error::{Error, Problem, Result};

/// Texts of one request; larger batches are sent in several.
const MAX_INPUTS: usize = 2048;

/// The embedder of a running service, in the dimension that its model has. Embedding changes nothing, so a request is tried a second
/// time when the connection breaks.
#[derive(Debug)]
pub struct RemoteEmbeddings {
    wire: Wire,
    too_long: TooLong,
}

#[derive(Serialize)]
struct Asked<'a> {
    input: &'a [&'a str],
    encoding_format: &'static str,
    task: &'static str,
    too_long: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    titles: Option<&'a [Option<&'a str>]>,
}

#[derive(Deserialize)]
struct Answered {
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    embedding: String,
}

#[derive(Deserialize)]
struct Info {
    model_id: String,
    model_sha: String,
    model_dtype: String,
    max_input_length: usize,
    identity: Identity,
    dimensions: Vec<usize>,
}

#[derive(Deserialize)]
struct Identity {
    dimension: usize,
}

impl RemoteEmbeddings {
    /// Nothing is sent before the first call. Fails with `InvalidInput` for what is no address or no key.
    ///
    /// The methods fail with `Unavailable` where no service answers.
    pub fn connect(options: &RemoteOptions, too_long: TooLong) -> Result<Self> {
        Ok(Self { wire: Wire::new(options)?, too_long })
    }

    fn some(&self, input: &[&str], side: Side<'_>) -> Result<Vec<Vec<f32>>> {
        let (task, titles) = match side {
            Side::Documents => ("document", None),
            Side::TitledDocuments(titles) => ("document", Some(titles)),
            Side::Queries(task) => (task.as_str(), None),
        };
        let asked = Asked { input, encoding_format: "base64", task, too_long: self.too_long.as_str(), titles };
        let body = serde_json::to_vec(&asked).map_err(unreadable)?;
        let answer = self.wire.send("POST", "/v1/embeddings", Some(&body), true)?;
        let answered: Answered = serde_json::from_slice(&answer).map_err(unreadable)?;
        answered.data.iter().map(|row| floats(&row.embedding)).collect()
    }
}

impl Embeddings for RemoteEmbeddings {
    fn embed_batch(&self, texts: &[&str], side: Side<'_>) -> Result<Vectors> {
        check_titles(texts.len(), side)?;
        if texts.is_empty() {
            return Vectors::new(Vec::new(), 0, self.info()?.dimension);
        }
        let mut values = Vec::new();
        for (number, part) in texts.chunks(MAX_INPUTS).enumerate() {
            let side = match side {
                Side::TitledDocuments(titles) => {
                    Side::TitledDocuments(&titles[number * MAX_INPUTS..number * MAX_INPUTS + part.len()])
                }
                side => side,
            };
            values.extend(self.some(part, side)?.into_iter().flatten());
        }
        let dimension = values.len() / texts.len();
        Vectors::new(values, texts.len(), dimension)
    }

    fn info(&self) -> Result<ModelInfo> {
        let info: Info = serde_json::from_slice(&self.wire.send("GET", "/info", None, true)?).map_err(unreadable)?;
        Ok(ModelInfo {
            name: info.model_id,
            revision: info.model_sha,
            dtype: info.model_dtype,
            dimension: info.identity.dimension,
            dimensions: info.dimensions,
            max_tokens: info.max_input_length,
            local: None,
        })
    }
}

/// Little-endian float32 in base64.
fn floats(text: &str) -> Result<Vec<f32>> {
    let bytes = STANDARD.decode(text).map_err(unreadable)?;
    let (values, []) = bytes.as_chunks::<4>() else {
        return Err(unreadable("a vector is cut off"));
    };
    Ok(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
}

fn unreadable(error: impl ToString) -> Error {
    Error::Internal(
        Problem::new(format!("the embedder's answer cannot be read: {}", error.to_string()))
            .hint("take the crate and the service from one version"),
    )
}
