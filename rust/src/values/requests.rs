//! What the operations take.

use serde::{Deserialize, Serialize};

use super::{Attributes, Layer, MemoryType, Namespace, is_default, is_off, words};
use crate::instant::Instant;

/// A memory to be: its text and whatever is known about it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// What to remember; up to 200,000 characters. Long texts are split in passages.
    pub text: String,
    /// What kind of memory this is; semantic where it is not given.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<MemoryType>,
    /// A heading of up to 1,000 characters; it is searched too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who wrote or said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The user it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The agent it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The conversation it is part of; neighbours help recall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// A path such as `work/projects/atlas`, up to 512 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Up to 64 short labels to filter by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// How much it matters, 0 to 1; 0.5 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<f64>,
    /// How sure it is, 0 to 1; 1 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Typed attributes of the memory's type, and your own.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Where it came from: an address, a file, a message id; up to 2,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it happened or began to be true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Instant>,
    /// When it stopped being true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// Ids of memories that this one replaces: they end where this one begins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
}

impl Draft {
    /// A draft of a text and nothing else.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// One memory to keep.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Remember {
    /// The memory.
    #[serde(flatten)]
    pub draft: Draft,
    /// The wall it lies behind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Keep it even if the same text was forgotten before.
    #[serde(default, skip_serializing_if = "is_off")]
    pub reinstate: bool,
    /// Wait, at most 30 s, until it can be found by meaning too; the receipt says whether it can.
    #[serde(default, skip_serializing_if = "is_off")]
    pub wait: bool,
    /// Repeating a request with the same key within 24 hours gives the first answer and writes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

impl Remember {
    /// A text and nothing else.
    pub fn new(text: impl Into<String>) -> Self {
        Draft::new(text).into()
    }
}

impl From<Draft> for Remember {
    fn from(draft: Draft) -> Self {
        Self { draft, ..Self::default() }
    }
}

/// 1 to 2,000 memories to keep, each with a receipt of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RememberMany {
    /// The memories, in order.
    pub memories: Vec<Draft>,
    /// The wall they lie behind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Keep texts even if they were forgotten before.
    #[serde(default, skip_serializing_if = "is_off")]
    pub reinstate: bool,
    /// Wait, at most 30 s, until all can be found by meaning too; the receipts say whether they can.
    #[serde(default, skip_serializing_if = "is_off")]
    pub wait: bool,
    /// As in [`Remember`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Which memories of one namespace are meant: fields are joined by AND, the values of one list by OR.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// The wall; no query crosses it.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Only memories of one of these users.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<String>,
    /// Only memories of one of these agents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agent: Vec<String>,
    /// Only memories of one of these sessions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub session: Vec<String>,
    /// Only memories of one of these types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<MemoryType>,
    /// Only this context path and all below it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Tags a memory must all have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Tags of which a memory must have at least one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_tags: Vec<String>,
    /// Tags a memory must not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_tags: Vec<String>,
    /// Only memories written or said by one of these people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub author: Vec<String>,
    /// Only memories with one of these ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Only what happened at or after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_after: Option<Instant>,
    /// Only what happened before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_before: Option<Instant>,
    /// Only what was recorded at or after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_after: Option<Instant>,
    /// Only what was recorded before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_before: Option<Instant>,
    /// Only memories of at least this importance, 0 to 1.
    #[serde(skip_serializing_if = "is_default")]
    pub min_importance: f64,
    /// Only memories of at least this confidence, 0 to 1.
    #[serde(skip_serializing_if = "is_default")]
    pub min_confidence: f64,
    /// Only what was true in the world at this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
    /// Only what the service knew at this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Instant>,
    /// Also memories whose `valid_to` lies before now. Recall leaves them out where it is not given, listing does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_ended: Option<bool>,
    /// The instant that counts as now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Instant>,
}

words! {
    /// What counts in recall.
    Recipe {
        /// Words, meaning and what stands beside a memory.
        Balanced,
        /// As balanced, without what stands beside a memory.
        Fast,
        /// As balanced, with more candidates.
        Thorough,
        /// As balanced, with what the graph leads to.
        Linked,
        /// Words alone.
        Words,
        /// Meaning alone.
        Meaning,
    }
}

words! {
    /// What an answer holds.
    AnswerFormat {
        /// The hits.
        Hits,
        /// Also one block of text for a prompt: dated, cited by id, fenced, within `max_tokens`.
        Context,
    }
}

words! {
    /// Which end of a listing comes first.
    Order {
        /// What happened last.
        Newest,
        /// What happened first.
        Oldest,
    }
}

/// A question, and which memories may answer it. Filters apply before ranking.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// The question, in any language, up to 20,000 characters; "quoted phrases" must occur as they stand.
    pub query: String,
    /// Which memories may answer.
    #[serde(flatten)]
    pub selection: Selection,
    /// At most this many hits, 1 to 1,000; 10 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Budget of estimated tokens for the texts in the answer; the weakest go first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// What comes back with a match; the match and what surrounds it where none is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// Give each hit the scores of every stage.
    #[serde(default, skip_serializing_if = "is_off")]
    pub explain: bool,
    /// What counts; balanced where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// What the answer holds besides the hits; nothing where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<AnswerFormat>,
}

impl Recall {
    /// A question to all memories of the namespace `default`.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), ..Self::default() }
    }
}

/// One memory by its id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Get {
    /// `mem_…`
    pub id: String,
    /// The wall it lies behind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Only if it was true in the world at this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
    /// As the service knew it at this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Instant>,
}

/// Memories by filter, page by page, in the order in which they happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct List {
    /// Which memories.
    #[serde(flatten)]
    pub selection: Selection,
    /// At most this many on a page, 1 to 1,000; 50 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The cursor of the page before; filters must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Which end comes first; the newest where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

/// What becomes of a field that may be empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    #[serde(skip)]
    Keep,
    /// It gets this value.
    Set(T),
    /// It is emptied.
    Clear,
}

impl<T> Change<T> {
    fn keeps(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// Fields to change; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Revise {
    /// `mem_…`
    pub id: String,
    /// The wall it lies behind.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// The new text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The new type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<MemoryType>,
    /// The new heading.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub title: Change<String>,
    /// The new author.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub author: Change<String>,
    /// The new context path; an empty one is the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The new tags, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The new importance, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<f64>,
    /// The new confidence, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The new attributes, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// The new source.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub source: Change<String>,
    /// The new beginning of its validity.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub valid_from: Change<Instant>,
    /// The new end of its validity.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub valid_to: Change<Instant>,
    /// Why it changes; kept in the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only if this is the current revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// Wait, at most 30 s, until the change can be found by meaning.
    #[serde(skip_serializing_if = "is_off")]
    pub wait: bool,
    /// As in [`Remember`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A memory that should no longer be held for true; its history stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retire {
    /// `mem_…`
    pub id: String,
    /// The wall it lies behind.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Why; kept in the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only if this is the current revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// As in [`Remember`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A memory to erase from text, revisions, vectors, indexes, relations and caches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Forget {
    /// `mem_…`
    pub id: String,
    /// The wall it lies behind.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Why; kept in the log. Must not repeat the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only if this is the current revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// As in [`Remember`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A typed, dated edge to add. A node is `mem_…`, `ent_…`, `entity:NAME` or `entity:KIND/NAME`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Relate {
    /// Where it begins.
    pub source: String,
    /// Where it leads.
    pub target: String,
    /// `MENTIONS`, `SUPERSEDES`, `SUPPORTS`, `CONTRADICTS`, `CAUSES`, `REFERS_TO` (where it is not given), or an upper-case name of
    /// your own.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The wall it lies behind.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// How strong it is, 0 to 1; 1 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Anything else about it.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The id of the memory that states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// When it began to be true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Instant>,
    /// When it stopped being true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// As in [`Remember`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A relation to end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Unrelate {
    /// `rel_…`
    pub id: String,
    /// The wall it lies behind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
}

/// Where to start and how far to walk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NeighboursOf {
    /// The node, as in [`Relate`].
    pub id: String,
    /// The wall it lies behind.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// How many relations away, 1 to 4; 1 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Only relations of these types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Only nodes of these kinds: `memory`, `person`, `organisation`, `product`, `place`, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Only relations that were true at this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
    /// Only relations that were known at this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Instant>,
    /// At most this many nodes, 1 to 1,000; 100 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The memory whose revisions are asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryOf {
    /// `mem_…`
    pub id: String,
    /// The wall it lies behind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
}
