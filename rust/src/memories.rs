//! What can be done with memories, in process or over HTTP.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Error, Problem, Result};
use crate::operation::Operation;
use crate::values::{
    Answer, Changes, ChangesOf, Consolidate, Consolidated, Decide, Forget, ForgetAbout, Forgotten, ForgottenAbout, Get,
    History, HistoryOf, Jobs, JobsOf, Judge, Judged, List, MemoryRecord, Neighbours, NeighboursOf, Page, Proposals,
    ProposalsOf, Propose, Proposed, Recall, Receipt, Receipts, Relate, Relation, Remember, RememberMany, Retire,
    Revise, SteerJob, Unrelate,
};

/// A store of memories. It may be shared among threads; every method blocks until the service has answered.
///
/// A write is on disk when its method returns `Ok`, and its receipt says what became of it: a rejected one is a receipt too, not an
/// error. All methods fail with the service's own errors, under the same codes in process and over HTTP; a field that is out of its
/// range gives `InvalidInput`, a text or list over its limit `TooLarge`.
pub trait Memories: Send + Sync {
    /// Carry out any operation: the request's fields in, the answer as JSON (UTF-8) out.
    ///
    /// The other methods are built on it. A field that is left out keeps the operation's default.
    fn carry_out(&self, operation: Operation, request: Map<String, Value>) -> Result<Vec<u8>>;

    /// Store one memory. Idempotent: the same text in the same scope is `DuplicateOf` the first.
    ///
    /// Fails with `NotFound` for an unknown id in `supersedes`, `IdempotencyConflict` for a key that was used for
    /// another request, `EmbedderMismatch` and the errors of the store.
    fn remember(&self, request: &Remember) -> Result<Receipt> {
        asked(self, Operation::REMEMBER, request)
    }

    /// Store 1 to 2,000 memories at once; each gets a receipt, in the order given. Fails as `remember`, for all of them together.
    fn remember_many(&self, request: &RememberMany) -> Result<Receipts> {
        asked(self, Operation::REMEMBER_MANY, request)
    }

    /// Find the memories that answer a question. An answer without hits is no error; its `reason` says why there are none.
    fn recall(&self, request: &Recall) -> Result<Answer> {
        asked(self, Operation::RECALL, request)
    }

    /// Get one memory by its id. Fails with `NotFound` where there is none, or none at the instants in the request.
    fn get(&self, request: &Get) -> Result<MemoryRecord> {
        asked(self, Operation::GET, request)
    }

    /// List one page of the memories that match a filter; the last page has no cursor.
    fn list(&self, request: &List) -> Result<Page> {
        asked(self, Operation::LIST, request)
    }

    /// Change a memory by adding a revision. Fails with `NotFound`, and with `StaleRevision` where `if_revision` is not current.
    fn revise(&self, request: &Revise) -> Result<Receipt> {
        asked(self, Operation::REVISE, request)
    }

    /// Mark a memory as no longer true, keeping its history. Fails as `revise`.
    fn retire(&self, request: &Retire) -> Result<Receipt> {
        asked(self, Operation::RETIRE, request)
    }

    /// Erase a memory permanently. Fails as `revise`, and with `InvalidInput` for a reason that repeats the memory.
    fn forget(&self, request: &Forget) -> Result<Forgotten> {
        asked(self, Operation::FORGET, request)
    }

    /// Relate two memories, or a memory and an entity; an entity of a new name is created. Fails with `NotFound` for an unknown id.
    fn relate(&self, request: &Relate) -> Result<Relation> {
        asked(self, Operation::RELATE, request)
    }

    /// End a relation. Fails with `NotFound`.
    fn unrelate(&self, request: &Unrelate) -> Result<Relation> {
        asked(self, Operation::UNRELATE, request)
    }

    /// List what is related to a memory or an entity, nearest first. Fails with `NotFound`.
    fn neighbours(&self, request: &NeighboursOf) -> Result<Neighbours> {
        asked(self, Operation::NEIGHBOURS, request)
    }

    /// List all revisions of a memory, oldest first. Fails with `NotFound`.
    fn history(&self, request: &HistoryOf) -> Result<History> {
        asked(self, Operation::HISTORY, request)
    }

    /// Show what changed between two instants, the earliest first. Fails with `InvalidInput` for a span that is empty.
    fn changes(&self, request: &ChangesOf) -> Result<Changes> {
        asked(self, Operation::CHANGES, request)
    }

    /// Erase everything about a person, project or identifier; unless `dry_run` is `Some(false)`, only show what that would be.
    ///
    /// Fails with `InvalidInput` for a reason that has the name, and where it would be a larger share than is allowed.
    fn forget_about(&self, request: &ForgetAbout) -> Result<ForgottenAbout> {
        asked(self, Operation::FORGET_ABOUT, request)
    }

    /// List what the service proposes, with both texts and what accepting does. Fails with `NotFound` for an unknown memory.
    fn proposals(&self, request: &ProposalsOf) -> Result<Proposals> {
        asked(self, Operation::PROPOSALS, request)
    }

    /// Propose a change of a memory, for a person to decide. Fails with `NotFound`.
    fn propose(&self, request: &Propose) -> Result<Proposed> {
        asked(self, Operation::PROPOSE, request)
    }

    /// Accept or reject a proposal, put it off, or undo that. Fails with `NotFound`, and with `Conflict` where another decision is
    /// to be undone first, or a memory has changed so that this one cannot be carried out.
    fn decide(&self, request: &Decide) -> Result<Proposed> {
        asked(self, Operation::DECIDE, request)
    }

    /// Say whether a memory was useful, wrong, outdated or irrelevant. Fails with `NotFound`.
    fn feedback(&self, request: &Judge) -> Result<Judged> {
        asked(self, Operation::FEEDBACK, request)
    }

    /// Sum up a session, a topic or a context: a digest with citations, copies, facts that changed.
    fn consolidate(&self, request: &Consolidate) -> Result<Consolidated> {
        asked(self, Operation::CONSOLIDATE, request)
    }

    /// List background jobs, how far they are, and which wait for a person.
    fn jobs(&self, request: &JobsOf) -> Result<Jobs> {
        asked(self, Operation::JOBS, request)
    }

    /// Pause, resume, cancel or allow a background job, and list it as it is then. Fails with `NotFound`.
    fn steer_job(&self, request: &SteerJob) -> Result<Jobs> {
        asked(self, Operation::STEER_JOB, request)
    }
}

fn asked<R: DeserializeOwned>(
    memories: &(impl Memories + ?Sized),
    operation: Operation,
    request: &impl Serialize,
) -> Result<R> {
    let fields = match serde_json::to_value(request) {
        Ok(Value::Object(fields)) => fields,
        Ok(other) => return Err(Error::Internal(Problem::new(format!("a request is written as {other}, no object")))),
        Err(error) => return Err(Error::InvalidInput(Problem::new(format!("{}: {error}", operation.name)))),
    };
    let answer = memories.carry_out(operation, fields)?;
    serde_json::from_slice(&answer).map_err(|error| {
        Error::Internal(
            Problem::new(format!("the answer to {} cannot be read: {error}", operation.name))
                .hint("take the crate and the service from one version"),
        )
    })
}
