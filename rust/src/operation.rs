//! The operations, and the path of each under `/v1`.

/// How a request travels over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Fields in the query string.
    Get,
    /// Fields in a JSON body.
    Post,
    /// Fields in a JSON body.
    Patch,
    /// Fields in the query string.
    Delete,
}

impl Method {
    /// The name in HTTP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One operation of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The service's method and the operation id in OpenAPI.
    pub name: &'static str,
    /// Its HTTP method.
    pub method: Method,
    /// Its path under `/v1`; `{id}` is the request's field of that name.
    pub path: &'static str,
    /// Whether it only reads; if so, it may be retried when a connection breaks.
    pub reads: bool,
}

const fn operation(name: &'static str, method: Method, path: &'static str, reads: bool) -> Operation {
    Operation { name, method, path, reads }
}

impl Operation {
    /// Store one memory.
    pub const REMEMBER: Self = operation("remember", Method::Post, "/memories", false);
    /// Store up to 2,000 memories at once.
    pub const REMEMBER_MANY: Self = operation("remember_many", Method::Post, "/memories/batch", false);
    /// Find the memories that answer a question.
    pub const RECALL: Self = operation("recall", Method::Post, "/recall", true);
    /// Get one memory by its id.
    pub const GET: Self = operation("get", Method::Get, "/memories/{id}", true);
    /// List memories by filter.
    pub const LIST: Self = operation("list", Method::Get, "/memories", true);
    /// Change a memory by adding a revision.
    pub const REVISE: Self = operation("revise", Method::Patch, "/memories/{id}", false);
    /// Mark a memory as no longer true, keeping its history.
    pub const RETIRE: Self = operation("retire", Method::Post, "/memories/{id}/retire", false);
    /// Erase a memory permanently.
    pub const FORGET: Self = operation("forget", Method::Delete, "/memories/{id}", false);
    /// Relate two memories, or a memory and an entity.
    pub const RELATE: Self = operation("relate", Method::Post, "/relations", false);
    /// End a relation.
    pub const UNRELATE: Self = operation("unrelate", Method::Delete, "/relations/{id}", false);
    /// List what is related to a memory or an entity.
    pub const NEIGHBOURS: Self = operation("neighbours", Method::Get, "/neighbours/{id}", true);
    /// Show what changed between two instants.
    pub const CHANGES: Self = operation("changes", Method::Get, "/changes", true);
    /// Erase everything about a person, project or identifier.
    pub const FORGET_ABOUT: Self = operation("forget_about", Method::Post, "/memories/forget-about", false);
    /// List what the service proposes.
    pub const PROPOSALS: Self = operation("proposals", Method::Get, "/proposals", true);
    /// Propose a change of a memory, for a person to decide.
    pub const PROPOSE: Self = operation("propose", Method::Post, "/proposals", false);
    /// Accept or reject a proposal, put it off, or undo that.
    pub const DECIDE: Self = operation("decide", Method::Post, "/proposals/{id}", false);
    /// Say whether a memory was useful, wrong, outdated or irrelevant.
    pub const FEEDBACK: Self = operation("feedback", Method::Post, "/memories/{id}/feedback", false);
    /// Sum up a session, a topic or a context.
    pub const CONSOLIDATE: Self = operation("consolidate", Method::Post, "/consolidate", false);
    /// List background jobs.
    pub const JOBS: Self = operation("jobs", Method::Get, "/jobs", true);
    /// Pause, resume, cancel or allow a background job.
    pub const STEER_JOB: Self = operation("steer_job", Method::Post, "/jobs/{id}", false);
    /// List all revisions of a memory.
    pub const HISTORY: Self = operation("history", Method::Get, "/memories/{id}/history", true);

    /// The operations that have a method in [`Memories`](crate::Memories).
    pub const ALL: &'static [Self] = &[
        Self::REMEMBER,
        Self::REMEMBER_MANY,
        Self::RECALL,
        Self::GET,
        Self::LIST,
        Self::REVISE,
        Self::RETIRE,
        Self::FORGET,
        Self::RELATE,
        Self::UNRELATE,
        Self::NEIGHBOURS,
        Self::HISTORY,
        Self::CHANGES,
        Self::FORGET_ABOUT,
        Self::PROPOSALS,
        Self::PROPOSE,
        Self::DECIDE,
        Self::FEEDBACK,
        Self::CONSOLIDATE,
        Self::JOBS,
        Self::STEER_JOB,
    ];
}
