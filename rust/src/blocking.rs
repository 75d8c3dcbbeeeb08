//! Async methods over the blocking ones.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::embeddings::{Embeddings, ModelInfo, Side, Task, Vectors};
use crate::error::{Error, Problem, Result};
use crate::memories::Memories;
use crate::values::{
    Answer, Changes, ChangesOf, Consolidate, Consolidated, Decide, Forget, ForgetAbout, Forgotten, ForgottenAbout, Get,
    History, HistoryOf, Jobs, JobsOf, Judge, Judged, List, MemoryRecord, Neighbours, NeighboursOf, Page, Proposals,
    ProposalsOf, Propose, Proposed, Recall, Receipt, Receipts, Relate, Relation, Remember, RememberMany, Retire,
    Revise, SteerJob, Unrelate,
};

/// An embedder or a store whose methods are `async`: each call runs on a blocking thread of tokio, at most `limit` at a time; the
/// others wait in order, without a thread.
///
/// A future that is dropped before its call has begun is never carried out. One that is dropped later is finished all the same,
/// and its place in the pool is taken until then: a write is done wholly or not at all. Methods fail as the blocking ones do, and
/// with `Unavailable` where the runtime is shutting down. They must be called inside a tokio runtime.
#[derive(Debug)]
pub struct Async<T> {
    inner: Arc<T>,
    places: Arc<Semaphore>,
}

impl<T> Clone for Async<T> {
    /// The same object and the same pool.
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), places: Arc::clone(&self.places) }
    }
}

impl<T: Send + Sync + 'static> Async<T> {
    /// Calls at a time where nothing else is said.
    pub const LIMIT: usize = 32;

    /// With at most [`Async::LIMIT`] calls at a time.
    pub fn new(inner: T) -> Self {
        Self::with_limit(inner, Self::LIMIT)
    }

    /// With at most `limit` calls at a time; 0 counts as 1.
    pub fn with_limit(inner: T, limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { inner: Arc::new(inner), places: Arc::new(Semaphore::new(limit)) }
    }

    /// The object with its blocking methods.
    pub fn blocking(&self) -> &T {
        &self.inner
    }

    /// Run anything that blocks on it in the pool.
    pub async fn run<R: Send + 'static>(&self, call: impl FnOnce(&T) -> Result<R> + Send + 'static) -> Result<R> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| gone("the pool is closed"))?;
        let inner = Arc::clone(&self.inner);
        let called = spawn_blocking(move || {
            let result = call(&inner);
            drop(place);
            result
        });
        match called.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => Err(Error::Internal(Problem::new(format!("a call panicked: {error}")))),
            Err(_) => Err(gone("the runtime is shutting down")),
        }
    }
}

fn gone(why: &str) -> Error {
    Error::Unavailable(Problem::new(why))
}

impl<T: Embeddings + 'static> Async<T> {
    /// See [`Embeddings::embed_query`].
    pub async fn embed_query(&self, text: impl Into<String>, task: Option<Task>) -> Result<Vec<f32>> {
        let text = text.into();
        self.run(move |inner| inner.embed_query(&text, task)).await
    }

    /// See [`Embeddings::embed_document`].
    pub async fn embed_document(&self, text: impl Into<String>, title: Option<String>) -> Result<Vec<f32>> {
        let text = text.into();
        self.run(move |inner| inner.embed_document(&text, title.as_deref())).await
    }

    /// Documents without titles; see [`Embeddings::embed_batch`].
    pub async fn embed_documents(&self, texts: Vec<String>) -> Result<Vectors> {
        self.run(move |inner| inner.embed_batch(&borrowed(&texts), Side::Documents)).await
    }

    /// Queries of one task; see [`Embeddings::embed_batch`].
    pub async fn embed_queries(&self, texts: Vec<String>, task: Task) -> Result<Vectors> {
        self.run(move |inner| inner.embed_batch(&borrowed(&texts), Side::Queries(task))).await
    }

    /// See [`Embeddings::info`].
    pub async fn info(&self) -> Result<ModelInfo> {
        self.run(Embeddings::info).await
    }
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

macro_rules! async_methods {
    ($($name:ident: $request:ty => $answer:ty;)*) => {
        impl<T: Memories + 'static> Async<T> {
            $(
                #[doc = concat!("See [`Memories::", stringify!($name), "`].")]
                pub async fn $name(&self, request: $request) -> Result<$answer> {
                    self.run(move |inner| inner.$name(&request)).await
                }
            )*
        }
    };
}

async_methods! {
    remember: Remember => Receipt;
    remember_many: RememberMany => Receipts;
    recall: Recall => Answer;
    get: Get => MemoryRecord;
    list: List => Page;
    revise: Revise => Receipt;
    retire: Retire => Receipt;
    forget: Forget => Forgotten;
    relate: Relate => Relation;
    unrelate: Unrelate => Relation;
    neighbours: NeighboursOf => Neighbours;
    history: HistoryOf => History;
    changes: ChangesOf => Changes;
    forget_about: ForgetAbout => ForgottenAbout;
    proposals: ProposalsOf => Proposals;
    propose: Propose => Proposed;
    decide: Decide => Proposed;
    feedback: Judge => Judged;
    consolidate: Consolidate => Consolidated;
    jobs: JobsOf => Jobs;
    steer_job: SteerJob => Jobs;
}
