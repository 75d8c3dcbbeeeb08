//! HTTP to one server.

use std::io;

use serde::Deserialize;
use serde_json::{Map, Value};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use super::RemoteOptions;
use crate::error::{Error, Problem, Result, invalid};

/// Connections to one server, kept alive and shared by all threads.
#[derive(Debug)]
pub(super) struct Wire {
    agent: Agent,
    url: String,
    options: RemoteOptions,
}

/// An error in the service's own shape, in OpenAI's (an engine route), or in that of text-embeddings-inference.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reported {
    Service {
        error: ServiceError,
    },
    OpenAi {
        error: OpenAi,
    },
    Tei {
        error: String,
        #[serde(rename = "error_type")]
        _kind: String,
    },
}

#[derive(Deserialize)]
struct ServiceError {
    code: String,
    message: String,
    hint: Option<String>,
    details: Map<String, Value>,
}

#[derive(Deserialize)]
struct OpenAi {
    code: String,
    message: String,
    param: Option<String>,
}

impl Wire {
    /// Fails with `InvalidInput` for an address that is not `http://` (or `https://` with the feature `tls`), and for a key that no
    /// header can carry. Nothing is sent yet.
    pub fn new(options: &RemoteOptions) -> Result<Self> {
        let url = options.url.trim_end_matches('/').to_owned();
        let secure = url.starts_with("https://");
        if secure && !cfg!(feature = "tls") {
            return Err(invalid(format!("{url} needs HTTPS"), "build the crate ai-memory with its feature `tls`"));
        }
        if !secure && !url.starts_with("http://") || url.ends_with("://") {
            return Err(invalid(format!("{url:?} is not the address of a service"), "write http://127.0.0.1:7677"));
        }
        if options.api_key.as_ref().is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(invalid("the API key has characters that HTTP headers cannot carry", "use ASCII letters"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(options.timeout))
            .proxy(None) // the service is on this machine, or at an address that is given in full
            .max_redirects(0)
            .user_agent("ai-memory-rust")
            .build();
        Ok(Self { agent: config.new_agent(), url, options: options.clone() })
    }

    /// Send a request and return the body of the answer. `again` allows a second try where the connection breaks.
    ///
    /// Fails with the error that the service answered with, and with `Unavailable` where no ai-memory service answers.
    pub fn send(&self, method: &str, target: &str, body: Option<&[u8]>, again: bool) -> Result<Vec<u8>> {
        let (status, answer) = match self.exchange(method, target, body) {
            Err(error) if again && breaks(&error) => self.exchange(method, target, body),
            first => first,
        }
        .map_err(|error| self.unreachable(&error))?;
        if status < 400 { Ok(answer) } else { Err(self.reported(status, &answer)) }
    }

    fn exchange(
        &self,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
    ) -> std::result::Result<(u16, Vec<u8>), ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{target}", self.url));
        if let Some(key) = &self.options.api_key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let response: Response<Body> = match body {
            Some(body) => self.agent.run(request.header("content-type", "application/json").body(body)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let status = response.status().as_u16();
        let answer = response.into_body().into_with_config().limit(u64::MAX).read_to_vec()?;
        Ok((status, answer))
    }

    fn reported(&self, status: u16, answer: &[u8]) -> Error {
        match serde_json::from_slice(answer) {
            Ok(Reported::Service { error }) => {
                let ServiceError { code, message, hint, details } = error;
                Error::from_code(&code, Problem { message, hint, details })
            }
            Ok(Reported::OpenAi { error }) => engine_error(error),
            Ok(Reported::Tei { error, .. }) => Error::from_code(code_of(status), Problem::new(error)),
            Err(_) => Error::Unavailable(
                Problem::new(format!("what answers at {} is not this service: HTTP {status}", self.url))
                    .hint("check the address; ai-memory serve prints it")
                    .detail("url", self.url.clone())
                    .detail("status", status),
            ),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Error {
        let (message, hint) = match error {
            ureq::Error::Timeout(_) => (
                format!("{} did not answer within {} s", self.url, self.options.timeout.as_secs_f64()),
                "give a longer timeout, or look at the server's log",
            ),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                return invalid(
                    format!("{:?} is not the address of a service: {error}", self.url),
                    "write http://127.0.0.1:7677",
                );
            }
            _ => (format!("no service answers at {}: {error}", self.url), "start it with: ai-memory serve"),
        };
        Error::Unavailable(Problem::new(message).hint(hint).detail("url", self.url.clone()))
    }
}

fn breaks(error: &ureq::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        ureq::Error::Io(error) => {
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        }
        ureq::Error::Protocol(_) => true,
        _ => false,
    }
}

/// The service's error for one in OpenAI's format, which has no separate hint.
fn engine_error(error: OpenAi) -> Error {
    let code = match error.code.as_str() {
        "invalid_api_key" => "unauthorized",
        "rate_limit_exceeded" => "overloaded",
        "context_length_exceeded" => "too_large",
        code => code,
    };
    let mut problem = Problem::new(error.message);
    if let Some(field) = error.param {
        problem = problem.detail("field", field);
    }
    Error::from_code(code, problem)
}

/// The service's error code for a status of an engine route.
fn code_of(status: u16) -> &'static str {
    match status {
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        413 => "too_large",
        415 => "unsupported_media_type",
        424 => "embedder_failed",
        429 => "overloaded",
        503 => "embedder_unavailable",
        500.. => "internal",
        _ => "invalid_input",
    }
}
