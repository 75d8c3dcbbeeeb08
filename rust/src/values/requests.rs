//! The requests of the operations.

use serde::{Deserialize, Serialize};

use super::{Attributes, Layer, MemoryType, Namespace, finite, is_default, is_off, words};
use crate::instant::Instant;

/// A memory to store: its text and what is known about it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// The text to remember, up to 200,000 characters. Long texts are split into passages.
    pub text: String,
    /// What kind of memory it is. Default: semantic.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<MemoryType>,
    /// A heading, up to 1,000 characters; it is searched like the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who wrote or said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A name of your own for the fact, such as `user.home.city`: the same key again ends the value before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The user that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The agent that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The conversation that it is part of. Recall also considers the memories before and after it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// A path of topics, such as `work/projects/atlas`, up to 512 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Up to 64 short labels to filter by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// How much it matters, from 0 to 1. Default: 0.5.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub importance: Option<f64>,
    /// How certain it is, from 0 to 1. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub confidence: Option<f64>,
    /// More about it, at most 64 KiB of JSON; the attributes that its type defines are checked for their type.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Where it came from, such as a URL, a file or a message id; up to 2,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it happened or became true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Instant>,
    /// When it stopped being true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// When it lapses: answers leave it out from then on. Default: what the service's settings say of its context or type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// In place of `expires_at`, how long it is kept: a number of seconds, or `12h`, `7d`, `1 week`; `never` for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// Whether the settings that make memories lapse or erase them by themselves pass it over.
    #[serde(skip_serializing_if = "is_off")]
    pub pinned: bool,
    /// The memories that this one replaces: ids, `key:NAME`, or words that only the memory answers to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
}

impl Draft {
    /// A draft with a text only.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

words! {
    /// What happens where a new memory seems to give another value of what is stored.
    OnConflict {
        /// Both are stored, and nothing else.
        Keep,
        /// It is proposed that the newer one supersedes the older one.
        Propose,
        /// It supersedes it where that is as good as certain, and else it is proposed.
        Supersede,
    }
}

/// One memory to store. A text that the same scope already has is not stored again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Remember {
    /// The memory.
    #[serde(flatten)]
    pub draft: Draft,
    /// The namespace to work in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Store it even if the same text was forgotten before.
    #[serde(default, skip_serializing_if = "is_off")]
    pub reinstate: bool,
    /// What happens on a conflict with what is stored; by default what the service's settings say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<OnConflict>,
    /// Wait, at most 30 seconds, until it can be found semantically too; the receipt says whether it can.
    #[serde(default, skip_serializing_if = "is_off")]
    pub wait: bool,
    /// A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and returns the first
    /// answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

impl Remember {
    /// A memory with a text only.
    pub fn new(text: impl Into<String>) -> Self {
        Draft::new(text).into()
    }
}

impl From<Draft> for Remember {
    fn from(draft: Draft) -> Self {
        Self { draft, ..Self::default() }
    }
}

/// 1 to 2,000 memories to store. Each gets its own receipt, and one that is rejected does not stop the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RememberMany {
    /// The memories to store, in order.
    pub memories: Vec<Draft>,
    /// The namespace to work in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Store memories even if the same texts were forgotten before.
    #[serde(default, skip_serializing_if = "is_off")]
    pub reinstate: bool,
    /// As in [`Remember`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<OnConflict>,
    /// Wait, at most 30 seconds, until all can be found semantically too; the receipts say which can.
    #[serde(default, skip_serializing_if = "is_off")]
    pub wait: bool,
    /// As in [`Remember`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A filter for the memories of one namespace. Fields are joined by AND, the values of one list by OR.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// Only memories of this namespace.
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
    /// Only memories in this context path or below it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Only memories with all of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Only memories with at least one of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_tags: Vec<String>,
    /// Only memories with none of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_tags: Vec<String>,
    /// Only memories written or said by one of these people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub author: Vec<String>,
    /// Only memories with one of these keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Only memories with one of these ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Only memories that are pinned, or only those that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Only what happened (`valid_from`, else `created_at`) at or after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_after: Option<Instant>,
    /// Only what happened (`valid_from`, else `created_at`) before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_before: Option<Instant>,
    /// Only what was recorded at or after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_after: Option<Instant>,
    /// Only what was recorded before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_before: Option<Instant>,
    /// Only memories of at least this importance, from 0 to 1.
    #[serde(skip_serializing_if = "is_default", serialize_with = "finite")]
    pub min_importance: f64,
    /// Only memories of at least this confidence, from 0 to 1.
    #[serde(skip_serializing_if = "is_default", serialize_with = "finite")]
    pub min_confidence: f64,
    /// Only memories for which this condition holds: on attributes by their paths, such as
    /// `{"attributes.price": {"$lt": 10}}`, on the other filters by their names, joined by `$and`, `$or` and `$not`.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Attributes>,
    /// Only what was true in the world at this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
    /// Only what the service knew at this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Instant>,
    /// Only memories whose `expires_at` is before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_before: Option<Instant>,
    /// Also memories that have expired. Default: no for recall, a listing and a timeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_expired: Option<bool>,
    /// Also memories whose `valid_to` is before now. Default: no for recall, yes for a listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_ended: Option<bool>,
    /// The instant to treat as now. Default: the service's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Instant>,
}

words! {
    /// How recall searches and ranks.
    Recipe {
        /// Lexically, semantically and by the memories around a match.
        Balanced,
        /// As balanced, without the memories around a match.
        Fast,
        /// As balanced, with more candidates, the best of them compared token by token.
        Thorough,
        /// As balanced, with what the graph reaches from the question and the best hits.
        Linked,
        /// Lexically only.
        Words,
        /// Semantically only.
        Meaning,
    }
}

words! {
    /// What an answer contains.
    AnswerFormat {
        /// The hits.
        Hits,
        /// The hits and one text block for a prompt: dated, with ids as citations, fenced and within `max_tokens`.
        Context,
    }
}

words! {
    /// Which memories of a listing come first.
    Order {
        /// Those that happened last.
        Newest,
        /// Those that happened first.
        Oldest,
    }
}

/// A question, and the filters for the memories that may answer it. Filters apply before ranking.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// The question, in any language, up to 20,000 characters. A "quoted phrase" must occur exactly, unless the question ends in
    /// "?".
    pub query: String,
    /// The filters.
    #[serde(flatten)]
    pub selection: Selection,
    /// At most this many hits, 1 to 1,000. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only hits of at least this score, in nats; scores compare within one answer only. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub min_score: Option<f64>,
    /// Only hits whose confidence, the estimated probability that they are relevant, is at least this, from 0 to 1.
    #[serde(default, skip_serializing_if = "is_default", serialize_with = "finite")]
    pub min_relevance: f64,
    /// At most this many tokens, as estimated, of memory text in the answer; the weakest hits are left out first. Default: no
    /// limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// What to return with a match. Default: the match and what surrounds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// Return how the question was understood, and the scores of each hit in every stage.
    #[serde(default, skip_serializing_if = "is_off")]
    pub explain: bool,
    /// How to search and rank. Default: balanced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// What the answer contains. Default: the hits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<AnswerFormat>,
}

impl Recall {
    /// A question to all memories of the namespace `default`.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), ..Self::default() }
    }
}

/// The memory to return: its current revision, or with `known_at` the one known then.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Get {
    /// The memory's id (`mem_…`).
    pub id: String,
    /// The namespace to work in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Return it only if it was true in the world at this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
    /// Return it as the service knew it at this instant. Default: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Instant>,
}

/// The filters and the page. Memories are listed in order of when they happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct List {
    /// The filters.
    #[serde(flatten)]
    pub selection: Selection,
    /// At most this many memories per page, 1 to 1,000. Default: 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The cursor from the previous page; the filters must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Which memories come first. Default: the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Also memories that were retired, as they were when they were. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<bool>,
    /// Only memories that lapse within this time from now, such as `7d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiring: Option<String>,
    /// Only memories that nothing has confirmed for this long, such as `90d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
}

/// What to do with a field that may be empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Change<T> {
    /// Keep its value.
    #[default]
    #[serde(skip)]
    Keep,
    /// Set this value.
    Set(T),
    /// Clear it.
    Clear,
}

impl<T> Change<T> {
    fn keeps(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// The fields to change; a field that is not given keeps its value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Revise {
    /// The memory's id (`mem_…`).
    pub id: String,
    /// The namespace to work in.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// The new text, in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The new kind of memory.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<MemoryType>,
    /// The new heading.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub title: Change<String>,
    /// The new author.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub author: Change<String>,
    /// The new key; refused where the key has another value at the same time.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub key: Change<String>,
    /// The new context path; an empty one is the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Its new tags; they replace the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The new importance, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub importance: Option<f64>,
    /// The new confidence, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub confidence: Option<f64>,
    /// Its new attributes; they replace the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// The new source.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub source: Change<String>,
    /// The new time at which it happened or became true.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub valid_from: Change<Instant>,
    /// The new time at which it stopped being true.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub valid_to: Change<Instant>,
    /// The new time at which it lapses.
    #[serde(skip_serializing_if = "Change::keeps")]
    pub expires_at: Change<Instant>,
    /// In place of `expires_at`, how long from now on it is kept; `never` for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// Whether it is pinned. Pinning takes its `expires_at` away, unless another is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Why it changes; kept in the memory's history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Proceed only if this is the memory's current revision; otherwise fail with `StaleRevision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// Wait, at most 30 seconds, until the change can be found semantically too.
    #[serde(skip_serializing_if = "is_off")]
    pub wait: bool,
    /// As in [`Remember`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The memory to retire. With `known_at` it can still be found as it was known before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retire {
    /// The memory's id (`mem_…`).
    pub id: String,
    /// The namespace to work in.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Why it is retired; kept in the memory's history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Proceed only if this is the memory's current revision; otherwise fail with `StaleRevision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// As in [`Remember`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The memory to erase from texts, revisions, vectors, indexes, relations and caches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Forget {
    /// The memory's id (`mem_…`).
    pub id: String,
    /// The namespace to work in.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Why it is erased. The log keeps the reason forever, so one that repeats the memory's text or title, or a revealing part of
    /// it, is refused with `InvalidInput`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Proceed only if this is the memory's current revision; otherwise fail with `StaleRevision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// As in [`Remember`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A typed, dated edge. If an equal relation is current, that one is returned. A node is `mem_…`, `ent_…`, `entity:NAME` or `entity:KIND/NAME`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Relate {
    /// Where the relation starts; an entity of a new name is created.
    pub source: String,
    /// Where the relation ends; an entity of a new name is created.
    pub target: String,
    /// `MENTIONS`, `SUPERSEDES`, `SUPPORTS`, `CONTRADICTS`, `CAUSES`, `REFERS_TO` (the default), or another name in upper case.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The namespace to work in.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// How strong the relation is, from 0 to 1. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub weight: Option<f64>,
    /// More about the relation, as JSON.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The id of the memory that states the relation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// When the relation began to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Instant>,
    /// When the relation stopped holding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// As in [`Remember`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The relation to end. With `known_at` it can still be found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Unrelate {
    /// The relation's id (`rel_…`).
    pub id: String,
    /// The namespace to work in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
}

/// Where to start and how far to go. The nearest nodes come first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NeighboursOf {
    /// Where to start: a node, as in [`Relate`].
    pub id: String,
    /// The namespace to work in.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// How many relations to follow, one after another, 1 to 4. Default: 1.
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
    /// At most this many neighbours, 1 to 1,000. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The memory whose revisions to list, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryOf {
    /// The memory's id (`mem_…`).
    pub id: String,
    /// The namespace to work in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
}
