//! All errors, with the codes of the service.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What an error says, in the same form on every surface.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What was wrong, and the limit where there is one.
    pub message: String,
    /// The command or change that fixes it.
    pub hint: Option<String>,
    /// The values behind the message, such as `limit`, `actual`, `current` or `retry_after` (seconds).
    #[serde(default)]
    pub details: Map<String, Value>,
}

impl Problem {
    /// A problem without a hint or details.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// The same, with a hint how to fix it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with a value behind the message.
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

macro_rules! errors {
    ($($(#[$doc:meta])* $variant:ident = $code:literal;)*) => {
        /// What can go wrong. The code of each variant is stable, and the same in process and over HTTP.
        ///
        /// There is one variant for each of the service's errors; the last four are for what can only go wrong between Rust
        /// and the service.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Error {
            $($(#[$doc])* #[doc = concat!("\n\nCode `", $code, "`.")] $variant(Problem),)*
            /// An error of a newer service, whose code this crate does not know.
            Other {
                /// The service's code.
                code: String,
                /// What it says.
                problem: Problem,
            },
        }

        impl Error {
            /// All codes that have a variant of their own.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// The error with this code; `Other` for an unknown code.
            pub fn from_code(code: &str, problem: Problem) -> Self {
                match code {
                    $($code => Self::$variant(problem),)*
                    _ => Self::Other { code: code.to_owned(), problem },
                }
            }

            /// The stable code, which programs compare.
            pub fn code(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $code,)*
                    Self::Other { code, .. } => code,
                }
            }

            /// What is said: message, hint and details.
            pub fn problem(&self) -> &Problem {
                match self {
                    $(Self::$variant(problem) => problem,)*
                    Self::Other { problem, .. } => problem,
                }
            }
        }
    };
}

errors! {
    /// The request is wrong: a missing field, a wrong type, a value out of range.
    InvalidInput = "invalid_input";
    /// A text, batch or body is over its limit; `details` has `limit` and `actual`.
    TooLarge = "too_large";
    /// The body is of a media type or content encoding that the service does not read; `details` has `accepted`.
    MediaType = "unsupported_media_type";
    /// No API key was sent, or one that is not known.
    Unauthorized = "unauthorized";
    /// The API key does not open this namespace or this operation.
    Forbidden = "forbidden";
    /// No such memory, relation, entity, job or route, as far as the caller may see.
    NotFound = "not_found";
    /// The route exists, but not for this HTTP method; `details` has `allowed`.
    MethodNotAllowed = "method_not_allowed";
    /// The request is right in itself but cannot be carried out in the present state.
    Conflict = "conflict";
    /// Another writer was first; `details` has `expected` and `current`, the revision to read before trying again.
    StaleRevision = "stale_revision";
    /// The idempotency key was used before for a different request.
    IdempotencyConflict = "idempotency_conflict";
    /// The store's active vectors were made by another embedder; nothing was written.
    EmbedderMismatch = "embedder_mismatch";
    /// A bulk deletion would touch a larger share of a namespace than allowed; nothing was deleted.
    Brake = "brake";
    /// A queue is full; `details` has `retry_after` in seconds.
    Overloaded = "overloaded";
    /// The request did not arrive in time; nothing was done, except for the finished batches of an import.
    RequestTimeout = "request_timeout";
    /// The store cannot do its work; what was acknowledged before is still there.
    Store = "store_error";
    /// No space is left on the device; nothing of this request was written.
    StoreFull = "store_full";
    /// The store's file or folder cannot be written.
    StoreReadOnly = "store_read_only";
    /// The file is damaged or is not an ai-memory store.
    StoreCorrupt = "store_corrupt";
    /// Another process held the write lock for longer than the busy timeout.
    StoreBusy = "store_busy";
    /// The server that keeps the store cannot be reached, or refuses the user.
    StoreUnavailable = "store_unavailable";
    /// The store was written by a newer version of the service.
    StoreVersion = "store_version";
    /// The embedder failed while running; no partial result is given.
    Embedder = "embedder_failed";
    /// There is no model, it could not be loaded, or it has been closed.
    EmbedderUnavailable = "embedder_unavailable";
    /// A model folder is incomplete, damaged or of an unknown architecture; `details` names each file.
    ModelFiles = "model_files";
    /// The network was needed while `offline` is set.
    Offline = "offline";
    /// An optional part of the Python package is not installed; the hint has the command.
    NotInstalled = "not_installed";
    /// The service is closing, or cannot be reached at its address.
    Unavailable = "unavailable";
    /// An internal error of the service or of this crate: an unexpected exception, or a panic. `details` has the
    /// `exception` and its `traceback` where there was one.
    Internal = "internal";
    /// No Python interpreter was found, or what was named is not one.
    PythonNotFound = "python_not_found";
    /// The interpreter is not of the version whose library this program is linked with, or it could not be started.
    PythonUnusable = "python_unusable";
    /// The interpreter does not have the package `ai-memory-local`, or one of its dependencies is missing.
    PackageMissing = "package_missing";
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = self.problem();
        out.write_str(&problem.message)?;
        match &problem.hint {
            Some(hint) => write!(out, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// The result of this crate's methods.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn invalid(message: impl Into<String>, hint: &str) -> Error {
    Error::InvalidInput(Problem::new(message).hint(hint))
}
