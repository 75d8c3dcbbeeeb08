//! The requests and answers of the operations, field by field as in their JSON Schemas.
//!
//! A request's field that is `None` or empty is not sent, and keeps the operation's default. `tests/schema.rs` compares every type
//! here with the schema that the service itself publishes.

mod about;
mod answers;
mod changes;
mod inbox;
mod jobs;
mod requests;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

pub use about::{AboutMemory, ForgetAbout, ForgottenAbout, LeftMemory};
pub use answers::{
    Actor, Answer, Asked, AskedTime, AskedWord, Copies, Detail, Forgotten, History, Hit, MemoryRecord, Neighbour,
    Neighbours, NodeKind, Notice, Outcome, Page, PassageText, Receipt, Receipts, Relation, Retirement, Rival,
    RivalOrder, Searchable, Searched, Stage, Surrounding, Trace, Validity, WipePending,
};
pub use changes::{Axis, ChangeKind, Changes, ChangesOf, Facets, MemoryChange};
pub use inbox::{
    Choice, Decide, Feedback, Judge, Judged, Moved, Proposal, ProposalKind, ProposalState, Proposals, ProposalsOf,
    Propose, Proposed, Similar, SimilarKind, Verdict,
};
pub use jobs::{
    ChangedValue, Consolidate, Consolidated, Digest, JobStatus, JobView, Jobs, JobsOf, Repeated, Steer, SteerJob,
};
pub use requests::{
    AnswerFormat, Change, Draft, Forget, Get, HistoryOf, List, NeighboursOf, OnConflict, Order, Recall, Recipe, Relate,
    Remember, RememberMany, Retire, Revise, Selection, Unrelate,
};

/// JSON attributes of a memory or a relation.
pub type Attributes = serde_json::Map<String, serde_json::Value>;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }
    };
}
pub(crate) use words;

words! {
    /// The kind of a memory: four cognitive types, then six of everyday agent work.
    MemoryType {
        /// A fact.
        Semantic,
        /// Something that happened.
        Episodic,
        /// How something is done.
        Procedural,
        /// What matters for the current task.
        Working,
        /// Source code.
        Code,
        /// Documentation.
        Documentation,
        /// A piece of a conversation.
        Conversation,
        /// An insight.
        Insight,
        /// Somebody's preference.
        Preference,
        /// A problem and how it was solved.
        ProblemSolution,
    }
}

words! {
    /// How much to return with a match.
    Layer {
        /// The match.
        Semantic,
        /// What surrounds it.
        Contextual,
        /// Its history and relations.
        Detailed,
    }
}

/// `serde(skip_serializing_if)` for switches that are off.
pub(crate) fn is_off(switch: &bool) -> bool {
    !switch
}

/// `serde(serialize_with)` for numbers: writes one unless it is NaN or infinite: JSON has no such numbers, and `null` in their place would mean "not given".
pub(crate) fn finite<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Copy + Into<Option<f64>> + Serialize,
    S: Serializer,
{
    match (*value).into() {
        Some(number) if !number.is_finite() => Err(S::Error::custom(format!("a number must be finite, not {number}"))),
        _ => value.serialize(serializer),
    }
}

/// Whether a value is the one that is not sent.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The name of a namespace; nothing is read or written across namespaces. The service starts with `default`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Namespace(String);

impl Namespace {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl From<&str> for Namespace {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl From<String> for Namespace {
    fn from(name: String) -> Self {
        Self(name)
    }
}
